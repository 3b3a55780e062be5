//! The client-credentials grant. Implements its row of section 1.1 and its errors of section 1.3 of the Salesforce facts
//! page: only the org's own host answers it, and the app's policies name the user.

use super::{Form, OauthError, field};
use crate::config::OrgConfig;

/// What the client presented.
pub(super) struct ClientCredentialsGrant {
    client_id: String,
    client_secret: String,
}

impl ClientCredentialsGrant {
    pub(super) fn read(form: &Form) -> Self {
        let text = |name| field(form, name).unwrap_or_default().to_owned();
        Self { client_id: text("client_id"), client_secret: text("client_secret") }
    }

    /// The number of the user to run as.
    pub(super) fn check(&self, config: &OrgConfig) -> Result<usize, OauthError> {
        if !config.my_domain {
            return Err(OauthError("invalid_grant", "request not supported on this domain"));
        }
        super::check_client(config, &self.client_id, &self.client_secret)?;
        if !config.run_as_user || config.users.is_empty() {
            return Err(OauthError("invalid_grant", "no client credentials user enabled"));
        }
        Ok(0)
    }
}
