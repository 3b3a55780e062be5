//! One file per noun, 100 to 300 lines, never more than 800; each opens by saying what it is for; none is a stub; no test
//! is skipped or waits by sleeping (`docs/architecture.md`, "Rules of the house").

use super::sources::{PathText as _, Source};

/// Lines of a Rust file, tests included.
const LINES_MAX: usize = 800;

/// Names that say nothing about what is in a file.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "manager", "misc", "shared"];

/// Ways to let real time pass; virtual time sleeps as it likes.
const SLEEP: [&str; 3] = [concat!("thread::sle", "ep("), concat!("time::sle", "ep("), concat!("park_time", "out(")];

/// Files whose tests may sleep: path, how often, and why no event could be waited for instead.
const SLEEPS: &[(&str, usize, &str)] = &[
    ("host/src/engine/tests.rs", 1, "that a neighbour of a busy guest gets its time slices is what the test is about"),
    ("host/src/kafka/tests.rs", 1, "turns the sink, as the worker does, until a broker's answer is there"),
    (
        "host/src/kafka/transactions/tests.rs",
        4,
        "turns the sink until an answer is there, or looks at the fake broker; a foreign transaction stays open",
    ),
    ("host/src/worker/tests.rs", 1, "looks at counters that nobody announces, with a deadline"),
    ("tests/benches/figures/process.rs", 1, "measuring samples other processes at intervals"),
    ("tests/it/broker.rs", 1, "nothing announces that the port of a foreign process has opened"),
    ("tests/it/connect_worker.rs", 1, "nothing announces what a foreign process has done"),
    (
        "tests/it/exactly_once.rs",
        7,
        "spreads changes over transactions; an outage has to outlast a time-out of a real broker",
    ),
    ("tests/it/kill_loop.rs", 3, "the pace of changes, and the instants at which a kill comes"),
    ("tests/it/captures.rs", 1, "a REST API is asked, and announces nothing"),
    (
        "tests/it/operate.rs",
        3,
        "the instants at which a kill comes; nothing announces what a database holds, or that a container answers",
    ),
    ("tests/it/registry.rs", 2, "nothing announces that a foreign process answers"),
    ("tests/it/serve.rs", 1, "a REST API is asked, and announces nothing"),
    ("tests/it/process.rs", 1, "the kernel tells nobody that a process was halted"),
];

/// What is unfinished or switched off, each written in two parts so that this table does not find itself.
const UNFINISHED: [(&str, &str); 7] = [
    ("todo", "!("),
    ("unimplemented", "!("),
    ("#[ign", "ore"),
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X:"),
    ("Place", "holder."),
];

pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        unfinished(source, &mut findings);
        if source.is_rust() {
            shape(source, &mut findings);
            sleeps(source, &mut findings);
        }
    }
    findings
}

fn shape(source: &Source, findings: &mut Vec<String>) {
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        findings.push(format!("{}: {lines} lines, at most {LINES_MAX}; split it by noun", source.path));
    }
    if !source.text.starts_with("//!") {
        findings.push(format!("{}: opens without `//!` saying what it is for", source.path));
    }
    let mut components = source.path.split('/').map(|component| component.trim_end_matches(".rs"));
    if let Some(name) = components.find(|component| EMPTY_NAMES.contains(component)) {
        findings.push(format!("{}: `{name}` names no noun of this project", source.path));
    }
}

fn unfinished(source: &Source, findings: &mut Vec<String>) {
    let is_code =
        ["rs", "sh", "wit", "toml", "java", "xml"].iter().any(|extension| source.path.has_extension(extension));
    if !is_code && source.path != "Makefile" && source.path != ".ci/run" {
        return;
    }
    for (start, end) in UNFINISHED {
        let word = format!("{start}{end}");
        for (number, _) in source.text.lines().enumerate().filter(|(_, line)| line.contains(&word)) {
            findings.push(format!("{}:{}: `{word}`", source.path, number + 1));
        }
    }
}

fn sleeps(source: &Source, findings: &mut Vec<String>) {
    let sleeps = |line: &&str| !line.trim_start().starts_with("//") && SLEEP.iter().any(|call| line.contains(call));
    let found = source.tests().lines().filter(sleeps).count();
    let row = SLEEPS.iter().find(|(path, ..)| *path == source.path);
    let allowed = row.map_or(0, |(_, count, _)| *count);
    if found > allowed {
        findings
            .push(format!("{}: {found} sleeps in tests, {allowed} allowed; wait for an event instead", source.path));
    }
}

#[test]
fn bad_files_are_found() {
    let long = format!("//! Long.\n{}", "// line\n".repeat(LINES_MAX));
    let just_right = format!("//! Long.\n{}", "// line\n".repeat(LINES_MAX - 1));
    let asleep = format!("//! X.\n#[test]\nfn t() {{ std::{}d); }}\n", SLEEP[0]);
    let asleep_in_module = format!("//! X.\n\n#[cfg(test)]\nmod tests {{ fn t() {{ {}1); }} }}\n", SLEEP[1]);
    let asleep_in_code = format!("//! X.\nfn t() {{ {}1); }}\n", SLEEP[1]);
    let virtual_time = "//! X.\nfn t() { world.sleep(1); }\n";
    let row = |start: &str, end: &str| format!("//! X.\nfn f() {{ {start}{end}) }}\n");
    super::samples(
        check,
        &[
            ("host/src/a.rs", &long, "801 lines"),
            ("host/src/a.rs", &just_right, ""),
            ("host/src/a.rs", "// Not a module comment.\n", "without `//!`"),
            ("host/src/utils.rs", "//! X.\n", "`utils`"),
            ("host/src/common/a.rs", "//! X.\n", "`common`"),
            ("host/src/a.rs", &row("todo", "!("), "host/src/a.rs:2"),
            ("scripts/a.sh", &row("TO", "DO"), "scripts/a.sh:2"),
            ("docs/a.md", &row("TO", "DO"), ""),
            ("tests/it/a.rs", &asleep, "1 sleeps in tests, 0 allowed"),
            ("plugin/src/a.rs", &asleep_in_module, "1 sleeps in tests, 0 allowed"),
            ("host/src/a.rs", &asleep_in_code, ""),
            ("tests/sim/a.rs", virtual_time, ""),
        ],
    );
}
