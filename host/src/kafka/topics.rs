//! What is asked of the cluster's topics: whether one exists, and to create it where that is wanted.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use krafka::{
    KrafkaError,
    admin::{
        ConfigResource, CreateTopicsOptions, DescribeConfigsOptions, DescribeTopicsOptions, NewTopic, TopicDescription,
    },
    error::ErrorCode,
};
use tracing::{debug, info};

use super::cluster::Cluster;
use crate::{
    config::{InternalTopic, TopicCreation, TopicPlan},
    sink::SinkError,
};

/// How long one admin request may take, its tries included.
const ADMIN_TIMEOUT_MS: u64 = 30_000;

/// How long the partitions of a new topic may take to find leaders.
const NEW_TOPIC_TIMEOUT_MS: u64 = 30_000;

/// Between two looks at a new topic.
const LOOK_MS: u64 = 50;

/// The topics of a task's records.
pub(super) struct Topics {
    creation: TopicCreation,
    /// Those that were seen to exist.
    known: BTreeSet<String>,
    /// Those that hold offsets, which a record would destroy.
    offsets: Vec<String>,
}

impl Topics {
    pub(super) fn new(enabled: bool, creation: TopicCreation, offsets: Vec<String>) -> Self {
        let creation = if enabled { creation } else { TopicCreation::default() };
        Self { creation, known: BTreeSet::new(), offsets }
    }

    /// Makes sure that a topic exists.
    pub(super) async fn ensure(&mut self, cluster: &Cluster, topic: &str) -> Result<(), SinkError> {
        if self.known.contains(topic) {
            return Ok(());
        }
        if self.offsets.iter().any(|offsets| offsets == topic) {
            return Err(SinkError::Refused(format!(
                "the topic {topic} holds the offsets, so that no record may go there. Name another topic in the connector's \
                 configuration, or in offset.storage.topic of the worker file."
            )));
        }
        ensure(cluster, topic, self.creation.plan(topic)).await?;
        self.known.insert(topic.to_owned());
        Ok(())
    }
}

async fn ensure(cluster: &Cluster, topic: &str, plan: Option<&TopicPlan>) -> Result<(), SinkError> {
    if describe(cluster, topic).await?.is_some() {
        return Ok(());
    }
    let Some(plan) = plan else { return Err(missing(cluster, topic)) };
    let mut new = NewTopic::new(topic, plan.partitions, plan.replication_factor)
        .map_err(|error| cluster.error(&format!("creating the topic {topic}"), &error))?;
    for (name, value) in &plan.configs {
        new = new.with_config(name, value);
    }
    create(cluster, new, "topic.creation.default.replication.factor").await
}

pub(super) fn missing(cluster: &Cluster, topic: &str) -> SinkError {
    SinkError::Refused(format!(
        "the topic {topic} does not exist on Kafka at {address}. Create it with `kafka-topics --bootstrap-server {address} \
         --create --topic {topic}`, or let it be created: set topic.creation.default.partitions and \
         topic.creation.default.replication.factor in the connector's configuration (-1 for the brokers' defaults).",
        address = cluster.address
    ))
}

/// Makes sure that a topic of the worker's own exists and keeps the newest record of every key. `stem` is what its settings
/// begin with: `offset.storage`.
pub(super) async fn ensure_compacted(
    cluster: &Cluster,
    topic: &InternalTopic,
    stem: &'static str,
) -> Result<(), SinkError> {
    if describe(cluster, &topic.name).await?.is_some() {
        return check_compacted(cluster, &topic.name, stem).await;
    }
    let mut new = NewTopic::new(&topic.name, topic.partitions, topic.replication_factor)
        .map_err(|error| cluster.error(&format!("creating the topic {} of {stem}.topic", topic.name), &error))?
        .with_config("cleanup.policy", "compact");
    for (name, value) in &topic.configs {
        new = new.with_config(name, value);
    }
    create(cluster, new, &format!("{stem}.replication.factor")).await
}

/// As Kafka Connect does it: anything but pure compaction would lose offsets, and not to be allowed to look is no error.
pub(super) async fn check_compacted(cluster: &Cluster, topic: &str, stem: &str) -> Result<(), SinkError> {
    let resource = ConfigResource::topic(topic);
    let options = DescribeConfigsOptions::default()
        .config_names(vec!["cleanup.policy".to_owned()])
        .timeout(Duration::from_millis(ADMIN_TIMEOUT_MS));
    let answer = cluster.kafka.admin().describe_configs([resource.clone()], options).await;
    let entries = match answer.map(|mut answer| answer.remove(&resource)) {
        Ok(Some(Ok(entries))) => entries,
        Ok(None) => return Ok(()),
        Ok(Some(Err(error))) | Err(error) => {
            debug!(topic, %error, "cannot see whether the topic is compacted");
            return Ok(());
        }
    };
    let policy = entries.into_iter().find(|entry| entry.name == "cleanup.policy").and_then(|entry| entry.value);
    match policy.as_deref() {
        None | Some("compact") => Ok(()),
        Some(other) => Err(SinkError::Refused(format!(
            "the topic {topic} on Kafka at {address} has cleanup.policy={other}, so what it holds would be deleted in \
             time. Set it with `kafka-configs --bootstrap-server {address} --alter --topic {topic} --add-config \
             cleanup.policy=compact`, or name another topic in {stem}.topic.",
            address = cluster.address
        ))),
    }
}

/// The topic, or `None` when it does not exist.
pub(super) async fn describe(cluster: &Cluster, topic: &str) -> Result<Option<TopicDescription>, SinkError> {
    let options = DescribeTopicsOptions::default().timeout(Duration::from_millis(ADMIN_TIMEOUT_MS));
    let answer = cluster.kafka.admin().describe_topics([topic], options).await;
    let answer = answer.and_then(|mut answer| {
        answer.remove(topic).unwrap_or_else(|| Err(KrafkaError::timeout("describing a topic without an answer")))
    });
    match answer {
        Ok(description) => Ok(Some(description)),
        Err(KrafkaError::Broker { code: ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId, .. }) => {
            Ok(None)
        }
        Err(error) => Err(cluster.error(&format!("looking for the topic {topic}"), &error)),
    }
}

/// Creates a topic and waits until its partitions have leaders. Another worker may have been faster.
async fn create(cluster: &Cluster, new: NewTopic, replicas_property: &str) -> Result<(), SinkError> {
    let topic = new.name.clone();
    let (partitions, replicas) = (new.num_partitions, new.replication_factor);
    let options = CreateTopicsOptions::default().timeout(Duration::from_millis(ADMIN_TIMEOUT_MS));
    let answer = cluster.kafka.admin().create_topics([new], options).await;
    let answer = answer.and_then(|mut answer| answer.remove(&topic).unwrap_or(Ok(())));
    match answer {
        Ok(()) => info!(topic, partitions, replicas, "created a topic"),
        Err(KrafkaError::Broker { code: ErrorCode::TopicAlreadyExists, .. }) => {}
        Err(error @ KrafkaError::Broker { code: ErrorCode::InvalidReplicationFactor, .. }) => {
            return Err(SinkError::Refused(format!(
                "the topic {topic} cannot be created on Kafka at {}: {replicas_property} = {replicas}, and the cluster \
                 has fewer brokers ({error}). Set {replicas_property} to at most their number, 1 for a single broker.",
                cluster.address
            )));
        }
        Err(error) => return Err(cluster.error(&format!("creating the topic {topic}"), &error)),
    }
    let deadline = Instant::now() + Duration::from_millis(NEW_TOPIC_TIMEOUT_MS);
    loop {
        let description = describe(cluster, &topic).await?;
        let led = |topic: &TopicDescription| topic.partitions.iter().all(|partition| partition.leader.is_some());
        if description.is_some_and(|topic| !topic.partitions.is_empty() && led(&topic)) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(SinkError::Unavailable(format!(
                "the new topic {topic} on Kafka at {} has partitions without a leader after {NEW_TOPIC_TIMEOUT_MS} ms.",
                cluster.address
            )));
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}
