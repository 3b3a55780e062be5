//! TLS of the REST API: certificate and key in PEM, and roots for clients' certificates where these are asked for.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;

use crate::config::{Pem, Tls};

const KEYSTORE: &str = "listeners.https.ssl.keystore";
const TRUSTSTORE: &str = "listeners.https.ssl.truststore";

/// The side of a worker that asks another one, with the same settings: it trusts the system's roots and those of the truststore,
/// and shows its own certificate where clients have to have one.
///
/// # Errors
/// As `acceptor`.
pub(super) fn towards_workers(tls: Option<&Tls>, client_certificates: bool) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    // Over plain http nobody needs them, and to read them takes time.
    if tls.is_some() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let Some(trust) = tls.and_then(|tls| tls.trust.as_ref()) {
        roots.add_parsable_certificates(certificates(trust, TRUSTSTORE)?);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let config = config.with_root_certificates(roots);
    match tls.and_then(|tls| tls.identity.as_ref()).filter(|_| client_certificates) {
        None => Ok(config.with_no_client_auth()),
        Some((chain, key)) => {
            let identity = config.with_client_auth_cert(certificates(chain, KEYSTORE)?, private_key(key)?);
            identity.map_err(|error| format!("{KEYSTORE}: {error}"))
        }
    }
}

/// Of the settings.
///
/// # Errors
/// A sentence with the setting; it holds nothing of a key.
pub(super) fn acceptor(tls: &Tls, client_certificates: bool) -> Result<TlsAcceptor, String> {
    if tls.key_password.is_some() {
        return Err(
            "listeners.https.ssl.key.password: keys with a password are not read; write it without one".to_owned()
        );
    }
    let Some((chain, key)) = &tls.identity else { return Err(format!("{KEYSTORE}.location is missing")) };
    let chain = certificates(chain, KEYSTORE)?;
    let key = private_key(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let config = match tls.trust.as_ref().filter(|_| client_certificates) {
        None => config.with_no_client_auth(),
        Some(trust) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(trust, TRUSTSTORE)? {
                roots.add(certificate).map_err(|error| format!("{TRUSTSTORE}: {error}"))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            config.with_client_cert_verifier(verifier.map_err(|error| format!("{TRUSTSTORE}: {error}"))?)
        }
    };
    let mut config = config.with_single_cert(chain, key).map_err(|error| format!("{KEYSTORE}: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn bytes(pem: &Pem, setting: &str) -> Result<Vec<u8>, String> {
    match pem {
        Pem::Text(text) => Ok(text.expose().as_bytes().to_vec()),
        Pem::File(path) => {
            std::fs::read(path).map_err(|error| format!("{setting}.location = {}: {error}", path.display()))
        }
    }
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&bytes(pem, KEYSTORE)?).map_err(|_| format!("{KEYSTORE} holds no private key in PEM"))
}

fn certificates(pem: &Pem, setting: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = bytes(pem, setting)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok).collect();
    if found.is_empty() { Err(format!("{setting} holds no certificate in PEM")) } else { Ok(found) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn what_is_needed_is_named() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let pem = |text: &str| Pem::Text(Secret::new(text));
        let tls = |identity, trust| Tls { trust, identity, key_password: None };
        let good = || Some((pem(&chain), pem(&key)));
        assert!(acceptor(&tls(good(), None), false).is_ok());
        assert!(acceptor(&tls(good(), Some(pem(&chain))), true).is_ok());
        for (tls, clients, word) in [
            (tls(None, None), false, "keystore.location is missing"),
            (tls(Some((pem("x"), pem(&key))), None), false, "keystore holds no certificate"),
            (tls(Some((pem(&chain), pem("x"))), None), false, "no private key"),
            (tls(Some((Pem::File("/none.pem".into()), pem(&key))), None), false, "/none.pem"),
            (tls(good(), Some(pem("x"))), true, "truststore holds no certificate"),
            (Tls { key_password: Some(Secret::new("p")), ..tls(good(), None) }, false, "key.password"),
        ] {
            let error = acceptor(&tls, clients).err().unwrap();
            assert!(error.contains(word), "{error}");
        }
    }
}
