//! `SourceRecord`: what goes through transforms and converters
//! (`org.apache.kafka.connect.source.SourceRecord`).

use std::sync::Arc;

use super::{schema::Schema, value::Value};

/// One header of a record, still typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The header's key.
    pub key: String,
    /// The schema, or none for schemaless data.
    pub schema: Option<Arc<Schema>>,
    /// The value.
    pub value: Value,
}

/// A record before conversion. Its source offset travels beside it, with the task.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRecord {
    /// Destination topic.
    pub topic: String,
    /// Destination partition, or none for the default partitioner.
    pub partition: Option<i32>,
    /// Schema of the key.
    pub key_schema: Option<Arc<Schema>>,
    /// The key.
    pub key: Value,
    /// Schema of the value.
    pub value_schema: Option<Arc<Schema>>,
    /// The value; `Null` without a schema is a tombstone.
    pub value: Value,
    /// Headers in order.
    pub headers: Vec<Header>,
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: Option<i64>,
}
