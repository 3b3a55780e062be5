//! What becomes of an event: topic, format, converters. The converters' options are in `registry`.

use super::{HIGH, LOW};
use crate::config::def::{Key, Type, Validator, Width};

const OUTPUT: &str = "Output";

/// The JsonConverter.
pub(in crate::config) const JSON_CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";
/// Confluent's AvroConverter.
pub(in crate::config) const AVRO_CONVERTER: &str = "io.confluent.connect.avro.AvroConverter";
/// Confluent's JsonSchemaConverter.
pub(in crate::config) const JSON_SCHEMA_CONVERTER: &str = "io.confluent.connect.json.JsonSchemaConverter";
/// Confluent's ProtobufConverter.
pub(in crate::config) const PROTOBUF_CONVERTER: &str = "io.confluent.connect.protobuf.ProtobufConverter";
/// The StringConverter.
pub(in crate::config) const STRING_CONVERTER: &str = "org.apache.kafka.connect.storage.StringConverter";
/// The ByteArrayConverter.
pub(in crate::config) const BYTES_CONVERTER: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";

/// The names of converters, full ones first, then those that Kafka Connect takes for short.
const CONVERTERS: &[&str] = &[
    JSON_CONVERTER,
    AVRO_CONVERTER,
    JSON_SCHEMA_CONVERTER,
    PROTOBUF_CONVERTER,
    STRING_CONVERTER,
    BYTES_CONVERTER,
    "JsonConverter",
    "AvroConverter",
    "JsonSchemaConverter",
    "ProtobufConverter",
    "StringConverter",
    "ByteArrayConverter",
];

const fn converter(name: &'static str, display_name: &'static str, documentation: &'static str) -> Key {
    Key {
        name,
        kind: Type::Class,
        validator: Validator::OneOf(CONVERTERS),
        group: OUTPUT,
        width: Width::Long,
        display_name,
        documentation,
        ..LOW
    }
}

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "kafka.topic",
        required: true,
        validator: Validator::TopicTemplate,
        group: OUTPUT,
        display_name: "Kafka topic",
        documentation: "The topic to write to. `${_ObjectType}`, `${_EventType}` and `${Field}` are replaced by values of the record: `salesforce.${_ObjectType}.${_EventType}`.",
        ..HIGH
    },
    Key {
        name: "kafka.topic.lowercase",
        kind: Type::Boolean,
        default: Some("false"),
        default_self_managed: Some("true"),
        group: OUTPUT,
        display_name: "Topic in lower case",
        documentation: "Whether the topic's name is turned into lower case.",
        ..LOW
    },
    Key {
        name: "output.data.format",
        default: Some("JSON"),
        validator: Validator::OneOf(&["JSON", "AVRO", "JSON_SR", "PROTOBUF"]),
        group: OUTPUT,
        width: Width::Short,
        display_name: "Output format",
        documentation: "Format of the record's value: JSON without schemas, or AVRO, JSON_SR (JSON with a JSON Schema) or PROTOBUF with the schema in a registry (`value.converter.schema.registry.url`). Stands for the converter of that format, when `value.converter` is not given.",
        ..HIGH
    },
    converter(
        "key.converter",
        "Key converter",
        "Converter of the record's key, `{\"Id\": \"...\"}`; without it JSON without schemas, as with Confluent's managed connector.",
    ),
    converter(
        "value.converter",
        "Value converter",
        "Converter of the record's value, by its class; without it `output.data.format` decides.",
    ),
    Key {
        name: "schema.context.name",
        default: Some("default"),
        group: OUTPUT,
        display_name: "Schema context",
        documentation: "The registry's context in which the subjects are: `staging` makes them `:.staging:<subject>`.",
        ..LOW
    },
];
