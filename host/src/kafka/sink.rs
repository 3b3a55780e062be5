//! At-least-once into Kafka: records go out as they come, acknowledgements come back in any order, and the offset is
//! stored only when every record before it was acknowledged.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use krafka::{
    CloseOptions, KrafkaError, Record,
    producer::{DeliveryHandle, Producer},
};
use tokio::task::unconstrained;
use tracing::{debug, warn};

use super::{cluster::Cluster, offsets, topics};
use crate::{
    config::{ConnectorConfig, HostSettings, InternalTopic, KafkaConfig, TopicCreation},
    offsets::{Bounds, Submitted, Ticket, connect_format},
    record::{ProducerRecord, SourceOffset, SourcePartition},
    sink::{Sink, SinkError},
};

/// How long handing the offset's record to the producer may hold up the worker; not taken by then, it is handed over
/// again at the next turn.
const STORE_WAIT_MS: u64 = 500;

/// Of the time to close, what is kept for storing the last offset.
const STORE_SHARE: u32 = 4;

/// A record on its way.
struct Delivery {
    ticket: Ticket,
    handle: DeliveryHandle,
}

impl Future for Delivery {
    type Output = (Ticket, Result<(), KrafkaError>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = self.ticket;
        Pin::new(&mut self.handle).poll(context).map(|outcome| (ticket, outcome.map(|_| ())))
    }
}

/// The connections of one task: the same one, unless the connector has a login of its own.
pub(super) struct Ways {
    pub(super) records: Arc<Cluster>,
    pub(super) offsets: Arc<Cluster>,
}

pub(super) struct KafkaSink {
    cluster: Arc<Cluster>,
    producer: Arc<Producer>,
    /// The same, or that of the worker's login: a connector with a login of its own needs no right on the worker's topic.
    offsets_cluster: Arc<Cluster>,
    offsets_producer: Arc<Producer>,
    topic_creation: TopicCreation,
    /// Topics that were seen to exist since the sink was opened.
    known_topics: BTreeSet<String>,
    submitted: Submitted,
    deliveries: FuturesUnordered<Delivery>,
    offsets_topic: String,
    offset_key: Vec<u8>,
    /// The newest durable offset.
    stored: Option<SourceOffset>,
    /// The offset whose record is on its way.
    storing: Option<(SourceOffset, DeliveryHandle)>,
    flush_interval: Duration,
    next_flush: Instant,
}

impl KafkaSink {
    /// A sink for the connector's task and its committed offset. The producer is made first, then the offset is read.
    pub(super) async fn new(
        ways: Ways,
        kafka: &KafkaConfig,
        flush_interval_ms: u64,
        connector: &ConnectorConfig,
        settings: HostSettings,
    ) -> Result<(Self, Option<SourceOffset>), SinkError> {
        let Ways { records: cluster, offsets: worker_cluster } = ways;
        let producer = Arc::new(cluster.producer(&settings.producer, kafka.in_flight_bytes_max).await?);
        let opening = Abandon(Some(Arc::clone(&producer)));
        let own_topic = settings.offsets_topic.map(|name| InternalTopic { name, ..kafka.offset_topic.clone() });
        // As in Kafka Connect: an offsets topic of the connector's own is its own business.
        let offsets_cluster = Arc::clone(if own_topic.is_some() { &cluster } else { &worker_cluster });
        let offsets_producer = if Arc::ptr_eq(&offsets_cluster, &cluster) {
            Arc::clone(&producer)
        } else {
            Arc::new(offsets_cluster.producer(&kafka.producer, kafka.in_flight_bytes_max).await?)
        };
        let opening_offsets = Abandon(Some(Arc::clone(&offsets_producer)));
        let offset_key = connect_format::key(&connector.name, &SourcePartition::default());
        let mut committed = None;
        let mut offsets_topic = kafka.offset_topic.name.clone();
        let own_topics = own_topic.iter().map(|topic| (topic, &cluster));
        for (topic, cluster) in own_topics.chain([(&kafka.offset_topic, &worker_cluster)]) {
            topics::ensure_compacted(cluster, topic).await?;
            if Arc::ptr_eq(cluster, &offsets_cluster) {
                // The producer waits here for what the next record would have to wait for.
                let known = offsets_producer.partitions_for(&topic.name).await;
                known
                    .map_err(|error| cluster.error(&format!("looking for the offsets topic {}", topic.name), &error))?;
            }
            let table = offsets::read(cluster, &topic.name).await?;
            committed = offsets::find(&table, &topic.name, &offset_key)?;
            if committed.is_some() {
                break;
            }
        }
        if let Some(topic) = own_topic {
            offsets_topic = topic.name;
        }
        opening.keep();
        opening_offsets.keep();
        let flush_interval = Duration::from_millis(flush_interval_ms);
        let bounds = Bounds { records_max: kafka.in_flight_records_max, bytes_max: kafka.in_flight_bytes_max };
        let now = Instant::now();
        let sink = Self {
            cluster,
            producer,
            offsets_cluster,
            offsets_producer,
            topic_creation: if kafka.topic_creation_enabled {
                settings.topic_creation
            } else {
                TopicCreation::default()
            },
            known_topics: BTreeSet::new(),
            submitted: Submitted::new(bounds),
            deliveries: FuturesUnordered::new(),
            offsets_topic,
            offset_key,
            stored: committed.clone(),
            storing: None,
            flush_interval,
            // An interval of centuries is a legal way to say "at the end".
            next_flush: now.checked_add(flush_interval).unwrap_or(now + Duration::from_secs(86_400)),
        };
        Ok((sink, committed))
    }

    async fn ensure_topic(&mut self, topic: &str) -> Result<(), SinkError> {
        if !self.known_topics.contains(topic) {
            topics::ensure(&self.cluster, topic, self.topic_creation.plan(topic)).await?;
            self.known_topics.insert(topic.to_owned());
        }
        Ok(())
    }

    fn settle(&mut self, (ticket, outcome): (Ticket, Result<(), KrafkaError>)) -> Result<(), SinkError> {
        outcome.map_err(|error| self.cluster.error("writing records", &error))?;
        self.submitted.acknowledge(ticket);
        Ok(())
    }

    /// Takes in every outcome that is there by now. Unconstrained: the runtime's budget for one turn of a task would make
    /// the greater part of them seem not to be there.
    fn settle_ready(&mut self) -> Result<(), SinkError> {
        while let Some(Some(outcome)) = unconstrained(self.deliveries.next()).now_or_never() {
            self.settle(outcome)?;
        }
        Ok(())
    }

    /// What both ends of a turn do: outcomes, the offset under way, the next offset when its time has come.
    async fn turn(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        self.settle_ready()?;
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

    fn stored_now<T>(&mut self, outcome: Result<T, KrafkaError>) -> Result<Option<SourceOffset>, SinkError> {
        let storing = self.storing.take();
        outcome.map_err(|error| self.offsets_cluster.error("storing the offset", &error))?;
        if let Some((offset, _)) = storing {
            self.stored = Some(offset);
        }
        Ok(self.stored.clone())
    }

    /// Hands the newest committable offset to the producer, if there is a newer one than the stored.
    async fn begin_store(&mut self, within: Duration) -> Result<(), SinkError> {
        let Some(offset) = self.submitted.committable().filter(|offset| self.stored.as_ref() != Some(*offset)) else {
            return Ok(());
        };
        let offset = offset.clone();
        let record = offsets::record(&self.offsets_topic, self.offset_key.clone(), Some(&offset));
        // Safe to cancel: a record that was not taken is not sent.
        match tokio::time::timeout(within, self.offsets_producer.enqueue(record)).await {
            Err(_) => debug!("the producer has no room for the offset yet"),
            Ok(Err(error)) => return Err(self.offsets_cluster.error("storing the offset", &error)),
            Ok(Ok(handle)) => {
                self.storing = Some((offset, handle));
                let now = Instant::now();
                self.next_flush = now.checked_add(self.flush_interval).unwrap_or(now + Duration::from_secs(86_400));
            }
        }
        Ok(())
    }

    /// Waits for the records in flight; `Ok(false)` when the time was too short.
    async fn drain(&mut self, within: Duration) -> Result<bool, SinkError> {
        let deadline = tokio::time::Instant::now() + within;
        while !self.deliveries.is_empty() {
            match tokio::time::timeout_at(deadline, self.deliveries.next()).await {
                Ok(Some(outcome)) => self.settle(outcome)?,
                Ok(None) => break,
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
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
        self.submitted.records()
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
        for record in batch {
            self.ensure_topic(&record.topic).await?;
            let bytes = record.size_bytes();
            while !self.submitted.has_room(bytes) {
                let Some(outcome) = self.deliveries.next().await else { break };
                self.settle(outcome)?;
            }
            let handle = self.producer.enqueue(to_kafka(record)).await;
            let handle = handle.map_err(|error| self.cluster.error("writing records", &error))?;
            let ticket = self.submitted.submit(bytes);
            self.deliveries.push(Delivery { ticket, handle });
        }
        self.settle_ready()
    }

    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError> {
        if let Some(offset) = offset {
            self.submitted.end_poll(offset);
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
        let drained = self.drain(within - within / STORE_SHARE).await;
        // Also after a failed record: what was acknowledged before it counts.
        let stored = self.store_last(left()).await;
        for producer in [&self.producer, &self.offsets_producer] {
            // Closing the same one twice is no error that matters.
            if let Err(error) = producer.close_with(CloseOptions::new().timeout(left())).await {
                debug!(%error, "closing the producer");
            }
        }
        if !drained? {
            return Err(SinkError::Unavailable(self.late(&format!("{} records", self.submitted.records()))));
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

fn to_kafka(record: ProducerRecord) -> Record {
    let mut out = match record.value {
        Some(value) => Record::new(record.topic, value),
        None => Record::new(record.topic, Vec::new()).without_value(),
    };
    if let Some(key) = record.key {
        out = out.key(key);
    }
    if let Some(partition) = record.partition {
        out = out.partition(partition);
    }
    if let Some(timestamp) = record.timestamp_ms {
        out = out.timestamp(timestamp);
    }
    for header in record.headers {
        out = match header.value {
            Some(value) => out.header(header.key, value),
            None => out.null_header(header.key),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Header;

    #[test]
    fn every_part_of_a_record_goes_over() {
        let header = |value: Option<&[u8]>| Header { key: "h".to_owned(), value: value.map(<[u8]>::to_vec) };
        let full = ProducerRecord {
            topic: "t".to_owned(),
            partition: Some(3),
            key: Some(b"k".to_vec()),
            value: Some(b"v".to_vec()),
            headers: vec![header(Some(b"1")), header(None)],
            timestamp_ms: Some(7),
        };
        let bare = ProducerRecord {
            partition: None,
            key: None,
            value: None,
            headers: vec![],
            timestamp_ms: None,
            ..full.clone()
        };
        let record = to_kafka(full);
        assert_eq!((record.topic.as_str(), record.partition, record.timestamp), ("t", Some(3), Some(7)));
        assert_eq!((record.key.as_deref(), record.value.as_deref()), (Some(&b"k"[..]), Some(&b"v"[..])));
        assert_eq!(record.headers.len(), 2);
        let record = to_kafka(bare);
        assert_eq!((record.partition, record.timestamp), (None, None));
        assert!(record.key.is_none() && record.value.is_none() && record.headers.is_empty());
    }
}
