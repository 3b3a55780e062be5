//! Logging in: OAuth 2.0 grants against `<host>/services/oauth2/token`
//! (Salesforce Help, "OAuth Authorization Flows"). One file for each grant, behind one enum.

mod client_credentials;
mod jwt_bearer;
mod password;
mod refresh_token;
mod remedy;
mod server_clock;
pub mod token;

pub use client_credentials::{ClientCredentials, is_generic_host};
pub use jwt_bearer::JwtBearer;
pub use password::Password;
pub use refresh_token::RefreshToken;
pub use server_clock::ServerClock;
pub use token::Token;

use crate::{
    http::{HeaderValue, Method, Request, Timeouts, form},
    secret::Secret,
    time::WallMs,
};

/// How to log in.
#[derive(Clone, Debug)]
pub enum Grant {
    /// OAuth 2.0 username-password flow.
    Password(Password),
    /// OAuth 2.0 JWT bearer flow.
    JwtBearer(Box<JwtBearer>),
    /// OAuth 2.0 client credentials flow.
    ClientCredentials(ClientCredentials),
    /// OAuth 2.0 refresh token flow.
    RefreshToken(RefreshToken),
}

/// The kinds of grants: the values of `salesforce.grant.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// `PASSWORD`
    Password,
    /// `JWT_BEARER`
    JwtBearer,
    /// `CLIENT_CREDENTIALS`
    ClientCredentials,
    /// `OAUTH2_AUTH_CODE_BYOA`
    RefreshToken,
}

/// Largest token answer that is read, in bytes.
pub const TOKEN_RESPONSE_BYTES_MAX: usize = 65_536;

impl GrantKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Password, Self::JwtBearer, Self::ClientCredentials, Self::RefreshToken];

    /// The value of `salesforce.grant.type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "PASSWORD",
            Self::JwtBearer => "JWT_BEARER",
            Self::ClientCredentials => "CLIENT_CREDENTIALS",
            Self::RefreshToken => "OAUTH2_AUTH_CODE_BYOA",
        }
    }
}

impl Grant {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> GrantKind {
        match self {
            Self::Password(_) => GrantKind::Password,
            Self::JwtBearer(_) => GrantKind::JwtBearer,
            Self::ClientCredentials(_) => GrantKind::ClientCredentials,
            Self::RefreshToken(_) => GrantKind::RefreshToken,
        }
    }

    /// The token request to `login_origin`, at `wall_ms` by the org's clock as far as that is known.
    #[must_use]
    pub fn request(&self, login_origin: &str, wall_ms: WallMs, timeouts: Timeouts) -> Request {
        let fields = match self {
            Self::Password(password) => password.fields(),
            Self::JwtBearer(jwt) => jwt.fields(login_origin, wall_ms),
            Self::ClientCredentials(credentials) => credentials.fields(),
            Self::RefreshToken(refresh) => refresh.fields(),
        };
        let plain = |text: &str| HeaderValue::Plain(text.into());
        Request {
            method: Method::Post,
            url: format!("{login_origin}/services/oauth2/token"),
            headers: vec![
                ("content-type", plain("application/x-www-form-urlencoded")),
                ("accept", plain("application/json")),
            ],
            body: form(&fields),
            timeouts,
            response_bytes_max: TOKEN_RESPONSE_BYTES_MAX,
        }
    }

    /// Takes over the refresh token that came with an answer; true when it replaces another one.
    pub fn rotated(&mut self, refresh_token: Option<&Secret>) -> bool {
        match (self, refresh_token) {
            (Self::RefreshToken(refresh), Some(token)) if *token != refresh.refresh_token => {
                refresh.refresh_token = token.clone();
                true
            }
            _ => false,
        }
    }

    /// What is to be said about the certificate that stands with the key: expired, or soon.
    #[must_use]
    pub fn certificate_warning(&self, wall_ms: WallMs) -> Option<String> {
        match self {
            Self::JwtBearer(jwt) => jwt.certificate_warning(wall_ms),
            _ => None,
        }
    }
}

/// `client_id` and, where there is one, `client_secret`.
fn client(fields: &mut Vec<(&'static str, String)>, key: &Secret, secret: &Secret) {
    fields.push(("client_id", key.expose().to_owned()));
    if !secret.expose().is_empty() {
        fields.push(("client_secret", secret.expose().to_owned()));
    }
}
