//! The proxy of the worker or of a connector: a tunnel through an HTTP proxy (RFC 9110, section 9.3.6, `CONNECT`) with
//! basic authentication. Every connection of a component goes through it, for `http` too: what travels in a tunnel is
//! what would travel without one.
//!
//! The proxy resolves names, so the host cannot vet the addresses that they stand for; the allow-list still decides on
//! the origin, and on an address that is written as one. A proxy that a connector names is itself an origin of that list,
//! and its addresses are vetted; the worker's is the operator's own choice.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use super::{
    super::allow_list::{AllowList, Origin, Permit},
    dial::{connect_any, resolve, vetted},
    error::{DialError, NetworkError},
};
use crate::config::{ProxySettings, Secret};

/// Bytes of the proxy's answer.
const ANSWER_BYTES_MAX: usize = 8 << 10;

/// A proxy.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The property that names it, for messages.
    property: &'static str,
    /// The header's value; a secret.
    authorization: Option<String>,
    /// How the allow-list admits it; `None` for the worker's, which needs no leave.
    permit: Option<Permit>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

impl Proxy {
    /// The worker's proxy.
    pub(crate) fn of_worker(settings: &ProxySettings) -> Self {
        let pair = |(user, password): &(String, Secret)| STANDARD.encode(format!("{user}:{}", password.expose()));
        Self {
            host: settings.host.clone(),
            port: settings.port,
            property: settings.property,
            authorization: settings.login.as_ref().map(|login| format!("Basic {}", pair(login))),
            permit: None,
        }
    }

    /// A connector's own, if the list allows it.
    pub(crate) fn of_connector(settings: &ProxySettings, allow: &AllowList) -> Result<Self, NetworkError> {
        let denied = || NetworkError::ProxyDenied { address: settings.address() };
        let uri = format!("http://{}", settings.address()).parse().map_err(|_| denied())?;
        let permit = Origin::of(&uri).and_then(|origin| allow.permit(&origin)).ok_or_else(denied)?;
        Ok(Self { permit: Some(permit), ..Self::of_worker(settings) })
    }

    /// A connection to the proxy itself.
    pub(crate) async fn connect(&self, deadline: Instant) -> Result<TcpStream, DialError> {
        let addresses = resolve(&self.host, self.port).await?;
        let addresses = match self.permit {
            Some(permit) => vetted(&self.host, addresses, permit)?,
            None => addresses,
        };
        connect_any(&self.host, &addresses, deadline).await
    }

    /// Asks for a tunnel to `host:port` on a fresh connection to the proxy.
    pub(crate) async fn tunnel(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), DialError> {
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let failed = |reason: String| {
            DialError::Proxy(format!("{}: {reason} (proxy {}:{})", self.property, self.host, self.port))
        };
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn proxy(text: &str) -> ProxySettings {
        ProxySettings::parse("http.proxy", text).unwrap()
    }

    #[test]
    fn a_proxy_keeps_its_secret_and_a_connectors_own_must_be_listed() {
        let settings = proxy("me:p%40ss@proxy.example:3128");
        let own = |pattern: &str| Proxy::of_connector(&settings, &AllowList::parse([pattern]).unwrap());
        let listed = own("http://proxy.example:3128").unwrap();
        assert_eq!(listed.authorization, Some(format!("Basic {}", STANDARD.encode("me:p@ss"))));
        assert_eq!(format!("{listed:?}"), "Proxy(proxy.example:3128)");
        for pattern in ["https://proxy.example:3128", "http://proxy.example", "https://*", "http://127.0.0.1:*"] {
            let error = own(pattern).unwrap_err().to_string();
            assert!(
                error.contains("http://proxy.example:3128") && error.contains("tributary.network.allow"),
                "{error}"
            );
        }
        assert!(Proxy::of_worker(&settings).permit.is_none());
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
        let proxy = Proxy::of_worker(&proxy(&format!("u:p@127.0.0.1:{port}")));
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
