//! The worker's settings, from a Java `.properties` file with Kafka Connect's names (`worker_keys.rs`).

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    delivery::ExactlyOnceSupport,
    document,
    findings::{ConfigError, Findings, Loaded},
    kafka::{self, KafkaConfig},
    keys::{Key, Treatment},
    nearest::did_you_mean,
    properties,
    provider_settings::ProviderSettings,
    providers::Providers,
    proxy::ProxySettings,
    rest::RestConfig,
    security::{self, Security},
    values::{last, list, number},
    worker_keys::WORKER_KEYS,
};

/// The worker's settings, from the worker file.
#[derive(Clone)]
pub struct WorkerConfig {
    /// `tributary.data.dir`: where the embedded log is.
    pub data_dir: PathBuf,
    /// `tributary.data.key.file`: keys that encrypt the connectors of a service there.
    pub data_key_file: Option<PathBuf>,
    /// Everything about Kafka, or `None` for the embedded log (no `bootstrap.servers`).
    pub kafka: Option<KafkaConfig>,
    /// Where components may connect.
    pub network: NetworkConfig,
    /// `tributary.instance.memory.max.bytes`.
    pub instance_memory_max_bytes: usize,
    /// Where the REST API of a service listens, and who may ask.
    pub rest: RestConfig,
    /// `offset.flush.interval.ms`.
    pub offset_flush_interval_ms: u64,
    /// `plugin.path`: files or directories.
    pub plugin_path: Vec<PathBuf>,
    /// Defaults for connectors: `key.converter*`, `value.converter*`, `topic.creation.*` of the worker file.
    pub connector_defaults: Vec<(String, String)>,
    /// `config.providers*`: what references may name.
    pub providers: ProviderSettings,
    /// The properties with their references as they are written, if any property has one.
    pub references: Option<Vec<(String, String)>>,
}

/// What of the network a component may use.
#[derive(Clone, Debug, Default)]
pub struct NetworkConfig {
    /// `tributary.network.allow`; `None`: what the component declares.
    pub allow: Option<Vec<String>>,
    /// `tributary.network.proxy`.
    pub proxy: Option<ProxySettings>,
    /// `tributary.network.ca.file`.
    pub ca_file: Option<PathBuf>,
}

impl fmt::Debug for WorkerConfig {
    /// Of the connectors' defaults names only: a converter's settings may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let defaults: Vec<&str> = self.connector_defaults.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("WorkerConfig")
            .field("data_dir", &self.data_dir)
            .field("data_key_file", &self.data_key_file)
            .field("kafka", &self.kafka)
            .field("network", &self.network)
            .field("instance_memory_max_bytes", &self.instance_memory_max_bytes)
            .field("offset_flush_interval_ms", &self.offset_flush_interval_ms)
            .field("plugin_path", &self.plugin_path)
            .field("connector_defaults", &defaults)
            .finish()
    }
}

impl Default for WorkerConfig {
    /// Without a worker file: the embedded log in `./tributary-data`.
    fn default() -> Self {
        Self::from_properties(&[]).0
    }
}

impl WorkerConfig {
    /// Reads a worker file.
    ///
    /// # Errors
    /// The file is unreadable, or anything in it cannot be used: then every finding at once.
    pub fn load(path: &Path) -> Result<Loaded<Self>, ConfigError> {
        let unreadable = |reason| ConfigError::Unreadable { path: path.to_owned(), reason };
        let bytes = document::read_file(path).map_err(unreadable)?;
        let entries = properties::parse(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let mut findings = Findings::new();
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(at) = pairs.iter().position(|(name, _)| *name == entry.key) {
                // As in Java, so that a file that works there works here.
                let reason = format!("occurs more than once; line {} counts", entry.line);
                findings.warning(&entry.key, None, reason, "Keep one of them.");
                pairs.remove(at);
            }
            pairs.push((entry.key, entry.value));
        }
        let resolved = resolve(&pairs, &mut findings);
        let references = (resolved != pairs).then_some(pairs);
        let (value, read) = Self::from_properties(&resolved);
        let value = Self { references, ..value };
        findings.extend(read);
        if findings.has_errors() {
            return Err(ConfigError::Invalid { path: path.to_owned(), findings });
        }
        Ok(Loaded { value, findings })
    }

    /// How to log in to Kafka, with what the file's references stand for now. What cannot be read now stays as it was: a
    /// rotation may be half done. `None` without Kafka.
    #[must_use]
    pub fn security_now(&self) -> Option<Security> {
        let before = &self.kafka.as_ref()?.security;
        let renewed = self.references.as_ref().and_then(|references| {
            let mut findings = Findings::new();
            let (worker, read) = Self::from_properties(&resolve(references, &mut findings));
            findings.extend(read);
            worker.kafka.filter(|_| !findings.has_errors())
        });
        Some(renewed.map_or_else(|| before.clone(), |kafka| kafka.security))
    }

    /// Takes properties that did not come from a file. What is wrong is in the findings; with an error among them the
    /// settings are not to be used.
    #[must_use]
    pub fn from_properties(properties: &[(String, String)]) -> (Self, Findings) {
        let mut reader = Reader { properties, findings: Findings::new() };
        reader.note_names();
        let value = reader.worker();
        (value, reader.findings)
    }
}

fn resolve(given: &[(String, String)], findings: &mut Findings) -> Vec<(String, String)> {
    let environment = |name: &str| std::env::var(name).ok();
    // What is wrong with the providers' own settings is noted when the properties are read.
    let settings = ProviderSettings::read(given, &mut Findings::new());
    let mut providers = Providers::new(&environment, &settings);
    given.iter().map(|(name, value)| (name.clone(), providers.resolve(name, value, findings))).collect()
}

/// Properties on their way to settings, and what is to be said about them.
pub(super) struct Reader<'a> {
    pub(super) properties: &'a [(String, String)],
    pub(super) findings: Findings,
}

/// The entry that covers `name`, as `keys::find` for connectors.
fn find(name: &str) -> Option<&'static Key> {
    let covers = |key: &&Key| key.name.strip_suffix('*').is_some_and(|stem| name.starts_with(stem));
    let exact = WORKER_KEYS.iter().find(|key| key.name == name);
    exact.or_else(|| WORKER_KEYS.iter().filter(covers).max_by_key(|key| key.name.len()))
}

fn default_of(name: &str) -> &'static str {
    find(name).and_then(|key| key.default).unwrap_or_default()
}

impl<'a> Reader<'a> {
    /// Unknown names and names without effect.
    fn note_names(&mut self) {
        let with_kafka = self.get("bootstrap.servers").is_some();
        for (name, _) in self.properties {
            let connection = kafka::connection_setting(name);
            let key = find(name);
            match (key.map(|key| key.treatment), connection) {
                (None, _) => {
                    let known = WORKER_KEYS.iter().map(|key| key.name).filter(|known| !known.ends_with('*'));
                    self.findings.warning(name, None, "is no setting of a worker", did_you_mean(name, known));
                }
                (Some(Treatment::Ignored(reason)), None) => self.findings.ignored(name, reason),
                _ if !with_kafka && kafka::is_about_kafka(name) => {
                    self.findings.ignored(name, "bootstrap.servers is absent, so that records go to the embedded log");
                }
                (_, Some(setting)) => security::note(setting, name, &mut self.findings),
                _ => {}
            }
        }
        if !with_kafka {
            let value = self.get("exactly.once.source.support");
            ExactlyOnceSupport::read(value, false, &mut self.findings);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        last(self.properties, name).map(str::trim).filter(|value| !value.is_empty())
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or(default_of(name)).to_owned()
    }

    /// The value or the default of the table; both parse, or an error is noted.
    pub(super) fn number<T>(&mut self, name: &str, range: std::ops::RangeInclusive<T>) -> T
    where
        T: std::str::FromStr + PartialOrd + fmt::Display + Copy,
    {
        let given = self.get(name).and_then(|value| number(name, value, range.clone(), &mut self.findings));
        given.or_else(|| default_of(name).parse().ok()).unwrap_or(*range.start())
    }

    fn worker(&mut self) -> WorkerConfig {
        let own = |name: &str| {
            let converter = ["key.converter", "value.converter", "header.converter"];
            converter.iter().any(|stem| name.starts_with(stem))
                || (name.starts_with("topic.creation.") && name != "topic.creation.enable")
        };
        WorkerConfig {
            data_dir: PathBuf::from(self.text("tributary.data.dir")),
            data_key_file: self.file("tributary.data.key.file"),
            network: self.network(),
            instance_memory_max_bytes: self
                .number("tributary.instance.memory.max.bytes", 1024 * 1024..=4 * 1024 * 1024 * 1024),
            rest: self.rest(),
            offset_flush_interval_ms: self.number("offset.flush.interval.ms", 1..=i64::MAX.unsigned_abs()),
            plugin_path: self.get("plugin.path").map(list).unwrap_or_default().into_iter().map(PathBuf::from).collect(),
            connector_defaults: self.properties.iter().filter(|(name, _)| own(name)).cloned().collect(),
            kafka: self.kafka(),
            providers: ProviderSettings::read(self.properties, &mut self.findings),
            references: None,
        }
    }

    /// A file that can be read.
    pub(super) fn file(&mut self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.get(name)?);
        if let Err(error) = std::fs::metadata(&path) {
            self.findings.error(name, self.get(name), format!("cannot be read: {error}"), "Check the path.");
        }
        Some(path)
    }

    fn network(&mut self) -> NetworkConfig {
        let ca_file = self.file("tributary.network.ca.file");
        let proxy = self.get("tributary.network.proxy");
        let proxy = proxy.and_then(|text| ProxySettings::of_worker(text, &mut self.findings));
        NetworkConfig { allow: self.get("tributary.network.allow").map(list), proxy, ca_file }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;
    use crate::config::InternalTopic;

    fn read(pairs: &[(&str, &str)]) -> (WorkerConfig, Findings) {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        WorkerConfig::from_properties(&pairs)
    }

    #[test]
    fn defaults() {
        let worker = WorkerConfig::default();
        assert_eq!(worker.data_dir, Path::new("./tributary-data"));
        assert_eq!((worker.instance_memory_max_bytes, worker.offset_flush_interval_ms), (67_108_864, 60_000));
        assert!(worker.kafka.is_none() && worker.network.allow.is_none() && worker.plugin_path.is_empty());
        let (worker, findings) = read(&[("bootstrap.servers", "a:9092,[::1]:9093")]);
        assert!(findings.is_empty(), "{findings}");
        let kafka = worker.kafka.unwrap();
        let offsets = InternalTopic {
            name: "tributary-offsets".to_owned(),
            partitions: 25,
            replication_factor: 3,
            configs: vec![],
        };
        assert_eq!((kafka.offset_topic, kafka.security), (offsets, Security::default()));
        assert_eq!((kafka.in_flight_records_max, kafka.in_flight_bytes_max), (10_000, 33_554_432));
    }

    /// `config/connect-distributed.properties` of Apache Kafka 4.3.1, its comments left out.
    #[test]
    fn a_worker_file_of_kafka_connect() {
        let (worker, findings) = read(&[
            ("bootstrap.servers", "localhost:9092"),
            ("group.id", "connect-cluster"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("key.converter.schemas.enable", "true"),
            ("value.converter.schemas.enable", "true"),
            ("offset.storage.topic", "connect-offsets"),
            ("offset.storage.replication.factor", "1"),
            ("config.storage.topic", "connect-configs"),
            ("config.storage.replication.factor", "1"),
            ("status.storage.topic", "connect-status"),
            ("status.storage.replication.factor", "1"),
            ("offset.flush.interval.ms", "10000"),
            ("plugin.path", ""),
        ]);
        assert!(!findings.has_errors() && findings.to_string().is_empty(), "{findings}");
        let kafka = worker.kafka.unwrap();
        assert_eq!((kafka.group_id.as_str(), kafka.offset_topic.name.as_str()), ("connect-cluster", "connect-offsets"));
        assert_eq!((worker.offset_flush_interval_ms, worker.connector_defaults.len()), (10_000, 4));
    }

    #[test]
    fn what_is_noted() {
        let b = ("bootstrap.servers", "a:1");
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("bootstrap.server", "a:1")], "Did you mean bootstrap.servers?"),
            (&[("bootstrap.servers", "localhost")], "which is not host:port"),
            (&[("bootstrap.servers", "SASL_SSL://a:1")], "which is not host:port"),
            (&[b, ("offset.storage.replication.factor", "0")], "neither -1 nor positive"),
            (&[b, ("offset.storage.cleanup.policy", "delete")], "would let what the topic holds be deleted"),
            (&[("tributary.instance.memory.max.bytes", "1")], "is out of range"),
            (&[("offset.flush.interval.ms", "0")], "is out of range"),
            (&[("tributary.network.ca.file", "/none.pem")], "cannot be read"),
            (&[("tributary.network.proxy", "socks5://u:p@h:1")], "[hidden]: is no HTTP proxy"),
            (&[("tributary.network.alow", "x")], "Did you mean tributary.network.allow?"),
            (&[b, ("exactly.once.source.support", "on")], "disabled, preparing or enabled"),
            (&[b, ("exactly.once.source.support", "enabled")], ""),
            (&[b, ("producer.linger.ms", "x")], "producer.linger.ms = x"),
            (&[b, ("ssl.key.password", "p4ss"), ("producer.ssl.key.password", "other")], ""),
            (&[b, ("admin.ssl.key.password", "p4ss"), ("ssl.key.password", "o")], "differs from ssl.key.password"),
            (&[b, ("producer.security.protocol", "X")], "producer.security.protocol = X"),
            (&[b, ("topic.creation.enable", "maybe")], "neither true nor false"),
            (&[b, ("session.timeout.ms", "3000")], "is not below session.timeout.ms, which is 3000"),
            (&[b, ("session.timeout.ms", "6000"), ("group.instance.id", "tributary-0")], ""),
            (&[b, ("sasl.mechansim", "PLAIN")], "Did you mean sasl.mechanism?"),
            (&[b, ("admin.ssl.truststor.type", "PEM")], "Did you mean ssl.truststore.type?"),
        ];
        for (pairs, expected) in cases {
            let (_, findings) = read(pairs);
            let text = findings.to_string();
            assert!(text.contains(expected) && !text.contains("p4ss"), "{pairs:?}: {text}");
        }
        let (worker, _) = read(&[
            b,
            ("value.converter.basic.auth.user.info", "u:p4ss"),
            ("tributary.network.proxy", "http://u:p4ss@h:1"),
        ]);
        assert!(!format!("{worker:?}").contains("p4ss"));
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("worker.properties");
        std::fs::write(&path, "bootstrap.servers=a:1\nbootstrap.servers=b:2\nclient.id=${env:NO_SUCH_VARIABLE}\n")
            .unwrap();
        let ConfigError::Invalid { findings, .. } = WorkerConfig::load(&path).unwrap_err() else { panic!() };
        assert!(findings.to_string().contains("NO_SUCH_VARIABLE") && findings.len() == 2, "{findings}");
        std::fs::write(&path, "bootstrap.servers=a:1\nbootstrap.servers=b:2\n").unwrap();
        let loaded = WorkerConfig::load(&path).unwrap();
        assert_eq!(loaded.value.kafka.unwrap().bootstrap_servers, "b:2");
        let secret = dir.path().join("s.properties");
        std::fs::write(&secret, "user=old").unwrap();
        let text = "bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=\\\n  \
            x.PlainLoginModule required username=\"${file:@:user}\" password=\"p\";\n";
        std::fs::write(&path, text.replace('@', &secret.display().to_string())).unwrap();
        let worker = WorkerConfig::load(&path).unwrap().value;
        let user = || match worker.security_now().unwrap().sasl {
            Some(crate::config::Sasl::Plain { username, .. }) => username,
            other => panic!("{other:?}"),
        };
        assert_eq!(user(), "old");
        std::fs::write(&secret, "user=new").unwrap();
        assert_eq!(user(), "new");
        std::fs::remove_file(&secret).unwrap();
        assert_eq!(user(), "old", "what cannot be read now is as it was");
        std::fs::write(&path, "a=\\u1").unwrap();
        assert!(matches!(WorkerConfig::load(&path), Err(ConfigError::Unreadable { .. })));
    }

    #[test]
    fn the_table_is_sound() {
        let names: std::collections::BTreeSet<&str> = WORKER_KEYS.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), WORKER_KEYS.len(), "a name occurs twice");
        for key in WORKER_KEYS {
            assert!(key.doc.ends_with('.'), "{}", key.name);
        }
    }
}
