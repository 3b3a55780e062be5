//! Salesforce REST: requests to an instance, and its error envelope
//! (REST API Developer Guide, "Status Codes and Error Responses").

use serde::Deserialize;

use crate::{
    error::{Cause, Failure, FailureKind, Verdict, excerpt},
    http::{HeaderValue, Method, Request, Response, Timeouts, percent_encode},
    oauth::Token,
    secret::Secret,
};

/// Largest REST answer that is read, in bytes. A describe of a very wide object runs to a few MiB.
pub const REST_RESPONSE_BYTES_MAX: usize = 8 << 20;

/// One entry of the error envelope.
#[derive(Debug, Deserialize)]
struct Error {
    #[serde(default)]
    message: String,
    #[serde(rename = "errorCode", default)]
    error_code: String,
}

/// A GET of `path` (with its query) on the token's instance.
#[must_use]
pub fn get(token: &Token, path: &str, timeouts: Timeouts) -> Request {
    request(Method::Get, token, path, Vec::new(), timeouts)
}

/// A POST of a JSON document.
#[must_use]
pub fn post(token: &Token, path: &str, json: Vec<u8>, timeouts: Timeouts) -> Request {
    let mut request = request(Method::Post, token, path, json, timeouts);
    request.headers.push(("content-type", HeaderValue::Plain("application/json".into())));
    request
}

fn request(method: Method, token: &Token, path: &str, body: Vec<u8>, timeouts: Timeouts) -> Request {
    Request {
        method,
        url: format!("{}{path}", token.instance_url),
        headers: vec![
            ("authorization", authorization(token)),
            ("accept", HeaderValue::Plain("application/json".into())),
            ("accept-encoding", HeaderValue::Plain("gzip".into())),
        ],
        body,
        timeouts,
        response_bytes_max: REST_RESPONSE_BYTES_MAX,
    }
}

/// The value of `Authorization`.
#[must_use]
pub fn authorization(token: &Token) -> HeaderValue {
    HeaderValue::Secret(Secret::new(format!("Bearer {}", token.access_token.expose())))
}

/// The path of a SOQL query.
#[must_use]
pub fn query_path(version: &str, soql: &str) -> String {
    let mut path = format!("/services/data/v{version}/query/?q=");
    percent_encode(soql, &mut path);
    path
}

/// The path of a SOQL query that also finds deleted rows.
#[must_use]
pub fn query_all_path(version: &str, soql: &str) -> String {
    let mut path = format!("/services/data/v{version}/queryAll/?q=");
    percent_encode(soql, &mut path);
    path
}

/// `Ok` for 2xx; else what the answer means. `what` names the request for people: "the describe of Lead".
///
/// # Errors
/// Every other status.
pub fn check(response: &Response, what: &str) -> Result<(), Verdict> {
    let status = response.status;
    if (200..=299).contains(&status) {
        return Ok(());
    }
    let error = serde_json::from_slice::<Vec<Error>>(&response.body).ok().and_then(|errors| errors.into_iter().next());
    let code = error.as_ref().map_or_else(|| format!("HTTP_{status}"), |e| excerpt(&e.error_code, 80));
    let said = error.as_ref().map_or_else(String::new, |e| format!(", {code}: {}", excerpt(&e.message, 300)));
    let message = format!("Salesforce answered {what} with HTTP {status}{said}");
    let cause = Cause::new(code.clone(), message.clone());
    let fail = |kind, remedy: &str| Verdict::Fail(Failure::new(kind, code.clone(), format!("{message}. {remedy}")));
    Err(match status {
        // The org moved: the next login names its new instance.
        300..=399 => Verdict::Reauthenticate(cause),
        401 if is_permanent_401(&cause.message) => fail(
            FailureKind::Auth,
            "Logging in again does not help: give the user and the connected app access to the REST API.",
        ),
        401 => Verdict::Reauthenticate(cause),
        403 if code == "REQUEST_LIMIT_EXCEEDED" => Verdict::Throttled(cause),
        403 => fail(FailureKind::Auth, "Give the user of the connector the right to do this."),
        404 => fail(FailureKind::Config, "Check the names in the configuration, and that the user may see them."),
        408 | 429 | 500..=599 => Verdict::Retry(cause, response.retry_after_ms().unwrap_or(0)),
        _ => fail(FailureKind::Config, "Check the configuration against the org."),
    })
}

/// 401s that a new token does not cure; taking them for an expired session would log in for ever.
fn is_permanent_401(message: &str) -> bool {
    ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"]
        .iter()
        .any(|text| message.contains(text))
}

/// The verdict for a body that should have been JSON of a certain shape: a maintenance page, or a proxy's.
#[must_use]
pub fn not_json(response: &Response, what: &str) -> Verdict {
    let start = excerpt(&String::from_utf8_lossy(&response.body[..response.body.len().min(200)]), 60);
    let message = format!("Salesforce answered {what} with something unexpected, beginning with: {start}");
    Verdict::Retry(Cause::new("RESPONSE_BROKEN", message), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_map_to_verdicts() {
        type Is = fn(&Verdict) -> bool;
        let auth: Is = |v| matches!(v, Verdict::Fail(f) if f.kind == FailureKind::Auth);
        let config: Is = |v| matches!(v, Verdict::Fail(f) if f.kind == FailureKind::Config);
        let again: Is = |v| matches!(v, Verdict::Reauthenticate(_));
        let retry: Is = |v| matches!(v, Verdict::Retry(..));
        let throttled: Is = |v| matches!(v, Verdict::Throttled(_));
        let body = |code: &str, message: &str| format!(r#"[{{"errorCode":"{code}","message":"{message}"}}]"#);
        let cases: [(u16, String, Is); 12] = [
            (401, body("INVALID_SESSION_ID", "Session expired or invalid"), again),
            (401, body("INVALID_SESSION_ID", "This session is not valid for use with the REST API"), auth),
            (401, String::new(), again),
            (403, body("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), throttled),
            (403, body("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization"), auth),
            (404, body("NOT_FOUND", "The requested resource does not exist"), config),
            (400, body("MALFORMED_QUERY", "unexpected token"), config),
            (302, String::new(), again),
            (429, String::new(), retry),
            (500, body("UNKNOWN_EXCEPTION", "An unexpected error has occurred. 1-2 (3)"), retry),
            (503, "<html>".into(), retry),
            (418, String::new(), config),
        ];
        for (status, body, is) in cases {
            let response = Response { status, headers: Vec::new(), body: body.clone().into_bytes() };
            let verdict = check(&response, "the describe of Lead").expect_err("not 2xx");
            assert!(is(&verdict), "{status} {body}: {verdict:?}");
        }
        assert_eq!(check(&Response { status: 201, ..Response::default() }, ""), Ok(()));
    }

    #[test]
    fn retry_after_is_followed() {
        let response = Response { status: 503, headers: vec![("retry-after".into(), "7".into())], body: Vec::new() };
        assert!(matches!(check(&response, "x"), Err(Verdict::Retry(_, 7_000))));
    }

    #[test]
    fn soql_is_encoded() {
        assert_eq!(
            query_path("67.0", "SELECT Id FROM A WHERE N = 'a&b'"),
            "/services/data/v67.0/query/?q=SELECT%20Id%20FROM%20A%20WHERE%20N%20%3D%20%27a%26b%27"
        );
    }
}
