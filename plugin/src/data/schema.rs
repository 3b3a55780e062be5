//! `Schema`: the type of a value, as Kafka Connect describes it (`org.apache.kafka.connect.data.ConnectSchema`).

use std::sync::Arc;

use super::value::Value;

/// The shape of a value, with what hangs on it.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaKind {
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 32-bit IEEE 754 number.
    Float32,
    /// 64-bit IEEE 754 number.
    Float64,
    /// True or false.
    Boolean,
    /// UTF-8 text.
    String,
    /// Octets.
    Bytes,
    /// A sequence of values of one schema.
    Array(Arc<Schema>),
    /// Key schema and value schema.
    Map(Arc<Schema>, Arc<Schema>),
    /// Named fields, in order.
    Struct(Vec<Field>),
}

/// A field of a struct schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The field's name, unique in its struct.
    pub name: Arc<str>,
    /// What the field holds.
    pub schema: Arc<Schema>,
}

/// A schema: kind, optionality and metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The shape.
    pub kind: SchemaKind,
    /// Whether null is allowed.
    pub optional: bool,
    /// Full name, `namespace.Name`; for logical types the owner's class name.
    pub name: Option<Arc<str>>,
    /// Version of a named schema.
    pub version: Option<i32>,
    /// Documentation. An empty text is not the same as none: it is written out.
    pub doc: Option<Arc<str>>,
    /// Parameters in insertion order, `scale` of a Decimal for one.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
    /// Default value.
    pub default: Option<Value>,
}
