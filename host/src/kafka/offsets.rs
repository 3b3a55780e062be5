//! The offsets topic: compacted, with Kafka Connect's keys and values, partitioned by Kafka's default partitioner
//! (murmur2 of the key), so that Kafka Connect reads ours and we read its.

use std::time::{Duration, Instant};

use krafka::{
    KrafkaError, Record,
    consumer::{CompactedTable, CompactedTopicConsumer},
};
use tracing::{debug, info};

use super::{cluster::Cluster, topics};
use crate::{
    config::{InternalTopic, KafkaConfig},
    offsets::connect_format,
    record::{SourceOffset, SourcePartition},
    sink::SinkError,
};

/// How long reading the whole topic may take.
const READ_TIMEOUT_MS: u64 = 120_000;

/// Reading says every so often how far it is.
const PROGRESS_MS: u64 = 5_000;

/// How long the broker holds a fetch without news; the end of the topic is found by such a fetch.
const FETCH_WAIT_MS: u64 = 50;

/// The record that stores an offset; without an offset, the tombstone that removes it.
pub(super) fn record(topic: &str, key: Vec<u8>, offset: Option<&SourceOffset>) -> Record {
    match offset {
        Some(offset) => Record::new(topic, connect_format::value(offset)).key(key),
        None => Record::tombstone(topic, key),
    }
}

/// Reads the topic, which exists, to the end that it has at the time of the call; committed records only.
pub(super) async fn read(cluster: &Cluster, topic: &str) -> Result<CompactedTable, SinkError> {
    let started = Instant::now();
    let fail = |error: &KrafkaError| cluster.error(&format!("reading the offsets topic {topic}"), error);
    let builder =
        cluster.kafka.consumer_without_group().fetch_max_wait(Duration::from_millis(FETCH_WAIT_MS)).metrics_push(false);
    let mut reader =
        CompactedTopicConsumer::from_consumer_builder(builder, topic).await.map_err(|error| fail(&error))?;
    let poll = Duration::from_millis(FETCH_WAIT_MS);
    loop {
        match reader.scan_with_timeout(poll, Duration::from_millis(PROGRESS_MS)).await {
            Ok(()) => break,
            Err(error) if error.is_retriable() && started.elapsed() < Duration::from_millis(READ_TIMEOUT_MS) => {
                let records = reader.table().records_processed();
                if matches!(error, KrafkaError::Timeout { .. }) {
                    info!(topic, records, "still reading the offsets topic");
                } else {
                    // A new topic's leaders settle, or a broker leaves.
                    debug!(topic, %error, "the offsets topic cannot be read yet");
                    tokio::time::sleep(poll).await;
                }
            }
            Err(error) => return Err(fail(&error)),
        }
    }
    let (consumer, table) = reader.into_parts();
    if let Err(error) = consumer.close().await {
        debug!(topic, %error, "closing the reader of the offsets topic");
    }
    let (keys, records) = (table.len(), table.records_processed());
    debug!(topic, keys, records, took_ms = started.elapsed().as_millis(), "read the offsets topic");
    Ok(table)
}

/// The offset under a key.
///
/// # Errors
/// There is one and it is not understood: to begin anew instead would lose or repeat records without a word.
pub(super) fn find(table: &CompactedTable, topic: &str, key: &[u8]) -> Result<Option<SourceOffset>, SinkError> {
    let value = table.get_value(key);
    connect_format::parse_value(value.map(AsRef::as_ref)).map_err(|error| {
        SinkError::Refused(format!("the offsets topic {topic}, key {}: {error}", String::from_utf8_lossy(key)))
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
    let table = read(cluster, &topic.name).await?;
    let mut keys: Vec<_> = table.keys().collect();
    keys.sort_unstable();
    let mut found = Vec::new();
    for key in keys {
        let Some((_, partition)) = connect_format::parse_key(key).filter(|(name, _)| name == connector) else {
            continue;
        };
        found.extend(find(&table, &topic.name, key)?.map(|offset| (partition, offset)));
    }
    Ok(found)
}

/// Writes or removes an offset by hand, and waits until that is durable.
pub(super) async fn alter(
    cluster: &Cluster,
    kafka: &KafkaConfig,
    connector: &str,
    partition: &SourcePartition,
    offset: Option<&SourceOffset>,
) -> Result<(), SinkError> {
    let topic = &kafka.offset_topic;
    topics::ensure_compacted(cluster, topic).await?;
    let producer = cluster.producer(&kafka.producer, kafka.in_flight_bytes_max).await?;
    let sent = producer.send(record(&topic.name, connect_format::key(connector, partition), offset)).await;
    if let Err(error) = producer.close().await {
        debug!(%error, "closing the producer of an offset");
    }
    sent.map(|_| ()).map_err(|error| cluster.error("writing an offset", &error))
}
