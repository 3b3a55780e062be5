//! `TimestampNow` and `TimestampNowField` of the community's transforms: the time at which the record is processed as its
//! timestamp, or in fields.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::Fields,
    side::Side,
};
use crate::data::{Field, Schema, SourceRecord, Struct, Value, logical};

pub(super) const OPTIONS: &[OptionDef] =
    &[OptionDef::list("fields", "Names of the fields that get the time.").required().valid(Check::NonEmpty)];

#[derive(Clone, Debug)]
struct TimestampNow;

#[derive(Clone, Debug)]
struct TimestampNowField {
    side: Side,
    fields: Vec<String>,
    schemas: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(_options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(TimestampNow))
}

pub(super) fn build_field(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let fields = options.list("fields");
    Ok(Box::new(TimestampNowField { side: form.side(), fields, schemas: SchemaCache::default() }))
}

impl Transform for TimestampNow {
    fn apply(&mut self, mut record: SourceRecord, context: &mut Context) -> Result<Option<SourceRecord>> {
        record.timestamp_ms = Some(context.now_ms);
        Ok(Some(record))
    }
}

impl Transform for TimestampNowField {
    fn apply(&mut self, mut record: SourceRecord, context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match (schema, value) {
            (schema, Value::Null) => (schema, Value::Null),
            (Some(schema), Value::Struct(value)) => {
                let names = &self.fields;
                let updated = Arc::clone(self.schemas.get(&schema, || with_fields(&schema, names).map(Arc::new))?);
                let mut values = value.values;
                values.resize(updated.fields().len(), Value::Null);
                for (field, slot) in updated.fields().iter().zip(&mut values) {
                    if names.iter().any(|name| **name == *field.name) {
                        *slot = Value::Int64(context.now_ms);
                    }
                }
                let value = Struct { schema: Arc::clone(&updated), values };
                (Some(updated), value.into())
            }
            (_, other) => {
                let kind = other.kind_name();
                return Err(TransformError::new(format!(
                    "a time needs a schema and a struct to stand in, found {kind}"
                )));
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

/// Fields of other types become Timestamps; those that are missing are put at the end.
fn with_fields(schema: &Schema, names: &[String]) -> Result<Schema> {
    let mut fields = Fields::default();
    for field in schema.fields() {
        let replace =
            names.iter().any(|name| **name == *field.name) && field.schema.name.as_deref() != Some(logical::TIMESTAMP);
        fields.push(if replace { Field::new(Arc::clone(&field.name), logical::timestamp()) } else { field.clone() })?;
    }
    for name in names.iter().filter(|name| schema.field(name).is_none()) {
        fields.push(Field::new(name.as_str(), logical::timestamp()))?;
    }
    Ok(Schema { optional: schema.optional, ..fields.like(schema) })
}
