//! The grammar of `transforms` and `predicates` (Kafka Connect's `ConnectorConfig.enrich`): aliases, then a type and options
//! for each. Findings are in Connect's words, with what to do; what Connect notices only when a task starts is found here
//! too.

use super::{
    keys::transforms::SIMPLE_HEADER_CONVERTER,
    settings::Settings,
    validate::{ConfigValue, entry},
};
use crate::{
    error::excerpt,
    transforms::{
        Chain, Stage,
        classes::find,
        definition::{Build, Class, Form, OptionDef},
        options::{OptionError, Options, items},
        predicates::Predicate,
    },
};

/// Most transforms of a connector, and most predicates. Confluent Cloud allows ten.
pub(super) const ALIASES_MAX: usize = 100;

const TRANSFORMS: &str = "transforms";
const PREDICATES: &str = "predicates";
/// Options that every transform has.
const IMPLICIT: [&str; 4] = ["type", "predicate", "negate", "plugin.version"];
/// Longest value that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 200;

/// Whether a name is an option of a transform or predicate.
pub(super) fn owns(name: &str) -> bool {
    name.starts_with("transforms.") || name.starts_with("predicates.")
}

/// Every finding about transforms and predicates, and the chain when there is none.
pub(super) fn check(
    given: &[(String, String)],
    settings: &Settings<'_>,
    values: &mut Vec<ConfigValue>,
) -> Option<Chain> {
    let mut grammar =
        Grammar { given, regex_timeout_ms: settings.number::<u64>("regex.timeout.ms").max(1), values, sound: true };
    let transforms = grammar.aliases(TRANSFORMS, settings.text(TRANSFORMS));
    let predicates = grammar.aliases(PREDICATES, settings.text(PREDICATES));
    let made: Vec<(String, Option<Predicate>)> =
        predicates.iter().map(|alias| (alias.clone(), grammar.predicate(alias))).collect();
    let mut used = Vec::new();
    let stages: Vec<Option<Stage>> = transforms.iter().map(|alias| grammar.stage(alias, &made, &mut used)).collect();
    for alias in predicates.iter().filter(|alias| !used.contains(alias)) {
        grammar.warn(
            &format!("predicates.{alias}.type"),
            format!("no transform names the predicate {alias}, so it has no effect"),
        );
    }
    grammar.header_converter(settings, !transforms.is_empty());
    grammar.strays(TRANSFORMS, &transforms);
    grammar.strays(PREDICATES, &predicates);
    let stages: Option<Vec<Stage>> = stages.into_iter().collect();
    stages.filter(|_| grammar.sound).map(Chain::new)
}

struct Grammar<'a> {
    given: &'a [(String, String)],
    regex_timeout_ms: u64,
    values: &'a mut Vec<ConfigValue>,
    /// Whether nothing is wrong so far.
    sound: bool,
}

/// A type that was found, and its options.
struct Found {
    class: &'static Class,
    form: Form,
    /// As the configuration has it.
    name: String,
    given: Vec<(String, String)>,
}

impl Grammar<'_> {
    fn error(&mut self, property: &str, message: String) {
        self.sound = false;
        entry(self.values, property).errors.push(closed(message));
    }

    fn warn(&mut self, property: &str, message: String) {
        entry(self.values, property).warnings.push(closed(message));
    }

    fn text(&self, property: &str) -> Option<String> {
        self.given.iter().find(|(name, _)| name == property).map(|(_, value)| value.trim().to_owned())
    }

    fn aliases(&mut self, property: &str, text: &str) -> Vec<String> {
        let mut aliases: Vec<String> = Vec::new();
        // As Java prints a list.
        let shown = excerpt(&items(text).into_iter().collect::<Vec<_>>().join(", "), SHOWN_CHARS_MAX);
        for alias in items(text) {
            if alias.is_empty() {
                self.error(
                    property,
                    format!(
                        "Invalid value [{shown}] for configuration {property}: an alias is empty. Remove the comma"
                    ),
                );
            } else if aliases.contains(&alias) {
                self.error(property, format!("Invalid value [{shown}] for configuration {property}: Duplicate alias provided. Keep one {alias}"));
            } else if aliases.len() == ALIASES_MAX {
                self.error(property, format!("{property} has more than {ALIASES_MAX} aliases"));
                break;
            } else {
                aliases.push(alias);
            }
        }
        aliases
    }

    /// The class of an alias, with a finding when there is none.
    fn class(&mut self, kind: &str, alias: &str) -> Option<Found> {
        let property = format!("{kind}.{alias}.type");
        let word = if kind == TRANSFORMS { "Transformation" } else { "Predicate" };
        let Some(name) = self.text(&property).filter(|name| !name.is_empty()) else {
            let example =
                if kind == TRANSFORMS { "org.apache.kafka.connect.transforms.RegexRouter" } else { "TopicNameMatches" };
            self.error(&property, format!(
                "Missing required configuration \"{property}\" which has no default value. It names the class of the {} {alias}, {example} for one",
                word.to_lowercase()
            ));
            return None;
        };
        entry(self.values, &property).value = Some(name.clone());
        match find(&name, kind == PREDICATES) {
            Ok((class, form)) => {
                let prefix = format!("{kind}.{alias}.");
                let own =
                    |(name, value): &(String, String)| Some((name.strip_prefix(&prefix)?.to_owned(), value.clone()));
                let given = self.given.iter().filter_map(own).collect();
                Some(Found { class, form, name, given })
            }
            Err(reason) => {
                let shown = excerpt(&name, SHOWN_CHARS_MAX);
                self.error(&property, format!("Invalid value {shown} for configuration {property}: {reason}"));
                None
            }
        }
    }

    /// Checks the options of an alias; true when each by itself is valid.
    fn options(&mut self, prefix: &str, found: &Found) -> bool {
        let options = Options::new(found.class.options, &found.given, self.regex_timeout_ms);
        for OptionDef { name, .. } in found.class.options {
            entry(self.values, &format!("{prefix}{name}")).value = options.optional(name).map(str::to_owned);
        }
        let errors = options.check();
        for error in &errors {
            self.option_error(prefix, error);
        }
        for (name, _) in &found.given {
            let known = found.class.options.iter().any(|option| option.name == name);
            let implicit = IMPLICIT.contains(&name.as_str())
                && (prefix.starts_with(TRANSFORMS) || !matches!(name.as_str(), "predicate" | "negate"));
            if name == "plugin.version" {
                self.warn(&format!("{prefix}{name}"), "has no effect: there is one version of each class".into());
            } else if !known && !implicit {
                let class = found.class.short_name();
                let near = found.class.options.iter().find(|option| strsim::jaro_winkler(option.name, name) > 0.85);
                let hint = near.map_or_else(String::new, |option| format!(". Did you mean {}?", option.name));
                self.warn(
                    &format!("{prefix}{name}"),
                    format!("{name} is not an option of {class} and has no effect{hint}"),
                );
            }
        }
        errors.is_empty()
    }

    fn option_error(&mut self, prefix: &str, error: &OptionError) {
        let property = format!("{prefix}{}", error.option.unwrap_or("type"));
        self.error(&property, error.message.replace("{property}", &property));
    }

    fn predicate(&mut self, alias: &str) -> Option<Predicate> {
        let found = self.class(PREDICATES, alias)?;
        let prefix = format!("{PREDICATES}.{alias}.");
        if !self.options(&prefix, &found) {
            return None;
        }
        let Build::Predicate(build) = found.class.build else { return None };
        let options = Options::new(found.class.options, &found.given, self.regex_timeout_ms);
        build(&options).map_err(|error| self.option_error(&prefix, &error)).ok()
    }

    fn stage(
        &mut self,
        alias: &str,
        predicates: &[(String, Option<Predicate>)],
        used: &mut Vec<String>,
    ) -> Option<Stage> {
        let prefix = format!("{TRANSFORMS}.{alias}.");
        let found = self.class(TRANSFORMS, alias);
        let (predicate, negate) = self.condition(&prefix, predicates, used)?;
        let found = found?;
        if !self.options(&prefix, &found) {
            return None;
        }
        let Build::Transform(build) = found.class.build else { return None };
        let options = Options::new(found.class.options, &found.given, self.regex_timeout_ms);
        let transform = build(&options, found.form).map_err(|error| self.option_error(&prefix, &error)).ok()?;
        Some(Stage { alias: alias.to_owned(), class: found.name, transform, predicate, negate })
    }

    /// `predicate` and `negate` of a transform.
    fn condition(
        &mut self,
        prefix: &str,
        predicates: &[(String, Option<Predicate>)],
        used: &mut Vec<String>,
    ) -> Option<(Option<Predicate>, bool)> {
        let (property, negation) = (format!("{prefix}predicate"), format!("{prefix}negate"));
        let (name, negate) = (self.text(&property), self.text(&negation));
        let flag = negate.as_deref().map(str::to_lowercase);
        if let Some(value) = flag.as_deref().filter(|value| !["true", "false"].contains(value)) {
            let value = excerpt(value, SHOWN_CHARS_MAX);
            self.error(
                &negation,
                format!(
                    "Invalid value {value} for configuration {negation}: Expected value to be either true or false"
                ),
            );
        }
        let Some(name) = name else {
            if flag.is_some() {
                self.error(&format!("{prefix}type"), format!(
                    "Config '{negation}' was provided but there is no config '{property}' defining a predicate to be negated. Set {property}, or remove {negation}"
                ));
            }
            return Some((None, false));
        };
        let Some((known, predicate)) = predicates.iter().find(|(alias, _)| *alias == name) else {
            let name = excerpt(&name, SHOWN_CHARS_MAX);
            self.error(
                &property,
                format!(
                    "Invalid value {name} for configuration {property}: no such alias is in predicates. Add it there"
                ),
            );
            return None;
        };
        used.push(known.clone());
        // A predicate with findings of its own makes none here.
        predicate.clone().map(|predicate| (Some(predicate), flag.as_deref() == Some("true")))
    }

    /// A converter of headers that is not there matters only where there can be headers.
    fn header_converter(&mut self, settings: &Settings<'_>, transforms: bool) {
        let converter = settings.text("header.converter");
        if converter == SIMPLE_HEADER_CONVERTER {
            return;
        }
        if transforms || settings.flag("tributary.headers.enable") {
            let converter = excerpt(converter, SHOWN_CHARS_MAX);
            self.error("header.converter", format!(
                "Invalid value {converter} for configuration header.converter: headers are written by {SIMPLE_HEADER_CONVERTER} alone. Remove the setting"
            ));
        } else {
            self.warn("header.converter", "header.converter has no effect here. The records have no headers".into());
        }
    }

    /// Options whose alias is not listed.
    fn strays(&mut self, kind: &str, aliases: &[String]) {
        let given: Vec<String> = self.given.iter().map(|(name, _)| name.clone()).collect();
        let stray = |name: &&String| {
            let option = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('.'));
            option.is_some_and(|rest| {
                !aliases
                    .iter()
                    .any(|alias| rest.strip_prefix(alias.as_str()).is_some_and(|behind| behind.starts_with('.')))
            })
        };
        for name in given.iter().filter(stray) {
            self.warn(
                name,
                format!("{} has no effect: {kind} does not list its alias", excerpt(name, SHOWN_CHARS_MAX)),
            );
        }
    }
}

/// Where a remedy follows the finding, both are whole sentences.
fn closed(mut message: String) -> String {
    if message.contains(". ") && !message.ends_with(['.', '?']) {
        message.push('.');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings as `property: sentence`, errors and warnings apart.
    fn findings(given: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut values = Vec::new();
        let chain = check(&given, &Settings::new(&given), &mut values);
        let said = |of: fn(&ConfigValue) -> &Vec<String>| -> Vec<String> {
            values.iter().flat_map(|v| of(v).iter().map(|text| format!("{}: {text}", v.name))).collect()
        };
        let (errors, warnings) = (said(|value| &value.errors), said(|value| &value.warnings));
        assert_eq!(chain.is_some(), errors.is_empty(), "{errors:?}");
        (errors, warnings)
    }

    const ROUTE: [(&str, &str); 4] = [
        ("transforms", "route"),
        ("transforms.route.type", "org.apache.kafka.connect.transforms.RegexRouter"),
        ("transforms.route.regex", ".*"),
        ("transforms.route.replacement", "x"),
    ];

    #[test]
    fn errors_are_in_connects_words() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (
                &[("transforms", "a,a"), ("transforms.a.type", "Filter")],
                "transforms: Invalid value [a, a] for configuration transforms: Duplicate alias provided.",
            ),
            (&[("transforms", "a,,b")], "an alias is empty"),
            (
                &[("transforms", "a")],
                "transforms.a.type: Missing required configuration \"transforms.a.type\" which has no default value.",
            ),
            (
                &[("transforms", "a"), ("transforms.a.type", "com.example.Mine")],
                "transforms.a.type: Invalid value com.example.Mine for configuration transforms.a.type: Class com.example.Mine could not be found",
            ),
            (
                &[("transforms", "a"), ("transforms.a.type", "RegexRouter")],
                "transforms.a.regex: Missing required configuration \"transforms.a.regex\"",
            ),
            (
                &[("transforms", "a"), ("transforms.a.type", "Filter"), ("transforms.a.negate", "true")],
                "Config 'transforms.a.negate' was provided but there is no config 'transforms.a.predicate' defining a predicate to be negated.",
            ),
            (
                &[("transforms", "a"), ("transforms.a.type", "Filter"), ("transforms.a.predicate", "p")],
                "transforms.a.predicate: Invalid value p for configuration transforms.a.predicate: no such alias is in predicates",
            ),
            (&[("predicates", "p"), ("predicates.p.type", "RegexRouter")], "predicates.p.type"),
            (
                &[
                    ("transforms", "a"),
                    ("transforms.a.type", "RegexRouter"),
                    ("transforms.a.regex", "(?=x)"),
                    ("transforms.a.replacement", "y"),
                ],
                "transforms.a.regex: Invalid value (?=x) for configuration transforms.a.regex: the lookahead (?=...)",
            ),
            (
                &[
                    ("transforms", "a"),
                    ("transforms.a.type", "TimestampConverter$Value"),
                    ("transforms.a.target.type", "string"),
                ],
                "transforms.a.format: TimestampConverter requires format option",
            ),
            (
                &[("transforms", "a"), ("transforms.a.type", "InsertField$Value")],
                "transforms.a.type: No field insertion configured",
            ),
            (
                &[
                    ("transforms", "a"),
                    ("transforms.a.type", "TimestampRouter"),
                    ("transforms.a.timestamp.format", "yyyy-T"),
                ],
                "Illegal pattern character 'T'",
            ),
        ];
        for (given, expected) in cases {
            let (errors, _) = findings(given);
            assert!(errors.iter().any(|error| error.contains(expected)), "{given:?}: {errors:?}");
        }
    }

    #[test]
    fn warnings_name_what_has_no_effect() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (
                &[("transforms.route.replacment", "y")],
                "replacment is not an option of RegexRouter and has no effect. Did you mean replacement?",
            ),
            (
                &[("transforms.other.type", "Filter")],
                "transforms.other.type has no effect: transforms does not list its alias",
            ),
            (&[("predicates", "p"), ("predicates.p.type", "RecordIsTombstone")], "no transform names the predicate p"),
            (&[("transforms.route.plugin.version", "4.3.1")], "one version"),
        ];
        for (more, expected) in cases {
            let given: Vec<_> = ROUTE.iter().chain(*more).copied().collect();
            let (errors, warnings) = findings(&given);
            assert!(errors.is_empty() && warnings.iter().any(|warning| warning.contains(expected)), "{warnings:?}");
        }
        assert_eq!(findings(&ROUTE), (vec![], vec![]));
    }

    #[test]
    fn another_header_converter_matters_where_there_are_headers() {
        let json = ("header.converter", "org.apache.kafka.connect.json.JsonConverter");
        let (errors, warnings) = findings(&[json]);
        assert!(errors.is_empty() && warnings[0].contains("no effect"), "{errors:?} {warnings:?}");
        let with_transforms: Vec<_> = ROUTE.iter().copied().chain([json]).collect();
        for given in [&with_transforms[..], &[json, ("tributary.headers.enable", "true")]] {
            let (errors, _) = findings(given);
            assert!(errors[0].contains("SimpleHeaderConverter alone"), "{errors:?}");
        }
    }

    #[test]
    fn all_findings_come_at_once() {
        let (errors, _) =
            findings(&[("transforms", "a,b,c"), ("transforms.a.type", "Nope"), ("transforms.b.type", "ValueToKey")]);
        assert_eq!(errors.len(), 3, "{errors:?}");
    }

    #[test]
    fn there_is_a_most_of_aliases() {
        let aliases = |count: usize| (0..count).map(|n| format!("a{n}")).collect::<Vec<_>>().join(",");
        let more = |count| findings(&[("predicates", &aliases(count))]).0.iter().any(|e| e.contains("more than 100"));
        assert!(!more(ALIASES_MAX) && more(ALIASES_MAX + 1));
    }
}
