//! Configurations as people have them (`tests/corpus`), of both of Confluent's dialects, whole and broken, each with what
//! `tributary validate` is to say about it, written by hand. A report's line is `exit CODE` or `SEVERITY PROPERTY | WORDS`:
//! these findings and no others, each with these words.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::process::{self, Tributary};

/// What is to be said about one configuration.
struct Report {
    code: i32,
    /// Severity, property, words.
    findings: Vec<(String, String, String)>,
}

fn read(path: &Path) -> Report {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut report = Report { code: -1, findings: Vec::new() };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(code) = line.strip_prefix("exit ") {
            report.code = code.parse().expect("an exit code");
            continue;
        }
        let (what, words) = line.split_once(" | ").unwrap_or_else(|| panic!("{}: {line}", path.display()));
        let (severity, property) = what.split_once(' ').expect("a severity and a property");
        report.findings.push((severity.to_owned(), property.to_owned(), words.to_owned()));
    }
    report
}

/// Every configuration and its report.
fn corpus() -> Vec<(PathBuf, Report)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the corpus is there").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "report"));
    paths.sort();
    assert!(paths.len() >= 10, "{paths:?}");
    paths.into_iter().map(|path| (path.clone(), read(&path.with_extension("report")))).collect()
}

fn validate(path: &Path, more: &[&str]) -> process::Finished {
    let component = process::component();
    let mut arguments = vec!["validate", "--component", component.to_str().expect("a path of ASCII")];
    arguments.extend(more);
    arguments.push(path.to_str().expect("a path of ASCII"));
    Tributary::run(&arguments)
}

/// `error: connection.timeout = soon: ...`
fn severity_and_property(line: &str) -> Option<(&str, &str)> {
    let (severity, rest) = line.split_once(": ")?;
    let end = [rest.find(" = "), rest.find(": ")].into_iter().flatten().min()?;
    Some((severity, &rest[..end]))
}

#[test]
fn every_configuration_has_its_report() {
    for (path, report) in corpus() {
        let name = path.display();
        let finished = validate(&path, &[]);
        assert_eq!(finished.code, Some(report.code), "{name}\n{}{}", finished.stdout, finished.stderr);
        let said: Vec<(&str, &str, &str)> = finished
            .stdout
            .lines()
            .filter_map(|line| severity_and_property(line).map(|(severity, property)| (severity, property, line)))
            .collect();
        let facts = |severity: &str, property: &str| format!("{severity} {property}");
        let expected: BTreeSet<String> = report.findings.iter().map(|(s, p, _)| facts(s, p)).collect();
        let found: BTreeSet<String> = said.iter().map(|(s, p, _)| facts(s, p)).collect();
        assert_eq!(found, expected, "{name}\n{}", finished.stdout);
        assert_eq!(said.len(), found.len(), "{name}: something is said twice\n{}", finished.stdout);
        for (severity, property, words) in &report.findings {
            let line = said.iter().find(|(s, p, _)| s == severity && p == property).map_or("", |(_, _, line)| *line);
            assert!(line.contains(words.as_str()), "{name}: {words:?} is not in {line:?}");
        }
        assert!(!finished.stdout.contains('\x1b'), "{name}: colours in a pipe");
    }
}

#[test]
fn the_same_errors_stand_in_kafka_connects_shape() {
    for (path, report) in corpus().into_iter().filter(|(_, report)| report.code != 2) {
        let name = path.display();
        let finished = validate(&path, &["--json"]);
        assert_eq!(finished.code, Some(report.code), "{name}\n{}", finished.stderr);
        let infos: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{name}: {error}"));
        let configs = infos["configs"].as_array().expect("a list of settings");
        let errors = |info: &Value| info["value"]["errors"].as_array().expect("a list of errors").len();
        let found: BTreeSet<&str> =
            configs.iter().filter(|info| errors(info) > 0).filter_map(|info| info["value"]["name"].as_str()).collect();
        let expected: BTreeSet<&str> =
            report.findings.iter().filter(|(s, _, _)| s == "error").map(|(_, p, _)| p.as_str()).collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!(infos["error_count"], configs.iter().map(errors).sum::<usize>(), "{name}");
        let names: BTreeSet<&str> = configs.iter().filter_map(|info| info["value"]["name"].as_str()).collect();
        assert_eq!(names.len(), configs.len(), "{name}: a setting occurs twice");
        // What is no error is for people.
        for (severity, property, _) in report.findings.iter().filter(|(severity, _, _)| severity != "error") {
            assert!(finished.stderr.contains(&format!("{severity}: {property}")), "{name}: {}", finished.stderr);
        }
    }
}
