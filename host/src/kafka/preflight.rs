//! A look at the cluster for `tributary validate --online`: can a connector log in, write to its topics and store its
//! offset? Nothing is written or created: missing topics are only asked for with `validate_only`.

use std::time::Duration;

use krafka::{
    admin::{CreateTopicsOptions, DescribeClusterOptions, NewTopic, TopicDescription},
    error::ErrorCode,
};

use super::{cluster::Cluster, topics};
use crate::{
    check::Check,
    config::{InternalTopic, TopicPlan},
    sink::SinkError,
};

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Bits of a topic's authorized operations (KIP-430), by Kafka's `AclOperation` codes.
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;

/// What became of the connection to the cluster.
pub(super) async fn connection(cluster: &Cluster) -> Check {
    let options = DescribeClusterOptions::default().timeout(TIMEOUT);
    match cluster.kafka.admin().describe_cluster(options).await {
        Ok(description) => {
            let count = description.brokers.len();
            let brokers = if count == 1 { "1 broker".to_owned() } else { format!("{count} brokers") };
            Check::pass("kafka", format!("Logged in to Kafka at {}, {brokers}", cluster.address))
        }
        Err(error) => refused("kafka", &cluster.error("describing the cluster", &error)),
    }
}

/// A connection that did not come about.
pub(super) fn refused(name: &str, error: &SinkError) -> Check {
    let text = error.to_string();
    let mut chars = text.chars();
    let text = chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect());
    Check::fail_text(name, &text)
}

/// A topic for records: there and writable, or to be created by `plan`.
pub(super) async fn topic(cluster: &Cluster, name: &str, plan: Option<&TopicPlan>) -> Check {
    const NAME: &str = "topic";
    match topics::describe(cluster, name).await {
        Err(error) => refused(NAME, &error),
        Ok(Some(description)) => rights(NAME, cluster, &description, &[(WRITE, "Write")]),
        Ok(None) => match plan {
            None => refused(NAME, &topics::missing(cluster, name)),
            Some(plan) => {
                let new = NewTopic::new(name, plan.partitions, plan.replication_factor);
                let new = new.map(|new| plan.configs.iter().fold(new, |new, (key, value)| new.with_config(key, value)));
                dry_run(NAME, cluster, new).await
            }
        },
    }
}

/// The topic of offsets: there, compacted, readable and writable, or to be created.
pub(super) async fn offsets_topic(cluster: &Cluster, topic: &InternalTopic) -> Check {
    const NAME: &str = "offsets-topic";
    match topics::describe(cluster, &topic.name).await {
        Err(error) => refused(NAME, &error),
        Ok(Some(description)) => match topics::check_compacted(cluster, &topic.name, "offset.storage").await {
            Err(error) => refused(NAME, &error),
            Ok(()) => rights(NAME, cluster, &description, &[(READ, "Read"), (WRITE, "Write")]),
        },
        Ok(None) => {
            let new = NewTopic::new(&topic.name, topic.partitions, topic.replication_factor);
            let new = new.map(|new| {
                let compacted = new.with_config("cleanup.policy", "compact");
                topic.configs.iter().fold(compacted, |new, (key, value)| new.with_config(key, value))
            });
            dry_run(NAME, cluster, new).await
        }
    }
}

fn rights(check: &str, cluster: &Cluster, topic: &TopicDescription, wanted: &[(i32, &str)]) -> Check {
    let name = &topic.name;
    if topic.partitions.iter().any(|partition| partition.leader.is_none()) {
        let message = format!("The topic {name} has partitions without a leader");
        return Check::warn(check, message, "Check the brokers: what goes there would have to wait.");
    }
    let partitions = topic.partitions.len();
    let Some(operations) = topic.authorized_operations else {
        return Check::pass(check, format!("The topic {name} is there, with {partitions} partitions"));
    };
    let missing: Vec<&str> = wanted.iter().filter(|(bit, _)| operations & bit == 0).map(|(_, name)| *name).collect();
    if missing.is_empty() {
        let granted: Vec<String> = wanted.iter().map(|(_, name)| name.to_lowercase()).collect();
        let message =
            format!("The topic {name} is there, with {partitions} partitions; the user may {}", granted.join(" and "));
        return Check::pass(check, message);
    }
    let message = format!("The user has no right to {} on the topic {name}", missing.join(" and ").to_lowercase());
    let operations: String = missing.iter().map(|name| format!(" --operation {name}")).collect();
    let remedy = format!(
        "Grant it, for example with `kafka-acls --bootstrap-server {} --add --allow-principal User:NAME{operations} --topic \
         {name}`.",
        cluster.address
    );
    Check::fail(check, message, remedy)
}

/// Asks the cluster whether it would create the topic.
async fn dry_run(check: &str, cluster: &Cluster, new: Result<NewTopic, krafka::KrafkaError>) -> Check {
    let new = match new {
        Ok(new) => new,
        Err(error) => return refused(check, &cluster.error("planning a topic", &error)),
    };
    let name = new.name.clone();
    let count = |number: i32| if number < 0 { "the brokers' default of".to_owned() } else { number.to_string() };
    let (partitions, replicas) = (count(new.num_partitions), count(new.replication_factor.into()));
    let options = CreateTopicsOptions::default().validate_only(true).timeout(TIMEOUT);
    let answer = cluster.kafka.admin().create_topics([new], options).await;
    match answer.and_then(|mut answer| answer.remove(&name).unwrap_or(Ok(()))) {
        Ok(()) => Check::pass(
            check,
            format!(
                "The topic {name} does not exist yet; it will be created with {partitions} partitions and {replicas} replicas"
            ),
        ),
        Err(krafka::KrafkaError::Broker {
            code: ErrorCode::TopicAuthorizationFailed | ErrorCode::ClusterAuthorizationFailed,
            ..
        }) => Check::fail(
            check,
            format!("The topic {name} does not exist, and the user may not create it"),
            format!(
                "Create it, or grant the right with `kafka-acls --bootstrap-server {} --add --allow-principal User:NAME \
                 --operation Create --topic {name}`.",
                cluster.address
            ),
        ),
        Err(error) => {
            refused(check, &cluster.error(&format!("asking whether the topic {name} could be created"), &error))
        }
    }
}
