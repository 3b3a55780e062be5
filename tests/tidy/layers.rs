//! The layers of `plugin/src` and `host/src` (`docs/architecture.md`, "Layout"): a module may use what stands below it in
//! these tables, never what stands beside or above it, except where a row of exceptions says why.

use super::sources::Source;

/// A crate's modules, and who may look sideways.
struct Layers {
    /// The crate's sources.
    folder: &'static str,
    /// Rows from top to bottom.
    rows: &'static [&'static [&'static str]],
    /// User, used item (a path prefix), and why.
    exceptions: &'static [(&'static str, &'static str, &'static str)],
}

const PLUGIN: Layers = Layers {
    folder: "plugin/src/",
    rows: &[
        &["component"],
        &["driver"],
        &["task"],
        &["connector", "preflight"],
        // Typed settings: a grant, a converter, a topic template; and every fact that is reported.
        &["config", "telemetry", "offset"],
        &["bayeux", "salesforce", "oauth", "keystore", "registry", "transforms", "converters"],
        &["topic_template", "exchange", "java"],
        &["data", "http"],
        &["backoff", "error"],
        &["secret", "time"],
    ],
    exceptions: &[
        ("salesforce", "bayeux::message", "Salesforce's extensions and events ride on Bayeux messages"),
        ("oauth", "keystore", "a grant signs with a key"),
        ("oauth", "salesforce::rest", "the token endpoint also answers in the form of the REST API's errors"),
        ("salesforce", "config::InitialStart", "where to begin is a setting that the replay policy alone reads"),
        ("salesforce", "oauth::Token", "a REST request carries the session"),
    ],
};

const HOST: Layers = Layers {
    folder: "host/src/",
    rows: &[
        &["main"],
        &["testing"],
        &["cli"],
        &["rest"],
        &["exposition"],
        &["herder"],
        &["worker"],
        &["engine"],
        &["imports"],
        &["convert"],
        &["bindings"],
        &["kafka", "embedded"],
        &["offsets"],
        &["store"],
        &["sink"],
        &["telemetry", "tenants"],
        &["config"],
        &["check", "error", "record", "labels", "bucket", "web_client"],
    ],
    exceptions: &[
        ("imports", "engine::HostState", "wasmtime hands every import the one state of its store"),
        ("convert", "engine::", "the contract's plain types stand with the engine, which alone gives them out"),
        ("telemetry", "offsets::connect_format", "an offset is shown as it is stored; the format is pure"),
    ],
};

pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for layers in [PLUGIN, HOST] {
        for source in sources {
            if let Some(file) = source.path.strip_prefix(layers.folder).and_then(|path| path.strip_suffix(".rs")) {
                check_file(&layers, file, source, &mut findings);
            }
        }
    }
    findings
}

fn check_file(layers: &Layers, file: &str, source: &Source, findings: &mut Vec<String>) {
    let module: Vec<&str> = file.split('/').filter(|component| *component != "mod").collect();
    // The crate's root only lists its modules and re-exports from them.
    if module == ["lib"] {
        return;
    }
    let user = module[0];
    let row = |module: &str| layers.rows.iter().position(|row| row.contains(&module));
    let Some(user_row) = row(user) else {
        findings.push(format!("{}: `{user}` is in no layer of {}", source.path, file!()));
        return;
    };
    for used in used_items(source.code(), &module) {
        let name = used.split("::").next().unwrap_or_default();
        // Items of the crate's root, macros for one, are in no layer.
        let Some(used_row) = row(name).filter(|_| name != user) else { continue };
        let excepted = layers.exceptions.iter().any(|(from, item, _)| *from == user && used.starts_with(item));
        if used_row <= user_row && !excepted {
            let place = if used_row == user_row { "beside" } else { "above" };
            findings.push(format!("{}: `{user}` uses `{used}`, which stands {place} it", source.path));
        }
    }
}

/// Paths that a file names from the crate's root, without the `crate::`.
fn used_items(code: &str, module: &[&str]) -> Vec<String> {
    let code: String = code.lines().map(without_comment).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    let up = "super::".repeat(module.len());
    for root in ["crate::", up.as_str()] {
        for (start, _) in code.match_indices(root) {
            let inside_a_name =
                code[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "_:$".contains(c));
            if !inside_a_name {
                expand(&code[start + root.len()..], "", &mut found);
            }
        }
    }
    found
}

fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Reads one path, or a group in braces, at the start of `text`; gives back what is behind it.
fn expand<'a>(text: &'a str, prefix: &str, found: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if rest.is_empty() {
                return rest;
            }
            if let Some(behind) = rest.strip_prefix('}') {
                return behind;
            }
            let before = rest.len();
            rest = expand(rest, prefix, found);
            if rest.len() == before {
                return rest;
            }
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*')).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    let mut rest = &text[end..];
    if let Some(deeper) = rest.strip_prefix("::") {
        return expand(deeper, &format!("{path}::"), found);
    }
    if end > 0 {
        found.push(path);
    }
    // `as name`
    if let Some(alias) = rest.trim_start().strip_prefix("as ") {
        let end = alias.find([',', '}', ';']).unwrap_or(alias.len());
        rest = &alias[end..];
    }
    rest
}

#[test]
fn what_looks_sideways_or_up_is_found() {
    super::samples(
        check,
        &[
            ("plugin/src/bayeux/session.rs", "//! x\nuse crate::driver::Imports;\n", "which stands above it"),
            ("plugin/src/bayeux/session.rs", "//! x\nuse crate::salesforce::Event;\n", "which stands beside it"),
            ("plugin/src/bayeux/session.rs", "//! x\nuse crate::{data::Schema, time::Now};\n", ""),
            (
                "plugin/src/bayeux/session.rs",
                "//! x\nuse crate::{time::Now, task::{state::Phase as P, step}};\n",
                "task::step",
            ),
            ("plugin/src/bayeux/session.rs", "//! x\nuse crate::bayeux::message::Message;\n", ""),
            ("plugin/src/bayeux/session.rs", "//! x\nuse super::message::Message;\n", ""),
            ("plugin/src/bayeux/session.rs", "//! x\nuse super::super::task::state;\n", "task::state"),
            ("plugin/src/bayeux/session.rs", "//! x\n// use crate::driver::Imports;\n", ""),
            ("plugin/src/bayeux/session.rs", "//! x\nfn f(_: &crate::driver::Imports) {}\n", "driver::Imports"),
            ("plugin/src/bayeux/session.rs", "//! x\n\n#[cfg(test)]\nmod tests { use crate::driver::X; }\n", ""),
            ("plugin/src/salesforce/event.rs", "//! x\nuse crate::bayeux::message::Message;\n", ""),
            (
                "plugin/src/salesforce/event.rs",
                "//! x\nuse crate::bayeux::session::Session;\n",
                "bayeux::session::Session",
            ),
            ("plugin/src/nowhere.rs", "//! x\n", "in no layer"),
            ("host/src/imports/http.rs", "//! x\nuse crate::worker::Task;\n", "which stands above it"),
            ("host/src/lib.rs", "//! x\npub mod worker;\n", ""),
            ("elsewhere/src/lib.rs", "//! x\nuse crate::worker;\n", ""),
        ],
    );
}
