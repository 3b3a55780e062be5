//! Apache Kafka: topics, offsets in a compacted topic in Kafka Connect's format, delivery exactly once in transactions or
//! at least once by an idempotent producer. The only user of the Kafka client, krafka.
//!
//! krafka is pinned: it is young and this folder relies on what was tested with that version (order of enqueueing, which
//! calls are safe to cancel, what a failed batch does to the next). An upgrade passes the kill and broker tests first.
//!
//! `cluster` is the connection that every connector shares, `topics` what is asked of the cluster's topics, `offsets` the
//! compacted topic, `sink` a task's way out at least once, `transactions` that exactly once, `in_flight` what both keep of
//! records on their way.

mod cluster;
mod errors;
mod in_flight;
mod offsets;
mod records;
mod security;
mod sink;
mod topics;
mod transactions;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use cluster::Cluster;
use sink::KafkaSink;
use transactions::TransactionalSink;

use crate::{
    config::{ConnectorConfig, Delivery, KafkaConfig, WorkerConfig},
    record::{SourceOffset, SourcePartition},
    sink::{Backend, Opened, SinkError},
};

/// Kafka as the destination of a worker's connectors. Connects when the first of them starts.
pub struct KafkaBackend {
    worker: WorkerConfig,
    kafka: KafkaConfig,
    cluster: Mutex<Option<Arc<Cluster>>>,
}

impl KafkaBackend {
    /// Of the worker's settings; `None` when they name no cluster. Contacts nothing yet.
    #[must_use]
    pub fn new(worker: &WorkerConfig) -> Option<Self> {
        let kafka = worker.kafka.clone()?;
        Some(Self { worker: worker.clone(), kafka, cluster: Mutex::new(None) })
    }

    /// The one connection to the cluster.
    async fn cluster(&self) -> Result<Arc<Cluster>, SinkError> {
        let mut cell = self.cluster.lock().await;
        if let Some(cluster) = cell.as_ref() {
            return Ok(Arc::clone(cluster));
        }
        let cluster = Arc::new(Cluster::connect(&self.kafka).await?);
        *cell = Some(Arc::clone(&cluster));
        Ok(cluster)
    }
}

#[async_trait]
impl Backend for KafkaBackend {
    /// The producer first, then the offset: what an older owner still had under way is in the topic by then.
    async fn open(&self, connector: &ConnectorConfig) -> Result<Opened, SinkError> {
        let settings = connector
            .host_settings(&self.worker)
            .map_err(|findings| SinkError::Refused(format!("the connector's settings cannot be used:\n{findings}")))?;
        let cluster = self.cluster().await?;
        let flush_ms = self.worker.offset_flush_interval_ms;
        match settings.delivery {
            Delivery::AtLeastOnce => {
                let sink = KafkaSink::new(cluster, &self.kafka, flush_ms, connector, settings);
                let (sink, committed) = sink.await?;
                Ok(Opened { sink: Box::new(sink), committed })
            }
            Delivery::ExactlyOnce { boundary, transaction_timeout_ms } => {
                let ends = (boundary, transaction_timeout_ms);
                let sink = TransactionalSink::new(cluster, &self.kafka, flush_ms, connector, settings, ends);
                let (sink, committed) = sink.await?;
                Ok(Opened { sink: Box::new(sink), committed })
            }
        }
    }

    async fn offsets(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>, SinkError> {
        let cluster = self.cluster().await?;
        offsets::of_connector(&cluster, &self.kafka.offset_topic, connector).await
    }

    async fn alter_offset(
        &self,
        connector: &str,
        partition: &SourcePartition,
        offset: Option<&SourceOffset>,
    ) -> Result<(), SinkError> {
        let cluster = self.cluster().await?;
        offsets::alter(&cluster, &self.kafka, connector, partition, offset).await
    }

    fn describe(&self) -> String {
        format!("Kafka at {}", self.kafka.bootstrap_servers)
    }
}

#[cfg(test)]
mod tests;
