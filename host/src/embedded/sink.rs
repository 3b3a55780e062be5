//! A task's way into the embedded log: collects the records of a poll, writes them at its end.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{
    blocking,
    store::{Store, Write},
};
use crate::{
    offsets::connect_format,
    record::{ProducerRecord, SourceOffset, SourcePartition},
    sink::{Sink, SinkError},
    telemetry::TaskMetrics,
};

/// Bytes of the records of one poll at most, as `ProducerRecord::size_bytes` counts: they wait in memory for the offset
/// that is written with them.
pub const POLL_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) struct EmbeddedSink {
    store: Arc<Store>,
    key: Vec<u8>,
    state_key: Vec<u8>,
    owner: u64,
    buffer: Vec<ProducerRecord>,
    buffer_bytes: usize,
    committed: Option<SourceOffset>,
    metrics: Arc<TaskMetrics>,
    /// When the bytes of the last batch's events arrived.
    arrived: Instant,
}

impl EmbeddedSink {
    pub(super) fn open(
        store: Arc<Store>,
        connector: &str,
        metrics: Arc<TaskMetrics>,
    ) -> Result<(Self, Option<SourceOffset>), SinkError> {
        let key = connect_format::key(connector, &SourcePartition::default());
        let state_key = connect_format::state_key(connector);
        let (owner, committed) = store.own(&key, &state_key)?;
        let sink = Self {
            store,
            key,
            state_key,
            owner,
            buffer: Vec::new(),
            buffer_bytes: 0,
            committed: committed.clone(),
            metrics,
            arrived: Instant::now(),
        };
        Ok((sink, committed))
    }
}

#[async_trait]
impl Sink for EmbeddedSink {
    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError> {
        let bytes: usize = batch.iter().map(ProducerRecord::size_bytes).sum();
        if self.buffer_bytes.saturating_add(bytes) > POLL_BYTES_MAX {
            return Err(SinkError::Refused(format!(
                "one poll brought more than {POLL_BYTES_MAX} bytes of records, which the embedded log does not hold in \
                 one transaction. Use Kafka for records of this size."
            )));
        }
        self.buffer_bytes += bytes;
        self.buffer.extend(batch);
        self.arrived = self.metrics.arrived();
        Ok(())
    }

    /// Writes what the poll brought and its offset in one transaction; without records only an offset that moved.
    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError> {
        let moved = offset.filter(|offset| self.committed.as_ref() != Some(offset));
        if self.buffer.is_empty() && moved.is_none() {
            return Ok(None);
        }
        self.buffer_bytes = 0;
        let state = moved.as_ref().and_then(connect_format::state_value);
        let write = Write {
            records: std::mem::take(&mut self.buffer),
            offset: moved.as_ref().map(connect_format::value),
            state: state.map(|state| (self.state_key.clone(), state)),
        };
        let (store, key, owner) = (Arc::clone(&self.store), self.key.clone(), self.owner);
        let (began, records) = (Instant::now(), write.records.len() as u64);
        if let Err(error) = blocking(move || store.write(&key, owner, &write)).await {
            self.metrics.commit_failures.fetch_add(1, Ordering::Relaxed);
            return Err(error);
        }
        self.metrics.commits.note_time(began.elapsed());
        if records > 0 {
            self.metrics.written.fetch_add(records, Ordering::Relaxed);
            self.metrics.transactions.note(records);
            self.metrics.latency.note(self.arrived.elapsed());
        }
        if moved.is_some() {
            self.committed.clone_from(&moved);
        }
        Ok(moved)
    }

    /// Nothing: what a poll brought became durable at its end.
    async fn commit_due(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        Ok(None)
    }

    /// Records of a poll that has not ended are dropped; the source is asked for them again.
    async fn close(self: Box<Self>, _within: Duration) -> Result<Option<SourceOffset>, SinkError> {
        Ok(None)
    }
}
