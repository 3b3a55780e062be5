//! `Value` and `Struct`: data that fits a schema.
//!
//! Logical types (Date, Time, Timestamp, Decimal) are held in their underlying representation, since every converter
//! writes that: Date = days since the epoch as `Int32`, Time = milliseconds of the day as `Int32`, Timestamp =
//! milliseconds since the epoch as `Int64`, Decimal = unscaled big-endian two's complement as `Bytes`.

use std::sync::Arc;

use super::schema::{Field, Schema};

/// A value. Which schemas it fits is `Schema`'s business.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// 8-bit signed integer.
    Int8(i8),
    /// 16-bit signed integer.
    Int16(i16),
    /// 32-bit signed integer; also Date and Time.
    Int32(i32),
    /// 64-bit signed integer; also Timestamp.
    Int64(i64),
    /// 32-bit IEEE 754 number.
    Float32(f32),
    /// 64-bit IEEE 754 number.
    Float64(f64),
    /// True or false.
    Boolean(bool),
    /// UTF-8 text.
    String(String),
    /// Octets; also Decimal.
    Bytes(Vec<u8>),
    /// Elements in order.
    Array(Vec<Value>),
    /// Entries in order.
    Map(Vec<(Value, Value)>),
    /// A struct.
    Struct(Struct),
}

/// A value of a struct schema: one value for each field, in the schema's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Struct {
    /// The struct schema; its kind is `SchemaKind::Struct`.
    pub schema: Arc<Schema>,
    /// One value for each field of the schema, in order.
    pub values: Vec<Value>,
}

impl Value {
    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The struct.
    #[must_use]
    pub fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(value) => Some(value),
            _ => None,
        }
    }

    /// A whole number of any width.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Int8(n) => Some(n.into()),
            Self::Int16(n) => Some(n.into()),
            Self::Int32(n) => Some(n.into()),
            Self::Int64(n) => Some(n),
            _ => None,
        }
    }

    /// What kind of value this is, in the words of `SchemaKind::name`; `null` for no value.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int8(_) => "int8",
            Self::Int16(_) => "int16",
            Self::Int32(_) => "int32",
            Self::Int64(_) => "int64",
            Self::Float32(_) => "float32",
            Self::Float64(_) => "float64",
            Self::Boolean(_) => "boolean",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Struct(_) => "struct",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Struct> for Value {
    fn from(value: Struct) -> Self {
        Self::Struct(value)
    }
}

impl Struct {
    /// A struct of that schema with every field null.
    #[must_use]
    pub fn empty(schema: Arc<Schema>) -> Self {
        let values = vec![Value::Null; schema.fields().len()];
        Self { schema, values }
    }

    /// The value of the field of that name, or none when the schema has no such field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(self.schema.field_index(name)?)
    }

    /// The value of the field of that name, to be changed.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.values.get_mut(self.schema.field_index(name)?)
    }

    /// Fields and their values, in the schema's order.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.schema.fields().iter().zip(&self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_read_and_written_by_name() {
        let schema =
            Schema::structure(vec![Field::new("a", Schema::string()), Field::new("b", Schema::int32().optional())]);
        let mut value = Struct::empty(Arc::new(schema));
        *value.get_mut("a").expect("the field is there") = "x".into();
        assert_eq!(value.get("a").and_then(Value::as_str), Some("x"));
        assert_eq!(value.get("b"), Some(&Value::Null));
        assert_eq!(value.get("c"), None);
        assert!(value.get_mut("c").is_none());
        let names: Vec<&str> = value.iter().map(|(field, _)| &*field.name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
