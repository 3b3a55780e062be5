//! Findings for a person: a table on a terminal, one line for each elsewhere.

use std::fmt::Write as _;

use crate::config::{Finding, Findings, Severity};

/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 110;
/// Fewer columns than this make no table.
const COLUMNS_MIN: usize = 60;
/// Columns of a property's name and of a value at most; longer ones get a line of their own, or are cut.
const PROPERTY_MAX: usize = 36;
const VALUE_MAX: usize = 24;
const SEVERITY: usize = 7;
const GAP: &str = "  ";

/// How many columns there are: what the shell says, if it says it.
pub(super) fn columns() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    said.filter(|columns| (20..=1_000).contains(columns)).unwrap_or(COLUMNS)
}

/// One line for each finding that is wanted, worst first.
pub(super) fn lines(findings: &Findings, wanted: impl Fn(&Finding) -> bool) -> String {
    let mut text = String::new();
    for finding in sorted(findings).into_iter().filter(|finding| wanted(finding)) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {finding}", word(finding.severity));
    }
    text
}

/// A table: severity, property, value, then the finding with its remedy below. Empty without findings.
pub(super) fn table(findings: &Findings, columns: usize, colours: bool) -> String {
    if findings.is_empty() || columns < COLUMNS_MIN {
        return lines(findings, |_| true);
    }
    let findings = sorted(findings);
    let widest = |part: &dyn Fn(&Finding) -> usize, title: &str, max: usize| {
        findings.iter().map(|finding| part(finding)).max().unwrap_or(0).clamp(title.len(), max.max(title.len()))
    };
    // In a narrow terminal the texts get at least half.
    let half = (columns - SEVERITY - 3 * GAP.len()) / 2;
    let value_max = VALUE_MAX.min(half / 3);
    let property = widest(&|finding| finding.property.chars().count(), "PROPERTY", PROPERTY_MAX.min(half - value_max));
    let value = widest(&|finding| finding.value.as_ref().map_or(0, |value| value.chars().count()), "VALUE", value_max);
    let rest = columns - SEVERITY - property - value - 3 * GAP.len();
    let paint = |code: &str, text: &str| if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut text = String::new();
    let title = format!("{:SEVERITY$}{GAP}{:property$}{GAP}{:value$}{GAP}FINDING", "", "PROPERTY", "VALUE");
    let _ = writeln!(text, "{}", paint("1", &title));
    for finding in findings {
        let code = match finding.severity {
            Severity::Error => "31",
            Severity::Warning => "33",
            Severity::Ignored => "2",
        };
        let severity = paint(code, &format!("{:SEVERITY$}", word(finding.severity)));
        let mut name: &str = &finding.property;
        if name.chars().count() > property {
            let _ = writeln!(text, "{severity}{GAP}{}", cut(name, columns - SEVERITY - GAP.len()));
            name = "";
        }
        let severity = if name.is_empty() { " ".repeat(SEVERITY) } else { severity };
        let shown = cut(finding.value.as_deref().unwrap_or_default(), value);
        let mut told = wrap(&format!("{}.", finding.reason), rest).into_iter();
        let first = told.next().unwrap_or_default();
        let _ = writeln!(text, "{severity}{GAP}{name:property$}{GAP}{shown:value$}{GAP}{first}");
        let indent = " ".repeat(columns - rest);
        for line in told {
            let _ = writeln!(text, "{indent}{line}");
        }
        for line in wrap(&finding.remedy, rest) {
            let _ = writeln!(text, "{indent}{}", paint("36", &line));
        }
    }
    text
}

fn sorted(findings: &Findings) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Ignored => "ignored",
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The words in lines of at most `width` characters; a longer word is broken.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let room = lines.last().map_or(0, |line| width.saturating_sub(line.chars().count() + 1));
        if word.len() <= room
            && let Some(line) = lines.last_mut()
        {
            line.push(' ');
            line.extend(word);
            continue;
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        lines.push(word.into_iter().collect());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Findings {
        let mut findings = Findings::new();
        findings.ignored("regex.timeout.ms", "has no effect here");
        findings.error("connection.timeout", Some("soon"), "Not a number of type LONG", "Write a number.");
        findings.warning("a.name.that.is.longer.than.every.column.for.names", Some(&"v".repeat(60)), "is unknown", "");
        findings.error("a.password", Some("canary"), "is wrong in a way that takes more words than one line", "Ask.");
        findings
    }

    #[test]
    fn a_line_for_each_worst_first() {
        let text = lines(&some(), |_| true);
        let starts: Vec<&str> = text.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
        assert_eq!(starts, ["error", "error", "warning", "ignored"]);
        assert!(
            text.starts_with("error: connection.timeout = soon: Not a number of type LONG. Write a number.\n"),
            "{text}"
        );
        assert!(!text.contains("canary") && !text.contains('\x1b'));
        assert_eq!(lines(&some(), |finding| finding.severity == Severity::Ignored).lines().count(), 1);
    }

    #[test]
    fn a_table_fits_its_columns_and_keeps_every_word() {
        for columns in [60, 80, 110, 200] {
            let text = table(&some(), columns, false);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}:\n{text}");
            for word in
                ["PROPERTY", "VALUE", "connection.timeout", "soon", "LONG.", "number.", "longer", "Ask.", "a.name"]
            {
                assert!(text.contains(word), "{word} in {columns}:\n{text}");
            }
            assert!(!text.contains("canary") && !text.contains('\x1b'), "{text}");
        }
        assert!(table(&some(), 80, true).contains("\x1b[31merror"));
        assert_eq!(table(&some(), 59, false), lines(&some(), |_| true));
        assert_eq!(table(&Findings::new(), 80, false), "");
    }

    #[test]
    fn words_are_wrapped() {
        for (text, width, expected) in [
            ("", 5, &[][..]),
            ("a b c", 3, &["a b", "c"]),
            ("abcdefg", 3, &["abc", "def", "g"]),
            ("äö ü", 2, &["äö", "ü"]),
        ] {
            assert_eq!(wrap(text, width), expected, "{text}");
        }
    }
}
