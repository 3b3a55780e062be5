//! `org.apache.kafka.connect.storage.StringConverter`: the text of a value, as Java's `Object.toString` gives it.

use super::{ConvertError, ConvertProblem};
use crate::data::{Schema, Value, java_number};

const FORMAT: &str = "text";

/// The text of `value` in UTF-8. Null is null.
///
/// # Errors
/// `ConvertError` for a struct, a map, an array or bytes: their Java texts are of no use to anybody.
pub fn convert(_schema: Option<&Schema>, value: &Value) -> Result<Option<Vec<u8>>, ConvertError> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Int8(number) => number.to_string(),
        Value::Int16(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        Value::Float32(number) => {
            let mut text = String::new();
            java_number::push_float(&mut text, *number);
            text
        }
        Value::Float64(number) => {
            let mut text = String::new();
            java_number::push_double(&mut text, *number);
            text
        }
        Value::Bytes(_) => return Err(unfit("bytes")),
        Value::Array(_) => return Err(unfit("an array")),
        Value::Map(_) => return Err(unfit("a map")),
        Value::Struct(_) => return Err(unfit("a struct")),
    };
    Ok(Some(text.into_bytes()))
}

fn unfit(what: &'static str) -> ConvertError {
    ConvertError::new(ConvertProblem::Shape { what, format: FORMAT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let cases = [
            (Value::from("a\u{1f600}"), Some("a\u{1f600}")),
            (Value::Null, None),
            (Value::Boolean(true), Some("true")),
            (Value::Int8(-3), Some("-3")),
            (Value::Float64(1e21), Some("1.0E21")),
            (Value::Float32(1.5), Some("1.5")),
        ];
        for (value, text) in cases {
            assert_eq!(convert(None, &value), Ok(text.map(|text| text.as_bytes().to_vec())), "{value:?}");
        }
        assert!(convert(None, &Value::Bytes(vec![1])).is_err());
        assert!(convert(None, &Value::Map(Vec::new())).is_err());
    }
}
