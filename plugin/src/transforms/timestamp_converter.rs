//! `TimestampConverter`: one form of a point in time into another: text, Unix time, Date, Time, Timestamp.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, Importance, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Careful, basics, entry, key_text, require_map, require_struct, set_entry},
    side::Side,
};
use crate::{
    data::{Field, Schema, SchemaKind, SourceRecord, Value, logical},
    java::{
        date_format::{DAY_MS, DateFormat},
        hash_map,
    },
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef {
        importance: Importance::High,
        ..OptionDef::text("field", "Name of the field. Empty: the whole key or value.").default("")
    },
    OptionDef::text("target.type", "What it becomes.").required().valid(Check::OneOf(&[
        "string",
        "unix",
        "Date",
        "Time",
        "Timestamp",
    ])),
    OptionDef::text(
        "format",
        "A pattern of Java's `SimpleDateFormat`, UTC: how texts are written, or read. A text needs it.",
    )
    .default(""),
    OptionDef {
        importance: Importance::Low,
        ..OptionDef::text("unix.precision", "What Unix time counts, written or read.")
            .default("milliseconds")
            .valid(Check::OneOf(&["nanoseconds", "microseconds", "milliseconds", "seconds"]))
    },
    super::classes::REPLACE_NULL,
];

const PURPOSE: &str = "converting timestamp formats";

/// A form of a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Unix,
    Date,
    Time,
    Timestamp,
}

/// What Unix time counts.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Seconds,
    Milliseconds,
    /// Microseconds or nanoseconds: so many in a millisecond.
    Finer(i64),
}

/// What converting makes of a schema.
#[derive(Clone, Debug)]
struct Plan {
    schema: Arc<Schema>,
    /// The field, when there is one.
    index: Option<usize>,
    careful: Careful,
}

#[derive(Clone, Debug)]
struct TimestampConverter {
    side: Side,
    field: String,
    target: Shape,
    format: Option<DateFormat>,
    unit: Unit,
    with_default: bool,
    plans: SchemaCache<Plan>,
    whole: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let target = match options.text("target.type") {
        "string" => Shape::Text,
        "unix" => Shape::Unix,
        "Date" => Shape::Date,
        "Time" => Shape::Time,
        _ => Shape::Timestamp,
    };
    let pattern = options.text("format");
    if target == Shape::Text && pattern.is_empty() {
        let message =
            "TimestampConverter requires format option to be specified when using string timestamps. Set {property}";
        return Err(OptionError::of("format", message));
    }
    let compiled = DateFormat::compile(pattern).map_err(|error| {
        let message = format!(
            "TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}: {error}"
        );
        OptionError::of("format", message)
    })?;
    Ok(Box::new(TimestampConverter {
        side: form.side(),
        field: options.text("field").into(),
        target,
        format: (!pattern.is_empty()).then_some(compiled),
        unit: match options.text("unix.precision") {
            "seconds" => Unit::Seconds,
            "microseconds" => Unit::Finer(1_000),
            "nanoseconds" => Unit::Finer(1_000_000),
            _ => Unit::Milliseconds,
        },
        with_default: options.flag("replace.null.with.default"),
        plans: SchemaCache::default(),
        whole: SchemaCache::default(),
    }))
}

impl Shape {
    fn of(schema: &Schema) -> Result<Self> {
        Ok(match (schema.name.as_deref(), &schema.kind) {
            (Some(logical::TIMESTAMP), _) => Self::Timestamp,
            (Some(logical::DATE), _) => Self::Date,
            (Some(logical::TIME), _) => Self::Time,
            (_, SchemaKind::String) => Self::Text,
            (_, SchemaKind::Int64) => Self::Unix,
            (_, kind) => {
                return Err(TransformError::new(format!(
                    "a schema of type {} does not correspond to a known timestamp type format; it must be a text, an int64, a Date, a Time or a Timestamp",
                    kind.name()
                )));
            }
        })
    }

    fn schema(self, optional: bool) -> Schema {
        let schema = match self {
            Self::Text => Schema::string(),
            Self::Unix => Schema::int64(),
            Self::Date => logical::date(),
            Self::Time => logical::time(),
            Self::Timestamp => logical::timestamp(),
        };
        Schema { optional, ..schema }
    }
}

impl Transform for TimestampConverter {
    fn apply(&mut self, mut record: SourceRecord, context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => (None, self.schemaless(value, context.now_ms)?),
            Some(schema) => {
                let (schema, value) = self.with_schema(&schema, value, context.now_ms)?;
                (Some(schema), value)
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl TimestampConverter {
    fn schemaless(&self, value: Value, now_ms: i64) -> Result<Value> {
        if value.is_null() || self.field.is_empty() {
            return self.without_schema(value, now_ms);
        }
        let mut entries = require_map(value, PURPOSE)?;
        let table = hash_map::copied(entries.len());
        let value = entry(&entries, &self.field).cloned().unwrap_or(Value::Null);
        let value = self.without_schema(value, now_ms)?;
        set_entry(&mut entries, &self.field, value);
        hash_map::sort(&mut entries, table, key_text);
        Ok(Value::Map(entries))
    }

    fn without_schema(&self, value: Value, now_ms: i64) -> Result<Value> {
        let source = match value {
            Value::Null => return Ok(Value::Null),
            Value::Int64(_) => Shape::Unix,
            Value::String(_) => Shape::Text,
            other => {
                return Err(TransformError::new(format!(
                    "TimestampConverter does not support {} objects as timestamps",
                    other.kind_name()
                )));
            }
        };
        if !matches!(self.target, Shape::Text | Shape::Unix) {
            // No converter writes a date that has no schema.
            return Err(TransformError::new(
                "a Date, Time or Timestamp needs a schema; without one use target.type string or unix",
            ));
        }
        self.convert(&value, source, now_ms)
    }

    fn with_schema(&mut self, schema: &Arc<Schema>, value: Value, now_ms: i64) -> Result<(Arc<Schema>, Value)> {
        if self.field.is_empty() {
            let source = Shape::of(schema)?;
            let target = self.target;
            let updated = self.whole.get(schema, || Ok(Arc::new(target.schema(schema.optional))))?;
            let updated = Arc::clone(updated);
            let value = if value.is_null() { value } else { self.convert(&value, source, now_ms)? };
            return Ok((updated, value));
        }
        let value = match value {
            Value::Null => None,
            value => Some(require_struct(value, PURPOSE)?),
        };
        let (field, target) = (self.field.as_str(), self.target);
        let plan = self.plans.get(schema, || {
            let updated = updated_schema(schema, field, target)?;
            let index = schema.field_index(field);
            Ok(Plan { schema: Arc::new(updated), index, careful: Careful::of(schema) })
        })?;
        let (updated, index) = (Arc::clone(&plan.schema), plan.index);
        let Some(mut value) = value else { return Ok((updated, Value::Null)) };
        plan.careful.settle(&mut value, self.with_default)?;
        if let Some(index) = index {
            let source = Shape::of(&value.schema.fields()[index].schema)?;
            if !value.values[index].is_null() {
                let converted = self.convert(&value.values[index], source, now_ms);
                value.values[index] =
                    converted.map_err(|error| TransformError::new(format!("field {}: {error}", self.field)))?;
            }
        }
        value.schema = Arc::clone(&updated);
        Ok((updated, value.into()))
    }

    fn convert(&self, value: &Value, source: Shape, now_ms: i64) -> Result<Value> {
        let ms = self.instant_ms(value, source, now_ms)?;
        Ok(match self.target {
            Shape::Text => match &self.format {
                Some(format) => format.format(ms).into(),
                None => return Err(TransformError::new("there is no format")),
            },
            Shape::Unix => Value::Int64(match self.unit {
                Unit::Seconds => ms / 1_000,
                Unit::Milliseconds => ms,
                Unit::Finer(factor) => ms.saturating_mul(factor),
            }),
            Shape::Date => {
                let days = ms.div_euclid(DAY_MS);
                // Java holds a day by its first millisecond.
                if days.checked_mul(DAY_MS).is_none() {
                    return Err(TransformError::new("the day is outside the range of a Date"));
                }
                Value::Int32(days as i32)
            }
            Shape::Time => Value::Int32(ms.rem_euclid(DAY_MS) as i32),
            Shape::Timestamp => Value::Int64(ms),
        })
    }

    fn instant_ms(&self, value: &Value, source: Shape, now_ms: i64) -> Result<i64> {
        let wrong = || TransformError::new(format!("Expected a timestamp, but found {}", value.kind_name()));
        match source {
            Shape::Text => {
                let text = value.as_str().ok_or_else(wrong)?;
                let Some(format) = &self.format else {
                    return Err(TransformError::new("a text can be read only with the option format"));
                };
                format.parse(text, now_ms).ok_or_else(|| {
                    TransformError::new("Could not parse timestamp: the text does not match the pattern of format")
                })
            }
            Shape::Unix => {
                let unix = value.as_i64().ok_or_else(wrong)?;
                Ok(match self.unit {
                    Unit::Seconds => unix.saturating_mul(1_000),
                    Unit::Milliseconds => unix,
                    Unit::Finer(factor) => unix / factor,
                })
            }
            Shape::Date => Ok(value.as_i64().ok_or_else(wrong)?.saturating_mul(DAY_MS)),
            Shape::Time | Shape::Timestamp => value.as_i64().ok_or_else(wrong),
        }
    }
}

fn updated_schema(schema: &Schema, field: &str, target: Shape) -> Result<Schema> {
    if !matches!(schema.kind, SchemaKind::Struct(_)) {
        return Err(TransformError::new("Cannot list fields on non-struct type"));
    }
    if schema.default.is_some() {
        return Err(TransformError::new("the default of a struct cannot be converted"));
    }
    let fields = schema.fields().iter().map(|known| {
        if *known.name == *field {
            Field::new(Arc::clone(&known.name), target.schema(known.schema.optional))
        } else {
            known.clone()
        }
    });
    let kind = SchemaKind::Struct(fields.collect());
    Ok(Schema { optional: schema.optional, ..basics(schema, kind) })
}
