//! Confluent's `Drop`: the key or the value becomes null; what becomes of the schema is an option.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    side::Side,
};
use crate::data::{Schema, SourceRecord, Value};

pub(super) const OPTIONS: &[OptionDef] = &[OptionDef::text(
    "schema.behavior",
    "`nullify` takes the schema away too, `retain` keeps it, `validate` keeps it and fails when it is not optional, `force_optional` makes it optional.",
)
.default("nullify")
.valid(Check::OneOfAnyCase(&["nullify", "retain", "validate", "force_optional"]))];

#[derive(Clone, Copy, Debug)]
enum Behavior {
    Nullify,
    Retain,
    Validate,
    ForceOptional,
}

#[derive(Clone, Debug)]
struct Drop {
    side: Side,
    behavior: Behavior,
    optional: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let behavior = match options.text("schema.behavior").to_ascii_lowercase().as_str() {
        "retain" => Behavior::Retain,
        "validate" => Behavior::Validate,
        "force_optional" => Behavior::ForceOptional,
        _ => Behavior::Nullify,
    };
    Ok(Box::new(Drop { side: form.side(), behavior, optional: SchemaCache::default() }))
}

impl Transform for Drop {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, _) = self.side.take(&mut record);
        let schema = match (self.behavior, schema) {
            (Behavior::Nullify, _) | (_, None) => None,
            (Behavior::Validate, Some(schema)) if !schema.optional => {
                return Err(TransformError::new(
                    "the schema is not optional, so that null does not fit it; set schema.behavior to nullify or force_optional",
                ));
            }
            (Behavior::ForceOptional, Some(schema)) if !schema.optional => {
                let optional = self.optional.get(&schema, || Ok(Arc::new((*schema).clone().optional())))?;
                Some(Arc::clone(optional))
            }
            (_, schema) => schema,
        };
        self.side.put(&mut record, schema, Value::Null);
        Ok(Some(record))
    }
}
