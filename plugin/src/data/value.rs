//! `Value` and `Struct`: data that fits a schema.
//!
//! Logical types (Date, Time, Timestamp, Decimal) are held in their underlying representation, since every converter
//! writes that: Date = days since the epoch as `Int32`, Time = milliseconds of the day as `Int32`, Timestamp =
//! milliseconds since the epoch as `Int64`, Decimal = unscaled big-endian two's complement as `Bytes`.

use std::sync::Arc;

use super::schema::Schema;

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
