//! Words that do not belong: the host knows nothing of Salesforce; no committed file names a path of the machine on which
//! it was written, or the address of a package registry.

use super::sources::Source;

/// What the host must not know, in lower case.
const FOREIGN_TO_THE_HOST: [&str; 4] = ["salesforce", "pushtopic", "bayeux", "oauth"];

/// Kafka's own login mechanism has one of them in its name.
const KAFKA_MECHANISM: &str = "oauthbearer";

/// Paths and addresses, each in two parts so that this table does not find itself.
const NOWHERE: [(&str, &str); 12] = [
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("/wo", "rk/"),
    ("crates", ".io/"),
    ("index.crates", ".io"),
    ("pypi", ".org"),
    ("npmjs", ".org"),
    ("repo1.maven", ".org"),
    ("repo.maven", ".apache"),
    ("deb.debian", ".org"),
    ("static.rust", "-lang.org"),
];

/// Files that tools write.
const GENERATED: [&str; 1] = ["Cargo.lock"];

pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !GENERATED.contains(&source.path.as_str())) {
        for (start, end) in NOWHERE {
            find(source, &format!("{start}{end}"), &mut findings);
        }
        if source.path.starts_with("host/src/") {
            for word in FOREIGN_TO_THE_HOST {
                find(source, word, &mut findings);
            }
        }
    }
    findings
}

fn find(source: &Source, word: &str, findings: &mut Vec<String>) {
    let foreign = FOREIGN_TO_THE_HOST.contains(&word);
    for (number, line) in source.text.lines().enumerate() {
        let hit =
            if foreign { line.to_lowercase().replace(KAFKA_MECHANISM, "").contains(word) } else { line.contains(word) };
        if hit {
            findings.push(format!("{}:{}: `{word}`", source.path, number + 1));
        }
    }
}

#[test]
fn bad_words_are_found() {
    let path = format!("see {}{}x", "/wo", "rk/");
    super::samples(
        check,
        &[
            ("host/src/a.rs", "//! Reads a PushTopic.\n", "host/src/a.rs:1: `pushtopic`"),
            ("host/src/a.rs", "//! x\nconst A: &str = \"OAuth\";\n", "host/src/a.rs:2: `oauth`"),
            ("host/src/a.rs", "//! `sasl.mechanism=OAUTHBEARER`\n", ""),
            ("plugin/src/a.rs", "//! Reads a PushTopic of Salesforce.\n", ""),
            ("docs/a.md", &path, "docs/a.md:1"),
            ("Cargo.lock", &path, ""),
        ],
    );
}
