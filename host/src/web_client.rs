//! What this program itself asks over HTTP: a service's REST API from the command line, a collector of metrics.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebError {
    /// The file of roots is none.
    #[error("{path}: {reason}")]
    Roots {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers, or nobody who is trusted.
    #[error("nobody answers: {0}")]
    NoAnswer(String),
    /// It took too long.
    #[error("there was no answer within {} s", .0.as_secs())]
    TooLate(Duration),
    /// The answer breaks off, or is too long.
    #[error("the answer breaks off: {0}")]
    BrokenOff(String),
}

/// See the module.
pub(crate) struct WebClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl WebClient {
    /// One that trusts the system's roots, or those of a PEM file alone.
    pub(crate) fn new(roots_file: Option<&Path>) -> Result<Self, WebError> {
        let mut roots = RootCertStore::empty();
        match roots_file {
            None => {
                // Without any, http:// is all that can be spoken; a wrong certificate then says so.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Some(path) => {
                let failed = |reason: String| WebError::Roots { path: path.display().to_string(), reason };
                let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
                let (added, _) =
                    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
                if added == 0 {
                    return Err(failed("it holds no certificate in PEM".to_owned()));
                }
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions();
        let config = config.map_err(|error| WebError::NoAnswer(error.to_string()))?;
        Ok(Self::with_tls(config.with_root_certificates(roots).with_no_client_auth()))
    }

    /// One that speaks TLS so.
    pub(crate) fn with_tls(config: ClientConfig) -> Self {
        let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        Self { client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<(StatusCode, Bytes), WebError> {
        let answer = self.exchange(request, within).await?;
        Ok((answer.status(), answer.into_body()))
    }

    /// The same with the head of the answer.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Response<Bytes>, WebError> {
        let answer = async {
            let answer = self.client.request(request).await.map_err(|error| {
                // The last cause is the one that people can act on.
                let mut cause: &dyn std::error::Error = &error;
                while let Some(deeper) = cause.source() {
                    cause = deeper;
                }
                WebError::NoAnswer(cause.to_string())
            })?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| WebError::BrokenOff(error.to_string()))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(within, answer).await.unwrap_or(Err(WebError::TooLate(within)))
    }
}
