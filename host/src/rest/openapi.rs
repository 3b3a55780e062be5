//! `/openapi.json`: every route, what it takes and what it answers, as OpenAPI 3.1. The tables below are checked against the
//! router, and the answers of a running service against the document, in the tests.

use axum::Json;
use serde_json::{Map, Value, json};

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    summary: &'static str,
    /// Names of parameters in the query, from `PARAMETERS`.
    query: &'static [&'static str],
    /// The schema of the request's body.
    body: Option<&'static str>,
    /// Status codes with the schemas of their bodies; an empty name for no body, `Error` for the dialect's own.
    answers: &'static [(u16, &'static str)],
}

const fn operation(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    query: &'static [&'static str],
    body: Option<&'static str>,
    answers: &'static [(u16, &'static str)],
) -> Operation {
    Operation { method, path, summary, query, body, answers }
}

/// The schema of a refusal in Kafka Connect's dialect.
const ERROR: &str = "Error";

/// Parameters of queries: their schema and what they do.
const PARAMETERS: [(&str, &str, &str); 6] = [
    (
        "expand",
        "Expand",
        "More than names: `status`, `info`, both with a comma or by repeating it; of the cloud also `id`.",
    ),
    ("includeTasks", "Text", "`true`: the task too."),
    ("onlyFailed", "Text", "`true`: only what is FAILED."),
    ("connectorsOnly", "Text", "Anything but `true`: transformations and predicates too."),
    ("version", "Text", "An exact version, or a range in Maven's notation."),
    ("scope", "Text", "`cluster`: answered with 204; this worker is the cluster."),
];

/// What both dialects have.
const SHARED: &[Operation] = &[
    operation("get", "/connectors", "Names of the connectors, or more", &["expand"], None, &[(200, "Connectors")]),
    operation("get", "/connectors/{name}", "A connector", &[], None, &[(200, "ConnectorInfo"), (404, "Error")]),
    operation("get", "/connectors/{name}/config", "Its configuration", &[], None, &[(200, "Config"), (404, "Error")]),
    operation(
        "put",
        "/connectors/{name}/config",
        "Another configuration, or a new connector",
        &[],
        Some("Config"),
        &[(200, "ConnectorInfo"), (201, "ConnectorInfo"), (400, "Error"), (409, "Error")],
    ),
    operation(
        "get",
        "/connectors/{name}/status",
        "Its state and its task's",
        &[],
        None,
        &[(200, "Status"), (404, "Error")],
    ),
    operation(
        "put",
        "/connectors/{name}/pause",
        "Pauses it; the place is kept",
        &[],
        None,
        &[(202, ""), (404, "Error")],
    ),
    operation("put", "/connectors/{name}/resume", "Lets it go on", &[], None, &[(202, ""), (404, "Error")]),
    operation(
        "get",
        "/connectors/{name}/tasks",
        "Its task and the task's configuration",
        &[],
        None,
        &[(200, "Tasks"), (404, "Error")],
    ),
];

/// Kafka Connect's REST API alone, and what a service has besides.
pub(super) const OPERATIONS: &[Operation] = &[
    operation("get", "/", "Version of the worker and id of its Kafka cluster", &[], None, &[(200, "ServerInfo")]),
    operation(
        "get",
        "/health",
        "Health in Kafka Connect's form (KIP-1017)",
        &[],
        None,
        &[(200, "Health"), (503, "Health")],
    ),
    operation("get", "/livez", "The process answers", &[], None, &[(200, "text")]),
    operation(
        "get",
        "/readyz",
        "The worker has its place in its group, and the store of the connectors answers",
        &[],
        None,
        &[(200, "text"), (503, "text")],
    ),
    operation("get", "/metrics", "Metrics as Prometheus reads them", &[], None, &[(200, "text")]),
    operation("get", "/openapi.json", "This document", &[], None, &[(200, "Object")]),
    operation(
        "post",
        "/connectors",
        "Makes a connector",
        &[],
        Some("CreateConnector"),
        &[(201, "ConnectorInfo"), (400, "Error"), (409, "Error")],
    ),
    operation(
        "delete",
        "/connectors/{name}",
        "Removes a connector; its offsets stay",
        &[],
        None,
        &[(204, ""), (404, "Error")],
    ),
    operation(
        "patch",
        "/connectors/{name}/config",
        "Changes some settings; null takes one away (KIP-477)",
        &[],
        Some("Config"),
        &[(200, "ConnectorInfo"), (400, "Error"), (404, "Error")],
    ),
    operation(
        "post",
        "/connectors/{name}/restart",
        "Starts it again",
        &["includeTasks", "onlyFailed"],
        None,
        &[(202, "Status"), (204, ""), (404, "Error")],
    ),
    operation(
        "put",
        "/connectors/{name}/stop",
        "Stops it; nothing of it is left but configuration and offsets",
        &[],
        None,
        &[(204, ""), (404, "Error")],
    ),
    operation(
        "get",
        "/connectors/{name}/tasks/{task}/status",
        "The state of its task",
        &[],
        None,
        &[(200, "TaskState"), (404, "Error")],
    ),
    operation(
        "post",
        "/connectors/{name}/tasks/{task}/restart",
        "Starts its task again",
        &[],
        None,
        &[(204, ""), (404, "Error")],
    ),
    operation(
        "get",
        "/connectors/{name}/topics",
        "Topics that it has used",
        &[],
        None,
        &[(200, "Topics"), (403, "Error")],
    ),
    operation("put", "/connectors/{name}/topics/reset", "Forgets them", &[], None, &[(202, ""), (403, "Error")]),
    operation("get", "/connectors/{name}/offsets", "Where it stands", &[], None, &[(200, "Offsets"), (404, "Error")]),
    operation(
        "patch",
        "/connectors/{name}/offsets",
        "Puts a STOPPED one elsewhere",
        &[],
        Some("Offsets"),
        &[(200, "Message"), (400, "Error"), (404, "Error"), (409, "Error")],
    ),
    operation(
        "delete",
        "/connectors/{name}/offsets",
        "Lets a STOPPED one begin as its configuration says",
        &[],
        None,
        &[(200, "Message"), (400, "Error"), (404, "Error"), (409, "Error")],
    ),
    operation("get", "/connector-plugins", "What there is to run", &["connectorsOnly"], None, &[(200, "Plugins")]),
    operation(
        "get",
        "/connector-plugins/{plugin}/config",
        "Settings of a plugin",
        &["version"],
        None,
        &[(200, "ConfigKeys"), (400, "Error"), (404, "Error")],
    ),
    operation(
        "put",
        "/connector-plugins/{plugin}/config/validate",
        "Checks a configuration",
        &[],
        Some("Config"),
        &[(200, "ConfigInfos"), (400, "Error")],
    ),
    operation("get", "/admin/loggers", "Loggers and their levels", &[], None, &[(200, "Loggers")]),
    operation("get", "/admin/loggers/{logger}", "The level of a logger", &[], None, &[(200, "Logger"), (404, "Error")]),
    operation(
        "put",
        "/admin/loggers/{logger}",
        "Another level; tributary.connector.NAME is that of one connector",
        &["scope"],
        Some("Level"),
        &[(200, "Names"), (204, ""), (400, "Error"), (404, "Error")],
    ),
];

/// Where Confluent Cloud's dialect is.
pub(super) const CLOUD: &str = "/connect/v1/environments/{environment}/clusters/{cluster}";

/// That dialect alone, below `CLOUD`.
pub(super) const CLOUD_OPERATIONS: &[Operation] = &[
    operation(
        "post",
        "/connectors",
        "Makes a connector, at given offsets if there are any",
        &[],
        Some("CreateCloudConnector"),
        &[(201, "ConnectorInfo"), (400, "Error"), (409, "Error")],
    ),
    operation(
        "delete",
        "/connectors/{name}",
        "Removes a connector",
        &[],
        None,
        &[(200, "NoError"), (404, "Error"), (409, "Error")],
    ),
    operation("post", "/connectors/{name}/restart", "Starts it again", &[], None, &[(204, ""), (404, "Error")]),
    operation(
        "get",
        "/connectors/{name}/offsets",
        "Where it stands",
        &[],
        None,
        &[(200, "CloudOffsets"), (404, "Error")],
    ),
    operation(
        "post",
        "/connectors/{name}/offsets/request",
        "Asks to put it elsewhere, while it runs",
        &[],
        Some("AskForOffsets"),
        &[(202, "OffsetsRequest"), (400, "Error"), (404, "Error"), (409, "Error")],
    ),
    operation(
        "get",
        "/connectors/{name}/offsets/request/status",
        "What became of that",
        &[],
        None,
        &[(200, "OffsetsRequestStatus"), (404, "Error")],
    ),
];

/// The parameters of a path.
fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter =
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}});
    names.map(parameter).collect()
}

fn of_query(name: &str) -> Option<Value> {
    let (name, schema, description) = PARAMETERS.iter().find(|(known, ..)| *known == name)?;
    Some(
        json!({"name": name, "in": "query", "required": false, "description": description, "schema": reference(schema)}),
    )
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn content(schema: &str) -> Value {
    match schema {
        "text" => json!({"text/plain": {"schema": {"type": "string"}}}),
        schema => json!({"application/json": {"schema": reference(schema)}}),
    }
}

fn described(operation: &Operation, path: &str, error: &str, tag: &str) -> Value {
    let mut all = parameters(path);
    all.extend(operation.query.iter().filter_map(|name| of_query(name)));
    let response = |status: u16, schema: &str| {
        let mut response = json!({"description": reason(status)});
        if !schema.is_empty() {
            response["content"] = content(if schema == ERROR { error } else { schema });
        }
        response
    };
    let mut responses: Map<String, Value> =
        operation.answers.iter().map(|(status, schema)| (status.to_string(), response(*status, schema))).collect();
    responses.insert("default".to_owned(), json!({"description": "Refused", "content": content(error)}));
    let mut described = json!({"summary": operation.summary, "tags": [tag], "parameters": all, "responses": responses});
    if let Some(body) = operation.body {
        described["requestBody"] = json!({"required": true, "content": content(body)});
    }
    described
}

fn reason(status: u16) -> String {
    let status = axum::http::StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or_default().to_owned()
}

/// The document.
pub(super) async fn document() -> Json<Value> {
    let mut paths: Map<String, Value> = Map::new();
    let of_connect =
        SHARED.iter().chain(OPERATIONS).map(|operation| (operation, operation.path.to_owned(), ERROR, "Kafka Connect"));
    let of_cloud = SHARED
        .iter()
        .chain(CLOUD_OPERATIONS)
        .map(|operation| (operation, format!("{CLOUD}{}", operation.path), "CloudError", "Confluent Cloud"));
    for (operation, path, error, tag) in of_connect.chain(of_cloud) {
        let described = described(operation, &path, error, tag);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[operation.method] = described;
    }
    Json(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tributary",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Connectors as a service: Kafka Connect's REST API, and Confluent Cloud's dialect of it.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}},
        },
    }))
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

/// The same, where nothing else may stand in it.
fn closed(required: &[&str], properties: Value) -> Value {
    let mut object = object(required, properties);
    object["additionalProperties"] = false.into();
    object
}

/// Shapes that others are made of.
fn text() -> Value {
    json!({"type": "string"})
}

fn number() -> Value {
    json!({"type": "integer"})
}

fn or_null(of: &str) -> Value {
    json!({"type": [of, "null"]})
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

fn list_or_null(of: &Value) -> Value {
    json!({"type": ["array", "null"], "items": of})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn map(of: &Value) -> Value {
    json!({"type": "object", "additionalProperties": of})
}

fn words(words: &[&str]) -> Value {
    json!({ "enum": words })
}

fn schemas() -> Map<String, Value> {
    let all = of_connect().into_iter().chain(of_plugins()).chain(of_cloud());
    all.map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn task_id() -> Value {
    object(&["connector", "task"], json!({"connector": text(), "task": number()}))
}

fn initial_state() -> Value {
    json!({"enum": ["RUNNING", "PAUSED", "STOPPED", null]})
}

fn of_connect() -> Vec<(&'static str, Value)> {
    let scalar = json!({"type": ["string", "number", "boolean", "null"]});
    let kind = words(&["source", "sink", "unknown"]);
    let name = json!({"type": "string", "minLength": 1, "maxLength": 64});
    let state = json!({"state": text(), "worker_id": text(), "version": or_null("string"), "trace": text()});
    let mut task_state = state.clone();
    task_state["id"] = number();
    let info = json!({"name": text(), "config": reference("Config"), "type": kind, "tasks": list(&task_id())});
    let status = json!({
        "name": text(), "connector": reference("State"), "tasks": list(&reference("TaskState")), "type": kind,
    });
    let offset = json!({"type": ["object", "null"], "additionalProperties": scalar});
    vec![
        ("Object", json!({"type": "object"})),
        ("Text", text()),
        ("Expand", list(&text())),
        ("Names", list(&text())),
        ("Error", object(&["error_code", "message"], json!({"error_code": number(), "message": text()}))),
        ("Message", object(&["message"], json!({"message": text()}))),
        (
            "ServerInfo",
            object(
                &["version", "commit", "kafka_cluster_id"],
                json!({"version": text(), "commit": text(), "kafka_cluster_id": text()}),
            ),
        ),
        ("Health", object(&["status", "message"], json!({"status": text(), "message": text()}))),
        ("Config", map(&scalar)),
        (
            "CreateConnector",
            closed(
                &["name", "config"],
                json!({"name": name, "config": reference("Config"), "initial_state": initial_state()}),
            ),
        ),
        ("ConnectorInfo", object(&["name", "config", "tasks", "type"], info)),
        ("Connectors", json!({"oneOf": [list(&text()), map(&json!({"type": "object"}))]})),
        ("State", object(&["state", "worker_id", "version"], state)),
        ("TaskState", object(&["id", "state", "worker_id", "version"], task_state)),
        ("Status", object(&["name", "connector", "tasks", "type"], status)),
        ("Tasks", list(&object(&["id", "config"], json!({"id": task_id(), "config": reference("Config")})))),
        ("Topics", map(&object(&["topics"], json!({"topics": list(&text())})))),
        ("Offset", closed(&["partition"], json!({"partition": map(&scalar), "offset": offset}))),
        ("Offsets", closed(&["offsets"], json!({"offsets": list(&reference("Offset"))}))),
        ("Logger", object(&["level", "last_modified"], json!({"level": text(), "last_modified": or_null("integer")}))),
        ("Loggers", map(&reference("Logger"))),
        (
            "Level",
            object(
                &["level"],
                json!({"level": words(&["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"])}),
            ),
        ),
    ]
}

fn of_plugins() -> Vec<(&'static str, Value)> {
    const KEY: [&str; 11] = [
        "name",
        "type",
        "required",
        "default_value",
        "importance",
        "documentation",
        "group",
        "order_in_group",
        "width",
        "display_name",
        "dependents",
    ];
    const VALUE: [&str; 5] = ["name", "value", "recommended_values", "errors", "visible"];
    let flag = json!({"type": "boolean"});
    let mut key = object(&KEY, KEY.iter().map(|name| ((*name).to_owned(), text())).collect());
    for (name, schema) in [
        ("required", flag.clone()),
        ("default_value", or_null("string")),
        ("group", or_null("string")),
        ("order_in_group", number()),
        ("dependents", list(&text())),
    ] {
        key["properties"][name] = schema;
    }
    let value = json!({
        "name": text(), "value": or_null("string"), "recommended_values": list(&text()), "errors": list(&text()),
        "visible": flag,
    });
    let definition = json!({"oneOf": [reference("ConfigKey"), {"type": "null"}]});
    let info = object(&["definition", "value"], json!({"definition": definition, "value": object(&VALUE, value)}));
    let infos = json!({
        "name": text(), "error_count": number(), "groups": list(&text()), "configs": list(&reference("ConfigInfo")),
    });
    vec![
        ("Plugins", list(&object(&["class", "type"], json!({"class": text(), "type": text(), "version": text()})))),
        ("ConfigKey", key),
        ("ConfigKeys", list(&reference("ConfigKey"))),
        ("ConfigInfo", info),
        ("ConfigInfos", object(&["name", "error_count", "groups", "configs"], infos)),
    ]
}

fn of_cloud() -> Vec<(&'static str, Value)> {
    let offsets = list(&reference("Offset"));
    let kind = words(&["PATCH", "DELETE"]);
    let some_offsets = list_or_null(&reference("Offset"));
    let error = object(&["code", "message"], json!({"code": number(), "message": text()}));
    let create = json!({
        "name": {"type": "string", "minLength": 1, "maxLength": 64}, "config": reference("Config"),
        "initial_state": initial_state(), "offsets": some_offsets,
    });
    let observed = object(&["observed_at"], json!({"observed_at": time()}));
    let stands = json!({"id": text(), "name": text(), "offsets": offsets, "metadata": observed});
    let request = json!({"id": text(), "name": text(), "offsets": offsets, "requested_at": time(), "type": kind});
    let phase = words(&["PENDING", "APPLIED", "FAILED"]);
    let status = json!({
        "request": reference("OffsetsRequest"),
        "status": object(&["phase"], json!({"phase": phase, "message": text()})),
        "previous_offsets": offsets,
        "applied_at": {"type": ["string", "null"], "format": "date-time"},
    });
    vec![
        ("CloudError", object(&["error"], json!({ "error": error }))),
        ("NoError", object(&["error"], json!({"error": {"type": "null"}}))),
        ("CreateCloudConnector", closed(&["name", "config"], create)),
        ("CloudOffsets", object(&["id", "name", "offsets", "metadata"], stands)),
        ("AskForOffsets", closed(&["type"], json!({"type": kind, "offsets": some_offsets}))),
        ("OffsetsRequest", object(&["id", "name", "offsets", "requested_at", "type"], request)),
        ("OffsetsRequestStatus", object(&["request", "status", "previous_offsets", "applied_at"], status)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The routes as they stand in the source, methods left out.
    fn routes(source: &str, from: &str, to: &str) -> Vec<String> {
        let part = source.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(part, _)| part);
        let routes = part.split(".route(\"").skip(1).filter_map(|rest| rest.split_once('"'));
        routes.map(|(path, _)| path.to_owned()).collect()
    }

    #[test]
    fn every_route_is_described_and_no_other() {
        let (app, cloud) = (include_str!("app.rs"), include_str!("cloud.rs"));
        let below = |stem: &str, paths: Vec<String>| {
            paths.into_iter().map(move |path| format!("{stem}{}", path.trim_end_matches('/'))).collect::<Vec<_>>()
        };
        let mut found: BTreeSet<String> =
            routes(app, "let of_the_active = ", ".method_not_allowed").into_iter().collect();
        found.insert("/".to_owned());
        found.extend(below("/connectors/{name}", routes(app, "let connector = ", ";")));
        found.extend(below(CLOUD, routes(cloud, "    Router::new().route", "}").into_iter().collect()));
        found.insert(format!("{CLOUD}/connectors"));
        found.extend(below(&format!("{CLOUD}/connectors/{{name}}"), routes(cloud, "let connector = ", ";")));
        let of_connect = SHARED.iter().chain(OPERATIONS).map(|operation| operation.path.to_owned());
        let of_cloud = SHARED.iter().chain(CLOUD_OPERATIONS).map(|operation| format!("{CLOUD}{}", operation.path));
        let described: BTreeSet<String> = of_connect.chain(of_cloud).collect();
        assert_eq!(found, described);
    }

    #[tokio::test]
    async fn every_schema_is_there() {
        let document = document().await.0;
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
