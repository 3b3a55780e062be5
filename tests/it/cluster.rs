//! Exactly-once delivery on a cluster of three brokers that loses one after the other: the leader of the topic, the
//! coordinator of the transactions, a replica that is in sync (fault card F5, F8).

use std::time::Instant;

use crate::{
    broker::{Broker, java_output},
    exactly_once::{self, RESUMED_WITHIN},
    org::Org,
    scene::NAME,
};

const TOPIC: &str = "cluster-leads";

/// The number behind a word in a table that one of Kafka's programs prints.
#[track_caller]
fn number(table: &str, word: &str) -> usize {
    let rest = table.split_once(word).unwrap_or_else(|| panic!("no {word:?} in {table}")).1;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number behind {word:?} in {table}"))
}

/// The id of the broker that leads the topic's partition.
fn leader(servers: &str) -> usize {
    let arguments = ["--bootstrap-server", servers, "--describe", "--topic", TOPIC];
    number(&java_output("org.apache.kafka.tools.TopicCommand", &arguments), "Leader:")
}

/// The id of the broker that coordinates the connector's transactions.
fn coordinator(servers: &str) -> usize {
    let id = format!("{TOPIC}-{NAME}-0");
    let arguments = ["--bootstrap-server", servers, "describe", "--transactional-id", &id];
    let table = java_output("org.apache.kafka.tools.TransactionsCommand", &arguments);
    let row = table.lines().nth(1).unwrap_or_else(|| panic!("no row in {table}"));
    number(row, "")
}

#[test]
fn the_loss_of_any_broker_costs_nothing() {
    let Some(mut brokers) = Broker::cluster(3) else { return };
    let org = Org::start();
    let servers = brokers.iter().map(Broker::address).collect::<Vec<_>>().join(",");
    brokers[0].create_topic(TOPIC);
    let scene = exactly_once::exactly_once(&org, &brokers[0], TOPIC)
        .worker("bootstrap.servers", &servers)
        .worker("offset.storage.replication.factor", "3")
        .worker("request.timeout.ms", "5000");
    let run = exactly_once::started(&scene);
    org.create_leads(100);
    exactly_once::until_committed(&run, &org);
    let other = |servers: &str| {
        let (leads, coordinates) = (leader(servers), coordinator(servers));
        (1..=3).find(|id| *id != leads && *id != coordinates).unwrap_or(leads % 3 + 1)
    };
    for (what, lost) in [("leader", leader as fn(&str) -> usize), ("coordinator", coordinator), ("replica", other)] {
        let lost = lost(&servers) - 1;
        brokers[lost].kill();
        let since = Instant::now();
        org.create_leads(100);
        exactly_once::until_committed(&run, &org);
        assert!(since.elapsed() < RESUMED_WITHIN, "without the {what}: {:?}", since.elapsed());
        brokers[lost].resume();
        org.create_leads(20);
        exactly_once::until_committed(&run, &org);
    }
    run.terminate().0.expect_code(0);
    exactly_once::expect_exact(&org, &brokers[0], TOPIC);
}
