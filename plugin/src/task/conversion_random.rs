//! Property test from describe to bytes: whatever an org says of an object and sends of its records, each format makes bytes
//! of it, or an error that names the field and holds none of the data.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use crate::{
    converters::{
        Converter, Format, JsonConverter, JsonOptions, Registered, avro::AvroOptions, json_schema::JsonSchemaOptions,
        protobuf::ProtobufOptions,
    },
    salesforce::{describe::Describe, event::Event, record::to_record, schema::RecordSchemas},
    topic_template::TopicTemplate,
};

/// What no error may hold.
const CANARY: &str = "canary7f3a";

const TYPES: [&str; 26] = [
    "id",
    "string",
    "boolean",
    "int",
    "long",
    "double",
    "percent",
    "currency",
    "decimal",
    "date",
    "datetime",
    "time",
    "base64",
    "address",
    "location",
    "reference",
    "picklist",
    "multipicklist",
    "textarea",
    "phone",
    "url",
    "email",
    "anyType",
    "json",
    "",
    "newInNextRelease",
];

/// Texts of JSON values that fit some types and no others.
const VALUES: [&str; 18] = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e400",
    "9223372036854775808",
    "123456789.123456789",
    "\"\"",
    "\"canary7f3a\"",
    "\"2018-10-18\"",
    "\"0001-01-01\"",
    "\"9999-12-31T23:59:59.999Z\"",
    "\"1500-02-29T00:00:00.000+0000\"",
    "\"14:53:33.777Z\"",
    "{\"Latitude\":1.5,\"State\":\"CA\",\"canary7f3a\":1}",
    "[1,\"canary7f3a\"]",
    "\"\u{1f600}\"",
];

fn converters() -> [Converter; 6] {
    let registered = |format| Converter::Registered(Registered::new(format, 4));
    [
        Converter::Json(JsonConverter::new(JsonOptions::default())),
        Converter::Json(JsonConverter::new(JsonOptions { schemas_enable: true, ..JsonOptions::default() })),
        registered(Format::Avro(AvroOptions::default())),
        registered(Format::JsonSchema(JsonSchemaOptions::default())),
        registered(Format::Protobuf(ProtobufOptions::default())),
        registered(Format::Protobuf(ProtobufOptions { wrapper_for_nullables: true, ..ProtobufOptions::default() })),
    ]
}

proptest! {
    #[test]
    fn from_describe_to_bytes(
        fields in prop::collection::vec(("[A-Za-z][A-Za-z0-9_]{0,6}(__c)?", 0..TYPES.len(), 0..VALUES.len(), 0..20_i32), 0..8),
        scale in -3..40_i32,
    ) {
        let described: Vec<_> = [json!({"name": "Id", "type": "id"})]
            .into_iter()
            .chain(fields.iter().map(|(name, kind, _, precision)| {
                json!({"name": name, "type": TYPES[*kind], "scale": scale, "precision": precision})
            }))
            .collect();
        let describe = json!({"name": "Lead", "fields": described}).to_string();
        // Names that differ in nothing, or an Id that is a second one, are refused by describe.
        let Ok(describe) = Describe::parse(describe.as_bytes()) else { return Ok(()) };
        let schemas = RecordSchemas::new(&describe);
        let members: String = fields.iter().map(|(name, _, value, _)| format!(",\"{name}\":{}", VALUES[*value])).collect();
        let data = format!(r#"{{"event":{{"replayId":1,"type":"updated"}},"sobject":{{"Id":"00Q"{members}}}}}"#);
        let event = Event::parse(&data).expect("an event");
        let topic = TopicTemplate::parse("leads", false).expect("a topic");
        let record = match to_record(&schemas, &event, "Lead", &topic) {
            Ok(made) => made.record,
            Err(error) => {
                prop_assert!(!error.to_string().contains(CANARY), "{error}");
                return Ok(());
            }
        };
        for mut converter in converters() {
            let schema = record.value_schema.as_ref().map(Arc::clone);
            match converter.convert("leads", schema.as_ref(), &record.value) {
                Ok(converted) => prop_assert!(converted.bytes.is_some_and(|bytes| !bytes.is_empty())),
                Err(error) => prop_assert!(!error.to_string().contains(CANARY), "{error}"),
            }
        }
    }
}
