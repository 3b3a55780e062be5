//! Avro's binary encoding of Connect data (`io.confluent.connect.avro.AvroData`, Avro specification 1.12 "Binary
//! encoding"), for the schema that `avro_schema` writes.

use super::{ConvertError, ConvertProblem, avro_schema::is_avro_map, fields_of};
use crate::data::{Schema, SchemaKind, Value};

/// The converter's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvroOptions {
    /// `connect.meta.data`: whether the schema carries what Connect knows beyond Avro.
    pub connect_meta_data: bool,
    /// `scrub.invalid.names`.
    pub scrub_invalid_names: bool,
    /// `allow.optional.map.keys`.
    pub allow_optional_map_keys: bool,
    /// `ignore.default.for.nullables`: whether null stays null where the schema has a default.
    pub ignore_default_for_nullables: bool,
}

impl Default for AvroOptions {
    fn default() -> Self {
        Self {
            connect_meta_data: true,
            scrub_invalid_names: false,
            allow_optional_map_keys: false,
            ignore_default_for_nullables: false,
        }
    }
}

/// Appends the whole of a key or value. Bytes at the root stand without their length, as Confluent's serializer has it.
pub(super) fn write_root(
    out: &mut Vec<u8>,
    options: AvroOptions,
    schema: &Schema,
    value: &Value,
) -> Result<(), ConvertError> {
    match (&schema.kind, value) {
        (SchemaKind::Bytes, Value::Bytes(bytes)) if !schema.optional => {
            out.extend_from_slice(bytes);
            Ok(())
        }
        _ => write(out, options, schema, value),
    }
}

fn write(out: &mut Vec<u8>, options: AvroOptions, schema: &Schema, value: &Value) -> Result<(), ConvertError> {
    let default = schema.default.as_ref().filter(|default| !default.is_null());
    let value = match (value, default) {
        (Value::Null, Some(default)) if !(schema.optional && options.ignore_default_for_nullables) => default,
        (value, _) => value,
    };
    if schema.optional {
        // The union is [null, T], and [T, null] where there is a default, since a default belongs to the first branch.
        let second = value.is_null() == default.is_some();
        out.push(if second { 2 } else { 0 });
        if value.is_null() {
            return Ok(());
        }
    }
    match (&schema.kind, value) {
        (_, Value::Null) => return Err(ConvertError::new(ConvertProblem::Null)),
        (SchemaKind::String, Value::String(text)) => bytes(out, text.as_bytes()),
        (SchemaKind::Int64, Value::Int64(number)) => whole(out, *number),
        (SchemaKind::Int32, Value::Int32(number)) => whole(out, i64::from(*number)),
        (SchemaKind::Int16, Value::Int16(number)) => whole(out, i64::from(*number)),
        (SchemaKind::Int8, Value::Int8(number)) => whole(out, i64::from(*number)),
        (SchemaKind::Boolean, Value::Boolean(yes)) => out.push(u8::from(*yes)),
        (SchemaKind::Float64, Value::Float64(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (SchemaKind::Float32, Value::Float32(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (SchemaKind::Bytes, Value::Bytes(value)) => bytes(out, value),
        (SchemaKind::Struct(_), Value::Struct(value)) => {
            for (field, value) in fields_of(schema, value)? {
                write(out, options, &field.schema, value).map_err(|error| error.within(&field.name))?;
            }
        }
        (SchemaKind::Array(items), Value::Array(values)) => {
            block(out, values.len());
            for value in values {
                write(out, options, items, value).map_err(|error| error.within("[]"))?;
            }
            out.push(0);
        }
        (SchemaKind::Map(keys, values), Value::Map(entries)) => {
            write_map(out, options, (keys, values), entries)?;
        }
        (kind, value) => return Err(ConvertError::kind(kind, value)),
    }
    Ok(())
}

/// A map, or an array of records with a key and a value.
fn write_map(
    out: &mut Vec<u8>,
    options: AvroOptions,
    (keys, values): (&Schema, &Schema),
    entries: &[(Value, Value)],
) -> Result<(), ConvertError> {
    let is_map = is_avro_map(options, keys);
    block(out, entries.len());
    for (key, value) in entries {
        match key {
            Value::String(text) if is_map => bytes(out, text.as_bytes()),
            key if is_map => return Err(ConvertError::kind(&keys.kind, key).within("{key}")),
            key => write(out, options, keys, key).map_err(|error| error.within("{key}"))?,
        }
        write(out, options, values, value).map_err(|error| error.within("{}"))?;
    }
    out.push(0);
    Ok(())
}

fn block(out: &mut Vec<u8>, count: usize) {
    if count > 0 {
        whole(out, length(count));
    }
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    whole(out, length(bytes.len()));
    out.extend_from_slice(bytes);
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A whole number: zig-zag, then seven bits a byte, the lowest first.
fn whole(out: &mut Vec<u8>, number: i64) {
    let mut rest = number.cast_unsigned() << 1 ^ (number >> 63).cast_unsigned();
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
        super::{avro_schema, vectors},
        *,
    };
    use crate::data::{Field, Struct};

    fn written(schema: &Schema, value: &Value) -> Vec<u8> {
        let mut out = vectors::ID.to_vec();
        write_root(&mut out, AvroOptions::default(), schema, value).expect("it fits");
        out
    }

    fn text(schema: &Schema) -> String {
        avro_schema::text(AvroOptions::default(), schema).expect("it has one").0
    }

    #[test]
    fn the_bytes_and_schemas_of_the_original() {
        let (schema, value) = vectors::mini(true);
        assert_eq!(
            text(&schema),
            r#"{"type":"record","name":"P","namespace":"io.example","fields":[{"name":"Id","type":"string"},{"name":"Name","type":["null","string"],"default":null},{"name":"Ts","type":["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null}],"connect.name":"io.example.P"}"#
        );
        assert_eq!(written(&schema, &value), vectors::hex("00 00000007 04 6131 02 06 426f62 02 f6a1abfef962"));
        let (schema, value) = vectors::mini(false);
        assert_eq!(written(&schema, &value), vectors::hex("00 00000007 04 6131 00 00"));
        let (schema, value) = vectors::wide();
        assert_eq!(
            text(&schema),
            r#"{"type":"record","name":"Lead","namespace":"io.example","fields":[{"name":"Id","type":"string"},{"name":"Name","type":["null","string"],"default":null},{"name":"Active","type":["null","boolean"],"default":null},{"name":"Cnt","type":["null","int"],"default":null},{"name":"Small","type":["null",{"type":"int","connect.type":"int8"}],"default":null},{"name":"Score","type":["null","double"],"default":null},{"name":"CreatedDate","type":["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null},{"name":"Birth","type":["null",{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}],"default":null},{"name":"Tm","type":["null",{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}],"default":null},{"name":"Amount","type":["null",{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}],"default":null},{"name":"Blob","type":["null","bytes"],"default":null},{"name":"D","type":[{"type":"string","connect.default":"x"},"null"],"default":"x"},{"name":"R","type":"long"}],"connect.doc":"a lead","connect.version":1,"connect.name":"io.example.Lead"}"#
        );
        let bytes = "000000000708303051310002010205020a02000000000000f83f02f6a1abfef96202f0a8020282bab70302043039020401ff00027912";
        assert_eq!(written(&schema, &value), vectors::hex(bytes));
    }

    #[test]
    fn primitives_and_roots_of_the_original() {
        let cases = [
            (Schema::string(), Value::from("00Q1"), "\"string\"", "00000000070830305131"),
            (Schema::string().optional(), "00Q1".into(), "[\"null\",\"string\"]", "0000000007020830305131"),
            (Schema::bytes(), Value::Bytes(vec![1, 2]), "\"bytes\"", "00000000070102"),
        ];
        for (schema, value, document, bytes) in cases {
            assert_eq!((text(&schema).as_str(), written(&schema, &value)), (document, vectors::hex(bytes)));
        }
        let unnamed = Arc::new(Schema::structure(vec![Field::new("Id", Schema::string())]));
        let value = Struct { schema: Arc::clone(&unnamed), values: vec!["a1".into()] };
        assert!(text(&unnamed).contains(r#""name":"ConnectDefault","namespace":"io.confluent.connect.avro""#));
        assert_eq!(written(&unnamed, &value.into()), vectors::hex("0000000007046131"));
        let d = Schema::string().optional().with_default("x".into());
        let schema = Arc::new(Schema::structure(vec![Field::new("D", d)]));
        assert_eq!(written(&schema, &Struct::empty(Arc::clone(&schema)).into()), vectors::hex("0000000007000278"));
        let mut out = Vec::new();
        let options = AvroOptions { ignore_default_for_nullables: true, ..AvroOptions::default() };
        write_root(&mut out, options, &schema, &Struct::empty(Arc::clone(&schema)).into()).expect("it fits");
        assert_eq!(out, [2], "null is the second branch where there is a default");
    }

    #[test]
    fn a_struct_used_twice_is_written_once_and_one_name_for_two_structs_is_refused() {
        let place = |field: &str| Schema::structure(vec![Field::new(field, Schema::string())]).named("a.Place");
        let two = |one: Schema, other: Schema| {
            Schema::structure(vec![Field::new("A", one), Field::new("B", other)]).named("a.Two")
        };
        let document = text(&two(place("x").optional(), place("x")));
        assert!(document.contains(r#"{"name":"B","type":"Place"}"#), "{document}");
        assert_eq!(document.matches("connect.name\":\"a.Place").count(), 1);
        let error = avro_schema::text(AvroOptions::default(), &two(place("x"), place("y"))).expect_err("a clash");
        assert_eq!(
            error.to_string(),
            "B: Avro would have the name a.Place twice, for different things; rename one of them"
        );
    }

    #[test]
    fn names_are_refused_or_scrubbed_and_metadata_can_be_left_out() {
        let odd = Schema::structure(vec![Field::new("a b", Schema::int8()), Field::new("A B", Schema::int16())]);
        let odd = odd.named("my-space.Odd");
        let error = avro_schema::text(AvroOptions::default(), &odd).expect_err("odd names");
        assert!(error.to_string().contains("scrub.invalid.names"), "{error}");
        let scrubbing = AvroOptions { scrub_invalid_names: true, connect_meta_data: false, ..AvroOptions::default() };
        let (document, name) = avro_schema::text(scrubbing, &odd).expect("scrubbed");
        let expected = r#"{"type":"record","name":"Odd","namespace":"my_space","fields":[{"name":"a_b","type":"int"},{"name":"A_B","type":"int"}]}"#;
        assert_eq!((document.as_str(), name.as_deref()), (expected, Some("my_space.Odd")));
        let clash = Schema::structure(vec![Field::new("a b", Schema::int8()), Field::new("a-b", Schema::int8())]);
        let error = avro_schema::text(scrubbing, &clash.named("x.Y")).expect_err("a clash");
        assert!(error.to_string().contains("the name a_b twice"), "{error}");
    }

    #[test]
    fn misfits_name_the_field() {
        let schema = Arc::new(Schema::structure(vec![Field::new("a", Schema::int32())]));
        for (value, message) in [
            (Value::Null, "a: is null, but the schema requires a value"),
            (Value::from("x"), "a: the schema says int32, the value is string"),
        ] {
            let value = Struct { schema: Arc::clone(&schema), values: vec![value] };
            let error = write_root(&mut Vec::new(), AvroOptions::default(), &schema, &value.into());
            assert_eq!(error.expect_err("a misfit").to_string(), message);
        }
    }
}
