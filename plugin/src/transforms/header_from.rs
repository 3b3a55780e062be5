//! `HeaderFrom`: copies or moves fields into headers, which keep the fields' schemas.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Fields, check_null, entry, key_text, or_default, require_map, require_struct},
    side::Side,
};
use crate::{
    data::{Schema, SourceRecord, Struct, Value, record::Header},
    java::hash_map,
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::list("fields", "Names of the fields.").required().valid(Check::NonEmpty),
    OptionDef::list("headers", "Names of the headers, one for each field.").required().valid(Check::NonEmpty),
    OptionDef::text("operation", "`move` takes the fields away, `copy` leaves them.")
        .required()
        .valid(Check::OneOf(&["move", "copy"])),
    super::classes::REPLACE_NULL,
];

#[derive(Clone, Debug)]
struct HeaderFrom {
    side: Side,
    fields: Vec<String>,
    headers: Vec<String>,
    moves: bool,
    with_default: bool,
    schemas: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let (fields, headers) = (options.list("fields"), options.list("headers"));
    if fields.len() != headers.len() {
        let message = "'fields' config must have the same number of elements as 'headers' config.";
        return Err(OptionError::of("fields", message));
    }
    Ok(Box::new(HeaderFrom {
        side: form.side(),
        fields,
        headers,
        moves: options.text("operation") == "move",
        with_default: options.flag("replace.null.with.default"),
        schemas: SchemaCache::default(),
    }))
}

impl Transform for HeaderFrom {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let purpose = if self.moves { "header move" } else { "header copy" };
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => {
                let value = self.take_from_map(require_map(value, purpose)?, &mut record.headers);
                (None, value)
            }
            Some(schema) => {
                let value = require_struct(value, purpose)?;
                let (schema, value) = self.take_from_struct(schema, value, &mut record.headers)?;
                (Some(schema), value.into())
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl HeaderFrom {
    fn take_from_map(&self, mut entries: Vec<(Value, Value)>, headers: &mut Vec<Header>) -> Value {
        let table = hash_map::copied(entries.len());
        for (field, header) in self.fields.iter().zip(&self.headers) {
            let value = entry(&entries, field).cloned().unwrap_or(Value::Null);
            headers.push(Header { key: header.clone(), schema: None, value });
        }
        if self.moves {
            entries.retain(|(key, _)| !self.fields.iter().any(|field| key.as_str() == Some(field)));
        }
        hash_map::sort(&mut entries, table, key_text);
        Value::Map(entries)
    }

    fn take_from_struct(
        &mut self,
        schema: Arc<Schema>,
        value: Struct,
        headers: &mut Vec<Header>,
    ) -> Result<(Arc<Schema>, Struct)> {
        for (field, header) in self.fields.iter().zip(&self.headers) {
            let index = value.schema.field_index(field);
            let Some((index, known)) = index.zip(schema.field(field)) else {
                return Err(TransformError::new(format!("Unknown field: {field}")));
            };
            let found = value.values.get(index).cloned().unwrap_or(Value::Null);
            headers.push(Header {
                key: header.clone(),
                value: or_default(found, &known.schema, self.with_default),
                schema: Some(Arc::clone(&known.schema)),
            });
        }
        if !self.moves {
            return Ok((schema, value));
        }
        let fields = &self.fields;
        let kept = self.schemas.get(&schema, || kept_schema(&schema, fields).map(Arc::new))?;
        let mut values = Vec::with_capacity(kept.fields().len());
        for (field, value) in value.schema.fields().iter().zip(value.values) {
            if !fields.iter().any(|moved| **moved == *field.name) {
                let value = or_default(value, &field.schema, self.with_default);
                check_null(field, &value)?;
                values.push(value);
            }
        }
        Ok((Arc::clone(kept), Struct { schema: Arc::clone(kept), values }))
    }
}

fn kept_schema(schema: &Schema, moved: &[String]) -> Result<Schema> {
    let mut fields = Fields::default();
    for field in schema.fields().iter().filter(|field| !moved.iter().any(|moved| **moved == *field.name)) {
        fields.push(field.clone())?;
    }
    Ok(fields.like(schema))
}
