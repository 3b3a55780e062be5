//! Any struct becomes bytes that foreign decoders read back to the same values: fastavro, jsonschema and Google's runtime of
//! Protobuf, on random schemas and values.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fastrand::Rng;
use salesforce_pushtopic::{
    converters::{
        Converter, Format, Registered, avro::AvroOptions, json_schema::JsonSchemaOptions, protobuf::ProtobufOptions,
    },
    data::{Field, Schema, SchemaKind, Struct, Value, logical},
};
use serde_json::json;

use crate::registry;

/// Schemas of each format. `FOREIGN_CASES` and `FOREIGN_SEED` ask for others.
const CASES: u64 = 500;
/// How deep structs lie in structs.
const DEPTH_MAX: usize = 3;
/// Before what the decoders are given: magic byte and id, for Protobuf the message's place too.
const PREFIX_BYTES: usize = 5;

const TEXTS: [&str; 8] = ["", "a", "Größe", "\u{1f600} \"q\" \\", "null", "\u{0}", "0", " "];
const DOUBLES: [f64; 7] = [0.0, -0.0, 1.5, -1e300, 5e-324, 0.1, 9_007_199_254_740_993.0];
const INT64: [i64; 6] = [0, 1, -1, i64::MAX, i64::MIN, 1 << 53];
/// Milliseconds from the year 1 to the year 9999, which Protobuf's Timestamp can hold.
const INSTANTS: [i64; 6] = [0, -1, 1_539_874_413_777, -12_219_292_800_001, -62_135_596_800_000, 253_402_300_799_999];

struct Cases {
    rng: Rng,
    /// Names of structs are unique over all schemas, as Protobuf's runtime wants them.
    structs: usize,
}

impl Cases {
    fn one<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.rng.usize(..items.len())]
    }

    fn structure(&mut self, depth: usize) -> Schema {
        self.structs += 1;
        let name = format!("io.example.S{}", self.structs);
        let fields = (0..self.rng.usize(1..8)).map(|n| {
            let schema = self.schema(depth);
            Field::new(format!("f{n}"), if self.rng.bool() { schema.optional() } else { schema })
        });
        let fields: Vec<Field> = fields.collect();
        Schema::structure(fields).named(name)
    }

    fn schema(&mut self, depth: usize) -> Schema {
        match self.rng.u32(..if depth < DEPTH_MAX { 13 } else { 12 }) {
            0 => Schema::boolean(),
            1 => Schema::int8(),
            2 => Schema::int16(),
            3 => Schema::int32(),
            4 => Schema::int64(),
            5 => Schema::float32(),
            6 => Schema::float64(),
            7 => Schema::bytes(),
            8 => logical::timestamp(),
            9..=11 => Schema::string(),
            _ => self.structure(depth + 1),
        }
    }

    /// A value, and what a decoder must find.
    fn value(&mut self, schema: &Arc<Schema>) -> (Value, serde_json::Value) {
        if schema.optional && self.rng.u32(..4) == 0 {
            return (Value::Null, serde_json::Value::Null);
        }
        if schema.name.as_deref() == Some("org.apache.kafka.connect.data.Timestamp") {
            let instant = self.one(&INSTANTS);
            return (Value::Int64(instant), json!(instant));
        }
        match &schema.kind {
            SchemaKind::Boolean => {
                let value = self.rng.bool();
                (Value::Boolean(value), json!(value))
            }
            SchemaKind::Int8 => {
                let value = self.rng.i8(..);
                (Value::Int8(value), json!(value))
            }
            SchemaKind::Int16 => {
                let value = self.rng.i16(..);
                (Value::Int16(value), json!(value))
            }
            SchemaKind::Int32 => {
                let value = self.rng.i32(..);
                (Value::Int32(value), json!(value))
            }
            SchemaKind::Int64 => {
                let value = self.one(&INT64);
                (Value::Int64(value), json!(value))
            }
            SchemaKind::Float32 => {
                let value = self.rng.f32() - 0.5;
                (Value::Float32(value), json!(f64::from(value)))
            }
            SchemaKind::Float64 => {
                let value = self.one(&DOUBLES);
                (Value::Float64(value), json!(value))
            }
            SchemaKind::Bytes => {
                let bytes: Vec<u8> = (0..self.rng.usize(..5)).map(|_| self.rng.u8(..)).collect();
                let text = STANDARD.encode(&bytes);
                (Value::Bytes(bytes), json!(text))
            }
            SchemaKind::Struct(fields) => {
                let fields = fields.clone();
                let mut found = serde_json::Map::new();
                let values = fields.iter().map(|field| {
                    let (value, expected) = self.value(&field.schema);
                    found.insert(field.name.to_string(), expected);
                    value
                });
                let values: Vec<Value> = values.collect();
                (Struct { schema: Arc::clone(schema), values }.into(), found.into())
            }
            _ => {
                let text = self.one(&TEXTS);
                (text.into(), json!(text))
            }
        }
    }
}

/// Whether they are the same; a float may come as the shortest decimal of its 32 bits.
fn same(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    use serde_json::Value as V;
    #[expect(clippy::cast_possible_truncation, reason = "that is what is compared")]
    let narrow = |value: &serde_json::Value| value.as_f64().map(|value| value as f32);
    match (one, other) {
        (V::Object(one), V::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(name, value)| other.get(name).is_some_and(|o| same(value, o)))
        }
        (V::Number(a), V::Number(b)) if a.is_f64() || b.is_f64() => {
            a.as_f64() == b.as_f64() || narrow(one) == narrow(other)
        }
        _ => one == other,
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn foreign_decoders_find_the_same_values() {
    let Some(python) = registry::python_or_skipped() else { return };
    let mut decoder = Command::new(python)
        .arg(registry::root().join("scripts/registry/decode_each.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a Python");
    let (mut input, output) = (decoder.stdin.take().expect("piped"), decoder.stdout.take().expect("piped"));
    let mut lines = BufReader::new(output).lines();
    let seed = number("FOREIGN_SEED", 1);
    for seed in seed..seed + number("FOREIGN_CASES", CASES) {
        let formats = [
            Format::Avro(AvroOptions::default()),
            Format::JsonSchema(JsonSchemaOptions::default()),
            Format::Protobuf(ProtobufOptions { optional_for_nullables: true, ..ProtobufOptions::default() }),
        ];
        for format in formats {
            let mut cases = Cases { rng: Rng::with_seed(seed), structs: usize::try_from(seed).expect("small") * 1_000 };
            let schema = Arc::new(cases.structure(0));
            let (value, expected) = cases.value(&schema);
            let kind = format.schema_type();
            let prefix = if kind == "PROTOBUF" { PREFIX_BYTES + 1 } else { PREFIX_BYTES };
            let mut converter = Converter::Registered(Registered::new(format, 10));
            let converted = converter.convert("t", Some(&schema), &value);
            let converted = converted.unwrap_or_else(|error| panic!("seed {seed}, {kind}: {error}"));
            let (bytes, document) = (converted.bytes.expect("no null"), converted.schema.expect("a schema"));
            let payload: String = bytes[prefix..].iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(input, "{}", json!({"format": kind, "schema": document.text, "payload": payload}))
                .expect("it reads");
            let line =
                lines.next().unwrap_or_else(|| panic!("seed {seed}: {kind} cannot be decoded: {}", document.text));
            let found: serde_json::Value = serde_json::from_str(&line.expect("text")).expect("JSON");
            assert!(same(&found, &expected), "seed {seed}, {kind}: {found} instead of {expected}\n{}", document.text);
        }
    }
    drop(input);
    assert!(decoder.wait().expect("it ran").success());
}
