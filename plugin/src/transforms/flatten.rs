//! `Flatten`: fields of nested structs, or entries of nested maps, at the top, their names put together.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Fields, check_null, or_default, require_map, require_struct, set_entry},
    side::Side,
};
use crate::data::{Field, Schema, SchemaKind, SourceRecord, Struct, Value};

pub(super) const OPTIONS: &[OptionDef] =
    &[OptionDef::text("delimiter", "What stands between the names of a nested field.").default(".")];

const PURPOSE: &str = "flattening";
/// How deep a schemaless map may be nested.
const DEPTH_MAX: usize = 100;

#[derive(Clone, Debug)]
struct Flatten {
    side: Side,
    delimiter: String,
    schemas: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(Flatten {
        side: form.side(),
        delimiter: options.text("delimiter").into(),
        schemas: SchemaCache::default(),
    }))
}

impl Transform for Flatten {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        if self.side.value(&record).is_null() {
            return Ok(Some(record));
        }
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => {
                let mut flat = Vec::new();
                self.entries("", require_map(value, PURPOSE)?, &mut flat, 0)?;
                (None, Value::Map(flat))
            }
            Some(schema) => {
                let value = require_struct(value, PURPOSE)?;
                let delimiter = &self.delimiter;
                let flat = self.schemas.get(&schema, || flat_schema(&schema, delimiter).map(Arc::new))?;
                let mut values = Vec::with_capacity(flat.fields().len());
                push_struct(value, &mut values);
                for (field, value) in flat.fields().iter().zip(&values) {
                    check_null(field, value)?;
                }
                let value = Struct { schema: Arc::clone(flat), values };
                (Some(Arc::clone(flat)), value.into())
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl Flatten {
    fn entries(
        &self,
        prefix: &str,
        entries: Vec<(Value, Value)>,
        flat: &mut Vec<(Value, Value)>,
        depth: usize,
    ) -> Result<()> {
        if depth > DEPTH_MAX {
            return Err(TransformError::new(format!("the map is nested deeper than {DEPTH_MAX} levels")));
        }
        for (key, value) in entries {
            let name = joined(prefix, key.as_str().unwrap_or_default(), &self.delimiter);
            match value {
                Value::Map(inner) => self.entries(&name, inner, flat, depth + 1)?,
                Value::Struct(_) => {
                    let message = format!(
                        "Flatten transformation does not support struct for record without schemas (for field {name})."
                    );
                    return Err(TransformError::new(message));
                }
                value => set_entry(flat, &name, value),
            }
        }
        Ok(())
    }
}

fn joined(prefix: &str, name: &str, delimiter: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}{delimiter}{name}") }
}

fn flat_schema(schema: &Schema, delimiter: &str) -> Result<Schema> {
    if !matches!(schema.kind, SchemaKind::Struct(_)) {
        return Err(TransformError::new("Cannot list fields on non-struct type"));
    }
    let mut fields = Fields::default();
    push_fields(schema, "", delimiter, schema.optional, schema.default.as_ref(), &mut fields)?;
    Ok(fields.like(schema))
}

/// What is within an optional struct is optional; its default may come with the default of the struct.
fn push_fields(
    schema: &Schema,
    prefix: &str,
    delimiter: &str,
    optional: bool,
    default: Option<&Value>,
    flat: &mut Fields,
) -> Result<()> {
    for (index, field) in schema.fields().iter().enumerate() {
        let name = joined(prefix, &field.name, delimiter);
        let optional = optional || field.schema.optional;
        let from_parent = default.and_then(Value::as_struct).and_then(|default| default.values.get(index));
        let default = field.schema.default.as_ref().or(from_parent).filter(|default| !default.is_null());
        match &field.schema.kind {
            SchemaKind::Struct(_) => push_fields(&field.schema, &name, delimiter, optional, default, flat)?,
            SchemaKind::Map(..) => {
                return Err(TransformError::new(format!(
                    "Flatten transformation does not support MAP for record with schemas (for field {name})."
                )));
            }
            _ => {
                let schema = Schema { optional, default: default.cloned(), ..(*field.schema).clone() };
                flat.push(Field::new(name, schema))?;
            }
        }
    }
    Ok(())
}

fn push_struct(value: Struct, flat: &mut Vec<Value>) {
    let Struct { schema, values } = value;
    for (field, value) in schema.fields().iter().zip(values) {
        match (&field.schema.kind, or_default(value, &field.schema, true)) {
            (SchemaKind::Struct(_), Value::Struct(inner)) => push_struct(inner, flat),
            (SchemaKind::Struct(_), _) => push_nulls(&field.schema, flat),
            (_, value) => flat.push(value),
        }
    }
}

fn push_nulls(schema: &Schema, flat: &mut Vec<Value>) {
    for field in schema.fields() {
        match field.schema.kind {
            SchemaKind::Struct(_) => push_nulls(&field.schema, flat),
            _ => flat.push(Value::Null),
        }
    }
}
