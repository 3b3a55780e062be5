//! TLS for what components ask for: the system's roots, and those of `tributary.network.ca.file`. Verification cannot
//! be switched off.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::error::NetworkError;
use crate::telemetry::{Event, Telemetry};

/// Whom to trust.
pub(crate) fn roots(ca_file: Option<&Path>, telemetry: &Telemetry) -> Result<RootCertStore, NetworkError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (mut trusted, _) = roots.add_parsable_certificates(native.certs);
    if let Some(path) = ca_file {
        trusted += add_file(&mut roots, path)?;
    }
    if trusted == 0 {
        // Not an error: a component that only speaks plain http, as in a demonstration, needs none.
        let reasons: Vec<String> = native.errors.iter().map(ToString::to_string).collect();
        telemetry.emit("", &Event::RootsMissing { reason: reasons.join("; ") });
    }
    Ok(roots)
}

/// The configuration for clients.
pub(crate) fn client_config(roots: Arc<RootCertStore>) -> Result<ClientConfig, NetworkError> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| NetworkError::Tls(error.to_string()))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<usize, NetworkError> {
    let failed = |reason: String| NetworkError::CaFile { path: path.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(pem_reason(&error)))?;
    let mut added = 0;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| failed(pem_reason(&error)))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
        added += 1;
    }
    if added == 0 { Err(failed("it holds no certificate".to_owned())) } else { Ok(added) }
}

fn pem_reason(error: &rustls_pki_types::pem::Error) -> String {
    match error {
        rustls_pki_types::pem::Error::Io(error) => error.to_string(),
        error => format!("{error:?}"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_no_roots_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let check = |expected: &str| {
            let message = roots(Some(&path), &Telemetry::default()).unwrap_err().to_string();
            assert!(message.contains("ca.pem") && message.contains(expected), "{message}");
        };
        check("No such file");
        std::fs::write(&path, "hello").unwrap();
        check("no certificate");
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n").unwrap();
        check("tributary.network.ca.file");
    }
}
