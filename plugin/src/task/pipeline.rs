//! `Pipeline`: one event in, one record out, or none. Envelope → `SourceRecord` → transforms → converters →
//! `ProducerRecord`.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    ProducerRecord,
    lane::{Lane, Wanted},
    registration::Registration,
    rejected::{Rejected, Stage},
};
use crate::{
    config::{ErrorsConfig, SourceConfig},
    converters::{Document, simple_header},
    data::{Schema, Value, logical, record::Header},
    registry::ids::SchemaId,
    salesforce::{event::Event, record::to_record, schema::RecordSchemas},
    topic_template::TopicTemplate,
    transforms::{Chain, chain::Context},
};

/// Most reasons for skipped events in one report.
const SKIPPED_NAMED_MAX: usize = 20;
/// Most names of unknown fields that are remembered.
const UNKNOWN_FIELDS_MAX: usize = 20;

/// Everything that turns events of one object into records.
#[derive(Debug)]
pub(super) struct Pipeline {
    object: String,
    schemas: RecordSchemas,
    topic: TopicTemplate,
    key: Lane,
    value: Lane,
    chain: Chain,
    context: Context,
    event_headers: bool,
    errors: ErrorsConfig,
    /// Events that were skipped since the last batch, and why, a few of them.
    skipped: Skipped,
    /// Records made since the last batch.
    made: usize,
    /// What the batch in the making lacks.
    unfinished: Vec<Unfinished>,
    /// Unknown fields for whose sake the object was described again, or is to be.
    asked_fields: BTreeSet<String>,
    unasked: bool,
    /// Those that the describe did not have then either.
    unknown_fields: BTreeSet<String>,
    unknown_fields_new: Vec<String>,
}

/// Events that were skipped.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    pub(super) count: u64,
    /// Why, when that is to be logged; a few.
    pub(super) reasons: Vec<String>,
}

/// A key or a value that lacks its schema's id.
#[derive(Debug)]
struct Unfinished {
    /// The record's place in the batch.
    at: usize,
    is_key: bool,
    document: Arc<Document>,
}

impl Pipeline {
    pub(super) fn new(config: &SourceConfig, object: &str, schemas: RecordSchemas) -> Self {
        let key = &config.key;
        let value = &config.value;
        Self {
            object: object.into(),
            schemas,
            topic: config.topic.clone(),
            key: Lane::new(true, key.converter.clone(), key.registry.clone(), key.id_form),
            value: Lane::new(false, value.converter.clone(), value.registry.clone(), value.id_form),
            chain: config.chain.clone(),
            context: Context::default(),
            event_headers: config.event_headers,
            errors: config.errors.clone(),
            skipped: Skipped::default(),
            made: 0,
            unfinished: Vec::new(),
            asked_fields: BTreeSet::new(),
            unasked: false,
            unknown_fields: BTreeSet::new(),
            unknown_fields_new: Vec::new(),
        }
    }

    /// Says what time it is, for the records that follow.
    pub(super) fn set_time(&mut self, wall_ms: i64) {
        self.context.now_ms = wall_ms;
    }

    /// The record of an event; none when a transform drops it. The records of a batch are made one after the other; once it
    /// is whole, `finish` is due.
    pub(super) fn record(&mut self, event: &Event<'_>) -> Result<Option<ProducerRecord>, Rejected> {
        let made = to_record(&self.schemas, event, &self.object, &self.topic);
        let made = made.map_err(|error| Rejected::new(Stage::TaskPoll, &error))?;
        for field in made.unknown_fields {
            if self.asked_fields.len() < UNKNOWN_FIELDS_MAX && self.asked_fields.insert(field.clone()) {
                self.unasked = true;
            } else if self.unknown_fields.len() < UNKNOWN_FIELDS_MAX && self.unknown_fields.insert(field.clone()) {
                self.unknown_fields_new.push(field);
            }
        }
        let mut record = made.record;
        if self.event_headers {
            record.headers = event_headers(event);
        }
        let record = self.chain.apply(record, &mut self.context);
        let record = record.map_err(|error| Rejected::new(Stage::Transformation, &error))?;
        let Some(record) = record else { return Ok(None) };
        // As in Kafka Connect, what a converter adds stands behind the record's own headers.
        let mut headers: Vec<_> = record.headers.iter().map(simple_header::convert).collect();
        let mut convert = |lane: &mut Lane, schema, value| -> Result<Option<Vec<u8>>, Rejected> {
            let stage = if lane.is_key() { Stage::KeyConverter } else { Stage::ValueConverter };
            let part = lane.convert(&record.topic, schema, value).map_err(|error| Rejected::new(stage, &error))?;
            headers.extend(part.header);
            let (at, is_key) = (self.made, lane.is_key());
            self.unfinished.extend(part.missing.map(|document| Unfinished { at, is_key, document }));
            Ok(part.bytes)
        };
        let key = convert(&mut self.key, record.key_schema.as_ref(), &record.key)?;
        let value = convert(&mut self.value, record.value_schema.as_ref(), &record.value)?;
        self.made += 1;
        Ok(Some(ProducerRecord {
            topic: record.topic,
            partition: record.partition,
            key,
            value,
            headers,
            timestamp_ms: record.timestamp_ms,
        }))
    }

    /// Skips an event, when that is tolerated: gives back the record for the dead letter topic, if there is one.
    ///
    /// # Errors
    /// It is not tolerated.
    pub(super) fn reject(
        &mut self,
        rejected: Rejected,
        replay_id: i64,
        data: &[u8],
        created_ms: Option<i64>,
    ) -> Result<Option<ProducerRecord>, Rejected> {
        // Its key may have been converted before its value was found wanting.
        self.unfinished.retain(|unfinished| unfinished.at != self.made);
        if !self.errors.tolerate {
            return Err(rejected);
        }
        self.skipped.count += 1;
        if self.errors.log && self.skipped.reasons.len() < SKIPPED_NAMED_MAX {
            self.skipped.reasons.push(rejected.sentence(Some(replay_id)));
        }
        let letter = rejected.dead_letter(&self.errors, replay_id, data, created_ms);
        self.made += usize::from(letter.is_some());
        Ok(letter)
    }

    /// Events that were skipped since the last call.
    pub(super) fn take_skipped(&mut self) -> Skipped {
        std::mem::take(&mut self.skipped)
    }

    /// What the batch made of the last records waits for; `None` when it lacks nothing and may go.
    pub(super) fn registration(&mut self, batch: &[ProducerRecord]) -> Option<Registration> {
        self.made = 0;
        let mut wanted: Vec<Wanted> = Vec::new();
        for Unfinished { at, is_key, document } in &self.unfinished {
            let (Some(record), lane) = (batch.get(*at), if *is_key { &self.key } else { &self.value }) else {
                continue;
            };
            let known = |w: &Wanted| w.is_key == *is_key && w.topic == record.topic && w.document == *document;
            if !wanted.iter().any(known) {
                wanted.extend(lane.wanted(&record.topic, Arc::clone(document)));
            }
        }
        (!self.unfinished.is_empty()).then(|| Registration::new(wanted))
    }

    /// Remembers what the registry said.
    pub(super) fn registered(&mut self, wanted: Wanted, id: SchemaId) {
        let lane = if wanted.is_key { &mut self.key } else { &mut self.value };
        lane.put(wanted.document.number, wanted.topic, id);
    }

    /// Completes a batch for which everything is registered; false when it still lacks something.
    pub(super) fn finish(&mut self, batch: &mut [ProducerRecord]) -> bool {
        let mut complete = true;
        for Unfinished { at, is_key, document } in self.unfinished.drain(..) {
            let Some(record) = batch.get_mut(at) else { continue };
            let (lane, bytes) = if is_key { (&self.key, &mut record.key) } else { (&self.value, &mut record.value) };
            let header = bytes.as_mut().and_then(|bytes| lane.finish(bytes, &record.topic, &document));
            complete &= header.is_some();
            record.headers.extend(header.flatten());
        }
        complete
    }

    /// Whether there was an unknown field since the last call of which no describe was asked yet.
    pub(super) fn take_unasked(&mut self) -> bool {
        std::mem::take(&mut self.unasked)
    }

    /// Forgets the batch that was made last: its events come again.
    pub(super) fn forget(&mut self) {
        self.made = 0;
        self.unfinished.clear();
        self.unknown_fields_new.clear();
        self.skipped = Skipped::default();
        self.context.notes.clear();
    }

    /// Goes on with other schemas.
    pub(super) fn renew(&mut self, schemas: RecordSchemas) {
        self.schemas = schemas;
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
