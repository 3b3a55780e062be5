//! Texts of a configuration as typed values, each refusal noted as a finding. The words for a value that does not parse
//! follow Kafka's `ConfigDef`.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use super::findings::Findings;

/// A whole number within `range`; `None` after noting why not.
pub(crate) fn number<T>(property: &str, value: &str, range: RangeInclusive<T>, findings: &mut Findings) -> Option<T>
where
    T: FromStr + PartialOrd + Display + Copy,
{
    let remedy = || format!("Write a whole number from {} to {}.", range.start(), range.end());
    match value.trim().parse::<T>() {
        Err(_) => findings.error(property, Some(value), "is not a whole number of that range", remedy()),
        Ok(number) if !range.contains(&number) => findings.error(property, Some(value), "is out of range", remedy()),
        Ok(number) => return Some(number),
    }
    None
}

/// `true` or `false`, in any case, as Kafka's `ConfigDef`.
pub(crate) fn boolean(property: &str, value: &str, findings: &mut Findings) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => {
            findings.error(property, Some(value), "is neither true nor false", "Write true or false.");
            None
        }
    }
}

/// The parts of a comma list, trimmed, without empty ones.
pub(crate) fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The value of the last property of that name.
pub(crate) fn last<'a>(properties: &'a [(String, String)], name: &str) -> Option<&'a str> {
    properties.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed() {
        let cases = [
            ("5", Some(5), ""),
            (" 5 ", Some(5), ""),
            ("0", None, "out of range"),
            ("11", None, "out of range"),
            ("x", None, "whole number"),
            ("1.5", None, "whole number"),
        ];
        for (text, expected, message) in cases {
            let mut findings = Findings::new();
            assert_eq!(number("p", text, 1..=10, &mut findings), expected, "{text}");
            assert!(findings.to_string().contains(message), "{text}");
            assert_eq!(findings.is_empty(), expected.is_some());
        }
        for (text, expected) in [("true", Some(true)), ("FALSE", Some(false)), ("yes", None), ("", None)] {
            let mut findings = Findings::new();
            assert_eq!(boolean("p", text, &mut findings), expected, "{text}");
            assert_eq!(findings.is_empty(), expected.is_some());
        }
        assert_eq!(list(" a, b,,c "), ["a", "b", "c"]);
        assert!(list(" ,").is_empty());
    }
}
