//! The refresh-token grant (Salesforce Help, "OAuth 2.0 Refresh Token Flow for Renewed Sessions"): what is left of an
//! authorization-code login that a person made elsewhere.

use crate::secret::Secret;

/// What the refresh-token grant needs.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// `oauth.refresh.token`, or the one that took its place.
    pub refresh_token: Secret,
    /// `salesforce.consumer.key`
    pub consumer_key: Secret,
    /// `salesforce.consumer.secret`; empty where the app does not ask for it.
    pub consumer_secret: Secret,
}

impl RefreshToken {
    /// The form's fields.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("grant_type", "refresh_token".to_owned())];
        super::client(&mut fields, &self.consumer_key, &self.consumer_secret);
        fields.push(("refresh_token", self.refresh_token.expose().to_owned()));
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::Timeouts, oauth::Grant};

    #[test]
    fn a_rotated_token_takes_the_place_of_the_old_one() {
        let mut grant = Grant::RefreshToken(RefreshToken {
            refresh_token: Secret::new("5Aep1"),
            consumer_key: Secret::new("3MVG9"),
            consumer_secret: Secret::new(""),
        });
        let body = |grant: &Grant| String::from_utf8(grant.request("https://a", 0, Timeouts::each(1)).body);
        let old = "grant_type=refresh_token&client_id=3MVG9&refresh_token=5Aep1";
        assert_eq!(body(&grant).as_deref(), Ok(old));
        assert!(!grant.rotated(None) && !grant.rotated(Some(&Secret::new("5Aep1"))));
        assert_eq!(body(&grant).as_deref(), Ok(old));
        assert!(grant.rotated(Some(&Secret::new("5Aep2"))));
        assert!(body(&grant).is_ok_and(|body| body.ends_with("&refresh_token=5Aep2")));
    }
}
