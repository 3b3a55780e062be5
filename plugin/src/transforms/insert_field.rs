//! `InsertField`: the record's topic, partition or timestamp, or a fixed text, as a field of the key or value.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{Careful, Fields, key_text, require_map, require_struct, set_entry},
    side::Side,
};
use crate::{
    data::{Field, Schema, SourceRecord, Struct, Value, logical},
    java::hash_map,
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text(
        "topic.field",
        "Name of the field for the topic; `!` behind it makes it required, `?` optional, which is the default.",
    ),
    OptionDef::text(
        "partition.field",
        "Name of the field for the partition, likewise. A source has none unless a partition was chosen.",
    ),
    OptionDef::text("offset.field", "For sink connectors; refused here."),
    OptionDef::text("timestamp.field", "Name of the field for the record's timestamp, likewise."),
    OptionDef::text("static.field", "Name of the field for `static.value`, likewise."),
    OptionDef::text("static.value", "The text for `static.field`."),
    super::classes::REPLACE_NULL,
];

const PURPOSE: &str = "field insertion";

/// A field that is inserted.
#[derive(Clone, Debug)]
struct Insertion {
    name: String,
    optional: bool,
}

#[derive(Clone, Debug)]
struct InsertField {
    side: Side,
    topic: Option<Insertion>,
    partition: Option<Insertion>,
    timestamp: Option<Insertion>,
    fixed: Option<(Insertion, String)>,
    with_default: bool,
    schemas: SchemaCache<(Arc<Schema>, Careful)>,
}

impl Insertion {
    fn parse(text: &str) -> Self {
        let name = text.strip_suffix(['?', '!']).unwrap_or(text);
        Self { name: name.into(), optional: !text.ends_with('!') }
    }

    fn field(&self, schema: Schema) -> Field {
        Field::new(self.name.as_str(), if self.optional { schema.optional() } else { schema })
    }
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let insertion = |option: &str| options.optional(option).map(Insertion::parse);
    if options.optional("offset.field").is_some() {
        let message = "{property} is for sink connectors: a source record has no offset in Kafka. Remove it";
        return Err(OptionError::of("offset.field", message));
    }
    let fixed = match (insertion("static.field"), options.optional("static.value")) {
        (Some(_), None) => {
            let message = "Invalid value null for configuration {property}: No value specified for static field";
            return Err(OptionError::of("static.value", message));
        }
        (field, value) => field.zip(value.map(str::to_owned)),
    };
    let insert = InsertField {
        side: form.side(),
        topic: insertion("topic.field"),
        partition: insertion("partition.field"),
        timestamp: insertion("timestamp.field"),
        fixed,
        with_default: options.flag("replace.null.with.default"),
        schemas: SchemaCache::default(),
    };
    if insert.topic.is_none() && insert.partition.is_none() && insert.timestamp.is_none() && insert.fixed.is_none() {
        return Err(OptionError::together(
            "No field insertion configured. Set topic.field, partition.field, timestamp.field or static.field",
        ));
    }
    Ok(Box::new(insert))
}

impl Transform for InsertField {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        if self.side.value(&record).is_null() {
            return Ok(Some(record));
        }
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => (None, self.put_into_map(require_map(value, PURPOSE)?, &record)),
            Some(_) => {
                let value = self.put_into_struct(require_struct(value, PURPOSE)?, &record)?;
                (Some(Arc::clone(&value.schema)), value.into())
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl InsertField {
    fn put_into_map(&self, mut entries: Vec<(Value, Value)>, record: &SourceRecord) -> Value {
        let table = hash_map::copied(entries.len());
        if let Some(field) = &self.topic {
            set_entry(&mut entries, &field.name, record.topic.as_str().into());
        }
        if let (Some(field), Some(partition)) = (&self.partition, record.partition) {
            set_entry(&mut entries, &field.name, Value::Int32(partition));
        }
        if let (Some(field), Some(ms)) = (&self.timestamp, record.timestamp_ms) {
            set_entry(&mut entries, &field.name, Value::Int64(ms));
        }
        if let Some((field, text)) = &self.fixed {
            set_entry(&mut entries, &field.name, text.as_str().into());
        }
        hash_map::sort(&mut entries, table, key_text);
        Value::Map(entries)
    }

    fn put_into_struct(&mut self, mut value: Struct, record: &SourceRecord) -> Result<Struct> {
        let Self { topic, partition, timestamp, fixed, with_default, schemas, .. } = self;
        let (schema, careful) = schemas.get(&value.schema, || {
            let mut fields = Fields::default();
            for field in value.schema.fields() {
                fields.push(field.clone())?;
            }
            let insertions = [
                topic.as_ref().map(|field| field.field(Schema::string())),
                partition.as_ref().map(|field| field.field(Schema::int32())),
                timestamp.as_ref().map(|field| field.field(logical::timestamp())),
                fixed.as_ref().map(|(field, _)| field.field(Schema::string())),
            ];
            for field in insertions.into_iter().flatten() {
                fields.push(field)?;
            }
            Ok((Arc::new(fields.like(&value.schema)), Careful::of(&value.schema)))
        })?;
        careful.settle(&mut value, *with_default)?;
        let mut values = value.values;
        values.reserve_exact(schema.fields().len() - values.len());
        let inserted = [
            topic.as_ref().map(|_| record.topic.as_str().into()),
            partition.as_ref().map(|_| record.partition.map_or(Value::Null, Value::Int32)),
            timestamp.as_ref().map(|_| record.timestamp_ms.map_or(Value::Null, Value::Int64)),
            fixed.as_ref().map(|(_, text)| text.as_str().into()),
        ];
        for value in inserted.into_iter().flatten() {
            let field = &schema.fields()[values.len()];
            if value.is_null() && !field.schema.optional {
                let message = format!("the record has nothing to put into the required field {}", field.name);
                return Err(TransformError::new(message));
            }
            values.push(value);
        }
        Ok(Struct { schema: Arc::clone(schema), values })
    }
}
