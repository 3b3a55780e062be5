//! `Side`: whether a transform works on a record's key or on its value (`$Key`, `$Value`).

use std::sync::Arc;

use crate::data::{Schema, SourceRecord, Value};

/// Key or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `$Key`
    Key,
    /// `$Value`
    Value,
}

impl Side {
    /// That side's schema.
    #[must_use]
    pub fn schema(self, record: &SourceRecord) -> Option<&Arc<Schema>> {
        match self {
            Self::Key => record.key_schema.as_ref(),
            Self::Value => record.value_schema.as_ref(),
        }
    }

    /// That side's value.
    #[must_use]
    pub fn value(self, record: &SourceRecord) -> &Value {
        match self {
            Self::Key => &record.key,
            Self::Value => &record.value,
        }
    }

    /// Takes both out; null without a schema stays behind.
    pub(super) fn take(self, record: &mut SourceRecord) -> (Option<Arc<Schema>>, Value) {
        let (schema, value) = match self {
            Self::Key => (&mut record.key_schema, &mut record.key),
            Self::Value => (&mut record.value_schema, &mut record.value),
        };
        (schema.take(), std::mem::replace(value, Value::Null))
    }

    /// Puts both in.
    pub(super) fn put(self, record: &mut SourceRecord, schema: Option<Arc<Schema>>, value: Value) {
        match self {
            Self::Key => (record.key_schema, record.key) = (schema, value),
            Self::Value => (record.value_schema, record.value) = (schema, value),
        }
    }
}
