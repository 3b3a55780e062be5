//! Confluent's `MessageTimestampRouter`: a timestamp in the value, as text, in the topic's name. The original takes maps
//! alone; here a struct will do, which is what this connector makes.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    json_path::member,
    options::{OptionError, Options},
    timestamp_router::{TOPIC_FORMAT, date_format, topic},
};
use crate::{
    data::{SourceRecord, Value},
    java::date_format::DateFormat,
};

pub(super) const OPTIONS: &[OptionDef] = &[
    TOPIC_FORMAT,
    OptionDef::list("message.timestamp.keys", "Names of fields; the first that is there and not null counts.")
        .required()
        .valid(Check::NonEmpty),
    OptionDef::text(
        "message.timestamp.format",
        "The pattern of Java's `SimpleDateFormat` by which the field is read, UTC.",
    )
    .required()
    .valid(Check::NonEmpty),
    OptionDef::text("topic.timestamp.format", "The pattern by which it is written into the topic, UTC.")
        .default("yyyyMMdd"),
];

#[derive(Clone, Debug)]
struct MessageTimestampRouter {
    topic_format: String,
    keys: Vec<String>,
    read: DateFormat,
    write: DateFormat,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(MessageTimestampRouter {
        topic_format: options.text("topic.format").into(),
        keys: options.list("message.timestamp.keys"),
        read: date_format("message.timestamp.format", options)?,
        write: date_format("topic.timestamp.format", options)?,
    }))
}

impl Transform for MessageTimestampRouter {
    fn apply(&mut self, mut record: SourceRecord, context: &mut Context) -> Result<Option<SourceRecord>> {
        let found = self.keys.iter().find_map(|key| member(&record.value, key).filter(|value| !value.is_null()));
        let text = match found {
            Some(Value::String(text)) => text,
            Some(other) => {
                let kind = other.kind_name();
                return Err(TransformError::new(format!("the timestamp in the value must be a text, found {kind}")));
            }
            None => {
                let keys = self.keys.join(", ");
                return Err(TransformError::new(format!("the value has none of the fields {keys}")));
            }
        };
        let Some(ms) = self.read.parse(text, context.now_ms) else {
            return Err(TransformError::new("the timestamp in the value does not match message.timestamp.format"));
        };
        record.topic = topic(&self.topic_format, &record.topic, &self.write.format(ms));
        Ok(Some(record))
    }
}
