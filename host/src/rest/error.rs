//! What a request is answered with that cannot be done: Kafka Connect's `ErrorMessage`.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{herder::HerderError, sink::SinkError};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RestError {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

/// The body.
#[derive(Serialize)]
struct ErrorMessage<'a> {
    error_code: u16,
    message: &'a str,
}

impl RestError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// In the words of Kafka Connect's server for what its routes do not know: `HTTP 404 Not Found`.
    pub(super) fn of_status(status: StatusCode) -> Self {
        Self::new(status, format!("HTTP {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()))
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let body = ErrorMessage { error_code: self.status.as_u16(), message: &self.message };
        let mut response = (self.status, Json(body)).into_response();
        // Another dialect has another form for it.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<HerderError> for RestError {
    fn from(error: HerderError) -> Self {
        let status = match &error {
            HerderError::NotFound(_) => StatusCode::NOT_FOUND,
            HerderError::Exists(_) | HerderError::StillRunning(_) => StatusCode::CONFLICT,
            HerderError::NotStopped(_) | HerderError::Refused(_) => StatusCode::BAD_REQUEST,
            HerderError::Joining | HerderError::Standby(_) => StatusCode::SERVICE_UNAVAILABLE,
            HerderError::Store(SinkError::Unavailable(_) | SinkError::Stopping) => StatusCode::SERVICE_UNAVAILABLE,
            HerderError::Store(SinkError::Refused(_) | SinkError::Fenced(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
