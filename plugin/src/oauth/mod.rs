//! Logging in: OAuth 2.0 grants against `<host>/services/oauth2/token`
//! (Salesforce Help, "OAuth Authorization Flows"). One file for each grant, behind one enum.

mod password;
pub mod token;

pub use password::Password;
pub use token::Token;

use crate::http::{HeaderValue, Method, Request, Timeouts, form};

/// How to log in.
#[derive(Clone, Debug)]
pub enum Grant {
    /// OAuth 2.0 username-password flow.
    Password(Password),
}

/// Largest token answer that is read, in bytes.
pub const TOKEN_RESPONSE_BYTES_MAX: usize = 65_536;

impl Grant {
    /// The token request to `login_origin`.
    #[must_use]
    pub fn request(&self, login_origin: &str, timeouts: Timeouts) -> Request {
        let body = match self {
            Self::Password(password) => form(&password.fields()),
        };
        let plain = |text: &str| HeaderValue::Plain(text.into());
        Request {
            method: Method::Post,
            url: format!("{login_origin}/services/oauth2/token"),
            headers: vec![
                ("content-type", plain("application/x-www-form-urlencoded")),
                ("accept", plain("application/json")),
            ],
            body,
            timeouts,
            response_bytes_max: TOKEN_RESPONSE_BYTES_MAX,
        }
    }
}
