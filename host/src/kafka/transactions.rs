//! Exactly-once into Kafka (KIP-98, KIP-618, KIP-890): the records of a poll and the offset behind them in one
//! transaction, under a transactional id that belongs to the connector's one task. A new owner's first act fences the
//! old one; what the old one still had under way is decided by then, and the offset that stands is the truth.
//!
//! After an error nothing is tried again here: the sink is given up, and the next one reads where things stand.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use krafka::{
    CloseOptions, KrafkaError,
    producer::{TransactionState, TransactionalProducer},
};
use tokio::{task::JoinHandle, time::timeout};
use tracing::{debug, info, warn};

use super::{Ways, cluster::Cluster, in_flight::InFlight, offsets, records::to_kafka, topics::Topics};
use crate::{
    config::{Boundary, ConnectorConfig, HostSettings, KafkaConfig},
    labels,
    offsets::Bounds,
    record::{ProducerRecord, SourceOffset},
    sink::{Sink, SinkError},
};

/// How long the outcomes of a failed transaction's records are waited for, to name the cause.
const CAUSE_WITHIN: Duration = Duration::from_secs(1);

/// The transactional id of a connector's task, as Kafka Connect makes it.
pub(super) fn transactional_id(group_id: &str, connector: &str) -> String {
    format!("{group_id}-{connector}-0")
}

/// A commit on its way. It runs in a task of its own: a commit that is cut off halfway may or may not have happened.
struct Committing {
    offset: SourceOffset,
    records: usize,
    began: Instant,
    outcome: JoinHandle<Result<(), KrafkaError>>,
}

/// A transaction that was begun and whose commit was not.
struct Open {
    began: Instant,
    records: usize,
    /// The offset at the end of the last whole poll in it.
    reached: Option<SourceOffset>,
    /// Records came since that poll.
    partial: bool,
}

pub(super) struct TransactionalSink {
    cluster: Arc<Cluster>,
    producer: Arc<TransactionalProducer>,
    topics: Topics,
    flight: InFlight,
    place: offsets::Place,
    boundary: Boundary,
    open: Option<Open>,
    committing: Option<Committing>,
    /// The newest durable offset.
    stored: Option<SourceOffset>,
    /// An offset that became durable and that `end_poll` has not told of.
    news: Option<SourceOffset>,
    /// An offset that moved without a record.
    moved: Option<SourceOffset>,
    flush_interval: Duration,
    next_flush: Instant,
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
        let flush_interval = Duration::from_millis(flush_interval_ms);
        let sink = Self {
            cluster,
            producer,
            topics: Topics::new(kafka.topic_creation_enabled, settings.topic_creation, place.topics()),
            flight: InFlight::new(Bounds {
                records_max: kafka.in_flight_records_max,
                bytes_max: kafka.in_flight_bytes_max,
            }),
            place,
            boundary,
            open: None,
            committing: None,
            stored: committed.clone(),
            news: None,
            moved: None,
            flush_interval,
            next_flush: offsets::after(Instant::now(), flush_interval),
        };
        Ok((sink, committed))
    }

    /// Waits for the commit under way, if there is one. Safe to cancel: the commit goes on, and the next call takes it up.
    async fn committed(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        let Some(committing) = &mut self.committing else { return Ok(None) };
        let outcome = (&mut committing.outcome).await;
        let Some(Committing { offset, records, began, .. }) = self.committing.take() else { return Ok(None) };
        match outcome {
            Ok(Ok(())) => {
                labels::reach("after-commit");
                let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                debug!(records, took_us, "committed a transaction");
                // The commit has waited for every one of them.
                self.flight.settle_ready().map_err(|error| self.cluster.error("writing records", &error))?;
                self.stored = Some(offset.clone());
                self.next_flush = offsets::after(Instant::now(), self.flush_interval);
                Ok(Some(offset))
            }
            Ok(Err(error)) => Err(self.give_up("committing", error).await),
            // The runtime is going down.
            Err(_) => Err(SinkError::Unavailable("a commit was cut off; its outcome is unknown".to_owned())),
        }
    }

    /// As `committed`, for a commit that has ended by now; without waiting.
    async fn committed_by_now(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        if self.committing.as_ref().is_some_and(|committing| committing.outcome.is_finished()) {
            self.committed().await
        } else {
            Ok(None)
        }
    }

    fn begin(&mut self) -> Result<&mut Open, SinkError> {
        if self.open.is_none() {
            labels::reach("before-begin");
            self.producer.begin().map_err(|error| self.cluster.error("beginning a transaction", &error))?;
            self.open = Some(Open { began: Instant::now(), records: 0, reached: None, partial: false });
        }
        self.open.as_mut().ok_or(SinkError::Stopping)
    }

    async fn enqueue(&mut self, record: ProducerRecord) -> Result<(), SinkError> {
        let bytes = record.size_bytes();
        if let Err(error) = self.flight.make_room(bytes).await {
            return Err(self.give_up("writing records", error).await);
        }
        match self.producer.enqueue(to_kafka(record)).await {
            Ok(handle) => self.flight.submit(bytes, handle),
            Err(error) => return Err(self.give_up("writing records", error).await),
        }
        let open = self.begin()?;
        open.records += 1;
        open.partial = true;
        Ok(())
    }

    /// Whether the open transaction is to end now.
    fn is_due(&self) -> bool {
        self.open.as_ref().is_some_and(|open| match self.boundary {
            Boundary::Poll => true,
            Boundary::IntervalMs(interval_ms) => open.began.elapsed() >= Duration::from_millis(interval_ms),
        })
    }

    /// Puts the offset behind the records and starts the commit. Safe to cancel: what was not started is still to be.
    async fn begin_commit(&mut self) -> Result<(), SinkError> {
        let Some(open) = &self.open else { return Ok(()) };
        let Some(offset) = open.reached.clone() else {
            return Err(SinkError::Refused(
                "the component sent records without an offset behind them, which cannot be delivered exactly once"
                    .to_owned(),
            ));
        };
        labels::reach("after-produce");
        let state = self.place.state_record(&offset, self.stored.as_ref());
        for record in state.into_iter().chain([self.place.offset_record(&offset)]) {
            // Its outcome decides the commit, whoever waits for it.
            match self.producer.enqueue(record).await {
                Ok(handle) => self.flight.submit(0, handle),
                Err(error) => return Err(self.give_up("storing the offset", error).await),
            }
        }
        labels::reach("before-commit");
        let producer = Arc::clone(&self.producer);
        let records = self.open.take().map_or(0, |open| open.records);
        let outcome = tokio::spawn(async move { producer.commit().await });
        self.committing = Some(Committing { offset, records, began: Instant::now(), outcome });
        Ok(())
    }

    /// Commits an offset that moved without a record: in a transaction that holds nothing else.
    async fn commit_moved(&mut self) -> Result<(), SinkError> {
        if self.open.is_none() && self.committing.is_none() && self.moved.is_some() {
            let moved = self.moved.take();
            self.begin()?.reached = moved;
            self.begin_commit().await?;
        }
        Ok(())
    }

    /// What an error means. A transaction that has to be aborted is aborted on this very producer: a producer that was
    /// fenced learns it by that, and must not come back and fence its successor.
    async fn give_up(&mut self, doing: &str, error: KrafkaError) -> SinkError {
        let mut verdict = self.cluster.error(doing, &error);
        if error.requires_abort() {
            if let Some(fenced) = self.abort().await {
                return fenced;
            }
            // Of the transaction the client says only that it cannot go on; why, the refused record knows.
            if !matches!(verdict, SinkError::Refused(_))
                && let Some(cause) = self.flight.cause(CAUSE_WITHIN).await
            {
                verdict = self.cluster.error(doing, &cause);
            }
        } else if matches!(verdict, SinkError::Refused(_))
            && let Some(fenced) = self.abort().await
        {
            return fenced;
        }
        verdict
    }

    /// Aborts the open transaction, if there is one. Only that this producer was fenced is news.
    async fn abort(&mut self) -> Option<SinkError> {
        self.open = None;
        if self.producer.state() != TransactionState::Open {
            return None;
        }
        let producer = Arc::clone(&self.producer);
        let error = tokio::spawn(async move { producer.abort().await }).await.ok()?.err()?;
        debug!(%error, "aborting a transaction");
        Some(self.cluster.error("aborting a transaction", &error)).filter(|error| matches!(error, SinkError::Fenced(_)))
    }

    /// Ends what is open: commits whole polls, aborts a part of one.
    async fn finish(&mut self) -> Result<(), SinkError> {
        self.committed().await?;
        match &self.open {
            Some(Open { partial: false, .. }) => self.begin_commit().await?,
            Some(_) => return self.abort().await.map_or(Ok(()), Err),
            None => self.commit_moved().await?,
        }
        self.committed().await.map(|_| ())
    }
}

#[async_trait]
impl Sink for TransactionalSink {
    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError> {
        if batch.is_empty() {
            return Ok(());
        }
        // The next transaction begins when the last one has ended. `end_poll` tells of it.
        if let Some(offset) = self.committed().await? {
            self.news = Some(offset);
        }
        self.begin()?;
        let half = batch.len() / 2;
        for (index, record) in batch.into_iter().enumerate() {
            self.topics.ensure(&self.cluster, &record.topic).await?;
            self.enqueue(record).await?;
            if index == half {
                labels::reach("mid-produce");
            }
        }
        match self.flight.settle_ready() {
            Ok(()) => Ok(()),
            Err(error) => Err(self.give_up("writing records", error).await),
        }
    }

    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError> {
        let durable = self.committed_by_now().await?.or(self.news.take());
        match (&mut self.open, offset) {
            (Some(open), offset) => {
                open.reached = offset.or_else(|| open.reached.take());
                open.partial = false;
                self.moved = None;
            }
            (None, Some(offset)) => {
                let last = self.committing.as_ref().map(|committing| &committing.offset).or(self.stored.as_ref());
                if last != Some(&offset) {
                    self.moved = Some(offset);
                }
            }
            (None, None) => {}
        }
        if self.is_due() {
            self.begin_commit().await?;
        }
        Ok(durable)
    }

    async fn commit_due(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        let durable = self.committed_by_now().await?;
        if self.is_due() && self.open.as_ref().is_some_and(|open| !open.partial) {
            self.begin_commit().await?;
        }
        if Instant::now() >= self.next_flush {
            self.commit_moved().await?;
        }
        if let Err(error) = self.flight.settle_ready() {
            return Err(self.give_up("writing records", error).await);
        }
        Ok(durable)
    }

    async fn close(mut self: Box<Self>, within: Duration) -> Result<Option<SourceOffset>, SinkError> {
        let deadline = Instant::now() + within;
        let before = self.stored.clone();
        let finished = timeout(within - within / 8, self.finish()).await;
        let left = deadline.saturating_duration_since(Instant::now());
        if let Err(error) = self.producer.close_with(CloseOptions::new().timeout(left)).await {
            debug!(%error, "closing the producer");
        }
        match finished {
            Ok(done) => done?,
            Err(_) => {
                return Err(SinkError::Unavailable(format!(
                    "Kafka at {} did not end the last transaction in the time there was to stop. Whether it was committed is \
                     read at the next start; nothing is lost or repeated.",
                    self.cluster.address
                )));
            }
        }
        Ok(self.stored.clone().filter(|stored| before.as_ref() != Some(stored)))
    }
}

impl Drop for TransactionalSink {
    fn drop(&mut self) {
        let committing = self.committing.take().map(|committing| committing.outcome);
        abandon(Arc::clone(&self.producer), committing);
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
        if let Some(producer) = self.0.take() {
            abandon(producer, None);
        }
    }
}

/// Lets go of a producer: a commit under way is left to end, then what was not sent is dropped. The broker aborts what is
/// open when the next owner comes, or at the time-out.
fn abandon(producer: Arc<TransactionalProducer>, committing: Option<JoinHandle<Result<(), KrafkaError>>>) {
    if producer.is_closed() {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        warn!("a producer was left open");
        return;
    };
    runtime.spawn(async move {
        if let Some(committing) = committing {
            // Whatever it says, the next owner reads the truth.
            let _ = committing.await;
        }
        if let Err(error) = producer.close_with(CloseOptions::new().timeout(Duration::ZERO)).await {
            debug!(%error, "giving up a producer");
        }
    });
}

#[cfg(test)]
mod tests;
