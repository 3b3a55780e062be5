//! One connector's configuration: read from a file, references resolved, the worker's defaults added, the host's own
//! settings checked and taken out of what the component gets.

use std::{fmt, path::Path};

use super::{
    WorkerConfig,
    delivery::{self, Delivery},
    document,
    findings::{ConfigError, Findings, Loaded},
    keys::{self, Treatment},
    login::{self, OwnLogin},
    producer::{ProducerSettings, is_connection},
    providers::Providers,
    proxy::ProxySettings,
    topic_creation::TopicCreation,
    values::last,
};

/// Characters of a connector's name at most.
pub const NAME_CHARS_MAX: usize = 64;

const CONVERTERS: [&str; 3] = ["key.converter", "value.converter", "header.converter"];

/// One connector: what the host needs, and what it hands to the component.
#[derive(Clone)]
pub struct ConnectorConfig {
    /// `name`.
    pub name: String,
    /// `connector.class`.
    pub class: String,
    /// Every property as given, references resolved, in the file's order; then the worker's defaults that apply.
    pub properties: Vec<(String, String)>,
    /// The properties with their references as they are written, if any property has one: what `renewed` resolves again.
    pub references: Option<Vec<(String, String)>>,
    /// What the component gets: `properties` without those that are the host's alone.
    pub component_properties: Vec<(String, String)>,
}

impl fmt::Debug for ConnectorConfig {
    /// Names only: any value may be a secret of the component's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.properties.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ConnectorConfig")
            .field("name", &self.name)
            .field("class", &self.class)
            .field("properties", &names)
            .finish_non_exhaustive()
    }
}

/// The host's own settings of a connector, typed.
#[derive(Clone, Debug)]
pub struct HostSettings {
    /// `offsets.storage.topic`.
    pub offsets_topic: Option<String>,
    /// `topic.creation.*`.
    pub topic_creation: TopicCreation,
    /// `producer.override.*` over the worker's `producer.*`.
    pub producer: ProducerSettings,
    /// `kafka.api.key` and the like; `None` for the worker's login.
    pub login: Option<OwnLogin>,
    /// `exactly.once.support` and `transaction.boundary*`, as far as the worker allows it.
    pub delivery: Delivery,
}

impl ConnectorConfig {
    /// No connector: what is known of one when nothing of its file could be looked at.
    #[must_use]
    pub fn none() -> Self {
        Self {
            name: String::new(),
            class: String::new(),
            properties: Vec::new(),
            references: None,
            component_properties: Vec::new(),
        }
    }

    /// Reads a connector file.
    ///
    /// # Errors
    /// The file is unreadable, or anything in it cannot be used: then every finding at once.
    pub fn load(path: &Path, worker: &WorkerConfig) -> Result<Loaded<Self>, ConfigError> {
        let (value, findings) = Self::read(path, worker)?;
        if findings.has_errors() {
            return Err(ConfigError::Invalid { path: path.to_owned(), findings });
        }
        Ok(Loaded { value, findings })
    }

    /// Reads a connector file whatever is wrong in it, so that the component's findings can be added to the host's. With
    /// an error among the findings the configuration is not to be used.
    ///
    /// # Errors
    /// The file is unreadable.
    pub fn read(path: &Path, worker: &WorkerConfig) -> Result<(Self, Findings), ConfigError> {
        let unreadable = |reason| ConfigError::Unreadable { path: path.to_owned(), reason };
        let bytes = document::read_file(path).map_err(unreadable)?;
        let mut findings = Findings::new();
        let given = document::parse(path, &bytes, &mut findings).map_err(unreadable)?;
        let (value, found) = Self::of_given(given, worker);
        findings.extend(found);
        Ok((value, findings))
    }

    /// Takes properties as they were given, references and all. With an error among the findings the configuration is not
    /// to be used.
    #[must_use]
    pub fn of_given(given: Vec<(String, String)>, worker: &WorkerConfig) -> (Self, Findings) {
        let mut findings = Findings::new();
        let resolved = resolve(&given, worker, &mut findings);
        let references = (resolved != given).then_some(given);
        let (value, checked) = Self::from_properties(resolved, worker);
        findings.extend(checked);
        (Self { references, ..value }, findings)
    }

    /// Resolves the references again: the configuration with what they stand for now, or `None` when that is what it was.
    ///
    /// # Errors
    /// What they stand for now cannot be used.
    pub fn renewed(&self, worker: &WorkerConfig) -> Result<Option<Self>, Findings> {
        let Some(references) = &self.references else { return Ok(None) };
        let mut findings = Findings::new();
        let resolved = resolve(references, worker, &mut findings);
        let (value, checked) = Self::from_properties(resolved, worker);
        findings.extend(checked);
        if findings.has_errors() {
            return Err(findings);
        }
        let changed = value.properties != self.properties;
        Ok(changed.then(|| Self { references: self.references.clone(), ..value }))
    }

    /// Takes properties that did not come from a file. What is wrong is in the findings; with an error among them the
    /// configuration is not to be used.
    #[must_use]
    pub fn from_properties(properties: Vec<(String, String)>, worker: &WorkerConfig) -> (Self, Findings) {
        let mut findings = Findings::new();
        let properties = with_defaults(properties, &worker.connector_defaults);
        let name = name(&properties, &mut findings);
        let class = class(&properties, &mut findings);
        check(&properties, worker.kafka.is_some(), &mut findings);
        let mut read = Findings::new();
        host_settings(&properties, worker, &mut read);
        ProxySettings::of_connector(&properties, &mut read);
        findings.extend_new(read);
        let component_properties = properties
            .iter()
            .filter(|(name, _)| keys::find(name).is_none_or(|key| key.treatment == Treatment::PassedOn))
            .cloned()
            .collect();
        (Self { name, class, properties, references: None, component_properties }, findings)
    }

    /// `http.proxy`, if the connector names one.
    #[must_use]
    pub fn proxy(&self) -> Option<ProxySettings> {
        // What is wrong with it was noted when the configuration was made.
        ProxySettings::of_connector(&self.properties, &mut Findings::new())
    }

    /// `auto.restart.on.user.error`.
    #[must_use]
    pub fn restarts_failed(&self) -> bool {
        last(&self.properties, "auto.restart.on.user.error")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// The host's own settings, typed.
    ///
    /// # Errors
    /// What of them cannot be used; none after `load`.
    pub fn host_settings(&self, worker: &WorkerConfig) -> Result<HostSettings, Findings> {
        let mut findings = Findings::new();
        let settings = host_settings(&self.properties, worker, &mut findings);
        if findings.has_errors() { Err(findings) } else { Ok(settings) }
    }
}

fn resolve(given: &[(String, String)], worker: &WorkerConfig, findings: &mut Findings) -> Vec<(String, String)> {
    let environment = |name: &str| std::env::var(name).ok();
    let mut providers = Providers::new(&environment, &worker.providers);
    given.iter().map(|(name, value)| (name.clone(), providers.resolve(name, value, findings))).collect()
}

/// Of a converter's settings those that say where the schema registry is, and how to log in there.
const REGISTRY: [&str; 3] = [".schema.registry.", ".basic.auth.", ".bearer.auth."];

/// The worker's converters apply where the connector says nothing about that converter, in either dialect; its
/// `topic.creation.*` where the connector lacks the single setting. A hosted connector names a format and no registry: it
/// gets the worker's registry, with its login, unless it names one of its own.
fn with_defaults(mut properties: Vec<(String, String)>, defaults: &[(String, String)]) -> Vec<(String, String)> {
    let has = |name: &str| properties.iter().any(|(key, _)| key == name);
    let hosted = properties.iter().any(|(key, _)| key.starts_with("output.data."));
    let applies = |name: &str| {
        let Some(stem) = CONVERTERS.iter().find(|stem| name.starts_with(**stem)) else { return !has(name) };
        let of_registry =
            name.strip_prefix(stem).is_some_and(|rest| REGISTRY.iter().any(|part| rest.starts_with(part)));
        let allowed = if hosted { of_registry && !has(&format!("{stem}.schema.registry.url")) } else { !has(stem) };
        allowed && !has(name)
    };
    let added: Vec<_> = defaults.iter().filter(|(name, _)| applies(name)).cloned().collect();
    properties.extend(added);
    properties
}

fn name(properties: &[(String, String)], findings: &mut Findings) -> String {
    let Some(name) = last(properties, "name") else {
        findings.error("name", None, "is missing", "Give the connector a name; offsets are stored under it.");
        return String::new();
    };
    name.to_owned()
}

fn class(properties: &[(String, String)], findings: &mut Findings) -> String {
    let class = last(properties, "connector.class").map(str::trim).unwrap_or_default();
    if class.is_empty() {
        let remedy = "Write the class of the connector; `tributary describe` lists those of the component.";
        findings.error("connector.class", None, "is missing", remedy);
    }
    class.to_owned()
}

/// Settings that have a meaning with Kafka alone.
const ABOUT_KAFKA: [&str; 6] = [
    "producer.override.",
    "topic.creation.",
    "offsets.storage.topic",
    "kafka.auth.mode",
    "kafka.api.",
    "transaction.boundary",
];

fn check(properties: &[(String, String)], with_kafka: bool, findings: &mut Findings) {
    for (property, value) in properties {
        if !with_kafka && ABOUT_KAFKA.iter().any(|stem| property.starts_with(stem)) {
            findings.ignored(property, "records go to the embedded log: the worker file names no bootstrap.servers");
        }
        let Some(key) = keys::find(property) else { continue };
        match (key.treatment, key.check(value)) {
            (Treatment::Ignored(reason), _) => findings.ignored(property, reason),
            // A class that is missing is said once.
            _ if property == "connector.class" => {}
            (_, Err((reason, remedy))) if !key.is_family() => findings.error(property, Some(value), reason, remedy),
            (_, Err(_)) => {}
            (_, Ok(())) if property == "tasks.max" && value.trim() != "1" => {
                let reason = "allows more than one task, and a source of this kind cannot be divided: one task runs";
                findings.warning(property, Some(value), reason, "Write 1.");
            }
            (_, Ok(())) => {}
        }
    }
}

fn host_settings(properties: &[(String, String)], worker: &WorkerConfig, findings: &mut Findings) -> HostSettings {
    const OVERRIDE: &str = "producer.override.";
    let mut producer = worker.kafka.as_ref().map(|kafka| kafka.producer.clone()).unwrap_or_default();
    let request_timeout_ms = worker.kafka.as_ref().map_or(30_000, |kafka| kafka.request_timeout_ms);
    for (property, value) in properties {
        if let Some(name) = property.strip_prefix(OVERRIDE).filter(|name| !is_connection(name)) {
            producer.set(name, property, value, findings);
        }
    }
    producer.check(OVERRIDE, request_timeout_ms, findings);
    let offsets_topic = last(properties, "offsets.storage.topic").map(str::trim).filter(|topic| !topic.is_empty());
    let allowed = worker.kafka.as_ref().map(|kafka| kafka.exactly_once);
    let delivery = delivery::read(properties, allowed, worker.offset_flush_interval_ms, &producer, findings);
    HostSettings {
        offsets_topic: offsets_topic.map(str::to_owned),
        topic_creation: TopicCreation::read(properties, findings),
        producer,
        login: worker.kafka.as_ref().and_then(|kafka| login::read(properties, kafka, findings)),
        delivery,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)], defaults: &[(&str, &str)]) -> (ConnectorConfig, Findings) {
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let worker = WorkerConfig { connector_defaults: owned(defaults), ..WorkerConfig::default() };
        let mut all: Vec<(String, String)> = owned(&[("name", "n"), ("connector.class", "C")]);
        all.retain(|(name, _)| !pairs.iter().any(|(given, _)| given == name));
        all.extend(owned(pairs));
        ConnectorConfig::from_properties(all, &worker)
    }

    #[test]
    fn a_hosted_connector_gets_the_workers_registry_and_lends_its_login_to_no_other() {
        let worker = [
            ("value.converter", "x.JsonConverter"),
            ("value.converter.schemas.enable", "true"),
            ("value.converter.schema.registry.url", "http://r:1"),
            ("value.converter.basic.auth.user.info", "u:p"),
        ];
        let added = |pairs: &[(&str, &str)]| {
            let (connector, _) = read(pairs, &worker);
            let names = connector.properties.into_iter().map(|(name, _)| name);
            names
                .filter(|name| pairs.iter().all(|(given, _)| given != name) && name.contains("convert"))
                .collect::<Vec<_>>()
        };
        let registry = ["value.converter.schema.registry.url", "value.converter.basic.auth.user.info"];
        assert_eq!(added(&[("output.data.format", "AVRO")]), registry);
        assert_eq!(
            added(&[("output.data.format", "AVRO"), ("value.converter.schema.registry.url", "http://other:1")]),
            [""; 0]
        );
        // As in Kafka Connect: a converter comes with its settings.
        assert_eq!(added(&[("value.converter", "x.AvroConverter")]), [""; 0]);
        assert_eq!(added(&[]).len(), 4);
    }

    #[test]
    fn findings() {
        let long = "n".repeat(65);
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("name", "")], "name = : is empty"),
            (&[("name", &long)], "longer than 64"),
            (&[("name", "a\nb")], "control characters"),
            (&[("connector.class", " ")], "connector.class: is missing"),
            (&[("tasks.max", "0")], "tasks.max = 0: is out of range"),
            (&[("exactly.once.support", "x")], "neither requested nor required"),
            (&[("producer.override.linger.ms", "x")], "producer.override.linger.ms = x"),
            (&[("errors.tolerance", "some")], "is neither none nor all"),
            (&[("errors.retry.timeout", "-2")], "-1 or more"),
            (&[("topic.creation.default.partitions", "1")], "replication.factor: is missing"),
        ];
        for (pairs, expected) in cases {
            let (_, findings) = read(pairs, &[]);
            assert!(findings.has_errors() && findings.to_string().contains(expected), "{pairs:?}: {findings}");
        }
        let (_, findings) =
            read(&[("name", ""), ("tasks.max", "x"), ("exactly.once.support", "x"), ("errors.tolerance", "some")], &[]);
        assert_eq!(findings.len(), 4, "all at once: {findings}");
        let name_64 = "n".repeat(64);
        assert!(read(&[("name", &name_64)], &[]).1.is_empty());
        let (_, ignored) = read(&[("tasks.max", "4"), ("kafka.api.key", "k"), ("cloud.provider", "")], &[]);
        assert!(!ignored.has_errors() && ignored.len() == 3, "{ignored:?}");
    }

    #[test]
    fn what_the_component_gets() {
        let (config, findings) = read(
            &[
                ("kafka.topic", "t"),
                ("value.converter", "J"),
                ("kafka.api.secret", "s3cret"),
                ("producer.override.linger.ms", "1"),
                ("errors.tolerance", "all"),
                ("transforms", "a"),
            ],
            &[
                ("value.converter", "Other"),
                ("value.converter.schemas.enable", "true"),
                ("key.converter", "K"),
                ("topic.creation.default.partitions", "1"),
                ("topic.creation.default.replication.factor", "1"),
            ],
        );
        assert!(!findings.has_errors(), "{findings}");
        let names: Vec<&str> = config.component_properties.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "name",
                "connector.class",
                "kafka.topic",
                "value.converter",
                "errors.tolerance",
                "transforms",
                "key.converter"
            ]
        );
        let settings = config.host_settings(&WorkerConfig::default()).unwrap();
        assert_eq!((settings.producer.linger_ms, settings.offsets_topic), (1, None));
        assert!(settings.topic_creation.plan("t").is_some());
        let text = format!("{config:?}{findings:?}");
        assert!(text.contains("kafka.api.secret") && !text.contains("s3cret"), "{text}");
        let (hosted, _) = read(&[("output.data.format", "JSON")], &[("value.converter", "Avro")]);
        assert_eq!(hosted.component_properties.len(), 3);
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let worker = WorkerConfig::default();
        let secret = write("s.properties", "p=hunter2");
        let good = format!(
            r#"{{"name":"n","config":{{"connector.class":"C","tasks.max":1,"some.password":"${{file:{}:p}}"}}}}"#,
            secret.display()
        );
        let loaded = ConnectorConfig::load(&write("good.json", &good), &worker).unwrap();
        assert_eq!(last(&loaded.value.component_properties, "some.password"), Some("hunter2"));
        let bad = write("bad.json", r#"{"tasks.max":"x","a.password":"${env:NO_SUCH_VARIABLE}","b":1,"b":2}"#);
        let error = ConnectorConfig::load(&bad, &worker).unwrap_err();
        let ConfigError::Invalid { findings, .. } = &error else { panic!("{error}") };
        assert_eq!(findings.len(), 5, "{findings}");
        for path in [write("x.json", "{"), dir.path().join("none.json"), dir.path().to_owned()] {
            let error = ConnectorConfig::load(&path, &worker).unwrap_err();
            assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
        }
    }
}
