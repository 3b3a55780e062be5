//! Requests to a schema registry and what their answers mean: Confluent's REST API ("Schema Registry API Reference"),
//! which Apicurio, Karapace and Redpanda speak too.

use serde::{Deserialize, Serialize};

use super::{Endpoint, Registry, ids::SchemaId};
use crate::{
    error::excerpt,
    http::{HeaderValue, Method, Request, Response, Timeouts, percent_encode},
};

/// Largest answer of a registry, in bytes. A schema of 800 fields has about 100 KB.
pub const REGISTRY_RESPONSE_BYTES_MAX: usize = 4 << 20;
/// Longest part of a registry's words in a message, in characters.
const WORDS_CHARS_MAX: usize = 1_000;
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// A schema on its way.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema<'a> {
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub schema_type: &'a str,
    /// The text.
    pub schema: &'a str,
}

/// What the registry said instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The registry's own code, 40901 for one; the status where it gave none.
    pub code: i64,
    /// Its words.
    pub words: String,
    /// Milliseconds before which it does not want to be asked again.
    pub retry_after_ms: u64,
}

impl Refusal {
    /// Whether the same request may fare better later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self.status, 408 | 429 | 500 | 502..=504)
    }
}

/// A version of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What the registry calls its schema.
    pub id: SchemaId,
    /// The schema's text.
    pub text: String,
}

/// Adds a schema to a subject, or finds it there.
#[must_use]
pub fn register(registry: &Registry, endpoint: &Endpoint, subject: &str, schema: Schema<'_>, t: Timeouts) -> Request {
    let path = format!("/subjects/{}/versions{}", segment(subject), normalize(registry));
    post(registry, endpoint, &path, &schema, t)
}

/// Finds a schema in a subject.
#[must_use]
pub fn look_up(registry: &Registry, endpoint: &Endpoint, subject: &str, schema: Schema<'_>, t: Timeouts) -> Request {
    let path = format!("/subjects/{}{}", segment(subject), normalize(registry));
    post(registry, endpoint, &path, &schema, t)
}

/// The latest version of a subject.
#[must_use]
pub fn latest(registry: &Registry, endpoint: &Endpoint, subject: &str, timeouts: Timeouts) -> Request {
    let path = format!("/subjects/{}/versions/latest", segment(subject));
    request(registry, endpoint, Method::Get, &path, Vec::new(), timeouts)
}

/// Whether a schema is compatible with the latest version of a subject.
#[must_use]
pub fn compatible(registry: &Registry, endpoint: &Endpoint, subject: &str, schema: Schema<'_>, t: Timeouts) -> Request {
    let path = format!("/compatibility/subjects/{}/versions/latest?verbose=true", segment(subject));
    post(registry, endpoint, &path, &schema, t)
}

/// The numbers of a subject's versions.
#[must_use]
pub fn versions(registry: &Registry, endpoint: &Endpoint, subject: &str, timeouts: Timeouts) -> Request {
    let path = format!("/subjects/{}/versions", segment(subject));
    request(registry, endpoint, Method::Get, &path, Vec::new(), timeouts)
}

/// The answer to `register` and `look_up`.
///
/// # Errors
/// `Refusal`.
pub fn read_id(response: &Response) -> Result<SchemaId, Refusal> {
    Ok(read_version(response)?.id)
}

/// The answer to `latest`.
///
/// # Errors
/// `Refusal`.
pub fn read_version(response: &Response) -> Result<Version, Refusal> {
    #[derive(Deserialize)]
    struct Answer {
        id: i32,
        guid: Option<String>,
        schema: Option<String>,
    }
    let Answer { id, guid, schema } = read(response)?;
    let id = SchemaId { id, guid: guid.as_deref().and_then(parse_guid) };
    Ok(Version { id, text: schema.unwrap_or_default() })
}

/// The answer to `compatible`: nothing when it is, else why not.
///
/// # Errors
/// `Refusal`.
pub fn read_compatible(response: &Response) -> Result<Option<String>, Refusal> {
    #[derive(Deserialize)]
    struct Answer {
        is_compatible: bool,
        #[serde(default)]
        messages: Vec<String>,
    }
    let answer: Answer = read(response)?;
    Ok((!answer.is_compatible).then(|| excerpt(&answer.messages.join("; "), WORDS_CHARS_MAX)))
}

/// The answer to `versions`.
///
/// # Errors
/// `Refusal`.
pub fn read_versions(response: &Response) -> Result<Vec<i64>, Refusal> {
    read(response)
}

fn read<T: serde::de::DeserializeOwned>(response: &Response) -> Result<T, Refusal> {
    #[derive(Deserialize)]
    struct ErrorBody {
        error_code: Option<i64>,
        #[serde(alias = "detail", alias = "title")]
        message: Option<String>,
    }
    if (200..300).contains(&response.status) {
        return serde_json::from_slice(&response.body).map_err(|_| Refusal {
            // As the original: an answer that cannot be read is the server's fault and may be better next time.
            status: 500,
            code: 50_005,
            words: format!("the answer is not what a schema registry says (HTTP {})", response.status),
            retry_after_ms: 0,
        });
    }
    let body: Option<ErrorBody> = serde_json::from_slice(&response.body).ok();
    let (code, words) = body.map_or((None, None), |body| (body.error_code, body.message));
    Err(Refusal {
        status: response.status,
        code: code.unwrap_or_else(|| response.status.into()),
        words: excerpt(&words.unwrap_or_else(|| format!("HTTP {}", response.status)), WORDS_CHARS_MAX),
        retry_after_ms: response.retry_after_ms().unwrap_or(0),
    })
}

/// A GUID's text, `8e5f7bd3-6b5f-4b0f-9a8e-5b0f6b5f7bd3`, as bytes.
fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

fn normalize(registry: &Registry) -> &'static str {
    if registry.rules.normalize { "?normalize=true" } else { "" }
}

fn segment(subject: &str) -> String {
    let mut out = String::new();
    percent_encode(subject, &mut out);
    out
}

fn post(registry: &Registry, endpoint: &Endpoint, path: &str, schema: &Schema<'_>, timeouts: Timeouts) -> Request {
    // Two texts are always JSON.
    let body = serde_json::to_vec(schema).unwrap_or_default();
    request(registry, endpoint, Method::Post, path, body, timeouts)
}

fn request(
    registry: &Registry,
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    body: Vec<u8>,
    timeouts: Timeouts,
) -> Request {
    let plain = |text: &str| HeaderValue::Plain(text.into());
    let mut headers = vec![
        ("content-type", plain(CONTENT_TYPE)),
        ("accept", plain("application/vnd.schemaregistry.v1+json, application/json")),
        // Newer registries then also tell the GUID.
        ("confluent-accept-unknown-properties", plain("true")),
    ];
    headers.extend(registry.headers.iter().map(|(name, value)| (*name, plain(value))));
    headers.extend(endpoint.authorization.clone().map(|secret| ("authorization", HeaderValue::Secret(secret))));
    let url = format!("{}{path}", endpoint.url);
    Request { method, url, headers, body, timeouts, response_bytes_max: REGISTRY_RESPONSE_BYTES_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        registry::{Rules, subject::Subjects},
        secret::Secret,
    };

    fn registry(normalize: bool) -> Registry {
        let authorization = Some(Secret::new("Basic canary"));
        Registry {
            endpoints: vec![Endpoint { url: "https://r.example/apis".into(), authorization }],
            headers: vec![("target-sr-cluster", "lsrc-1".into())],
            rules: Rules {
                auto_register: true,
                use_latest_version: false,
                latest_compatibility_strict: true,
                normalize,
            },
            subjects: Subjects::default(),
            retries_max: 3,
            retry_wait_ms: 1,
            retry_wait_max_ms: 1,
        }
    }

    #[test]
    fn what_is_asked() {
        let schema = Schema { schema_type: "AVRO", schema: "\"string\"" };
        let with = registry(true);
        let asked = register(&with, &with.endpoints[0], ":.c:a b-value", schema, Timeouts::each(1));
        assert_eq!(asked.url, "https://r.example/apis/subjects/%3A.c%3Aa%20b-value/versions?normalize=true");
        assert_eq!(asked.body, br#"{"schemaType":"AVRO","schema":"\"string\""}"#);
        let header = |name: &str| asked.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.expose());
        assert_eq!(header("authorization"), Some("Basic canary"));
        assert_eq!(header("target-sr-cluster"), Some("lsrc-1"));
        assert!(!format!("{asked:?} {:?}", asked.headers).contains("canary"));
        let plain = registry(false);
        let t = Timeouts::each(1);
        for (asked, path) in [
            (look_up(&plain, &plain.endpoints[0], "s", schema, t), "/subjects/s"),
            (latest(&plain, &plain.endpoints[0], "s", t), "/subjects/s/versions/latest"),
            (
                compatible(&plain, &plain.endpoints[0], "s", schema, t),
                "/compatibility/subjects/s/versions/latest?verbose=true",
            ),
            (versions(&plain, &plain.endpoints[0], "s", t), "/subjects/s/versions"),
        ] {
            assert_eq!(asked.url, format!("https://r.example/apis{path}"));
        }
    }

    #[test]
    fn what_answers_mean() {
        let answer = |status, body: &str| Response { status, headers: Vec::new(), body: body.into() };
        let id = read_id(&answer(200, r#"{"id":7,"guid":"00112233-4455-6677-8899-aabbccddeeff","x":1}"#));
        assert_eq!(id.map(|id| (id.id, id.guid.map(|guid| guid[15]))), Ok((7, Some(0xff))));
        assert_eq!(read_id(&answer(200, r#"{"id":7}"#)), Ok(SchemaId { id: 7, guid: None }));
        let refused = |status, body: &str| read_id(&answer(status, body)).expect_err("a refusal");
        let incompatible = refused(409, r#"{"error_code":40901,"message":"Schema being registered is incompatible"}"#);
        assert_eq!((incompatible.code, incompatible.is_temporary()), (40_901, false));
        assert!(incompatible.words.contains("incompatible"));
        assert_eq!(refused(503, "<html>").code, 503);
        assert!(refused(503, "<html>").is_temporary() && refused(429, "{}").is_temporary());
        assert!(!refused(401, "{}").is_temporary() && !refused(422, "{}").is_temporary());
        assert!(refused(200, "<html>").is_temporary());
        assert_eq!(read_compatible(&answer(200, r#"{"is_compatible":true}"#)), Ok(None));
        let no = read_compatible(&answer(200, r#"{"is_compatible":false,"messages":["a","b"]}"#));
        assert_eq!(no, Ok(Some("a; b".into())));
        assert_eq!(read_versions(&answer(200, "[1,2]")), Ok(vec![1, 2]));
    }
}
