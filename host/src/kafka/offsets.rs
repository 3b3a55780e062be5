//! The offsets topic: compacted, with Kafka Connect's keys and values, partitioned by Kafka's default partitioner
//! (murmur2 of the key), so that Kafka Connect reads ours and we read its.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use krafka::{
    CloseOptions, KrafkaError, Record,
    admin::{ListOffsetsOptions, OffsetSpec, TopicPartition},
    consumer::{AutoOffsetReset, Consumer, IsolationLevel},
};
use tracing::{debug, info, warn};

use super::{cluster::Cluster, topics, transactions::transactional_id};
use crate::{
    config::{ConnectorConfig, ExactlyOnceSupport, InternalTopic, KafkaConfig},
    labels,
    offsets::connect_format,
    record::{SourceOffset, SourcePartition},
    sink::SinkError,
};

/// How long reading the topic may take without getting on; a large one takes as long as it takes.
const READ_TIMEOUT_MS: u64 = 120_000;

/// The same for somebody who only asks: a transaction that is open is not waited for.
const ASK_TIMEOUT_MS: u64 = 3_000;

/// Reading says every so often how far it is.
const PROGRESS_MS: u64 = 5_000;

/// How long the broker holds a fetch without news; the end of the topic is found by such a fetch.
const FETCH_WAIT_MS: u64 = 50;

/// How long the transaction of an offset written by hand may stay open.
const ALTER_TIMEOUT_MS: u64 = 60_000;

/// How long its producer may take to close.
const CLOSE_MS: u64 = 5_000;

fn record(topic: &str, key: Vec<u8>, value: Option<Vec<u8>>) -> Record {
    match value {
        Some(value) => Record::new(topic, value).key(key),
        None => Record::tombstone(topic, key),
    }
}

/// Where a connector's offset is kept.
pub(super) struct Place {
    /// The topic into which it is written.
    pub(super) write_topic: String,
    /// The key under which it stands.
    key: Vec<u8>,
    /// The key of what the source keeps beside it.
    state_key: Vec<u8>,
    /// Topics in which it is looked for, in this order, each with the login for it. The first is that of `write_topic`.
    read: Vec<(InternalTopic, Arc<Cluster>)>,
}

impl Place {
    /// `own_topic` is the connector's `offsets.storage.topic`: offsets are written there, and read from the worker's topic
    /// where it holds none. `writer` is the login that writes offsets, `worker` the worker's.
    pub(super) fn of(
        kafka: &KafkaConfig,
        connector: &ConnectorConfig,
        own_topic: Option<&str>,
        writer: &Arc<Cluster>,
        worker: &Arc<Cluster>,
    ) -> Self {
        let own = own_topic.map(|name| InternalTopic { name: name.to_owned(), ..kafka.offset_topic.clone() });
        let topics = own.into_iter().chain([kafka.offset_topic.clone()]);
        let logins = [writer, worker].into_iter().map(Arc::clone);
        let read: Vec<(InternalTopic, Arc<Cluster>)> = topics.zip(logins).collect();
        let write_topic = own_topic.unwrap_or(&kafka.offset_topic.name).to_owned();
        let key = connect_format::key(&connector.name, &SourcePartition::default());
        Self { write_topic, key, state_key: connect_format::state_key(&connector.name), read }
    }

    /// The record that stores an offset.
    pub(super) fn offset_record(&self, offset: &SourceOffset) -> Record {
        record(&self.write_topic, self.key.clone(), Some(connect_format::value(offset)))
    }

    /// The record that stores what the source keeps beside an offset, if it differs from what stands there.
    pub(super) fn state_record(&self, offset: &SourceOffset, stored: Option<&SourceOffset>) -> Option<Record> {
        let state = connect_format::state_value(offset)?;
        let stands = stored.and_then(connect_format::state_value).is_some_and(|stored| stored == state);
        (!stands).then(|| record(&self.write_topic, self.state_key.clone(), Some(state)))
    }

    /// Names of the topics, which no record may be written to.
    pub(super) fn topics(&self) -> Vec<String> {
        self.read.iter().map(|(topic, _)| topic.name.clone()).collect()
    }

    /// What a producer says of `write_topic`. It is asked at the start: it waits there for what the first offset would have
    /// to wait for.
    pub(super) fn known_to<T>(&self, partitions: Result<T, KrafkaError>) -> Result<(), SinkError> {
        let doing = || format!("looking for the offsets topic {}", self.write_topic);
        match (partitions, self.read.first()) {
            (Err(error), Some((_, cluster))) => Err(cluster.error(&doing(), &error)),
            _ => Ok(()),
        }
    }

    /// Makes sure that the topics exist, and reads the committed offset.
    pub(super) async fn prepare_and_read(&self) -> Result<Option<SourceOffset>, SinkError> {
        for (topic, cluster) in &self.read {
            topics::ensure_compacted(cluster, topic, "offset.storage").await?;
            let wanted = |key: &[u8]| key == self.key || key == self.state_key;
            let found = read(cluster, &topic.name, Reader::Owner, wanted).await?;
            if let Some(committed) = find(&found, &topic.name, &self.key)? {
                let state = find(&found, &topic.name, &self.state_key)?;
                return Ok(Some(connect_format::joined(committed, state)));
            }
        }
        Ok(None)
    }
}

/// `now` and an interval, which may be centuries: a legal way to say "at the end".
pub(super) fn after(now: Instant, interval: Duration) -> Instant {
    now.checked_add(interval).unwrap_or(now + Duration::from_secs(86_400))
}

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody who goes on from there, and has to have the truth.
    Owner,
    /// Somebody who wants to know where a connector stands, which may be running.
    Asks,
}

/// What stands under the wanted keys; a tombstone is none.
pub(super) type Table = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Reads the topic, which exists, to the end that it has at the time of the call; committed records only, and of them
/// only those under wanted keys are kept.
///
/// The end is that of the log, not the last stable offset: before that may stand what this connector committed behind
/// another one's transaction that is still open. Such a transaction is waited for; a broker ends it at its time-out.
pub(super) async fn read(
    cluster: &Cluster,
    topic: &str,
    reader: Reader,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Table, SinkError> {
    let started = Instant::now();
    let fail = |error: &KrafkaError| cluster.error(&format!("reading the offsets topic {topic}"), error);
    let description = topics::describe(cluster, topic).await?;
    let partitions: Vec<i32> =
        description.into_iter().flat_map(|topic| topic.partitions).map(|partition| partition.partition).collect();
    let ends = ends(cluster, topic, &partitions, started).await?;
    labels::reach("offset-read");
    let builder = cluster.kafka.consumer_without_group().fetch_max_wait(Duration::from_millis(FETCH_WAIT_MS));
    let builder = builder.auto_offset_reset(AutoOffsetReset::Earliest).enable_auto_commit(false);
    let builder = builder.isolation_level(IsolationLevel::ReadCommitted).metrics_push(false);
    let consumer = builder.build().await.map_err(|error| fail(&error))?;
    consumer.assign(topic, partitions).await.map_err(|error| fail(&error))?;
    let (mut table, mut records, mut told, mut got_on) = (Table::new(), 0_u64, started, started);
    loop {
        let behind = behind(&consumer, topic, &ends).await;
        if behind.is_empty() {
            break;
        }
        if told.elapsed() >= Duration::from_millis(PROGRESS_MS) {
            told = Instant::now();
            info!(topic, records, partitions_left = behind.len(), "still reading the offsets topic");
        }
        match reader {
            Reader::Asks if got_on.elapsed() >= Duration::from_millis(ASK_TIMEOUT_MS) => {
                warn!(topic, "a transaction in the offsets topic is still open; what it may store is not shown");
                break;
            }
            Reader::Owner if got_on.elapsed() >= Duration::from_millis(READ_TIMEOUT_MS) => {
                return Err(SinkError::Unavailable(late(cluster, topic, &behind)));
            }
            _ => {}
        }
        match consumer.poll(Duration::from_millis(FETCH_WAIT_MS)).await {
            Ok(batch) => {
                if !batch.is_empty() {
                    got_on = Instant::now();
                }
                for record in batch {
                    records += 1;
                    let Some(key) = record.key.filter(|key| wanted(key)) else { continue };
                    table.insert(key.to_vec(), record.value.map(|value| value.to_vec()));
                }
            }
            Err(error) if error.is_retriable() => {
                debug!(topic, %error, "the offsets topic cannot be read yet");
                tokio::time::sleep(Duration::from_millis(FETCH_WAIT_MS)).await;
            }
            Err(error) => return Err(fail(&error)),
        }
    }
    if let Err(error) = consumer.close().await {
        debug!(topic, %error, "closing the reader of the offsets topic");
    }
    debug!(topic, records, took_ms = started.elapsed().as_millis(), "read the offsets topic");
    Ok(table)
}

/// The end of each partition that holds anything.
async fn ends(
    cluster: &Cluster,
    topic: &str,
    partitions: &[i32],
    started: Instant,
) -> Result<BTreeMap<i32, i64>, SinkError> {
    loop {
        let specs = partitions.iter().map(|partition| (TopicPartition::new(topic, *partition), OffsetSpec::Latest));
        let options = ListOffsetsOptions::default().timeout(Duration::from_millis(READ_TIMEOUT_MS / 4));
        let listed = cluster.kafka.admin().list_offsets(specs, options).await;
        let listed = listed.and_then(|listed| {
            let ends = listed.into_iter().map(|(place, end)| end.map(|end| (place.partition, end.offset)));
            ends.collect::<Result<BTreeMap<i32, i64>, KrafkaError>>()
        });
        match listed {
            Ok(mut ends) => {
                ends.retain(|_, end| *end > 0);
                return Ok(ends);
            }
            // A new topic's leaders settle, or a broker leaves.
            Err(error) if error.is_retriable() && started.elapsed() < Duration::from_millis(READ_TIMEOUT_MS) => {
                debug!(topic, %error, "the end of the offsets topic cannot be found yet");
                tokio::time::sleep(Duration::from_millis(FETCH_WAIT_MS)).await;
            }
            Err(error) => return Err(cluster.error(&format!("finding the end of the offsets topic {topic}"), &error)),
        }
    }
}

/// Partitions that are not read to their end yet, with their positions.
async fn behind(consumer: &Consumer, topic: &str, ends: &BTreeMap<i32, i64>) -> Vec<(i32, Option<i64>, i64)> {
    let mut behind = Vec::new();
    for (partition, end) in ends {
        let position = consumer.position(topic, *partition).await;
        if position.is_none_or(|position| position < *end) {
            behind.push((*partition, position, *end));
        }
    }
    behind
}

fn late(cluster: &Cluster, topic: &str, behind: &[(i32, Option<i64>, i64)]) -> String {
    let places: Vec<String> = behind
        .iter()
        .map(|(partition, position, end)| {
            let position = position.map_or_else(|| "nowhere".to_owned(), |position| position.to_string());
            format!("partition {partition} at {position} of {end}")
        })
        .collect();
    format!(
        "the offsets topic {topic} on Kafka at {address} could not be read to its end: for {READ_TIMEOUT_MS} ms nothing came, {places}. \
         Either a partition has no leader, or another producer's transaction in it stays open: `kafka-transactions \
         --bootstrap-server {address} find-hanging --broker-id ID` finds it, and `abort` ends it.",
        address = cluster.address,
        places = places.join(", "),
    )
}

/// The offset under a key.
///
/// # Errors
/// There is one and it is not understood: to begin anew instead would lose or repeat records without a word.
fn find(table: &Table, topic: &str, key: &[u8]) -> Result<Option<SourceOffset>, SinkError> {
    let value = table.get(key).and_then(|value| value.as_deref());
    connect_format::parse_value(value).map_err(|error| {
        let key = String::from_utf8_lossy(key);
        SinkError::Refused(format!(
            "the offsets topic {topic}, key {key}: {error}. Put a good one in its place with `tributary offsets alter`, or \
             remove it with `tributary offsets delete`."
        ))
    })
}

/// Every offset of a connector in the worker's offsets topic.
pub(super) async fn of_connector(
    cluster: &Cluster,
    topic: &InternalTopic,
    connector: &str,
) -> Result<Vec<(SourcePartition, SourceOffset)>, SinkError> {
    if topics::describe(cluster, &topic.name).await?.is_none() {
        return Ok(Vec::new());
    }
    let partition_of = |key: &[u8]| {
        connect_format::parse_key(key).filter(|(name, _)| name == connector).map(|(_, partition)| partition)
    };
    let table = read(cluster, &topic.name, Reader::Asks, |key| partition_of(key).is_some()).await?;
    let mut found = Vec::new();
    for key in table.keys() {
        let Some(partition) = partition_of(key) else { continue };
        found.extend(find(&table, &topic.name, key)?.map(|offset| (partition, offset)));
    }
    Ok(found)
}

/// Writes or removes an offset by hand, and waits until that is durable. With exactly-once delivery that is a transaction
/// of the connector's own id, so that an owner who is still there is fenced and cannot write over it.
pub(super) async fn alter(
    cluster: &Cluster,
    kafka: &KafkaConfig,
    connector: &str,
    partition: &SourcePartition,
    offset: Option<&SourceOffset>,
) -> Result<(), SinkError> {
    let topic = &kafka.offset_topic;
    topics::ensure_compacted(cluster, topic, "offset.storage").await?;
    // What the source kept beside the old offset says nothing about the new one.
    let state_key = connect_format::state_key(connector);
    let stands = read(cluster, &topic.name, Reader::Asks, |key| key == state_key).await?;
    let state = stands.into_values().flatten().next().map(|_| record(&topic.name, state_key, None));
    let record = record(&topic.name, connect_format::key(connector, partition), offset.map(connect_format::value));
    let fail = |error: &KrafkaError| cluster.error("writing an offset", error);
    labels::reach("offset-alter");
    if kafka.exactly_once == ExactlyOnceSupport::Enabled {
        let id = transactional_id(&kafka.group_id, connector);
        let timeout_ms = kafka.producer.transaction_timeout_ms.unwrap_or(ALTER_TIMEOUT_MS);
        let bytes = kafka.in_flight_bytes_max;
        let producer = cluster.transactional_producer(&kafka.producer, bytes, &id, timeout_ms).await?;
        producer.begin().map_err(|error| fail(&error))?;
        let enqueued = async {
            for record in state.into_iter().chain([record]) {
                // Its outcome decides the commit, whoever waits for it.
                let _handle = producer.enqueue(record).await?;
            }
            Ok(())
        };
        let sent = match enqueued.await {
            Ok(()) => producer.commit().await,
            Err(error) => Err(error),
        };
        labels::reach("offset-altered");
        let options = CloseOptions::new().timeout(Duration::from_millis(CLOSE_MS));
        if let Err(error) = producer.close_with(options).await {
            debug!(%error, "closing the producer of an offset");
        }
        return sent.map_err(|error| fail(&error));
    }
    cluster.write(kafka, state.into_iter().chain([record]), "writing an offset").await
}
