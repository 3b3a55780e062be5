//! `Stopwatch`: when an acknowledgement came, which the worker itself learns of only when the component gives it a turn.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use krafka::{
    Headers, KrafkaError,
    interceptor::{InterceptorResult, ProducerInterceptor, RecordContext},
    producer::{Record, RecordMetadata},
};

use crate::telemetry::TaskMetrics;

/// What a record's acknowledgement tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// The way of an event through the host has ended.
    Latency,
    /// The offset is stored.
    Commit,
}

/// Sees a producer's records. One record of each batch is watched, so that the others cost nothing.
#[derive(Debug)]
pub(super) struct Stopwatch {
    metrics: Arc<TaskMetrics>,
    next: Mutex<Option<Watch>>,
}

#[derive(Debug)]
struct Watch(Watched, Instant);

impl Stopwatch {
    pub(super) fn new(metrics: Arc<TaskMetrics>) -> Self {
        Self { metrics, next: Mutex::default() }
    }

    /// The next record handed to the producer is watched; its time began at `since`.
    pub(super) fn arm(&self, watched: Watched, since: Instant) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Watch(watched, since));
    }
}

impl ProducerInterceptor for Stopwatch {
    fn on_send(&self, _: &mut Record, context: &mut RecordContext) -> InterceptorResult {
        if let Some(watch) = self.next.lock().unwrap_or_else(PoisonError::into_inner).take() {
            context.insert(watch);
        }
        Ok(())
    }

    fn on_acknowledgement(
        &self,
        _: &str,
        _: i32,
        result: Result<&RecordMetadata, &KrafkaError>,
        _: &Headers,
        context: &mut RecordContext,
    ) -> InterceptorResult {
        let Some(Watch(watched, since)) = context.take::<Watch>() else { return Ok(()) };
        if result.is_ok() {
            match watched {
                Watched::Latency => self.metrics.latency.note(since.elapsed()),
                Watched::Commit => self.metrics.commits.note_time(since.elapsed()),
            }
        }
        Ok(())
    }
}
