//! `Predicate`: when a transform applies (`org.apache.kafka.connect.transforms.predicates`).

use super::{
    definition::{Check, OptionDef},
    error::Result,
    options::{OptionError, Options},
    regex_router::topic_regex,
};
use crate::{
    data::SourceRecord,
    java::regex::{Dialect, Regex},
};

/// A predicate.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// `TopicNameMatches`: all of the topic's name matches.
    TopicNameMatches(Box<Regex>),
    /// `HasHeaderKey`: there is such a header.
    HasHeaderKey(String),
    /// `RecordIsTombstone`: the value is null.
    RecordIsTombstone,
}

impl Predicate {
    /// Whether it holds for a record.
    ///
    /// # Errors
    /// When the topic's name is too long for the pattern.
    pub fn test(&self, record: &SourceRecord) -> Result<bool> {
        match self {
            Self::TopicNameMatches(pattern) => Ok(pattern.matches(&record.topic)?),
            Self::HasHeaderKey(name) => Ok(record.headers.iter().any(|header| header.key == *name)),
            Self::RecordIsTombstone => Ok(record.value.is_null()),
        }
    }
}

pub(super) const TOPIC_NAME_MATCHES: &[OptionDef] =
    &[OptionDef::text("pattern", "A regular expression of Java; all of the topic's name must match.")
        .required()
        .valid(Check::NonEmpty)];

pub(super) const HAS_HEADER_KEY: &[OptionDef] =
    &[OptionDef::text("name", "The header's key.").required().valid(Check::NonEmpty)];

pub(super) fn topic_name_matches(options: &Options<'_>) -> std::result::Result<Predicate, OptionError> {
    let pattern = topic_regex("pattern", options, Dialect::Java)?;
    Ok(Predicate::TopicNameMatches(Box::new(pattern)))
}

pub(super) fn has_header_key(options: &Options<'_>) -> std::result::Result<Predicate, OptionError> {
    Ok(Predicate::HasHeaderKey(options.text("name").into()))
}

pub(super) fn record_is_tombstone(_options: &Options<'_>) -> std::result::Result<Predicate, OptionError> {
    Ok(Predicate::RecordIsTombstone)
}
