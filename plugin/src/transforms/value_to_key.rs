//! `ValueToKey`: the key is made anew of fields of the value.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError, not_a_map, not_a_struct},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Fields, check_null, entry, key_text, or_default, set_entry},
};
use crate::{
    data::{Field, Schema, SourceRecord, Struct, Value},
    java::hash_map,
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::list("fields", "Names of the value's fields that make the key.")
        .required()
        .valid(Check::DistinctNonEmpty),
    super::classes::REPLACE_NULL,
];

const PURPOSE: &str = "copying fields from value to key";

/// The key's schema, and which field of the value each of its fields is.
type Plan = (Arc<Schema>, Vec<usize>);

#[derive(Clone, Debug)]
struct ValueToKey {
    fields: Vec<String>,
    with_default: bool,
    plans: SchemaCache<Plan>,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(ValueToKey {
        fields: options.list("fields"),
        with_default: options.flag("replace.null.with.default"),
        plans: SchemaCache::default(),
    }))
}

impl Transform for ValueToKey {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        if record.value_schema.is_none() {
            let Value::Map(entries) = &record.value else { return Err(not_a_map(PURPOSE, &record.value)) };
            let mut key = Vec::new();
            for field in &self.fields {
                set_entry(&mut key, field, entry(entries, field).cloned().unwrap_or(Value::Null));
            }
            hash_map::sort(&mut key, hash_map::sized(self.fields.len()), key_text);
            (record.key_schema, record.key) = (None, Value::Map(key));
            return Ok(Some(record));
        }
        let Value::Struct(value) = &record.value else { return Err(not_a_struct(PURPOSE, &record.value)) };
        let names = &self.fields;
        let (schema, positions) = self.plans.get(&value.schema, || plan(&value.schema, names))?;
        let mut values = Vec::with_capacity(positions.len());
        for (&position, field) in positions.iter().zip(schema.fields()) {
            let found = value.values.get(position).cloned().unwrap_or(Value::Null);
            let found = or_default(found, &field.schema, self.with_default);
            check_null(field, &found)?;
            values.push(found);
        }
        let key = Struct { schema: Arc::clone(schema), values };
        (record.key_schema, record.key) = (Some(Arc::clone(schema)), key.into());
        Ok(Some(record))
    }
}

fn plan(schema: &Schema, names: &[String]) -> Result<Plan> {
    let (mut fields, mut positions) = (Fields::default(), Vec::new());
    for name in names {
        let Some(position) = schema.field_index(name) else {
            return Err(TransformError::new(format!("Field does not exist: {name}")));
        };
        positions.push(position);
        fields.push(Field::new(name.as_str(), Arc::clone(&schema.fields()[position].schema)))?;
    }
    Ok((Arc::new(fields.bare()), positions))
}
