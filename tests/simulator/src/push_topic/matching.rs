//! Which change notifies a PushTopic, and what the event carries.
//!
//! Implements the match rules of section 3.5 and the compound-field rules of section 2.4 of the Salesforce facts page.

use serde_json::Value;

use super::{NotifyForFields, PushTopic};
use crate::date;
use crate::objects::value_of;
use crate::objects::{Access, ObjectType, Operation, Record, Style};
use crate::soql;

impl PushTopic {
    /// Whether a change notifies. `before` and `after` are the same but for an update.
    pub(crate) fn notifies(&self, object: &ObjectType, operation: Operation, before: &Record, after: &Record) -> bool {
        if !self.is_active || self.compiled.object != object.name {
            return false;
        }
        let wanted = match operation {
            Operation::Created => self.operations.create,
            Operation::Updated => self.operations.update && self.tracks(object, before, after),
            Operation::Deleted => self.operations.delete,
            Operation::Undeleted => self.operations.undelete,
        };
        wanted && self.compiled.filter.as_ref().is_none_or(|filter| soql::matches(object, after, filter))
    }

    fn tracks(&self, object: &ObjectType, before: &Record, after: &Record) -> bool {
        object
            .fields
            .iter()
            .filter(|field| before.get(field.name) != after.get(field.name))
            .filter(|field| matches!(field.access, Access::Writable) || field.name == "Name")
            .any(|field| {
                // A change of a part of a compound name counts for the name only.
                let part_of_name = field.compound == Some("Name");
                let selected = !part_of_name && self.compiled.select.contains(&field.name);
                let filtered = !part_of_name && self.compiled.filter_fields.contains(&field.name);
                match self.fields {
                    NotifyForFields::All => true,
                    NotifyForFields::Referenced => selected || filtered,
                    NotifyForFields::Select => selected,
                    NotifyForFields::Where => filtered,
                }
            })
    }

    /// The JSON of the `data` member of an event, members in the order of captured events.
    pub(crate) fn event_data(&self, event: &EventFacts<'_>) -> String {
        let mut data = String::with_capacity(256);
        data.push_str("{\"event\":{\"createdDate\":\"");
        data.push_str(&date::stream_datetime(event.created_ms));
        data.push_str("\",\"replayId\":");
        let replay_id = event.replay_id.to_string();
        if event.string_id {
            data.push_str(&Value::String(replay_id).to_string());
        } else {
            data.push_str(&replay_id);
        }
        data.push_str(",\"type\":\"");
        data.push_str(event.operation.name());
        data.push_str("\"},\"sobject\":{");
        let id_only = ["Id"];
        let fields = if event.operation == Operation::Deleted { &id_only[..] } else { &self.compiled.select[..] };
        for (place, name) in fields.iter().enumerate() {
            let Some(field) = event.object.field(name) else { continue };
            if place > 0 {
                data.push(',');
            }
            data.push('"');
            data.push_str(field.name);
            data.push_str("\":");
            data.push_str(&value_of(event.object, field, event.record, event.style).to_string());
        }
        data.push_str("}}");
        data
    }
}

/// What an event is made from.
pub(crate) struct EventFacts<'a> {
    pub(crate) object: &'a ObjectType,
    pub(crate) record: &'a Record,
    pub(crate) operation: Operation,
    pub(crate) replay_id: u64,
    pub(crate) created_ms: u64,
    pub(crate) style: Style,
    pub(crate) string_id: bool,
}
