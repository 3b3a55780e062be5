//! Single message transforms and predicates (`org.apache.kafka.connect.transforms`): what stands between a record and its
//! converters. One file for each transform; `classes` is the table of all of them, `chain` applies them in order. Typed
//! options come from `options`, the grammar of the properties is in `config::transforms`.
//!
//! `tests/transforms` compares every one of Apache's with the original in a JVM.

mod bytes_to_string;
mod cast;
pub mod chain;
mod change_topic_case;
pub mod classes;
pub mod definition;
mod drop;
mod drop_headers;
mod error;
mod extract_field;
mod extract_timestamp;
mod extract_topic;
mod field_path;
mod filter;
mod flatten;
mod gzip_decompress;
mod header_from;
mod hoist_field;
mod insert_field;
mod insert_header;
pub mod json_path;
mod json_path_filter;
mod json_path_parse;
mod mask_field;
mod message_timestamp_router;
pub mod options;
#[cfg(test)]
mod others;
pub mod predicates;
mod regex_router;
mod replace_field;
mod schema_cache;
mod set_maximum_precision;
mod set_schema_metadata;
mod shape;
mod side;
mod timestamp_converter;
mod timestamp_now;
mod timestamp_router;
mod tombstone;
mod tombstone_handler;
mod value_to_key;

pub use chain::{Chain, ChainError, Stage};
pub use error::TransformError;
