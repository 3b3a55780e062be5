//! The pooled client: one for each allow-list and proxy in a worker, shared by the tasks that have the same. It keeps
//! connections and nothing else, so sharing gives nothing away; tasks with different lists do not share, because a
//! connection was vetted under one list, and those with different proxies not, because one was paid for with a login.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::capture_connection},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::RootCertStore;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{
    super::allow_list::{AllowList, Origin},
    body::ResponseBody,
    dial::Dialer,
    error::{DialError, NetworkError, dial_error, from_client, tls_reason},
    probe,
    proxy::Proxy,
    tls,
};
use crate::{
    check::Check,
    config::{NetworkConfig, Pem, ProxySettings},
    telemetry::{Event, TaskMetrics, Telemetry},
};

/// For name, connection, TLS and proxy together; what a component asks for beyond this is cut to it.
pub(crate) const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// From the connection to the head of the response: a long poll of 110 s and a slow service fit in.
const FIRST_BYTE_TIMEOUT_MAX: Duration = Duration::from_secs(600);
/// Between two pieces of a body.
const BETWEEN_BYTES_TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// Unused connections are closed after this long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Unused connections that are kept for one origin.
const IDLE_PER_ORIGIN_MAX: usize = 16;
/// The head of an HTTP/1 response.
const HEAD_BYTES_MAX: usize = 128 << 10;
/// The header list of an HTTP/2 response.
const HEADER_LIST_BYTES_MAX: u32 = 128 << 10;
/// An HTTP/2 connection with a request on it is probed this often, and given up when no answer comes.
const H2_PING_INTERVAL: Duration = Duration::from_secs(20);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What a connection depends on: where it may lead, and through which proxy.
type Way = (AllowList, Option<Arc<Proxy>>);

/// The clients of a worker.
#[derive(Debug)]
pub struct Clients {
    roots: Arc<RootCertStore>,
    tls: rustls::ClientConfig,
    proxy: Option<Arc<Proxy>>,
    by_way: Mutex<HashMap<Way, Arc<Client>>>,
}

impl Clients {
    /// Reads roots and proxy.
    ///
    /// # Errors
    /// A file with roots that cannot be used.
    pub fn new(network: &NetworkConfig, telemetry: &Telemetry) -> Result<Self, NetworkError> {
        let roots = Arc::new(tls::roots(network.ca_file.as_deref(), telemetry)?);
        Ok(Self {
            tls: tls::client_config(Arc::clone(&roots))?,
            roots,
            proxy: network.proxy.as_ref().map(|proxy| Arc::new(Proxy::of_worker(proxy))),
            by_way: Mutex::default(),
        })
    }

    /// The client for a task with this list, and with this proxy instead of the worker's.
    ///
    /// # Errors
    /// A proxy that the list does not allow.
    pub fn with(&self, allow: &AllowList, proxy: Option<&ProxySettings>) -> Result<Arc<Client>, NetworkError> {
        let proxy = self.proxy(allow, proxy)?;
        let mut clients = self.by_way.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients
            .entry((allow.clone(), proxy.clone()))
            .or_insert_with(|| Arc::new(Client::new(allow.clone(), self.tls.clone(), proxy)));
        Ok(Arc::clone(client))
    }

    /// Looks at the way to an origin, as a task with this list and proxy would go it.
    pub async fn probe(&self, url: &str, allow: &AllowList, proxy: Option<&ProxySettings>) -> Vec<Check> {
        match self.proxy(allow, proxy) {
            Ok(proxy) => probe::probe(url, allow, proxy.as_deref(), &self.roots).await,
            Err(error) => vec![Check::fail_text("proxy", &error.to_string())],
        }
    }

    /// Looks at TLS with a server of another kind, `host:port`, whose certificate is vouched for by `trust`.
    pub async fn probe_server(name: &str, address: &str, trust: Option<&Pem>, telemetry: &Telemetry) -> Check {
        match tls::roots_of(trust, telemetry) {
            Ok(roots) => probe::probe_server(name, address, &Arc::new(roots)).await,
            Err(error) => Check::fail_text(name, &error.to_string()),
        }
    }

    /// The connector's own proxy, else the worker's.
    fn proxy(&self, allow: &AllowList, own: Option<&ProxySettings>) -> Result<Option<Arc<Proxy>>, NetworkError> {
        match own {
            Some(own) => Ok(Some(Arc::new(Proxy::of_connector(own, allow)?))),
            None => Ok(self.proxy.clone()),
        }
    }
}

/// A client for one allow-list.
#[derive(Debug)]
pub struct Client {
    allow: Arc<AllowList>,
    pool: legacy::Client<HttpsConnector<Dialer>, WasiBody>,
}

impl Client {
    fn new(allow: AllowList, tls: rustls::ClientConfig, proxy: Option<Arc<Proxy>>) -> Self {
        let allow = Arc::new(allow);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Dialer::new(Arc::clone(&allow), proxy));
        let pool = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_ORIGIN_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
            .http2_keep_alive_interval(H2_PING_INTERVAL)
            .http2_keep_alive_timeout(H2_PING_TIMEOUT)
            .build(connector);
        Self { allow, pool }
    }

    /// Sends a request. What is refused or fails in TLS gets a line in the log, for the guest's error code has no room
    /// for the reason.
    pub(crate) async fn send(
        &self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        in_flight: OwnedSemaphorePermit,
        metrics: Arc<TaskMetrics>,
        report: impl Fn(Event) + Send,
    ) -> Result<http::Response<WasiBody>, Error> {
        let origin = Origin::of(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
        if self.allow.permit(&origin).is_none() {
            report(Event::OriginDenied { origin: origin.to_string() });
            return Err(Error::HttpRequestDenied);
        }
        if request.method() == http::Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let times = Times::of(options);
        let mut connection = capture_connection(&mut request);
        let mut response = self.pool.request(request);
        let connected = tokio::select! {
            // The response first: an error on the way to a connection ends both.
            biased;
            result = &mut response => Err(result),
            _ = timeout_of(times.connect, connection.wait_for_connection_metadata()) => {
                if connection.connection_metadata().is_none() {
                    return Err(Error::ConnectionTimeout);
                }
                Ok(())
            }
        };
        let result = match connected {
            Err(result) => result,
            Ok(()) => timeout(times.first_byte, response).await.map_err(|_| Error::ConnectionReadTimeout)?,
        };
        let response = result.map_err(|error| {
            if let Some(DialError::Prohibited { address, .. }) = dial_error(&error) {
                report(Event::AddressDenied { origin: origin.to_string(), address: *address });
            }
            if let Some(reason) = tls_reason(&error) {
                report(Event::TlsFailed { origin: origin.to_string(), reason });
            }
            let told = from_client(&error);
            report(Event::RequestFailed { origin: origin.to_string(), reason: told.to_string() });
            told
        })?;
        Ok(response.map(|body| ResponseBody::new(body, times.between_bytes, metrics, in_flight).boxed_unsync()))
    }
}

async fn timeout_of<T>(within: Duration, future: impl Future<Output = T>) {
    // Whether it came in time is read from the connection itself.
    let _ = timeout(within, future).await;
}

/// The time-outs of one request, within the bounds.
#[derive(Debug, PartialEq, Eq)]
struct Times {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl Times {
    fn of(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let within = |asked: Option<Duration>, max: Duration| asked.unwrap_or(max).min(max);
        Self {
            connect: within(options.connect_timeout, CONNECT_TIMEOUT_MAX),
            first_byte: within(options.first_byte_timeout, FIRST_BYTE_TIMEOUT_MAX),
            between_bytes: within(options.between_bytes_timeout, BETWEEN_BYTES_TIMEOUT_MAX),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use bytes::Bytes;
    use http_body_util::Empty;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::Semaphore,
    };

    use super::*;

    #[test]
    fn timeouts_are_cut_to_their_bounds() {
        let longest = Times {
            connect: CONNECT_TIMEOUT_MAX,
            first_byte: FIRST_BYTE_TIMEOUT_MAX,
            between_bytes: BETWEEN_BYTES_TIMEOUT_MAX,
        };
        assert_eq!(Times::of(None), longest);
        let asked = |time| {
            Some(RequestOptions { connect_timeout: time, first_byte_timeout: time, between_bytes_timeout: time })
        };
        assert_eq!(Times::of(asked(Some(Duration::from_secs(9999)))), longest);
        let short = Duration::from_secs(3);
        assert_eq!(Times::of(asked(Some(short))), Times { connect: short, first_byte: short, between_bytes: short });
        assert!(Times::of(asked(Some(Duration::from_secs(130)))).first_byte >= Duration::from_secs(110));
    }

    /// A server that writes each part after a request has come, and then waits for the end of the connection.
    async fn server(parts: &'static [&'static str]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    for part in parts {
                        let _ = stream.write_all(part.as_bytes()).await;
                        tokio::task::yield_now().await;
                    }
                    if !parts.is_empty() {
                        return;
                    }
                    let _ = stream.read(&mut request).await;
                });
            }
        });
        port
    }

    async fn get(allow: &str, url: String, first_byte: Duration) -> (Result<String, String>, Vec<String>) {
        let clients = Clients::new(&NetworkConfig::default(), &Telemetry::default()).unwrap();
        let client = clients.with(&AllowList::parse([allow]).unwrap(), None).unwrap();
        let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::get(url).body(body).unwrap();
        let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let options = RequestOptions {
            first_byte_timeout: Some(first_byte),
            between_bytes_timeout: Some(first_byte),
            ..RequestOptions::default()
        };
        let reported = Mutex::new(Vec::new());
        let report = |event: Event| reported.lock().unwrap().push(event.name().to_owned());
        let result = match client.send(request, Some(options), permit, Arc::default(), report).await {
            Ok(response) => match response.into_body().collect().await {
                Ok(body) => Ok(String::from_utf8(body.to_bytes().to_vec()).unwrap()),
                Err(error) => Err(format!("{error:?}")),
            },
            Err(error) => Err(format!("{error:?}")),
        };
        (result, reported.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_response_comes_through_or_its_error_has_a_name() {
        const ALLOW: &str = "http://127.0.0.1:*";
        let patient = Duration::from_secs(30);
        let url = |port: u16| format!("http://127.0.0.1:{port}/x");
        let whole = server(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "he", "llo"]).await;
        assert_eq!(get(ALLOW, url(whole), patient).await.0, Ok("hello".to_owned()));
        let cut = server(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "he"]).await;
        assert_eq!(get(ALLOW, url(cut), patient).await.0, Err("HttpResponseIncomplete".to_owned()));
        let rubbish = server(&["hello there\r\n\r\n"]).await;
        assert_eq!(get(ALLOW, url(rubbish), patient).await.0, Err("HttpProtocolError".to_owned()));
        let silent = server(&[]).await;
        let brief = Duration::from_millis(50);
        assert_eq!(get(ALLOW, url(silent), brief).await.0, Err("ConnectionReadTimeout".to_owned()));
    }

    #[tokio::test]
    async fn what_is_not_listed_is_denied_and_reported() {
        let (result, reported) =
            get("https://*.example.com", "http://127.0.0.1:9/".to_owned(), Duration::from_secs(5)).await;
        assert_eq!((result, reported), (Err("HttpRequestDenied".to_owned()), vec!["origin-denied".to_owned()]));
        let (result, reported) = get("http://*:*", "http://127.0.0.1:9/".to_owned(), Duration::from_secs(5)).await;
        assert_eq!(result, Err("DestinationIpProhibited".to_owned()));
        assert_eq!(reported.first().map(String::as_str), Some("address-denied"));
    }

    #[test]
    fn tasks_with_the_same_list_share_a_client() {
        let clients = Clients::new(&NetworkConfig::default(), &Telemetry::default()).unwrap();
        let list = |pattern: &str| AllowList::parse([pattern]).unwrap();
        let with = |pattern: &str| clients.with(&list(pattern), None).unwrap();
        let first = with("https://a.example");
        assert!(Arc::ptr_eq(&first, &with("https://a.example")));
        assert!(!Arc::ptr_eq(&first, &with("https://b.example")));
        let listed = list("http://proxy.example:*");
        let through =
            |proxy: &str| clients.with(&listed, Some(&ProxySettings::parse("http.proxy", proxy).unwrap())).unwrap();
        assert!(Arc::ptr_eq(&through("proxy.example:1"), &through("proxy.example:1")));
        assert!(!Arc::ptr_eq(&through("proxy.example:1"), &clients.with(&listed, None).unwrap()));
        assert!(!Arc::ptr_eq(&through("proxy.example:1"), &through("u:p@proxy.example:1")));
    }
}
