//! `Pipeline`: one event in, one record out. Envelope → `SourceRecord` → converters → `ProducerRecord`. Transforms will
//! stand between the second and the third.

use std::collections::BTreeSet;

use super::ProducerRecord;
use crate::{
    config::SourceConfig,
    converters::Converter,
    error::{Failure, FailureKind},
    salesforce::{event::Event, record::to_record, replay::Position, schema::RecordSchemas},
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

    /// The record of an event and its replay id; `None` for an event that lies at or before the position, or before the
    /// last one of the same batch.
    pub(super) fn record(
        &mut self,
        data: &[u8],
        position: &Position,
        last: Option<i64>,
    ) -> Result<Option<(ProducerRecord, i64)>, Failure> {
        let raw: &serde_json::value::RawValue =
            serde_json::from_slice(data).map_err(|error| bad_record(None, &error))?;
        let event = Event::parse(raw).map_err(|error| bad_record(None, &error))?;
        let id = event.replay_id;
        if position.is_past(id, event.created_date_ms) || last.is_some_and(|last| id <= last) {
            return Ok(None);
        }
        let made = to_record(&self.schemas, &event, &self.object, &self.topic)
            .map_err(|error| bad_record(Some(id), &error))?;
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
        let record = ProducerRecord {
            topic: record.topic,
            partition: record.partition,
            key,
            value,
            headers: Vec::new(),
            timestamp_ms: record.timestamp_ms,
        };
        Ok(Some((record, id)))
    }

    /// Names of unknown fields seen since the last call.
    pub(super) fn take_unknown_fields(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unknown_fields_new)
    }
}

fn bad_record(replay_id: Option<i64>, error: &dyn std::fmt::Display) -> Failure {
    let which = replay_id.map_or_else(|| "An event".to_owned(), |id| format!("The event with replayId {id}"));
    Failure::new(
        FailureKind::BadRecord,
        "EVENT_NOT_CONVERTIBLE",
        format!("{which} cannot be turned into a record: {error}. The offset stays before it, so nothing is lost"),
    )
}
