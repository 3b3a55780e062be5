//! `Pipeline`: one event in, one record out. Envelope → `SourceRecord` → converters → `ProducerRecord`. Transforms will
//! stand between the second and the third.

use std::collections::BTreeSet;

use super::{ProducerRecord, delivery::bad_record};
use crate::{
    config::SourceConfig,
    converters::Converter,
    error::Failure,
    salesforce::{event::Event, record::to_record, schema::RecordSchemas},
    topic_template::TopicTemplate,
};

/// Most names of unknown fields that are remembered.
const UNKNOWN_FIELDS_MAX: usize = 20;

/// Everything that turns events of one object into records.
#[derive(Debug)]
pub(super) struct Pipeline {
    object: String,
    schemas: RecordSchemas,
    topic: TopicTemplate,
    key_converter: Converter,
    value_converter: Converter,
    unknown_fields: BTreeSet<String>,
    unknown_fields_new: Vec<String>,
}

impl Pipeline {
    pub(super) fn new(config: &SourceConfig, object: &str, schemas: RecordSchemas) -> Self {
        Self {
            object: object.into(),
            schemas,
            topic: config.topic.clone(),
            key_converter: config.key_converter.clone(),
            value_converter: config.value_converter.clone(),
            unknown_fields: BTreeSet::new(),
            unknown_fields_new: Vec::new(),
        }
    }

    /// The record of an event.
    pub(super) fn record(&mut self, event: &Event<'_>) -> Result<ProducerRecord, Failure> {
        let id = event.replay_id;
        let made =
            to_record(&self.schemas, event, &self.object, &self.topic).map_err(|error| bad_record(Some(id), &error))?;
        for field in made.unknown_fields {
            if self.unknown_fields.len() < UNKNOWN_FIELDS_MAX && self.unknown_fields.insert(field.clone()) {
                self.unknown_fields_new.push(field);
            }
        }
        let record = made.record;
        let convert = |converter: &Converter, schema: Option<&_>, value: &_| {
            converter.convert(&record.topic, schema, value).map_err(|error| bad_record(Some(id), &error))
        };
        let key = convert(&self.key_converter, record.key_schema.as_deref(), &record.key)?;
        let value = convert(&self.value_converter, record.value_schema.as_deref(), &record.value)?;
        Ok(ProducerRecord {
            topic: record.topic,
            partition: record.partition,
            key,
            value,
            headers: Vec::new(),
            timestamp_ms: record.timestamp_ms,
        })
    }

    /// Names of unknown fields seen since the last call.
    pub(super) fn take_unknown_fields(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unknown_fields_new)
    }
}
