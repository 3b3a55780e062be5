//! The body of a request: bounded, JSON, and an error that names what is wrong with it. Kafka Connect answers 500 to a body
//! that it cannot read; here it is 400.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{StatusCode, header::CONTENT_TYPE},
};
use serde::de::DeserializeOwned;

use super::error::RestError;

/// JSON of that shape.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self, RestError> {
        let is_json = is_json(&request);
        let body = bytes(request, state).await?;
        if !is_json {
            return Err(RestError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        // A path through the document comes with the error; of the document itself nothing does.
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let what = if body.is_empty() { "The request has no body".to_owned() } else { reason(&error) };
            RestError::bad_request(what)
        })
    }
}

fn reason(error: &serde_json::Error) -> String {
    let kind = if error.is_data() { "does not have the form that is asked for" } else { "is not JSON" };
    format!("The request's body {kind}, at line {} column {}", error.line(), error.column())
}

/// Nothing, or JSON that does not matter: what Kafka Connect takes where a request needs no body.
pub(super) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self, RestError> {
        let is_json = is_json(&request);
        if bytes(request, state).await?.is_empty() || is_json {
            return Ok(Self);
        }
        Err(RestError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
    }
}

fn is_json(request: &Request) -> bool {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, RestError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(error) => {
            let status = axum::response::IntoResponse::into_response(error).status();
            RestError::of_status(status)
        }
        _ => RestError::of_status(StatusCode::BAD_REQUEST),
    })
}
