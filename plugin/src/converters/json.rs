//! Kafka Connect's JsonConverter (`org.apache.kafka.connect.json.JsonConverter`), byte for byte: fields in schema order,
//! nulls written out, logical types as numbers, Java's texts of floating-point numbers, characters outside the Basic Multilingual Plane as two escapes. Floating-point numbers follow JDK 19 and
//! later (`data::java_number`); a Connect worker on an older JDK writes a few of them longer.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{ConvertError, ConvertProblem, json_envelope};
use crate::data::{Schema, SchemaKind, Struct, Value, decimal, java_number, logical::LogicalType};

/// How a Decimal is written: the converter's `decimal.format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalFormat {
    /// Base64 of the unscaled value, big-endian two's complement.
    #[default]
    Base64,
    /// A JSON number, the scale kept: `1000.00`.
    Numeric,
}

/// The converter's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonOptions {
    /// `decimal.format`.
    pub decimal_format: DecimalFormat,
    /// `replace.null.with.default`: whether null becomes the schema's default, where there is one.
    pub replace_null_with_default: bool,
    /// `schemas.enable`: whether the schema stands beside the value.
    pub schemas_enable: bool,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self { decimal_format: DecimalFormat::Base64, replace_null_with_default: true, schemas_enable: false }
    }
}

/// Connect's JsonConverter.
#[derive(Clone, Debug, Default)]
pub struct JsonConverter {
    options: JsonOptions,
    /// How the entries of a map stand whose keys are no texts.
    entries: Entries,
}

/// The entries of a map whose keys are no texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Entries {
    /// Arrays of key and value.
    #[default]
    Pairs,
    /// Objects with the members `key` and `value`, as in JSON with a JSON Schema.
    Objects,
}

/// Room made at first for a struct, which saves the growing of most records.
const STRUCT_CAPACITY_BYTES: usize = 2_048;

impl JsonConverter {
    /// A converter with these settings.
    #[must_use]
    pub fn new(options: JsonOptions) -> Self {
        Self { options, entries: Entries::Pairs }
    }

    /// The same with another form of entries.
    pub(super) fn with_entries(options: JsonOptions, entries: Entries) -> Self {
        Self { options, entries }
    }

    /// The JSON text of `value`, in an envelope with its schema if `schemas.enable` says so. `None` only for null without a
    /// schema; null with a schema is the text `null`. The topic plays no part in this format.
    ///
    /// # Errors
    /// `ConvertError` when the value does not fit the schema.
    pub fn convert(
        &self,
        _topic: &str,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Vec<u8>>, ConvertError> {
        if schema.is_none() && value.is_null() {
            return Ok(None);
        }
        let capacity = if matches!(value, Value::Struct(_)) { STRUCT_CAPACITY_BYTES } else { 0 };
        let mut out = String::with_capacity(capacity);
        if self.options.schemas_enable {
            out.push_str("{\"schema\":");
            json_envelope::write_schema(&mut out, self, schema)?;
            out.push_str(",\"payload\":");
            self.write(&mut out, schema, value)?;
            out.push('}');
        } else {
            self.write(&mut out, schema, value)?;
        }
        Ok(Some(out.into_bytes()))
    }

    /// Appends the JSON text of a value.
    pub(super) fn write(&self, out: &mut String, schema: Option<&Schema>, value: &Value) -> Result<(), ConvertError> {
        let Some(schema) = schema else { return self.write_schemaless(out, value) };
        match (&schema.kind, value) {
            (_, Value::Null) => self.write_null(out, schema)?,
            (SchemaKind::Int8, Value::Int8(number)) => push_whole(out, i64::from(*number)),
            (SchemaKind::Int16, Value::Int16(number)) => push_whole(out, i64::from(*number)),
            (SchemaKind::Int32, Value::Int32(number)) => push_whole(out, i64::from(*number)),
            (SchemaKind::Int64, Value::Int64(number)) => push_whole(out, *number),
            (SchemaKind::Float32, Value::Float32(number)) => push_float(out, *number),
            (SchemaKind::Float64, Value::Float64(number)) => push_double(out, *number),
            (SchemaKind::Boolean, Value::Boolean(yes)) => out.push_str(if *yes { "true" } else { "false" }),
            (SchemaKind::String, Value::String(text)) => push_string(out, text),
            (SchemaKind::Bytes, Value::Bytes(bytes)) => match (self.options.decimal_format, LogicalType::of(schema)) {
                (DecimalFormat::Numeric, Some(LogicalType::Decimal { scale })) => {
                    out.push_str(&decimal::text(bytes, scale));
                }
                _ => push_bytes(out, bytes),
            },
            (SchemaKind::Array(items), Value::Array(values)) => self.write_array(out, Some(items), values)?,
            (SchemaKind::Map(keys, values), Value::Map(entries)) => {
                let text_keys = matches!(keys.kind, SchemaKind::String);
                self.write_map(out, text_keys, Some(keys), Some(values), entries)?;
            }
            (SchemaKind::Struct(_), Value::Struct(value)) => self.write_struct(out, schema, value)?,
            (kind, value) => {
                let problem = ConvertProblem::Kind { expected: kind.name(), found: value.kind_name() };
                return Err(ConvertError::new(problem));
            }
        }
        Ok(())
    }

    fn write_null(&self, out: &mut String, schema: &Schema) -> Result<(), ConvertError> {
        match &schema.default {
            Some(default) if self.options.replace_null_with_default && !default.is_null() => {
                self.write(out, Some(schema), default)
            }
            _ if schema.optional => {
                out.push_str("null");
                Ok(())
            }
            _ => Err(ConvertError::new(ConvertProblem::Null)),
        }
    }

    fn write_schemaless(&self, out: &mut String, value: &Value) -> Result<(), ConvertError> {
        match value {
            Value::Null => out.push_str("null"),
            Value::Int8(number) => push_whole(out, i64::from(*number)),
            Value::Int16(number) => push_whole(out, i64::from(*number)),
            Value::Int32(number) => push_whole(out, i64::from(*number)),
            Value::Int64(number) => push_whole(out, *number),
            Value::Float32(number) => push_float(out, *number),
            Value::Float64(number) => push_double(out, *number),
            Value::Boolean(yes) => out.push_str(if *yes { "true" } else { "false" }),
            Value::String(text) => push_string(out, text),
            Value::Bytes(bytes) => push_bytes(out, bytes),
            Value::Array(values) => self.write_array(out, None, values)?,
            Value::Map(entries) => {
                let text_keys = entries.iter().all(|(key, _)| matches!(key, Value::String(_)));
                self.write_map(out, text_keys, None, None, entries)?;
            }
            Value::Struct(_) => return Err(ConvertError::new(ConvertProblem::Schema)),
        }
        Ok(())
    }

    fn write_struct(&self, out: &mut String, schema: &Schema, value: &Struct) -> Result<(), ConvertError> {
        // Nearly always the very same schema; comparing them is for callers who built it twice.
        let same_schema = std::ptr::eq(value.schema.as_ref(), schema) || *value.schema == *schema;
        if !same_schema || value.values.len() != schema.fields().len() {
            return Err(ConvertError::new(ConvertProblem::Schema));
        }
        out.push('{');
        for (position, (field, value)) in value.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            push_string(out, &field.name);
            out.push(':');
            self.write(out, Some(&field.schema), value).map_err(|error| error.within(&field.name))?;
        }
        out.push('}');
        Ok(())
    }

    fn write_array(&self, out: &mut String, items: Option<&Schema>, values: &[Value]) -> Result<(), ConvertError> {
        out.push('[');
        for (position, value) in values.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            self.write(out, items, value).map_err(|error| error.within("[]"))?;
        }
        out.push(']');
        Ok(())
    }

    /// An object when the keys are texts, else an array of pairs.
    fn write_map(
        &self,
        out: &mut String,
        text_keys: bool,
        keys: Option<&Schema>,
        values: Option<&Schema>,
        entries: &[(Value, Value)],
    ) -> Result<(), ConvertError> {
        out.push(if text_keys { '{' } else { '[' });
        for (position, (key, value)) in entries.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            if text_keys {
                match key {
                    // Java's text of a null node is `null`, and that becomes the name of the member.
                    Value::Null if keys.is_some_and(|keys| keys.optional) => out.push_str("\"null\""),
                    key => self.write(out, keys, key).map_err(|error| error.within("{key}"))?,
                }
                out.push(':');
                self.write(out, values, value).map_err(|error| error.within("{}"))?;
            } else {
                let (open, between, close) = match self.entries {
                    Entries::Pairs => ("[", ",", "]"),
                    Entries::Objects => ("{\"key\":", ",\"value\":", "}"),
                };
                out.push_str(open);
                self.write(out, keys, key).map_err(|error| error.within("{key}"))?;
                out.push_str(between);
                self.write(out, values, value).map_err(|error| error.within("{}"))?;
                out.push_str(close);
            }
        }
        out.push(if text_keys { '}' } else { ']' });
        Ok(())
    }
}

fn push_whole(out: &mut String, number: i64) {
    write!(out, "{number}").expect("a String takes every write");
}

fn push_double(out: &mut String, number: f64) {
    if number.is_finite() {
        java_number::push_double(out, number);
    } else {
        out.push('"');
        java_number::push_double(out, number);
        out.push('"');
    }
}

fn push_float(out: &mut String, number: f32) {
    if number.is_finite() {
        java_number::push_float(out, number);
    } else {
        out.push('"');
        java_number::push_float(out, number);
        out.push('"');
    }
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

/// First byte of the UTF-8 form of every character outside the Basic Multilingual Plane is this or above.
const ASTRAL_LEAD: u8 = 0xf0;

/// Appends a JSON text.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(position) = first_escape(rest.as_bytes()) {
        // All of those bytes begin a character, so that both cuts are between characters.
        let (plain, special) = rest.split_at(position);
        out.push_str(plain);
        let mut characters = special.chars();
        if let Some(character) = characters.next() {
            push_escape(out, character);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Where the first byte stands that is not copied as it is. Eight bytes are looked at together: one by
/// one, they took a fifth of the component's time (`docs/figures.md`).
fn first_escape(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES * 0x80;
    let escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= ASTRAL_LEAD;
    // The high bit of some byte is set when one of them is below `limit`, at most 0x80, or beyond ASCII.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) | word;
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let eight = u64::from_ne_bytes(*word);
        let quote = below(eight ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(eight ^ (ONES * u64::from(b'\\')), 1);
        if (below(eight, 0x20) | quote | backslash) & HIGH != 0
            && let Some(position) = word.iter().position(|byte| escaped(*byte))
        {
            return Some(number * 8 + position);
        }
    }
    let position = rest.iter().position(|byte| escaped(*byte))?;
    Some(words.len() * 8 + position)
}

fn push_escape(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        character => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04X}").expect("a String takes every write");
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{Field, logical};

    /// Made by Kafka's own JsonConverter 4.3.1: tests/golden/JsonGolden.java.
    const GOLDEN: &str = include_str!("../../../tests/golden/json-converter.jsonl");

    #[derive(serde::Deserialize)]
    struct Line {
        kind: String,
        input: String,
        output: Option<String>,
        numeric: Option<String>,
    }

    fn bytes_of_hex(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn wide_schema() -> Arc<Schema> {
        let place = Schema::structure(vec![
            Field::new("City \"q\"", Schema::string().optional()),
            Field::new("Lat", Schema::float64().optional()),
        ]);
        let fields = vec![
            Field::new("Id", Schema::string()),
            Field::new("Name", Schema::string().optional()),
            Field::new("Active", Schema::boolean().optional()),
            Field::new("Count", Schema::int32().optional()),
            Field::new("Small", Schema::int8().optional()),
            Field::new("Score", Schema::float64().optional()),
            Field::new("Created", logical::timestamp().optional()),
            Field::new("Birth", logical::date().optional()),
            Field::new("Tm", logical::time().optional()),
            Field::new("Amount", logical::decimal(2).optional()),
            Field::new("Blob", Schema::bytes().optional()),
            Field::new("D", Schema::string().optional().with_default("x".into())),
            Field::new("Tags", Schema::array(Schema::string().optional()).optional()),
            Field::new("Labels", Schema::map(Schema::string(), Schema::int64().optional()).optional()),
            Field::new("Pairs", Schema::map(Schema::int32(), Schema::string().optional()).optional()),
            Field::new("Place", place.optional().named("io.example.Place")),
        ];
        Arc::new(Schema::structure(fields).named("io.example.Wide").versioned(1).documented("wide"))
    }

    fn wide(full: bool) -> Value {
        let schema = wide_schema();
        let mut value = Struct::empty(Arc::clone(&schema));
        value.values[0] = "a1".into();
        if full {
            let mut place = Struct::empty(Arc::clone(&schema.field("Place").unwrap().schema));
            place.values[0] = "Z".into();
            value.values = vec![
                "00Q1".into(),
                "B\u{f6}b \u{1f600}".into(),
                Value::Boolean(true),
                Value::Int32(-3),
                Value::Int8(5),
                Value::Float64(1.5),
                Value::Int64(1_700_000_000_123),
                Value::Int32(19_000),
                Value::Int32(3_600_001),
                Value::Bytes(decimal::unscaled("123.45", 2).unwrap()),
                Value::Bytes(vec![1, 255]),
                "y".into(),
                Value::Array(vec!["a".into(), Value::Null]),
                Value::Map(vec![("k".into(), Value::Int64(9))]),
                Value::Map(vec![(Value::Int32(7), "seven".into())]),
                place.into(),
            ];
        }
        schema.check(&Value::Struct(value.clone())).unwrap();
        value.into()
    }

    fn schemaless(pairs: bool) -> Value {
        let list = vec![Value::Int64(1), Value::Float64(2.0), "x".into(), Value::Null, Value::Boolean(true)];
        let mut entries = vec![("b".into(), Value::Int32(1)), ("a".into(), Value::Array(list))];
        if pairs {
            entries.push((Value::Int32(3), Value::Bytes(vec![0])));
        }
        Value::Map(entries)
    }

    /// The schema and value that a line of the golden file stands for.
    fn build(line: &Line) -> (Option<Schema>, Value) {
        let input = line.input.as_str();
        match line.kind.as_str() {
            "float64" => {
                (Some(Schema::float64()), Value::Float64(f64::from_bits(u64::from_str_radix(input, 16).unwrap())))
            }
            "float32" => {
                (Some(Schema::float32()), Value::Float32(f32::from_bits(u32::from_str_radix(input, 16).unwrap())))
            }
            "int64" => (Some(Schema::int64()), Value::Int64(input.parse().unwrap())),
            "int32" => (Some(Schema::int32()), Value::Int32(input.parse().unwrap())),
            "int16" => (Some(Schema::int16()), Value::Int16(input.parse().unwrap())),
            "int8" => (Some(Schema::int8()), Value::Int8(input.parse().unwrap())),
            "boolean" => (Some(Schema::boolean()), Value::Boolean(input == "true")),
            "string" => (Some(Schema::string()), input.into()),
            "bytes" => (Some(Schema::bytes()), Value::Bytes(bytes_of_hex(input))),
            "decimal" => {
                let parts: Vec<&str> = input.split(',').collect();
                let scale = parts[1].parse().unwrap();
                let unscaled = decimal::unscaled(parts[2], scale).unwrap();
                assert_eq!(unscaled, bytes_of_hex(parts[0]), "{input}");
                (Some(logical::decimal(scale)), Value::Bytes(unscaled))
            }
            "wide" | "wide keep-null" => (Some(Schema::clone(&wide_schema())), wide(input == "full")),
            "null" if input == "optional" => (Some(Schema::string().optional()), Value::Null),
            "null" => (None, Value::Null),
            "schemaless" => (None, schemaless(input == "pairs")),
            kind => panic!("no such kind in this test: {kind}"),
        }
    }

    #[test]
    fn writes_what_kafkas_converter_writes() {
        let with = |decimal_format, replace_null_with_default| {
            JsonConverter::new(JsonOptions { decimal_format, replace_null_with_default, schemas_enable: false })
        };
        let convert = |converter: &JsonConverter, schema: &Option<Schema>, value: &Value| {
            converter.convert("t", schema.as_ref(), value).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let mut kinds = std::collections::BTreeSet::new();
        for text in GOLDEN.lines() {
            let line: Line = serde_json::from_str(text).unwrap();
            let (schema, value) = build(&line);
            if line.kind.ends_with("keep-null") {
                assert_eq!(convert(&with(DecimalFormat::Base64, false), &schema, &value), line.output, "{text}");
            } else {
                assert_eq!(convert(&with(DecimalFormat::Base64, true), &schema, &value), line.output, "{text}");
                let numeric = line.numeric.or(line.output);
                assert_eq!(convert(&with(DecimalFormat::Numeric, true), &schema, &value), numeric, "{text}");
            }
            kinds.insert(line.kind);
        }
        assert_eq!(kinds.len(), 14, "{kinds:?}");
    }

    #[test]
    fn misfits_are_named() {
        let mut no_id = wide(true).as_struct().unwrap().clone();
        no_id.values[0] = Value::Null;
        let mut wrong_city = wide(true).as_struct().unwrap().clone();
        let Some(Value::Struct(place)) = wrong_city.get_mut("Place") else { panic!("a struct") };
        place.values[0] = Value::Int32(1);
        let cases = [
            (Some(Schema::clone(&wide_schema())), Value::from(no_id), "Id: is null, but the schema requires a value"),
            (
                Some(Schema::clone(&wide_schema())),
                wrong_city.into(),
                "Place.City \"q\": the schema says string, the value is int32",
            ),
            (Some(Schema::int32()), Value::Int64(1), "the value: the schema says int32, the value is int64"),
            (
                Some(Schema::array(Schema::string())),
                Value::Array(vec![Value::Null]),
                "[]: is null, but the schema requires a value",
            ),
            (
                Some(Schema::structure(vec![])),
                wide(true),
                "the value: the struct's schema is not the one given beside it",
            ),
            (None, wide(true), "the value: the struct's schema is not the one given beside it"),
        ];
        for (schema, value, expected) in cases {
            let error = JsonConverter::default().convert("t", schema.as_ref(), &value).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    proptest! {
        /// Looked at one by one, bytes give the same answer as eight at a time.
        #[test]
        fn the_first_escape_is_found_wherever_it_stands(bytes in prop::collection::vec(any::<u8>(), 0..40), plain in 0_usize..40) {
            let bytes = [vec![b'a'; plain], bytes].concat();
            let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\' || *byte >= ASTRAL_LEAD;
            prop_assert_eq!(first_escape(&bytes), bytes.iter().position(special));
        }

        /// Read by serde_json, which shares no code with the writer.
        #[test]
        fn a_foreign_reader_finds_the_values_again(
            name: String, texts: Vec<String>, whole: i64, bits: u64, yes: bool, bytes: Vec<u8>,
        ) {
            let schema = Arc::new(Schema::structure(vec![
                Field::new(name.as_str(), Schema::array(Schema::string())),
                Field::new(format!("{name}n"), Schema::int64()),
                Field::new(format!("{name}d"), Schema::float64()),
                Field::new(format!("{name}b"), Schema::boolean().optional()),
                Field::new(format!("{name}o"), Schema::bytes()),
            ]));
            let number = f64::from_bits(bits);
            let values = vec![
                Value::Array(texts.iter().map(|text| text.as_str().into()).collect()),
                Value::Int64(whole),
                Value::Float64(number),
                if yes { Value::Boolean(true) } else { Value::Null },
                Value::Bytes(bytes.clone()),
            ];
            let value = Value::Struct(Struct { schema: Arc::clone(&schema), values });
            let json = JsonConverter::default().convert("t", Some(&schema), &value).unwrap().unwrap();
            let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(&read[name.as_str()], &serde_json::json!(texts));
            prop_assert_eq!(&read[format!("{name}n")], &serde_json::json!(whole));
            prop_assert_eq!(&read[format!("{name}b")], &if yes { serde_json::json!(true) } else { serde_json::Value::Null });
            let encoded = read[format!("{name}o")].as_str().unwrap();
            prop_assert_eq!(STANDARD.decode(encoded).unwrap(), bytes);
            let double = &read[format!("{name}d")];
            if number.is_finite() {
                // serde_json's number reader may be off by one unit in the last place.
                let read = double.as_f64().unwrap();
                prop_assert!((read - number).abs() <= number.abs() * 1e-15, "{} {}", read, number);
            } else {
                prop_assert!(double.is_string());
            }
        }
    }
}
