//! A response body on its way to the guest, with the bound on the time between two pieces.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};
use wasmtime_wasi_http::Error;

use super::error::from_hyper;
use crate::telemetry::TaskMetrics;

/// The body. It counts as a request in flight until it is dropped.
pub(crate) struct ResponseBody {
    incoming: Incoming,
    between_bytes: Duration,
    /// Runs only while the guest waits: a guest that reads late has not met a slow server.
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    metrics: Arc<TaskMetrics>,
    _in_flight: OwnedSemaphorePermit,
}

impl ResponseBody {
    pub(crate) fn new(
        incoming: Incoming,
        between_bytes: Duration,
        metrics: Arc<TaskMetrics>,
        in_flight: OwnedSemaphorePermit,
    ) -> Self {
        let timer = Box::pin(tokio::time::sleep(between_bytes));
        Self { incoming, between_bytes, timer, waiting: false, metrics, _in_flight: in_flight }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            self.waiting = false;
            self.metrics.arrived_now();
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| from_hyper(&error))));
        }
        if !self.waiting {
            self.waiting = true;
            let deadline = Instant::now() + self.between_bytes;
            self.timer.as_mut().reset(deadline);
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Error::ConnectionReadTimeout))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
