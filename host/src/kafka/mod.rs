//! Apache Kafka: topics, offsets in a compacted topic in Kafka Connect's format, delivery exactly once in transactions or
//! at least once by an idempotent producer. The only user of the Kafka client, krafka.
//!
//! krafka is pinned: it is young and this folder relies on what was tested with that version (order of enqueueing, which
//! calls are safe to cancel, what a failed batch does to the next). An upgrade passes the kill and broker tests first.
//!
//! `cluster` is the connection that every connector without a login of its own shares, `topics` what is asked of the
//! cluster's topics, `connectors` those of a service, `group` the workers that share them, `preflight` the same for `validate --online`, `offsets` the compacted topic, `sink` a task's way out at
//! least once, `transactions` that exactly once, `in_flight` what both keep of records on their way, `stopwatch` how long that takes.

mod cluster;
mod connectors;
mod errors;
mod group;
mod in_flight;
mod offsets;
mod preflight;
mod records;
mod security;
mod sink;
mod stopwatch;
mod topics;
mod transactions;

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use tokio::sync::Mutex;

use cluster::Cluster;
use sink::KafkaSink;
use transactions::TransactionalSink;

use crate::{
    check::Check,
    config::{ConnectorConfig, Delivery, InternalTopic, KafkaConfig, OwnLogin, Security, WorkerConfig},
    record::{SourceOffset, SourcePartition},
    sink::{Backend, Opened, SinkError},
    telemetry::TaskMetrics,
};

/// Where the worker's own login stands, for messages.
const WORKER_LOGIN: &str = "security.protocol, sasl.* and ssl.* of the worker file";

/// Kafka as the destination of a worker's connectors. Connects when the first of them starts.
pub struct KafkaBackend {
    worker: WorkerConfig,
    kafka: KafkaConfig,
    /// The worker's connection, with the login that it was made with.
    cluster: Mutex<Option<(Security, Arc<Cluster>)>>,
    /// Connections of connectors with a login of their own; those with the same one share.
    own: Mutex<Vec<(Security, Weak<Cluster>)>>,
}

/// The connections of one task: the same one twice, unless the connector has a login of its own.
struct Ways {
    /// With the connector's login.
    records: Arc<Cluster>,
    /// With the worker's.
    worker: Arc<Cluster>,
}

impl KafkaBackend {
    /// Of the worker's settings; `None` when they name no cluster. Contacts nothing yet.
    #[must_use]
    pub fn new(worker: &WorkerConfig) -> Option<Self> {
        let kafka = worker.kafka.clone()?;
        Some(Self { worker: worker.clone(), kafka, cluster: Mutex::new(None), own: Mutex::default() })
    }

    /// The worker's connection to the cluster; another one when its secrets were rotated since.
    async fn cluster(&self) -> Result<Arc<Cluster>, SinkError> {
        let security = self.worker.security_now().unwrap_or_default();
        let mut cell = self.cluster.lock().await;
        if let Some((_, cluster)) = cell.as_ref().filter(|(login, _)| *login == security) {
            return Ok(Arc::clone(cluster));
        }
        let cluster = Arc::new(Cluster::connect(&self.kafka, &security, WORKER_LOGIN).await?);
        cluster.report().await;
        *cell = Some((security, Arc::clone(&cluster)));
        Ok(cluster)
    }

    /// The connection that a connector's records take.
    async fn cluster_of(&self, login: Option<&OwnLogin>) -> Result<Arc<Cluster>, SinkError> {
        let Some(login) = login else { return self.cluster().await };
        let mut own = self.own.lock().await;
        own.retain(|(_, cluster)| cluster.strong_count() > 0);
        let shared =
            own.iter().find(|(security, _)| *security == login.security).and_then(|(_, cluster)| cluster.upgrade());
        if let Some(cluster) = shared {
            return Ok(cluster);
        }
        let cluster = Arc::new(Cluster::connect(&self.kafka, &login.security, login.named_by).await?);
        cluster.report().await;
        own.push((login.security.clone(), Arc::downgrade(&cluster)));
        Ok(cluster)
    }
}

#[async_trait]
impl Backend for KafkaBackend {
    /// The producer first, then the offset: what an older owner still had under way is in the topic by then.
    async fn open(&self, connector: &ConnectorConfig, metrics: &Arc<TaskMetrics>) -> Result<Opened, SinkError> {
        let settings = connector
            .host_settings(&self.worker)
            .map_err(|findings| SinkError::Refused(format!("the connector's settings cannot be used:\n{findings}")))?;
        let ways = Ways { records: self.cluster_of(settings.login.as_ref()).await?, worker: self.cluster().await? };
        let flush_ms = self.worker.offset_flush_interval_ms;
        match settings.delivery {
            Delivery::AtLeastOnce => {
                let sink = KafkaSink::new(ways, &self.kafka, flush_ms, connector, settings, metrics);
                let (sink, committed) = sink.await?;
                Ok(Opened { sink: Box::new(sink), committed })
            }
            Delivery::ExactlyOnce { boundary, transaction_timeout_ms } => {
                let ends = (boundary, transaction_timeout_ms);
                let sink = TransactionalSink::new(ways, &self.kafka, flush_ms, connector, settings, ends, metrics);
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

    async fn preflight(&self, connector: &ConnectorConfig, topics: &[String]) -> Vec<Check> {
        let settings = match connector.host_settings(&self.worker) {
            Ok(settings) => settings,
            Err(findings) => return vec![Check::fail_text("kafka", &findings.to_string())],
        };
        let records = match self.cluster_of(settings.login.as_ref()).await {
            Ok(cluster) => cluster,
            Err(error) => return vec![preflight::refused("kafka", &error)],
        };
        let mut checks = vec![preflight::connection(&records).await];
        for topic in topics {
            let plan = settings.topic_creation.plan(topic).filter(|_| self.kafka.topic_creation_enabled);
            checks.push(preflight::topic(&records, topic, plan).await);
        }
        let own_topic = settings.offsets_topic.map(|name| InternalTopic { name, ..self.kafka.offset_topic.clone() });
        checks.push(match (own_topic, self.cluster().await) {
            (Some(topic), _) => preflight::offsets_topic(&records, &topic).await,
            (None, Ok(worker)) => preflight::offsets_topic(&worker, &self.kafka.offset_topic).await,
            (None, Err(error)) => preflight::refused("offsets-topic", &error),
        });
        checks
    }

    async fn cluster_id(&self) -> Option<String> {
        self.cluster().await.ok()?.id().await
    }

    fn describe(&self) -> String {
        format!("Kafka at {}", self.kafka.bootstrap_servers)
    }
}

#[cfg(test)]
mod tests;
