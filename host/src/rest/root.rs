//! `/`, `/health`, `/livez`, `/readyz`: who answers here, and whether it does its work.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::app::App;

/// Kafka Connect's `ServerInfo`.
pub(super) async fn server_info(State(app): State<App>) -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "commit": "unknown", "kafka_cluster_id": app.cluster_id}))
}

/// KIP-1017.
pub(super) async fn health() -> Json<Value> {
    let message = "Worker has completed startup and is ready to handle requests.";
    Json(json!({"status": "healthy", "message": message}))
}

/// The process answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// The store of the connectors answers too.
pub(super) async fn readyz(State(app): State<App>) -> (StatusCode, String) {
    match app.herder.ready().await {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}
