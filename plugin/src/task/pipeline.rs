//! `Pipeline`: one event in, one record out, or none. Envelope → `SourceRecord` → transforms → converters →
//! `ProducerRecord`.

use std::{collections::BTreeSet, sync::Arc};

use super::{ProducerRecord, delivery::bad_record};
use crate::{
    config::SourceConfig,
    converters::{Converter, simple_header},
    data::{Schema, Value, logical, record::Header},
    error::Failure,
    salesforce::{event::Event, record::to_record, schema::RecordSchemas},
    topic_template::TopicTemplate,
    transforms::{Chain, chain::Context},
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
    chain: Chain,
    context: Context,
    event_headers: bool,
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
            chain: config.chain.clone(),
            context: Context::default(),
            event_headers: config.event_headers,
            unknown_fields: BTreeSet::new(),
            unknown_fields_new: Vec::new(),
        }
    }

    /// Says what time it is, for the records that follow.
    pub(super) fn set_time(&mut self, wall_ms: i64) {
        self.context.now_ms = wall_ms;
    }

    /// The record of an event; none when a transform drops it.
    pub(super) fn record(&mut self, event: &Event<'_>) -> Result<Option<ProducerRecord>, Failure> {
        let id = event.replay_id;
        let made =
            to_record(&self.schemas, event, &self.object, &self.topic).map_err(|error| bad_record(Some(id), &error))?;
        for field in made.unknown_fields {
            if self.unknown_fields.len() < UNKNOWN_FIELDS_MAX && self.unknown_fields.insert(field.clone()) {
                self.unknown_fields_new.push(field);
            }
        }
        let mut record = made.record;
        if self.event_headers {
            record.headers = event_headers(event);
        }
        let record = self.chain.apply(record, &mut self.context).map_err(|error| bad_record(Some(id), &error))?;
        let Some(record) = record else { return Ok(None) };
        let convert = |converter: &Converter, schema: Option<&_>, value: &_| {
            converter.convert(&record.topic, schema, value).map_err(|error| bad_record(Some(id), &error))
        };
        let key = convert(&self.key_converter, record.key_schema.as_deref(), &record.key)?;
        let value = convert(&self.value_converter, record.value_schema.as_deref(), &record.value)?;
        Ok(Some(ProducerRecord {
            topic: record.topic,
            partition: record.partition,
            key,
            value,
            headers: record.headers.iter().map(simple_header::convert).collect(),
            timestamp_ms: record.timestamp_ms,
        }))
    }

    /// Names of unknown fields seen since the last call.
    pub(super) fn take_unknown_fields(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unknown_fields_new)
    }

    /// What transforms had to say since the last call.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.context.notes)
    }
}

/// `tributary.headers.enable`: what the record itself does not say about its event.
fn event_headers(event: &Event<'_>) -> Vec<Header> {
    let header = |key: &str, schema: Schema, value| Header { key: key.into(), schema: Some(Arc::new(schema)), value };
    let created = event.created_date_ms.map_or(Value::Null, Value::Int64);
    vec![
        header("tributary.replayId", Schema::int64(), Value::Int64(event.replay_id)),
        header("tributary.createdDate", logical::timestamp().optional(), created),
        header("tributary.eventType", Schema::string(), (*event.event_type).into()),
    ]
}
