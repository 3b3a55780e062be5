//! The schemas and values of the golden vectors, which Confluent's Apache-licensed converters made.

use std::sync::Arc;

use crate::data::{Field, Schema, Struct, Value, decimal, logical};

/// The schema's id in every vector.
pub(super) const ID: [u8; 5] = [0, 0, 0, 0, 7];

/// `io.example.P`, with a value and with nulls.
pub(super) fn mini(full: bool) -> (Arc<Schema>, Value) {
    let schema = Schema::structure(vec![
        Field::new("Id", Schema::string()),
        Field::new("Name", Schema::string().optional()),
        Field::new("Ts", logical::timestamp().optional()),
    ]);
    let schema = Arc::new(schema.named("io.example.P"));
    let mut value = Struct::empty(Arc::clone(&schema));
    value.values[0] = "a1".into();
    if full {
        value.values[1] = "Bob".into();
        value.values[2] = Value::Int64(1_700_000_000_123);
    }
    (schema, value.into())
}

/// `io.example.Lead`, one field of each type.
pub(super) fn wide() -> (Arc<Schema>, Value) {
    let amount = decimal::unscaled("123.45", 2).expect("it fits");
    let fields: Vec<(&str, Schema, Value)> = vec![
        ("Id", Schema::string(), "00Q1".into()),
        ("Name", Schema::string().optional(), Value::Null),
        ("Active", Schema::boolean().optional(), Value::Boolean(true)),
        ("Cnt", Schema::int32().optional(), Value::Int32(-3)),
        ("Small", Schema::int8().optional(), Value::Int8(5)),
        ("Score", Schema::float64().optional(), Value::Float64(1.5)),
        ("CreatedDate", logical::timestamp().optional(), Value::Int64(1_700_000_000_123)),
        ("Birth", logical::date().optional(), Value::Int32(19_000)),
        ("Tm", logical::time().optional(), Value::Int32(3_600_001)),
        ("Amount", logical::decimal(2).optional(), Value::Bytes(amount)),
        ("Blob", Schema::bytes().optional(), Value::Bytes(vec![1, 255])),
        ("D", Schema::string().optional().with_default("x".into()), "y".into()),
        ("R", Schema::int64(), Value::Int64(9)),
    ];
    structure("io.example.Lead", fields)
}

/// A struct, version 1, documented.
pub(super) fn structure(name: &str, fields: Vec<(&str, Schema, Value)>) -> (Arc<Schema>, Value) {
    let (mut schemas, mut values) = (Vec::new(), Vec::new());
    for (name, schema, value) in fields {
        schemas.push(Field::new(name, schema));
        values.push(value);
    }
    let schema = Arc::new(Schema::structure(schemas).named(name).versioned(1).documented("a lead"));
    let value = Struct { schema: Arc::clone(&schema), values };
    (schema, value.into())
}

/// Bytes of a hexadecimal text; blanks do not count.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    digits.chunks(2).map(pair).collect()
}
