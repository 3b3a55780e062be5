//! What becomes of an event: topic, format, converters.

use super::{HIGH, LOW};
use crate::config::def::{Key, Type, Validator, Width};

const OUTPUT: &str = "Output";
const JSON_CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

const fn flag(
    name: &'static str,
    default: &'static str,
    display_name: &'static str,
    documentation: &'static str,
) -> Key {
    Key { name, kind: Type::Boolean, default: Some(default), group: OUTPUT, display_name, documentation, ..LOW }
}

const fn converter(name: &'static str, display_name: &'static str, documentation: &'static str) -> Key {
    let validator = Validator::OneOf(&[JSON_CONVERTER]);
    Key {
        name,
        kind: Type::Class,
        default: Some(JSON_CONVERTER),
        validator,
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
        default_self_managed: Some("true"),
        ..flag(
            "kafka.topic.lowercase",
            "false",
            "Topic in lower case",
            "Whether the topic's name is turned into lower case.",
        )
    },
    Key {
        name: "output.data.format",
        default: Some("JSON"),
        validator: Validator::OneOf(&["JSON"]),
        group: OUTPUT,
        width: Width::Short,
        display_name: "Output format",
        documentation: "Format of the record's value. This version writes JSON without schemas, byte for byte as Kafka Connect's JsonConverter does.",
        ..HIGH
    },
    converter("key.converter", "Key converter", "Converter of the record's key. This version has the JsonConverter."),
    converter(
        "value.converter",
        "Value converter",
        "Converter of the record's value. This version has the JsonConverter.",
    ),
    Key {
        validator: Validator::OneOf(&["false"]),
        ..flag(
            "key.converter.schemas.enable",
            "false",
            "Schemas in keys",
            "This version writes keys without a schema envelope.",
        )
    },
    Key {
        validator: Validator::OneOf(&["false"]),
        ..flag(
            "value.converter.schemas.enable",
            "false",
            "Schemas in values",
            "This version writes values without a schema envelope.",
        )
    },
    Key {
        name: "value.converter.decimal.format",
        default: Some("BASE64"),
        validator: Validator::OneOf(&["BASE64", "NUMERIC"]),
        group: OUTPUT,
        display_name: "Decimals in values",
        documentation: "How values of the logical type Decimal are written: the base64 of their bytes, or a JSON number.",
        ..LOW
    },
    flag(
        "value.converter.replace.null.with.default",
        "true",
        "Defaults for nulls in values",
        "Whether a null is written as the field's default where its schema has one. The schemas made from a describe have none.",
    ),
];
