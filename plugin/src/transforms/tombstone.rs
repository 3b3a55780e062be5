//! `tributary.transforms.Tombstone`, ours: deletes become tombstones, so that a compacted topic forgets what Salesforce has
//! deleted.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::Result,
    json_path::member,
    options::{OptionError, Options},
};
use crate::data::{SourceRecord, Value};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text("field", "The value's field that tells a delete.").default("_EventType").valid(Check::NonEmpty),
    OptionDef::list("values", "What it holds then.").default("deleted").valid(Check::NonEmpty),
];

#[derive(Clone, Debug)]
struct Tombstone {
    field: String,
    values: Vec<String>,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(Tombstone { field: options.text("field").into(), values: options.list("values") }))
}

impl Transform for Tombstone {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let found = member(&record.value, &self.field).and_then(Value::as_str);
        if found.is_some_and(|found| self.values.iter().any(|value| value == found)) {
            (record.value_schema, record.value) = (None, Value::Null);
        }
        Ok(Some(record))
    }
}
