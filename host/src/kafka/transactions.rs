//! Exactly-once into Kafka (KIP-98, KIP-618, KIP-890): the records of a poll and the offset behind them in one
//! transaction, under a transactional id that belongs to the connector's one task. A new owner's first act fences the
//! old one; what the old one still had under way is decided by then, and the offset that stands is the truth.
//!
//! This side takes what the component sends; `runner` makes transactions of it, in a task of its own. So the component goes
//! on while a commit is under way, and polls that came meanwhile are the next transaction together.
//!
//! After an error nothing is tried again here: the sink is given up, and the next one reads where things stand.

mod runner;

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use krafka::{CloseOptions, producer::TransactionalProducer};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::{debug, info, warn};

use super::{Ways, cluster::Cluster, in_flight::InFlight, offsets, topics::Topics};
use crate::{
    config::{Boundary, ConnectorConfig, HostSettings, KafkaConfig},
    labels,
    offsets::Bounds,
    record::{ProducerRecord, SourceOffset},
    sink::{Sink, SinkError},
    telemetry::TaskMetrics,
};
use runner::{Message, Progress, Runner};

/// The transactional id of a connector's task, as Kafka Connect makes it.
pub(super) fn transactional_id(group_id: &str, connector: &str) -> String {
    format!("{group_id}-{connector}-0")
}

/// What the runner may take beyond the time that it has to close.
const CLOSE_MARGIN: Duration = Duration::from_millis(250);

/// See the module.
pub(super) struct TransactionalSink {
    cluster: Arc<Cluster>,
    messages: mpsc::UnboundedSender<Message>,
    progress: watch::Receiver<Progress>,
    /// Its end is the end of this sink.
    runner: Option<JoinHandle<Result<(), SinkError>>>,
    /// Nobody waits for the runner any more: it is to begin nothing new.
    given_up: Arc<AtomicBool>,
    bounds: Bounds,
    /// The records of the poll under way.
    pending: Vec<ProducerRecord>,
    pending_bytes: usize,
    /// Records and bytes that the runner got so far.
    handed: (u64, u64),
    /// The newest durable offset that was told of.
    told: Option<SourceOffset>,
    /// The offset behind the last poll.
    reached: Option<SourceOffset>,
    metrics: Arc<TaskMetrics>,
}

impl TransactionalSink {
    /// A sink for the connector's task and its committed offset. The producer is made first, which fences an older owner;
    /// then the offset is read.
    pub(super) async fn new(
        Ways { records: cluster, worker }: Ways,
        kafka: &KafkaConfig,
        flush_interval_ms: u64,
        connector: &ConnectorConfig,
        settings: HostSettings,
        (boundary, transaction_timeout_ms): (Boundary, u64),
        metrics: &Arc<TaskMetrics>,
    ) -> Result<(Self, Option<SourceOffset>), SinkError> {
        let id = transactional_id(&kafka.group_id, &connector.name);
        let timeout_ms = transaction_timeout_ms;
        let producer =
            cluster.transactional_producer(&settings.producer, kafka.in_flight_bytes_max, &id, timeout_ms).await?;
        let opening = Abandon(Some(Arc::new(producer)));
        labels::reach("fenced");
        // Records and offset are one transaction, so one login writes both.
        let place = offsets::Place::of(kafka, connector, settings.offsets_topic.as_deref(), &cluster, &worker);
        let committed = place.prepare_and_read().await?;
        let producer = opening.keep()?;
        place.known_to(producer.partitions_for(&place.write_topic).await)?;
        let version = producer.transaction_version();
        info!(
            connector = connector.name,
            transactional_id = id,
            transaction_timeout_ms,
            ?boundary,
            transaction_version = %version,
            "exactly-once delivery; a broker aborts a transaction that stays open for the time-out"
        );
        let bounds = || Bounds { records_max: kafka.in_flight_records_max, bytes_max: kafka.in_flight_bytes_max };
        let (messages, received) = mpsc::unbounded_channel();
        let (publish, progress) = watch::channel(Progress::default());
        let given_up = Arc::new(AtomicBool::new(false));
        let flush_interval = Duration::from_millis(flush_interval_ms);
        let runner = Runner {
            cluster: Arc::clone(&cluster),
            producer,
            topics: Topics::new(kafka.topic_creation_enabled, settings.topic_creation, place.topics()),
            flight: InFlight::new(bounds()),
            place,
            boundary,
            open: None,
            stored: committed.clone(),
            moved: None,
            flush_interval,
            next_flush: offsets::after(Instant::now(), flush_interval),
            taken: (0, 0),
            publish,
            given_up: Arc::clone(&given_up),
            metrics: Arc::clone(metrics),
        };
        let sink = Self {
            cluster,
            messages,
            progress,
            runner: Some(tokio::spawn(runner.run(received))),
            given_up,
            bounds: bounds(),
            pending: Vec::new(),
            pending_bytes: 0,
            handed: (0, 0),
            told: committed.clone(),
            reached: committed.clone(),
            metrics: Arc::clone(metrics),
        };
        Ok((sink, committed))
    }

    /// Fails when the runner has ended, with its reason.
    async fn check(&mut self) -> Result<(), SinkError> {
        if self.runner.as_ref().is_some_and(|runner| !runner.is_finished()) { Ok(()) } else { Err(self.ending().await) }
    }

    /// Why the runner has ended, or is about to. That is told once.
    async fn ending(&mut self) -> SinkError {
        let Some(runner) = self.runner.take() else { return SinkError::Stopping };
        match runner.await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => SinkError::Stopping,
            // The runtime is going down.
            Err(_) => SinkError::Unavailable("a transaction was cut off; its outcome is unknown".to_owned()),
        }
    }

    /// Waits until the bounds allow for more on the way: records that the runner has and that no broker has acknowledged.
    async fn make_room(&mut self) -> Result<(), SinkError> {
        let (records, bytes) = self.handed;
        let (records_max, bytes_max) = (self.bounds.records_max as u64, self.bounds.bytes_max as u64);
        let has_room = |progress: &Progress| {
            let (records, bytes) = (records - progress.settled.0, bytes - progress.settled.1);
            records == 0 || (records < records_max && bytes < bytes_max)
        };
        // An error means that the runner has ended.
        let room = self.progress.wait_for(has_room).await.is_ok();
        if room { Ok(()) } else { Err(self.ending().await) }
    }

    fn hand_over(&mut self, offset: Option<SourceOffset>, whole: bool) {
        let records = mem::take(&mut self.pending);
        self.handed.0 += records.len() as u64;
        self.handed.1 += mem::take(&mut self.pending_bytes) as u64;
        // A runner that has ended is noticed by the next `check`.
        let _ = self.messages.send(Message::Records { records, offset, whole, arrived: self.metrics.arrived() });
    }

    /// The newest durable offset, if it is news.
    fn news(&mut self) -> Option<SourceOffset> {
        let durable = self.progress.borrow_and_update().durable.clone();
        if durable.is_none() || durable == self.told {
            return None;
        }
        self.told.clone_from(&durable);
        durable
    }
}

#[async_trait]
impl Sink for TransactionalSink {
    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError> {
        self.check().await?;
        self.make_room().await?;
        self.pending_bytes += batch.iter().map(ProducerRecord::size_bytes).sum::<usize>();
        self.pending.extend(batch);
        // A poll that is larger than all that may wait goes on its way in parts; it is committed as a whole all the same.
        if self.pending.len() >= self.bounds.records_max || self.pending_bytes >= self.bounds.bytes_max {
            self.hand_over(None, false);
        }
        Ok(())
    }

    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError> {
        self.check().await?;
        if !self.pending.is_empty() || (offset.is_some() && offset != self.reached) {
            self.reached = offset.clone().or_else(|| self.reached.take());
            self.hand_over(offset, true);
        }
        Ok(self.news())
    }

    async fn commit_due(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        self.check().await?;
        Ok(self.news())
    }

    async fn close(mut self: Box<Self>, within: Duration) -> Result<Option<SourceOffset>, SinkError> {
        let Some(runner) = self.runner.take() else { return Err(SinkError::Stopping) };
        // The poll under way is no whole one: what came of it is not handed over.
        let _ = self.messages.send(Message::Close { deadline: Instant::now() + within });
        match tokio::time::timeout(within + CLOSE_MARGIN, runner).await {
            Ok(Ok(ended)) => ended?,
            Ok(Err(_)) | Err(_) => {
                return Err(SinkError::Unavailable(runner::unended(&self.cluster)));
            }
        }
        Ok(self.news())
    }
}

impl Drop for TransactionalSink {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Release);
    }
}

/// A producer that is given up unless `keep` is called.
struct Abandon(Option<Arc<TransactionalProducer>>);

impl Abandon {
    fn keep(mut self) -> Result<Arc<TransactionalProducer>, SinkError> {
        self.0.take().ok_or(SinkError::Stopping)
    }
}

impl Drop for Abandon {
    fn drop(&mut self) {
        let Some(producer) = self.0.take().filter(|producer| !producer.is_closed()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            warn!("a producer was left open");
            return;
        };
        runtime.spawn(async move { give_up(&producer).await });
    }
}

/// Lets go of a producer: what was not sent is dropped. The broker aborts what is open when the next owner comes, or at the
/// time-out.
async fn give_up(producer: &TransactionalProducer) {
    if let Err(error) = producer.close_with(CloseOptions::new().timeout(Duration::ZERO)).await {
        debug!(%error, "giving up a producer");
    }
}

#[cfg(test)]
mod tests;
