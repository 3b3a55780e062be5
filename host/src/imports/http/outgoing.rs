//! What one instance may do with `wasi:http/outgoing-handler`: a few requests at a time, through the shared client.

use std::{
    collections::HashSet,
    future::{Future, ready},
    sync::{Arc, Mutex, PoisonError},
};

use http::{Response, uri::Scheme};
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, p2::bindings::http::types::ErrorCode};

use super::client::Client;
use crate::telemetry::{Event, TaskMetrics, Telemetry};

/// Requests of one instance that are open at a time, response bodies included.
const IN_FLIGHT_MAX: usize = 8;
/// Denials that are remembered, so that each is logged once for an instance.
const DENIALS_REMEMBERED_MAX: usize = 64;

/// The hooks of one instance.
pub(crate) struct Outgoing {
    connector: Arc<str>,
    /// None: this instance was made to be asked about itself, and may not connect at all.
    client: Option<Arc<Client>>,
    telemetry: Telemetry,
    metrics: Arc<TaskMetrics>,
    in_flight: Arc<Semaphore>,
    denied: Arc<Mutex<HashSet<String>>>,
}

impl Outgoing {
    pub(crate) fn new(
        connector: Arc<str>,
        client: Option<Arc<Client>>,
        telemetry: Telemetry,
        metrics: Arc<TaskMetrics>,
    ) -> Self {
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        Self { connector, client, telemetry, metrics, in_flight, denied: Arc::default() }
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

impl WasiHttpHooks for Outgoing {
    fn set_host_header(&mut self) -> bool {
        // The client writes it for HTTP/1.1; HTTP/2 has `:authority`.
        false
    }

    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let Some(client) = self.client.clone() else {
            return Box::new(ready(Err(Error::HttpRequestDenied)));
        };
        let Ok(in_flight) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            return Box::new(ready(Err(Error::ConnectionLimitReached)));
        };
        let (connector, telemetry, denied) =
            (Arc::clone(&self.connector), self.telemetry.clone(), Arc::clone(&self.denied));
        let report = move |event: Event| {
            if let Event::OriginDenied { origin } | Event::AddressDenied { origin, .. } = &event {
                let mut denied = denied.lock().unwrap_or_else(PoisonError::into_inner);
                if denied.len() >= DENIALS_REMEMBERED_MAX || !denied.insert(origin.clone()) {
                    return;
                }
            }
            telemetry.emit(&connector, &event);
        };
        let metrics = Arc::clone(&self.metrics);
        Box::new(async move {
            let response = client.send(request, options, in_flight, metrics, report).await?;
            Ok((response, Box::new(ready(Ok(()))) as Io))
        })
    }

    fn p2_error_from_hyper(&mut self, _: &hyper::Error) -> ErrorCode {
        // Bodies map their own errors; what is left has no better name.
        ErrorCode::HttpProtocolError
    }

    fn p2_error_from_connect(&mut self, _: &std::io::Error) -> ErrorCode {
        ErrorCode::DestinationUnavailable
    }

    fn p2_error_from_tls(&mut self, _: &std::io::Error) -> ErrorCode {
        ErrorCode::TlsProtocolError
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use std::pin::Pin;

    use bytes::Bytes;
    use http_body_util::{BodyExt, Empty};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        config::NetworkConfig,
        imports::{allow_list::AllowList, http::Clients},
        telemetry::Value,
    };

    fn outgoing(telemetry: &Telemetry) -> Outgoing {
        let clients = Clients::new(&NetworkConfig::default(), telemetry).unwrap();
        let client = clients.with(&AllowList::parse(["http://127.0.0.1:*"]).unwrap(), None).unwrap();
        Outgoing::new(Arc::from("accounts"), Some(client), telemetry.clone(), Arc::default())
    }

    fn send(outgoing: &mut Outgoing, url: &str) -> Pin<Box<dyn Future<Output = Sent> + Send>> {
        let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::get(url).body(body).unwrap();
        Pin::from(outgoing.send_request(request, None, Box::new(ready(Ok(())))))
    }

    fn error(sent: Sent) -> String {
        sent.map_or_else(|error| format!("{error:?}"), |_| "sent".to_owned())
    }

    #[tokio::test]
    async fn requests_beyond_the_bound_are_refused() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let mut outgoing = outgoing(&Telemetry::default());
        let mut open: Vec<_> = (0..IN_FLIGHT_MAX).map(|_| send(&mut outgoing, &url)).collect();
        assert_eq!(error(send(&mut outgoing, &url).await), "ConnectionLimitReached");
        open.pop();
        drop(silent);
        assert_eq!(error(send(&mut outgoing, &url).await), "ConnectionRefused");
    }

    #[tokio::test]
    async fn a_denial_is_logged_once_and_an_instance_without_a_client_reaches_nothing() {
        let telemetry = Telemetry::default();
        let mut listed = outgoing(&telemetry);
        for _ in 0..3 {
            assert_eq!(error(send(&mut listed, "http://10.0.0.1/").await), "HttpRequestDenied");
        }
        let samples = telemetry.metrics.snapshot();
        let denied = samples.iter().find(|sample| sample.labels.iter().any(|(_, value)| value == "origin-denied"));
        assert_eq!(denied.map(|sample| sample.value), Some(Value::Counter(1)));
        let mut none = Outgoing::new(Arc::from(""), None, Telemetry::default(), Arc::default());
        assert_eq!(error(send(&mut none, "http://127.0.0.1/").await), "HttpRequestDenied");
    }
}
