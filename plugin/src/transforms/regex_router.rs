//! `RegexRouter` and Confluent's `TopicRegexRouter`: another topic, where all of the topic's name matches.

use super::{
    chain::{Context, Transform},
    definition::{Form, OptionDef},
    error::Result,
    options::{OptionError, Options},
};
use crate::{
    data::SourceRecord,
    java::regex::{Dialect, Regex, RegexError, Replacement},
    topic_template::TOPIC_CHARS_MAX,
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text("regex", "A regular expression of Java; all of the topic's name must match.").required(),
    OptionDef::text(
        "replacement",
        "What takes the place of the match; `$1` is the first group, `${name}` a named one.",
    )
    .required(),
];

pub(super) const OPTIONS_RE2: &[OptionDef] = &[
    OptionDef::text("regex", "A regular expression of RE2; all of the topic's name must match.").required(),
    OPTIONS[1],
];

#[derive(Clone, Debug)]
struct RegexRouter {
    regex: Regex,
    replacement: Replacement,
    /// The latest topics and their new names: a connector has few topics, and an expression costs more than a look.
    known: Vec<(String, Option<String>)>,
}

/// Topics that are remembered; the oldest makes room.
const TOPICS_MAX: usize = 16;

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    router(options, Dialect::Java)
}

pub(super) fn build_re2(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    router(options, Dialect::Re2)
}

fn router(options: &Options<'_>, dialect: Dialect) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let regex = topic_regex("regex", options, dialect)?;
    let text = options.text("replacement");
    let replacement = regex.replacement(text).map_err(|error| refused("replacement", text, &error))?;
    Ok(Box::new(RegexRouter { regex, replacement, known: Vec::new() }))
}

/// The pattern in an option, for names of topics.
pub(super) fn topic_regex(
    option: &'static str,
    options: &Options<'_>,
    dialect: Dialect,
) -> std::result::Result<Regex, OptionError> {
    let text = options.text(option);
    Regex::compile(text, dialect, options.regex_timeout_ms(), TOPIC_CHARS_MAX)
        .map_err(|error| refused(option, text, &error))
}

fn refused(option: &'static str, text: &str, error: &RegexError) -> OptionError {
    OptionError::of(option, format!("Invalid value {text} for configuration {{property}}: {error}"))
}

impl Transform for RegexRouter {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let position = match self.known.iter().position(|(topic, _)| *topic == record.topic) {
            Some(position) => position,
            None => {
                let routed = self.regex.replace(&record.topic, &self.replacement)?;
                if self.known.len() == TOPICS_MAX {
                    self.known.remove(0);
                }
                self.known.push((record.topic.clone(), routed));
                self.known.len() - 1
            }
        };
        if let Some(topic) = &self.known[position].1 {
            record.topic.clone_from(topic);
        }
        Ok(Some(record))
    }
}
