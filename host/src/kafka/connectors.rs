//! The connectors of a service in Kafka Connect's config topic, record by record as its `KafkaConfigBackingStore` writes them,
//! and where they stand in its status topic.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use krafka::Record;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    KafkaBackend,
    offsets::{self, Reader},
    topics,
};
use crate::{
    sink::SinkError,
    store::{ConnectorStore, Duty, GivenConfig, StatusRecord, StoredConnector, TargetState},
};

const CONNECTOR: &str = "connector-";
const TARGET: &str = "target-state-";
const STATUS: &str = "status-";

/// A record of the topic; no value removes it.
fn record(topic: &str, key: String, value: Option<&Value>) -> Record {
    match value {
        Some(value) => Record::new(topic, value.to_string()).key(key),
        None => Record::tombstone(topic, key),
    }
}

/// The older word for a stopped connector is that of a paused one.
fn target_value(target: TargetState) -> Value {
    let older = if target == TargetState::Stopped { TargetState::Paused } else { target };
    json!({"state": older.as_str(), "state.v2": target.as_str()})
}

fn target_of(value: &[u8]) -> Option<TargetState> {
    let value: Value = serde_json::from_slice(value).ok()?;
    let word = value.get("state.v2").or_else(|| value.get("state"))?.as_str()?;
    TargetState::of(word)
}

fn config_of(value: &[u8]) -> Option<GivenConfig> {
    serde_json::from_value(serde_json::from_slice::<Value>(value).ok()?.get_mut("properties")?.take()).ok()
}

/// What a new configuration writes, in Kafka Connect's order.
fn put(topic: &str, connector: &StoredConnector) -> Vec<Record> {
    let StoredConnector { name, config, target } = connector;
    let properties = json!({"properties": config});
    let own = record(topic, format!("{CONNECTOR}{name}"), Some(&properties));
    if *target != TargetState::Started {
        // No task is made before it is started.
        return vec![record(topic, format!("{TARGET}{name}"), Some(&target_value(*target))), own];
    }
    let mut task = config.clone();
    task.insert("task.class".to_owned(), config.get("connector.class").cloned().flatten());
    let task = record(topic, format!("task-{name}-0"), Some(&json!({"properties": task})));
    vec![own, task, record(topic, format!("commit-{name}"), Some(&json!({"tasks": 1})))]
}

impl KafkaBackend {
    async fn write(&self, records: Vec<Record>) -> Result<(), SinkError> {
        let cluster = self.cluster().await?;
        topics::ensure_compacted(&cluster, &self.kafka.config_topic, "config.storage").await?;
        cluster.write(&self.kafka, records, "writing a connector's configuration").await
    }
}

#[async_trait]
impl ConnectorStore for KafkaBackend {
    fn is_shared(&self) -> bool {
        true
    }

    async fn take_part(&self, duty: Arc<dyn Duty>, stop: watch::Receiver<bool>) -> Result<(), SinkError> {
        self.take_part_in_group(duty, stop).await
    }

    async fn load(&self) -> Result<Vec<StoredConnector>, SinkError> {
        let cluster = self.cluster().await?;
        let topic = &self.kafka.config_topic.name;
        if topics::describe(&cluster, topic).await?.is_none() {
            return Ok(Vec::new());
        }
        let wanted = |key: &[u8]| key.starts_with(CONNECTOR.as_bytes()) || key.starts_with(TARGET.as_bytes());
        let table = offsets::read(&cluster, topic, Reader::Owner, wanted).await?;
        let mut found = Vec::new();
        for (key, value) in &table {
            let name = std::str::from_utf8(key).ok().and_then(|key| key.strip_prefix(CONNECTOR));
            let (Some(name), Some(value)) = (name, value) else { continue };
            let config = config_of(value).ok_or_else(|| {
                SinkError::Refused(format!(
                    "the config topic {topic}, key {CONNECTOR}{name}: no configuration of a connector. Write null under this key \
                     to remove it, or name another topic in config.storage.topic."
                ))
            })?;
            let target = table.get(format!("{TARGET}{name}").as_bytes()).and_then(|value| value.as_deref());
            let target = target.and_then(target_of).unwrap_or_default();
            found.push(StoredConnector { name: name.to_owned(), config, target });
        }
        Ok(found)
    }

    async fn ready(&self) -> Result<(), SinkError> {
        topics::describe(&*self.cluster().await?, &self.kafka.config_topic.name).await.map(|_| ())
    }

    async fn put(&self, connector: &StoredConnector) -> Result<(), SinkError> {
        self.write(put(&self.kafka.config_topic.name, connector)).await
    }

    async fn put_target(&self, connector: &str, target: TargetState) -> Result<(), SinkError> {
        let topic = &self.kafka.config_topic.name;
        let tasks = (target == TargetState::Stopped)
            .then(|| record(topic, format!("commit-{connector}"), Some(&json!({"tasks": 0}))));
        let target = record(topic, format!("{TARGET}{connector}"), Some(&target_value(target)));
        self.write(tasks.into_iter().chain([target]).collect()).await
    }

    async fn delete(&self, connector: &str) -> Result<(), SinkError> {
        let topic = &self.kafka.config_topic.name;
        let keys = [format!("{CONNECTOR}{connector}"), format!("{TARGET}{connector}")];
        self.write(keys.map(|key| record(topic, key, None)).into()).await
    }

    async fn load_status(&self) -> Result<BTreeMap<String, String>, SinkError> {
        let cluster = self.cluster().await?;
        let topic = &self.kafka.status_topic.name;
        if topics::describe(&cluster, topic).await?.is_none() {
            return Ok(BTreeMap::new());
        }
        let wanted = |key: &[u8]| key.starts_with(STATUS.as_bytes());
        let table = offsets::read(&cluster, topic, Reader::Owner, wanted).await?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
        Ok(table.into_iter().filter_map(|(key, value)| Some((text(key)?, text(value?)?))).collect())
    }

    async fn put_status(&self, records: &[StatusRecord]) -> Result<(), SinkError> {
        let cluster = self.cluster().await?;
        let topic = &self.kafka.status_topic;
        topics::ensure_compacted(&cluster, topic, "status.storage").await?;
        let text = |(key, value): &StatusRecord| match value {
            Some(value) => Record::new(topic.name.as_str(), value.clone()).key(key.clone()),
            None => Record::tombstone(topic.name.as_str(), key.clone()),
        };
        let records: Vec<Record> = records.iter().map(text).collect();
        cluster.write(&self.kafka, records, "writing the states of the connectors").await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::super::tests::Rig;
    use super::*;

    const CONFIGS: &str = "configs";

    #[tokio::test]
    async fn what_was_put_is_read_and_looks_as_kafka_connects() {
        let rig = Rig::new(&[
            ("config.storage.topic", CONFIGS),
            ("config.storage.replication.factor", "1"),
            ("status.storage.replication.factor", "1"),
        ])
        .await;
        let store = &rig.backend;
        assert_eq!(store.load().await.unwrap(), []);
        let connector = |name: &str, value: &str, target| StoredConnector {
            name: name.to_owned(),
            config: [("connector.class".to_owned(), Some(value.to_owned())), ("x".to_owned(), None)].into(),
            target,
        };
        store.put(&connector("a", "A", TargetState::Started)).await.unwrap();
        store.put(&connector("b", "B", TargetState::Paused)).await.unwrap();
        store.put_target("a", TargetState::Stopped).await.unwrap();
        let expected = [connector("a", "A", TargetState::Stopped), connector("b", "B", TargetState::Paused)];
        assert_eq!(store.load().await.unwrap(), expected);
        let pairs: Vec<(String, Option<String>)> = rig.pairs(CONFIGS);
        let is = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        // The order and the forms of a capture from a Kafka Connect worker.
        let expected = [
            is("connector-a", r#"{"properties":{"connector.class":"A","x":null}}"#),
            is("task-a-0", r#"{"properties":{"connector.class":"A","task.class":"A","x":null}}"#),
            is("commit-a", r#"{"tasks":1}"#),
            is("target-state-b", r#"{"state":"PAUSED","state.v2":"PAUSED"}"#),
            is("connector-b", r#"{"properties":{"connector.class":"B","x":null}}"#),
            is("commit-a", r#"{"tasks":0}"#),
            is("target-state-a", r#"{"state":"PAUSED","state.v2":"STOPPED"}"#),
        ];
        assert_eq!(pairs, expected);
        store.delete("a").await.unwrap();
        assert_eq!(store.load().await.unwrap(), [connector("b", "B", TargetState::Paused)]);
        let of = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(store.load_status().await.unwrap(), BTreeMap::new());
        store.put_status(&[of("status-connector-a", Some("{}")), of("status-task-a-0", Some("1"))]).await.unwrap();
        store.put_status(&[of("status-connector-a", Some("2")), of("status-task-a-0", None)]).await.unwrap();
        let expected = [("status-connector-a".to_owned(), "2".to_owned())].into();
        assert_eq!(store.load_status().await.unwrap(), expected);
    }
}
