//! Connect's text form of a value (`Values.convertToString`), which headers and `Cast` write: texts bare at the top and
//! quoted inside, bytes in base64, dates and times in ISO 8601 by a rule of their own.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::date_format::{DAY_MS, DateFormat};
use crate::data::{Schema, SchemaKind, Value, decimal, java_number, logical::LogicalType};

/// The text form of a value; nothing for null.
#[must_use]
pub fn to_text(schema: Option<&Schema>, value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let mut out = String::new();
    push(&mut out, schema, value, false);
    Some(out)
}

/// The milliseconds since the epoch of a Date, Time or Timestamp, in whose form Java holds all of them.
#[must_use]
pub fn instant_ms(schema: &Schema, value: &Value) -> Option<i64> {
    match LogicalType::of(schema)? {
        LogicalType::Date => Some(value.as_i64()? * DAY_MS),
        LogicalType::Time | LogicalType::Timestamp => value.as_i64(),
        LogicalType::Decimal { .. } => None,
    }
}

/// The text of an instant: a time below one day (every instant before 1970 among them), a date at midnight, else both.
/// Java writes it in the time zone of its host with a literal Z; here it is UTC, where the Z is true.
#[must_use]
pub fn instant_text(ms: i64) -> String {
    let pattern = if ms < DAY_MS {
        "HH:mm:ss.SSS'Z'"
    } else if ms % DAY_MS == 0 {
        "yyyy-MM-dd"
    } else {
        "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"
    };
    DateFormat::compile(pattern).map(|format| format.format(ms)).unwrap_or_default()
}

fn push(out: &mut String, schema: Option<&Schema>, value: &Value, inside: bool) {
    if let Some(ms) = schema.and_then(|schema| instant_ms(schema, value)) {
        out.push_str(&instant_text(ms));
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => {
            write!(out, "{}", value.as_i64().unwrap_or_default()).expect("a String takes every write");
        }
        Value::Float32(number) => java_number::push_float(out, *number),
        Value::Float64(number) => java_number::push_double(out, *number),
        Value::Boolean(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::String(text) => push_string(out, text, inside),
        Value::Bytes(bytes) => match schema.and_then(LogicalType::of) {
            Some(LogicalType::Decimal { scale }) => out.push_str(&decimal::text(bytes, scale)),
            _ if inside => push_string(out, &STANDARD.encode(bytes), true),
            _ => STANDARD.encode_string(bytes, out),
        },
        Value::Array(items) => {
            let schema = match schema.map(|schema| &schema.kind) {
                Some(SchemaKind::Array(items)) => Some(&**items),
                _ => None,
            };
            out.push('[');
            separated(out, items.iter(), |out, item| push(out, schema, item, true));
            out.push(']');
        }
        Value::Map(entries) => {
            let (keys, values) = match schema.map(|schema| &schema.kind) {
                Some(SchemaKind::Map(keys, values)) => (Some(&**keys), Some(&**values)),
                _ => (None, None),
            };
            out.push('{');
            separated(out, entries.iter(), |out, (key, value)| {
                push(out, keys, key, true);
                out.push(':');
                push(out, values, value, true);
            });
            out.push('}');
        }
        Value::Struct(value) => {
            out.push('{');
            separated(out, value.iter(), |out, (field, value)| {
                push_string(out, &field.name, true);
                out.push(':');
                // A struct shows a field's default for its null.
                let value = if value.is_null() { field.schema.default.as_ref().unwrap_or(value) } else { value };
                push(out, Some(&field.schema), value, true);
            });
            out.push('}');
        }
    }
}

fn separated<T>(out: &mut String, items: impl Iterator<Item = T>, mut push: impl FnMut(&mut String, T)) {
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(',');
        }
        push(out, item);
    }
}

fn push_string(out: &mut String, text: &str, inside: bool) {
    if !inside {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::logical;

    #[test]
    fn values_have_connects_texts() {
        let list = Value::Array(vec!["a\"\\".into(), Value::Null, Value::Float64(1e21)]);
        let map = Value::Map(vec![("k".into(), Value::Bytes(vec![1, 255]))]);
        let cases = [
            (None, "bare \"x\"".into(), Some("bare \"x\"")),
            (None, Value::Null, None),
            (None, list, Some(r#"["a\"\\",null,1.0E21]"#)),
            (None, map, Some(r#"{"k":"Af8="}"#)),
            (Some(logical::timestamp()), Value::Int64(DAY_MS), Some("1970-01-02")),
            (Some(logical::timestamp()), Value::Int64(DAY_MS - 1), Some("23:59:59.999Z")),
            (Some(logical::timestamp()), Value::Int64(-1), Some("23:59:59.999Z")),
            (Some(logical::timestamp()), Value::Int64(DAY_MS + 1), Some("1970-01-02T00:00:00.001Z")),
            (Some(logical::date()), Value::Int32(1), Some("1970-01-02")),
            (Some(logical::date()), Value::Int32(0), Some("00:00:00.000Z")),
            (Some(logical::decimal(2)), Value::Bytes(vec![0, 0x96]), Some("1.50")),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(to_text(schema.as_ref(), &value).as_deref(), expected, "{value:?}");
        }
    }
}
