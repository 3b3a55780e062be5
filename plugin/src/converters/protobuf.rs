//! Protocol buffers' encoding of Connect data, as Confluent's ProtobufConverter writes it, from its output alone
//! (`docs/formats.md`; protobuf.dev "Encoding"); for the schema that `protobuf_schema` writes. Fields without presence
//! stay out when they hold their type's zero, so that a null and a zero look alike, unless an option says otherwise.

use super::{ConvertError, ConvertProblem, fields_of};
use crate::data::{Field, Schema, SchemaKind, Value, calendar, decimal, logical::LogicalType};

pub(super) const FORMAT: &str = "Protobuf";
/// A field's number where it is not its place in the struct.
const TAG_PARAMETER: &str = "io.confluent.connect.protobuf.Tag";

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;
const FIXED32: u32 = 5;

const MS_PER_SECOND: i64 = 1_000;
const NANOS_PER_MS: i64 = 1_000_000;

/// The converter's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtobufOptions {
    /// `optional.for.nullables`: fields that may be null have presence.
    pub optional_for_nullables: bool,
    /// `wrapper.for.nullables`: fields that may be null are wrapper messages.
    pub wrapper_for_nullables: bool,
    /// `scrub.invalid.names`.
    pub scrub_invalid_names: bool,
}

/// How a field of a schema travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Zero is the same as nothing.
    Implicit,
    /// `optional`.
    Explicit,
    /// A wrapper message around a scalar.
    Wrapper,
}

impl ProtobufOptions {
    /// How a field of that schema travels, if it is a scalar.
    pub(super) fn presence(self, schema: &Schema) -> Presence {
        match schema.optional {
            true if self.wrapper_for_nullables => Presence::Wrapper,
            true if self.optional_for_nullables => Presence::Explicit,
            _ => Presence::Implicit,
        }
    }
}

/// The number of a struct's field at that place.
pub(super) fn field_number(field: &Field, index: usize) -> u32 {
    let tag = field.schema.parameter(TAG_PARAMETER).and_then(|text| text.parse().ok());
    tag.unwrap_or_else(|| u32::try_from(index).unwrap_or(u32::MAX - 1) + 1)
}

/// Appends the whole of a key or value.
pub(super) fn write_root(
    out: &mut Vec<u8>,
    options: ProtobufOptions,
    schema: &Schema,
    value: &Value,
) -> Result<(), ConvertError> {
    match value {
        Value::Struct(_) => write_message(out, options, schema, value),
        _ => Err(ConvertError::kind(&SchemaKind::Struct(Vec::new()), value)),
    }
}

fn write_message(
    out: &mut Vec<u8>,
    options: ProtobufOptions,
    schema: &Schema,
    value: &Value,
) -> Result<(), ConvertError> {
    let Value::Struct(value) = value else { return Err(ConvertError::kind(&schema.kind, value)) };
    for (index, (field, value)) in fields_of(schema, value)?.enumerate() {
        let number = field_number(field, index);
        write_field(out, options, number, &field.schema, value).map_err(|error| error.within(&field.name))?;
    }
    Ok(())
}

fn write_field(
    out: &mut Vec<u8>,
    options: ProtobufOptions,
    number: u32,
    schema: &Schema,
    value: &Value,
) -> Result<(), ConvertError> {
    let value = match (value, &schema.default) {
        (Value::Null, Some(default)) if !default.is_null() => default,
        (Value::Null, _) if schema.optional => return Ok(()),
        (Value::Null, _) => return Err(ConvertError::new(ConvertProblem::Null)),
        (value, _) => value,
    };
    match (&schema.kind, value) {
        (SchemaKind::Array(items), Value::Array(values)) => write_array(out, options, number, items, values),
        (SchemaKind::Map(keys, values), Value::Map(entries)) => {
            for (key, value) in entries {
                let mut entry = Vec::new();
                write_field(&mut entry, options, 1, keys, key).map_err(|error| error.within("{key}"))?;
                write_field(&mut entry, options, 2, values, value).map_err(|error| error.within("{}"))?;
                delimited(out, number, &entry);
            }
            Ok(())
        }
        _ => match message_of(options, schema, value)? {
            Some(message) => {
                delimited(out, number, &message);
                Ok(())
            }
            None => match options.presence(schema) {
                Presence::Implicit => write_scalar(out, number, schema, value, false),
                Presence::Explicit => write_scalar(out, number, schema, value, true),
                Presence::Wrapper => {
                    let mut wrapper = Vec::new();
                    write_scalar(&mut wrapper, 1, schema, value, false)?;
                    delimited(out, number, &wrapper);
                    Ok(())
                }
            },
        },
    }
}

fn write_array(
    out: &mut Vec<u8>,
    options: ProtobufOptions,
    number: u32,
    items: &Schema,
    values: &[Value],
) -> Result<(), ConvertError> {
    let mut packed = Vec::new();
    for value in values {
        if value.is_null() {
            return Err(ConvertError::new(ConvertProblem::Shape { what: "null", format: FORMAT }).within("[]"));
        }
        match message_of(options, items, value).map_err(|error| error.within("[]"))? {
            Some(message) => delimited(out, number, &message),
            None if matches!(items.kind, SchemaKind::String | SchemaKind::Bytes) => {
                write_scalar(out, number, items, value, true).map_err(|error| error.within("[]"))?;
            }
            None => push_scalar(&mut packed, items, value).map_err(|error| error.within("[]"))?,
        }
    }
    if !packed.is_empty() {
        delimited(out, number, &packed);
    }
    Ok(())
}

/// The bytes of a value that travels as a message; `None` for scalars.
fn message_of(options: ProtobufOptions, schema: &Schema, value: &Value) -> Result<Option<Vec<u8>>, ConvertError> {
    let mut out = Vec::new();
    match (LogicalType::of(schema), value) {
        (Some(LogicalType::Timestamp), Value::Int64(ms)) => {
            whole_field(&mut out, 1, ms.div_euclid(MS_PER_SECOND));
            whole_field(&mut out, 2, ms.rem_euclid(MS_PER_SECOND) * NANOS_PER_MS);
        }
        (Some(LogicalType::Date), Value::Int32(days)) => {
            let (year, month, day) = calendar::civil_from_days((*days).into());
            for (number, part) in [(1, year), (2, month.into()), (3, day.into())] {
                whole_field(&mut out, number, part);
            }
        }
        (Some(LogicalType::Time), Value::Int32(ms)) => {
            let ms = i64::from(*ms);
            let (seconds, nanos) = (ms.div_euclid(MS_PER_SECOND), ms.rem_euclid(MS_PER_SECOND) * NANOS_PER_MS);
            for (number, part) in [(1, seconds / 3_600), (2, seconds / 60 % 60), (3, seconds % 60), (4, nanos)] {
                whole_field(&mut out, number, part);
            }
        }
        (Some(LogicalType::Decimal { scale }), Value::Bytes(unscaled)) => {
            if !unscaled.is_empty() {
                delimited(&mut out, 1, unscaled);
            }
            let digits = decimal::text(unscaled, 0).trim_start_matches('-').len();
            whole_field(&mut out, 2, i64::try_from(digits).unwrap_or(i64::MAX));
            whole_field(&mut out, 3, scale.into());
        }
        _ if matches!(schema.kind, SchemaKind::Struct(_)) => write_message(&mut out, options, schema, value)?,
        _ => return Ok(None),
    }
    Ok(Some(out))
}

fn write_scalar(
    out: &mut Vec<u8>,
    number: u32,
    schema: &Schema,
    value: &Value,
    zero_too: bool,
) -> Result<(), ConvertError> {
    let start = out.len();
    let wire_type = match schema.kind {
        SchemaKind::Float32 => FIXED32,
        SchemaKind::Float64 => FIXED64,
        SchemaKind::String | SchemaKind::Bytes => LENGTH,
        _ => VARINT,
    };
    varint(out, u64::from(number << 3 | wire_type));
    let payload = out.len();
    push_scalar(out, schema, value)?;
    // Every type's zero consists of zero bytes, and nothing else does.
    if !zero_too && out[payload..].iter().all(|byte| *byte == 0) {
        out.truncate(start);
    }
    Ok(())
}

fn push_scalar(out: &mut Vec<u8>, schema: &Schema, value: &Value) -> Result<(), ConvertError> {
    match (&schema.kind, value) {
        (SchemaKind::Boolean, Value::Boolean(yes)) => out.push(u8::from(*yes)),
        (SchemaKind::Int8, Value::Int8(number)) => varint(out, i64::from(*number).cast_unsigned()),
        (SchemaKind::Int16, Value::Int16(number)) => varint(out, i64::from(*number).cast_unsigned()),
        (SchemaKind::Int32, Value::Int32(number)) => varint(out, i64::from(*number).cast_unsigned()),
        (SchemaKind::Int64, Value::Int64(number)) => varint(out, number.cast_unsigned()),
        (SchemaKind::Float32, Value::Float32(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (SchemaKind::Float64, Value::Float64(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (SchemaKind::String, Value::String(text)) => {
            varint(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        (SchemaKind::Bytes, Value::Bytes(bytes)) => {
            varint(out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        (kind, value) => return Err(ConvertError::kind(kind, value)),
    }
    Ok(())
}

/// A number of a message, left out when zero.
fn whole_field(out: &mut Vec<u8>, number: u32, value: i64) {
    if value != 0 {
        varint(out, u64::from(number << 3 | VARINT));
        varint(out, value.cast_unsigned());
    }
}

fn delimited(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    varint(out, u64::from(number << 3 | LENGTH));
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut rest: u64) {
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::{protobuf_schema, vectors},
        *,
    };
    use crate::data::{Struct, logical};

    fn written(options: ProtobufOptions, schema: &Schema, value: &Value) -> Vec<u8> {
        let mut out = [&vectors::ID[..], &[0]].concat();
        write_root(&mut out, options, schema, value).expect("it fits");
        out
    }

    #[test]
    fn the_bytes_and_the_schema_of_the_vectors() {
        let options = ProtobufOptions::default();
        let (schema, value) = vectors::mini(true);
        let (document, name) = protobuf_schema::text(options, &schema).expect("a schema");
        let expected = "syntax = \"proto3\";\npackage io.example;\n\nimport \"google/protobuf/timestamp.proto\";\n\nmessage P {\n  string Id = 1;\n  string Name = 2;\n  google.protobuf.Timestamp Ts = 3;\n}\n";
        assert_eq!((document.as_str(), name.as_deref()), (expected, Some("io.example.P")));
        let bytes = "00 00000007 00 0a026131 1203426f62 1a0b0880e2cfaa0610c0a9d33a";
        assert_eq!(written(options, &schema, &value), vectors::hex(bytes));
        let (schema, value) = vectors::mini(false);
        assert_eq!(written(options, &schema, &value), vectors::hex("00 00000007 00 0a026131"));
        let messages = [
            (logical::decimal(2), Value::Bytes(decimal::unscaled("123.45", 2).expect("it fits")), "0a02303910051802"),
            (logical::date(), Value::Int32(19_000), "08e60f10011808"),
        ];
        for (schema, value, bytes) in messages {
            assert_eq!(message_of(options, &schema, &value), Ok(Some(vectors::hex(bytes))));
        }
    }

    #[test]
    fn presence_is_an_option() {
        let schema = Arc::new(Schema::structure(vec![
            Field::new("a", Schema::int32().optional()),
            Field::new("b", Schema::string().optional()),
        ]));
        let of = |values: Vec<Value>| Value::from(Struct { schema: Arc::clone(&schema), values });
        let zeros = of(vec![Value::Int32(0), "".into()]);
        let nulls = of(vec![Value::Null, Value::Null]);
        let explicit = ProtobufOptions { optional_for_nullables: true, ..ProtobufOptions::default() };
        let wrapper = ProtobufOptions { wrapper_for_nullables: true, ..ProtobufOptions::default() };
        for (options, zero_bytes, declared) in [
            (ProtobufOptions::default(), "", "  int32 a = 1;\n  string b = 2;\n"),
            (explicit, "0800 1200", "  optional int32 a = 1;\n  optional string b = 2;\n"),
            (wrapper, "0a00 1200", "  google.protobuf.Int32Value a = 1;\n  google.protobuf.StringValue b = 2;\n"),
        ] {
            assert_eq!(written(options, &schema, &zeros)[6..], vectors::hex(zero_bytes), "{options:?}");
            assert!(written(options, &schema, &nulls)[6..].is_empty());
            let (document, _) = protobuf_schema::text(options, &schema).expect("a schema");
            assert!(document.contains(declared), "{document}");
        }
    }

    #[test]
    fn arrays_maps_and_structs() {
        let place = Schema::structure(vec![Field::new("City", Schema::string())]).named("a.Place").optional();
        let place = Arc::new(place);
        let schema = Arc::new(Schema::structure(vec![
            Field::new("Numbers", Schema::array(Schema::int32())),
            Field::new("Texts", Schema::array(Schema::string())),
            Field::new("Labels", Schema::map(Schema::string(), Schema::int64())),
            Field::new("Place", Arc::clone(&place)),
            Field::new("Score", Schema::float64()),
        ]));
        let city = Struct { schema: place, values: vec!["Z".into()] };
        let values = vec![
            Value::Array(vec![Value::Int32(1), Value::Int32(-1)]),
            Value::Array(vec!["".into(), "x".into()]),
            Value::Map(vec![("k".into(), Value::Int64(9))]),
            city.into(),
            Value::Float64(-0.0),
        ];
        let value = Struct { schema: Arc::clone(&schema), values };
        let expected = "0a0b 01 ffffffffffffffffff01  1200 120178  1a05 0a016b 1009  2203 0a015a  29 0000000000000080";
        assert_eq!(written(ProtobufOptions::default(), &schema, &value.into())[6..], vectors::hex(expected));
        let (document, name) = protobuf_schema::text(ProtobufOptions::default(), &schema).expect("a schema");
        let message = "message ConnectDefault1 {\n  repeated int32 Numbers = 1;\n  repeated string Texts = 2;\n  repeated LabelsEntry Labels = 3;\n  PlaceMessage Place = 4;\n  double Score = 5;\n\n  message LabelsEntry {\n    string key = 1;\n    int64 value = 2;\n  }\n  message PlaceMessage {\n    string City = 1;\n  }\n}\n";
        assert!(document.ends_with(message), "{document}");
        assert_eq!(name.as_deref(), Some("ConnectDefault1"));
    }

    #[test]
    fn what_protobuf_does_not_have_is_refused() {
        let nested = Schema::structure(vec![Field::new("a", Schema::array(Schema::array(Schema::int32())))]);
        let odd = Schema::structure(vec![Field::new("a b", Schema::int32())]);
        let place = |field: &str| Schema::structure(vec![Field::new(field, Schema::string())]).named("a.Place");
        let clash = Schema::structure(vec![Field::new("x", place("p")), Field::new("y", place("q"))]);
        for (schema, message) in [
            (Schema::string(), "cannot be written as Protobuf"),
            (nested, "an array of arrays"),
            (odd, "scrub.invalid.names"),
            (clash, "the name Place twice"),
        ] {
            let error = protobuf_schema::text(ProtobufOptions::default(), &schema).expect_err("refused");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
