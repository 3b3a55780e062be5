//! An event becomes a `SourceRecord`: key `{"Id"}`, value with every field of the object's describe. Fields are taken
//! from the top level of the sobject alone, so that a field which was not selected is null and never filled from a
//! compound. A delete carries the Id alone; everything else is null then.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{
    describe::FIELDS_MAX,
    event::{Event, members},
    schema::{ID, RecordSchemas, SYSTEM_MODSTAMP, Wire},
    soql::IDENTIFIER_CHARS_MAX,
    wire_type::{FieldProblem, JsonKind, WireType},
};
use crate::{
    data::{Schema, SourceRecord, Struct, Value},
    topic_template::{TopicError, TopicTemplate},
};

/// How deep the JSON of a record may be nested, in levels; the record itself is the first one. Salesforce's own have
/// two, or three with a structured value.
pub const NESTING_LEVELS_MAX: usize = 32;
/// How many unknown fields of a record are named.
pub const UNKNOWN_FIELDS_NAMED_MAX: usize = 16;

/// A record, and what was noticed on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRecord {
    /// The record.
    pub record: SourceRecord,
    /// Names of fields that the event has and the schema has not, compound members as `Address.New`; the first
    /// `UNKNOWN_FIELDS_NAMED_MAX` of them. Their values are left out: the object was changed since its describe was read.
    pub unknown_fields: Vec<String>,
}

/// An event that cannot become a record. Names fields and types, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The sobject is no readable JSON object.
    #[error("the event's sobject is not a readable JSON object")]
    Unreadable,
    /// There is no Id, so that there is no key.
    #[error("the event's sobject has no Id")]
    NoId,
    /// A field's value is not what its describe type promises.
    #[error("field {field}: {problem}")]
    Field {
        /// The field, or the member of a compound as `Address.City`.
        field: String,
        /// What is the matter with it.
        problem: FieldProblem,
    },
    /// JSON nested deeper than `NESTING_LEVELS_MAX`.
    #[error("the event's sobject is nested deeper than {NESTING_LEVELS_MAX} levels")]
    TooDeep,
    /// More members than `FIELDS_MAX`.
    #[error("the event's sobject has more than {FIELDS_MAX} fields")]
    TooManyFields,
    /// The event's topic cannot be told.
    #[error(transparent)]
    Topic(#[from] TopicError),
}

impl RecordError {
    fn field(field: &str, problem: FieldProblem) -> Self {
        Self::Field { field: field.to_owned(), problem }
    }
}

/// The record of an event about `object`, bound for the topic that the template names.
///
/// The record's timestamp is the event's `createdDate`, the time of the change, which deletes carry too; without one it
/// is `SystemModstamp` where the PushTopic selects that (the choice of older connectors), else none, and Kafka takes
/// the time of sending. Kafka knows no timestamps before 1970, so those count as none.
///
/// # Errors
/// `RecordError` when there is no Id, a value does not fit its field, or a bound is passed.
pub fn to_record(
    schemas: &RecordSchemas,
    event: &Event<'_>,
    object: &str,
    topic: &TopicTemplate,
) -> Result<EventRecord, RecordError> {
    let mut unknown_fields = Vec::new();
    let raw = sobject_members(schemas, event.sobject, &mut unknown_fields)?;
    let mut values = Vec::with_capacity(schemas.value.fields().len());
    for ((raw, wire), field) in raw.into_iter().zip(&schemas.wire).zip(schemas.value.fields()) {
        values.push(match (raw, wire) {
            (None, _) => Value::Null,
            (Some(raw), Wire::Plain(wire)) => {
                wire.read(raw).map_err(|problem| RecordError::field(&field.name, problem))?
            }
            (Some(raw), Wire::Compound(schema, members)) => {
                read_compound(raw, &field.name, schema, members, &mut unknown_fields)?
            }
        });
    }
    values.push(object.into());
    values.push((*event.event_type).into());
    let value = Struct { schema: Arc::clone(&schemas.value), values };
    let id = match schemas.position(ID).and_then(|position| value.values.get(position)) {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        _ => return Err(RecordError::NoId),
    };
    let topic = topic.render(&value)?;
    let modified_ms = || value.values.get(schemas.position(SYSTEM_MODSTAMP)?)?.as_i64();
    let timestamp_ms = event.created_date_ms.or_else(modified_ms).filter(|&ms| ms >= 0);
    let key = Struct { schema: Arc::clone(&schemas.key), values: vec![Value::String(id)] };
    let record = SourceRecord {
        topic,
        partition: None,
        key_schema: Some(Arc::clone(&schemas.key)),
        key: key.into(),
        value_schema: Some(Arc::clone(&schemas.value)),
        value: value.into(),
        headers: Vec::new(),
        timestamp_ms,
    };
    Ok(EventRecord { record, unknown_fields })
}

/// The JSON of each field, in the order of the value's schema.
fn sobject_members<'a>(
    schemas: &RecordSchemas,
    sobject: &'a str,
    unknown_fields: &mut Vec<String>,
) -> Result<Vec<Option<&'a RawValue>>, RecordError> {
    let mut raw: Vec<Option<&RawValue>> = vec![None; schemas.wire.len()];
    let (mut count, mut too_deep, mut next) = (0_usize, false, 0);
    members(sobject, |name, value| {
        count += 1;
        if matches!(JsonKind::of(value.get()), JsonKind::Object | JsonKind::Array) {
            too_deep |= nesting_levels(value.get()) >= NESTING_LEVELS_MAX;
        }
        match schemas.position_guessed(&name, next) {
            Some(position) => {
                raw[position] = Some(value);
                next = position + 1;
            }
            None => note_unknown(unknown_fields, None, &name),
        }
    })
    .map_err(|_| RecordError::Unreadable)?;
    if count > FIELDS_MAX {
        return Err(RecordError::TooManyFields);
    }
    if too_deep {
        return Err(RecordError::TooDeep);
    }
    Ok(raw)
}

/// Member names are compared without regard to case: the stream has been seen to send `City`, the REST API sends `city`.
fn read_compound(
    raw: &RawValue,
    field: &str,
    schema: &Arc<Schema>,
    wire: &[(&'static str, WireType)],
    unknown_fields: &mut Vec<String>,
) -> Result<Value, RecordError> {
    let found = match JsonKind::of(raw.get()) {
        JsonKind::Null => return Ok(Value::Null),
        JsonKind::Object => Ok(()),
        kind => Err(FieldProblem::Kind { expected: "an object", found: kind.name() }),
    };
    found.map_err(|problem| RecordError::field(field, problem))?;
    let mut values = Struct::empty(Arc::clone(schema));
    let mut raw_members: Vec<Option<&RawValue>> = vec![None; wire.len()];
    members(raw.get(), |name, value| match wire.iter().position(|(member, _)| member.eq_ignore_ascii_case(&name)) {
        Some(position) => raw_members[position] = Some(value),
        None => note_unknown(unknown_fields, Some(field), &name),
    })
    .map_err(|_| RecordError::Unreadable)?;
    for ((raw, (member, wire)), value) in raw_members.into_iter().zip(wire).zip(&mut values.values) {
        if let Some(raw) = raw {
            *value = wire.read(raw).map_err(|problem| RecordError::field(&format!("{field}.{member}"), problem))?;
        }
    }
    Ok(Value::Struct(values))
}

/// Names come from the event, so they are cut to what a name can be.
fn note_unknown(unknown_fields: &mut Vec<String>, parent: Option<&str>, name: &str) {
    if unknown_fields.len() < UNKNOWN_FIELDS_NAMED_MAX {
        let name: String = name.chars().take(IDENTIFIER_CHARS_MAX).collect();
        unknown_fields.push(parent.map_or_else(|| name.clone(), |parent| format!("{parent}.{name}")));
    }
}

/// How deep a well-formed JSON text is nested: 0 for a plain value.
fn nesting_levels(json: &str) -> usize {
    let (mut level, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        converters::JsonConverter,
        salesforce::describe::{Describe, DescribeField},
    };

    fn schemas() -> RecordSchemas {
        let fields = [
            ("Id", "id"),
            ("Name", "string"),
            ("City", "string"),
            ("Revenue", "currency"),
            ("Employees", "int"),
            ("Address", "address"),
            ("Geo__c", "location"),
            ("Any__c", "anyType"),
            ("SystemModstamp", "datetime"),
        ];
        let field = |(name, field_type): (&str, &str)| DescribeField {
            name: name.into(),
            field_type: field_type.into(),
            ..DescribeField::default()
        };
        RecordSchemas::new(&Describe { name: "Lead".into(), fields: fields.map(field).into() })
    }

    fn convert(event_type: &str, created_date: &str, sobject: &str) -> Result<EventRecord, RecordError> {
        let json = format!(
            r#"{{"event":{{"createdDate":{created_date},"replayId":5,"type":"{event_type}"}},"sobject":{sobject}}}"#
        );
        let data: &RawValue = serde_json::from_str(&json).unwrap();
        let topic = TopicTemplate::parse("salesforce.${_ObjectType}.${_EventType}", true).unwrap();
        to_record(&schemas(), &Event::parse(data.get()).unwrap(), "Lead", &topic)
    }

    fn json_of(schema: Option<&Arc<Schema>>, value: &Value) -> String {
        let json = JsonConverter::default().convert("t", schema.map(|schema| &**schema), value).unwrap().unwrap();
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn records_have_confluents_shape() {
        let nulls = r#""Name":null,"City":null,"Revenue":null,"Employees":null,"Address":null,"Geo__c":null,"Any__c":null,"SystemModstamp":null"#;
        let cases = [
            (
                "created",
                r#"{"Revenue":1.0E7,"Id":"00Q1","Name":"Ann \"A\"","Employees":12,"SystemModstamp":"2018-10-18T14:53:33.000Z",
                    "Address":{"City":"Rome","street":"1 Via\nA","Latitude":41.9,"Country":null},"Geo__c":{"latitude":1.0,"longitude":-2},"Any__c":{"a":1}}"#,
                r#"{"Id":"00Q1","Name":"Ann \"A\"","City":null,"Revenue":"1.0E7","Employees":12,"Address":{"GeocodeAccuracy":null,"State":null,"Street":"1 Via\nA","PostalCode":null,"Country":null,"Latitude":41.9,"City":"Rome","Longitude":null,"CountryCode":null,"StateCode":null},"Geo__c":{"Latitude":1.0,"Longitude":-2.0},"Any__c":"{\"a\":1}","SystemModstamp":1539874413000,"_ObjectType":"Lead","_EventType":"created"}"#.to_owned(),
            ),
            ("deleted", r#"{"Id":"00Q1"}"#, format!(r#"{{"Id":"00Q1",{nulls},"_ObjectType":"Lead","_EventType":"deleted"}}"#)),
            ("gapped", r#"{"Id":"no","Id":"00Q1","Name":"x","Name":null}"#,
             format!(r#"{{"Id":"00Q1",{nulls},"_ObjectType":"Lead","_EventType":"gapped"}}"#)),
        ];
        for (event_type, sobject, expected) in cases {
            let EventRecord { record, unknown_fields } = convert(event_type, "null", sobject).unwrap();
            assert_eq!(json_of(record.value_schema.as_ref(), &record.value), expected);
            assert_eq!(json_of(record.key_schema.as_ref(), &record.key), r#"{"Id":"00Q1"}"#);
            assert_eq!(record.topic, format!("salesforce.lead.{event_type}"));
            assert_eq!((record.partition, record.headers.len(), unknown_fields.len()), (None, 0, 0));
            record.value_schema.unwrap().check(&record.value).unwrap();
            record.key_schema.unwrap().check(&record.key).unwrap();
        }
    }

    #[test]
    fn the_timestamp_is_that_of_the_change() {
        let created = r#""2018-10-18T14:53:33.777Z""#;
        let before_1970 = r#""1969-12-31T23:59:59.999Z""#;
        let cases = [
            (created, r#"{"Id":"1","SystemModstamp":"2020-01-01T00:00:00.000Z"}"#, Some(1_539_874_413_777)),
            ("null", r#"{"Id":"1","SystemModstamp":"2020-01-01T00:00:00.000Z"}"#, Some(1_577_836_800_000)),
            ("null", r#"{"Id":"1"}"#, None),
            (before_1970, r#"{"Id":"1"}"#, None),
        ];
        for (created_date, sobject, expected) in cases {
            assert_eq!(convert("created", created_date, sobject).unwrap().record.timestamp_ms, expected);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name_and_without_the_value() {
        let field = |field: &str, text: &str| format!("field {field}: {text}");
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"Id":"1","Any__c":{open}"[\"["{close}}}"#)
        };
        let wide = |count: usize| {
            let more: String = (1..count).map(|n| format!(r#","F{n}":0"#)).collect();
            format!(r#"{{"Id":"1"{more}}}"#)
        };
        let cases = [
            ("{}".to_owned(), "the event's sobject has no Id".to_owned()),
            (r#"{"Id":null}"#.to_owned(), "the event's sobject has no Id".to_owned()),
            (r#"{"Id":""}"#.to_owned(), "the event's sobject has no Id".to_owned()),
            (r#"{"Id":7}"#.to_owned(), field("Id", "expected a text, found a number")),
            (r#"{"Id":"1","Name":["s3cret"]}"#.to_owned(), field("Name", "expected a text, found an array")),
            (
                r#"{"Id":"1","Employees":"s3cret"}"#.to_owned(),
                field("Employees", "expected a whole number of 32 bits, found a text"),
            ),
            (
                r#"{"Id":"1","SystemModstamp":"s3cret"}"#.to_owned(),
                field("SystemModstamp", "expected a datetime: not of the form YYYY-MM-DDThh:mm:ss.SSSZ"),
            ),
            (r#"{"Id":"1","Address":"s3cret"}"#.to_owned(), field("Address", "expected an object, found a text")),
            (r#"{"Id":"1","Address":{"City":5}}"#.to_owned(), field("Address.City", "expected a text, found a number")),
            (nested(NESTING_LEVELS_MAX - 1), String::new()),
            (nested(NESTING_LEVELS_MAX), "the event's sobject is nested deeper than 32 levels".to_owned()),
            (wide(FIELDS_MAX), String::new()),
            (wide(FIELDS_MAX + 1), "the event's sobject has more than 2000 fields".to_owned()),
        ];
        for (sobject, expected) in cases {
            let found = convert("created", "null", &sobject).err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(found, expected);
        }
        let bad_type = convert("a b", "null", r#"{"Id":"1"}"#).unwrap_err();
        assert!(matches!(bad_type, RecordError::Topic(_)));
    }

    #[test]
    fn unknown_fields_are_named_up_to_a_bound() {
        let sobject = r#"{"Id":"1","New__c":{},"Address":{"City":"x","Planet":"y"},"_EventType":"forged"}"#;
        let EventRecord { record, unknown_fields } = convert("created", "null", sobject).unwrap();
        assert_eq!(unknown_fields, ["New__c", "_EventType", "Address.Planet"]);
        assert_eq!(record.value.as_struct().unwrap().get("_EventType"), Some(&"created".into()));
        let named = |count: usize| {
            let more: String = (0..count).map(|n| format!(r#","X{n}":0"#)).collect();
            convert("created", "null", &format!(r#"{{"Id":"1"{more}}}"#)).unwrap().unknown_fields.len()
        };
        assert_eq!((named(UNKNOWN_FIELDS_NAMED_MAX), named(UNKNOWN_FIELDS_NAMED_MAX + 1)), (16, 16));
        let long = "x".repeat(IDENTIFIER_CHARS_MAX + 1);
        let found = convert("created", "null", &format!(r#"{{"Id":"1","{long}":0}}"#)).unwrap();
        assert_eq!(found.unknown_fields, [&long[1..]]);
    }

    proptest! {
        /// What serde_json wrote is found again by serde_json after the whole way through schema and converter.
        #[test]
        fn values_come_out_as_they_went_in(name: Option<String>, employees: Option<i32>, city: String, latitude in -90.0..90.0_f64) {
            let sobject = serde_json::json!({
                "Employees": employees, "Name": name, "Id": "00Q1", "Address": {"City": city, "Latitude": latitude},
            });
            let record = convert("updated", "null", &sobject.to_string()).unwrap().record;
            let json: serde_json::Value = serde_json::from_str(&json_of(record.value_schema.as_ref(), &record.value)).unwrap();
            prop_assert_eq!(&json["Name"], &sobject["Name"]);
            prop_assert_eq!(&json["Employees"], &sobject["Employees"]);
            prop_assert_eq!(&json["Address"]["City"], &sobject["Address"]["City"]);
            prop_assert!((json["Address"]["Latitude"].as_f64().unwrap() - latitude).abs() < 1e-12);
        }

        #[test]
        fn never_panics(name: String, json in "[0-9]{1,30}|\"\\PC*\"|\\{\\}|\\[1\\]|-0|1e[0-9]{1,9}|null|true") {
            for field in ["Id", "Name", "Revenue", "Employees", "Address", "Geo__c", "Any__c", "SystemModstamp", name.as_str()] {
                let sobject = format!("{{{}:{json}}}", serde_json::json!(field));
                if serde_json::from_str::<&RawValue>(&sobject).is_ok() {
                    let _ = convert("created", "null", &sobject);
                }
            }
        }
    }
}
