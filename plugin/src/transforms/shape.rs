//! Building blocks of transforms that change the shape of structs: what `SchemaBuilder` and `Struct.put` refuse, and what
//! `SchemaUtil.copySchemaBasics` copies.

use super::error::{Result, TransformError, not_a_map, not_a_struct};
use crate::data::{Field, Schema, SchemaKind, Struct, Value};

/// Fields of a schema that is being built. A name that is empty or there already is refused.
#[derive(Default)]
pub(super) struct Fields(Vec<Field>);

impl Fields {
    pub(super) fn push(&mut self, field: Field) -> Result<()> {
        if field.name.is_empty() {
            return Err(TransformError::new("a field's name would be empty"));
        }
        if self.0.iter().any(|other| other.name == field.name) {
            return Err(TransformError::new(format!(
                "Cannot create field because of field name duplication {}",
                field.name
            )));
        }
        self.0.push(field);
        Ok(())
    }

    /// The struct schema, with name, version, documentation and parameters of another one. It is not optional and has
    /// no default.
    pub(super) fn like(self, other: &Schema) -> Schema {
        basics(other, SchemaKind::Struct(self.0))
    }

    /// The struct schema, without a name.
    pub(super) fn bare(self) -> Schema {
        Schema::structure(self.0)
    }
}

/// A schema of that kind with name, version, documentation and parameters of another one.
pub(super) fn basics(other: &Schema, kind: SchemaKind) -> Schema {
    Schema {
        name: other.name.clone(),
        version: other.version,
        doc: other.doc.clone(),
        parameters: other.parameters.clone(),
        ..Schema::of(kind)
    }
}

/// A field's value as Connect reads it: for null the schema's default, if that is asked for.
pub(super) fn or_default(value: Value, schema: &Schema, with_default: bool) -> Value {
    match &schema.default {
        Some(default) if with_default && value.is_null() => default.clone(),
        _ => value,
    }
}

/// What `Struct.put` refuses for null: a field that is not optional, whether it has a default or not.
pub(super) fn check_null(field: &Field, value: &Value) -> Result<()> {
    if value.is_null() && !field.schema.optional {
        return Err(TransformError::new(format!("Invalid value: null used for required field: \"{}\"", field.name)));
    }
    Ok(())
}

/// The fields of a struct that a transform must look at before it copies them: those with a default, and those that null
/// does not fit. All others are copied as they are, which is what makes wide records cheap.
#[derive(Clone, Debug)]
pub(super) struct Careful(Vec<usize>);

impl Careful {
    pub(super) fn of(schema: &Schema) -> Self {
        let careful = |field: &Field| !field.schema.optional || field.schema.default.is_some();
        Self(schema.fields().iter().enumerate().filter(|(_, field)| careful(field)).map(|(index, _)| index).collect())
    }

    /// Puts defaults in the place of nulls, if that is asked for, and refuses nulls that do not fit.
    pub(super) fn settle(&self, value: &mut Struct, with_default: bool) -> Result<()> {
        for &index in &self.0 {
            let (Some(field), Some(slot)) = (value.schema.fields().get(index), value.values.get_mut(index)) else {
                continue;
            };
            if slot.is_null() {
                *slot = or_default(Value::Null, &field.schema, with_default);
                check_null(field, slot)?;
            }
        }
        Ok(())
    }
}

pub(super) fn require_struct(value: Value, purpose: &str) -> Result<Struct> {
    match value {
        Value::Struct(value) => Ok(value),
        other => Err(not_a_struct(purpose, &other)),
    }
}

pub(super) fn require_map(value: Value, purpose: &str) -> Result<Vec<(Value, Value)>> {
    match value {
        Value::Map(entries) => Ok(entries),
        other => Err(not_a_map(purpose, &other)),
    }
}

/// The value of a schemaless map's entry.
pub(super) fn entry<'a>(entries: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    entries.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

/// Sets an entry of a schemaless map, at its place or at the end.
pub(super) fn set_entry(entries: &mut Vec<(Value, Value)>, name: &str, value: Value) {
    match entries.iter_mut().find(|(key, _)| key.as_str() == Some(name)) {
        Some(entry) => entry.1 = value,
        None => entries.push((name.into(), value)),
    }
}

/// A map's key as text; keys of schemaless maps are texts.
pub(super) fn key_text(entry: &(Value, Value)) -> &str {
    entry.0.as_str().unwrap_or_default()
}
