//! The REST API under `/services/data/`: versions, query, describe, records and PushTopics.
//!
//! Implements sections 1.5 and 2 of the Salesforce facts page.

mod error;
mod push_topics;
mod query;
mod records;
mod versions;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::describe;
use crate::exchange::{Request, Response};
use crate::objects::Record;
use crate::org::Org;

pub(crate) use error::RestError;
pub(crate) use query::Cursor;
pub(crate) use versions::{LATEST_VERSION, is_offered};

impl Org {
    pub(crate) fn rest(&mut self, request: &Request) -> Response {
        match self.route(request) {
            Ok(mut response) => {
                let usage = format!("api-usage={}/{}", self.stats.rest_requests, self.config.daily_requests_max);
                if let Ok(usage) = HeaderValue::from_str(&usage) {
                    response.headers.insert("sforce-limit-info", usage);
                }
                response
            }
            Err(error) => error.response(),
        }
    }

    fn route(&mut self, request: &Request) -> Result<Response, RestError> {
        let path = request.path().trim_end_matches('/').to_owned();
        let Some(rest) = path.strip_prefix("/services/data") else { return Err(RestError::not_found()) };
        let parts: Vec<_> = rest.split('/').skip(1).collect();
        let Some((version, parts)) = parts.split_first() else {
            return match request.method {
                Method::GET => Ok(Response::json(200, &versions::list(&self.config))),
                _ => Err(method_not_allowed("GET")),
            };
        };
        let version = version
            .strip_prefix('v')
            .filter(|version| is_offered(version, self.config.offer_version_100))
            .ok_or_else(RestError::not_found)?;
        self.authenticate(request)?;
        self.stats.rest_requests += 1;
        if self.stats.rest_requests > self.config.daily_requests_max {
            return Err(RestError::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
        }
        match (&request.method, parts) {
            (&Method::GET, []) => Ok(Response::json(200, &versions::resources(version))),
            (&Method::GET, ["limits"]) => Ok(Response::json(200, &self.limits())),
            (&Method::GET, ["query"]) => self.query(version, request.parameter("q").as_deref(), false),
            (&Method::GET, ["queryAll"]) => self.query(version, request.parameter("q").as_deref(), true),
            (&Method::GET, ["query", locator]) => self.query_more(version, locator),
            (&Method::GET, ["sobjects"]) => Ok(Response::json(200, &describe::global(self.store.types(), version))),
            (method, ["sobjects", object, tail @ ..]) => self.sobject(request, method, version, object, tail),
            (_, [] | ["limits" | "query" | "queryAll" | "sobjects"] | ["query", _]) => Err(method_not_allowed("GET")),
            _ => Err(RestError::not_found()),
        }
    }

    fn sobject(
        &mut self,
        request: &Request,
        method: &Method,
        version: &str,
        object: &str,
        tail: &[&str],
    ) -> Result<Response, RestError> {
        let object = self.store.object(object).ok_or_else(RestError::not_found)?.clone();
        let is_push_topic = object.name == "PushTopic";
        match (method, tail) {
            (&Method::GET, []) => Ok(Response::json(200, &describe::basic(&object, version))),
            (&Method::GET, ["describe"]) => Ok(Response::json(200, &describe::full(&object, version))),
            (&Method::GET, [id]) => self.read_record(version, &object, id),
            (&Method::POST, []) if is_push_topic => self.create_push_topic(&body(request)?),
            (&Method::PATCH, [id]) if is_push_topic => self.update_push_topic(id, &body(request)?),
            (&Method::DELETE, [id]) if is_push_topic => self.delete_push_topic(id),
            (&Method::POST, []) => self.create_record(&object, body(request)?),
            (&Method::PATCH, [id]) => self.update_record(&object, id, body(request)?),
            (&Method::DELETE, [id]) => self.delete_record(&object, id),
            (_, []) => Err(method_not_allowed("GET,POST")),
            (_, [_]) => Err(method_not_allowed("GET,PATCH,DELETE")),
            _ => Err(RestError::not_found()),
        }
    }

    fn authenticate(&mut self, request: &Request) -> Result<usize, RestError> {
        let Some(header) = request.header(&AUTHORIZATION) else { return Err(RestError::session_expired()) };
        let token = bearer(header).ok_or_else(|| RestError::new(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"))?;
        self.tokens.user(token, self.now_ms, self.config.token_idle_ms).ok_or_else(RestError::session_expired)
    }

    fn limits(&self) -> Value {
        let limit = |max: u64, used: u64| json!({"Max": max, "Remaining": max.saturating_sub(used)});
        json!({
            "DailyApiRequests": limit(self.config.daily_requests_max, self.stats.rest_requests),
            "DailyStreamingApiEvents": limit(self.config.daily_notifications_max, self.notifications_today()),
            "StreamingApiConcurrentClients": limit(self.config.clients_max as u64, self.sessions.len() as u64),
        })
    }
}

/// The token of an Authorization header; both of Salesforce's schemes will do.
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("OAuth");
    (known && !token.trim().is_empty()).then(|| token.trim())
}

fn method_not_allowed(allowed: &str) -> RestError {
    RestError::new(405, "METHOD_NOT_ALLOWED", format!("HTTP Method not allowed. Allowed are {allowed}"))
}

/// The JSON object in the body, which has to say that it is one.
fn body(request: &Request) -> Result<Record, RestError> {
    if request.media_type() != "application/json" {
        let text = format!("Unsupported media type: {}", request.media_type());
        return Err(RestError::new(415, "UNSUPPORTED_MEDIA_TYPE", text));
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(RestError::bad("JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")),
        Err(error) => Err(RestError::bad("JSON_PARSER_ERROR", error.to_string())),
    }
}
