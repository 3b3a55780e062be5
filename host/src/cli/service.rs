//! A running service, asked over its REST API: what `connectors`, `offsets --url` and `top` share.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, anyhow};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use clap::Args;
use http::{
    HeaderValue, Method, Request, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::Full;
use serde_json::Value;

use super::{Context, Exit};
use crate::{rest::encoded, web_client::WebClient};

/// How long an answer may take; the service itself gives a request 90 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(95);

/// Environment variables with who asks: on a command line everybody on the machine could read it.
const USER: &str = "TRIBUTARY_REST_USER";
const PASSWORD: &str = "TRIBUTARY_REST_PASSWORD";
const TOKEN: &str = "TRIBUTARY_REST_TOKEN";

/// Where a service answers.
#[derive(Clone, Debug, Args)]
pub(super) struct Address {
    /// Where the service answers; who asks is in TRIBUTARY_REST_USER and TRIBUTARY_REST_PASSWORD, or TRIBUTARY_REST_TOKEN
    #[arg(long, value_name = "URL", default_value = DEFAULT_URL, global = true)]
    pub(super) url: String,
    /// Roots in PEM for an https URL, in place of the system's
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) ca_file: Option<PathBuf>,
}

/// Where a service answers unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8083";

/// Why there is no answer that was hoped for.
pub(super) enum Asked {
    /// The service says no.
    Refused(String),
    /// Nobody says anything, or nothing that could be understood.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Asked {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// How the program ends after it has asked.
pub(super) fn exit(context: &Context, asked: Result<(), Asked>) -> anyhow::Result<Exit> {
    match asked {
        Ok(()) => Ok(Exit::Done),
        Err(Asked::Refused(reason)) => {
            context.screen.write_people(format!("refused: {reason}\n").as_bytes())?;
            Ok(Exit::Refused)
        }
        Err(Asked::Failed(error)) => Err(error),
    }
}

/// See the module.
pub(super) struct Service {
    url: String,
    /// The answers are shown as they are.
    json: bool,
    authorization: Option<HeaderValue>,
    client: WebClient,
}

impl Service {
    pub(super) fn new(address: &Address, json: bool) -> anyhow::Result<Self> {
        let url = address.url.trim_end_matches('/').to_owned();
        let uri: Uri = url.parse().with_context(|| format!("--url {url}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(anyhow!("--url {url}: write http:// or https:// in front"));
        }
        let authorization = authorization(|name| std::env::var(name).ok())?;
        let client = WebClient::new(address.ca_file.as_deref()).context("--ca-file")?;
        Ok(Self { url, json, authorization, client })
    }

    /// The body of a good answer, as text.
    pub(super) async fn text(&self, path: &str) -> Result<String, Asked> {
        let (status, body) = self.request(Method::GET, path, None).await?;
        if !status.is_success() {
            return understood(status, &body).map(|_| String::new());
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// The body of a good answer.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Asked> {
        let (status, body) = self.request(method, path, body).await?;
        understood(status, &body)
    }

    async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Bytes), Asked> {
        let uri: Uri = format!("{}{path}", self.url).parse().with_context(|| format!("--url {}", self.url))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder().method(method).uri(uri).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        Ok(self.client.ask(request, ANSWER_WITHIN).await.with_context(|| self.url.clone())?)
    }

    /// Shows an answer: as it is, or as a text for people.
    pub(super) fn show(
        &self,
        context: &Context,
        answer: &Value,
        text: impl FnOnce(&Value) -> String,
    ) -> Result<(), Asked> {
        let shown = if self.json { format!("{answer}\n") } else { text(answer) };
        Ok(context.screen.write_data(shown.as_bytes())?)
    }
}

/// Who asks, if that is said.
fn authorization(get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<HeaderValue>> {
    let text = match (get(TOKEN), get(USER), get(PASSWORD)) {
        (None, None, None) => return Ok(None),
        (Some(token), ..) => format!("Bearer {}", token.trim()),
        (None, Some(user), Some(password)) => format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
        (None, ..) => return Err(anyhow!("{USER} and {PASSWORD} belong together, and one of them is not set")),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| anyhow!("{TOKEN} holds what cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// A name as one part of a path.
pub(super) fn in_path(name: &str) -> String {
    encoded(name).replace('/', "%2F")
}

/// The body of a good answer, or the service's own words.
fn understood(status: StatusCode, body: &[u8]) -> Result<Value, Asked> {
    let value = if body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(body).ok() };
    match value {
        Some(value) if status.is_success() => Ok(value),
        Some(value) => {
            let message = value["message"].as_str().map_or_else(|| status.to_string(), str::to_owned);
            Err(Asked::Refused(message))
        }
        None => Err(anyhow!("the answer ({status}) is not that of a Kafka Connect worker").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks() {
        let of = |set: &[(&str, &str)]| {
            let found =
                authorization(|name| set.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()));
            found.map(|value| value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()))
        };
        assert_eq!(of(&[]).ok(), Some(None));
        assert_eq!(of(&[(USER, "a"), (PASSWORD, "b:c")]).ok().flatten().as_deref(), Some("Basic YTpiOmM="));
        assert_eq!(of(&[(TOKEN, "t\n"), (USER, "a")]).ok().flatten().as_deref(), Some("Bearer t"));
        for set in [&[(USER, "a")][..], &[(PASSWORD, "p")], &[(TOKEN, "a\nb")]] {
            assert!(of(set).is_err(), "{set:?}");
        }
    }

    #[test]
    fn answers() {
        let of = |status: u16, body: &str| match understood(
            StatusCode::from_u16(status).unwrap_or_default(),
            body.as_bytes(),
        ) {
            Ok(value) => value.to_string(),
            Err(Asked::Refused(reason)) => format!("refused {reason}"),
            Err(Asked::Failed(error)) => format!("failed {error}"),
        };
        assert_eq!(of(204, ""), "null");
        assert_eq!(of(200, "[]"), "[]");
        assert_eq!(of(404, r#"{"error_code":404,"message":"Connector x not found"}"#), "refused Connector x not found");
        assert_eq!(of(500, "{}"), "refused 500 Internal Server Error");
        assert!(of(200, "<html>").starts_with("failed the answer (200 OK)"));
    }
}
