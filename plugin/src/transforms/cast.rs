//! `Cast`: fields, or the whole key or value, into another primitive type, as Java narrows and prints.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Careful, basics, entry, key_text, require_map, require_struct, set_entry},
    side::Side,
};
use crate::{
    data::{Field, Schema, SchemaKind, SourceRecord, Value, decimal, logical::LogicalType},
    java::{hash_map, number, text},
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text(
        "spec",
        "`field:type` with commas between, or one type alone for the whole key or value. Types: int8, int16, int32, int64, float32, float64, boolean, string.",
    )
    .required()
    .valid(Check::NonEmpty),
    super::classes::REPLACE_NULL,
];

const PURPOSE: &str = "cast types";

/// The types that a value can be cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
}

#[derive(Clone, Debug)]
enum Spec {
    Whole(Target),
    Fields(Vec<(String, Target)>),
}

/// What casting makes of a schema.
#[derive(Clone, Debug)]
struct Plan {
    schema: Arc<Schema>,
    /// Which fields are cast, and into what.
    targets: Vec<(usize, Target)>,
    careful: Careful,
}

#[derive(Clone, Debug)]
struct Cast {
    side: Side,
    spec: Spec,
    with_default: bool,
    plans: SchemaCache<Plan>,
    whole: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(Cast {
        side: form.side(),
        spec: parse(options.text("spec")).map_err(|reason| OptionError::of("spec", reason))?,
        with_default: options.flag("replace.null.with.default"),
        plans: SchemaCache::default(),
        whole: SchemaCache::default(),
    }))
}

fn parse(spec: &str) -> std::result::Result<Spec, String> {
    let items = super::options::items(spec);
    let mut fields: Vec<(String, Target)> = Vec::new();
    for item in &items {
        // Java drops what is empty at the end of a split.
        let parts: Vec<&str> = item.trim_end_matches(':').split(':').collect();
        match parts[..] {
            [whole] if items.len() == 1 => return target(whole).map(Spec::Whole),
            [_] => {
                return Err("Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec".into());
            }
            [field, kind] => {
                let (field, kind) = (field.trim().to_owned(), target(kind)?);
                fields.retain(|(other, _)| *other != field);
                fields.push((field, kind));
            }
            _ => return Err(format!("Invalid value {spec} for configuration {{property}}: Invalid mapping: {item}")),
        }
    }
    // The order in which a map without a schema gets what it lacks.
    hash_map::sort(&mut fields, hash_map::NEW, |(field, _)| field);
    Ok(Spec::Fields(fields))
}

fn target(text: &str) -> std::result::Result<Target, String> {
    Ok(match text.trim().to_ascii_lowercase().as_str() {
        "int8" => Target::Int8,
        "int16" => Target::Int16,
        "int32" => Target::Int32,
        "int64" => Target::Int64,
        "float32" => Target::Float32,
        "float64" => Target::Float64,
        "boolean" => Target::Boolean,
        "string" => Target::String,
        other => {
            return Err(format!(
                "Invalid type found in casting spec: {other}. Use int8, int16, int32, int64, float32, float64, boolean or string"
            ));
        }
    })
}

impl Target {
    fn kind(self) -> SchemaKind {
        match self {
            Self::Int8 => SchemaKind::Int8,
            Self::Int16 => SchemaKind::Int16,
            Self::Int32 => SchemaKind::Int32,
            Self::Int64 => SchemaKind::Int64,
            Self::Float32 => SchemaKind::Float32,
            Self::Float64 => SchemaKind::Float64,
            Self::Boolean => SchemaKind::Boolean,
            Self::String => SchemaKind::String,
        }
    }
}

impl Transform for Cast {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        if self.side.value(&record).is_null() {
            return Ok(Some(record));
        }
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => (None, self.schemaless(value)?),
            Some(schema) => {
                let (schema, value) = self.with_schema(&schema, value)?;
                (Some(schema), value)
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl Cast {
    fn schemaless(&self, value: Value) -> Result<Value> {
        let fields = match &self.spec {
            Spec::Whole(target) => return cast(None, value, *target),
            Spec::Fields(fields) => fields,
        };
        let mut entries = require_map(value, PURPOSE)?;
        let table = hash_map::copied(entries.len());
        for (field, target) in fields {
            let value = entry(&entries, field).cloned().unwrap_or(Value::Null);
            let value = cast(None, value, *target).map_err(|error| within(field, &error))?;
            set_entry(&mut entries, field, value);
        }
        hash_map::sort(&mut entries, table, key_text);
        Ok(Value::Map(entries))
    }

    fn with_schema(&mut self, schema: &Arc<Schema>, value: Value) -> Result<(Arc<Schema>, Value)> {
        let fields = match &self.spec {
            Spec::Whole(target) => {
                let whole = self.whole.get(schema, || whole_schema(schema, *target).map(Arc::new))?;
                return Ok((Arc::clone(whole), cast(Some(schema), value, *target)?));
            }
            Spec::Fields(fields) => fields,
        };
        let mut value = require_struct(value, PURPOSE)?;
        let plan = self.plans.get(schema, || plan(schema, fields))?;
        plan.careful.settle(&mut value, self.with_default)?;
        for &(index, target) in &plan.targets {
            let field = &value.schema.fields()[index];
            let taken = std::mem::replace(&mut value.values[index], Value::Null);
            let cast = cast(Some(&field.schema), taken, target);
            value.values[index] = cast.map_err(|error| within(&field.name, &error))?;
        }
        value.schema = Arc::clone(&plan.schema);
        Ok((Arc::clone(&plan.schema), value.into()))
    }
}

fn plan(schema: &Schema, casts: &[(String, Target)]) -> Result<Plan> {
    if !matches!(schema.kind, SchemaKind::Struct(_)) {
        return Err(TransformError::new("Cannot list fields on non-struct type"));
    }
    let (mut fields, mut targets) = (Vec::new(), Vec::new());
    for (index, field) in schema.fields().iter().enumerate() {
        let target = casts.iter().find(|(name, _)| **name == *field.name).map(|(_, target)| *target);
        targets.extend(target.map(|target| (index, target)));
        fields.push(match target {
            None => field.clone(),
            Some(target) => {
                let default = field.schema.default.clone().map(|default| cast(Some(&field.schema), default, target));
                let default = default.transpose().map_err(|error| within(&field.name, &error))?;
                let schema = Schema { optional: field.schema.optional, default, ..Schema::of(target.kind()) };
                Field::new(Arc::clone(&field.name), schema)
            }
        });
    }
    if schema.default.is_some() {
        return Err(TransformError::new("Cast transformation does not support casting the default of a struct"));
    }
    let updated = Schema { optional: schema.optional, ..basics(schema, SchemaKind::Struct(fields)) };
    Ok(Plan { schema: Arc::new(updated), targets, careful: Careful::of(schema) })
}

/// Connect keeps the name of a schema that is cast as a whole. A logical type's name then stands on a value that is not
/// of that type any more, which no converter takes.
fn whole_schema(schema: &Schema, target: Target) -> Result<Schema> {
    if LogicalType::of(schema).is_some() {
        return Err(TransformError::new(
            "a Date, Time, Timestamp or Decimal that is cast as a whole keeps its name and cannot be converted; use TimestampConverter",
        ));
    }
    let default = schema.default.clone().map(|default| cast(Some(schema), default, target)).transpose()?;
    Ok(Schema { optional: schema.optional, default, ..basics(schema, target.kind()) })
}

fn within(field: &str, error: &TransformError) -> TransformError {
    TransformError::new(format!("field {field}: {error}"))
}

fn cast(schema: Option<&Schema>, value: Value, target: Target) -> Result<Value> {
    let unreadable = || TransformError::new("a text was out of range for requested data type");
    let found = value.kind_name();
    let from_whole = |number: i64| match target {
        Target::Int8 => Value::Int8(number as i8),
        Target::Int16 => Value::Int16(number as i16),
        Target::Int32 => Value::Int32(number as i32),
        Target::Int64 => Value::Int64(number),
        Target::Float32 => Value::Float32(number as f32),
        Target::Float64 => Value::Float64(number as f64),
        Target::Boolean => Value::Boolean(number != 0),
        Target::String => Value::String(number.to_string()),
    };
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => Err(TransformError::new(format!(
            "Cast transformation does not support casting from {found} to another type"
        ))),
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => {
            if let (Target::String, Some(ms)) = (target, schema.and_then(|schema| text::instant_ms(schema, &value))) {
                return Ok(text::instant_text(ms).into());
            }
            Ok(from_whole(value.as_i64().unwrap_or_default()))
        }
        Value::Float32(number) if target == Target::Float32 => Ok(Value::Float32(number)),
        Value::Float32(_) | Value::Float64(_) if target == Target::String => {
            Ok(text::to_text(None, &value).unwrap_or_default().into())
        }
        Value::Float32(number) => Ok(from_double(f64::from(number), target)),
        Value::Float64(number) => Ok(from_double(number, target)),
        Value::Boolean(yes) if target == Target::Boolean => Ok(Value::Boolean(yes)),
        Value::Boolean(yes) if target == Target::String => Ok(yes.to_string().into()),
        Value::Boolean(yes) => Ok(from_whole(i64::from(yes))),
        Value::String(text) => from_text(text, target).ok_or_else(unreadable),
        Value::Bytes(bytes) => match schema.and_then(LogicalType::of) {
            Some(LogicalType::Decimal { scale }) => Ok(from_decimal(&bytes, scale, target)),
            _ if target == Target::String => Ok(STANDARD.encode(bytes).into()),
            _ => Err(TransformError::new("Unexpected type in Cast transformation: bytes can only be cast to string")),
        },
    }
}

fn from_double(double: f64, target: Target) -> Value {
    match target {
        Target::Int8 => Value::Int8(number::double_to_i32(double) as i8),
        Target::Int16 => Value::Int16(number::double_to_i32(double) as i16),
        Target::Int32 => Value::Int32(number::double_to_i32(double)),
        Target::Int64 => Value::Int64(number::double_to_i64(double)),
        Target::Float32 => Value::Float32(double as f32),
        Target::Float64 | Target::String => Value::Float64(double),
        Target::Boolean => Value::Boolean(number::double_to_i64(double) != 0),
    }
}

fn from_text(text: String, target: Target) -> Option<Value> {
    Some(match target {
        Target::Int8 => Value::Int8(number::parse_whole(&text)?),
        Target::Int16 => Value::Int16(number::parse_whole(&text)?),
        Target::Int32 => Value::Int32(number::parse_whole(&text)?),
        Target::Int64 => Value::Int64(number::parse_whole(&text)?),
        Target::Float32 => Value::Float32(number::parse_floating(&text)?),
        Target::Float64 => Value::Float64(number::parse_floating(&text)?),
        Target::Boolean => Value::Boolean(text.eq_ignore_ascii_case("true")),
        Target::String => Value::String(text),
    })
}

fn from_decimal(unscaled: &[u8], scale: i32, target: Target) -> Value {
    let digits = decimal::text(unscaled, 0);
    let whole = number::decimal_to_i64(&digits, i64::from(scale));
    let written = number::decimal_to_scientific(&digits, i64::from(scale));
    match target {
        Target::Int8 => Value::Int8(whole as i8),
        Target::Int16 => Value::Int16(whole as i16),
        Target::Int32 => Value::Int32(whole as i32),
        Target::Int64 => Value::Int64(whole),
        Target::Float32 => Value::Float32(written.parse().unwrap_or_default()),
        Target::Float64 => Value::Float64(written.parse().unwrap_or_default()),
        Target::Boolean => Value::Boolean(whole != 0),
        Target::String => Value::String(decimal::text(unscaled, scale)),
    }
}
