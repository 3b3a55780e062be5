//! Converters: a record's key or value, typed, into the bytes that Kafka gets (`org.apache.kafka.connect.storage.Converter`).
//! Pure: whatever a format needs from elsewhere is handed in.

pub mod json;
pub mod simple_header;

pub use json::{DecimalFormat, JsonConverter, JsonOptions};

use crate::data::{Schema, Value};

/// The converter of a record's keys or of its values.
#[derive(Clone, Debug)]
pub enum Converter {
    /// JSON, `org.apache.kafka.connect.json.JsonConverter`.
    Json(JsonConverter),
}

impl Converter {
    /// The bytes of `value`, a record's key or value bound for `topic`; `None` is Kafka's null, a tombstone when it is
    /// the value.
    ///
    /// # Errors
    /// `ConvertError` when the value does not fit the schema or the format has no way to write it.
    pub fn convert(
        &self,
        topic: &str,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Vec<u8>>, ConvertError> {
        match self {
            Self::Json(json) => json.convert(topic, schema, value),
        }
    }
}

/// A value that a converter cannot write. Names where it is, never what it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", if field.is_empty() { "the value" } else { field.as_str() })]
pub struct ConvertError {
    /// Names of the fields that lead to the value, with dots between; empty for the whole.
    pub field: String,
    /// What is the matter with it.
    pub problem: ConvertProblem,
}

/// Why a value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertProblem {
    /// Null where the schema asks for a value.
    #[error("is null, but the schema requires a value")]
    Null,
    /// A value of another kind than the schema's.
    #[error("the schema says {expected}, the value is {found}")]
    Kind {
        /// The schema's kind.
        expected: &'static str,
        /// The value's kind.
        found: &'static str,
    },
    /// A struct without a schema, or of another schema than the one beside it.
    #[error("the struct's schema is not the one given beside it")]
    Schema,
}

impl ConvertError {
    fn new(problem: ConvertProblem) -> Self {
        Self { field: String::new(), problem }
    }

    /// The same error, seen from the struct that holds the field `parent`.
    fn within(mut self, parent: &str) -> Self {
        self.field = if self.field.is_empty() { parent.to_owned() } else { format!("{parent}.{}", self.field) };
        self
    }
}
