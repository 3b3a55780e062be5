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
use crate::telemetry::{Event, Telemetry};

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
    in_flight: Arc<Semaphore>,
    denied: Arc<Mutex<HashSet<String>>>,
}

impl Outgoing {
    pub(crate) fn new(connector: Arc<str>, client: Option<Arc<Client>>, telemetry: Telemetry) -> Self {
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        Self { connector, client, telemetry, in_flight, denied: Arc::default() }
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
        Box::new(async move {
            let response = client.send(request, options, in_flight, report).await?;
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
