//! Typed data as the envelopes of Kafka's JsonConverter with schemas, `{"schema": ..., "payload": ...}`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use salesforce_pushtopic::data::{Schema, SchemaKind, SourceRecord, Value, java_number};
use serde_json::{Map, Value as Json, json};

/// Key, value or header value.
pub(crate) fn envelope(schema: Option<&Schema>, value: &Value) -> Json {
    json!({"schema": schema.map(schema_json), "payload": payload(value)})
}

/// A whole record, as the harness takes it.
pub(crate) fn record(record: &SourceRecord) -> Json {
    let headers = record.headers.iter();
    let headers = headers.map(|h| json!({"key": h.key, "value": envelope(h.schema.as_deref(), &h.value)}));
    json!({
        "topic": record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp_ms,
        "key": envelope(record.key_schema.as_deref(), &record.key),
        "value": envelope(record.value_schema.as_deref(), &record.value),
        "headers": headers.collect::<Vec<_>>(),
    })
}

fn schema_json(schema: &Schema) -> Json {
    let mut json = Map::new();
    let kind = match &schema.kind {
        SchemaKind::Float32 => "float",
        SchemaKind::Float64 => "double",
        kind => kind.name(),
    };
    json.insert("type".into(), kind.into());
    match &schema.kind {
        SchemaKind::Array(items) => {
            json.insert("items".into(), schema_json(items));
        }
        SchemaKind::Map(keys, values) => {
            json.insert("keys".into(), schema_json(keys));
            json.insert("values".into(), schema_json(values));
        }
        SchemaKind::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let mut json = schema_json(&field.schema);
                json["field"] = (*field.name).into();
                json
            });
            json.insert("fields".into(), fields.collect());
        }
        _ => {}
    }
    json.insert("optional".into(), schema.optional.into());
    if let Some(name) = &schema.name {
        json.insert("name".into(), (**name).into());
    }
    if let Some(version) = schema.version {
        json.insert("version".into(), version.into());
    }
    if let Some(doc) = &schema.doc {
        json.insert("doc".into(), (**doc).into());
    }
    if !schema.parameters.is_empty() {
        let parameters: Map<String, Json> =
            schema.parameters.iter().map(|(key, value)| (key.to_string(), (**value).into())).collect();
        json.insert("parameters".into(), parameters.into());
    }
    if let Some(default) = &schema.default {
        json.insert("default".into(), payload(default));
    }
    json.into()
}

fn payload(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => value.as_i64().into(),
        Value::Float32(number) => {
            let mut text = String::new();
            java_number::push_float(&mut text, *number);
            if number.is_finite() { text.parse::<f64>().expect("a number").into() } else { text.into() }
        }
        Value::Float64(number) if number.is_finite() => (*number).into(),
        Value::Float64(number) => {
            let mut text = String::new();
            java_number::push_double(&mut text, *number);
            text.into()
        }
        Value::Boolean(yes) => (*yes).into(),
        Value::String(text) => text.as_str().into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::Array(items) => items.iter().map(payload).collect(),
        Value::Map(entries) if entries.iter().all(|(key, _)| key.as_str().is_some()) => {
            let entries = entries.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), payload(value))));
            Json::Object(entries.collect())
        }
        Value::Map(entries) => entries.iter().map(|(key, value)| json!([payload(key), payload(value)])).collect(),
        Value::Struct(value) => {
            let fields = value.iter().map(|(field, value)| (field.name.to_string(), payload(value)));
            Json::Object(fields.collect())
        }
    }
}
