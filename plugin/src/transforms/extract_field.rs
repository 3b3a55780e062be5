//! `ExtractField`: one field takes the place of the whole key or value.

use super::{
    chain::{Context, Transform},
    definition::{Form, OptionDef},
    error::{Result, TransformError},
    field_path::{FieldPath, SYNTAX},
    options::{OptionError, Options},
    shape::{require_map, require_struct},
    side::Side,
};
use crate::data::{SourceRecord, Value};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text("field", "Name of the field, or the path to it.").required(),
    SYNTAX,
    super::classes::REPLACE_NULL,
];

const PURPOSE: &str = "field extraction";

#[derive(Clone, Debug)]
struct ExtractField {
    side: Side,
    field: String,
    path: FieldPath,
    with_default: bool,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let field = options.text("field");
    let path = FieldPath::parse(field, options.text("field.syntax.version"));
    Ok(Box::new(ExtractField {
        side: form.side(),
        field: field.into(),
        path: path.map_err(|reason| OptionError::of("field", reason))?,
        with_default: options.flag("replace.null.with.default"),
    }))
}

impl Transform for ExtractField {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match (schema, value) {
            (None, Value::Null) => (None, Value::Null),
            (None, value) => (None, self.path.in_map(&require_map(value, PURPOSE)?)?),
            (Some(schema), value) => {
                let value = match value {
                    Value::Null => None,
                    value => Some(require_struct(value, PURPOSE)?),
                };
                let Some(found) = self.path.schema(&schema)? else {
                    return Err(TransformError::new(format!("Unknown field: {}", self.field)));
                };
                let value = value.map(|value| self.path.in_struct(&value, self.with_default)).transpose()?;
                (Some(found.clone()), value.unwrap_or(Value::Null))
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}
