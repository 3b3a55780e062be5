//! The username-password grant. Implements the `password` row of section 1.1 and the errors of section 1.3 of the
//! Salesforce facts page.

use super::{Form, OauthError, field};
use crate::config::OrgConfig;

/// What the client presented.
pub(super) struct PasswordGrant {
    client_id: String,
    client_secret: String,
    username: String,
    password: String,
}

impl PasswordGrant {
    pub(super) fn read(form: &Form) -> Result<Self, OauthError> {
        let required = |name, missing| field(form, name).map(str::to_owned).ok_or(missing);
        Ok(Self {
            client_id: required("client_id", OauthError("invalid_client_id", "client identifier invalid"))?,
            client_secret: field(form, "client_secret").unwrap_or_default().to_owned(),
            username: required("username", OauthError("invalid_grant", "authentication failure"))?,
            password: required("password", OauthError("invalid_grant", "authentication failure"))?,
        })
    }

    /// The number of the user who may log in. Which part of user, password and token is wrong is never said.
    pub(super) fn check(&self, config: &OrgConfig) -> Result<usize, OauthError> {
        super::check_client(config, &self.client_id, &self.client_secret)?;
        // Nothing tells this from a wrong password.
        if !config.password_flow {
            return Err(OauthError("invalid_grant", "authentication failure"));
        }
        let fits = |password: &str, token: &str| self.password.strip_prefix(password).is_some_and(|rest| rest == token);
        config
            .users
            .iter()
            .position(|user| user.username == self.username && fits(&user.password, &user.security_token))
            .ok_or(OauthError("invalid_grant", "authentication failure"))
    }
}
