//! `org.apache.kafka.connect.converters.ByteArrayConverter`: bytes as they are.

use super::{ConvertError, ConvertProblem};
use crate::data::{Schema, SchemaKind, Value};

/// The bytes of `value`. Null is null.
///
/// # Errors
/// `ConvertError` for everything else than bytes.
pub fn convert(schema: Option<&Schema>, value: &Value) -> Result<Option<Vec<u8>>, ConvertError> {
    match (schema.map(|schema| &schema.kind), value) {
        (None | Some(SchemaKind::Bytes), Value::Bytes(bytes)) => Ok(Some(bytes.clone())),
        (None | Some(SchemaKind::Bytes), Value::Null) => Ok(None),
        (_, value) => {
            let problem = ConvertProblem::Kind { expected: SchemaKind::Bytes.name(), found: value.kind_name() };
            Err(ConvertError::new(problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_pass_and_nothing_else() {
        let bytes = Schema::bytes();
        assert_eq!(convert(Some(&bytes), &Value::Bytes(vec![0, 255])), Ok(Some(vec![0, 255])));
        assert_eq!(convert(None, &Value::Null), Ok(None));
        assert!(convert(Some(&Schema::string()), &Value::from("x")).is_err());
        assert!(convert(None, &Value::from("x")).is_err());
    }
}
