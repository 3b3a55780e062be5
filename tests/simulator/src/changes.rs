//! Changes to records, one by one or in a transaction, and the notifications that they cause.
//!
//! Implements sections 2.5 and 3.5 of the Salesforce facts page: what never notifies, and that within a transaction the
//! last notification comes first.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::date;
use crate::id;
use crate::ledger::Event;
use crate::oauth;
use crate::objects::{ObjectType, Operation, Record, Style, derive, normalised};
use crate::org::Org;
use crate::push_topic::matching::EventFacts;

/// How a change was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// By a user or the REST API: notifies.
    #[default]
    Api,
    /// By the Bulk API: never notifies.
    Bulk,
    /// As a consequence of another record's deletion: never notifies.
    Cascade,
}

/// One change to one record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// The object's API name.
    pub object: String,
    /// What happens.
    pub operation: Operation,
    /// The record; without one, a created record gets a new id and anything else takes a record by chance.
    pub id: Option<String>,
    /// Concerns the record of the change with that number (from 0) of the same transaction.
    pub same_as: Option<usize>,
    /// The values that are set. None at all: made-up values that look real.
    pub fields: Record,
    /// How it is made.
    pub via: Via,
    /// Notifies even though nothing tracked changed or WHERE does not match, as a repeated save in a transaction can.
    pub notify_anyway: bool,
}

impl Change {
    /// A created record of that object with made-up values.
    #[must_use]
    pub fn created(object: &str) -> Self {
        Self { object: object.to_owned(), ..Self::default() }
    }

    /// A change of that record.
    #[must_use]
    pub fn of(object: &str, operation: Operation, id: &str) -> Self {
        Self { object: object.to_owned(), operation, id: Some(id.to_owned()), ..Self::default() }
    }

    /// Sets one field.
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }
}

/// What came of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The ids of the changed records, in the order of the changes.
    pub records: Vec<String>,
    /// The ledger numbers of the notifications, in the order of delivery.
    pub ledger: Vec<u64>,
}

/// Why a change is refused. Objects, fields, values and ids are checked before anything of the transaction is done; only
/// a change that takes a record by chance, and finds none, can be refused after others were carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No such object type.
    #[error("sObject type '{0}' is not supported.")]
    UnknownObject(String),
    /// No such field.
    #[error("No such column '{field}' on sobject of type {object}")]
    UnknownField {
        /// The object.
        object: String,
        /// The field.
        field: String,
    },
    /// No such record, or none in the state that the change needs.
    #[error("no {object} record {id} that can be {}", operation.name())]
    UnknownRecord {
        /// The object.
        object: String,
        /// The record's id, or a word for any.
        id: String,
        /// The change.
        operation: Operation,
    },
    /// A value that its field does not take.
    #[error("{code}: {message}")]
    Value {
        /// Salesforce's error code.
        code: &'static str,
        /// The text for people.
        message: String,
        /// The field.
        field: &'static str,
    },
}

/// A change that was carried out, and the record on both sides of it.
struct Done {
    object: ObjectType,
    operation: Operation,
    before: Record,
    after: Record,
    notifies: bool,
    anyway: bool,
}

impl Org {
    /// Carries out changes as one transaction at the present moment.
    pub(crate) fn apply(&mut self, changes: Vec<Change>) -> Result<Changed, ChangeError> {
        let changes = changes.into_iter().map(|change| self.checked(change)).collect::<Result<Vec<_>, _>>()?;
        let mut done = Vec::with_capacity(changes.len());
        for (object, change) in changes {
            let twin = change.same_as.and_then(|number| done.get(number)).map(record_id);
            done.push(self.carry_out(object, change, twin)?);
        }
        let records = done.iter().map(record_id).collect();
        // The last notification of a transaction comes first.
        let ledger = done.iter().rev().filter(|done| done.notifies).flat_map(|done| self.notify(done)).collect();
        Ok(Changed { records, ledger })
    }

    fn checked(&mut self, mut change: Change) -> Result<(ObjectType, Change), ChangeError> {
        let object = self.store.object(&change.object).filter(|object| object.name != "PushTopic").cloned();
        let object = object.ok_or_else(|| ChangeError::UnknownObject(change.object.clone()))?;
        let mut fields = Record::new();
        for (name, value) in std::mem::take(&mut change.fields) {
            let Some(field) = object.field(&name) else {
                return Err(ChangeError::UnknownField { object: object.name.to_owned(), field: name });
            };
            if let Some((code, message)) = field.refuses(&value) {
                return Err(ChangeError::Value { code, message, field: field.name });
            }
            fields.insert(field.name.to_owned(), normalised(field, value));
        }
        change.fields = fields;
        if let Some(id) = change.id.take() {
            let known = id::canonical(&id).filter(|id| match change.operation {
                Operation::Created => false,
                Operation::Updated | Operation::Deleted => self.store.get(object.name, id).is_some(),
                Operation::Undeleted => self.store.is_in_bin(object.name, id),
            });
            change.id = Some(known.ok_or_else(|| unknown(&object, &id, change.operation))?);
        }
        Ok((object, change))
    }

    fn carry_out(&mut self, object: ObjectType, change: Change, twin: Option<String>) -> Result<Done, ChangeError> {
        let id = match (change.operation, twin.or(change.id)) {
            (Operation::Created, _) => Some(self.store.new_id(object.name)),
            (_, Some(id)) => Some(id),
            (Operation::Undeleted, None) => self.store.any_in_bin(object.name, &mut self.rng),
            (_, None) => self.store.any_live(object.name, &mut self.rng),
        };
        let gone = |id: &str| unknown(&object, id, change.operation);
        let id = id.ok_or_else(|| gone("(any)"))?;
        let (before, after) = match change.operation {
            Operation::Created => {
                let record = self.new_record(&object, &id, change.fields);
                (Record::new(), record)
            }
            Operation::Updated => {
                let before = self.store.get(object.name, &id).cloned().ok_or_else(|| gone(&id))?;
                let after = self.updated_record(&object, before.clone(), change.fields);
                (before, after)
            }
            Operation::Deleted => {
                let now = date::stream_datetime(self.now_ms);
                let record = self.store.delete(object.name, &id, &now).cloned().ok_or_else(|| gone(&id))?;
                (record.clone(), record)
            }
            Operation::Undeleted => {
                let before = self.store.undelete(object.name, &id).ok_or_else(|| gone(&id))?;
                let after = self.stamped(before.clone());
                (before, after)
            }
        };
        if change.operation != Operation::Deleted {
            self.store.put(&object, after.clone());
        }
        let notifies = change.via == Via::Api;
        Ok(Done { object, operation: change.operation, before, after, notifies, anyway: change.notify_anyway })
    }

    fn new_record(&mut self, object: &ObjectType, id: &str, fields: Record) -> Record {
        let made_up = fields.is_empty();
        let mut record = if made_up { self.generator.create(object.name, self.config.event_bytes) } else { fields };
        let user = json!(oauth::user_id(0));
        record.insert("Id".to_owned(), json!(id));
        record.insert("CreatedDate".to_owned(), json!(date::stream_datetime(self.now_ms)));
        record.insert("CreatedById".to_owned(), user.clone());
        if object.field("OwnerId").is_some() {
            record.entry("OwnerId").or_insert(user);
        }
        if object.name == "Everything__c" {
            let number = self.store.live_count(object.name) + 1;
            record.entry("Name").or_insert_with(|| json!(format!("E-{number:06}")));
        }
        derive(object, &mut record);
        self.stamped(record)
    }

    fn updated_record(&mut self, object: &ObjectType, mut record: Record, fields: Record) -> Record {
        let fields = if fields.is_empty() { self.generator.update(object.name) } else { fields };
        record.extend(fields);
        derive(object, &mut record);
        self.stamped(record)
    }

    fn stamped(&self, mut record: Record) -> Record {
        let now = json!(date::stream_datetime(self.now_ms));
        record.insert("LastModifiedDate".to_owned(), now.clone());
        record.insert("SystemModstamp".to_owned(), now);
        record.insert("LastModifiedById".to_owned(), json!(oauth::user_id(0)));
        record
    }

    /// Puts the event of one change on every topic that it notifies.
    fn notify(&mut self, done: &Done) -> Vec<u64> {
        let mut numbers = Vec::new();
        let Self { topics, config, ledger, rng, now_ms, .. } = self;
        for topic in topics.values_mut().filter(|topic| topic.log.bodies().is_none()) {
            let anyway = done.anyway && topic.is_active && topic.compiled.object == done.object.name;
            if !anyway && !topic.notifies(&done.object, done.operation, &done.before, &done.after) {
                continue;
            }
            let skips = u64::from(rng.u16(..1_000) < config.replay_gap_per_mille);
            let step = 1 + skips * rng.u64(1..=5);
            let replay_id = topic.log.next_id(config.first_replay_id, step);
            let data = topic.event_data(&EventFacts {
                object: &done.object,
                record: &done.after,
                operation: done.operation,
                replay_id,
                created_ms: *now_ms,
                style: Style::Stream { capital_location: config.capital_location },
                string_id: config.string_replay_ids,
            });
            let event = Arc::new(Event {
                seq: ledger.next_seq(),
                topic: topic.name.clone(),
                topic_id: topic.id.clone(),
                replay_id,
                operation: done.operation,
                record_id: record_id(done),
                created_ms: *now_ms,
                data: data.into(),
            });
            numbers.push(event.seq);
            topic.log.append(event.clone());
            ledger.record(event);
        }
        numbers
    }
}

fn record_id(done: &Done) -> String {
    done.after.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn unknown(object: &ObjectType, id: &str, operation: Operation) -> ChangeError {
    ChangeError::UnknownRecord { object: object.name.to_owned(), id: id.to_owned(), operation }
}
