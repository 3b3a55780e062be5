//! The routes, and what their handlers share.

use std::{ops::Deref, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::{get, post, put},
};

use super::{cloud, connectors, error::RestError, forward, loggers, metrics, offsets, openapi, plugins, root};
use crate::{herder::Herder, web_client::WebClient};

/// Size of a request's body, in bytes. A configuration has some kilobytes.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// What handlers share; cheap to clone.
#[derive(Clone)]
pub(super) struct App(Arc<Shared>);

/// See `App`.
pub(super) struct Shared {
    pub(super) herder: Arc<Herder>,
    /// `topic.tracking.enable` and `topic.tracking.allow.reset`.
    pub(super) topic_tracking: bool,
    pub(super) topic_reset: bool,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// The way to other workers.
    pub(super) workers: WebClient,
    /// What was asked for in Confluent's way, by connector.
    pub(super) requests: cloud::Requests,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Everything that can be asked.
    pub(super) fn router(self) -> Router {
        let connector = Router::new()
            .route("/", get(connectors::get).delete(connectors::delete))
            .route("/config", get(connectors::get_config).put(connectors::put_config).patch(connectors::patch_config))
            .route("/status", get(connectors::get_status))
            .route("/restart", post(connectors::restart))
            .route("/pause", put(connectors::pause))
            .route("/resume", put(connectors::resume))
            .route("/stop", put(connectors::stop))
            .route("/tasks", get(connectors::tasks))
            .route("/tasks/{task}/status", get(connectors::task_status))
            .route("/tasks/{task}/restart", post(connectors::task_restart))
            .route("/topics", get(connectors::topics))
            .route("/topics/reset", put(connectors::reset_topics))
            .route("/offsets", get(offsets::get).patch(offsets::patch).delete(offsets::delete));
        // Of one worker of a group these are, and of each what follows.
        let of_the_active = Router::new()
            .route("/connectors", get(connectors::list).post(connectors::create))
            .nest("/connectors/{name}", connector)
            .nest("/connect/v1/environments/{environment}/clusters/{cluster}", cloud::router())
            .route_layer(from_fn_with_state(self.clone(), forward::to_the_active_worker));
        Router::new()
            .merge(of_the_active)
            .route("/", get(root::server_info))
            .route("/health", get(root::health))
            .route("/livez", get(root::livez))
            .route("/readyz", get(root::readyz))
            .route("/metrics", get(metrics::metrics))
            .route("/openapi.json", get(openapi::document))
            .route("/connector-plugins", get(plugins::list))
            .route("/connector-plugins/{plugin}/config", get(plugins::config))
            .route("/connector-plugins/{plugin}/config/validate", put(plugins::validate))
            .route("/admin/loggers", get(loggers::list))
            .route("/admin/loggers/{logger}", get(loggers::get).put(loggers::set))
            .method_not_allowed_fallback(not_allowed)
            .fallback(|| async { RestError::of_status(StatusCode::NOT_FOUND) })
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self)
    }
}

async fn not_allowed() -> RestError {
    RestError::of_status(StatusCode::METHOD_NOT_ALLOWED)
}
