//! The token endpoint's answers: an access token with the instance to use it on, or an error to act upon
//! (Salesforce Help, "OAuth 2.0 Authorization Errors").

use serde::Deserialize;

use super::{GrantKind, remedy::remedy};
use crate::{
    error::{Cause, Failure, FailureKind, Verdict, excerpt},
    http::{Response, origin},
    salesforce::rest,
    secret::Secret,
};

/// A session of the org.
#[derive(Clone, Debug)]
pub struct Token {
    /// Sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// The origin to talk to from now on.
    pub instance_url: String,
    /// The refresh token to use from now on, where the app's policy changes it with every use.
    pub refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct Success {
    access_token: String,
    instance_url: String,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Error {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Longest access token that is accepted, in bytes; JWT-shaped ones run to a few thousand.
const TOKEN_BYTES_MAX: usize = 16_384;

/// Reads the answer to a token request of a grant, which went to `login_origin`.
///
/// # Errors
/// `Fail` for what only a person can mend, `Retry` and `Throttled` for the rest.
pub fn read(response: &Response, login_origin: &str, kind: GrantKind) -> Result<Token, Verdict> {
    if response.status == 200 {
        return success(&response.body, login_origin);
    }
    if let Ok(error) = serde_json::from_slice::<Error>(&response.body)
        && !(500..=599).contains(&response.status)
        && response.status != 429
    {
        return Err(Verdict::Fail(refused(&error, kind)));
    }
    if (300..=399).contains(&response.status) {
        let message = format!(
            "The login was answered with a redirect (HTTP {}), which would lose its form. Set salesforce.instance to the host it \
             redirects to, the org's My Domain most likely: https://NAME.my.salesforce.com",
            response.status
        );
        return Err(Verdict::Fail(Failure::new(FailureKind::Config, "LOGIN_REDIRECTED", message)));
    }
    match rest::check(response, "the login") {
        Err(Verdict::Reauthenticate(cause)) => Err(Verdict::Fail(cause.into_failure(FailureKind::Auth))),
        Err(verdict) => Err(verdict),
        Ok(()) => Err(rest::not_json(response, "the login")),
    }
}

fn success(body: &[u8], login_origin: &str) -> Result<Token, Verdict> {
    let Ok(success) = serde_json::from_slice::<Success>(body) else {
        return Err(Verdict::Retry(
            Cause::new("RESPONSE_BROKEN", "The login was answered with something other than an access token"),
            0,
        ));
    };
    let unusable = |reason: &str| {
        Verdict::Fail(Failure::new(FailureKind::Fatal, "TOKEN_UNUSABLE", format!("The login's answer {reason}")))
    };
    let token = success.access_token;
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(unusable("holds an access token that cannot be put into a header"));
    }
    let instance_url = origin(&success.instance_url)
        .map_err(|reason| unusable(&format!("has an instance_url that cannot be used: {reason}")))?;
    if login_origin.starts_with("https://") && !instance_url.starts_with("https://") {
        return Err(unusable("has an instance_url without TLS; the token is not sent there"));
    }
    // One that is empty or endless would lock the connector out the next time; the one in use may still be good.
    let refresh_token = success.refresh_token.filter(|token| (1..=TOKEN_BYTES_MAX).contains(&token.len()));
    Ok(Token { access_token: Secret::new(token), instance_url, refresh_token: refresh_token.map(Secret::new) })
}

/// An error of the token endpoint, with Salesforce's own code and words and what to do about it.
fn refused(error: &Error, grant: GrantKind) -> Failure {
    let description = excerpt(&error.error_description, 300);
    let remedy = remedy(grant, &error.error, &error.error_description);
    let kind = match error.error.as_str() {
        "unsupported_grant_type" | "app_not_found" => FailureKind::Config,
        _ => FailureKind::Auth,
    };
    let code = excerpt(&error.error, 80);
    let said = if description.is_empty() { code.clone() } else { format!("{code}: {description}") };
    Failure::new(kind, code, format!("Salesforce refused the login ({said}). {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Token, Verdict> {
        answer_to(GrantKind::Password, status, body)
    }

    fn answer_to(kind: GrantKind, status: u16, body: &str) -> Result<Token, Verdict> {
        read(&Response { status, headers: Vec::new(), body: body.into() }, "https://login.salesforce.com", kind)
    }

    #[test]
    fn a_token_comes_with_its_instance() {
        let body = r#"{"access_token":"00D5e!AQ","instance_url":"https://x.my.salesforce.com","id":"https://login","issued_at":"1","signature":"s"}"#;
        let token = answer(200, body).expect("a token");
        assert_eq!((token.access_token.expose(), &*token.instance_url), ("00D5e!AQ", "https://x.my.salesforce.com"));
        assert_eq!(token.refresh_token, None);
        let rotated = body.replace('}', r#","refresh_token":"5Aep2"}"#);
        assert_eq!(answer(200, &rotated).expect("a token").refresh_token, Some(Secret::new("5Aep2")));
    }

    #[test]
    fn refusals_carry_code_words_and_the_remedy_of_their_grant() {
        use FailureKind::{Auth, Config};
        use GrantKind::{ClientCredentials, JwtBearer, Password, RefreshToken};
        let cases: &[(GrantKind, &str, &str, &str, FailureKind)] = &[
            (Password, "invalid_grant", "authentication failure", "salesforce.password.token", Auth),
            (Password, "invalid_grant", "authentication failure - Invalid Password", "username-password flow", Auth),
            (Password, "invalid_client_id", "client identifier invalid", "salesforce.consumer.secret", Auth),
            (Password, "invalid_client", "invalid client credentials", "salesforce.consumer.secret", Auth),
            (JwtBearer, "invalid_grant", "user hasn't approved this consumer", "Pre-authorise the user", Auth),
            (JwtBearer, "invalid_app_access", "user is not admin approved", "Pre-authorise the user", Auth),
            (JwtBearer, "invalid_grant", "invalid assertion", "certificate", Auth),
            (JwtBearer, "invalid_grant", "audience is invalid", "salesforce.jwt.audience", Auth),
            (JwtBearer, "invalid_grant", "Audience validation failed", "salesforce.instance", Auth),
            (JwtBearer, "invalid_grant", "user is invalid", "salesforce.username", Auth),
            (JwtBearer, "invalid_client_id", "client identifier invalid", "JWT bearer flow enabled", Auth),
            (JwtBearer, "app_not_found", "", "My Domain", Config),
            (ClientCredentials, "invalid_grant", "request not supported on this domain", "My Domain", Auth),
            (ClientCredentials, "invalid_grant", "no client credentials user enabled", "Run As", Auth),
            (ClientCredentials, "invalid_grant", "something else", "client credentials flow enabled", Auth),
            (ClientCredentials, "unsupported_grant_type", "grant type not supported", "redirected", Config),
            (RefreshToken, "invalid_grant", "expired access/refresh token", "oauth.refresh.token", Auth),
            (Password, "inactive_user", "user is inactive", "Activate the user", Auth),
            (Password, "rate_limit_exceeded", "login rate exceeded", "Too many logins", Auth),
            (RefreshToken, "something_new", "", "OAuth 2.0 Authorization Errors", Auth),
        ];
        for (grant, code, description, remedy, kind) in cases {
            let body = format!(r#"{{"error":"{code}","error_description":"{description}"}}"#);
            let Err(Verdict::Fail(failure)) = answer_to(*grant, 400, &body) else { panic!("{code} is final") };
            assert_eq!((failure.kind, &*failure.code), (*kind, *code));
            assert!(failure.message.contains(description) && failure.message.contains(remedy), "{}", failure.message);
        }
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let Err(Verdict::Fail(failure)) = answer(302, "") else { panic!("final") };
        assert_eq!((failure.kind, &*failure.code), (FailureKind::Config, "LOGIN_REDIRECTED"));
    }

    #[test]
    fn what_passes_is_tried_again() {
        let limit = r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]"#;
        assert!(matches!(answer(403, limit), Err(Verdict::Throttled(_))));
        for (status, body) in
            [(503, "<html>maintenance</html>"), (200, "<html>"), (502, ""), (429, "{\"error\":\"x\"}")]
        {
            assert!(matches!(answer(status, body), Err(Verdict::Retry(..))), "{status}");
        }
    }

    #[test]
    fn a_token_is_not_sent_where_it_does_not_belong() {
        for instance in ["http://x.my.salesforce.com", "https://u@x", "ftp://x", ""] {
            let body = format!(r#"{{"access_token":"a","instance_url":"{instance}"}}"#);
            assert!(matches!(answer(200, &body), Err(Verdict::Fail(_))), "{instance}");
        }
        let body = r#"{"access_token":"a\nb","instance_url":"https://x"}"#;
        assert!(matches!(answer(200, body), Err(Verdict::Fail(_))));
    }
}
