//! `Sink`: where a task's records and offsets go. One trait, so that the worker is the same over the embedded log and
//! over Kafka, at-least-once and exactly-once.
//!
//! The order of calls for one task: `Backend::open`, then any number of (`Sink::send`*, `Sink::end_poll`,
//! `Sink::commit_due`*), at last `Sink::close`. After any error the sink is dropped and a new one opened, whose committed
//! offset is the truth: nothing is ever sent again from memory.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    check::Check,
    config::ConnectorConfig,
    record::{ProducerRecord, SourceOffset, SourcePartition},
    telemetry::TaskMetrics,
};

/// Why a sink could not do its work, by what the worker does about it.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The task is being stopped; the batch was not taken.
    #[error("the task is stopping")]
    Stopping,
    /// Another owner took over. Final: the task ends as FENCED.
    #[error("{0}")]
    Fenced(String),
    /// The far side is away or slow. The worker opens a new sink, with backoff, and goes on from the committed offset.
    #[error("{0}")]
    Unavailable(String),
    /// Somebody has to act: a missing topic, a missing right, a record that is too large, a full disk. The task FAILS.
    #[error("{0}")]
    Refused(String),
}

/// A task's way to its topic(s) and to its offset.
#[async_trait]
pub trait Sink: Send {
    /// Takes a batch, in order. Waits while the bound on records or bytes in flight is reached.
    ///
    /// # Errors
    /// On an error none of the batch counts as taken.
    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError>;

    /// A poll has ended: everything sent so far stands at or before `offset`. Returns the newest offset that is durable
    /// together with every record before it, if that changed.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError>;

    /// Called between polls, at least once a second: stores the offset if the flush interval has passed, and reports
    /// failed deliveries. Cheap when nothing is due. Returns as `end_poll` does.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn commit_due(&mut self) -> Result<Option<SourceOffset>, SinkError>;

    /// Waits for what is in flight, stores the last committable offset and lets go of every resource. Takes at most
    /// `within`; what is not acknowledged by then is not committed.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn close(self: Box<Self>, within: Duration) -> Result<Option<SourceOffset>, SinkError>;
}

/// What a task starts with.
pub struct Opened {
    /// The way out.
    pub sink: Box<dyn Sink>,
    /// The offset from which to go on, read after the sink was ready to write (and so after an older owner was fenced).
    pub committed: Option<SourceOffset>,
}

/// One kind of destination, shared by the tasks of a worker.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Prepares a sink for the connector's task and reads its committed offset. The sink counts in `metrics` what becomes
    /// durable, and how long that takes.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn open(&self, connector: &ConnectorConfig, metrics: &Arc<TaskMetrics>) -> Result<Opened, SinkError>;

    /// Every stored offset of a connector.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn offsets(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>, SinkError>;

    /// Writes an offset (or, with `None`, removes it) for a connector that is not running.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn alter_offset(
        &self,
        connector: &str,
        partition: &SourcePartition,
        offset: Option<&SourceOffset>,
    ) -> Result<(), SinkError>;

    /// Whether the connector could write to these topics and store its offset: asks, and changes nothing.
    async fn preflight(&self, connector: &ConnectorConfig, topics: &[String]) -> Vec<Check>;

    /// The id of the Kafka cluster; `None` where there is no cluster, or where it does not answer.
    async fn cluster_id(&self) -> Option<String> {
        None
    }

    /// In a few words for the log: `embedded log in ./tributary-data`, `Kafka at 127.0.0.1:9092`.
    fn describe(&self) -> String;
}
