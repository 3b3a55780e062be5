//! What can go wrong on the network, mapped in one place to the error codes of `wasi:http`.

use std::{error::Error as StdError, io, net::IpAddr, path::PathBuf};

use wasmtime_wasi_http::Error;

use super::super::allow_list::PatternError;

/// Network settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A pattern in the allow-list.
    #[error("tributary.network.allow: {0}")]
    Allow(#[from] PatternError),
    /// A connector's own proxy that the list does not have.
    #[error(
        "http.proxy: the worker does not allow connecting to {address}; add http://{address} to tributary.network.allow in the \
         worker file, or set tributary.network.proxy there"
    )]
    ProxyDenied {
        /// `host:port`
        address: String,
    },
    /// The file with more roots.
    #[error("tributary.network.ca.file: {}: {reason}; it must hold certificates in PEM form", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{0} is not in the allow-list")]
    Denied(String),
    #[error("{host} resolves to {address}, which the allow-list does not name")]
    Prohibited { host: String, address: IpAddr },
    #[error("{host} cannot be resolved: {reason}")]
    Dns { host: String, reason: String },
    #[error("{0} was not resolved in time")]
    DnsTimeout(String),
    #[error("{0} refused the connection")]
    Refused(String),
    #[error("{address} cannot be reached: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("no connection to {0} in time")]
    Timeout(String),
    #[error("{0}")]
    Proxy(String),
}

/// What the guest is told about a request that failed.
pub(crate) fn from_client(error: &hyper_util::client::legacy::Error) -> Error {
    from_causes(error).unwrap_or_else(|| {
        if error.is_connect() { Error::InternalError(Some(innermost(error))) } else { Error::HttpProtocolError }
    })
}

/// What the guest is told about a body that failed.
pub(crate) fn from_hyper(error: &hyper::Error) -> Error {
    // The head has come, so the end of the connection is not the end of the message.
    let ended = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    if ended.map(io::Error::kind).any(|kind| kind == io::ErrorKind::UnexpectedEof) {
        return Error::HttpResponseIncomplete;
    }
    from_causes(error).unwrap_or(Error::HttpProtocolError)
}

/// The reason of a failed TLS handshake, if it was one: the code that the guest gets has no room for it.
pub(crate) fn tls_reason(error: &(dyn StdError + 'static)) -> Option<String> {
    causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()).map(ToString::to_string)
}

/// The dial error below, if it was one.
pub(crate) fn dial_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a DialError> {
    causes(error).find_map(|cause| cause.downcast_ref::<DialError>())
}

fn from_causes(error: &(dyn StdError + 'static)) -> Option<Error> {
    // From the outside in: hyper knows that a body is incomplete where the socket below has merely ended.
    causes(error).find_map(from_cause)
}

fn from_cause(cause: &(dyn StdError + 'static)) -> Option<Error> {
    if let Some(error) = cause.downcast_ref::<DialError>() {
        return Some(from_dial(error));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(from_tls(error));
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return from_hyper_kind(error);
    }
    cause.downcast_ref::<io::Error>().and_then(|error| from_io(error.kind()))
}

fn from_dial(error: &DialError) -> Error {
    match error {
        DialError::Denied(_) => Error::HttpRequestDenied,
        DialError::Prohibited { .. } => Error::DestinationIpProhibited,
        DialError::Dns { reason, .. } => Error::DnsError { rcode: Some(reason.clone()), info_code: None },
        DialError::DnsTimeout(_) => Error::DnsTimeout,
        DialError::Refused(_) => Error::ConnectionRefused,
        DialError::Unreachable { .. } => Error::DestinationUnavailable,
        DialError::Timeout(_) => Error::ConnectionTimeout,
        DialError::Proxy(_) => Error::InternalError(Some(error.to_string())),
    }
}

fn from_tls(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Error::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: Some(format!("{alert:?}")) }
        }
        _ => Error::TlsProtocolError,
    }
}

fn from_hyper_kind(error: &hyper::Error) -> Option<Error> {
    if error.is_timeout() {
        Some(Error::ConnectionReadTimeout)
    } else if error.is_parse_too_large() {
        Some(Error::HttpResponseHeaderSectionSize(None))
    } else if error.is_incomplete_message() {
        Some(Error::HttpResponseIncomplete)
    } else if error.is_canceled() || error.is_closed() {
        Some(Error::ConnectionTerminated)
    } else if error.is_parse() {
        Some(Error::HttpProtocolError)
    } else {
        None
    }
}

fn from_io(kind: io::ErrorKind) -> Option<Error> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Some(Error::ConnectionTerminated),
        io::ErrorKind::TimedOut => Some(Error::ConnectionReadTimeout),
        _ => None,
    }
}

/// An error and everything below it. `io::Error` hides what it wraps from `source`, so it is opened by hand.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wraps an error as the connector does, and checks what the guest would be told.
    fn check(error: impl StdError + Send + Sync + 'static, expected: &str) {
        let wrapped = io::Error::other(io::Error::other(error));
        let told = from_causes(&wrapped).map(|error| format!("{error:?}"));
        assert_eq!(told.as_deref(), Some(expected));
    }

    #[test]
    fn the_guest_is_told_what_happened() {
        let host = || "a.example".to_owned();
        check(DialError::Denied(host()), "HttpRequestDenied");
        check(DialError::Prohibited { host: host(), address: IpAddr::from([10, 0, 0, 1]) }, "DestinationIpProhibited");
        check(
            DialError::Dns { host: host(), reason: "no such name".to_owned() },
            "DnsError { rcode: Some(\"no such name\"), info_code: None }",
        );
        check(DialError::DnsTimeout(host()), "DnsTimeout");
        check(DialError::Refused(host()), "ConnectionRefused");
        check(DialError::Timeout(host()), "ConnectionTimeout");
        check(
            DialError::Proxy("http.proxy: it answered 407".to_owned()),
            "InternalError(Some(\"http.proxy: it answered 407\"))",
        );
        check(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer), "TlsCertificateError");
        check(
            rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure),
            "TlsAlertReceived { alert_id: Some(40), alert_message: Some(\"HandshakeFailure\") }",
        );
        check(rustls::Error::DecryptError, "TlsProtocolError");
        check(io::Error::from(io::ErrorKind::ConnectionReset), "ConnectionTerminated");
        check(io::Error::from(io::ErrorKind::UnexpectedEof), "ConnectionTerminated");
    }

    #[test]
    fn a_certificate_keeps_its_reason_for_the_log() {
        let error = io::Error::other(rustls::Error::InvalidCertificate(rustls::CertificateError::Expired));
        assert!(tls_reason(&error).is_some_and(|reason| reason.contains("certificate")), "{error}");
        assert_eq!(tls_reason(&io::Error::other("else")), None);
    }
}
