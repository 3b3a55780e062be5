//! `HoistField`: the whole key or value becomes the one field of a struct, or the one entry of a map.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Form, OptionDef},
    error::Result,
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Fields, check_null},
    side::Side,
};
use crate::data::{Field, Schema, SourceRecord, Struct, Value};

pub(super) const OPTIONS: &[OptionDef] = &[OptionDef::text("field", "Name of the field that is made.").required()];

#[derive(Clone, Debug)]
struct HoistField {
    side: Side,
    field: String,
    schemas: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(HoistField { side: form.side(), field: options.text("field").into(), schemas: SchemaCache::default() }))
}

impl Transform for HoistField {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let Some(schema) = schema else {
            let entries = vec![(self.field.as_str().into(), value)];
            self.side.put(&mut record, None, Value::Map(entries));
            return Ok(Some(record));
        };
        let field = self.field.as_str();
        let hoisted = self.schemas.get(&schema, || {
            let mut fields = Fields::default();
            fields.push(Field::new(field, Arc::clone(&schema)))?;
            Ok(Arc::new(fields.bare()))
        })?;
        check_null(&hoisted.fields()[0], &value)?;
        let value = Struct { schema: Arc::clone(hoisted), values: vec![value] };
        let hoisted = Arc::clone(hoisted);
        self.side.put(&mut record, Some(hoisted), value.into());
        Ok(Some(record))
    }
}
