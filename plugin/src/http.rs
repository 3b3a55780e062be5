//! HTTP as values: what the core asks for and what it gets back. No I/O; `driver` performs requests.

use std::{fmt, io::Read};

use flate2::read::MultiGzDecoder;
use thiserror::Error;

use crate::secret::Secret;

/// Request methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
}

/// The value of a request header. `Authorization` and `Cookie` are secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// May be shown.
    Plain(String),
    /// Must not be shown.
    Secret(Secret),
}

impl HeaderValue {
    /// What goes on the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

/// Time-outs of one request, in milliseconds. Every phase has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To reach the server, TLS included.
    pub connect_ms: u64,
    /// From the request to the head of the response.
    pub first_byte_ms: u64,
    /// Between two reads of the body.
    pub between_bytes_ms: u64,
    /// For everything together.
    pub total_ms: u64,
}

impl Timeouts {
    /// The same time-out for each phase (`connection.timeout`), thrice for the whole.
    #[must_use]
    pub fn each(phase_ms: u64) -> Self {
        Self {
            connect_ms: phase_ms,
            first_byte_ms: phase_ms,
            between_bytes_ms: phase_ms,
            total_ms: phase_ms.saturating_mul(3),
        }
    }

    /// For a long poll that the server may hold for `hold_ms`.
    #[must_use]
    pub fn long_poll(phase_ms: u64, hold_ms: u64) -> Self {
        /// The server's hold is not exact; past this it is a dead connection (fault card F21, F22: within 130 s).
        const MARGIN_MS: u64 = 15_000;
        let first_byte_ms = hold_ms.saturating_add(MARGIN_MS);
        Self {
            connect_ms: phase_ms,
            first_byte_ms,
            between_bytes_ms: phase_ms,
            total_ms: first_byte_ms.saturating_add(phase_ms.saturating_mul(2)),
        }
    }
}

/// A request. `Debug` shows neither secrets nor the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Absolute URL, `http` or `https`. Never holds a secret.
    pub url: String,
    /// Headers in order.
    pub headers: Vec<(&'static str, HeaderValue)>,
    /// Body; empty for GET.
    pub body: Vec<u8>,
    /// Time-outs.
    pub timeouts: Timeouts,
    /// The largest body that is read, in bytes, before and after decompression.
    pub response_bytes_max: usize,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} ({} bytes)", self.method, self.url, self.body.len())
    }
}

/// A whole response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as received, or decompressed after `decoded`.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Undoes `Content-Encoding: gzip`, reading at most `bytes_max` bytes of output.
    ///
    /// # Errors
    /// `BodyTooLarge` beyond the bound, `Broken` for a damaged or truncated stream or another encoding.
    pub fn decoded(mut self, bytes_max: usize) -> Result<Self, HttpError> {
        match self.header("content-encoding").map(str::trim) {
            None | Some("" | "identity") => Ok(self),
            Some(name) if name.eq_ignore_ascii_case("gzip") => {
                let mut out = Vec::new();
                let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
                MultiGzDecoder::new(self.body.as_slice())
                    .take(limit)
                    .read_to_end(&mut out)
                    .map_err(|e| HttpError::Broken(format!("the gzip body is damaged ({e})")))?;
                if out.len() > bytes_max {
                    return Err(HttpError::BodyTooLarge { bytes_max });
                }
                self.body = out;
                Ok(self)
            }
            Some(other) => Err(HttpError::Broken(format!(
                "the body has Content-Encoding {}, which was not asked for",
                crate::error::excerpt(other, 40)
            ))),
        }
    }

    /// `Retry-After` in milliseconds, where it is given in seconds.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.header("retry-after")?.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1_000))
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpError {
    /// The host does not allow this origin.
    #[error(
        "the runtime does not allow connecting to {origin}; in tributary, add it to tributary.network.allow in the worker file"
    )]
    Denied {
        /// `https://host:port`
        origin: String,
    },
    /// The name could not be resolved.
    #[error("the host name cannot be resolved ({0})")]
    Dns(String),
    /// No connection.
    #[error("no connection could be made ({0})")]
    Connect(String),
    /// TLS failed, the certificate most likely.
    #[error("the TLS handshake failed ({0})")]
    Tls(String),
    /// A phase took too long.
    #[error("no answer in time ({0})")]
    Timeout(String),
    /// The connection broke, or what came was not HTTP.
    #[error("the answer broke off ({0})")]
    Broken(String),
    /// The body exceeds its bound.
    #[error(
        "the answer is larger than {bytes_max} bytes; raise connection.max.message.size (and tributary.instance.memory.max.bytes to 4 times that)"
    )]
    BodyTooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// The request could not be made at all.
    #[error("the request cannot be made ({0})")]
    Invalid(String),
}

impl HttpError {
    /// A short code for alerts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "NETWORK_DENIED",
            Self::Dns(_) => "DNS_FAILED",
            Self::Connect(_) => "CONNECTION_FAILED",
            Self::Tls(_) => "TLS_FAILED",
            Self::Timeout(_) => "TIMEOUT",
            Self::Broken(_) => "RESPONSE_BROKEN",
            Self::BodyTooLarge { .. } => "RESPONSE_TOO_LARGE",
            Self::Invalid(_) => "REQUEST_INVALID",
        }
    }
}

/// Appends `text` percent-encoded: all but RFC 3986's unreserved characters.
pub fn percent_encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// An `application/x-www-form-urlencoded` body.
#[must_use]
pub fn form<V: AsRef<str>>(fields: &[(&str, V)]) -> Vec<u8> {
    let mut out = String::new();
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        percent_encode(name, &mut out);
        out.push('=');
        percent_encode(value.as_ref(), &mut out);
    }
    out.into_bytes()
}

/// The origin (`https://host` or `https://host:port`) of an absolute URL whose path, if any, is only `/`.
///
/// # Errors
/// A sentence saying what is wrong with it.
pub fn origin(url: &str) -> Result<String, String> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or("it must begin with https:// (or http:// for a simulator)")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.is_empty() {
        return Err("it names no host".into());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if let Some(c) = authority.chars().find(|c| !allowed(*c)) {
        return Err(match c {
            '/' | '?' | '#' => "it must end with the host: no path, query or fragment".into(),
            '@' => "user names and passwords do not belong in a URL".into(),
            _ => "the host holds a character that host names do not have".into(),
        });
    }
    let scheme_length = url.len() - rest.len();
    Ok(format!("{}{}", &url[..scheme_length], authority))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn form_encodes_reserved_characters() {
        assert_eq!(form(&[("password", "p&a=s s+ü%"), ("x", "")]), b"password=p%26a%3Ds%20s%2B%C3%BC%25&x=".to_vec());
    }

    fn gzipped(body: &[u8]) -> Response {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).expect("in memory");
        Response {
            status: 200,
            headers: vec![("content-encoding".into(), "gzip".into())],
            body: encoder.finish().expect("in memory"),
        }
    }

    #[test]
    fn gzip_is_bounded_on_both_sides_of_the_limit() {
        assert_eq!(gzipped(&[7; 1000]).decoded(1000).expect("fits").body, vec![7; 1000]);
        assert_eq!(gzipped(&[7; 1001]).decoded(1000), Err(HttpError::BodyTooLarge { bytes_max: 1000 }));
        let bomb = gzipped(&vec![0; 10_000_000]);
        assert!(bomb.body.len() < 100_000);
        assert_eq!(bomb.decoded(65_536), Err(HttpError::BodyTooLarge { bytes_max: 65_536 }));
    }

    #[test]
    fn a_cut_gzip_stream_is_no_answer() {
        let mut response = gzipped(b"[1,2,3]");
        response.body.truncate(response.body.len() - 5);
        assert!(matches!(response.decoded(100), Err(HttpError::Broken(_))));
    }

    #[test]
    fn origins() {
        let cases = [
            ("https://login.salesforce.com", Ok("https://login.salesforce.com")),
            ("https://x.my.salesforce.com/", Ok("https://x.my.salesforce.com")),
            ("http://127.0.0.1:18080", Ok("http://127.0.0.1:18080")),
            ("http://[::1]:18080", Ok("http://[::1]:18080")),
            ("login.salesforce.com", Err("begin with https")),
            ("https://", Err("no host")),
            ("https://a/services", Err("no path")),
            ("https://u:p@a", Err("do not belong")),
            ("https://a b", Err("a character")),
        ];
        for (url, expected) in cases {
            match (origin(url), expected) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted),
                (Err(found), Err(wanted)) => assert!(found.contains(wanted), "{url}: {found}"),
                (found, wanted) => panic!("{url}: {found:?}, wanted {wanted:?}"),
            }
        }
    }

    #[test]
    fn requests_do_not_show_secrets() {
        let request = Request {
            method: Method::Post,
            url: "https://a/b".into(),
            headers: vec![("authorization", HeaderValue::Secret(Secret::new("Bearer tok")))],
            body: b"password=x".to_vec(),
            timeouts: Timeouts::each(1),
            response_bytes_max: 1,
        };
        assert_eq!(format!("{request:?} {:?}", request.headers[0].1), "Post https://a/b (10 bytes) Secret(****)");
    }
}
