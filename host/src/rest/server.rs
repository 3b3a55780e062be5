//! The listener: connections, each with its bounds in time and size, in front of the routes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Method, StatusCode, Uri, header::ALLOW},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::timeout,
};
use tower_service::Service as _;
use tracing::debug;

use super::{
    app::{App, Shared},
    cloud::Requests,
    error::RestError,
};
use crate::herder::Herder;

/// Connections at a time.
const CONNECTIONS_MAX: usize = 512;
/// How long a client may take for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a request may take, its body and its answer included; Kafka Connect has the same bound.
const REQUEST_WITHIN: Duration = Duration::from_secs(90);
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why the REST API cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or is none of this machine.
    #[error("listeners: {address} cannot be listened at: {reason}; write another address, or end what listens there")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        reason: String,
    },
    /// Anybody on the network could do everything.
    #[error(
        "listeners: {0} can be reached from other machines, and this version has no authentication: listen at 127.0.0.1 and \
         put a proxy in front that asks for one"
    )]
    NotLoopback(SocketAddr),
}

/// A listener that is open.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens the listener. Only on loopback: whoever can ask, can do everything.
    ///
    /// # Errors
    /// See `ServerError`.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServerError> {
        if !address.ip().is_loopback() {
            return Err(ServerError::NotLoopback(address));
        }
        let failed = |error: std::io::Error| ServerError::Listen { address, reason: error.to_string() };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` becomes true.
    pub async fn serve(self, herder: Arc<Herder>, mut stop: watch::Receiver<bool>) {
        let cluster_id = herder.cluster_id();
        let worker_id = self.address.to_string();
        let router =
            App::new(Shared { herder, worker_id, scheme: "http", requests: Requests::default(), cluster_id }).router();
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                // An error means that nobody can ask for a stop any more, which is asking for one.
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let router = router.clone();
                    tokio::spawn(async move {
                        connection(router, stream, peer).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    // No descriptors left, for one: others may be freed.
                    debug!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

async fn connection(router: Router, stream: tokio::net::TcpStream, peer: SocketAddr) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        async move {
            *request.uri_mut() = without_slash(request.uri());
            let options = *request.method() == Method::OPTIONS;
            let answer = router.call(request.map(Body::new));
            match timeout(REQUEST_WITHIN, answer).await {
                Ok(answered) => answered.map(|response| if options { methods(response) } else { response }),
                Err(_) => {
                    let error = RestError::new(StatusCode::INTERNAL_SERVER_ERROR, "Request timed out");
                    Ok(error.into_response())
                }
            }
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES_MAX);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        debug!(%peer, %error, "a connection ended");
    }
}

/// The answer to OPTIONS: which methods there are, as a text and as `Allow`.
fn methods(response: Response) -> Response {
    let Some(allow) = response.headers().get(ALLOW).and_then(|allow| allow.to_str().ok()) else { return response };
    let allow = format!("{allow},OPTIONS");
    let text = allow.replace(',', ", ");
    ([(ALLOW, allow)], text).into_response()
}

/// A slash at the end of a path means nothing.
fn without_slash(uri: &Uri) -> Uri {
    let path = uri.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || trimmed.is_empty() {
        return uri.clone();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{trimmed}{query}").parse().unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_end() {
        for (uri, expected) in
            [("/", "/"), ("/connectors/", "/connectors"), ("/a//?b=c/", "/a?b=c/"), ("/a%2F/", "/a%2F"), ("//", "//")]
        {
            assert_eq!(without_slash(&uri.parse().expect("a path")).to_string(), expected);
        }
    }

    #[tokio::test]
    async fn only_on_loopback() {
        assert!(Server::bind("127.0.0.1:0".parse().expect("an address")).await.is_ok());
        let open = Server::bind("0.0.0.0:0".parse().expect("an address")).await;
        assert!(matches!(open, Err(ServerError::NotLoopback(_))));
    }
}
