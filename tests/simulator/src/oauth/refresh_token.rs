//! The refresh-token grant. Implements its errors of section 1.3 of the Salesforce facts page, and an app's policy to hand
//! out another refresh token with every use.

use super::{Form, OauthError, field};
use crate::config::OrgConfig;

/// What the client presented.
pub(super) struct RefreshTokenGrant {
    client_id: String,
    client_secret: String,
    refresh_token: String,
}

impl RefreshTokenGrant {
    pub(super) fn read(form: &Form) -> Self {
        let text = |name| field(form, name).unwrap_or_default().to_owned();
        Self {
            client_id: text("client_id"),
            client_secret: text("client_secret"),
            refresh_token: text("refresh_token"),
        }
    }

    /// The number of the user who authorised the app.
    pub(super) fn check(&self, config: &OrgConfig) -> Result<usize, OauthError> {
        super::check_client(config, &self.client_id, &self.client_secret)?;
        if config.expired || self.refresh_token != config.refresh_token {
            return Err(OauthError("invalid_grant", "expired access/refresh token"));
        }
        Ok(0)
    }
}
