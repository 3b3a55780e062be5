//! `tributary.network.proxy`: a tunnel through an HTTP proxy (RFC 9110, section 9.3.6, `CONNECT`) with basic
//! authentication. Every connection of a component goes through it, for `http` too: what travels in a tunnel is what
//! would travel without one.
//!
//! The proxy resolves names, so the host cannot vet the addresses that they stand for; the allow-list still decides on
//! the origin, and on an address that is written as one.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::error::{DialError, NetworkError};

/// Bytes of the proxy's answer.
const ANSWER_BYTES_MAX: usize = 8 << 10;

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The header's value; a secret.
    authorization: Option<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

impl Proxy {
    /// Reads `http://user:password@host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, NetworkError> {
        let rest = text.trim().strip_prefix("http://").ok_or(NetworkError::Proxy("it does not begin with http://"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, address) = match rest.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, rest),
        };
        let authority: http::uri::Authority =
            address.parse().map_err(|_| NetworkError::Proxy("host and port cannot be read"))?;
        let port = authority.port_u16().ok_or(NetworkError::Proxy("it has no port"))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(NetworkError::Proxy("it has no host"));
        }
        let authorization = match user {
            None => None,
            Some(user) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                let pair = [percent_decoded(name)?, b":".to_vec(), percent_decoded(password)?].concat();
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
        };
        Ok(Self { host, port, authorization })
    }

    /// Asks for a tunnel to `host:port` on a fresh connection to the proxy.
    pub(crate) async fn tunnel(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), DialError> {
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let failed = |reason: String| DialError::Proxy(format!("{reason} (proxy {}:{})", self.host, self.port));
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str("Proxy-Authorization: ");
            request.push_str(authorization);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
        let mut answer = Vec::new();
        // Behind the tunnel the client speaks first, so nothing can follow the end of the proxy's answer.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(failed("its answer is too long".to_owned()));
            }
            match stream.read_buf(&mut answer).await {
                Ok(0) => return Err(failed("it closed the connection".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(failed(error.to_string())),
            }
        }
        match status(&answer) {
            Some(200..=299) => Ok(()),
            Some(407) => Err(failed("it wants a user and a password that it knows; it answered 407".to_owned())),
            Some(status) => Err(failed(format!("it will not connect to {target}; it answered {status}"))),
            None => Err(failed("its answer is not HTTP".to_owned())),
        }
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

fn percent_decoded(text: &str) -> Result<Vec<u8>, NetworkError> {
    const ERROR: NetworkError = NetworkError::Proxy("a % in user or password is not followed by two hex digits");
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(ERROR);
            u8::try_from(digit()? * 16 + digit()?).map_err(|_| ERROR)?
        } else {
            byte
        });
    }
    Ok(decoded)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_proxy_is_read_and_keeps_its_secret() {
        let proxy = Proxy::parse("http://me:p%40ss@proxy.example:3128").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.example", 3128));
        assert_eq!(proxy.authorization, Some(format!("Basic {}", STANDARD.encode("me:p@ss"))));
        assert_eq!(format!("{proxy:?}"), "Proxy(proxy.example:3128)");
        assert_eq!(Proxy::parse("http://[::1]:3128/").unwrap().host, "::1");
        for text in ["https://a:1", "proxy:3128", "http://proxy", "http://:3128", "http://a%4:b@c:1", "http://a b:1"] {
            let message = Proxy::parse(text).unwrap_err().to_string();
            assert!(message.starts_with("tributary.network.proxy: "), "{message}");
        }
    }

    /// Lets a proxy answer with `answer` and returns what came of it, and what the proxy was asked.
    async fn check(answer: &'static str) -> (Result<(), String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let proxy = Proxy::parse(&format!("http://u:p@127.0.0.1:{port}")).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let result = proxy.tunnel(&mut stream, "a.example", 443).await.map_err(|error| error.to_string());
        (result, asked.await.unwrap())
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_and_the_answer_understood() {
        let (result, asked) = check("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
        assert_eq!(result, Ok(()));
        assert_eq!(
            asked,
            "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
        );
        for (answer, reason) in [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "answered 407"),
            ("HTTP/1.0 403 Forbidden\r\n\r\n", "answered 403"),
            ("SSH-2.0\r\n\r\n", "not HTTP"),
            ("HTTP/1.1 200 OK\r\n", "closed the connection"),
        ] {
            let (result, _) = check(answer).await;
            assert!(result.as_ref().is_err_and(|error| error.contains(reason)), "{answer}: {result:?}");
        }
    }
}
