//! JSON with a JSON Schema in a registry, as Confluent's JsonSchemaConverter writes it; from its output alone
//! (`docs/formats.md`). The value is Connect's JSON without an envelope. In the schema the members of `properties` stand
//! in the order of a Java `HashMap`, since a registry keeps the text.

use std::fmt::Write as _;

use super::{
    ConvertError, DecimalFormat,
    json::{Entries, JsonConverter, JsonOptions, push_string},
};
use crate::data::{Field, Schema, SchemaKind, Value, logical::LogicalType};

/// The converter's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonSchemaOptions {
    /// `decimal.format`.
    pub decimal_format: DecimalFormat,
    /// `replace.null.with.default`.
    pub replace_null_with_default: bool,
    /// `object.additional.properties`: whether objects may have more members than the schema names.
    pub additional_properties: bool,
}

impl Default for JsonSchemaOptions {
    fn default() -> Self {
        Self { decimal_format: DecimalFormat::Base64, replace_null_with_default: true, additional_properties: true }
    }
}

/// The text of the schema, and its name.
///
/// # Errors
/// `ConvertError` for a default that does not fit.
pub(super) fn text(options: JsonSchemaOptions, schema: &Schema) -> Result<(String, Option<String>), ConvertError> {
    let mut out = String::new();
    Writer { options, json: converter(options) }.write(&mut out, schema, None)?;
    Ok((out, schema.name.as_deref().map(str::to_owned)))
}

/// Appends the whole of a key or value.
pub(super) fn write_root(
    out: &mut Vec<u8>,
    options: JsonSchemaOptions,
    schema: &Schema,
    value: &Value,
) -> Result<(), ConvertError> {
    // What stands before the payload are zeros, which are text too: nothing is copied.
    let mut text = String::from_utf8(std::mem::take(out)).unwrap_or_default();
    converter(options).write(&mut text, Some(schema), value)?;
    *out = text.into_bytes();
    Ok(())
}

fn converter(options: JsonSchemaOptions) -> JsonConverter {
    let JsonSchemaOptions { decimal_format, replace_null_with_default, .. } = options;
    let options = JsonOptions { decimal_format, replace_null_with_default, schemas_enable: false };
    JsonConverter::with_entries(options, Entries::Objects)
}

struct Writer {
    options: JsonSchemaOptions,
    json: JsonConverter,
}

impl Writer {
    /// A schema; `index` is its place in the struct around it.
    fn write(&self, out: &mut String, schema: &Schema, index: Option<usize>) -> Result<(), ConvertError> {
        if !schema.optional {
            return self.write_type(out, schema, index);
        }
        out.push('{');
        if let Some(index) = index {
            write!(out, "\"connect.index\":{index},").expect("a String takes every write");
        }
        out.push_str("\"oneOf\":[{\"type\":\"null\"},");
        self.write_type(out, schema, None)?;
        out.push_str("]}");
        Ok(())
    }

    fn write_type(&self, out: &mut String, schema: &Schema, index: Option<usize>) -> Result<(), ConvertError> {
        out.push('{');
        let type_name = self.type_name(schema);
        // The original puts the type of booleans last.
        let type_last = type_name == "boolean";
        if !type_last {
            member(out, "type", type_name);
        }
        if matches!(schema.kind, SchemaKind::Struct(_)) && !self.options.additional_properties {
            name(out, "additionalProperties");
            out.push_str("false");
        }
        if let Some(title) = &schema.name {
            member(out, "title", title);
        }
        if let Some(doc) = &schema.doc {
            member(out, "description", doc);
        }
        if let Some(default) = schema.default.as_ref().filter(|default| !default.is_null()) {
            name(out, "default");
            self.json.write(out, Some(schema), default)?;
        }
        write_extras(out, schema, index);
        if type_last {
            member(out, "type", type_name);
        }
        self.write_children(out, schema)?;
        out.push('}');
        Ok(())
    }

    fn type_name(&self, schema: &Schema) -> &'static str {
        match &schema.kind {
            SchemaKind::Int8 | SchemaKind::Int16 | SchemaKind::Int32 | SchemaKind::Int64 => "integer",
            SchemaKind::Float32 | SchemaKind::Float64 => "number",
            SchemaKind::Boolean => "boolean",
            SchemaKind::String => "string",
            SchemaKind::Bytes if self.is_numeric_decimal(schema) => "number",
            SchemaKind::Bytes => "string",
            SchemaKind::Array(_) => "array",
            SchemaKind::Map(keys, _) if matches!(keys.kind, SchemaKind::String) => "object",
            SchemaKind::Map(..) => "array",
            SchemaKind::Struct(_) => "object",
        }
    }

    fn is_numeric_decimal(&self, schema: &Schema) -> bool {
        self.options.decimal_format == DecimalFormat::Numeric
            && matches!(LogicalType::of(schema), Some(LogicalType::Decimal { .. }))
    }

    fn write_children(&self, out: &mut String, schema: &Schema) -> Result<(), ConvertError> {
        match &schema.kind {
            SchemaKind::Array(items) => {
                name(out, "items");
                self.write(out, items, None)
            }
            SchemaKind::Map(keys, values) if matches!(keys.kind, SchemaKind::String) => {
                name(out, "additionalProperties");
                self.write(out, values, None)
            }
            SchemaKind::Map(keys, values) => {
                name(out, "items");
                let entry = Schema::structure(vec![
                    Field { name: "key".into(), schema: keys.clone() },
                    Field { name: "value".into(), schema: values.clone() },
                ]);
                self.write(out, &entry, None)
            }
            SchemaKind::Struct(fields) => {
                name(out, "properties");
                out.push('{');
                for index in hash_map_order(fields) {
                    let field = &fields[index];
                    name(out, &field.name);
                    self.write(out, &field.schema, Some(index)).map_err(|error| error.within(&field.name))?;
                }
                out.push('}');
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What Connect knows beyond JSON Schema.
fn write_extras(out: &mut String, schema: &Schema, index: Option<usize>) {
    if let Some(version) = schema.version {
        name(out, "connect.version");
        write!(out, "{version}").expect("a String takes every write");
    }
    if let Some(index) = index {
        name(out, "connect.index");
        write!(out, "{index}").expect("a String takes every write");
    }
    let named = matches!(
        schema.kind,
        SchemaKind::Int8
            | SchemaKind::Int16
            | SchemaKind::Int32
            | SchemaKind::Int64
            | SchemaKind::Float32
            | SchemaKind::Float64
            | SchemaKind::Bytes
            | SchemaKind::Map(..)
    );
    if named {
        member(out, "connect.type", schema.kind.name());
    }
    if !schema.parameters.is_empty() {
        name(out, "connect.parameters");
        out.push('{');
        for (key, value) in &schema.parameters {
            member(out, key, value);
        }
        out.push('}');
    }
}

/// A member's name, with a comma before it where one is due.
fn name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(out, name);
    out.push(':');
}

fn member(out: &mut String, key: &str, text: &str) {
    name(out, key);
    push_string(out, text);
}

/// The fields' positions in the order in which a `java.util.HashMap` gives back their names.
fn hash_map_order(fields: &[Field]) -> Vec<usize> {
    let mut capacity = 16_usize;
    while fields.len() * 4 > capacity * 3 {
        capacity *= 2;
    }
    let bucket = |name: &str| {
        let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        (hash ^ (hash >> 16)) as usize & (capacity - 1)
    };
    let mut order: Vec<usize> = (0..fields.len()).collect();
    // Stable: within a bucket the order of insertion stays.
    order.sort_by_key(|&index| bucket(&fields[index].name));
    order
}

#[cfg(test)]
mod tests {
    use super::{super::vectors, *};
    use crate::data::logical;

    fn written(options: JsonSchemaOptions, schema: &Schema, value: &Value) -> String {
        let mut out = Vec::new();
        write_root(&mut out, options, schema, value).expect("it fits");
        String::from_utf8(out).expect("JSON")
    }

    #[test]
    fn the_bytes_and_schemas_of_the_original() {
        let options = JsonSchemaOptions::default();
        let (schema, value) = vectors::mini(true);
        let (document, name) = text(options, &schema).expect("a schema");
        assert_eq!(
            document,
            r#"{"type":"object","title":"io.example.P","properties":{"Id":{"type":"string","connect.index":0},"Name":{"connect.index":1,"oneOf":[{"type":"null"},{"type":"string"}]},"Ts":{"connect.index":2,"oneOf":[{"type":"null"},{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","connect.version":1,"connect.type":"int64"}]}}}"#
        );
        assert_eq!(name.as_deref(), Some("io.example.P"));
        assert_eq!(written(options, &schema, &value), r#"{"Id":"a1","Name":"Bob","Ts":1700000000123}"#);
        let (schema, value) = vectors::mini(false);
        assert_eq!(written(options, &schema, &value), r#"{"Id":"a1","Name":null,"Ts":null}"#);
        let (schema, value) = vectors::wide();
        let json = r#"{"Id":"00Q1","Name":null,"Active":true,"Cnt":-3,"Small":5,"Score":1.5,"CreatedDate":1700000000123,"Birth":19000,"Tm":3600001,"Amount":"MDk=","Blob":"Af8=","D":"y","R":9}"#;
        assert_eq!(written(options, &schema, &value), json);
        let numeric = JsonSchemaOptions { decimal_format: DecimalFormat::Numeric, ..options };
        assert_eq!(written(numeric, &schema, &value), json.replace("\"MDk=\"", "123.45"));
    }

    #[test]
    fn properties_stand_in_the_order_of_the_original() {
        let (schema, _) = vectors::wide();
        let fields: Vec<Field> =
            schema.fields().iter().filter(|field| !["Small", "Tm"].contains(&&*field.name)).cloned().collect();
        let names: Vec<&str> = hash_map_order(&fields).into_iter().map(|index| &*fields[index].name).collect();
        assert_eq!(names.join(","), "Active,Score,Blob,R,D,Amount,Cnt,CreatedDate,Id,Birth,Name");
    }

    #[test]
    fn closed_objects_and_the_other_shapes() {
        let options = JsonSchemaOptions { additional_properties: false, ..JsonSchemaOptions::default() };
        let closed = Schema::structure(vec![Field::new("a", Schema::string())]).named("c");
        assert_eq!(
            text(options, &closed).expect("a schema").0,
            r#"{"type":"object","additionalProperties":false,"title":"c","properties":{"a":{"type":"string","connect.index":0}}}"#
        );
        let shapes = [
            (Schema::boolean().documented("d"), r#"{"description":"d","type":"boolean"}"#),
            (
                Schema::array(Schema::boolean().optional()),
                r#"{"type":"array","items":{"oneOf":[{"type":"null"},{"type":"boolean"}]}}"#,
            ),
            (
                Schema::map(Schema::string(), Schema::float64()),
                r#"{"type":"object","connect.type":"map","additionalProperties":{"type":"number","connect.type":"float64"}}"#,
            ),
            (
                logical::decimal(2),
                r#"{"type":"string","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.type":"bytes","connect.parameters":{"scale":"2"}}"#,
            ),
            (Schema::string().with_default("x".into()), r#"{"type":"string","default":"x"}"#),
        ];
        for (schema, document) in shapes {
            assert_eq!(text(JsonSchemaOptions::default(), &schema).expect("a schema").0, document);
        }
        let pairs = Schema::map(Schema::int32(), Schema::string());
        let value = Value::Map(vec![(Value::Int32(7), "seven".into())]);
        assert_eq!(written(JsonSchemaOptions::default(), &pairs, &value), r#"[{"key":7,"value":"seven"}]"#);
    }
}
