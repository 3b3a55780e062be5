//! The connection to the cluster: one for each login, shared by the producers, readers and admin requests of all who have
//! that login: the worker's, and each that a connector names for itself.

use std::{sync::Arc, time::Duration};

use krafka::{
    Compression as Codec, Kafka, KrafkaError, Record,
    admin::{DescribeClusterOptions, DescribeFeaturesOptions},
    error::ErrorCode,
    producer::{Acks, Producer, ProducerBuilder, TransactionalProducer},
};
use tracing::{debug, info, warn};

use super::{errors, security, stopwatch::Stopwatch};
use crate::{
    config::{Compression, KafkaConfig, ProducerSettings, Security},
    sink::SinkError,
};

/// How long finding the cluster may take, all addresses together.
const CONNECT_TIMEOUT_MS: u64 = 30_000;

/// How long a connection to one broker may take.
const BROKER_CONNECT_TIMEOUT_MS: u64 = 10_000;

/// Memory of a producer beyond the records in flight: a single record may be larger than their bound.
const PRODUCER_BYTES_MIN: usize = 128 * 1024 * 1024;

/// The shared connection, and the address by which messages name the cluster.
pub(super) struct Cluster {
    pub(super) kafka: Kafka,
    pub(super) address: String,
    /// Where the login stands, for messages.
    login: &'static str,
    request_timeout_ms: u64,
}

impl Cluster {
    /// Finds the cluster and logs in.
    pub(super) async fn connect(
        config: &KafkaConfig,
        login: &Security,
        named_by: &'static str,
    ) -> Result<Self, SinkError> {
        let address = config.bootstrap_servers.clone();
        let refused = |error: &krafka::KrafkaError| errors::sink_error(&address, named_by, "connecting", error);
        let mut builder = Kafka::builder(&address)
            .client_id(&config.client_id)
            .request_timeout(Duration::from_millis(config.request_timeout_ms))
            // A request's time includes that for its connection.
            .connect_timeout(Duration::from_millis(config.request_timeout_ms.min(BROKER_CONNECT_TIMEOUT_MS)))
            // A worker's topics are few and stay in use; forgetting one would make the next record wait.
            .metadata_topic_cache_ttl(None);
        if let Some(auth) = security::auth(login).map_err(|error| refused(&error))? {
            builder = builder.security(auth);
        }
        let timeout = Duration::from_millis(CONNECT_TIMEOUT_MS);
        let kafka = match tokio::time::timeout(timeout, builder.connect()).await {
            Ok(connected) => connected.map_err(|error| refused(&error))?,
            Err(_) => {
                return Err(SinkError::Unavailable(format!(
                    "Kafka at {address} did not answer within {CONNECT_TIMEOUT_MS} ms. Check bootstrap.servers, \
                     security.protocol and the network."
                )));
            }
        };
        Ok(Self { kafka, address, login: named_by, request_timeout_ms: config.request_timeout_ms })
    }

    /// What an error of the client means to the worker.
    pub(super) fn error(&self, doing: &str, error: &krafka::KrafkaError) -> SinkError {
        errors::sink_error(&self.address, self.login, doing, error)
    }

    /// An idempotent producer with acks=all; the stopwatch sees its acknowledgements.
    pub(super) async fn producer(
        &self,
        settings: &ProducerSettings,
        in_flight_bytes_max: usize,
        stopwatch: Option<&Arc<Stopwatch>>,
    ) -> Result<Producer, SinkError> {
        let mut builder = self.builder(settings, in_flight_bytes_max);
        if let Some(stopwatch) = stopwatch {
            builder = builder.interceptor(Arc::clone(stopwatch));
        }
        let built = builder.build().await;
        built.map_err(|error| self.error("starting a producer", &error))
    }

    /// Writes records of the worker's own, each after the one before is acknowledged.
    pub(super) async fn write(
        &self,
        kafka: &KafkaConfig,
        records: impl IntoIterator<Item = Record>,
        doing: &str,
    ) -> Result<(), SinkError> {
        let producer = self.producer(&kafka.producer, kafka.in_flight_bytes_max, None).await?;
        let send = async {
            for record in records {
                let _written = producer.send(record).await?;
            }
            Ok(())
        };
        let sent = send.await;
        if let Err(error) = producer.close().await {
            debug!(%error, doing, "closing a producer");
        }
        sent.map_err(|error| self.error(doing, &error))
    }

    /// A producer for transactions of this id. An older owner of it is fenced from here on.
    pub(super) async fn transactional_producer(
        &self,
        settings: &ProducerSettings,
        in_flight_bytes_max: usize,
        id: &str,
        transaction_timeout_ms: u64,
    ) -> Result<TransactionalProducer, SinkError> {
        // Neither a record nor a commit is tried for longer than the broker lets the transaction live.
        let delivery_ms = settings.delivery_timeout_ms.min(transaction_timeout_ms);
        let least_ms = settings.linger_ms + self.request_timeout_ms;
        let builder = self
            .builder(settings, in_flight_bytes_max)
            .delivery_timeout(Duration::from_millis(delivery_ms.max(least_ms)))
            .max_block(Duration::from_millis(settings.max_block_ms.min(transaction_timeout_ms / 2)))
            .transaction_timeout(Duration::from_millis(transaction_timeout_ms));
        let built = builder.build_transactional(id).await;
        built.map_err(|error| {
            let doing = format!("starting the producer with the transactional id {id}");
            match error {
                KrafkaError::Broker { code: ErrorCode::InvalidTransactionTimeout, .. } => SinkError::Refused(format!(
                    "Kafka at {}, {doing}: the brokers allow no transaction of {transaction_timeout_ms} ms \
                     (transaction.max.timeout.ms). Lower transaction.boundary.interval.ms, or set \
                     producer.override.transaction.timeout.ms.",
                    self.address
                )),
                error => self.error(&doing, &error),
            }
        })
    }

    fn builder(&self, settings: &ProducerSettings, in_flight_bytes_max: usize) -> ProducerBuilder {
        let compression = match settings.compression {
            Compression::None => Codec::None,
            Compression::Gzip => Codec::Gzip,
            Compression::Snappy => Codec::Snappy,
            Compression::Lz4 => Codec::Lz4,
            Compression::Zstd => Codec::Zstd,
        };
        let level = match settings.compression {
            Compression::Gzip => settings.gzip_level,
            Compression::Zstd => settings.zstd_level,
            Compression::None | Compression::Snappy | Compression::Lz4 => None,
        };
        let batch_bytes = settings.request_bytes_max.map_or(settings.batch_bytes, |max| settings.batch_bytes.min(max));
        let mut builder = self
            .kafka
            .producer()
            .acks(Acks::All)
            .idempotent(true)
            .compression(compression)
            .compression_level(level)
            .batch_size(batch_bytes)
            .linger(Duration::from_millis(settings.linger_ms))
            .delivery_timeout(Duration::from_millis(settings.delivery_timeout_ms))
            .max_block(Duration::from_millis(settings.max_block_ms))
            .retry_backoff(Duration::from_millis(settings.retry_backoff_ms))
            // The bound is on records in flight; the producer's own must not be met first.
            .buffer_memory(in_flight_bytes_max.saturating_mul(2).max(PRODUCER_BYTES_MIN))
            .metrics_push(false);
        if let Some(bytes) = settings.request_bytes_max {
            builder = builder.max_request_size(bytes);
        }
        builder
    }

    /// Its id, if it says it.
    pub(super) async fn id(&self) -> Option<String> {
        let options = DescribeClusterOptions::default().timeout(Duration::from_secs(5));
        Some(self.kafka.admin().describe_cluster(options).await.ok()?.cluster_id)
    }

    /// One line about the cluster for whoever reads the log.
    pub(super) async fn report(&self) {
        let options = DescribeFeaturesOptions::default().timeout(Duration::from_secs(5));
        let features = self.kafka.admin().describe_features(options).await;
        let version = features.ok().and_then(|features| {
            features.finalized.iter().find(|f| f.name == "transaction.version").map(|f| f.max_version_level)
        });
        if let Some(version) = version.filter(|version| *version < 2) {
            warn!(
                version,
                "transaction.version of this cluster is below 2: exactly-once delivery would not be safe on it"
            );
        }
        info!(
            bootstrap_servers = %self.address,
            transaction_version = version.map_or_else(|| "unknown".to_owned(), |version| version.to_string()),
            "connected to Kafka"
        );
    }
}
