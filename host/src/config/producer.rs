//! Settings of the Kafka producer: `producer.*` of the worker file, `producer.override.*` of a connector (KIP-458). Names
//! and ranges are those of Kafka's `ProducerConfig`; defaults are ours where measurement asked for it.

use super::{findings::Findings, nearest::did_you_mean, values::number};

/// How record batches are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// What a producer is built with. Durations are in milliseconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerSettings {
    /// `compression.type`.
    pub compression: Compression,
    /// `compression.gzip.level`, or `None` for the codec's own.
    pub gzip_level: Option<i32>,
    /// `compression.zstd.level`, or `None` for the codec's own.
    pub zstd_level: Option<i32>,
    /// `linger.ms`: how long a batch waits for more records.
    pub linger_ms: u64,
    /// `batch.size`. 256 KiB: with Kafka's 16 KiB the throughput is a third to an eighth.
    pub batch_bytes: usize,
    /// `max.request.size`; `None` leaves the bound to the broker.
    pub request_bytes_max: Option<usize>,
    /// `delivery.timeout.ms`: from `send` to the acknowledgement, tries included.
    pub delivery_timeout_ms: u64,
    /// `max.block.ms`: how long handing over a record may wait.
    pub max_block_ms: u64,
    /// `retry.backoff.ms`: the first pause between two tries.
    pub retry_backoff_ms: u64,
    /// `transaction.timeout.ms`; `None`: it follows from the boundary of the transactions.
    pub transaction_timeout_ms: Option<u64>,
}

impl Default for ProducerSettings {
    fn default() -> Self {
        Self {
            compression: Compression::None,
            gzip_level: None,
            zstd_level: None,
            linger_ms: 5,
            batch_bytes: 256 * 1024,
            request_bytes_max: None,
            delivery_timeout_ms: 120_000,
            max_block_ms: 30_000,
            retry_backoff_ms: 100,
            transaction_timeout_ms: None,
        }
    }
}

/// Settings of Kafka's producer that are known and have no effect here, with the reason.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("acks", "every record is acknowledged by all in-sync replicas"),
    ("enable.idempotence", "the producer is always idempotent"),
    ("max.in.flight.requests.per.connection", "the client keeps the order by itself"),
    ("retries", "delivery.timeout.ms alone bounds the tries"),
    ("retry.backoff.max.ms", "the client's longest pause between two tries is 1 s"),
    ("buffer.memory", "tributary.in.flight.bytes.max of the worker file bounds the memory"),
    ("compression.lz4.level", "the client compresses with one level"),
    ("partitioner.class", "Kafka's default partitioner is used: murmur2 of the key"),
    ("partitioner.ignore.keys", "Kafka's default partitioner is used: murmur2 of the key"),
    ("partitioner.adaptive.partitioning.enable", "Kafka's default partitioner is used: murmur2 of the key"),
    ("partitioner.availability.timeout.ms", "Kafka's default partitioner is used: murmur2 of the key"),
    ("key.serializer", "records arrive as bytes"),
    ("value.serializer", "records arrive as bytes"),
    ("interceptor.classes", "there are no Java classes here"),
    ("metric.reporters", "there are no Java classes here"),
    ("metrics.num.samples", "the client has no Java metrics"),
    ("metrics.recording.level", "the client has no Java metrics"),
    ("metrics.sample.window.ms", "the client has no Java metrics"),
    ("enable.metrics.push", "the client pushes no metrics"),
    ("transactional.id", "the worker chooses it"),
    ("client.id", "one connection to the cluster serves every connector; client.id of the worker file names it"),
    ("bootstrap.servers", "one connection to the cluster serves every connector; the worker file says where it is"),
    ("request.timeout.ms", "one connection to the cluster serves every connector; set it in the worker file"),
    ("metadata.max.age.ms", "the client's own value is used"),
    ("metadata.max.idle.ms", "the client's own value is used"),
    ("connections.max.idle.ms", "the client's own value is used"),
    ("reconnect.backoff.ms", "the client's own value is used"),
    ("reconnect.backoff.max.ms", "the client's own value is used"),
    ("send.buffer.bytes", "the operating system's value is used"),
    ("receive.buffer.bytes", "the operating system's value is used"),
    ("client.dns.lookup", "every address of a broker's name is tried"),
];

const USED: &[&str] = &[
    "compression.type",
    "compression.gzip.level",
    "compression.zstd.level",
    "linger.ms",
    "batch.size",
    "max.request.size",
    "delivery.timeout.ms",
    "max.block.ms",
    "retry.backoff.ms",
    "transaction.timeout.ms",
];

/// The range of every duration, in milliseconds: Kafka's is that of a 32-bit number.
const MS: std::ops::RangeInclusive<u64> = 0..=2_147_483_647;

/// The range of `transaction.timeout.ms`: below it a commit has no time, and no broker takes more than a day.
const TRANSACTION_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 5_000..=86_400_000;

impl ProducerSettings {
    /// Takes over one setting, whose name comes without its prefix; `property` is the name as the file has it. A setting
    /// without effect is noted as ignored, an unknown one as a warning, a bad value as an error.
    pub fn set(&mut self, name: &str, property: &str, value: &str, findings: &mut Findings) {
        match name {
            "compression.type" => match value.trim() {
                "none" => self.compression = Compression::None,
                "gzip" => self.compression = Compression::Gzip,
                "snappy" => self.compression = Compression::Snappy,
                "lz4" => self.compression = Compression::Lz4,
                "zstd" => self.compression = Compression::Zstd,
                _ => {
                    findings.error(property, Some(value), "is no compression", "Write none, gzip, snappy, lz4 or zstd.")
                }
            },
            "compression.gzip.level" => self.gzip_level = number(property, value, -1..=9, findings).filter(|x| *x >= 0),
            "compression.zstd.level" => self.zstd_level = number(property, value, -131_072..=22, findings),
            "linger.ms" => assign(&mut self.linger_ms, number(property, value, MS, findings)),
            "batch.size" => {
                // Kafka takes 0 for "no batching"; the client wants at least one byte, which is the same.
                let size = number(property, value, 0..=self.batch_bytes.max(16 * 1024 * 1024), findings);
                assign(&mut self.batch_bytes, size.map(|size| size.max(1)));
            }
            "max.request.size" => {
                // A request needs room for its own framing.
                self.request_bytes_max = number(property, value, 1024..=100 * 1024 * 1024, findings);
            }
            "delivery.timeout.ms" => assign(&mut self.delivery_timeout_ms, number(property, value, MS, findings)),
            "max.block.ms" => {
                // Kafka Connect itself sets 2^63-1 here; a sink must be able to say within a day that it is stuck.
                let wait = number(property, value, 0..=u64::MAX, findings);
                assign(&mut self.max_block_ms, wait.map(|wait| wait.min(86_400_000)));
            }
            "retry.backoff.ms" => assign(&mut self.retry_backoff_ms, number(property, value, MS, findings)),
            "transaction.timeout.ms" => {
                self.transaction_timeout_ms = number(property, value, TRANSACTION_TIMEOUT_MS, findings);
            }
            _ => note(name, property, findings),
        }
    }

    /// Checks the settings against each other and against the connection's `request.timeout.ms`.
    pub fn check(&self, prefix: &str, request_timeout_ms: u64, findings: &mut Findings) {
        let least = self.linger_ms + request_timeout_ms;
        if self.delivery_timeout_ms < least {
            findings.error(
                &format!("{prefix}delivery.timeout.ms"),
                Some(&self.delivery_timeout_ms.to_string()),
                format!("is less than linger.ms + request.timeout.ms = {least}, so that no record could be sent"),
                format!("Write {least} or more, or a smaller request.timeout.ms."),
            );
        }
        if self.request_bytes_max.is_some_and(|bytes| bytes < self.batch_bytes) {
            // As in Kafka's own client, where a batch never outgrows a request: not an error of the person's making.
            findings.warning(
                &format!("{prefix}max.request.size"),
                self.request_bytes_max.map(|bytes| bytes.to_string()).as_deref(),
                format!("is less than batch.size = {}, so batches are held to it", self.batch_bytes),
                "",
            );
        }
    }
}

fn assign<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn note(name: &str, property: &str, findings: &mut Findings) {
    if let Some((_, reason)) = WITHOUT_EFFECT.iter().find(|(known, _)| *known == name) {
        findings.ignored(property, *reason);
    } else {
        let known = USED.iter().copied().chain(WITHOUT_EFFECT.iter().map(|(known, _)| *known));
        findings.warning(property, None, "is no setting of the Kafka producer", did_you_mean(name, known));
    }
}

/// Whether a client setting, without prefix, is about the connection: `login` and `security` read those.
pub(crate) fn is_connection(name: &str) -> bool {
    name == "security.protocol"
        || name.starts_with("sasl.")
        || name.starts_with("ssl.")
        || name.starts_with("security.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (ProducerSettings, Findings) {
        let (mut settings, mut findings) = (ProducerSettings::default(), Findings::new());
        for (name, value) in pairs {
            settings.set(name, &format!("producer.override.{name}"), value, &mut findings);
        }
        settings.check("producer.override.", 30_000, &mut findings);
        (settings, findings)
    }

    #[test]
    fn settings() {
        let (settings, findings) = read(&[
            ("compression.type", "zstd"),
            ("compression.zstd.level", "3"),
            ("linger.ms", "20"),
            ("batch.size", "0"),
            ("max.block.ms", "9223372036854775807"),
            ("delivery.timeout.ms", "2147483647"),
        ]);
        assert!(findings.is_empty(), "{findings}");
        assert_eq!((settings.compression, settings.zstd_level), (Compression::Zstd, Some(3)));
        assert_eq!((settings.linger_ms, settings.batch_bytes, settings.max_block_ms), (20, 1, 86_400_000));
    }

    #[test]
    fn notes() {
        let cases = [
            ("compression.type", "brotli", "none, gzip, snappy, lz4 or zstd"),
            ("linger.ms", "-1", "whole number"),
            ("delivery.timeout.ms", "100", "linger.ms + request.timeout.ms"),
            ("max.request.size", "1048576", ""),
            ("max.request.size", "2048", "held to it"),
            ("lingerms", "5", "Did you mean linger.ms?"),
            ("batch.size", "x", "whole number"),
            ("transaction.timeout.ms", "4999", "out of range"),
            ("transaction.timeout.ms", "5000", ""),
            ("transaction.timeout.ms", "86400000", ""),
            ("transaction.timeout.ms", "86400001", "out of range"),
        ];
        for (name, value, expected) in cases {
            let (_, findings) = read(&[(name, value)]);
            assert!(findings.to_string().contains(expected), "{name}: {findings}");
            assert_eq!(findings.is_empty(), expected.is_empty(), "{name}: {findings}");
        }
        for name in ["acks", "client.id", "retries"] {
            let (settings, findings) = read(&[(name, "1")]);
            assert_eq!(settings, ProducerSettings::default());
            assert!(findings.len() == 1 && !findings.has_errors() && findings.to_string().is_empty(), "{name}");
        }
    }
}
