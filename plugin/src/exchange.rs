//! `Exchange`: one request and its outcome as `curl.logging` shows them. What may be secret is not in it: no value of a
//! header, no body, no parameter of a login, neither a user nor a password in a URL.

use crate::{
    error::excerpt,
    http::{HttpError, Method, Request, Response},
};

/// Characters of a URL that are shown.
const URL_CHARS_MAX: usize = 500;

/// Parameters of a query that hold no secret. The values of all others are cut out.
const SHOWN_PARAMETERS: &[&str] = &["q"];

/// A request in flight, then its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    method: &'static str,
    url: String,
    request_headers: Vec<&'static str>,
    request_bytes: usize,
    outcome: String,
    response_headers: Vec<String>,
    response_bytes: usize,
    took_ms: u64,
}

impl Exchange {
    /// A request that is about to be made.
    #[must_use]
    pub fn begin(request: &Request) -> Self {
        Self {
            method: match request.method {
                Method::Get => "GET",
                Method::Post => "POST",
            },
            url: excerpt(&without_secrets(&request.url), URL_CHARS_MAX),
            request_headers: request.headers.iter().map(|(name, _)| *name).collect(),
            request_bytes: request.body.len(),
            outcome: "no answer".into(),
            response_headers: Vec::new(),
            response_bytes: 0,
            took_ms: 0,
        }
    }

    /// The same with its outcome.
    #[must_use]
    pub fn end(mut self, outcome: &Result<Response, HttpError>, took_ms: u64) -> Self {
        self.took_ms = took_ms;
        match outcome {
            Ok(response) => {
                self.outcome = response.status.to_string();
                self.response_headers = response.headers.iter().map(|(name, _)| excerpt(name, 100)).collect();
                self.response_bytes = response.body.len();
            }
            Err(error) => self.outcome = excerpt(&error.to_string(), 200),
        }
        self
    }

    /// A line for people.
    #[must_use]
    pub fn message(&self) -> String {
        let names = self.response_headers.join(", ");
        format!(
            "{} {}: {} after {} ms; sent {} bytes, headers {}; received {} bytes{}",
            self.method,
            self.url,
            self.outcome,
            self.took_ms,
            self.request_bytes,
            self.request_headers.join(", "),
            self.response_bytes,
            if names.is_empty() { names } else { format!(", headers {names}") },
        )
    }

    /// The same for machines.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("method", self.method.into()),
            ("url", self.url.clone()),
            ("outcome", self.outcome.clone()),
            ("took_ms", self.took_ms.to_string()),
            ("request_headers", self.request_headers.join(",")),
            ("request_bytes", self.request_bytes.to_string()),
            ("response_headers", self.response_headers.join(",")),
            ("response_bytes", self.response_bytes.to_string()),
        ]
    }
}

/// A URL without user, password and fragment, and without the values of parameters that are not known to be harmless.
fn without_secrets(url: &str) -> String {
    let (address, query) =
        url.split('#').next().unwrap_or_default().split_once('?').map_or_else(
            || (url.split('#').next().unwrap_or_default(), None),
            |(address, query)| (address, Some(query)),
        );
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let mut shown = if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") };
    for (index, parameter) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if index == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if !SHOWN_PARAMETERS.contains(&name) => shown.push_str(&format!("{name}=[hidden]")),
            Some(_) => shown.push_str(parameter),
            None => shown.push_str("[hidden]"),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::{HeaderValue, Timeouts},
        secret::Secret,
    };

    #[test]
    fn urls_lose_what_may_be_secret() {
        for (url, shown) in [
            ("https://a.b/c", "https://a.b/c"),
            ("https://u:canary@a.b:8/c?q=SELECT+Id&sid=canary#canary", "https://a.b:8/c?q=SELECT+Id&sid=[hidden]"),
            ("https://a.b?access_token=canary&x&q=1", "https://a.b?access_token=[hidden]&[hidden]&q=1"),
            ("https://a.b/#canary?q=canary", "https://a.b/"),
            ("https://a.b/p@q", "https://a.b/p@q"),
            ("canary@a.b/c", "a.b/c"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(url), shown, "{url}");
        }
    }

    #[test]
    fn an_exchange_shows_names_and_sizes_alone() {
        let secret = |text: &str| HeaderValue::Secret(Secret::new(text));
        let request = Request {
            method: Method::Post,
            url: "https://a.b/services/oauth2/token".into(),
            headers: vec![("authorization", secret("Bearer canary-1")), ("cookie", secret("sid=canary-2"))],
            body: b"password=canary-3".to_vec(),
            timeouts: Timeouts::each(1),
            response_bytes_max: 1,
        };
        let response = Response {
            status: 200,
            headers: vec![("set-cookie".into(), "sid=canary-4".into())],
            body: br#"{"access_token":"canary-5"}"#.to_vec(),
        };
        let done = Exchange::begin(&request).end(&Ok(response), 12);
        assert_eq!(
            done.message(),
            "POST https://a.b/services/oauth2/token: 200 after 12 ms; sent 17 bytes, headers authorization, cookie; received 27 bytes, headers set-cookie"
        );
        let failed = Exchange::begin(&request).end(&Err(HttpError::Timeout("https://a.b".into())), 5);
        assert!(failed.message().contains("after 5 ms"), "{}", failed.message());
        let everything = format!("{done:?}{failed:?}{:?}{:?}", done.fields(), failed.fields());
        assert!(!everything.contains("canary"), "{everything}");
    }
}
