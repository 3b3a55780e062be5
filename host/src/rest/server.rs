//! The listener: connections, each with its bounds in time and size, in front of the routes.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{
        Method, StatusCode, Uri,
        header::{ALLOW, AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower_http::cors::CorsLayer;
use tower_service::Service as _;
use tracing::debug;

use super::{
    app::{App, Shared},
    auth::Users,
    cloud::{self, Requests},
    cors,
    error::RestError,
    rates::Rates,
    tls,
};
use crate::{
    bucket::Bucket,
    config::RestConfig,
    herder::Herder,
    telemetry::{Event, Telemetry},
    web_client::WebClient,
};

/// Connections at a time.
const CONNECTIONS_MAX: usize = 512;
/// How long a client may take for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a request may take, its body and its answer included; Kafka Connect has the same bound.
pub(super) const REQUEST_WITHIN: Duration = Duration::from_secs(90);
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What is said to whoever asks too often.
const TOO_MANY: &str = "More requests in a second than tributary.rest.requests.per.second.max allows; ask again later";

/// Lines in the log about refused logins, in a second and at once.
const REFUSALS_PER_SECOND: u32 = 1;
const REFUSALS_BURST: u32 = 20;

/// How long a wrong password takes: guessing is to be slow.
const REFUSED_AFTER: Duration = Duration::from_millis(300);

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
        "listeners: {0} can be reached from other machines, and nothing says who may ask. Name users in \
         tributary.rest.auth.file, or set listeners.https.ssl.client.auth=required, or listen at 127.0.0.1"
    )]
    Open(SocketAddr),
    /// Certificate, key, roots or users.
    #[error("{0}")]
    Files(String),
}

/// A listener that is open.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    advertised_host: Option<String>,
    advertised_port: Option<u16>,
    topic_tracking: bool,
    topic_reset: bool,
    /// The way to other workers.
    workers: WebClient,
    door: Door,
}

/// Who comes in.
#[derive(Clone)]
struct Door {
    tls: Option<TlsAcceptor>,
    users: Option<Arc<Users>>,
    rates: Arc<Rates>,
    cors: Option<CorsLayer>,
    /// Lines about people whom nobody knows: whoever guesses is not to fill the log.
    refusals: Arc<Mutex<Bucket>>,
}

impl Server {
    /// Opens the listener. On loopback everybody on this machine may ask, unless users are named; elsewhere nobody whom
    /// nobody knows.
    ///
    /// # Errors
    /// See `ServerError`.
    pub async fn bind(rest: &RestConfig) -> Result<Self, ServerError> {
        let address = rest.address;
        if !address.ip().is_loopback() && !rest.authenticates() {
            return Err(ServerError::Open(address));
        }
        let tls = rest.tls.as_ref().map(|tls| tls::acceptor(tls, rest.client_certificates));
        let workers = tls::towards_workers(rest.tls.as_ref(), rest.client_certificates).map_err(ServerError::Files)?;
        let users = Users::read(rest.auth_file.as_deref(), rest.tokens_file.as_deref()).map_err(ServerError::Files)?;
        let door = Door {
            tls: tls.transpose().map_err(ServerError::Files)?,
            users: users.map(Arc::new),
            rates: Arc::new(Rates::new(rest.requests_per_second_max)),
            cors: cors::layer(rest),
            refusals: Arc::new(Mutex::new(Bucket::full(REFUSALS_PER_SECOND, REFUSALS_BURST, Instant::now()))),
        };
        let failed = |error: std::io::Error| ServerError::Listen { address, reason: error.to_string() };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            advertised_host: rest.advertised_host.clone(),
            advertised_port: rest.advertised_port,
            topic_tracking: rest.topic_tracking,
            topic_reset: rest.topic_reset,
            workers: WebClient::with_tls(workers),
            door,
        })
    }

    fn scheme(&self) -> &'static str {
        if self.door.tls.is_some() { "https" } else { "http" }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }

    /// Host and port, by which a status names this worker.
    #[must_use]
    pub fn worker_id(&self) -> String {
        let host = self.advertised_host.clone().or_else(|| self.address.ip().is_unspecified().then(machine_name)?);
        let host = host.unwrap_or_else(|| match self.address.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        format!("{host}:{}", self.advertised_port.unwrap_or(self.address.port()))
    }

    /// Answers until `stop` becomes true.
    pub async fn serve(self, herder: Arc<Herder>, mut stop: watch::Receiver<bool>) {
        let scheme = self.scheme();
        let telemetry = herder.telemetry().clone();
        let app = App::new(Shared {
            herder,
            topic_tracking: self.topic_tracking,
            topic_reset: self.topic_reset,
            scheme,
            workers: self.workers,
            requests: Requests::default(),
        });
        let router = match self.door.cors.clone() {
            Some(cors) => app.router().layer(cors),
            None => app.router(),
        };
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
                    let asked =
                        Asked { router: router.clone(), door: self.door.clone(), telemetry: telemetry.clone(), peer };
                    tokio::spawn(async move {
                        asked.connection(stream).await;
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

/// The name that the machine gives itself.
fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// One connection's requests on their way to the routes.
#[derive(Clone)]
struct Asked {
    router: Router,
    door: Door,
    telemetry: Telemetry,
    peer: SocketAddr,
}

impl Asked {
    async fn connection(self, stream: TcpStream) {
        let Some(acceptor) = self.door.tls.clone() else { return self.requests(stream).await };
        match timeout(HEAD_WITHIN, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.requests(stream).await,
            Ok(Err(error)) => debug!(peer = %self.peer, %error, "no TLS with a client"),
            Err(_) => debug!(peer = %self.peer, "a client took too long for TLS"),
        }
    }

    async fn requests(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let peer = self.peer;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let asked = self.clone();
            async move {
                let path = request.uri().path().to_owned();
                Ok::<_, Infallible>(cloud::in_its_form(&path, asked.answer(request).await))
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
        if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
            debug!(%peer, %error, "a connection ended");
        }
    }

    async fn answer(mut self, mut request: hyper::Request<Incoming>) -> Response {
        if !self.door.rates.allow(self.peer.ip(), Instant::now()) {
            let error = RestError::new(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
            return ([(RETRY_AFTER, "1")], error).into_response();
        }
        let who = match self.who(&request).await {
            Ok(who) => who,
            Err(refused) => return refused,
        };
        *request.uri_mut() = without_slash(request.uri());
        let method = request.method().clone();
        let is_preflight = self.door.cors.is_some() && cors::is_preflight(&request);
        let what = format!("{method} {}", request.uri().path());
        let answer = match timeout(REQUEST_WITHIN, self.router.call(request.map(Body::new))).await {
            Ok(Ok(answer)) => answer,
            Err(_) => RestError::new(StatusCode::INTERNAL_SERVER_ERROR, "Request timed out").into_response(),
        };
        if method == Method::OPTIONS {
            return if is_preflight { answer } else { methods(answer) };
        }
        if method != Method::GET && method != Method::HEAD {
            let status = answer.status().as_u16();
            self.telemetry.emit("", &Event::Changed { who, request: what, status });
        }
        answer
    }

    /// The user, or where nobody has to be one the address.
    async fn who(&self, request: &hyper::Request<Incoming>) -> Result<String, Response> {
        let free = matches!(request.uri().path(), "/livez" | "/readyz")
            || (self.door.cors.is_some() && cors::is_preflight(request));
        let Some(users) = self.door.users.clone().filter(|_| !free) else { return Ok(self.peer.ip().to_string()) };
        let header = request.headers().get(AUTHORIZATION).cloned();
        // Away from the runtime's own threads: a hash is slow.
        let user = tokio::task::spawn_blocking(move || users.user(header.as_ref())).await.ok().flatten();
        if let Some(user) = user {
            return Ok(user);
        }
        let path = request.uri().path();
        let is_told = self.door.refusals.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        if is_told {
            let (who, request) = (self.peer.ip().to_string(), format!("{} {path}", request.method()));
            self.telemetry.emit("", &Event::NotKnown { who, request });
        }
        tokio::time::sleep(REFUSED_AFTER).await;
        let error = RestError::new(StatusCode::UNAUTHORIZED, "User cannot access the resource.");
        Err(([(WWW_AUTHENTICATE, "Basic realm=\"tributary\", Bearer")], error).into_response())
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
    use crate::config::WorkerConfig;

    #[test]
    fn slashes_at_the_end() {
        for (uri, expected) in
            [("/", "/"), ("/connectors/", "/connectors"), ("/a//?b=c/", "/a?b=c/"), ("/a%2F/", "/a%2F"), ("//", "//")]
        {
            assert_eq!(without_slash(&uri.parse().expect("a path")).to_string(), expected);
        }
    }

    #[tokio::test]
    async fn who_asks_has_to_be_known_where_everybody_can() {
        let users = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(users.path(), "ada=secret").expect("the file is ours");
        for (address, with_users, opens) in [
            ("127.0.0.1:0", false, true),
            ("127.0.0.1:0", true, true),
            ("0.0.0.0:0", false, false),
            ("0.0.0.0:0", true, true),
        ] {
            let rest = RestConfig {
                address: address.parse().expect("an address"),
                auth_file: with_users.then(|| users.path().to_owned()),
                ..WorkerConfig::default().rest
            };
            assert_eq!(Server::bind(&rest).await.is_ok(), opens, "{address} {with_users}");
        }
    }

    #[tokio::test]
    async fn a_worker_is_named_as_others_reach_it() {
        let users = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(users.path(), "ada=secret").expect("the file is ours");
        for (address, host, port, begins, ends) in [
            ("127.0.0.1:0", None, None, "127.0.0.1:", ""),
            ("127.0.0.1:0", Some("worker-1"), None, "worker-1:", ""),
            ("0.0.0.0:0", Some("worker-1"), Some(8083), "worker-1:8083", ""),
            ("0.0.0.0:0", None, Some(8083), "", ":8083"),
        ] {
            let rest = RestConfig {
                address: address.parse().expect("an address"),
                advertised_host: host.map(str::to_owned),
                advertised_port: port,
                auth_file: Some(users.path().to_owned()),
                ..WorkerConfig::default().rest
            };
            let id = Server::bind(&rest).await.expect("a free port").worker_id();
            assert!(id.starts_with(begins) && id.ends_with(ends) && !id.starts_with("0.0.0.0"), "{id}");
        }
    }
}
