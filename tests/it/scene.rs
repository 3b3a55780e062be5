//! One scenario's files: a connector configuration as Confluent Cloud writes it, a worker file, and the embedded log, all
//! in a temporary folder, and the commands that a person would give on them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{
    consumer::Consumed,
    org::{self, Org},
    process::{self, Finished, PATIENCE, Tributary},
};

/// The connector's name, and the first part of its key in the offsets topic.
pub(crate) const NAME: &str = "salesforce-leads";

/// The PushTopic.
pub(crate) const PUSH_TOPIC: &str = "Leads";

/// See the module.
pub(crate) struct Scene {
    folder: TempDir,
    connector: Map<String, Value>,
    worker: Vec<(String, String)>,
}

impl Scene {
    /// A connector for the org's leads, from the first retained event on, into `topic`; embedded log.
    pub(crate) fn new(org: &Org, topic: &str) -> Self {
        let config = json!({
            "connector.class": "SalesforcePushTopicSource",
            "name": NAME,
            "kafka.auth.mode": "KAFKA_API_KEY",
            "kafka.api.key": "unused",
            "kafka.api.secret": org::KAFKA_SECRET,
            "kafka.topic": topic,
            "salesforce.grant.type": "PASSWORD",
            "salesforce.instance": org.url(),
            "salesforce.username": org::USERNAME,
            "salesforce.password": org::PASSWORD,
            "salesforce.password.token": org::SECURITY_TOKEN,
            "salesforce.consumer.key": org::CONSUMER_KEY,
            "salesforce.consumer.secret": org::CONSUMER_SECRET,
            "salesforce.object": "Lead",
            "salesforce.push.topic.name": PUSH_TOPIC,
            "salesforce.push.topic.create": "true",
            "salesforce.initial.start": "all",
            "output.data.format": "JSON",
            "tasks.max": "1",
        });
        let Value::Object(connector) = config else { unreachable!("it is written as an object") };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data").to_string_lossy().into_owned();
        let worker = vec![
            ("tributary.data.dir".to_owned(), data),
            ("tributary.network.allow".to_owned(), "http://127.0.0.1:*".to_owned()),
        ];
        Self { folder, connector, worker }
    }

    /// Sets a property of the connector.
    #[must_use]
    pub(crate) fn with(mut self, property: &str, value: &str) -> Self {
        self.connector.insert(property.to_owned(), value.into());
        self
    }

    /// Takes a property of the connector away.
    #[must_use]
    pub(crate) fn without(mut self, property: &str) -> Self {
        self.connector.remove(property).expect("the property was there");
        self
    }

    /// Sets a line of the worker file.
    #[must_use]
    pub(crate) fn worker(mut self, key: &str, value: &str) -> Self {
        self.worker.retain(|(name, _)| name != key);
        self.worker.push((key.to_owned(), value.to_owned()));
        self
    }

    /// A file of the scenario, for what it keeps beside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(path: &Path) -> String {
        path.to_string_lossy().into_owned()
    }

    /// A file in the scenario's folder with a new key and a certificate of that name, signed by itself.
    pub(crate) fn certificate(&self, name: &str) -> String {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate can be made");
        let path = self.path(&format!("{name}.pem"));
        fs::write(&path, made.signing_key.serialize_pem() + &made.cert.pem()).expect("the folder is ours");
        path.to_string_lossy().into_owned()
    }

    /// The connector's file.
    pub(crate) fn connector_file(&self) -> String {
        let path = self.path("salesforce-pushtopic.json");
        let document = json!({"name": self.connector.get("name"), "config": self.connector});
        put(&path, &document.to_string());
        Self::text(&path)
    }

    fn worker_file(&self) -> String {
        let path = self.path("worker.properties");
        let lines: String = self.worker.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        put(&path, &lines);
        Self::text(&path)
    }

    fn start(&self, component: &Path, arguments: &[&str], label: &str) -> Tributary {
        let (component, worker, connector) = (Self::text(component), self.worker_file(), self.connector_file());
        let mut all = vec!["run", "--component", &component, "--worker", &worker];
        all.extend(arguments);
        all.push(&connector);
        Tributary::start_labelled(&all, label)
    }

    /// `tributary run` on the scenario's files, with more arguments.
    pub(crate) fn run_with(&self, arguments: &[&str]) -> Tributary {
        self.start(&process::component(), arguments, "")
    }

    /// `tributary run` on the scenario's files, ended or halted by itself at a place in its code.
    pub(crate) fn run_labelled(&self, label: &str) -> Tributary {
        self.start(&process::component(), &[], label)
    }

    /// `tributary offsets` on the scenario's files, ended by itself at a place in its code.
    pub(crate) fn offsets_labelled(&self, arguments: &[&str], label: &str) -> Tributary {
        let (worker, component) = (self.worker_file(), Self::text(&process::component()));
        let mut all = vec!["offsets", "--worker", &worker, "--component", &component];
        all.extend(arguments);
        Tributary::start_labelled(&all, label)
    }

    /// `tributary run` on the scenario's files with another component.
    pub(crate) fn run_component(&self, component: &Path) -> Tributary {
        self.start(component, &[], "")
    }

    /// `tributary run` on the scenario's files.
    pub(crate) fn run(&self) -> Tributary {
        self.run_with(&[])
    }

    /// Runs until the connector has subscribed.
    #[track_caller]
    pub(crate) fn run_until_subscribed(&self) -> Tributary {
        let run = self.run();
        run.expect_line(&["subscribed"]);
        run
    }

    /// The connector's configuration, as a request has it.
    pub(crate) fn config(&self) -> Value {
        Value::Object(self.connector.clone())
    }

    /// `tributary serve` on the scenario's worker file, listening at that port.
    pub(crate) fn serve(&self, port: u16) -> Tributary {
        self.serve_with(port, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn serve_with(&self, port: u16, variables: &[(&str, &str)]) -> Tributary {
        let (worker, component) = (self.worker_file(), Self::text(&process::component()));
        let address = format!("127.0.0.1:{port}");
        let arguments = ["serve", "--component", &component, "--worker", &worker, "--listen", &address];
        Tributary::start_with(&arguments, variables)
    }

    /// `tributary validate` on the scenario's files.
    pub(crate) fn validate(&self) -> Finished {
        let (worker, component) = (self.worker_file(), Self::text(&process::component()));
        let connector = self.connector_file();
        Tributary::run(&["validate", "--component", &component, "--worker", &worker, &connector])
    }

    /// `tributary transform` on the scenario's files and the events in a file.
    pub(crate) fn transform(&self, events: &Path) -> Finished {
        let (worker, component) = (self.worker_file(), Self::text(&process::component()));
        let connector = self.connector_file();
        let arguments = ["transform", "--component", &component, "--worker", &worker, "--config", &connector, "--json"];
        let events = fs::File::open(events).expect("the events are there");
        Tributary::start_reading(&arguments, events.into()).wait(PATIENCE)
    }

    /// `tributary validate --online` on the scenario's files, with more arguments.
    pub(crate) fn validate_online(&self, arguments: &[&str]) -> Finished {
        let (worker, component) = (self.worker_file(), Self::text(&process::component()));
        let connector = self.connector_file();
        let all = ["validate", "--online", "--component", &component, "--worker", &worker];
        Tributary::run(&[&all[..], arguments, &[&connector]].concat())
    }

    /// `tributary tail` from the beginning of a topic of the embedded log, until there are `count` records.
    #[track_caller]
    pub(crate) fn tail(&self, topic: &str, count: usize) -> Vec<Consumed> {
        let (worker, count_text) = (self.worker_file(), count.to_string());
        let timeout = PATIENCE.as_millis().to_string();
        let arguments =
            ["tail", topic, "--worker", &worker, "--from-beginning", "--json", "--max-messages", &count_text];
        let tail = Tributary::start(&[&arguments[..], &["--timeout-ms", &timeout]].concat());
        let finished = tail.wait(PATIENCE + PATIENCE);
        finished.expect_code(0);
        let records: Vec<Consumed> = finished.stdout.lines().map(parse).collect();
        assert_eq!(records.len(), count, "records in the log\nstderr: {}", finished.stderr);
        records
    }

    /// Everything that a topic of the embedded log holds.
    #[track_caller]
    pub(crate) fn log(&self, topic: &str) -> Vec<Consumed> {
        let worker = self.worker_file();
        let arguments = ["tail", topic, "--worker", &worker, "--from-beginning", "--json", "--timeout-ms", "1000"];
        let finished = Tributary::run(&arguments);
        finished.expect_code(0);
        finished.stdout.lines().map(parse).collect()
    }
}

/// Writes a file as a whole: a run that is starting may be reading it.
fn put(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).and_then(|()| fs::rename(&new, path)).expect("the folder is ours");
}

/// One line of `tributary tail --json`.
#[track_caller]
fn parse(line: &str) -> Consumed {
    let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let text = |name: &str| record[name].as_str().map(str::to_owned);
    Consumed {
        partition: record["partition"].as_i64().and_then(|number| number.try_into().ok()).expect("a partition"),
        offset: record["offset"].as_i64().expect("an offset"),
        timestamp_ms: record["timestamp"].as_i64().expect("a timestamp"),
        headers: if record["headers"].as_array().is_none_or(Vec::is_empty) {
            "NO_HEADERS".to_owned()
        } else {
            record["headers"].to_string()
        },
        key: text("key"),
        value: text("value"),
    }
}
