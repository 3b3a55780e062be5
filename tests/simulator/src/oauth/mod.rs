//! The OAuth endpoints: `/services/oauth2/token` and `/services/oauth2/revoke`.
//!
//! Implements section 1 of the Salesforce facts page. A grant is a variant of [`Grant`] with a file of its own; what is
//! no variant is answered with `unsupported_grant_type`.

mod client_credentials;
mod jwt_bearer;
mod password;
mod refresh_token;
mod token;

use http::header::DATE;
use http::{HeaderValue, Method};
use serde_json::json;

use crate::config::OrgConfig;
use crate::exchange::{Request, Response};
use crate::org::Org;
use crate::{date, id};

pub(crate) use token::{Tokens, org_id, user_id};

/// The form fields of a request, in their order.
type Form = Vec<(String, String)>;

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// A grant that this org understands, with what the client presented.
enum Grant {
    Password(password::PasswordGrant),
    JwtBearer(jwt_bearer::JwtBearerGrant),
    ClientCredentials(client_credentials::ClientCredentialsGrant),
    RefreshToken(refresh_token::RefreshTokenGrant),
}

impl Grant {
    fn read(form: &Form) -> Result<Self, OauthError> {
        match field(form, "grant_type") {
            Some("password") => password::PasswordGrant::read(form).map(Self::Password),
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
                Ok(Self::JwtBearer(jwt_bearer::JwtBearerGrant::read(form)))
            }
            Some("client_credentials") => {
                Ok(Self::ClientCredentials(client_credentials::ClientCredentialsGrant::read(form)))
            }
            Some("refresh_token") => Ok(Self::RefreshToken(refresh_token::RefreshTokenGrant::read(form))),
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

/// The app's key and secret.
fn check_client(config: &OrgConfig, client_id: &str, client_secret: &str) -> Result<(), OauthError> {
    if client_id != config.consumer_key {
        return Err(OauthError("invalid_client_id", "client identifier invalid"));
    }
    if client_secret != config.consumer_secret {
        return Err(OauthError("invalid_client", "invalid client credentials"));
    }
    Ok(())
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
        let mut response = answer.unwrap_or_else(|error| {
            self.stats.logins_refused += 1;
            error.response()
        });
        let now_ms = self.now_ms.saturating_add_signed(self.config.clock_ahead_ms);
        if let Ok(date) = HeaderValue::from_str(&date::http_date(now_ms)) {
            response.headers.insert(DATE, date);
        }
        response
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
        let mut rotated = false;
        let user = match Grant::read(form)? {
            Grant::Password(grant) => grant.check(&self.config)?,
            Grant::JwtBearer(grant) => grant.check(&self.config, self.now_ms)?,
            Grant::ClientCredentials(grant) => grant.check(&self.config)?,
            Grant::RefreshToken(grant) => {
                let user = grant.check(&self.config)?;
                rotated = self.config.rotate_refresh_tokens;
                user
            }
        };
        self.stats.logins += 1;
        let token = self.tokens.issue(&mut self.rng, self.now_ms, user);
        let mut document = token.document(&self.config);
        if rotated {
            self.config.refresh_token = format!("5Aep{}", id::random_base62(&mut self.rng, 40));
            document["refresh_token"] = json!(self.config.refresh_token);
        }
        Ok(Response::json(200, &document))
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
