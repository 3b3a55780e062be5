//! At-least-once into Kafka: records go out as they come, acknowledgements come back in any order, and the offset is
//! stored only when every record before it was acknowledged.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{
    FutureExt,
    future::{TryJoinAll, try_join_all},
};
use krafka::{
    CloseOptions, KrafkaError,
    producer::{DeliveryHandle, Producer},
};
use tokio::task::unconstrained;
use tracing::{debug, warn};

use super::{
    Ways,
    cluster::Cluster,
    in_flight::InFlight,
    offsets,
    records::to_kafka,
    stopwatch::{Stopwatch, Watched},
    topics::Topics,
};
use crate::{
    config::{ConnectorConfig, HostSettings, KafkaConfig},
    offsets::Bounds,
    record::{ProducerRecord, SourceOffset},
    sink::{Sink, SinkError},
    telemetry::TaskMetrics,
};

/// How long handing the offset's record to the producer may hold up the worker; not taken by then, it is handed over
/// again at the next turn.
const STORE_WAIT_MS: u64 = 500;

/// Of the time to close, what is kept for storing the last offset.
const STORE_SHARE: u32 = 4;

pub(super) struct KafkaSink {
    cluster: Arc<Cluster>,
    producer: Arc<Producer>,
    /// The same, or that of the worker's login: a connector with a login of its own needs no right on the worker's topic.
    offsets_cluster: Arc<Cluster>,
    offsets_producer: Arc<Producer>,
    topics: Topics,
    flight: InFlight,
    place: offsets::Place,
    /// The newest durable offset.
    stored: Option<SourceOffset>,
    /// The offset whose records are on their way.
    storing: Option<(SourceOffset, TryJoinAll<DeliveryHandle>)>,
    flush_interval: Duration,
    next_flush: Instant,
    metrics: Arc<TaskMetrics>,
    stopwatch: Arc<Stopwatch>,
}

impl KafkaSink {
    /// A sink for the connector's task and its committed offset. The producer is made first, then the offset is read.
    pub(super) async fn new(
        ways: Ways,
        kafka: &KafkaConfig,
        flush_interval_ms: u64,
        connector: &ConnectorConfig,
        settings: HostSettings,
        metrics: &Arc<TaskMetrics>,
    ) -> Result<(Self, Option<SourceOffset>), SinkError> {
        let Ways { records: cluster, worker } = ways;
        let stopwatch = Arc::new(Stopwatch::new(Arc::clone(metrics)));
        let bytes_max = kafka.in_flight_bytes_max;
        let producer = Arc::new(cluster.producer(&settings.producer, bytes_max, Some(&stopwatch)).await?);
        let opening = Abandon(Some(Arc::clone(&producer)));
        // As in Kafka Connect: an offsets topic of the connector's own is its own business.
        let own_topic = settings.offsets_topic.as_deref();
        let offsets_cluster = Arc::clone(if own_topic.is_some() { &cluster } else { &worker });
        let offsets_producer = if Arc::ptr_eq(&offsets_cluster, &cluster) {
            Arc::clone(&producer)
        } else {
            Arc::new(offsets_cluster.producer(&kafka.producer, bytes_max, Some(&stopwatch)).await?)
        };
        let opening_offsets = Abandon(Some(Arc::clone(&offsets_producer)));
        let place = offsets::Place::of(kafka, connector, own_topic, &offsets_cluster, &worker);
        let committed = place.prepare_and_read().await?;
        place.known_to(offsets_producer.partitions_for(&place.write_topic).await)?;
        opening.keep();
        opening_offsets.keep();
        let flush_interval = Duration::from_millis(flush_interval_ms);
        let bounds = Bounds { records_max: kafka.in_flight_records_max, bytes_max };
        let sink = Self {
            cluster,
            producer,
            offsets_cluster,
            offsets_producer,
            topics: Topics::new(kafka.topic_creation_enabled, settings.topic_creation, place.topics()),
            flight: InFlight::new(bounds),
            place,
            stored: committed.clone(),
            storing: None,
            flush_interval,
            next_flush: offsets::after(Instant::now(), flush_interval),
            metrics: Arc::clone(metrics),
            stopwatch,
        };
        Ok((sink, committed))
    }

    /// What both ends of a turn do: outcomes, the offset under way, the next offset when its time has come.
    async fn turn(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        self.settle()?;
        let mut durable = None;
        if let Some((_, handle)) = &mut self.storing
            && let Some(outcome) = unconstrained(handle).now_or_never()
        {
            durable = self.stored_now(outcome)?;
        }
        if self.storing.is_none() && Instant::now() >= self.next_flush {
            self.begin_store(Duration::from_millis(STORE_WAIT_MS)).await?;
        }
        Ok(durable)
    }

    /// Takes in what was acknowledged.
    fn settle(&mut self) -> Result<(), SinkError> {
        let settled = self.flight.settle_ready();
        self.count();
        settled.map_err(|error| self.written(&error))
    }

    fn count(&mut self) {
        self.metrics.written.fetch_add(self.flight.take_acknowledged(), Ordering::Relaxed);
        self.metrics.active.store(self.flight.records() as u64, Ordering::Relaxed);
    }

    fn stored_now<T>(&mut self, outcome: Result<T, KrafkaError>) -> Result<Option<SourceOffset>, SinkError> {
        let storing = self.storing.take();
        if outcome.is_err() {
            self.metrics.commit_failures.fetch_add(1, Ordering::Relaxed);
        }
        outcome.map_err(|error| self.offsets_cluster.error("storing the offset", &error))?;
        if let Some((offset, _)) = storing {
            self.stored = Some(offset);
        }
        Ok(self.stored.clone())
    }

    /// Hands the newest committable offset to the producer, if there is a newer one than the stored.
    async fn begin_store(&mut self, within: Duration) -> Result<(), SinkError> {
        let Some(offset) = self.flight.committable().filter(|offset| self.stored.as_ref() != Some(*offset)) else {
            return Ok(());
        };
        let offset = offset.clone();
        // The offset first: what is kept beside it may be older than it, never newer.
        let state = self.place.state_record(&offset, self.stored.as_ref());
        let records: Vec<_> = [self.place.offset_record(&offset)].into_iter().chain(state).collect();
        let enqueue = async {
            let mut handles = Vec::with_capacity(records.len());
            self.stopwatch.arm(Watched::Commit, Instant::now());
            for record in records {
                handles.push(self.offsets_producer.enqueue(record).await?);
            }
            Ok::<_, KrafkaError>(handles)
        };
        // Safe to cancel: a record that was not taken is not sent, and one that was is the same at the next turn.
        match tokio::time::timeout(within, enqueue).await {
            Err(_) => debug!("the producer has no room for the offset yet"),
            Ok(Err(error)) => return Err(self.offsets_cluster.error("storing the offset", &error)),
            Ok(Ok(handles)) => {
                self.storing = Some((offset, try_join_all(handles)));
                self.next_flush = offsets::after(Instant::now(), self.flush_interval);
            }
        }
        Ok(())
    }

    /// Stores the last committable offset and waits for it.
    async fn store_last(&mut self, within: Duration) -> Result<(), SinkError> {
        let deadline = tokio::time::Instant::now() + within;
        // First the one under way, then the one that the drained records made committable.
        for _ in 0..2 {
            if self.storing.is_none() {
                self.begin_store(deadline.saturating_duration_since(tokio::time::Instant::now())).await?;
            }
            let Some((_, handle)) = &mut self.storing else { return Ok(()) };
            match tokio::time::timeout_at(deadline, handle).await {
                Ok(outcome) => self.stored_now(outcome)?,
                Err(_) => return Err(SinkError::Unavailable(self.late("the offset"))),
            };
        }
        Ok(())
    }

    /// Waits until every record handed over has an outcome.
    #[cfg(test)]
    pub(super) async fn flush(&self) {
        self.producer.flush().await.expect("flushing waits and never fails");
    }

    /// Records without an outcome that was taken in.
    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        self.flight.records()
    }

    fn written(&self, error: &KrafkaError) -> SinkError {
        self.cluster.error("writing records", error)
    }

    fn late(&self, what: &str) -> String {
        format!(
            "Kafka at {} did not acknowledge {what} in the time there was to stop; records after the stored offset come \
             again.",
            self.cluster.address
        )
    }
}

#[async_trait]
impl Sink for KafkaSink {
    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError> {
        let (arrived, last) = (self.metrics.arrived(), batch.len().saturating_sub(1));
        for (index, record) in batch.into_iter().enumerate() {
            self.topics.ensure(&self.cluster, &record.topic).await?;
            let bytes = record.size_bytes();
            self.flight.make_room(bytes).await.map_err(|error| self.written(&error))?;
            if index == last {
                self.stopwatch.arm(Watched::Latency, arrived);
            }
            let handle = self.producer.enqueue(to_kafka(record)).await.map_err(|error| self.written(&error))?;
            self.flight.submit(bytes, handle);
        }
        self.settle()
    }

    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError> {
        if let Some(offset) = offset {
            self.flight.end_poll(offset);
        }
        self.turn().await
    }

    async fn commit_due(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        self.turn().await
    }

    async fn close(mut self: Box<Self>, within: Duration) -> Result<Option<SourceOffset>, SinkError> {
        let deadline = Instant::now() + within;
        let left = || deadline.saturating_duration_since(Instant::now());
        let before = self.stored.clone();
        let drained = self.flight.drain(within - within / STORE_SHARE).await.map_err(|error| self.written(&error));
        self.count();
        // Also after a failed record: what was acknowledged before it counts.
        let stored = self.store_last(left()).await;
        for producer in [&self.producer, &self.offsets_producer] {
            // Closing the same one twice is no error that matters.
            if let Err(error) = producer.close_with(CloseOptions::new().timeout(left())).await {
                debug!(%error, "closing the producer");
            }
        }
        if !drained? {
            return Err(SinkError::Unavailable(self.late(&format!("{} records", self.flight.records()))));
        }
        stored?;
        Ok(self.stored.clone().filter(|stored| before.as_ref() != Some(stored)))
    }
}

impl Drop for KafkaSink {
    fn drop(&mut self) {
        drop(Abandon(Some(Arc::clone(&self.producer))));
        drop(Abandon(Some(Arc::clone(&self.offsets_producer))));
    }
}

/// A producer that is given up unless `keep` is called: what it has not sent by then must not be sent any more, since a
/// new sink begins at the committed offset.
struct Abandon(Option<Arc<Producer>>);

impl Abandon {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Abandon {
    fn drop(&mut self) {
        let Some(producer) = self.0.take().filter(|producer| !producer.is_closed()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            warn!("a producer was left open");
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = producer.close_with(CloseOptions::new().timeout(Duration::ZERO)).await {
                debug!(%error, "giving up a producer");
            }
        });
    }
}
