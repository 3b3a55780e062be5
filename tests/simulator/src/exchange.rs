//! What goes in and out of the core: requests, replies, and how a reply is to be put on the wire.
//!
//! Implements the seam between the sans-io core ([`crate::Org`]) and whatever drives it: the HTTP server of this
//! crate, or a simulation under virtual time.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

/// One HTTP request, read completely.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request method.
    pub method: Method,
    /// The value of `Host` (or `:authority`): a name, with a port where one was given.
    pub host: String,
    /// Path and query as they stand in the request line.
    pub path_and_query: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Request {
    /// A request with neither headers nor body.
    #[must_use]
    pub fn new(method: Method, path_and_query: &str) -> Self {
        Self {
            method,
            host: "simulator.test".to_owned(),
            path_and_query: path_and_query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Adds one header field. A value that HTTP does not allow is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Sets the body and its content type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.with(CONTENT_TYPE, content_type)
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// The query, without its question mark; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.path_and_query.split_once('?').map_or("", |(_, query)| query)
    }

    /// The decoded value of the first query parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query().as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body in lower case, without its parameters.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header(&CONTENT_TYPE).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(crate) fn accepts_gzip(&self) -> bool {
        self.headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|coding| coding.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("gzip")))
    }

    /// The value of one cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

/// One HTTP response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// Header fields; the content length is left to whoever writes the response.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json;charset=UTF-8", value.to_string())
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain;charset=UTF-8", text.into())
    }

    pub(crate) fn html(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/html;charset=UTF-8", text.into())
    }

    pub(crate) fn empty(status: u16) -> Self {
        let mut response = Self::text(status, String::new());
        response.headers.clear();
        response
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }
}

/// How a reply reaches the client. Everything but [`Transport::Whole`] is a fault that somebody injected; whoever
/// drives the core applies it for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Complete and at once.
    Whole,
    /// The head and that many bytes of the body, then the connection ends.
    CutAfter(usize),
    /// The connection ends before the first byte of the head.
    CutBeforeHead,
    /// Not one byte ever comes; the connection stays open.
    StallForever,
    /// The head and that many bytes of the body, then nothing more; the connection stays open.
    StallAfter(usize),
    /// The body trickles.
    Slow {
        /// Bytes a second, at least one.
        bytes_per_s: u32,
    },
    /// The connection is reset (TCP RST) without an answer.
    Reset,
}

/// A response and the way it goes out.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What is sent.
    pub response: Response,
    /// How it is sent.
    pub transport: Transport,
}

/// Names a request whose reply comes later, from [`crate::Org::due`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub(crate) u64);

/// What the core says to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The reply is there.
    Ready(Reply),
    /// A long poll: [`crate::Org::due`] hands out the reply under this name.
    Held(HoldId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_clients_send() {
        let request = Request::new(Method::GET, "/services/data/v67.0/query?q=a%20b&x=1")
            .with(COOKIE, "a=1; BAYEUX_BROWSER=xyz")
            .with(ACCEPT_ENCODING, "deflate, GZIP;q=0.5")
            .with(CONTENT_TYPE, "Application/JSON; charset=utf-8");
        assert_eq!(request.path(), "/services/data/v67.0/query");
        assert_eq!(request.parameter("q").as_deref(), Some("a b"));
        assert_eq!(request.cookie("BAYEUX_BROWSER"), Some("xyz"));
        assert_eq!(request.cookie("BAYEUX"), None);
        assert!(request.accepts_gzip());
        assert_eq!(request.media_type(), "application/json");
    }
}
