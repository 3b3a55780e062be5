//! The Avro schema of a Connect schema (`io.confluent.connect.avro.AvroData`), in the very text that Avro's own library
//! writes: a registry keeps the text, and another order of members would be another version.

use super::{ConvertError, ConvertProblem, avro::AvroOptions, json::push_string, scrub};
use crate::data::{Field, Schema, SchemaKind, Value, java_number, logical::LogicalType};

const FORMAT: &str = "Avro";
/// Namespace of names that Confluent's converter makes up.
const NAMESPACE: &str = "io.confluent.connect.avro";
/// Name of a struct that has none; the second one gets a 2 behind it.
const UNNAMED: &str = "ConnectDefault";
/// The record of an entry of a map whose keys are no texts.
const MAP_ENTRY: &str = "MapEntry";
/// Precision of a Decimal that says nothing about it.
const PRECISION: i32 = 64;
/// Says more about a Decimal's precision.
const PRECISION_PARAMETER: &str = "connect.decimal.precision";

/// The text of the schema, and the full name of the record, if it is one.
///
/// # Errors
/// `ConvertError` for names that Avro does not allow.
pub(super) fn text(options: AvroOptions, schema: &Schema) -> Result<(String, Option<String>), ConvertError> {
    let mut writer = Writer { options, out: String::new(), named: Vec::new(), unnamed: 0 };
    writer.write(schema, None)?;
    let record = matches!(schema.kind, SchemaKind::Struct(_));
    let name = writer.named.first().filter(|_| record).map(|(name, _)| name.clone());
    Ok((writer.out, name))
}

/// Whether a map with such keys is a map in Avro, too.
pub(super) fn is_avro_map(options: AvroOptions, keys: &Schema) -> bool {
    matches!(keys.kind, SchemaKind::String) && (!keys.optional || options.allow_optional_map_keys)
}

struct Writer<'a> {
    options: AvroOptions,
    out: String,
    /// Full names in use, and for what.
    named: Vec<(String, &'a Schema)>,
    unnamed: usize,
}

impl<'a> Writer<'a> {
    /// A type, optional or not, inside the namespace of the record around it.
    fn write(&mut self, schema: &'a Schema, space: Option<&str>) -> Result<(), ConvertError> {
        let has_default = default_of(schema).is_some();
        match (schema.optional, has_default) {
            (false, _) => self.write_type(schema, space),
            (true, false) => {
                self.out.push_str("[\"null\",");
                self.write_type(schema, space)?;
                self.out.push(']');
                Ok(())
            }
            (true, true) => {
                self.out.push('[');
                self.write_type(schema, space)?;
                self.out.push_str(",\"null\"]");
                Ok(())
            }
        }
    }

    fn write_type(&mut self, schema: &'a Schema, space: Option<&str>) -> Result<(), ConvertError> {
        match &schema.kind {
            SchemaKind::Struct(fields) => return self.write_record(schema, fields, space),
            SchemaKind::Array(items) => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.write(items, space)?;
            }
            SchemaKind::Map(keys, values) if is_avro_map(self.options, keys) => {
                self.out.push_str("{\"type\":\"map\",\"values\":");
                self.write(values, space)?;
            }
            SchemaKind::Map(keys, values) => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.write_map_entry(schema, keys, values, space)?;
            }
            kind => {
                let start = self.out.len();
                let name = primitive(kind);
                self.out.push_str("{\"type\":\"");
                self.out.push_str(name);
                self.out.push('"');
                let bare = self.out.len();
                self.write_properties(schema)?;
                // Without anything to add, a primitive is its name alone.
                if self.out.len() == bare {
                    self.out.truncate(start);
                    push_string(&mut self.out, name);
                } else {
                    self.out.push('}');
                }
                return Ok(());
            }
        }
        self.write_properties(schema)?;
        self.out.push('}');
        Ok(())
    }

    fn write_record(
        &mut self,
        schema: &'a Schema,
        fields: &'a [Field],
        space: Option<&str>,
    ) -> Result<(), ConvertError> {
        let (namespace, name) = self.record_name(schema.name.as_deref())?;
        if self.refer(namespace.as_deref(), &name, schema, space)? {
            return Ok(());
        }
        self.open_record(namespace.as_deref(), &name, space);
        let mut names: Vec<String> = Vec::with_capacity(fields.len());
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                self.out.push(',');
            }
            let name = self.name(&field.name)?;
            if names.contains(&name) {
                return Err(ConvertError::new(ConvertProblem::NameTwice { name, format: FORMAT }));
            }
            let doc = schema.parameter(&format!("io.confluent.connect.avro.field.doc.{}", field.name));
            self.write_field(&name, &field.schema, doc, namespace.as_deref())
                .map_err(|error| error.within(&field.name))?;
            names.push(name);
        }
        self.out.push(']');
        self.write_properties(schema)?;
        self.out.push('}');
        Ok(())
    }

    fn write_map_entry(
        &mut self,
        schema: &'a Schema,
        keys: &'a Schema,
        values: &'a Schema,
        space: Option<&str>,
    ) -> Result<(), ConvertError> {
        let (namespace, name) = match &schema.name {
            Some(name) => self.record_name(Some(name))?,
            None => (Some(NAMESPACE.to_owned()), MAP_ENTRY.to_owned()),
        };
        if self.refer(namespace.as_deref(), &name, schema, space)? {
            return Ok(());
        }
        self.open_record(namespace.as_deref(), &name, space);
        self.write_field("key", keys, None, namespace.as_deref())?;
        self.out.push(',');
        self.write_field("value", values, None, namespace.as_deref())?;
        self.out.push(']');
        if schema.name.is_some() && self.options.connect_meta_data {
            self.out.push_str(",\"connect.internal.type\":\"MapEntry\"");
        }
        self.out.push('}');
        Ok(())
    }

    /// Writes the name of a record that is there already; true when it was.
    fn refer(
        &mut self,
        namespace: Option<&str>,
        name: &str,
        schema: &'a Schema,
        space: Option<&str>,
    ) -> Result<bool, ConvertError> {
        let full_name = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}.{name}"));
        match self.named.iter().find(|(known, _)| *known == full_name) {
            None => {
                self.named.push((full_name, schema));
                Ok(false)
            }
            Some((_, known)) if known.kind == schema.kind => {
                push_string(&mut self.out, if namespace == space { name } else { &full_name });
                Ok(true)
            }
            Some(_) => Err(ConvertError::new(ConvertProblem::NameTwice { name: full_name, format: FORMAT })),
        }
    }

    fn open_record(&mut self, namespace: Option<&str>, name: &str, space: Option<&str>) {
        self.out.push_str("{\"type\":\"record\",\"name\":");
        push_string(&mut self.out, name);
        if namespace != space {
            self.out.push_str(",\"namespace\":");
            push_string(&mut self.out, namespace.unwrap_or_default());
        }
        self.out.push_str(",\"fields\":[");
    }

    fn write_field(
        &mut self,
        name: &str,
        schema: &'a Schema,
        doc: Option<&str>,
        space: Option<&str>,
    ) -> Result<(), ConvertError> {
        self.out.push_str("{\"name\":");
        push_string(&mut self.out, name);
        self.out.push_str(",\"type\":");
        self.write(schema, space)?;
        if let Some(doc) = doc {
            self.out.push_str(",\"doc\":");
            push_string(&mut self.out, doc);
        }
        match default_of(schema) {
            Some(default) => {
                self.out.push_str(",\"default\":");
                self.write_default(schema, default)?;
            }
            None if schema.optional => self.out.push_str(",\"default\":null"),
            None => {}
        }
        self.out.push('}');
        Ok(())
    }

    /// What hangs on a type, each with a comma before it.
    fn write_properties(&mut self, schema: &Schema) -> Result<(), ConvertError> {
        let logical = LogicalType::of(schema);
        let mut decimal_is_valid = true;
        if let Some(LogicalType::Decimal { scale }) = logical {
            let precision =
                schema.parameter(PRECISION_PARAMETER).and_then(|text| text.parse().ok()).unwrap_or(PRECISION);
            decimal_is_valid = (0..=precision).contains(&scale);
            self.out.push_str(&format!(",\"scale\":{scale},\"precision\":{precision}"));
        }
        if self.options.connect_meta_data {
            self.write_meta_data(schema)?;
        }
        let name = match logical {
            Some(LogicalType::Date) => "date",
            Some(LogicalType::Time) => "time-millis",
            Some(LogicalType::Timestamp) => "timestamp-millis",
            Some(LogicalType::Decimal { .. }) if decimal_is_valid => "decimal",
            _ => return Ok(()),
        };
        self.out.push_str(",\"logicalType\":\"");
        self.out.push_str(name);
        self.out.push('"');
        Ok(())
    }

    /// The `connect.*` properties, in the order of Confluent's converter.
    fn write_meta_data(&mut self, schema: &Schema) -> Result<(), ConvertError> {
        if let Some(doc) = &schema.doc {
            self.out.push_str(",\"connect.doc\":");
            push_string(&mut self.out, doc);
        }
        if let Some(version) = schema.version {
            self.out.push_str(&format!(",\"connect.version\":{version}"));
        }
        if !schema.parameters.is_empty() {
            self.out.push_str(",\"connect.parameters\":{");
            for (position, (key, value)) in schema.parameters.iter().enumerate() {
                if position > 0 {
                    self.out.push(',');
                }
                push_string(&mut self.out, key);
                self.out.push(':');
                push_string(&mut self.out, value);
            }
            self.out.push('}');
        }
        if let Some(default) = default_of(schema) {
            self.out.push_str(",\"connect.default\":");
            self.write_default(schema, default)?;
        }
        if let Some(name) = &schema.name {
            self.out.push_str(",\"connect.name\":");
            push_string(&mut self.out, name);
        }
        match schema.kind {
            SchemaKind::Int8 => self.out.push_str(",\"connect.type\":\"int8\""),
            SchemaKind::Int16 => self.out.push_str(",\"connect.type\":\"int16\""),
            _ => {}
        }
        Ok(())
    }

    /// A default in Avro's JSON.
    fn write_default(&mut self, schema: &Schema, value: &Value) -> Result<(), ConvertError> {
        match (&schema.kind, value) {
            (_, Value::Null) => self.out.push_str("null"),
            (_, Value::Boolean(yes)) => self.out.push_str(if *yes { "true" } else { "false" }),
            (_, Value::String(text)) => push_string(&mut self.out, text),
            (_, Value::Float32(number)) => java_number::push_float(&mut self.out, *number),
            (_, Value::Float64(number)) => java_number::push_double(&mut self.out, *number),
            // Each byte is the character of that number.
            (_, Value::Bytes(bytes)) => {
                push_string(&mut self.out, &bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
            }
            (SchemaKind::Array(items), Value::Array(values)) => {
                self.out.push('[');
                for (position, value) in values.iter().enumerate() {
                    self.out.push_str(if position > 0 { "," } else { "" });
                    self.write_default(items, value)?;
                }
                self.out.push(']');
            }
            (SchemaKind::Map(_, values), Value::Map(entries)) => {
                self.out.push('{');
                for (position, (key, value)) in entries.iter().enumerate() {
                    let Some(key) = key.as_str() else { return Err(default_shape()) };
                    self.out.push_str(if position > 0 { "," } else { "" });
                    push_string(&mut self.out, key);
                    self.out.push(':');
                    self.write_default(values, value)?;
                }
                self.out.push('}');
            }
            (SchemaKind::Struct(fields), Value::Struct(value)) => {
                self.out.push('{');
                for (position, (field, value)) in fields.iter().zip(&value.values).enumerate() {
                    self.out.push_str(if position > 0 { "," } else { "" });
                    let name = self.name(&field.name)?;
                    push_string(&mut self.out, &name);
                    self.out.push(':');
                    self.write_default(&field.schema, value)?;
                }
                self.out.push('}');
            }
            (_, value) => match value.as_i64() {
                Some(number) => self.out.push_str(&number.to_string()),
                None => return Err(default_shape()),
            },
        }
        Ok(())
    }

    /// Namespace and name of a struct.
    fn record_name(&mut self, name: Option<&str>) -> Result<(Option<String>, String), ConvertError> {
        let Some(full_name) = name else {
            self.unnamed += 1;
            let name = match self.unnamed {
                1 => UNNAMED.to_owned(),
                count => format!("{UNNAMED}{count}"),
            };
            return Ok((Some(NAMESPACE.to_owned()), name));
        };
        match full_name.rsplit_once('.') {
            None => Ok((None, self.name(full_name)?)),
            Some((namespace, name)) => {
                let parts: Result<Vec<String>, ConvertError> =
                    namespace.split('.').map(|part| self.name(part)).collect();
                Ok((Some(parts?.join(".")), self.name(name)?))
            }
        }
    }

    fn name(&self, name: &str) -> Result<String, ConvertError> {
        if scrub::is_valid(name) {
            Ok(name.to_owned())
        } else if self.options.scrub_invalid_names {
            Ok(scrub::scrub(name))
        } else {
            Err(ConvertError::new(ConvertProblem::Name { name: crate::error::excerpt(name, 100), format: FORMAT }))
        }
    }
}

fn default_of(schema: &Schema) -> Option<&Value> {
    schema.default.as_ref().filter(|default| !default.is_null())
}

fn default_shape() -> ConvertError {
    ConvertError::new(ConvertProblem::Shape { what: "a default of this kind", format: FORMAT })
}

fn primitive(kind: &SchemaKind) -> &'static str {
    match kind {
        SchemaKind::Int8 | SchemaKind::Int16 | SchemaKind::Int32 => "int",
        SchemaKind::Int64 => "long",
        SchemaKind::Float32 => "float",
        SchemaKind::Float64 => "double",
        SchemaKind::Boolean => "boolean",
        SchemaKind::Bytes => "bytes",
        _ => "string",
    }
}
