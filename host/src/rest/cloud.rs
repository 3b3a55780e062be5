//! Confluent Cloud's dialect (its Connect API v1): the same connectors under
//! `/connect/v1/environments/{environment}/clusters/{cluster}`, and offsets requests, which move a connector that runs.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header::CONTENT_LENGTH},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    app::App,
    body::{JsonBody, NoBody},
    connectors::{self, Config, CreateConnector},
    error::RestError,
    offsets::{self, Changes, ConnectorOffsets},
};
use crate::{herder::Shown, store::TargetState};

type Answer<T = Json<Value>> = Result<T, RestError>;

/// An answer to a request below this path in this dialect's form, which differs for errors.
pub(super) fn in_its_form(path: &str, answer: Response) -> Response {
    let Some(RestError { status, message }) = answer.extensions().get().filter(|_| path.starts_with("/connect/v1/"))
    else {
        return answer;
    };
    let mut own = (*status, Json(json!({"error": {"code": status.as_u16(), "message": message}}))).into_response();
    for (name, value) in answer.headers() {
        if !own.headers().contains_key(name) && name != CONTENT_LENGTH {
            own.headers_mut().insert(name.clone(), value.clone());
        }
    }
    own
}

/// Environment, cluster, connector.
type OfConnector = Path<(String, String, String)>;

pub(super) fn router() -> Router<App> {
    let connector = Router::new()
        .route("/", get(info).delete(delete))
        .route("/config", get(config).put(put_config))
        .route("/status", get(status))
        .route("/tasks", get(tasks))
        .route("/pause", put(pause))
        .route("/resume", put(resume))
        .route("/restart", post(restart))
        .route("/offsets", get(get_offsets))
        .route("/offsets/request", post(request_offsets))
        .route("/offsets/request/status", get(request_status));
    Router::new().route("/connectors", get(list).post(create)).nest("/connectors/{name}", connector)
}

/// Now, as RFC 3339 has it.
fn now() -> String {
    // A time of this millennium can be written.
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// `lcc-` and six characters that follow from the name.
fn id(name: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = Sha256::digest(name.as_bytes());
    let letters: String = digest.iter().take(6).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    format!("lcc-{letters}")
}

async fn list(State(app): State<App>, RawQuery(query): RawQuery) -> Json<Value> {
    connectors::listed(&app, query.as_deref(), |expansion, shown| match expansion {
        "id" => Some(json!({"id": id(&shown.name), "id_type": "ID"})),
        "info" => Some(connectors::info(&app, shown)),
        "status" => Some(status_of(&app, shown)),
        _ => None,
    })
}

async fn create(
    State(app): State<App>,
    JsonBody(mut request): JsonBody<CreateConnector>,
) -> Answer<(StatusCode, Json<Value>)> {
    let Some(offsets) = request.offsets.take().filter(|offsets| !offsets.is_null()) else {
        return Ok((StatusCode::CREATED, Json(connectors::made(&app, request, None).await?.1)));
    };
    let offsets = ConnectorOffsets::deserialize(json!({"offsets": offsets}))
        .map_err(|_| RestError::bad_request("offsets does not have the form that is asked for"))?;
    let changes = offsets.changes()?;
    Ok((StatusCode::CREATED, Json(connectors::made(&app, request, Some(&changes)).await?.1)))
}

async fn info(State(app): State<App>, Path((_, _, name)): OfConnector) -> Answer {
    Ok(Json(connectors::info(&app, &connectors::find(&app, &name)?)))
}

async fn delete(State(app): State<App>, Path((_, _, name)): OfConnector) -> Answer {
    if app.requests.is_pending(&name) {
        return Err(RestError::new(StatusCode::CONFLICT, "An offsets request for this connector is pending"));
    }
    app.herder.delete(&name).await?;
    app.requests.forget(&name);
    Ok(Json(json!({"error": null})))
}

async fn config(State(app): State<App>, Path((_, _, name)): OfConnector) -> Answer {
    let shown = connectors::find(&app, &name)?;
    Ok(Json(json!(app.herder.masked(&shown.config))))
}

async fn put_config(
    State(app): State<App>,
    Path((_, _, name)): OfConnector,
    JsonBody(config): JsonBody<Config>,
) -> Answer<(StatusCode, Json<Value>)> {
    let (body, made) = connectors::configured(&app, &name, config.0).await?;
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, Json(body)))
}

/// The states of this dialect: a connector is what its task is.
fn status_of(app: &App, shown: &Shown) -> Value {
    let mut status = connectors::status(app, shown);
    let state = match (shown.state.0, shown.task.as_ref().map(|(state, _)| *state)) {
        ("RUNNING", Some("FAILED" | "FENCED")) | ("FAILED", _) => "FAILED",
        ("RUNNING", Some("RUNNING")) => "RUNNING",
        ("RUNNING", _) => "PROVISIONING",
        _ => "PAUSED",
    };
    status["connector"]["state"] = state.into();
    if let Some(trace) = shown.task.as_ref().and_then(|(_, trace)| trace.as_deref()) {
        status["connector"]["trace"] = trace.into();
    }
    status
}

async fn status(State(app): State<App>, Path((_, _, name)): OfConnector) -> Answer {
    Ok(Json(status_of(&app, &connectors::find(&app, &name)?)))
}

async fn tasks(State(app): State<App>, Path((_, _, name)): OfConnector) -> Answer {
    connectors::tasks(State(app), Path(name)).await
}

async fn pause(State(app): State<App>, Path((_, _, name)): OfConnector, _: NoBody) -> Answer<StatusCode> {
    connectors::want(&app, &name, TargetState::Paused).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn resume(State(app): State<App>, Path((_, _, name)): OfConnector, _: NoBody) -> Answer<StatusCode> {
    connectors::want(&app, &name, TargetState::Started).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn restart(State(app): State<App>, Path((_, _, name)): OfConnector, _: NoBody) -> Answer<StatusCode> {
    app.herder.restart(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_offsets(State(app): State<App>, Path((_, _, name)): OfConnector) -> Answer {
    let found = app.herder.offsets(&name).await?;
    Ok(Json(json!({
        "id": id(&name),
        "name": name,
        "offsets": offsets::entries(&found),
        "metadata": {"observed_at": now()},
    })))
}

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OffsetsRequest {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    offsets: Option<Vec<offsets::ConnectorOffset>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Kind {
    #[serde(rename = "PATCH")]
    Patch,
    #[serde(rename = "DELETE")]
    Delete,
}

/// The newest request of each connector, in the form in which its status is told.
#[derive(Default)]
pub(super) struct Requests(Mutex<BTreeMap<String, Value>>);

impl Requests {
    fn is_pending(&self, name: &str) -> bool {
        self.get(name).is_some_and(|request| request["status"]["phase"] == "PENDING")
    }

    fn get(&self, name: &str) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Notes a new one; gives back the one that is pending, if one is.
    fn begin(&self, name: &str, request: &Value) -> Result<(), Value> {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match requests.get(name) {
            Some(pending) if pending["status"]["phase"] == "PENDING" => Err(pending.clone()),
            _ => {
                let status = json!({"phase": "PENDING"});
                let noted = json!({"request": request, "status": status, "previous_offsets": [], "applied_at": null});
                requests.insert(name.to_owned(), noted);
                Ok(())
            }
        }
    }

    fn end(&self, name: &str, outcome: Result<(Vec<Value>, &str), String>) {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(request) = requests.get_mut(name) else { return };
        match outcome {
            Ok((previous, message)) => {
                request["status"] = json!({"phase": "APPLIED", "message": message});
                request["previous_offsets"] = previous.into();
                request["applied_at"] = now().into();
            }
            Err(message) => request["status"] = json!({"phase": "FAILED", "message": message}),
        }
    }

    pub(super) fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

async fn request_offsets(
    State(app): State<App>,
    Path((_, _, name)): OfConnector,
    JsonBody(asked): JsonBody<OffsetsRequest>,
) -> Answer<(StatusCode, Json<Value>)> {
    connectors::find(&app, &name)?;
    let changes: Option<Changes> = match asked.kind {
        Kind::Delete => None,
        Kind::Patch => Some(ConnectorOffsets { offsets: asked.offsets }.changes()?),
    };
    let shown: Vec<Value> = changes.iter().flatten().map(offsets::change).collect();
    let kind = if asked.kind == Kind::Patch { "PATCH" } else { "DELETE" };
    let request = json!({"id": id(&name), "name": name, "offsets": shown, "requested_at": now(), "type": kind});
    if let Err(pending) = app.requests.begin(&name, &request) {
        let since = pending["request"]["requested_at"].as_str().unwrap_or_default().to_owned();
        let text =
            format!("An offsets request for this connector is pending since {since}; one is carried out at a time");
        return Err(RestError::new(StatusCode::CONFLICT, text));
    }
    let answer = request.clone();
    tokio::spawn(async move {
        let moved = app.herder.move_offsets(&name, changes.as_deref()).await;
        let message = if changes.is_some() { offsets::ALTERED_CLOUD } else { offsets::RESET_CLOUD };
        let outcome = moved.map(|previous| (offsets::entries(&previous), message)).map_err(|error| error.to_string());
        app.requests.end(&name, outcome);
    });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn request_status(State(app): State<App>, Path((_, _, name)): OfConnector) -> Answer {
    connectors::find(&app, &name)?;
    let none = || RestError::not_found(format!("There is no offsets request for connector {name}"));
    Ok(Json(app.requests.get(&name).ok_or_else(none)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_at_a_time() {
        let requests = Requests::default();
        assert!(!requests.is_pending("a") && requests.get("a").is_none());
        assert_eq!(requests.begin("a", &json!(1)), Ok(()));
        assert_eq!(requests.begin("a", &json!(2)).map_err(|pending| pending["request"].clone()), Err(json!(1)));
        assert_eq!(requests.begin("b", &json!(3)), Ok(()));
        requests.end("a", Ok((vec![json!("before")], "m")));
        let told = requests.get("a").unwrap_or_default();
        assert_eq!((&told["status"]["phase"], &told["previous_offsets"][0]), (&json!("APPLIED"), &json!("before")));
        assert!(told["applied_at"].as_str().is_some_and(|at| at.ends_with('Z') && at.contains('T')), "{told}");
        requests.end("b", Err("no".to_owned()));
        assert_eq!(
            requests.get("b").map(|told| told["status"].clone()),
            Some(json!({"phase": "FAILED", "message": "no"}))
        );
        assert_eq!(requests.begin("b", &json!(4)), Ok(()));
    }

    #[test]
    fn an_id_follows_from_the_name() {
        assert_eq!(id("a"), id("a"));
        assert!(id("a") != id("b") && id("ü").starts_with("lcc-") && id("").len() == 10);
    }
}
