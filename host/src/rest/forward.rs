//! What is asked of a worker that stands by goes on to the active one, as from any worker of a Kafka Connect cluster: clients
//! need not know which one that is.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, StatusCode, Uri,
        header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::Full;

use super::{
    app::{App, BODY_BYTES_MAX},
    error::RestError,
    server::REQUEST_WITHIN,
};
use crate::herder::HerderError;

/// By whom a request was sent on, so that it goes round no circle.
const FORWARDED: HeaderName = HeaderName::from_static("x-tributary-forwarded-by");
/// Of a request what counts on the way, and of an answer.
const OF_REQUEST: [HeaderName; 3] = [ACCEPT, AUTHORIZATION, CONTENT_TYPE];
const OF_ANSWER: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, RETRY_AFTER];

/// In front of everything about connectors.
pub(super) async fn to_the_active_worker(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.herder.elsewhere().await {
        None => next.run(request).await,
        Some(HerderError::Standby(Some(worker))) if !request.headers().contains_key(FORWARDED) => {
            send_on(&app, &worker, request).await.unwrap_or_else(IntoResponse::into_response)
        }
        // In a moment somebody is active.
        Some(nobody) => ([(RETRY_AFTER, "1")], RestError::from(nobody)).into_response(),
    }
}

async fn send_on(app: &App, worker: &str, request: Request) -> Result<Response, RestError> {
    let unavailable = |reason: String| {
        let message = format!("This worker stands by, and the active one at {worker} cannot be asked: {reason}");
        RestError::new(StatusCode::SERVICE_UNAVAILABLE, message)
    };
    let (mut head, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await;
    let body = body.map_err(|_| RestError::of_status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri: Uri = format!("{}://{worker}{path}", app.scheme).parse().map_err(|_| {
        unavailable("that is no address, see rest.advertised.host.name and rest.advertised.port there".to_owned())
    })?;
    let mut asked = axum::http::Request::new(Full::new(body));
    (*asked.method_mut(), *asked.uri_mut()) = (head.method, uri);
    for name in OF_REQUEST {
        if let Some(value) = head.headers.remove(&name) {
            asked.headers_mut().insert(name, value);
        }
    }
    let me = HeaderValue::from_str(app.herder.worker_id()).unwrap_or(HeaderValue::from_static("worker"));
    asked.headers_mut().insert(FORWARDED, me);
    let answered = tokio::select! {
        answered = app.workers.exchange(asked, REQUEST_WITHIN) => answered.map_err(|error| error.to_string()),
        // A worker that is cut off would keep its askers waiting for long.
        () = app.herder.active() => Err("this one has just taken over; ask again".to_owned()),
    };
    let answer = match answered {
        Ok(answer) => answer,
        Err(reason) => {
            // It may have ended a moment ago.
            app.herder.look_again().await;
            return Err(unavailable(reason));
        }
    };
    let (mut head, body) = answer.into_parts();
    let mut response = (head.status, Body::from(body)).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    for name in OF_ANSWER {
        if let Some(value) = head.headers.remove(&name) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
