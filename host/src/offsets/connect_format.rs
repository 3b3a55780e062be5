//! Offsets as bytes, as Kafka Connect's `OffsetStorageWriter` writes them with its internal `JsonConverter`
//! (`schemas.enable=false`) and `OffsetUtils`/`KafkaOffsetBackingStore` read them: key `["name",{}]`, value
//! `{"replayId":3826}`, JSON without spaces. Keys are equal when their bytes are, so that the bytes matter.

use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::record::{Scalar, ScalarMap, SourceOffset, SourcePartition};

/// Why a stored offset cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored offset is not a JSON object of numbers, texts, true, false and null: {0}")]
pub struct FormatError(String);

/// The key under which a connector's offset is stored.
#[must_use]
pub fn key(connector: &str, partition: &SourcePartition) -> Vec<u8> {
    let mut out = String::from("[");
    text(connector, &mut out);
    out.push(',');
    map(&partition.0, &mut out);
    out.push(']');
    out.into_bytes()
}

/// The stored form of an offset, in the shape that people and Kafka Connect know: without what a source keeps for itself.
#[must_use]
pub fn value(offset: &SourceOffset) -> Vec<u8> {
    let shown: ScalarMap = offset.0.iter().filter(|(name, _)| !is_own(name)).cloned().collect();
    let mut out = String::new();
    map(&shown, &mut out);
    out.into_bytes()
}

/// The key under which stands what a source keeps for itself, beside its offset. It names a connector that nobody has: under
/// the connector's own name, Kafka Connect would show it among the offsets and hand it to a connector that is asked about
/// them; and it warns of every key that is none of its own form.
#[must_use]
pub fn state_key(connector: &str) -> Vec<u8> {
    key(&format!("{STATE_OF}{connector}"), &SourcePartition::default())
}

/// The stored form of what a source keeps for itself, if that is anything: the pairs whose names begin with a dot.
#[must_use]
pub fn state_value(offset: &SourceOffset) -> Option<Vec<u8>> {
    let own: ScalarMap = offset.0.iter().filter(|(name, _)| is_own(name)).cloned().collect();
    if own.is_empty() {
        return None;
    }
    let mut out = String::new();
    map(&own, &mut out);
    Some(out.into_bytes())
}

/// An offset with what the source kept beside it.
#[must_use]
pub fn joined(mut offset: SourceOffset, state: Option<SourceOffset>) -> SourceOffset {
    offset.0.extend(state.into_iter().flat_map(|state| state.0).filter(|(name, _)| is_own(name)));
    offset
}

/// What stands before the connector's name in `state_key`.
const STATE_OF: &str = "tributary-state/";

fn is_own(name: &str) -> bool {
    name.starts_with('.')
}

/// Reads a key; `None` when it is not one that Kafka Connect writes, or its second element is null.
#[must_use]
pub fn parse_key(bytes: &[u8]) -> Option<(String, SourcePartition)> {
    let (connector, partition): (String, Option<Scalars>) = serde_json::from_slice(bytes).ok()?;
    Some((connector, SourcePartition(partition?.0)))
}

/// Reads a value; `None` stands for a deleted offset, which is no bytes or JSON's `null`.
///
/// # Errors
/// Anything else but an object of primitives: an offset that is there and not understood must not pass for none.
pub fn parse_value(bytes: Option<&[u8]>) -> Result<Option<SourceOffset>, FormatError> {
    let Some(bytes) = bytes else { return Ok(None) };
    let offset: Option<Scalars> = serde_json::from_slice(bytes).map_err(|error| FormatError(error.to_string()))?;
    Ok(offset.map(|Scalars(map)| SourceOffset(map)))
}

/// An object of primitives, in order.
struct Scalars(ScalarMap);

impl<'de> Deserialize<'de> for Scalars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Scalars;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of primitives")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut map: ScalarMap = Vec::new();
                while let Some((name, Primitive(value))) = access.next_entry::<String, Primitive>()? {
                    // As in a Java map, the last one of a name counts.
                    match map.iter_mut().find(|(known, _)| *known == name) {
                        Some(entry) => entry.1 = value,
                        None => map.push((name, value)),
                    }
                }
                Ok(Scalars(map))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

struct Primitive(Scalar);

impl<'de> Deserialize<'de> for Primitive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        Ok(Self(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Null => Scalar::Null,
            serde_json::Value::Bool(value) => Scalar::Boolean(value),
            serde_json::Value::String(value) => Scalar::Text(value),
            serde_json::Value::Number(value) => match (value.as_i64(), value.as_f64()) {
                (Some(whole), _) => Scalar::Integer(whole),
                (None, Some(float)) => Scalar::Float(float),
                (None, None) => return Err(D::Error::custom("a number out of range")),
            },
            _ => return Err(D::Error::custom("an array or object where a primitive belongs")),
        }))
    }
}

fn map(entries: &ScalarMap, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        text(name, out);
        out.push(':');
        match value {
            Scalar::Null => out.push_str("null"),
            Scalar::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Scalar::Integer(value) => out.push_str(&value.to_string()),
            Scalar::Float(value) => float(*value, out),
            Scalar::Text(value) => text(value, out),
        }
    }
    out.push('}');
}

/// Jackson's escapes: short forms where JSON has them, else upper-case hexadecimal; characters beyond the Basic
/// Multilingual Plane as two surrogate escapes.
fn text(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if !(' '..='\u{ffff}').contains(&c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Java's `Double.toString`: plain from 10^-3 to below 10^7, else with `E`; always with a decimal point. What JSON has no
/// number for is quoted.
fn float(value: f64, out: &mut String) {
    let magnitude = value.abs();
    let formatted = if value.is_nan() {
        "\"NaN\"".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "\"Infinity\"".to_owned() } else { "\"-Infinity\"".to_owned() }
    } else if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        format!("{value:?}")
    } else {
        let text = format!("{value:E}");
        match text.split_once('E') {
            Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
            _ => text,
        }
    };
    out.push_str(&formatted);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse fails the test")]
mod tests {
    use super::*;

    fn at(replay_id: i64) -> SourceOffset {
        SourceOffset(vec![("replayId".to_owned(), Scalar::Integer(replay_id))])
    }

    /// Keys and values that a Kafka Connect 4.3.1 worker wrote to its offset topic.
    #[test]
    fn as_kafka_connect_writes_them() {
        let channel = SourcePartition(vec![("channel".to_owned(), Scalar::Text("/topic/X".to_owned()))]);
        for (connector, partition, expected) in
            [("pt", SourcePartition::default(), r#"["pt",{}]"#), ("pt", channel, r#"["pt",{"channel":"/topic/X"}]"#)]
        {
            assert_eq!(key(connector, &partition), expected.as_bytes());
            assert_eq!(parse_key(expected.as_bytes()), Some((connector.to_owned(), partition)));
        }
        for (replay_id, expected) in
            [(22, r#"{"replayId":22}"#), (10, r#"{"replayId":10}"#), (3826, r#"{"replayId":3826}"#)]
        {
            assert_eq!(value(&at(replay_id)), expected.as_bytes());
            assert_eq!(parse_value(Some(expected.as_bytes())).unwrap(), Some(at(replay_id)));
        }
    }

    /// The forms are those that Kafka Connect's `JsonConverter` was seen to write: escapes, doubles, null.
    #[test]
    fn every_primitive() {
        let cases = [
            (Scalar::Null, "null"),
            (Scalar::Boolean(true), "true"),
            (Scalar::Integer(i64::MIN), "-9223372036854775808"),
            (Scalar::Integer(i64::MAX), "9223372036854775807"),
            (Scalar::Float(100.0), "100.0"),
            (Scalar::Float(1e21), "1.0E21"),
            (Scalar::Float(123_456_789.123), "1.23456789123E8"),
            (Scalar::Float(-0.0), "-0.0"),
            (Scalar::Float(0.001), "0.001"),
            (Scalar::Float(0.0001), "1.0E-4"),
            (
                Scalar::Text("a\"\\/\u{1f}\n\u{e9}\u{2028}\u{1f600}".to_owned()),
                "\"a\\\"\\\\/\\u001F\\n\u{e9}\u{2028}\\uD83D\\uDE00\"",
            ),
        ];
        for (scalar, expected) in cases {
            let offset = SourceOffset(vec![("a".to_owned(), scalar)]);
            let bytes = value(&offset);
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), format!("{{\"a\":{expected}}}"));
            assert_eq!(parse_value(Some(&bytes)).unwrap(), Some(offset));
        }
        assert_eq!(value(&SourceOffset(vec![("a".to_owned(), Scalar::Float(f64::NAN))])), br#"{"a":"NaN"}"#);
        let two = SourceOffset(vec![("b".to_owned(), Scalar::Integer(1)), ("a".to_owned(), Scalar::Null)]);
        assert_eq!(parse_value(Some(br#" { "b" : 1, "a" : null } "#)).unwrap(), Some(two));
    }

    #[test]
    fn what_a_source_keeps_for_itself_stands_apart() {
        let own = (".id".to_owned(), Scalar::Text("0IF".to_owned()));
        let mut offset = at(7);
        assert_eq!(state_value(&offset), None);
        offset.0.push(own.clone());
        assert_eq!(
            (value(&offset), state_value(&offset)),
            (br#"{"replayId":7}"#.to_vec(), Some(br#"{".id":"0IF"}"#.to_vec()))
        );
        let stored = |bytes: Option<Vec<u8>>| parse_value(bytes.as_deref()).unwrap();
        let read = joined(stored(Some(value(&offset))).unwrap(), stored(state_value(&offset)));
        assert_eq!(read, offset);
        assert_eq!(parse_key(&state_key("pt")), Some(("tributary-state/pt".to_owned(), SourcePartition::default())));
    }

    #[test]
    fn what_is_skipped_and_what_is_refused() {
        for foreign in
            ["", "x", "{}", "[]", r#"["a"]"#, r#"["a",{},1]"#, r#"["a",null]"#, r#"[1,{}]"#, r#"["a",{"b":[]}]"#]
        {
            assert_eq!(parse_key(foreign.as_bytes()), None, "{foreign}");
        }
        for deleted in [None, Some(&b"null"[..])] {
            assert_eq!(parse_value(deleted).unwrap(), None);
        }
        for bad in ["", "x", "1", "[]", r#"{"a":{}}"#, r#"{"a":1"#] {
            assert!(parse_value(Some(bad.as_bytes())).is_err(), "{bad}");
        }
    }
}
