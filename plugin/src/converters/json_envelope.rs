//! The schema in the JsonConverter's envelope (`org.apache.kafka.connect.json.JsonConverter.asJsonSchema`,
//! `schemas.enable=true`).

use std::fmt::Write as _;

use super::{
    ConvertError,
    json::{JsonConverter, push_string},
};
use crate::data::{Schema, SchemaKind};

/// Appends the schema's JSON; no schema is `null`. `converter` writes the defaults.
pub(super) fn write_schema(
    out: &mut String,
    converter: &JsonConverter,
    schema: Option<&Schema>,
) -> Result<(), ConvertError> {
    match schema {
        None => out.push_str("null"),
        Some(schema) => {
            out.push('{');
            write_members(out, converter, schema)?;
            out.push('}');
        }
    }
    Ok(())
}

fn write_members(out: &mut String, converter: &JsonConverter, schema: &Schema) -> Result<(), ConvertError> {
    out.push_str("\"type\":\"");
    out.push_str(match schema.kind {
        SchemaKind::Float32 => "float",
        SchemaKind::Float64 => "double",
        _ => schema.kind.name(),
    });
    out.push('"');
    match &schema.kind {
        SchemaKind::Array(items) => {
            out.push_str(",\"items\":");
            write_schema(out, converter, Some(items))?;
        }
        SchemaKind::Map(keys, values) => {
            out.push_str(",\"keys\":");
            write_schema(out, converter, Some(keys))?;
            out.push_str(",\"values\":");
            write_schema(out, converter, Some(values))?;
        }
        SchemaKind::Struct(fields) => {
            out.push_str(",\"fields\":[");
            for (position, field) in fields.iter().enumerate() {
                out.push_str(if position > 0 { ",{" } else { "{" });
                write_members(out, converter, &field.schema).map_err(|error| error.within(&field.name))?;
                out.push_str(",\"field\":");
                push_string(out, &field.name);
                out.push('}');
            }
            out.push(']');
        }
        _ => {}
    }
    out.push_str(if schema.optional { ",\"optional\":true" } else { ",\"optional\":false" });
    if let Some(name) = &schema.name {
        out.push_str(",\"name\":");
        push_string(out, name);
    }
    if let Some(version) = schema.version {
        write!(out, ",\"version\":{version}").expect("a String takes every write");
    }
    if let Some(doc) = &schema.doc {
        out.push_str(",\"doc\":");
        push_string(out, doc);
    }
    if !schema.parameters.is_empty() {
        out.push_str(",\"parameters\":{");
        for (position, (key, value)) in schema.parameters.iter().enumerate() {
            out.push_str(if position > 0 { "," } else { "" });
            push_string(out, key);
            out.push(':');
            push_string(out, value);
        }
        out.push('}');
    }
    if let Some(default) = schema.default.as_ref().filter(|default| !default.is_null()) {
        out.push_str(",\"default\":");
        converter.write(out, Some(schema), default)?;
    }
    Ok(())
}
