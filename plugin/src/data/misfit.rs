//! `Schema::check`: whether a value fits a schema (`ConnectSchema.validateValue`). For tests and debug assertions; the
//! converters find misfits by themselves, on their way.

use super::{
    logical::LogicalType,
    schema::{Schema, SchemaKind},
    value::Value,
};

/// A value that does not fit its schema. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: expected {expected}, found {found}", if path.is_empty() { "the value" } else { path.as_str() })]
pub struct Misfit {
    /// Names of the fields that lead to the value, with dots between; empty for the value itself.
    pub path: String,
    /// What the schema asks for.
    pub expected: &'static str,
    /// What kind of value is there.
    pub found: &'static str,
}

/// Milliseconds in a day.
const DAY_MS: i32 = 86_400_000;

impl Schema {
    /// Whether `value` fits this schema: kind, optionality, every field of a struct, every element, the range of a Time.
    ///
    /// # Errors
    /// The first misfit, in the schema's order.
    pub fn check(&self, value: &Value) -> Result<(), Misfit> {
        let misfit = |expected| Misfit { path: String::new(), expected, found: value.kind_name() };
        match (&self.kind, value) {
            (_, Value::Null) if self.optional || self.default.is_some() => Ok(()),
            (SchemaKind::Int32, Value::Int32(ms)) if LogicalType::of(self) == Some(LogicalType::Time) => {
                if (0..DAY_MS).contains(ms) { Ok(()) } else { Err(misfit("milliseconds within a day")) }
            }
            (SchemaKind::Int8, Value::Int8(_))
            | (SchemaKind::Int16, Value::Int16(_))
            | (SchemaKind::Int32, Value::Int32(_))
            | (SchemaKind::Int64, Value::Int64(_))
            | (SchemaKind::Float32, Value::Float32(_))
            | (SchemaKind::Float64, Value::Float64(_))
            | (SchemaKind::Boolean, Value::Boolean(_))
            | (SchemaKind::String, Value::String(_))
            | (SchemaKind::Bytes, Value::Bytes(_)) => Ok(()),
            (SchemaKind::Array(items), Value::Array(values)) => {
                values.iter().try_for_each(|item| items.check(item).map_err(|misfit| misfit.within("[]")))
            }
            (SchemaKind::Map(keys, values), Value::Map(entries)) => entries.iter().try_for_each(|(key, value)| {
                keys.check(key).map_err(|misfit| misfit.within("{key}"))?;
                values.check(value).map_err(|misfit| misfit.within("{}"))
            }),
            (SchemaKind::Struct(fields), Value::Struct(value)) => {
                // The very same schema may be unequal to itself: a default may be NaN.
                let same = std::ptr::eq(value.schema.as_ref(), self) || value.schema.as_ref() == self;
                if !same || value.values.len() != fields.len() {
                    return Err(misfit("a struct of this very schema"));
                }
                value.iter().try_for_each(|(field, value)| {
                    field.schema.check(value).map_err(|misfit| misfit.within(&field.name))
                })
            }
            (kind, _) => Err(misfit(kind.name())),
        }
    }
}

impl Misfit {
    fn within(mut self, parent: &str) -> Self {
        self.path = if self.path.is_empty() { parent.to_owned() } else { format!("{parent}.{}", self.path) };
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{Field, Struct, logical};

    #[test]
    fn values_fit_or_the_misfit_is_named() {
        let inner = Arc::new(Schema::structure(vec![Field::new("n", Schema::int32())]).optional());
        let outer = Arc::new(Schema::structure(vec![
            Field::new("id", Schema::string()),
            Field::new("in", Arc::clone(&inner)),
            Field::new("tags", Schema::array(Schema::string()).optional()),
        ]));
        let with = |id: Value, inside: Value, tags: Value| {
            Value::Struct(Struct { schema: Arc::clone(&outer), values: vec![id, inside, tags] })
        };
        let inside = |n: Value| Value::Struct(Struct { schema: Arc::clone(&inner), values: vec![n] });
        let cases = [
            (with("a".into(), Value::Null, Value::Null), ""),
            (with("a".into(), inside(Value::Int32(1)), Value::Array(vec!["x".into()])), ""),
            (with(Value::Null, Value::Null, Value::Null), "id: expected string, found null"),
            (with("a".into(), inside(Value::Int64(1)), Value::Null), "in.n: expected int32, found int64"),
            (with("a".into(), Value::Null, Value::Array(vec![Value::Null])), "tags.[]: expected string, found null"),
            (
                with("a".into(), Value::Struct(Struct { schema: Arc::clone(&outer), values: vec![] }), Value::Null),
                "in: expected a struct of this very schema, found struct",
            ),
            ("a".into(), "the value: expected struct, found string"),
        ];
        for (value, expected) in cases {
            assert_eq!(outer.check(&value).map_err(|misfit| misfit.to_string()).err().unwrap_or_default(), expected);
        }
        for (ms, fits) in [(-1, false), (0, true), (DAY_MS - 1, true), (DAY_MS, false)] {
            assert_eq!(logical::time().check(&Value::Int32(ms)).is_ok(), fits, "{ms}");
        }
        assert!(Schema::string().with_default("d".into()).check(&Value::Null).is_ok());
    }
}
