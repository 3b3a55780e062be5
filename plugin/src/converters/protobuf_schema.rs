//! The proto3 file of a Connect schema, laid out as Confluent's ProtobufConverter does it, from its output alone
//! (`docs/formats.md`). One top-level message, with the messages of nested structs and of map entries inside.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    ConvertError, ConvertProblem,
    protobuf::{FORMAT, Presence, ProtobufOptions, field_number},
    scrub,
};
use crate::data::{Schema, SchemaKind, logical::LogicalType};

/// Name of a struct that has none; counted from 1.
const UNNAMED: &str = "ConnectDefault";

/// The text of the file, and the full name of the message.
///
/// # Errors
/// `ConvertError` for everything but a struct at the root, for names and shapes that Protobuf does not have.
pub(super) fn text(options: ProtobufOptions, schema: &Schema) -> Result<(String, Option<String>), ConvertError> {
    if !matches!(schema.kind, SchemaKind::Struct(_)) {
        let what = "a key or value that is no struct";
        return Err(ConvertError::new(ConvertProblem::Shape { what, format: FORMAT }));
    }
    let mut writer = Writer { options, imports: BTreeSet::new(), unnamed: 0 };
    let full_name = writer.struct_name(schema)?;
    let (package, name) = match full_name.rsplit_once('.') {
        Some((package, name)) => (Some(package.to_owned()), name.to_owned()),
        None => (None, full_name.clone()),
    };
    let message = writer.message(name, schema)?;
    let mut out = String::from("syntax = \"proto3\";\n");
    if let Some(package) = package {
        out.push_str(&format!("package {package};\n"));
    }
    out.push('\n');
    for import in &writer.imports {
        out.push_str(&format!("import \"{import}\";\n"));
    }
    if !writer.imports.is_empty() {
        out.push('\n');
    }
    message.write(&mut out, 0);
    Ok((out, Some(full_name)))
}

struct Writer {
    options: ProtobufOptions,
    imports: BTreeSet<&'static str>,
    unnamed: usize,
}

struct Message<'a> {
    name: String,
    /// Each with its options, without the semicolon.
    fields: Vec<String>,
    /// With the schema that each stands for.
    nested: Vec<(Message<'a>, &'a Schema)>,
}

impl Writer {
    fn message<'a>(&mut self, name: String, schema: &'a Schema) -> Result<Message<'a>, ConvertError> {
        let mut message = Message { name, fields: Vec::new(), nested: Vec::new() };
        let mut names: Vec<String> = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let name = self.name(&field.name)?;
            if names.contains(&name) {
                return Err(ConvertError::new(ConvertProblem::NameTwice { name, format: FORMAT }));
            }
            self.field(&mut message, &name, field_number(field, index), &field.schema)
                .map_err(|error| error.within(&field.name))?;
            names.push(name);
        }
        Ok(message)
    }

    fn field<'a>(
        &mut self,
        message: &mut Message<'a>,
        name: &str,
        number: u32,
        schema: &'a Schema,
    ) -> Result<(), ConvertError> {
        let (label, of) = match &schema.kind {
            SchemaKind::Array(items) => match items.kind {
                SchemaKind::Array(_) => return Err(shape("an array of arrays")),
                SchemaKind::Map(..) => return Err(shape("an array of maps")),
                _ => ("repeated ", &**items),
            },
            SchemaKind::Map(keys, values) => {
                let entry_name = format!("{}Entry", camel(name));
                let mut entry = Message { name: entry_name.clone(), fields: Vec::new(), nested: Vec::new() };
                self.field(&mut entry, "key", 1, keys)?;
                self.field(&mut entry, "value", 2, values)?;
                message.add(entry, schema)?;
                message.fields.push(format!("repeated {entry_name} {name} = {number}"));
                return Ok(());
            }
            _ => ("", schema),
        };
        let is_scalar = !matches!(of.kind, SchemaKind::Struct(_)) && LogicalType::of(of).is_none();
        let presence = if is_scalar && label.is_empty() { self.options.presence(of) } else { Presence::Implicit };
        let label = if presence == Presence::Explicit { "optional " } else { label };
        let type_name = match &of.kind {
            SchemaKind::Struct(_) => self.nested(message, name, of)?,
            _ => self.type_name(of, presence).to_owned(),
        };
        let options = self.field_options(of);
        message.fields.push(format!("{label}{type_name} {name} = {number}{options}"));
        Ok(())
    }

    /// The name of a struct's message, which is made where there is none yet.
    fn nested<'a>(
        &mut self,
        message: &mut Message<'a>,
        field: &str,
        schema: &'a Schema,
    ) -> Result<String, ConvertError> {
        let full_name = self.struct_name(schema)?;
        let mut name = full_name.rsplit('.').next().unwrap_or(&full_name).to_owned();
        if name == field {
            name.push_str("Message");
        }
        let known = message.nested.iter().find(|(known, _)| known.name == name);
        match known {
            Some((_, other)) if other.kind == schema.kind => {}
            _ => {
                let nested = self.message(name.clone(), schema)?;
                message.add(nested, schema)?;
            }
        }
        Ok(name)
    }

    fn type_name(&mut self, schema: &Schema, presence: Presence) -> &'static str {
        let (import, name) = match LogicalType::of(schema) {
            Some(LogicalType::Timestamp) => ("google/protobuf/timestamp.proto", "google.protobuf.Timestamp"),
            Some(LogicalType::Date) => ("google/type/date.proto", "google.type.Date"),
            Some(LogicalType::Time) => ("google/type/timeofday.proto", "google.type.TimeOfDay"),
            Some(LogicalType::Decimal { .. }) => ("confluent/type/decimal.proto", "confluent.type.Decimal"),
            None => {
                let (plain, wrapper) = match schema.kind {
                    SchemaKind::Boolean => ("bool", "google.protobuf.BoolValue"),
                    SchemaKind::Int64 => ("int64", "google.protobuf.Int64Value"),
                    SchemaKind::Float32 => ("float", "google.protobuf.FloatValue"),
                    SchemaKind::Float64 => ("double", "google.protobuf.DoubleValue"),
                    SchemaKind::Bytes => ("bytes", "google.protobuf.BytesValue"),
                    SchemaKind::String => ("string", "google.protobuf.StringValue"),
                    _ => ("int32", "google.protobuf.Int32Value"),
                };
                if presence != Presence::Wrapper {
                    return plain;
                }
                ("google/protobuf/wrappers.proto", wrapper)
            }
        };
        self.imports.insert(import);
        name
    }

    /// What Connect knows beyond Protobuf.
    fn field_options(&mut self, schema: &Schema) -> String {
        let mut parameters: Vec<(&str, String)> = Vec::new();
        match (&schema.kind, LogicalType::of(schema)) {
            (SchemaKind::Int8 | SchemaKind::Int16, _) => {
                parameters.push(("connect.type", schema.kind.name().to_owned()))
            }
            (_, Some(LogicalType::Decimal { scale })) => {
                if let Some(precision) = schema.parameter("connect.decimal.precision") {
                    parameters.push(("precision", precision.to_owned()));
                }
                parameters.push(("scale", scale.to_string()));
            }
            _ => return String::new(),
        }
        self.imports.insert("confluent/meta.proto");
        let pairs: Vec<String> = parameters
            .iter()
            .map(|(key, value)| format!("{{\n        key: \"{key}\",\n        value: \"{value}\"\n      }}"))
            .collect();
        format!(" [(confluent.field_meta) = {{\n    params: [\n      {}\n    ]\n  }}]", pairs.join(",\n      "))
    }

    /// A struct's full name.
    fn struct_name(&mut self, schema: &Schema) -> Result<String, ConvertError> {
        match schema.name.as_deref() {
            None => {
                self.unnamed += 1;
                Ok(format!("{UNNAMED}{}", self.unnamed))
            }
            Some(name) => {
                let parts: Result<Vec<String>, ConvertError> = name.split('.').map(|part| self.name(part)).collect();
                Ok(parts?.join("."))
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

impl<'a> Message<'a> {
    fn add(&mut self, nested: Message<'a>, schema: &'a Schema) -> Result<(), ConvertError> {
        if self.nested.iter().any(|(known, _)| known.name == nested.name) {
            return Err(ConvertError::new(ConvertProblem::NameTwice { name: nested.name, format: FORMAT }));
        }
        self.nested.push((nested, schema));
        Ok(())
    }

    fn write(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        writeln!(out, "{indent}message {} {{", self.name).expect("a String takes every write");
        for field in &self.fields {
            for line in format!("{field};").lines() {
                writeln!(out, "{indent}  {line}").expect("a String takes every write");
            }
        }
        if !self.nested.is_empty() {
            out.push('\n');
        }
        for (nested, _) in &self.nested {
            nested.write(out, depth + 1);
        }
        writeln!(out, "{indent}}}").expect("a String takes every write");
    }
}

fn shape(what: &'static str) -> ConvertError {
    ConvertError::new(ConvertProblem::Shape { what, format: FORMAT })
}

/// `first_name` as `FirstName`, as map entries are named after their field.
fn camel(name: &str) -> String {
    let capital = |part: &str| {
        let mut characters = part.chars();
        characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
    };
    name.split('_').map(capital).collect()
}
