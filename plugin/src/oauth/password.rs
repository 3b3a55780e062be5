//! The username-password grant (Salesforce Help, "OAuth 2.0 Username-Password Flow for Special Scenarios").

use crate::secret::Secret;

/// What the username-password grant needs.
#[derive(Clone, Debug)]
pub struct Password {
    /// `salesforce.username`
    pub username: String,
    /// `salesforce.password`
    pub password: Secret,
    /// `salesforce.password.token`; empty from trusted addresses.
    pub security_token: Secret,
    /// `salesforce.consumer.key`
    pub consumer_key: Secret,
    /// `salesforce.consumer.secret`; empty where the app does not ask for it.
    pub consumer_secret: Secret,
}

impl Password {
    /// The form's fields. The security token follows the password without a separator.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("grant_type", "password".to_owned())];
        super::client(&mut fields, &self.consumer_key, &self.consumer_secret);
        fields.push(("username", self.username.clone()));
        fields.push(("password", format!("{}{}", self.password.expose(), self.security_token.expose())));
        fields
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        http::Timeouts,
        oauth::{Grant, Password},
        secret::Secret,
    };

    fn grant(consumer_secret: &str) -> Grant {
        Grant::Password(Password {
            username: "joe+1@example.com".into(),
            password: Secret::new("p&w=d%"),
            security_token: Secret::new("tok"),
            consumer_key: Secret::new("3MVG9"),
            consumer_secret: Secret::new(consumer_secret),
        })
    }

    #[test]
    fn asks_with_everything_encoded_in_the_body() {
        let request = grant("s/3").request("https://login.salesforce.com", 0, Timeouts::each(1));
        assert_eq!(request.url, "https://login.salesforce.com/services/oauth2/token");
        let body = String::from_utf8(request.body).expect("ascii");
        let expected = "grant_type=password&client_id=3MVG9&client_secret=s%2F3&username=joe%2B1%40example.com&password=p%26w%3Dd%25tok";
        assert_eq!(body, expected);
    }

    #[test]
    fn an_app_without_a_secret_gets_none() {
        let body = grant("").request("https://a", 0, Timeouts::each(1)).body;
        assert!(!String::from_utf8_lossy(&body).contains("client_secret"));
    }
}
