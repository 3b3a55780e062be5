//! `ReplaceField`: leaves fields out, lets only some in, gives them other names.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options, items},
    schema_cache::SchemaCache,
    shape::{Fields, check_null, key_text, or_default, require_map, require_struct, set_entry},
    side::Side,
};
use crate::{
    data::{Field, Schema, SourceRecord, Struct, Value, logical::LogicalType},
    java::{date_format::DAY_MS, hash_map, text::instant_ms},
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::list("exclude", "Fields to leave out. Counts more than `include`.").valid(Check::Distinct),
    OptionDef::list("include", "Fields to let in, all others are left out. Empty: every field.").valid(Check::Distinct),
    OptionDef::list("renames", "New names: `old:new` with commas between. The other two lists use the old names."),
    super::classes::REPLACE_NULL,
];

const PURPOSE: &str = "field replacement";

/// The new schema, and for each of its fields which old one it comes from.
type Plan = (Arc<Schema>, Vec<Source>);

#[derive(Clone, Copy, Debug)]
struct Source {
    index: usize,
    /// Whether the old field is of the same schema. It is not when a new name hides a field that is left in.
    same: bool,
    /// Whether the old field may hold a null that does not stay one.
    careful: bool,
}

#[derive(Clone, Debug)]
struct ReplaceField {
    side: Side,
    names: Names,
    with_default: bool,
    plans: SchemaCache<Plan>,
}

#[derive(Clone, Debug)]
struct Names {
    exclude: Vec<String>,
    include: Vec<String>,
    /// Old and new, in the order of a HashMap: of two old names with one new name the last counts.
    renames: Vec<(String, String)>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let text = options.text("renames");
    let renames = renames(text).map_err(|item| {
        let message = format!(
            "Invalid value {text} for configuration {{property}}: Invalid rename mapping: {item}. Write old:new"
        );
        OptionError::of("renames", message)
    })?;
    Ok(Box::new(ReplaceField {
        side: form.side(),
        names: Names { exclude: options.list("exclude"), include: options.list("include"), renames },
        with_default: options.flag("replace.null.with.default"),
        plans: SchemaCache::default(),
    }))
}

fn renames(text: &str) -> std::result::Result<Vec<(String, String)>, String> {
    let mut renames: Vec<(String, String)> = Vec::new();
    for item in items(text) {
        // Java drops what is empty at the end of a split.
        let parts: Vec<&str> = item.trim_end_matches(':').split(':').collect();
        let [old, new] = parts[..] else { return Err(item) };
        match renames.iter_mut().find(|(other, _)| other == old) {
            Some(rename) => rename.1 = new.into(),
            None => renames.push((old.into(), new.into())),
        }
    }
    hash_map::sort(&mut renames, hash_map::NEW, |(old, _)| old);
    Ok(renames)
}

impl Names {
    fn keeps(&self, name: &str) -> bool {
        !self.exclude.iter().any(|other| other == name)
            && (self.include.is_empty() || self.include.iter().any(|other| other == name))
    }

    fn renamed<'a>(&'a self, name: &'a str) -> &'a str {
        self.renames.iter().find(|(old, _)| old == name).map_or(name, |(_, new)| new)
    }

    /// The old name of a field. Connect looks it up among the new names alone.
    fn original<'a>(&'a self, name: &'a str) -> &'a str {
        self.renames.iter().rfind(|(_, new)| new == name).map_or(name, |(old, _)| old)
    }

    fn plan(&self, schema: &Schema) -> Result<Plan> {
        let mut fields = Fields::default();
        for field in schema.fields().iter().filter(|field| self.keeps(&field.name)) {
            fields.push(Field::new(self.renamed(&field.name), Arc::clone(&field.schema)))?;
        }
        let updated = fields.like(schema);
        let source = |field: &Field| {
            let original = self.original(&field.name);
            let index = schema.field_index(original);
            let index = index.ok_or_else(|| TransformError::new(format!("{original} is not a valid field name")))?;
            let old = &schema.fields()[index].schema;
            let careful = !old.optional || old.default.is_some() || !field.schema.optional;
            Ok(Source { index, same: *old == field.schema, careful })
        };
        let sources = updated.fields().iter().map(source).collect::<Result<_>>()?;
        Ok((Arc::new(updated), sources))
    }
}

impl Transform for ReplaceField {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        if self.side.value(&record).is_null() {
            return Ok(Some(record));
        }
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => (None, self.replace_in_map(require_map(value, PURPOSE)?)),
            Some(_) => {
                let value = self.replace_in_struct(require_struct(value, PURPOSE)?)?;
                (Some(Arc::clone(&value.schema)), value.into())
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl ReplaceField {
    fn replace_in_map(&self, entries: Vec<(Value, Value)>) -> Value {
        let table = hash_map::sized(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = key.as_str().unwrap_or_default();
            if self.names.keeps(name) {
                set_entry(&mut kept, self.names.renamed(name), value);
            }
        }
        hash_map::sort(&mut kept, table, key_text);
        Value::Map(kept)
    }

    fn replace_in_struct(&mut self, mut value: Struct) -> Result<Struct> {
        let (schema, sources) = self.plans.get(&value.schema, || self.names.plan(&value.schema))?;
        let mut values = Vec::with_capacity(sources.len());
        for (source, field) in sources.iter().zip(schema.fields()) {
            // No two new fields come from the same old one.
            let taken = std::mem::replace(&mut value.values[source.index], Value::Null);
            if source.same && !(source.careful && taken.is_null()) {
                values.push(taken);
                continue;
            }
            let old = &value.schema.fields()[source.index];
            let taken = or_default(taken, &old.schema, self.with_default);
            check_null(field, &taken)?;
            let taken = if source.same { Some(taken) } else { fitted(taken, &old.schema, &field.schema) };
            let Some(taken) = taken else {
                return Err(TransformError::new(format!(
                    "field {} takes the value of {}, which is of another type",
                    field.name, old.name
                )));
            };
            values.push(taken);
        }
        Ok(Struct { schema: Arc::clone(schema), values })
    }
}

/// A value in a field of another schema, if it can stand there. Java holds dates, times and timestamps alike.
fn fitted(value: Value, old: &Schema, new: &Schema) -> Option<Value> {
    let (from, to) = (LogicalType::of(old), LogicalType::of(new));
    let value = match (instant_ms(old, &value), to) {
        (Some(ms), Some(LogicalType::Timestamp)) => Value::Int64(ms),
        (Some(ms), Some(LogicalType::Time)) => Value::Int32(i32::try_from(ms).ok()?),
        (Some(ms), Some(LogicalType::Date)) if ms % DAY_MS == 0 => Value::Int32(i32::try_from(ms / DAY_MS).ok()?),
        (None, _) if from == to || value.is_null() => value,
        _ => return None,
    };
    new.check(&value).is_ok().then_some(value)
}
