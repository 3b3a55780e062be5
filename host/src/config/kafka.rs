//! The worker's settings about Kafka: where it is, how to log in, how to write, where offsets are.

use std::fmt;

use super::{
    delivery::ExactlyOnceSupport,
    login::is_shared,
    producer::{ProducerSettings, is_connection},
    secret::shown,
    security::{self, Security},
    values::{boolean, list},
    worker::Reader,
};

/// Prefixes under which a worker file may repeat a client setting, the one that counts first.
const CLIENTS: [&str; 4] = ["producer.", "", "admin.", "consumer."];

/// How to reach Kafka, and how to write there.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// `bootstrap.servers`.
    pub bootstrap_servers: String,
    /// `client.id`.
    pub client_id: String,
    /// `group.id`.
    pub group_id: String,
    /// `session.timeout.ms`.
    pub session_timeout_ms: u64,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval_ms: u64,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// `request.timeout.ms`.
    pub request_timeout_ms: u64,
    /// `security.protocol`, `sasl.*`, `ssl.*`.
    pub security: Security,
    /// Of these, by name, what holds no credentials and so is shared with connectors that have their own login.
    pub shared_connection: Vec<(String, String)>,
    /// `offset.storage.*`.
    pub offset_topic: InternalTopic,
    /// `status.storage.*`.
    pub status_topic: InternalTopic,
    /// `config.storage.*`.
    pub config_topic: InternalTopic,
    /// `producer.*`.
    pub producer: ProducerSettings,
    /// `topic.creation.enable`.
    pub topic_creation_enabled: bool,
    /// `exactly.once.source.support`.
    pub exactly_once: ExactlyOnceSupport,
    /// `tributary.in.flight.records.max`: records of one connector that are not acknowledged.
    pub in_flight_records_max: usize,
    /// `tributary.in.flight.bytes.max`: bytes of those records.
    pub in_flight_bytes_max: usize,
}

/// A compacted topic of the worker's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopic {
    /// Its name.
    pub name: String,
    /// Partitions when it is created; -1 for the broker's default.
    pub partitions: i32,
    /// Replicas when it is created; -1 for the broker's default.
    pub replication_factor: i16,
    /// Other settings when it is created.
    pub configs: Vec<(String, String)>,
}

/// The name of a setting of the connection without the prefix of a client, if it is one.
pub(super) fn connection_setting(name: &str) -> Option<&str> {
    CLIENTS.iter().filter_map(|prefix| name.strip_prefix(prefix)).find(|setting| is_connection(setting))
}

/// Whether a setting of the worker has a meaning with Kafka alone.
pub(super) fn is_about_kafka(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "client.id",
        "group.id",
        "group.instance.id",
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "request.timeout.ms",
        "topic.creation.enable",
        "offset.flush.interval.ms",
    ];
    const STEMS: [&str; 5] =
        ["config.storage.", "status.storage.", "offset.storage.", "producer.", "tributary.in.flight."];
    connection_setting(name).is_some() || NAMES.contains(&name) || STEMS.iter().any(|stem| name.starts_with(stem))
}

impl Reader<'_> {
    pub(super) fn kafka(&mut self) -> Option<KafkaConfig> {
        let bootstrap_servers = self.get("bootstrap.servers")?.to_owned();
        self.check_servers(&bootstrap_servers);
        let (security, shared_connection) = self.security();
        let request_timeout_ms = self.number("request.timeout.ms", 1_000..=2_147_483_647);
        let mut producer = ProducerSettings::default();
        for (property, value) in self.properties {
            if let Some(name) = property.strip_prefix("producer.").filter(|name| !is_connection(name)) {
                producer.set(name, property, value, &mut self.findings);
            }
        }
        producer.check("producer.", request_timeout_ms, &mut self.findings);
        let enabled = self.get("topic.creation.enable");
        let enabled = enabled.and_then(|value| boolean("topic.creation.enable", value, &mut self.findings));
        let exactly_once = self.get("exactly.once.source.support");
        let exactly_once = ExactlyOnceSupport::read(exactly_once, true, &mut self.findings);
        let session_timeout_ms = self.number("session.timeout.ms", 1..=1_800_000);
        let heartbeat_interval_ms = self.number("heartbeat.interval.ms", 1..=600_000);
        if heartbeat_interval_ms >= session_timeout_ms {
            let reason = format!("is not below session.timeout.ms, which is {session_timeout_ms}");
            let value = Some(heartbeat_interval_ms.to_string());
            self.findings.error("heartbeat.interval.ms", value.as_deref(), reason, "Make it at most a third of that.");
        }
        Some(KafkaConfig {
            bootstrap_servers,
            client_id: self.text("client.id"),
            group_id: self.text("group.id"),
            session_timeout_ms,
            heartbeat_interval_ms,
            group_instance_id: self.get("group.instance.id").map(str::to_owned),
            request_timeout_ms,
            security,
            shared_connection,
            offset_topic: self.internal_topic("offset.storage."),
            config_topic: self.internal_topic("config.storage."),
            status_topic: self.internal_topic("status.storage."),
            producer,
            topic_creation_enabled: enabled.unwrap_or(true),
            exactly_once,
            in_flight_records_max: self.number("tributary.in.flight.records.max", 1..=1_000_000),
            in_flight_bytes_max: self.number("tributary.in.flight.bytes.max", 1024..=4 * 1024 * 1024 * 1024),
        })
    }

    fn check_servers(&mut self, servers: &str) {
        for server in list(servers) {
            let port = server.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
            if port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) || server.contains("://") {
                let reason = format!("holds {}, which is not host:port", shown("bootstrap.servers", &server));
                let remedy = "Write host:port, more of them with commas; security.protocol says how to speak.";
                self.findings.error("bootstrap.servers", Some(servers), reason, remedy);
            }
        }
    }

    /// Of the settings that begin so.
    fn internal_topic(&mut self, stem: &str) -> InternalTopic {
        let own = ["topic", "partitions", "replication.factor", "file.filename"];
        let configs = self.properties.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(stem)?;
            (!own.contains(&name)).then(|| (name.to_owned(), value.clone()))
        });
        let configs: Vec<(String, String)> = configs.collect();
        if let Some((_, value)) = configs.iter().find(|(name, value)| name == "cleanup.policy" && value != "compact") {
            let reason = "would let what the topic holds be deleted";
            self.findings.error(&format!("{stem}cleanup.policy"), Some(value), reason, "Remove the line.");
        }
        InternalTopic {
            name: self.text(&format!("{stem}topic")),
            // Of configurations the order counts.
            partitions: if stem == "config.storage." {
                1
            } else {
                self.positive(&format!("{stem}partitions"), i32::MAX)
            },
            replication_factor: self.positive(&format!("{stem}replication.factor"), i16::MAX),
            configs,
        }
    }

    /// -1 or a positive number.
    fn positive<T>(&mut self, name: &str, max: T) -> T
    where
        T: std::str::FromStr + PartialOrd + fmt::Display + Copy + From<i8>,
    {
        if self.get(name) == Some("0") {
            let remedy = "Write -1 for the broker's own default, or a number of 1 or more.";
            self.findings.error(name, Some("0"), "is neither -1 nor positive", remedy);
        }
        self.number(name, T::from(-1)..=max)
    }

    /// One connection serves producers, consumers and admin requests, so that the prefixes lead to the same settings.
    fn security(&mut self) -> (Security, Vec<(String, String)>) {
        let properties = self.properties;
        let get = move |name: &str| {
            let mut given = CLIENTS.iter().filter_map(|prefix| {
                let name = format!("{prefix}{name}");
                properties.iter().find(|(key, _)| *key == name).map(|(key, value)| (key.as_str(), value.as_str()))
            });
            given.next()
        };
        for (property, value) in properties {
            let setting = CLIENTS.iter().filter(|prefix| !prefix.is_empty()).find_map(|p| property.strip_prefix(p));
            let Some((counts, effective)) = setting.filter(|name| is_connection(name)).and_then(get) else { continue };
            if effective != value {
                let reason = format!("differs from {counts}, which counts: one connection serves every purpose");
                self.findings.warning(property, None, reason, "Make them equal, or remove one.");
            }
        }
        let shared =
            properties.iter().filter_map(|(property, _)| connection_setting(property)).filter(|n| is_shared(n));
        let shared = shared.filter_map(|name| get(name).map(|(_, value)| (name.to_owned(), value.to_owned())));
        let shared = shared.collect();
        (security::read(&get, &mut self.findings), shared)
    }
}
