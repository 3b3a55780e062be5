//! `BytesToString` of the community's transforms: byte arrays, whole or as fields, read as text.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    shape::{check_null, or_default},
    side::Side,
};
use crate::data::{Field, Schema, SchemaKind, SourceRecord, Struct, Value};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text("charset", "The character set of the bytes.").default("UTF-8").valid(Check::OneOfAnyCase(&[
        "UTF-8",
        "US-ASCII",
        "ISO-8859-1",
    ])),
    OptionDef::list("fields", "Names of the fields, for a struct."),
];

#[derive(Clone, Copy, Debug)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
}

#[derive(Clone, Debug)]
struct BytesToString {
    side: Side,
    charset: Charset,
    fields: Vec<String>,
    schemas: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let charset = match options.text("charset").to_ascii_uppercase().as_str() {
        "US-ASCII" => Charset::Ascii,
        "ISO-8859-1" => Charset::Latin1,
        _ => Charset::Utf8,
    };
    let fields = options.list("fields");
    Ok(Box::new(BytesToString { side: form.side(), charset, fields, schemas: SchemaCache::default() }))
}

impl Transform for BytesToString {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match (schema, value) {
            (Some(schema), Value::Struct(value)) => {
                let fields = &self.fields;
                let updated = Arc::clone(self.schemas.get(&schema, || Ok(Arc::new(text_schema(&schema, fields))))?);
                let value = self.in_struct(&updated, value)?;
                (Some(updated), value)
            }
            (Some(schema), Value::Bytes(bytes)) => {
                let optional = schema.optional;
                let updated = self.schemas.get(&schema, || Ok(Arc::new(Schema { optional, ..Schema::string() })))?;
                (Some(Arc::clone(updated)), self.charset.text(&bytes).into())
            }
            (None, Value::Bytes(bytes)) => (None, self.charset.text(&bytes).into()),
            (schema, Value::Null) => (schema, Value::Null),
            (_, other) => {
                let kind = other.kind_name();
                return Err(TransformError::new(format!("only bytes can be read as text, found {kind}")));
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl BytesToString {
    fn in_struct(&self, updated: &Arc<Schema>, value: Struct) -> Result<Value> {
        let Struct { schema, values } = value;
        let mut texts = Vec::with_capacity(values.len());
        for ((field, new), value) in schema.fields().iter().zip(updated.fields()).zip(values) {
            let value = or_default(value, &field.schema, true);
            let value = match value {
                Value::Bytes(bytes) if self.fields.iter().any(|name| **name == *field.name) => {
                    self.charset.text(&bytes).into()
                }
                value => value,
            };
            check_null(new, &value)?;
            if !value.is_null() && new.schema.kind.name() != value.kind_name() {
                let kind = value.kind_name();
                return Err(TransformError::new(format!("field {}: bytes expected, found {kind}", field.name)));
            }
            texts.push(value);
        }
        Ok(Struct { schema: Arc::clone(updated), values: texts }.into())
    }
}

fn text_schema(schema: &Schema, fields: &[String]) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        if fields.iter().any(|name| **name == *field.name) {
            let schema = Schema { optional: field.schema.optional, ..Schema::string() };
            Field::new(Arc::clone(&field.name), schema)
        } else {
            field.clone()
        }
    });
    // Of the struct's own schema the original keeps name and optionality alone.
    Schema { name: schema.name.clone(), optional: schema.optional, ..Schema::of(SchemaKind::Struct(fields.collect())) }
}

impl Charset {
    fn text(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Ascii => bytes.iter().map(|&byte| if byte < 0x80 { char::from(byte) } else { '\u{fffd}' }).collect(),
            Self::Latin1 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        }
    }
}
