//! Kafka Connect's data model: `Schema`, `Struct`, logical types and `SourceRecord`
//! (Kafka's `org.apache.kafka.connect.data`). Converters and transforms work on these types alone.

pub mod calendar;
pub mod decimal;
pub mod java_number;
pub mod logical;
pub mod misfit;
pub mod record;
pub mod schema;
pub mod value;

pub use misfit::Misfit;
pub use record::SourceRecord;
pub use schema::{Field, Schema, SchemaKind};
pub use value::{Struct, Value};
