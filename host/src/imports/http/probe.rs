//! A look at the way to one origin, step by step as a request would go it: allow-list, name or proxy, connection, TLS with
//! its chain and expiry. For `tributary validate --online`; nothing is asked of the far side.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use super::{
    super::allow_list::{AllowList, Origin, Permit},
    client::CONNECT_TIMEOUT_MAX,
    dial::{connect_any, resolve, vetted},
    error::DialError,
    proxy::Proxy,
};
use crate::check::Check;

/// For the TLS handshake.
const TLS_TIMEOUT: Duration = Duration::from_secs(20);
/// A certificate that ends within so many days is worth a warning.
const EXPIRY_DAYS_MIN: i64 = 21;
const DAY_SECONDS: i64 = 86_400;

/// The checks of the way to `url`, an origin.
pub(super) async fn probe(
    url: &str,
    allow: &AllowList,
    proxy: Option<&Proxy>,
    roots: &Arc<RootCertStore>,
) -> Vec<Check> {
    let Some(origin) = url.parse().ok().as_ref().and_then(Origin::of) else {
        return vec![Check::fail("network", format!("{url} is no address of http or https"), "Correct it.")];
    };
    let Some(permit) = allow.permit(&origin) else {
        let message = format!("The worker does not allow connecting to {origin}");
        return vec![Check::fail("network", message, "Add it to tributary.network.allow in the worker file.")];
    };
    let mut checks = Vec::new();
    let stream = match proxy {
        Some(proxy) => through(proxy, &origin, &mut checks).await,
        None => direct(&origin, permit, &mut checks).await,
    };
    if let Some(stream) = stream
        && url.starts_with("https://")
    {
        checks.push(tls(stream, &origin, roots).await);
    }
    checks
}

async fn direct(origin: &Origin, permit: Permit, checks: &mut Vec<Check>) -> Option<TcpStream> {
    let host = origin.host();
    let addresses = match resolve(host, origin.port()).await.and_then(|addresses| vetted(host, addresses, permit)) {
        Ok(addresses) => addresses,
        Err(error) => {
            checks.push(failed("dns", &error));
            return None;
        }
    };
    let listed: Vec<String> = addresses.iter().take(3).map(|address| address.ip().to_string()).collect();
    let more = if addresses.len() > listed.len() { " and more" } else { "" };
    checks.push(Check::pass("dns", format!("{host} is at {}{more}", listed.join(", "))));
    match connect_any(host, &addresses, Instant::now() + CONNECT_TIMEOUT_MAX).await {
        Ok(stream) => Some(stream),
        Err(error) => {
            checks.push(failed("connection", &error));
            None
        }
    }
}

async fn through(proxy: &Proxy, origin: &Origin, checks: &mut Vec<Check>) -> Option<TcpStream> {
    let deadline = Instant::now() + CONNECT_TIMEOUT_MAX;
    let tunnelled = async {
        let mut stream = proxy.connect(deadline).await?;
        timeout_at(deadline, proxy.tunnel(&mut stream, origin.host(), origin.port()))
            .await
            .map_err(|_| DialError::Timeout(format!("{origin} through the proxy")))??;
        Ok(stream)
    };
    match tunnelled.await {
        Ok(stream) => {
            checks.push(Check::pass("proxy", format!("The proxy {}:{} leads to {origin}", proxy.host, proxy.port)));
            Some(stream)
        }
        Err(error) => {
            checks.push(failed("proxy", &error));
            None
        }
    }
}

fn failed(name: &str, error: &DialError) -> Check {
    let remedy = match error {
        DialError::Denied(_) | DialError::Prohibited { .. } => {
            "Name that host or address in tributary.network.allow of the worker file, if it should be reached."
        }
        DialError::Dns { .. } | DialError::DnsTimeout(_) => "Check the name, and the name servers of this machine.",
        DialError::Refused(_) | DialError::Unreachable { .. } | DialError::Timeout(_) => {
            "Check the network and its firewalls, and whether a proxy is needed (tributary.network.proxy)."
        }
        DialError::Proxy(_) => "Check the proxy's address, its login, and what it lets through.",
    };
    Check::fail(name, error.to_string(), remedy)
}

async fn tls(stream: TcpStream, origin: &Origin, roots: &Arc<RootCertStore>) -> Check {
    let host = origin.host();
    let unusable = |reason: String| Check::fail("tls", format!("TLS with {host} cannot be begun: {reason}"), "");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider)).build();
    let verifier = match verifier {
        Ok(inner) => Arc::new(Watching { inner, chain: Mutex::default() }),
        // Not one root is trusted.
        Err(error) => return unusable(error.to_string()),
    };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let (config, name) = match (config, ServerName::try_from(host.to_owned())) {
        (Ok(config), Ok(name)) => (config, name),
        (Err(error), _) => return unusable(error.to_string()),
        (_, Err(error)) => return unusable(error.to_string()),
    };
    // Nothing is let through that would not be otherwise: it watches, and asks the usual verifier.
    let config = config.dangerous().with_custom_certificate_verifier(Arc::clone(&verifier) as _).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let connected = timeout(TLS_TIMEOUT, connector.connect(name, stream)).await;
    let chain = verifier.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let chain: Vec<X509Certificate<'_>> = chain
        .iter()
        .filter_map(|der| X509Certificate::from_der(der).ok())
        .map(|(_, certificate)| certificate)
        .collect();
    match connected {
        Err(_) => {
            Check::fail("tls", format!("{host} did not answer the TLS handshake in time"), "Check what is in between.")
        }
        Ok(Err(error)) => {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
            refused(host, &error, cause, chain.first())
        }
        Ok(Ok(stream)) => {
            let version = stream.get_ref().1.protocol_version().and_then(|version| version.as_str());
            accepted(host, version.unwrap_or("TLS"), &chain)
        }
    }
}

fn accepted(host: &str, version: &str, chain: &[X509Certificate<'_>]) -> Check {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let ends = chain.iter().map(|certificate| certificate.validity().not_after).min_by_key(|end| end.timestamp());
    let (Some(leaf), Some(end)) = (chain.first(), ends) else {
        return Check::pass("tls", format!("{host} speaks {version}, and its certificate is trusted"));
    };
    let days = (end.timestamp() - now) / DAY_SECONDS;
    let issuer = issuer(leaf);
    let message =
        format!("{host} speaks {version}; its certificate, issued by {issuer}, ends in {days} days, on {end}");
    if days < EXPIRY_DAYS_MIN {
        Check::warn("tls", message, format!("See to it that whoever runs {host} renews it in time."))
    } else {
        Check::pass("tls", message)
    }
}

fn refused(
    host: &str,
    error: &std::io::Error,
    cause: Option<&rustls::Error>,
    leaf: Option<&X509Certificate<'_>>,
) -> Check {
    use CertificateError as C;
    let issuer = leaf.map_or_else(|| "an unknown authority".to_owned(), issuer);
    let Some(rustls::Error::InvalidCertificate(reason)) = cause else {
        let said = cause.map_or_else(|| error.to_string(), ToString::to_string);
        let remedy = "Check the address and the port, and what is in between.";
        return Check::fail("tls", format!("The TLS handshake with {host} failed: {said}"), remedy);
    };
    let (what, remedy) = match reason {
        C::Expired | C::ExpiredContext { .. } => (
            leaf.map_or_else(String::new, |leaf| format!("has ended on {}", leaf.validity().not_after)),
            format!("Check the clock of this machine; if it is right, {host} needs a new certificate."),
        ),
        C::NotValidYet | C::NotValidYetContext { .. } => (
            leaf.map_or_else(String::new, |leaf| format!("begins on {}", leaf.validity().not_before)),
            "Check the clock of this machine.".to_owned(),
        ),
        C::UnknownIssuer => (
            format!("was issued by {issuer}, whom this machine does not trust"),
            "If that authority is your own (a proxy that opens TLS has one), put its root into tributary.network.ca.file; if \
             not, somebody else is answering."
                .to_owned(),
        ),
        C::NotValidForName | C::NotValidForNameContext { .. } => (
            "is for another name".to_owned(),
            format!("Check the address; somebody else may be answering for {host}."),
        ),
        other => (format!("is refused: {other}"), "Tell whoever runs that host.".to_owned()),
    };
    Check::fail("tls", format!("The certificate of {host} {what}"), remedy)
}

fn issuer(certificate: &X509Certificate<'_>) -> String {
    let name = certificate.issuer();
    let common = name.iter_common_name().next().and_then(|part| part.as_str().ok());
    let text = common.map_or_else(|| name.to_string(), str::to_owned);
    text.chars().take(100).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The usual verifier, and what it was shown.
#[derive(Debug)]
struct Watching {
    inner: Arc<WebPkiServerVerifier>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = [end_entity].into_iter().chain(intermediates).map(|der| der.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::net::TcpListener;

    use super::*;
    use crate::check::CheckStatus;

    /// A server with a certificate of an authority of its own, that ends in so many days, for that name; its port, and
    /// the authority.
    async fn server(days: i64, name: &str, authority: &str) -> (u16, CertificateDer<'static>) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, authority);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let at = |days: i64| {
            let seconds = i64::try_from(now).unwrap() + days * DAY_SECONDS + 3_600;
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(seconds).unwrap())
        };
        (params.not_before, params.not_after) = (at(-100), at(days));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = acceptor.accept(stream).await;
            }
        });
        (port, authority.der().clone())
    }

    async fn look(url: &str, roots: &[CertificateDer<'static>]) -> Vec<Check> {
        let allow = AllowList::parse(["https://localhost:*", "http://127.0.0.1:*"]).unwrap();
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root.clone()).unwrap();
        }
        probe(url, &allow, None, &Arc::new(store)).await
    }

    #[tokio::test]
    async fn certificates_as_they_are() {
        let (_, other) = server(100, "x", "Other authority").await;
        for (days, name, trusted, status, expected) in [
            (100, "localhost", true, CheckStatus::Pass, "issued by Test authority, ends in 100 days"),
            (EXPIRY_DAYS_MIN, "localhost", true, CheckStatus::Pass, "ends in 21 days"),
            (EXPIRY_DAYS_MIN - 1, "localhost", true, CheckStatus::Warn, "ends in 20 days"),
            (-1, "localhost", true, CheckStatus::Fail, "has ended on"),
            (100, "other.example", true, CheckStatus::Fail, "is for another name"),
            (100, "localhost", false, CheckStatus::Fail, "issued by Test authority, whom this machine does not trust"),
        ] {
            let (port, authority) = server(days, name, "Test authority").await;
            let root = if trusted { authority } else { other.clone() };
            let checks = look(&format!("https://localhost:{port}"), &[root]).await;
            let [dns, tls] = &checks[..] else { panic!("{checks:?}") };
            assert_eq!((dns.name.as_str(), dns.status), ("dns", CheckStatus::Pass));
            assert_eq!(tls.status, status, "{tls:?}");
            assert!(tls.message.contains(expected), "{tls:?}");
            assert_eq!(tls.remedy.is_empty(), status == CheckStatus::Pass);
        }
    }

    #[tokio::test]
    async fn the_step_that_fails_is_named() {
        let closed = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().port()
        };
        for (url, name) in [
            ("https://a.example".to_owned(), "network"),
            ("nonsense".to_owned(), "network"),
            (format!("http://127.0.0.1:{closed}"), "connection"),
        ] {
            let checks = look(&url, &[]).await;
            let last = checks.last().unwrap();
            assert_eq!((last.name.as_str(), last.status), (name, CheckStatus::Fail), "{checks:?}");
            assert!(!last.remedy.is_empty());
        }
    }
}
