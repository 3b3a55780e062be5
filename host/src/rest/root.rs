//! `/`, `/health`, `/livez`, `/readyz`: who answers here, and whether it does its work.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::app::App;
use crate::herder::{HerderError, Role};

/// The version of Kafka Connect whose requests are known here. Tools ask for it before they use what came with a version:
/// kcctl offers offsets from 3.5 on.
const CONNECT_VERSION: &str = "4.3.1";

/// Kafka Connect's `ServerInfo`; the commit is this program's own version.
pub(super) async fn server_info(State(app): State<App>) -> Json<Value> {
    let commit = concat!("tributary-", env!("CARGO_PKG_VERSION"));
    Json(json!({"version": CONNECT_VERSION, "commit": commit, "kafka_cluster_id": app.herder.cluster_id().await}))
}

/// KIP-1017.
pub(super) async fn health(State(app): State<App>) -> (StatusCode, Json<Value>) {
    if app.herder.role() == Role::Joining {
        let message = HerderError::Joining.to_string();
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "starting", "message": message})));
    }
    let message = "Worker has completed startup and is ready to handle requests.";
    (StatusCode::OK, Json(json!({"status": "healthy", "message": message})))
}

/// The process answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// The worker has its place among those that share its store, and the store answers too. One that stands by is ready as well:
/// it sends on what it is asked, and an orchestrator that replaces workers one by one waits for each.
pub(super) async fn readyz(State(app): State<App>) -> (StatusCode, String) {
    let role = app.herder.role();
    let ready = match role {
        Role::Joining => Err(HerderError::Joining),
        Role::Active | Role::Standby => app.herder.ready().await.map_err(HerderError::from),
    };
    match ready {
        Ok(()) if role == Role::Standby => (StatusCode::OK, "standby\n".to_owned()),
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}
