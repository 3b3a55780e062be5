//! The client-credentials grant (Salesforce Help, "OAuth 2.0 Client Credentials Flow for Server-to-Server Integration"): the
//! app logs in as the user whom its policies name.

use crate::secret::Secret;

/// What the client-credentials grant needs.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// `salesforce.consumer.key`
    pub consumer_key: Secret,
    /// `salesforce.consumer.secret`
    pub consumer_secret: Secret,
}

impl ClientCredentials {
    /// The form's fields.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("grant_type", "client_credentials".to_owned())];
        super::client(&mut fields, &self.consumer_key, &self.consumer_secret);
        fields
    }
}

/// Whether an origin is one of the hosts that serve every org. They do not answer this grant: only the org's own does.
#[must_use]
pub fn is_generic_host(login_origin: &str) -> bool {
    let host = login_origin.split_once("://").map_or(login_origin, |(_, rest)| rest);
    let host = host.split(':').next().unwrap_or_default();
    ["login.salesforce.com", "test.salesforce.com"].iter().any(|generic| host.eq_ignore_ascii_case(generic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::Timeouts,
        oauth::{Grant, GrantKind},
    };

    #[test]
    fn asks_with_key_and_secret_in_the_body() {
        let grant = Grant::ClientCredentials(ClientCredentials {
            consumer_key: Secret::new("3MVG9"),
            consumer_secret: Secret::new("s/3"),
        });
        assert_eq!(grant.kind(), GrantKind::ClientCredentials);
        let request = grant.request("https://x.my.salesforce.com", 0, Timeouts::each(1));
        assert_eq!(request.url, "https://x.my.salesforce.com/services/oauth2/token");
        assert_eq!(request.body, b"grant_type=client_credentials&client_id=3MVG9&client_secret=s%2F3");
    }

    #[test]
    fn hosts_that_serve_every_org() {
        for (origin, generic) in [
            ("https://login.salesforce.com", true),
            ("https://Test.Salesforce.com:443", true),
            ("https://x.my.salesforce.com", false),
            ("https://login.salesforce.com.example", false),
            ("http://127.0.0.1:18080", false),
        ] {
            assert_eq!(is_generic_host(origin), generic, "{origin}");
        }
    }
}
