//! `Options`: the given options of one transform, read by their definitions as Kafka's `ConfigDef` reads them.

use super::definition::{Check, Kind, OptionDef};

/// What is wrong with an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// The option; none when it is the combination.
    pub option: Option<&'static str>,
    /// A sentence in Connect's words, the property's name put in for `{property}`.
    pub message: String,
}

impl OptionError {
    /// Something is wrong with one option.
    pub fn of(option: &'static str, message: impl Into<String>) -> Self {
        Self { option: Some(option), message: message.into() }
    }

    /// Something is wrong with the options together.
    pub fn together(message: impl Into<String>) -> Self {
        Self { option: None, message: message.into() }
    }
}

/// The options of one transform or predicate.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    definitions: &'static [OptionDef],
    /// Names without their prefix.
    given: &'a [(String, String)],
    /// `regex.timeout.ms`.
    regex_timeout_ms: u64,
}

impl<'a> Options<'a> {
    /// Puts definitions and given values together.
    #[must_use]
    pub fn new(definitions: &'static [OptionDef], given: &'a [(String, String)], regex_timeout_ms: u64) -> Self {
        Self { definitions, given, regex_timeout_ms }
    }

    /// The milliseconds that a regular expression may take.
    #[must_use]
    pub fn regex_timeout_ms(&self) -> u64 {
        self.regex_timeout_ms
    }

    /// Every finding about single options.
    #[must_use]
    pub fn check(&self) -> Vec<OptionError> {
        self.definitions.iter().filter_map(|definition| self.check_one(definition)).collect()
    }

    /// The value in effect, blanks around it cut off; none where there is none.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&'a str> {
        let given = self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value.trim());
        given.or_else(|| self.definitions.iter().find(|definition| definition.name == name)?.default)
    }

    /// The value in effect, empty where there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &'a str {
        self.optional(name).unwrap_or_default()
    }

    /// The items of a list.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut list = items(self.text(name));
        let check = self.definitions.iter().find(|definition| definition.name == name).map(|found| found.check);
        if matches!(check, Some(Check::Distinct | Check::DistinctNonEmpty)) {
            let mut seen = std::collections::BTreeSet::new();
            list.retain(|item| seen.insert(item.clone()));
        }
        list
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.text(name).eq_ignore_ascii_case("true")
    }

    /// A number.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i32> {
        self.optional(name)?.parse().ok()
    }

    fn check_one(&self, definition: &OptionDef) -> Option<OptionError> {
        let name = definition.name;
        let refuse = |value: &str, reason: &str| {
            Some(OptionError::of(name, format!("Invalid value {value} for configuration {{property}}: {reason}")))
        };
        let Some(value) = self.optional(name) else {
            let message = format!(
                "Missing required configuration \"{{property}}\" which has no default value. {}",
                definition.documentation
            );
            return definition.required.then(|| OptionError::of(name, message));
        };
        match definition.kind {
            Kind::Boolean if !value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false") => {
                return refuse(value, "Expected value to be either true or false");
            }
            Kind::Int if value.parse::<i32>().is_err() => return refuse(value, "Not a number of type INT"),
            Kind::List if definition.check == Check::NonEmpty && items(value).is_empty() => {
                return refuse("[]", "Empty list");
            }
            Kind::List if definition.check == Check::DistinctNonEmpty && value.is_empty() => {
                let message = "Configuration '{property}' must not be empty. Valid values include: any non-empty value";
                return Some(OptionError::of(name, message));
            }
            _ => {}
        }
        match definition.check {
            Check::OneOf(values) if !values.contains(&value) => {
                refuse(value, &format!("String must be one of: {}", values.join(", ")))
            }
            Check::OneOfAnyCase(values) if !values.iter().any(|valid| valid.eq_ignore_ascii_case(value)) => {
                refuse(value, &format!("String must be one of (case insensitive): {}", values.join(", ")))
            }
            Check::NonEmpty if definition.kind == Kind::String && value.is_empty() => {
                refuse(value, "String must be non-empty")
            }
            Check::Distinct | Check::DistinctNonEmpty if items(value).iter().any(String::is_empty) => {
                Some(OptionError::of(name, "Configuration '{property}' values must not be empty. Remove the comma"))
            }
            Check::Range(least, most) => match value.parse() {
                Ok(number) if (least..=most).contains(&number) => None,
                _ => refuse(value, &format!("Value must be between {least} and {most}")),
            },
            _ => None,
        }
    }
}

/// The items of a list as Kafka splits it: at commas, blanks around them cut off.
#[must_use]
pub fn items(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() { Vec::new() } else { text.split(',').map(|item| item.trim().to_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[OptionDef] = &[
        OptionDef::list("names", "Names.").valid(Check::Distinct),
        OptionDef::text("field", "The field.").required(),
        OptionDef::list("fields", "Fields.").required().valid(Check::NonEmpty),
        OptionDef::text("operation", "What to do.").valid(Check::OneOf(&["move", "copy"])).default("copy"),
        OptionDef::text("field.syntax.version", "Syntax.").valid(Check::OneOfAnyCase(&["V1", "V2"])).default("V1"),
        OptionDef::flag("flag", "true", "Flag."),
        OptionDef { kind: Kind::Int, check: Check::Range(1, 5), ..OptionDef::text("number", "Number.") },
    ];

    fn findings(given: &[(&str, &str)]) -> Vec<String> {
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Options::new(OPTIONS, &given, 0).check().into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn options_are_checked_in_kafkas_words() {
        let good = [("field", "a"), ("fields", "a , b")];
        let cases: &[((&str, &str), &str)] = &[
            (
                ("operation", "drop"),
                "Invalid value drop for configuration {property}: String must be one of: move, copy",
            ),
            (("operation", " move "), ""),
            (("field.syntax.version", "v2"), ""),
            (("field.syntax.version", "v3"), "case insensitive"),
            (("names", ""), ""),
            (("names", "a,a"), ""),
            (("names", "a,,b"), "values must not be empty"),
            (("flag", "TRUE"), ""),
            (("flag", "yes"), "either true or false"),
            (("number", "1"), ""),
            (("number", "5"), ""),
            (("number", "0"), "between 1 and 5"),
            (("number", "6"), "between 1 and 5"),
            (("number", "x"), "Not a number of type INT"),
        ];
        for (option, expected) in cases {
            let found = findings(&[good[0], good[1], *option]).join("; ");
            assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{option:?}: {found}");
        }
        let missing = findings(&[("fields", "")]);
        assert!(missing[0].starts_with("Missing required configuration \"{property}\""), "{missing:?}");
        assert!(missing[1].contains("Empty list"), "{missing:?}");
        assert_eq!(items(" a , b,,c "), ["a", "b", "", "c"]);
    }
}
