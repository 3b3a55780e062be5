//! Pages of other origins may ask, where the worker's settings name them: Kafka Connect's `access.control.*`.

use axum::http::{
    HeaderValue, Method, Request,
    header::{ACCEPT, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, HeaderName, ORIGIN},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::RestConfig;

/// Methods of such pages, where none are named: those of Kafka Connect's server.
const METHODS: [Method; 3] = [Method::GET, Method::POST, Method::HEAD];

/// The layer in front of the routes; `None` when no origin is named.
pub(super) fn layer(rest: &RestConfig) -> Option<CorsLayer> {
    if rest.cors_origins.is_empty() {
        return None;
    }
    let named: Vec<Method> =
        rest.cors_methods.iter().filter_map(|method| method.to_ascii_uppercase().parse().ok()).collect();
    let headers = [ACCEPT, AUTHORIZATION, CONTENT_TYPE, ORIGIN, HeaderName::from_static("x-requested-with")];
    let layer =
        CorsLayer::new().allow_methods(if named.is_empty() { METHODS.to_vec() } else { named }).allow_headers(headers);
    if rest.cors_origins.iter().any(|origin| origin == "*") {
        // Everybody's page with the credentials of whoever looks at it: no.
        return Some(layer.allow_origin(AllowOrigin::any()));
    }
    let origins: Vec<HeaderValue> = rest.cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    Some(layer.allow_origin(AllowOrigin::list(origins)).allow_credentials(true))
}

/// A browser asks whether it may ask. It sends no credentials with that.
pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
