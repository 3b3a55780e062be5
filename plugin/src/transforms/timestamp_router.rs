//! `TimestampRouter`: the record's timestamp in the topic's name.

use super::{
    chain::{Context, Transform},
    definition::{Form, Importance, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
};
use crate::{data::SourceRecord, java::date_format::DateFormat};

pub(super) const OPTIONS: &[OptionDef] = &[
    TOPIC_FORMAT,
    OptionDef {
        importance: Importance::High,
        ..OptionDef::text("timestamp.format", "A pattern of Java's `SimpleDateFormat`, UTC.").default("yyyyMMdd")
    },
];

pub(super) const TOPIC_FORMAT: OptionDef = OptionDef {
    importance: Importance::High,
    ..OptionDef::text("topic.format", "The new topic; `${topic}` is the old one, `${timestamp}` the timestamp.")
        .default("${topic}-${timestamp}")
};

#[derive(Clone, Debug)]
struct TimestampRouter {
    topic_format: String,
    format: DateFormat,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(TimestampRouter {
        topic_format: options.text("topic.format").into(),
        format: date_format("timestamp.format", options)?,
    }))
}

/// The pattern in an option.
pub(super) fn date_format(option: &'static str, options: &Options<'_>) -> std::result::Result<DateFormat, OptionError> {
    let pattern = options.text(option);
    DateFormat::compile(pattern).map_err(|error| {
        OptionError::of(option, format!("Invalid value {pattern} for configuration {{property}}: {error}"))
    })
}

/// The topic that a format gives.
pub(super) fn topic(format: &str, topic: &str, timestamp: &str) -> String {
    format.replace("${topic}", topic).replace("${timestamp}", timestamp)
}

impl Transform for TimestampRouter {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let Some(ms) = record.timestamp_ms else { return Err(TransformError::new("Timestamp missing on record")) };
        record.topic = topic(&self.topic_format, &record.topic, &self.format.format(ms));
        Ok(Some(record))
    }
}
