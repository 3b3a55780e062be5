//! Converters: a record's key or value, typed, into the bytes that Kafka gets (`org.apache.kafka.connect.storage.Converter`).
//! Pure: whatever a format needs from elsewhere is handed in. The formats of a schema registry leave room for the
//! schema's id, which `wire_format` fills in once it is known.

pub mod avro;
mod avro_schema;
pub mod byte_array;
pub mod json;
mod json_envelope;
pub mod json_schema;
pub mod protobuf;
mod protobuf_schema;
mod registered;
mod scrub;
pub mod simple_header;
pub mod string;
#[cfg(test)]
mod vectors;
pub mod wire_format;

use std::sync::Arc;

pub use json::{DecimalFormat, JsonConverter, JsonOptions};
pub use registered::{Document, Format, Registered};

use crate::data::{Schema, Value};

/// The converter of a record's keys or of its values.
#[derive(Clone, Debug)]
pub enum Converter {
    /// JSON, `org.apache.kafka.connect.json.JsonConverter`.
    Json(JsonConverter),
    /// Text, `org.apache.kafka.connect.storage.StringConverter`.
    Text,
    /// Bytes as they are, `org.apache.kafka.connect.converters.ByteArrayConverter`.
    Bytes,
    /// A format whose schemas are in a registry.
    Registered(Registered),
}

/// What a converter makes of a key or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The bytes; `None` is Kafka's null, a tombstone when it is the value.
    pub bytes: Option<Vec<u8>>,
    /// The schema whose id the bytes still lack (`wire_format::finish`).
    pub schema: Option<Arc<Document>>,
}

impl Converter {
    /// Converts `value`, a record's key or value bound for `topic`.
    ///
    /// # Errors
    /// `ConvertError` when the value does not fit the schema or the format has no way to write it.
    pub fn convert(
        &mut self,
        topic: &str,
        schema: Option<&Arc<Schema>>,
        value: &Value,
    ) -> Result<Converted, ConvertError> {
        let plain = schema.map(AsRef::as_ref);
        match self {
            Self::Json(json) => json.convert(topic, plain, value).map(Converted::from),
            Self::Text => string::convert(plain, value).map(Converted::from),
            Self::Bytes => byte_array::convert(plain, value).map(Converted::from),
            Self::Registered(registered) => registered.convert(schema, value),
        }
    }
}

impl From<Option<Vec<u8>>> for Converted {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self { bytes, schema: None }
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
    /// A value without a schema, for a format that consists of schemas.
    #[error("it has no schema, and {format} cannot be written without one")]
    Schemaless {
        /// The format.
        format: &'static str,
    },
    /// A name that the format does not allow.
    #[error(
        "the name {name:?} holds characters that {format} does not allow; rename it, or set the converter's scrub.invalid.names=true"
    )]
    Name {
        /// The name.
        name: String,
        /// The format.
        format: &'static str,
    },
    /// Two things of one name, which the format does not allow.
    #[error("{format} would have the name {name} twice, for different things; rename one of them")]
    NameTwice {
        /// The name as written.
        name: String,
        /// The format.
        format: &'static str,
    },
    /// A shape that the format does not have.
    #[error("{what} cannot be written as {format}")]
    Shape {
        /// The shape.
        what: &'static str,
        /// The format.
        format: &'static str,
    },
}

impl ConvertError {
    fn new(problem: ConvertProblem) -> Self {
        Self { field: String::new(), problem }
    }

    fn kind(expected: &crate::data::SchemaKind, found: &Value) -> Self {
        Self::new(ConvertProblem::Kind { expected: expected.name(), found: found.kind_name() })
    }

    /// The same error, seen from the struct that holds the field `parent`.
    fn within(mut self, parent: &str) -> Self {
        self.field = if self.field.is_empty() { parent.to_owned() } else { format!("{parent}.{}", self.field) };
        self
    }
}

/// A struct's fields and values, once it is sure that they belong together.
fn fields_of<'a>(
    schema: &'a Schema,
    value: &'a crate::data::Struct,
) -> Result<impl Iterator<Item = (&'a crate::data::Field, &'a Value)> + use<'a>, ConvertError> {
    // Nearly always the very same schema; comparing them is for callers who built it twice.
    let same_schema = std::ptr::eq(value.schema.as_ref(), schema) || *value.schema == *schema;
    if !same_schema || value.values.len() != schema.fields().len() {
        return Err(ConvertError::new(ConvertProblem::Schema));
    }
    Ok(schema.fields().iter().zip(&value.values))
}
