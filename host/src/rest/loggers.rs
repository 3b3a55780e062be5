//! `/admin/loggers`: Kafka Connect's `LoggingResource`. The loggers are this program's own; `tributary.connector.NAME` makes one
//! connector talkative and leaves the others as they are.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{body::JsonBody, error::RestError, query::Query};
use crate::telemetry::{LEVELS, LoggerLevel, now_ms};

fn shown(level: &LoggerLevel) -> Value {
    json!({"level": level.word, "last_modified": level.last_modified_ms})
}

pub(super) async fn list() -> Json<Value> {
    let loggers = LEVELS.all();
    Json(loggers.iter().map(|(name, level)| (name.clone(), shown(level))).collect())
}

pub(super) async fn get(Path(logger): Path<String>) -> Result<Json<Value>, RestError> {
    let level = LEVELS.get(&logger);
    let level = level.ok_or_else(|| RestError::not_found(format!("Logger {logger} not found.")))?;
    Ok(Json(shown(&level)))
}

pub(super) async fn set(
    Path(logger): Path<String>,
    RawQuery(query): RawQuery,
    JsonBody(body): JsonBody<BTreeMap<String, Option<String>>>,
) -> Result<Response, RestError> {
    let Some(level) = body.get("level").cloned().flatten() else {
        return Err(RestError::bad_request("Desired 'level' parameter was not specified in request."));
    };
    let changed = LEVELS.set(&logger, &level, now_ms());
    let changed = changed.ok_or_else(|| RestError::not_found(format!("invalid log level '{level}'.")))?;
    // This worker is the whole cluster; Kafka Connect has nothing to tell of the others' loggers.
    let of_cluster =
        Query::of(query.as_deref()).first("scope").is_some_and(|scope| scope.eq_ignore_ascii_case("cluster"));
    Ok(if of_cluster { StatusCode::NO_CONTENT.into_response() } else { Json(changed).into_response() })
}
