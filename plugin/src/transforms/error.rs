//! `TransformError`: why a transform cannot take a record. Names fields, kinds and settings, never a value.

use crate::{data::Value, java::regex::RegexError};

/// A record that a transform cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransformError(String);

pub(super) type Result<T> = std::result::Result<T, TransformError>;

impl TransformError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<RegexError> for TransformError {
    fn from(error: RegexError) -> Self {
        Self(error.to_string())
    }
}

/// The failure of a transform that needs a struct.
pub(super) fn not_a_struct(purpose: &str, found: &Value) -> TransformError {
    TransformError(format!("Only Struct objects supported for [{purpose}], found: {}", found.kind_name()))
}

/// The failure of a transform that needs a map.
pub(super) fn not_a_map(purpose: &str, found: &Value) -> TransformError {
    TransformError(format!(
        "Only Map objects supported in absence of schema for [{purpose}], found: {}",
        found.kind_name()
    ))
}
