//! `MaskField`: fields get the empty value of their type, or a given one.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, Importance, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Careful, entry, key_text, require_map, require_struct, set_entry},
    side::Side,
};
use crate::{
    data::{Schema, SourceRecord, Value, logical::LogicalType},
    java::{hash_map, number},
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::list("fields", "Names of the fields to mask.").required().valid(Check::DistinctNonEmpty),
    OptionDef {
        importance: Importance::Low,
        ..OptionDef::text("replacement", "What the fields get instead: a text, or a number for fields of numbers.")
            .valid(Check::NonEmpty)
    },
    super::classes::REPLACE_NULL,
];

const PURPOSE: &str = "mask fields";

#[derive(Clone, Debug)]
struct MaskField {
    side: Side,
    fields: Vec<String>,
    replacement: Option<String>,
    with_default: bool,
    /// Which fields are masked, by schema.
    plans: SchemaCache<(Vec<usize>, Careful)>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let mut fields = options.list("fields");
    hash_map::sort(&mut fields, hash_map::NEW, |field| field);
    Ok(Box::new(MaskField {
        side: form.side(),
        fields,
        replacement: options.optional("replacement").map(str::to_owned),
        with_default: options.flag("replace.null.with.default"),
        plans: SchemaCache::default(),
    }))
}

impl Transform for MaskField {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let value = match schema {
            None => {
                let mut entries = require_map(value, PURPOSE)?;
                let table = hash_map::copied(entries.len());
                for field in &self.fields {
                    let value = entry(&entries, field).unwrap_or(&Value::Null);
                    let value = masked_value(self.replacement.as_deref(), None, value)
                        .map_err(|error| within(field, &error))?;
                    set_entry(&mut entries, field, value);
                }
                hash_map::sort(&mut entries, table, key_text);
                Value::Map(entries)
            }
            Some(_) => {
                let mut value = require_struct(value, PURPOSE)?;
                let fields = &self.fields;
                let (masked, careful) = self.plans.get(&value.schema, || {
                    let masked = fields.iter().filter_map(|field| value.schema.field_index(field)).collect();
                    Ok((masked, Careful::of(&value.schema)))
                })?;
                careful.settle(&mut value, self.with_default)?;
                for &index in masked {
                    let field = &value.schema.fields()[index];
                    let empty = masked_value(self.replacement.as_deref(), Some(&field.schema), &value.values[index]);
                    value.values[index] = empty.map_err(|error| within(&field.name, &error))?;
                }
                value.into()
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

fn within(field: &str, error: &TransformError) -> TransformError {
    TransformError::new(format!("field {field}: {error}"))
}

fn masked_value(replacement: Option<&str>, schema: Option<&Schema>, value: &Value) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let logical = schema.and_then(LogicalType::of);
    match replacement {
        None => empty(logical, value),
        Some(text) => replaced(logical, value, text),
    }
}

fn empty(logical: Option<LogicalType>, value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Int8(_) => Value::Int8(0),
        Value::Int16(_) => Value::Int16(0),
        Value::Int32(_) => Value::Int32(0),
        Value::Int64(_) => Value::Int64(0),
        Value::Float32(_) => Value::Float32(0.0),
        Value::Float64(_) => Value::Float64(0.0),
        Value::Boolean(_) => Value::Boolean(false),
        Value::String(_) => "".into(),
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Map(_) => Value::Map(Vec::new()),
        Value::Bytes(_) => match logical {
            Some(LogicalType::Decimal { scale: 0 }) => Value::Bytes(vec![0]),
            // Connect puts in a zero of scale 0, which no converter takes then.
            Some(LogicalType::Decimal { .. }) => {
                return Err(TransformError::new(
                    "Decimal value has mismatching scale; give a replacement with as many digits behind the point as the field has",
                ));
            }
            _ => return Err(TransformError::new("Cannot mask value of type: bytes")),
        },
        Value::Null | Value::Struct(_) => {
            return Err(TransformError::new(format!("Cannot mask value of type: {}", value.kind_name())));
        }
    })
}

fn replaced(logical: Option<LogicalType>, value: &Value, text: &str) -> Result<Value> {
    let is_instant = matches!(logical, Some(LogicalType::Date | LogicalType::Time | LogicalType::Timestamp));
    let number = number::parse_decimal(text);
    let whole = || number.as_ref().map(|(digits, scale)| number::decimal_to_i64(digits, *scale));
    let double = || {
        let (digits, scale) = number.as_ref()?;
        number::decimal_to_scientific(digits, *scale).parse::<f64>().ok()
    };
    let replaced = match (value, logical) {
        _ if is_instant => None,
        (Value::String(_), _) => return Ok(text.into()),
        (Value::Int8(_), _) => Some(whole().map(|number| Value::Int8(number as i8))),
        (Value::Int16(_), _) => Some(whole().map(|number| Value::Int16(number as i16))),
        (Value::Int32(_), _) => Some(whole().map(|number| Value::Int32(number as i32))),
        (Value::Int64(_), _) => Some(whole().map(Value::Int64)),
        (Value::Float32(_), _) => Some(double().map(|number| Value::Float32(number as f32))),
        (Value::Float64(_), _) => Some(double().map(Value::Float64)),
        (Value::Bytes(_), Some(LogicalType::Decimal { scale })) => {
            Some(number::decimal_bytes(text, scale).map(Value::Bytes))
        }
        _ => None,
    };
    match replaced {
        None => Err(TransformError::new(format!(
            "Cannot mask value of type {} with custom replacement.",
            if is_instant { "date or time" } else { value.kind_name() }
        ))),
        Some(None) => Err(TransformError::new("Unable to convert the replacement to a number of the field's type")),
        Some(Some(value)) => Ok(value),
    }
}
