//! Checks of the source itself: layers, sizes, words, documentation (`docs/architecture.md`, "Rules of the house").
//!
//! Every check is a function from files to findings. One test runs it over the repository; another feeds it bad samples,
//! so that a check which finds nothing is known to be able to find something.

mod documentation;
mod files;
mod layers;
mod sources;
mod words;

use sources::{Source, repository};

/// Fails with every finding, one a line.
#[track_caller]
fn report(findings: &[String]) {
    assert!(findings.is_empty(), "{} findings:\n  {}", findings.len(), findings.join("\n  "));
}

/// Feeds a check one bad or good sample a row: path, text, and what its findings must contain; an empty expectation means
/// that there must be none.
#[track_caller]
fn samples(check: impl Fn(&[Source]) -> Vec<String>, rows: &[(&str, &str, &str)]) {
    for (path, text, expected) in rows {
        let findings = check(&[Source::new(path, text)]).join("\n");
        if expected.is_empty() {
            assert!(findings.is_empty(), "{path} {text:?}: {findings}");
        } else {
            assert!(findings.contains(expected), "{path} {text:?}: {expected:?} not in {findings:?}");
        }
    }
}

#[test]
fn layers_hold() {
    report(&layers::check(&repository()));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    report(&files::check(&repository()));
}

#[test]
fn words_that_do_not_belong_are_absent() {
    report(&words::check(&repository()));
}

#[test]
fn the_contract_is_documented() {
    let sources = repository();
    assert!(sources.iter().any(|source| source.path == "wit/world.wit"), "wit/ was not read");
    report(&documentation::check(&sources));
}
