//! The simulated org: the release program in a process of its own, so that what it uses is not counted with what is
//! measured.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;

use crate::process::Program;

/// The fields that prepared events have, so that steady ones look the same.
const QUERY: &str = "SELECT Id, FirstName, LastName, Company, Email, Status, AnnualRevenue, NumberOfEmployees, \
                     CreatedDate, Description FROM Lead";
/// The PushTopic of steady events.
pub(crate) const STEADY: &str = "Steady";
/// The PushTopic of prepared events; the simulator's name for it.
pub(crate) const PREPARED: &str = "Prepared";
/// Size of an event.
pub(crate) const EVENT_BYTES: usize = 1_024;
/// Events in one answer.
pub(crate) const ANSWER_EVENTS: usize = 1_000;

/// What the simulator prints when it is ready: URL and credentials, in this order.
const PRINTED: [&str; 7] =
    ["url", "login_url", "username", "password", "security_token", "consumer_key", "consumer_secret"];

/// A running org.
pub(crate) struct Org {
    program: Program,
    printed: BTreeMap<String, String>,
    push_topic: &'static str,
}

impl Org {
    /// With so many events of 1 KiB that stand ready, and no others.
    pub(crate) fn prepared(events: usize) -> anyhow::Result<Self> {
        let (events, bytes, batch) = (events.to_string(), EVENT_BYTES.to_string(), ANSWER_EVENTS.to_string());
        Self::start(&["--prepared", &events, "--event-bytes", &bytes, "--batch", &batch], PREPARED)
    }

    /// With so many changes a second, 0 for none.
    pub(crate) fn steady(changes_per_second: u32) -> anyhow::Result<Self> {
        let (rate, bytes) = (changes_per_second.to_string(), EVENT_BYTES.to_string());
        let topic = format!("{STEADY}={QUERY}");
        let arguments = ["--rate", &rate, "--objects", "Lead", "--event-bytes", &bytes, "--push-topic", &topic];
        Self::start(&arguments, STEADY)
    }

    fn start(arguments: &[&str], push_topic: &'static str) -> anyhow::Result<Self> {
        let arguments = [&["--port", "0"], arguments].concat();
        let program = Program::start("salesforce-simulator", &arguments, Path::new("/nonexistent"))?;
        let mut printed = BTreeMap::new();
        while printed.len() < PRINTED.len() {
            let line = program.output()?;
            let (key, value) = line.split_once('=').with_context(|| format!("{line:?} is no key=value"))?;
            printed.insert(key.to_owned(), value.to_owned());
        }
        Ok(Self { program, printed, push_topic })
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }

    /// The origin.
    pub(crate) fn url(&self) -> &str {
        &self.printed["url"]
    }

    /// The settings of a connector for this org's PushTopic that writes to `topic`, from the beginning or from now on.
    pub(crate) fn settings(&self, topic: &str, start: &str) -> Vec<(String, String)> {
        let of = |key: &str| self.printed[key].as_str();
        [
            ("name", "figures"),
            ("connector.class", "SalesforcePushTopicSource"),
            ("kafka.topic", topic),
            ("salesforce.grant.type", "PASSWORD"),
            ("salesforce.instance", of("login_url")),
            ("salesforce.username", of("username")),
            ("salesforce.password", of("password")),
            ("salesforce.password.token", of("security_token")),
            ("salesforce.consumer.key", of("consumer_key")),
            ("salesforce.consumer.secret", of("consumer_secret")),
            ("salesforce.object", "Lead"),
            ("salesforce.push.topic.name", self.push_topic),
            ("salesforce.push.topic.create", "false"),
            ("salesforce.initial.start", start),
            ("output.data.format", "JSON"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}
