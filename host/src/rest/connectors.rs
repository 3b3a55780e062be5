//! `/connectors`: Kafka Connect's `ConnectorsResource`, path by path.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::{
    app::App,
    body::{JsonBody, NoBody},
    error::RestError,
    offsets::Changes,
    query::Query,
};
use crate::{
    config::ConnectorConfig,
    herder::{HerderError, Shown},
    rest::config_infos::ConfigInfos,
    store::{GivenConfig, TargetState},
    worker::Validation,
};

type Answer<T = Response> = Result<T, RestError>;

/// Kafka Connect's `ConnectorInfo`.
#[derive(Serialize)]
struct ConnectorInfo<'a> {
    name: &'a str,
    config: &'a GivenConfig,
    tasks: Vec<TaskId<'a>>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Kafka Connect's `ConnectorTaskId`.
#[derive(Serialize)]
struct TaskId<'a> {
    connector: &'a str,
    task: u32,
}

/// What a connector is, and what it does.
pub(super) fn info(app: &App, shown: &Shown) -> Value {
    let tasks = shown.task.iter().map(|_| TaskId { connector: &shown.name, task: 0 }).collect();
    let config = &app.herder.masked(&shown.config);
    json!(ConnectorInfo { name: &shown.name, config, tasks, kind: kind(shown) })
}

/// Every component here is a source; a class that none knows may be anything.
fn kind(shown: &Shown) -> &'static str {
    if shown.version.is_some() { "source" } else { "unknown" }
}

fn state(app: &App, state: &str, trace: Option<&str>, version: Option<&str>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("state".to_owned(), state.into());
    object.insert("worker_id".to_owned(), app.herder.worker_id().into());
    object.insert("version".to_owned(), version.into());
    if let Some(trace) = trace {
        object.insert("trace".to_owned(), trace.into());
    }
    object
}

fn task_state(app: &App, shown: &Shown) -> Option<Value> {
    let (word, trace) = shown.task.as_ref()?;
    let mut object = state(app, word, trace.as_deref(), shown.version.as_deref());
    object.insert("id".to_owned(), 0.into());
    Some(object.into())
}

pub(super) fn status(app: &App, shown: &Shown) -> Value {
    let (word, trace) = &shown.state;
    json!({
        "name": shown.name,
        "connector": state(app, word, trace.as_deref(), shown.version.as_deref()),
        "tasks": task_state(app, shown).into_iter().collect::<Vec<_>>(),
        "type": kind(shown),
    })
}

pub(super) fn find(app: &App, name: &str) -> Answer<Shown> {
    Ok(app.herder.find(name)?)
}

pub(super) async fn list(State(app): State<App>, RawQuery(query): RawQuery) -> Json<Value> {
    listed(&app, query.as_deref(), |expansion, shown| match expansion {
        "status" => Some(status(&app, shown)),
        "info" => Some(info(&app, shown)),
        _ => None,
    })
}

/// The names, or with `expand` what each of its words stands for; unknown words stand for nothing.
pub(super) fn listed(app: &App, query: Option<&str>, expand: impl Fn(&str, &Shown) -> Option<Value>) -> Json<Value> {
    let query = Query::of(query);
    let expansions: Vec<&str> = query.all("expand").flat_map(|value| value.split(',')).collect();
    if expansions.is_empty() {
        return Json(json!(app.herder.names()));
    }
    let expanded = app.herder.all().into_iter().map(|shown| {
        let parts = expansions.iter().filter_map(|word| Some(((*word).to_owned(), expand(word, &shown)?)));
        let parts: Map<String, Value> = parts.collect();
        (shown.name, Value::Object(parts))
    });
    Json(Value::Object(expanded.collect()))
}

/// A configuration in a request: numbers and booleans are texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Config(pub(super) GivenConfig);

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let text = |value| match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            Value::Number(number) => Ok(Some(number.to_string())),
            Value::Bool(flag) => Ok(Some(flag.to_string())),
            Value::Array(_) | Value::Object(_) => {
                Err(serde::de::Error::custom("a setting is neither a text nor a number, true, false or null"))
            }
        };
        values.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect::<Result<_, _>>().map(Self)
    }
}

/// Kafka Connect's `CreateConnectorRequest`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateConnector {
    #[serde(default, deserialize_with = "name_of")]
    pub(super) name: String,
    pub(super) config: Config,
    pub(super) initial_state: Option<String>,
    /// Of Confluent's cloud: where the connector is to begin.
    #[serde(default)]
    pub(super) offsets: Option<Value>,
}

/// A text or a number.
fn name_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        _ => Err(serde::de::Error::custom("a name is a text")),
    }
}

pub(super) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<CreateConnector>,
) -> Answer {
    if request.offsets.is_some() {
        return Err(RestError::bad_request(
            "offsets is no part of this request; PATCH the offsets of a stopped connector",
        ));
    }
    let (name, body) = made(&app, request, None).await?;
    Ok((StatusCode::CREATED, [(LOCATION, location(&app, &headers, &name))], Json(body)).into_response())
}

/// Makes a connector, which begins at these offsets: its name, and what it is.
pub(super) async fn made(app: &App, request: CreateConnector, offsets: Option<&Changes>) -> Answer<(String, Value)> {
    let target = match request.initial_state.as_deref() {
        None => TargetState::Started,
        Some(word) => TargetState::of_initial(word)
            .ok_or_else(|| RestError::bad_request("initial_state is none of RUNNING, PAUSED and STOPPED"))?,
    };
    let config = with_name(&request.name, request.config.0)?;
    validate(app, &request.name, &config).await?;
    let shown = app.herder.create(&request.name, config, target, offsets.map(Vec::as_slice)).await?;
    // Connect has not made the task yet when it answers.
    let mut body = info(app, &shown);
    body["tasks"] = json!([]);
    Ok((request.name, body))
}

fn location(app: &App, headers: &HeaderMap, name: &str) -> String {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or(app.herder.worker_id());
    format!("{}://{host}/connectors/{}", app.scheme, super::query::encoded(name))
}

/// The configuration with the connector's name in it, which it may name itself but not differently.
fn with_name(name: &str, mut config: GivenConfig) -> Answer<GivenConfig> {
    match config.get("name") {
        Some(Some(other)) if other.trim() != name => Err(RestError::bad_request(format!(
            "Connector name configuration ({other}) doesn't match connector name in the URL ({name})"
        ))),
        _ => {
            config.insert("name".to_owned(), Some(name.to_owned()));
            Ok(config)
        }
    }
}

/// Whether a configuration may be used.
async fn validate(app: &App, name: &str, config: &GivenConfig) -> Answer<()> {
    let class = config.get("connector.class").and_then(Option::as_deref);
    let Some(class) = class else {
        let names: Vec<String> = config.keys().map(|key| format!("{key}=…")).collect();
        let text = format!("Connector config {{{}}} contains no connector type", names.join(", "));
        return Err(RestError::bad_request(text));
    };
    let catalogue = app.herder.catalogue();
    if catalogue.find(class).is_err() {
        return Err(RestError::bad_request(format!(
            "Failed to find any class that implements Connector and which name matches {class}, available connectors are: {}",
            catalogue.classes().join(", ")
        )));
    }
    let infos = infos(app, pairs(config)).await?;
    let of_name = name_error(name);
    let mut errors: Vec<&str> = of_name.iter().map(String::as_str).collect();
    // What is wrong with a name is said once.
    let others = infos.configs.iter().filter(|info| of_name.is_none() || info.value.name != "name");
    errors.extend(others.flat_map(|info| info.value.errors.iter().map(String::as_str)));
    if errors.is_empty() {
        return Ok(());
    }
    Err(invalid(&errors))
}

fn invalid(errors: &[&str]) -> RestError {
    RestError::bad_request(format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}\nYou can also find the above list of \
         errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        errors.len(),
        errors.join("\n")
    ))
}

/// Kafka Connect's `NonEmptyStringWithoutControlChars`.
fn name_error(name: &str) -> Option<String> {
    let control: Vec<String> = name.chars().filter(|c| c.is_control()).map(|c| u32::from(c).to_string()).collect();
    if name.trim().is_empty() {
        return Some("Invalid value  for configuration name: String may not be empty".to_owned());
    }
    (!control.is_empty()).then(|| {
        let codes = control.join(", ");
        format!(
            "Invalid value {name} for configuration name: String may not contain control sequences but had the following ASCII \
             chars: {codes}"
        )
    })
}

fn pairs(config: &GivenConfig) -> Vec<(String, String)> {
    config.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
}

/// What host and component find, as Kafka Connect shows it.
pub(super) async fn infos(app: &App, given: Vec<(String, String)>) -> Answer<ConfigInfos> {
    let herder = &app.herder;
    let (connector, findings) = ConnectorConfig::of_given(given, herder.worker());
    let validation =
        Validation::of(&connector, findings, herder.worker(), herder.catalogue(), herder.telemetry()).await;
    let Validation { known, findings, values } =
        validation.map_err(|error| RestError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(ConfigInfos::new(&connector, known.map(|(_, description)| description), &values, &findings))
}

pub(super) async fn get(State(app): State<App>, Path(name): Path<String>) -> Answer<Json<Value>> {
    Ok(Json(info(&app, &find(&app, &name)?)))
}

pub(super) async fn get_config(State(app): State<App>, Path(name): Path<String>) -> Answer<Json<GivenConfig>> {
    Ok(Json(app.herder.masked(&find(&app, &name)?.config)))
}

pub(super) async fn put_config(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonBody(config): JsonBody<Config>,
) -> Answer {
    let (mut body, made) = configured(&app, &name, config.0).await?;
    if made {
        body["tasks"] = json!([]);
        return Ok((StatusCode::CREATED, [(LOCATION, location(&app, &headers, &name))], Json(body)).into_response());
    }
    Ok(Json(body).into_response())
}

/// Gives a connector that configuration, or makes it: what it is, and whether it was made.
pub(super) async fn configured(app: &App, name: &str, config: GivenConfig) -> Answer<(Value, bool)> {
    let config = with_name(name, app.herder.unmasked(name, config))?;
    validate(app, name, &config).await?;
    let (shown, made) = app.herder.configure(name, config).await?;
    Ok((info(app, &shown), made))
}

/// KIP-477: a null takes a setting away.
pub(super) async fn patch_config(
    State(app): State<App>,
    Path(name): Path<String>,
    JsonBody(changes): JsonBody<Config>,
) -> Answer<Json<Value>> {
    let mut config = find(&app, &name)?.config;
    if changes.0.get("name").is_some_and(Option::is_none) {
        let missing = "Missing required configuration \"name\" which has no default value.";
        return Err(invalid(&[missing]));
    }
    for (key, value) in changes.0 {
        match value {
            Some(value) => config.insert(key, Some(value)),
            None => config.remove(&key),
        };
    }
    Ok(Json(configured(&app, &name, config).await?.0))
}

pub(super) async fn delete(State(app): State<App>, Path(name): Path<String>) -> Answer<StatusCode> {
    app.herder.delete(&name).await?;
    app.requests.forget(&name);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn get_status(State(app): State<App>, Path(name): Path<String>) -> Answer<Json<Value>> {
    let shown = app.herder.shown(&name);
    let shown = shown.ok_or_else(|| RestError::not_found(format!("No status found for connector {name}")))?;
    Ok(Json(status(&app, &shown)))
}

pub(super) async fn restart(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Answer {
    let query = Query::of(query.as_deref());
    let shown = app.herder.shown(&name).ok_or_else(|| RestError::not_found(format!("Unknown connector: {name}")))?;
    let (include_tasks, only_failed) = (query.flag("includeTasks"), query.flag("onlyFailed"));
    let could_not_start = shown.state.0 == "FAILED";
    let task_failed = shown.task.as_ref().is_some_and(|(state, _)| *state == "FAILED");
    // The connector itself does nothing: without its task there is nothing to start anew, unless it could not start.
    let wanted = could_not_start || (include_tasks && (!only_failed || task_failed));
    if wanted {
        app.herder.restart(&name).await?;
    }
    if !include_tasks && !only_failed {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mut body = status(&app, &find(&app, &name)?);
    if !only_failed || could_not_start {
        body["connector"]["state"] = "RESTARTING".into();
    }
    if wanted && shown.state.0 == "RUNNING" && body["tasks"][0].is_object() {
        body["tasks"][0]["state"] = "RESTARTING".into();
    }
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

pub(super) async fn want(app: &App, name: &str, target: TargetState) -> Answer<()> {
    app.herder.want(name, target).await.map_err(|error| match error {
        HerderError::NotFound(name) => RestError::not_found(format!("Unknown connector {name}")),
        error => error.into(),
    })
}

pub(super) async fn pause(State(app): State<App>, Path(name): Path<String>, _: NoBody) -> Answer<StatusCode> {
    want(&app, &name, TargetState::Paused).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn resume(State(app): State<App>, Path(name): Path<String>, _: NoBody) -> Answer<StatusCode> {
    want(&app, &name, TargetState::Started).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn stop(State(app): State<App>, Path(name): Path<String>, _: NoBody) -> Answer<StatusCode> {
    want(&app, &name, TargetState::Stopped).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn tasks(State(app): State<App>, Path(name): Path<String>) -> Answer<Json<Value>> {
    let shown = find(&app, &name)?;
    let tasks = shown.task.iter().map(|_| {
        let mut config = app.herder.masked(&shown.config);
        config.insert("task.class".to_owned(), config.get("connector.class").cloned().flatten());
        json!({"id": TaskId { connector: &name, task: 0 }, "config": config})
    });
    Ok(Json(tasks.collect()))
}

pub(super) async fn task_status(
    State(app): State<App>,
    Path((name, task)): Path<(String, String)>,
) -> Answer<Json<Value>> {
    let task: i32 = task.parse().map_err(|_| RestError::of_status(StatusCode::NOT_FOUND))?;
    let shown = app.herder.shown(&name).filter(|_| task == 0);
    let state = shown.and_then(|shown| task_state(&app, &shown));
    state.map(Json).ok_or_else(|| RestError::not_found(format!("No status found for task {name}-{task}")))
}

pub(super) async fn task_restart(
    State(app): State<App>,
    Path((name, task)): Path<(String, String)>,
    _: NoBody,
) -> Answer<StatusCode> {
    let task: i32 = task.parse().map_err(|_| RestError::of_status(StatusCode::NOT_FOUND))?;
    let shown = app.herder.shown(&name).ok_or_else(|| RestError::not_found(format!("Unknown connector: {name}")))?;
    if shown.task.is_none() || task != 0 {
        return Err(RestError::not_found(format!("Unknown task: {name}-{task}")));
    }
    app.herder.restart(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn topics(State(app): State<App>, Path(name): Path<String>) -> Answer<Json<Value>> {
    if !app.topic_tracking {
        return Err(RestError::new(StatusCode::FORBIDDEN, "Topic tracking is disabled."));
    }
    let topics = app.herder.shown(&name).map(|shown| shown.standing.topics).unwrap_or_default();
    Ok(Json(json!({ name: { "topics": topics } })))
}

pub(super) async fn reset_topics(State(app): State<App>, Path(name): Path<String>, _: NoBody) -> Answer<StatusCode> {
    for (allowed, text) in
        [(app.topic_tracking, "Topic tracking is disabled."), (app.topic_reset, "Topic tracking reset is disabled.")]
    {
        if !allowed {
            return Err(RestError::new(StatusCode::FORBIDDEN, text));
        }
    }
    if app.herder.shown(&name).is_some() {
        app.herder.telemetry().progress.change(&name, |standing| standing.topics.clear());
    }
    Ok(StatusCode::ACCEPTED)
}
