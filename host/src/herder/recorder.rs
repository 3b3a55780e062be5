//! `Recorder`: writes where connectors and tasks stand, and which topics they used, as Kafka Connect's status topic has it. It
//! follows behind: nothing waits for it, and what it could not write it writes later.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Weak,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tracing::debug;

use super::herder::{Herder, Shown};
use crate::{
    store::StatusRecord,
    telemetry::{Event, now_ms},
};

/// Between two writes: what changes back and forth meanwhile is not written.
const INTERVAL: Duration = Duration::from_millis(250);
/// After a write that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// After which it is written again which worker that is.
const AGAIN: Duration = Duration::from_secs(30);
/// How long the last write may take when the worker ends.
const LAST_WITHIN: Duration = Duration::from_secs(1);

const CONNECTOR: &str = "status-connector-";
const TASK: &str = "status-task-";
const TOPIC: &str = "status-topic-";
/// Of the worker itself, so that others know whom to ask before there are connectors. Kafka Connect passes over it.
const WORKER: &str = "status-worker";
/// The state of what nobody has.
const UNASSIGNED: &str = "UNASSIGNED";
/// Between a topic and its connector in a key.
const OF_CONNECTOR: &str = ":connector-";

/// Kafka Connect counts the rebalances of its group; a worker alone has the first of them.
const GENERATION: u32 = 1;

/// Whether a recorder goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recording {
    /// It does.
    GoesOn,
    /// The worker ends; it writes that nobody has the connectors.
    Ended,
    /// Another worker has them, and writes itself where they stand.
    Lost,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    worker_id: String,
    /// What stands in the store.
    written: BTreeMap<String, String>,
}

impl Recorder {
    /// Goes on from what the store holds.
    pub(super) fn new(worker_id: String, written: BTreeMap<String, String>) -> Self {
        Self { worker_id, written }
    }

    /// Topics by connector, as they were noted before.
    pub(super) fn topics(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut topics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for key in self.written.keys() {
            // Neither a topic nor this text can hold a colon; a connector's name can.
            let parts = key.strip_prefix(TOPIC).and_then(|rest| rest.split_once(OF_CONNECTOR));
            if let Some((topic, connector)) = parts {
                topics.entry(connector.to_owned()).or_default().insert(topic.to_owned());
            }
        }
        topics
    }

    /// Workers that have connectors, as it was noted before, and are not this one: one that has ended has noted that it has none.
    pub(super) fn others(&self) -> BTreeSet<String> {
        let states = self.written.iter().filter(|(key, _)| !key.starts_with(TOPIC));
        states.filter_map(|(_, value)| self.other(value)).collect()
    }

    /// The worker that is active, as it noted itself, and is not this one; else one that has connectors.
    pub(super) fn active(&self) -> Option<String> {
        let noted = self.written.get(WORKER).and_then(|value| self.other(value));
        noted.or_else(|| self.others().into_iter().next())
    }

    /// Another worker than this one, in a state that it has noted and not taken back.
    fn other(&self, value: &str) -> Option<String> {
        let value: Value = serde_json::from_str(value).ok()?;
        let has = value["state"] != UNASSIGNED;
        Some(value["worker_id"].as_str().filter(|worker| has && *worker != self.worker_id)?.to_owned())
    }

    /// What has to be written so that the store holds how things stand.
    fn changes(&self, shown: &[Shown], now_ms: i64) -> Vec<StatusRecord> {
        let worker = self.value("RUNNING", None, Some(env!("CARGO_PKG_VERSION")));
        let mut wanted = BTreeMap::from([(WORKER.to_owned(), worker)]);
        for connector in shown {
            self.add(&mut wanted, connector, now_ms);
        }
        let new = wanted.iter().filter(|(key, value)| self.written.get(*key) != Some(*value));
        let gone = self.written.keys().filter(|key| !wanted.contains_key(*key)).map(|key| (key.clone(), None));
        new.map(|(key, value)| (key.clone(), Some(value.clone()))).chain(gone).collect()
    }

    fn add(&self, to: &mut BTreeMap<String, String>, shown: &Shown, now_ms: i64) {
        let Shown { name, state, task, version, standing, .. } = shown;
        let value = |(state, trace): &(&str, Option<String>)| self.value(state, trace.as_deref(), version.as_deref());
        to.insert(format!("{CONNECTOR}{name}"), value(state));
        if let Some(task) = task {
            to.insert(format!("{TASK}{name}-0"), value(task));
        }
        for topic in &standing.topics {
            let key = format!("{TOPIC}{topic}{OF_CONNECTOR}{name}");
            let found = json!({"name": topic, "connector": name, "task": 0, "discoverTimestamp": now_ms});
            let value = self.written.get(&key).cloned();
            to.insert(key, value.unwrap_or_else(|| json!({ "topic": found }).to_string()));
        }
    }

    fn value(&self, state: &str, trace: Option<&str>, version: Option<&str>) -> String {
        let worker_id = &self.worker_id;
        let value: Value = json!({
            "state": state, "trace": trace, "worker_id": worker_id, "generation": GENERATION, "version": version,
        });
        value.to_string()
    }

    /// What is written when the worker ends: nobody has the connectors then.
    fn unassigned(&self) -> Vec<StatusRecord> {
        let states = self.written.keys().filter(|key| !key.starts_with(TOPIC));
        states.map(|key| (key.clone(), Some(self.value(UNASSIGNED, None, None)))).collect()
    }

    fn wrote(&mut self, records: Vec<StatusRecord>) {
        for (key, value) in records {
            match value {
                Some(value) => self.written.insert(key, value),
                None => self.written.remove(&key),
            };
        }
    }

    /// Writes for as long as the herder is there and `recording` goes on.
    pub(super) async fn run(
        mut self,
        herder: Weak<Herder>,
        mut changed: watch::Receiver<()>,
        mut progressed: watch::Receiver<()>,
        mut recording: watch::Receiver<Recording>,
    ) {
        let (mut told, mut noted) = (false, Instant::now());
        while *recording.borrow() == Recording::GoesOn {
            let Some(strong) = herder.upgrade() else { return };
            if noted.elapsed() >= AGAIN && strong.store().is_shared() {
                // A worker that was late to let go may have written over it.
                self.written.remove(WORKER);
                noted = Instant::now();
            }
            let records = self.changes(&strong.all(), now_ms());
            let written = if records.is_empty() { Ok(()) } else { strong.store().put_status(&records).await };
            let telemetry = strong.telemetry().clone();
            drop(strong);
            let pause = match written {
                Ok(()) => {
                    told = false;
                    if !records.is_empty() {
                        debug!(records = records.len(), "noted where the connectors stand");
                    }
                    self.wrote(records);
                    INTERVAL
                }
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        telemetry.emit("", &Event::StatusNotWritten { reason: error.to_string() });
                    }
                    RETRY_INTERVAL
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                // An error means that the herder is gone, which is the end.
                _ = recording.wait_for(|recording| *recording != Recording::GoesOn) => break,
            }
            if told {
                continue;
            }
            tokio::select! {
                changed = changed.changed() => if changed.is_err() { return },
                _ = progressed.changed() => {}
                () = sleep(AGAIN) => {}
                _ = recording.wait_for(|recording| *recording != Recording::GoesOn) => break,
            }
        }
        if *recording.borrow() == Recording::Lost {
            return;
        }
        if let Some(strong) = herder.upgrade() {
            let topics = self.changes(&strong.all(), now_ms()).into_iter().filter(|(key, _)| key.starts_with(TOPIC));
            let records: Vec<StatusRecord> = topics.chain(self.unassigned()).collect();
            // Whoever reads it later finds what stood there before, which is out of date and no harm.
            let _ = tokio::time::timeout(LAST_WITHIN, strong.store().put_status(&records)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Standing;

    fn shown(state: &'static str, task: Option<&'static str>, topics: &[&str]) -> Shown {
        Shown {
            name: "pt".to_owned(),
            config: BTreeMap::new(),
            state: (state, None),
            task: task.map(|task| (task, None)),
            version: Some("1.0.0".to_owned()),
            standing: Standing {
                topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
                ..Standing::default()
            },
        }
    }

    /// Keys, and values as they stand in captures from a Kafka Connect worker but for their generation.
    const RUNNING: &str =
        r#"{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:8083","generation":1,"version":"1.0.0"}"#;
    const PAUSED: &str =
        r#"{"state":"PAUSED","trace":null,"worker_id":"127.0.0.1:8083","generation":1,"version":"1.0.0"}"#;
    const STOPPED: &str =
        r#"{"state":"STOPPED","trace":null,"worker_id":"127.0.0.1:8083","generation":1,"version":"1.0.0"}"#;
    const NOBODY: &str =
        r#"{"state":"UNASSIGNED","trace":null,"worker_id":"127.0.0.1:8083","generation":1,"version":null}"#;
    const TOPIC_FOUND: &str =
        r#"{"topic":{"name":"accounts","connector":"pt","task":0,"discoverTimestamp":1795495967384}}"#;

    fn expect(recorder: &mut Recorder, shown: &[Shown], expected: &[(&str, Option<&str>)]) {
        let changes = recorder.changes(shown, 1_795_495_967_384);
        let same = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let found: Vec<(&str, Option<Value>)> =
            changes.iter().map(|(key, value)| (key.as_str(), value.as_deref().map(same))).collect();
        let expected: Vec<(&str, Option<Value>)> =
            expected.iter().map(|(key, value)| (*key, value.map(same))).collect();
        assert_eq!(found, expected);
        recorder.wrote(changes);
    }

    #[test]
    fn the_store_holds_how_things_stand() {
        let recorder = &mut Recorder::new("127.0.0.1:8083".to_owned(), BTreeMap::new());
        let (connector, task, topic) =
            ("status-connector-pt", "status-task-pt-0", "status-topic-accounts:connector-pt");
        let running = shown("RUNNING", Some("RUNNING"), &["accounts"]);
        let active = RUNNING.replace("1.0.0", env!("CARGO_PKG_VERSION"));
        expect(
            recorder,
            std::slice::from_ref(&running),
            &[(connector, Some(RUNNING)), (task, Some(RUNNING)), (topic, Some(TOPIC_FOUND)), (WORKER, Some(&active))],
        );
        expect(recorder, &[running], &[]);
        let paused = shown("PAUSED", Some("PAUSED"), &["accounts"]);
        expect(recorder, &[paused], &[(connector, Some(PAUSED)), (task, Some(PAUSED))]);
        let again = Recorder::new("127.0.0.1:8083".to_owned(), recorder.written.clone());
        assert_eq!(again.topics(), [("pt".to_owned(), ["accounts".to_owned()].into())].into());
        let elsewhere = Recorder::new("other:8083".to_owned(), recorder.written.clone());
        assert_eq!((again.others(), elsewhere.others()), ([].into(), ["127.0.0.1:8083".to_owned()].into()));
        assert_eq!((again.active(), elsewhere.active().as_deref()), (None, Some("127.0.0.1:8083")));
        expect(recorder, &[shown("STOPPED", None, &["accounts"])], &[(connector, Some(STOPPED)), (task, None)]);
        let ended = recorder.unassigned();
        let same = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let keys: Vec<&str> = ended.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, [connector, WORKER]);
        assert!(ended.iter().all(|(_, value)| same(value.as_deref().expect("a value")) == same(NOBODY)));
        let written = ended.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
        let after = Recorder::new("other:8083".to_owned(), written);
        assert_eq!((after.others(), after.active()), ([].into(), None));
        expect(recorder, &[], &[(connector, None), (topic, None)]);
    }
}
