//! `SetSchemaMetadata`: another name or version for the schema of the key or value.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Form, Importance, Kind, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::Careful,
    side::Side,
};
use crate::data::{Schema, SchemaKind, SourceRecord, Value};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef { importance: Importance::High, ..OptionDef::text("schema.name", "The new name.") },
    OptionDef {
        kind: Kind::Int,
        importance: Importance::High,
        ..OptionDef::text("schema.version", "The new version, a whole number.")
    },
    super::classes::REPLACE_NULL,
];

#[derive(Clone, Debug)]
struct SetSchemaMetadata {
    side: Side,
    name: Option<Arc<str>>,
    version: Option<i32>,
    with_default: bool,
    schemas: SchemaCache<(Arc<Schema>, Careful)>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let (name, version) = (options.optional("schema.name").map(Arc::from), options.int("schema.version"));
    if name.is_none() && version.is_none() {
        let message = "Neither schema name nor version configured. Set schema.name or schema.version";
        return Err(OptionError::together(message));
    }
    Ok(Box::new(SetSchemaMetadata {
        side: form.side(),
        name,
        version,
        with_default: options.flag("replace.null.with.default"),
        schemas: SchemaCache::default(),
    }))
}

impl Transform for SetSchemaMetadata {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, mut value) = self.side.take(&mut record);
        let Some(schema) = schema else {
            if value.is_null() {
                return Ok(Some(record));
            }
            return Err(TransformError::new("Schema required for [updating schema metadata]"));
        };
        if !matches!(schema.kind, SchemaKind::Struct(_)) {
            return Err(TransformError::new("Cannot list fields on non-struct type"));
        }
        let (updated, careful) = self.schemas.get(&schema, || {
            let updated = Schema {
                name: self.name.clone().or_else(|| schema.name.clone()),
                version: self.version.or(schema.version),
                ..(*schema).clone()
            };
            Ok((Arc::new(updated), Careful::of(&schema)))
        })?;
        let updated = Arc::clone(updated);
        if let Value::Struct(inner) = &mut value {
            careful.settle(inner, self.with_default)?;
            inner.schema = Arc::clone(&updated);
        }
        self.side.put(&mut record, Some(updated), value);
        Ok(Some(record))
    }
}
