//! Making a connection: resolve, vet every address, dial the first that answers. The name is resolved once and the
//! very address that was vetted is dialled, so nothing can change in between.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tower_service::Service;

use super::{
    super::allow_list::{AllowList, Origin, Permit},
    client::CONNECT_TIMEOUT_MAX,
    error::DialError,
    proxy::Proxy,
};

/// For one look-up of a name.
const DNS_TIMEOUT: Duration = Duration::from_secs(20);
/// For one address, where there are more to try.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// The innermost connector of the client.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    allow: Arc<AllowList>,
    proxy: Option<Arc<Proxy>>,
}

impl Dialer {
    pub(crate) fn new(allow: Arc<AllowList>, proxy: Option<Arc<Proxy>>) -> Self {
        Self { allow, proxy }
    }

    async fn dial(self, uri: http::Uri) -> Result<TcpStream, DialError> {
        let origin = Origin::of(&uri).ok_or_else(|| DialError::Denied(uri.to_string()))?;
        let permit = self.allow.permit(&origin).ok_or_else(|| DialError::Denied(origin.to_string()))?;
        let deadline = Instant::now() + CONNECT_TIMEOUT_MAX;
        let stream = match &self.proxy {
            None => {
                let addresses = vetted(origin.host(), resolve(origin.host(), origin.port()).await?, permit)?;
                connect_any(origin.host(), &addresses, deadline).await?
            }
            Some(proxy) => {
                // The address of a literal host is known here; a name is resolved beyond the proxy.
                if let Ok(address) = origin.host().parse() {
                    vetted(origin.host(), vec![SocketAddr::new(address, origin.port())], permit)?;
                }
                let mut stream = proxy.connect(deadline).await?;
                timeout_at(deadline, proxy.tunnel(&mut stream, origin.host(), origin.port()))
                    .await
                    .map_err(|_| DialError::Timeout(format!("{origin} through the proxy")))??;
                stream
            }
        };
        // Small requests and answers; without this a request may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed = |reason: String| DialError::Dns { host: host.to_owned(), reason };
    let found = timeout(DNS_TIMEOUT, tokio::net::lookup_host((host, port)))
        .await
        .map_err(|_| DialError::DnsTimeout(host.to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    let mut addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
    addresses.dedup();
    if addresses.is_empty() { Err(failed("the name has no address".to_owned())) } else { Ok(addresses) }
}

/// Keeps the addresses that may be dialled; an error if none remains.
pub(super) fn vetted(host: &str, addresses: Vec<SocketAddr>, permit: Permit) -> Result<Vec<SocketAddr>, DialError> {
    let (admitted, refused): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| permit.admits(address.ip()));
    match (admitted.is_empty(), refused.first()) {
        (true, Some(address)) => Err(DialError::Prohibited { host: host.to_owned(), address: address.ip() }),
        _ => Ok(admitted),
    }
}

pub(super) async fn connect_any(
    host: &str,
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<TcpStream, DialError> {
    let mut last = DialError::Timeout(host.to_owned());
    for (index, address) in addresses.iter().enumerate() {
        let until =
            if index + 1 == addresses.len() { deadline } else { deadline.min(Instant::now() + ADDRESS_TIMEOUT) };
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = connect_error(host, *address, &error),
            Err(_) => last = DialError::Timeout(format!("{host} at {address}")),
        }
    }
    Err(last)
}

fn connect_error(host: &str, address: SocketAddr, error: &io::Error) -> DialError {
    let address = if host == address.ip().to_string() { address.to_string() } else { format!("{host} at {address}") };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => DialError::Refused(address),
        io::ErrorKind::TimedOut => DialError::Timeout(address),
        _ => DialError::Unreachable { address, reason: error.to_string() },
    }
}

impl Service<http::Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move { dialer.dial(uri).await.map(TokioIo::new) })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn dial(allow: &str, url: &str) -> Result<TcpStream, DialError> {
        let allow = Arc::new(AllowList::parse([allow]).unwrap());
        Dialer::new(allow, None).dial(url.parse().unwrap()).await
    }

    #[tokio::test]
    async fn only_listed_origins_and_vetted_addresses_are_dialled() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(dial("http://127.0.0.1:*", &format!("http://127.0.0.1:{port}")).await.is_ok());
        assert!(dial("http://localhost:*", &format!("http://localhost:{port}")).await.is_ok());
        // A name that stands for loopback, allowed by a wildcard only.
        let error = dial("http://*:*", &format!("http://localhost:{port}")).await.unwrap_err();
        assert!(matches!(error, DialError::Prohibited { .. }), "{error}");
        let error = dial("http://127.0.0.2:*", &format!("http://127.0.0.1:{port}")).await.unwrap_err();
        assert!(matches!(error, DialError::Denied(_)), "{error}");
        // Other spellings of 127.0.0.1, which the system's resolver understands.
        for host in ["2130706433", "127.1", "0x7f.1"] {
            let error = dial("http://*:*", &format!("http://{host}:{port}")).await.unwrap_err();
            assert!(matches!(error, DialError::Prohibited { .. } | DialError::Dns { .. }), "{host}: {error}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_and_an_unknown_name_say_so() {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().port()
        };
        let error = dial("http://127.0.0.1:*", &format!("http://127.0.0.1:{port}")).await.unwrap_err();
        assert_eq!(error.to_string(), format!("127.0.0.1:{port} refused the connection"));
        let error = dial("https://*", "https://no-such-name.invalid").await.unwrap_err();
        assert!(error.to_string().starts_with("no-such-name.invalid cannot be resolved: "), "{error}");
    }
}
