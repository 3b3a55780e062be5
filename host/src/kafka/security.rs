//! `config::Security` as the client's own settings.

use krafka::{
    KrafkaError,
    auth::{
        AuthConfig, TlsConfig,
        oidc::{ClientCredentials, OidcTokenProvider},
    },
};

use crate::config::{Pem, Sasl, Security, Tls};

/// The client's settings; `None` for a plain connection.
pub(super) fn auth(security: &Security) -> Result<Option<AuthConfig>, KrafkaError> {
    let tls = security.tls.as_ref().map(tls).transpose()?;
    let auth = match (&security.sasl, tls) {
        (None, None) => return Ok(None),
        (None, Some(tls)) => AuthConfig::ssl(tls),
        (Some(login), None) => sasl(login)?,
        (Some(login), Some(tls)) => sasl(login)?.with_tls(tls),
    };
    Ok(Some(auth))
}

fn tls(tls: &Tls) -> Result<TlsConfig, KrafkaError> {
    let mut config = TlsConfig::new();
    config = match &tls.trust {
        None => config,
        Some(Pem::File(path)) => config.with_ca_cert(path.display().to_string()),
        Some(Pem::Text(text)) => config.with_ca_cert_pem(text.expose().as_bytes()),
    };
    if let Some((chain, key)) = &tls.identity {
        config = config.with_client_cert_pem(pem(chain)?, pem(key)?);
    }
    if let Some(password) = &tls.key_password {
        config = config.with_client_key_password(password.expose());
    }
    Ok(config)
}

fn pem(pem: &Pem) -> Result<Vec<u8>, KrafkaError> {
    match pem {
        Pem::Text(text) => Ok(text.expose().as_bytes().to_vec()),
        Pem::File(path) => std::fs::read(path)
            .map_err(|error| KrafkaError::config(format!("ssl.keystore.location {}: {error}", path.display()))),
    }
}

fn sasl(sasl: &Sasl) -> Result<AuthConfig, KrafkaError> {
    Ok(match sasl {
        Sasl::Plain { username, password } => AuthConfig::sasl_plain(username, password.expose()),
        Sasl::Scram { sha512: false, username, password } => AuthConfig::sasl_scram_sha256(username, password.expose()),
        Sasl::Scram { sha512: true, username, password } => AuthConfig::sasl_scram_sha512(username, password.expose()),
        Sasl::OauthBearer { endpoint, client_id, client_secret, scope, extensions, trust } => {
            let mut tokens = OidcTokenProvider::builder(endpoint)
                .credentials(ClientCredentials::secret(client_id, client_secret.expose()));
            if let Some(scope) = scope {
                tokens = tokens.scope(scope);
            }
            for (name, value) in extensions {
                tokens = tokens.sasl_extension(name, value);
            }
            tokens = match trust {
                None => tokens,
                Some(Pem::File(path)) => tokens.ca_cert(path.display().to_string()),
                Some(Pem::Text(text)) => tokens.ca_cert_pem(text.expose().as_bytes()),
            };
            AuthConfig::sasl_oauthbearer_provider(tokens.build()?)
        }
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use krafka::auth::{SaslMechanism, SecurityProtocol};

    use super::*;
    use crate::config::Secret;

    #[test]
    fn logins() {
        let secret = || Secret::new("p4ss");
        let name = || "u".to_owned();
        let bearer = Sasl::OauthBearer {
            endpoint: "https://idp/token".to_owned(),
            client_id: name(),
            client_secret: secret(),
            scope: Some("s".to_owned()),
            extensions: vec![("logicalCluster".to_owned(), "lkc-1".to_owned())],
            trust: None,
        };
        let cases = [
            (Sasl::Plain { username: name(), password: secret() }, SaslMechanism::Plain),
            (Sasl::Scram { sha512: false, username: name(), password: secret() }, SaslMechanism::ScramSha256),
            (Sasl::Scram { sha512: true, username: name(), password: secret() }, SaslMechanism::ScramSha512),
            (bearer, SaslMechanism::OAuthBearer),
        ];
        for (sasl, mechanism) in cases {
            for (tls, protocol) in
                [(None, SecurityProtocol::SaslPlaintext), (Some(Tls::default()), SecurityProtocol::SaslSsl)]
            {
                let security = Security { tls, sasl: Some(sasl.clone()) };
                let auth = auth(&security).unwrap().unwrap();
                assert_eq!((auth.sasl_mechanism(), auth.security_protocol()), (Some(&mechanism), &protocol));
            }
        }
        assert!(auth(&Security::default()).unwrap().is_none());
        let missing = Pem::File("/none.pem".into());
        let tls = Tls { identity: Some((missing.clone(), missing)), ..Tls::default() };
        assert!(auth(&Security { tls: Some(tls), sasl: None }).unwrap_err().to_string().contains("/none.pem"));
    }
}
