//! `ExtractTimestamp` of the community's transforms: a field is the record's timestamp.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    json_path::member,
    options::{OptionError, Options},
    side::Side,
};
use crate::data::{SourceRecord, Value, logical};

pub(super) const OPTIONS: &[OptionDef] =
    &[OptionDef::text("field.name", "Name of the field: a Timestamp, or milliseconds since the epoch as int64.")
        .required()
        .valid(Check::NonEmpty)];

#[derive(Clone, Debug)]
struct ExtractTimestamp {
    side: Side,
    field: String,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(ExtractTimestamp { side: form.side(), field: options.text("field.name").into() }))
}

impl Transform for ExtractTimestamp {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let fails = |what: &str| Err(TransformError::new(format!("field {}: {what}", self.field)));
        let value = self.side.value(&record);
        let name = match value {
            Value::Struct(value) => value.schema.field(&self.field).and_then(|field| field.schema.name.clone()),
            _ => None,
        };
        let found = member(value, &self.field);
        let ms = match (name.as_deref(), found) {
            (None | Some(logical::TIMESTAMP), Some(Value::Int64(ms))) => *ms,
            (_, None) => return fails("there is no such field"),
            (_, Some(Value::Null)) => return fails("it is null"),
            (_, Some(_)) => return fails("it is neither a Timestamp nor an int64"),
        };
        if ms < 0 {
            return fails("Kafka knows no timestamps before 1970");
        }
        record.timestamp_ms = Some(ms);
        Ok(Some(record))
    }
}
