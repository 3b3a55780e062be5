//! The OAuth endpoints: `/services/oauth2/token` and `/services/oauth2/revoke`.
//!
//! Implements section 1 of the Salesforce facts page. A grant is a variant of [`Grant`] with a file of its own; what is
//! no variant is answered with `unsupported_grant_type`.

mod password;
mod token;

use http::Method;
use serde_json::json;

use crate::exchange::{Request, Response};
use crate::org::Org;

pub(crate) use token::{Tokens, org_id, user_id};

/// The form fields of a request, in their order.
type Form = Vec<(String, String)>;

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// A grant that this org understands, with what the client presented.
enum Grant {
    Password(password::PasswordGrant),
}

impl Grant {
    fn read(form: &Form) -> Result<Self, OauthError> {
        match field(form, "grant_type") {
            Some("password") => password::PasswordGrant::read(form).map(Self::Password),
            _ => Err(OauthError("unsupported_grant_type", "grant type not supported")),
        }
    }
}

/// The `error` and `error_description` of a refusal; always HTTP 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OauthError(&'static str, &'static str);

impl OauthError {
    fn response(self) -> Response {
        refusal(self.0, self.1)
    }
}

/// The token endpoint's refusal in its own form.
pub(crate) fn refusal(error: &str, description: &str) -> Response {
    Response::json(400, &json!({"error": error, "error_description": description}))
}

/// Members that must never stand in a request line, where every proxy logs them.
const SECRETS: [&str; 5] = ["password", "client_secret", "assertion", "token", "refresh_token"];

impl Org {
    pub(crate) fn oauth(&mut self, request: &Request) -> Response {
        let path = request.path().trim_end_matches('/');
        let answer = match path.strip_prefix("/services/oauth2/") {
            Some("token") => self.read_form(request).and_then(|form| self.token(&form)),
            Some("revoke") => self.read_form(request).and_then(|form| self.revoke(&form)),
            _ => {
                return Response::html(
                    404,
                    "<html><head><title>Error 404</title></head><body>URL No Longer Exists</body></html>",
                );
            }
        };
        match answer {
            Ok(response) => response,
            Err(error) => {
                self.stats.logins_refused += 1;
                error.response()
            }
        }
    }

    /// Reads the form, and only from the body of a POST that says that it is one.
    fn read_form(&self, request: &Request) -> Result<Form, OauthError> {
        if request.method != Method::POST {
            return Err(OauthError("invalid_request", "must use HTTP POST"));
        }
        if request.media_type() != "application/x-www-form-urlencoded" {
            return Err(OauthError("unsupported_grant_type", "grant type not supported"));
        }
        let query: Form = form_urlencoded::parse(request.query().as_bytes()).into_owned().collect();
        if SECRETS.iter().any(|secret| field(&query, secret).is_some()) {
            return Err(OauthError("invalid_request", "secrets are not accepted in the query string"));
        }
        Ok(form_urlencoded::parse(&request.body).into_owned().collect())
    }

    fn token(&mut self, form: &Form) -> Result<Response, OauthError> {
        let user = match Grant::read(form)? {
            Grant::Password(grant) => grant.check(&self.config)?,
        };
        self.stats.logins += 1;
        let token = self.tokens.issue(&mut self.rng, self.now_ms, user);
        Ok(Response::json(200, &token.document(&self.config)))
    }

    fn revoke(&mut self, form: &Form) -> Result<Response, OauthError> {
        let token = field(form, "token").unwrap_or_default();
        if !self.tokens.revoke(token) {
            return Err(OauthError("invalid_token", "invalid token"));
        }
        self.drop_unauthenticated();
        Ok(Response::empty(200))
    }
}
