//! The real component in the real host on a real broker, read back by Kafka's own consumer: at-least-once, with Kafka
//! Connect's offsets (fault card F1, F2, F4 to F6, F14).

use std::thread;

use serde_json::Value;

use crate::{
    broker::{Broker, free_port},
    consumer::{Consumed, read_all},
    judge::judge,
    org::Org,
    process::{PATIENCE, Tributary},
    scene::{NAME, PUSH_TOPIC, Scene},
};

/// A scenario on that broker, with an offsets topic of its own.
pub(crate) fn scene(org: &Org, broker: &Broker, topic: &str) -> Scene {
    Scene::new(org, topic)
        .worker("bootstrap.servers", &broker.address())
        .worker("group.id", topic)
        .worker("offset.storage.topic", &format!("{topic}-offsets"))
        .worker("offset.storage.partitions", "3")
        .worker("offset.storage.replication.factor", "1")
        .worker("offset.flush.interval.ms", "1000")
}

/// The newest offset in the offsets topic, after a check of every record's form.
#[track_caller]
pub(crate) fn stored(records: &[Consumed]) -> Option<u64> {
    let mut newest = None;
    for record in records {
        // Beside the offset stands what the connector keeps for itself.
        if record.key.as_deref() == Some(format!("[\"tributary-state/{NAME}\",{{}}]").as_str()) {
            continue;
        }
        assert_eq!(record.key.as_deref(), Some(format!("[\"{NAME}\",{{}}]").as_str()), "{record:?}");
        let value = record.value.as_deref().expect("nobody deletes the offset");
        let number = value.strip_prefix("{\"replayId\":").and_then(|rest| rest.strip_suffix('}'));
        newest = Some(number.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{record:?}")));
    }
    newest
}

/// Waits until the broker has the offset of the org's last event, which says so for every event before it: the run commits
/// it, or found it when it started.
#[track_caller]
pub(crate) fn until_committed(run: &Tributary, org: &Org) -> u64 {
    let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
    run.expect_line(&[&format!("{{\"replayId\":{last}}}")]);
    last
}

#[test]
fn records_and_offsets_are_those_of_kafka_connect() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("it-records");
    let scene = scene(&org, broker, "it-records");
    let run = scene.run_until_subscribed();
    org.create_leads(500);
    let (finished, _) = run.terminate();
    finished.expect_code(0);
    // A stop commits what it has; the next run takes the rest.
    let run = scene.run_with(&["--log-level", "debug"]);
    let last = until_committed(&run, &org);
    run.terminate().0.expect_code(0);

    judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(broker, "it-records")).expect_exact();
    assert_eq!(stored(&read_all(broker, "it-records-offsets")), Some(last));
    org.expect_no_sessions();
}

#[test]
fn kill_loses_nothing_and_repeats_only_what_was_in_flight() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("it-kill");
    let scene = scene(&org, broker, "it-kill");
    scene.run_until_subscribed().terminate().0.expect_code(0);

    // What stood in the topic, and what was stored, at each kill.
    let mut kills: Vec<(usize, u64)> = Vec::new();
    for (before, after) in [(0, 300), (50, 600), (1_000, 1_000)] {
        let run = scene.run_until_subscribed();
        org.create_leads(before);
        // Once an offset was stored in this run, the rest is killed between two flushes.
        if before > 0 {
            run.expect_line(&["committed"]);
        }
        org.create_leads(after);
        run.kill();
        let (records, offsets) = thread::scope(|scope| {
            let records = scope.spawn(|| read_all(broker, "it-kill"));
            let offsets = read_all(broker, "it-kill-offsets");
            (records.join().expect("the consumer does not panic"), offsets)
        });
        kills.push((records.len(), stored(&offsets).unwrap_or(0)));
    }
    let run = scene.run_with(&["--log-level", "debug"]);
    until_committed(&run, &org);
    run.terminate().0.expect_code(0);

    let events = org.expected(PUSH_TOPIC, "Lead");
    let records = read_all(broker, "it-kill");
    judge(&events, &records).expect_at_least_once();
    for (standing, stored) in kills {
        let replay_id = |record: &Consumed| {
            let id = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref()?).ok();
            let key = id(&record.key);
            events.iter().find(|event| serde_json::from_str(&event.key).ok() == key).map(|event| event.replay_id)
        };
        let behind: Vec<u64> = records[standing..].iter().filter_map(replay_id).filter(|id| *id <= stored).collect();
        assert!(behind.is_empty(), "came again although {stored} was stored: {behind:?}");
    }
}

#[test]
fn a_missing_topic_is_named_with_its_remedy() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    org.create_push_topic(PUSH_TOPIC, "SELECT Id, Company FROM Lead");
    org.create_leads(1);
    let scene = scene(&org, broker, "it-missing");
    scene.run().wait(PATIENCE).expect_code(1).expect_said(&[
        "it-missing",
        "topic.creation.default",
        "kafka-topics",
        "--create",
    ]);

    // The same with the remedy: the event is still there.
    let scene =
        scene.with("topic.creation.default.partitions", "1").with("topic.creation.default.replication.factor", "1");
    let run = scene.run_with(&["--log-level", "debug"]);
    until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(broker, "it-missing")).expect_exact();
}

#[test]
fn what_is_wrong_with_the_offsets_topic_is_named() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("it-offsets");
    let compacted = ["--config", "cleanup.policy=compact"];
    let own = format!("[\"{NAME}\",{{}}]");
    let scene = |offsets: &str| scene(&org, broker, "it-offsets").worker("offset.storage.topic", offsets);
    let refused = |scene: Scene, words: &[&str]| {
        scene.run().wait(PATIENCE).expect_code(1).expect_said(&["FAILED"]).expect_said(words);
    };
    refused(
        scene("it-offsets-replicas").worker("offset.storage.replication.factor", "3"),
        &["it-offsets-replicas", "offset.storage.replication.factor", "fewer brokers"],
    );
    broker.create_topic_with("it-offsets-deleted", &["--config", "cleanup.policy=delete"]);
    refused(scene("it-offsets-deleted"), &["it-offsets-deleted", "cleanup.policy=delete", "kafka-configs"]);
    for (topic, value, words) in [
        ("it-offsets-broken", "x", ["no", "tributary offsets alter"]),
        ("it-offsets-nested", r#"{"replayId":{}}"#, ["JSON object", "tributary offsets alter"]),
        ("it-offsets-text", r#"{"replayId":"abc"}"#, ["replayId", "whole number"]),
        ("it-offsets-half", r#"{"replayId":1.5}"#, ["replayId", "whole number"]),
    ] {
        broker.create_topic_with(topic, &compacted);
        broker.produce(topic, &[(&own, value)]);
        refused(scene(topic), &words);
    }
    // What is not for us is passed over, whatever it is.
    broker.create_topic_with("it-offsets-foreign", &compacted);
    broker.produce(
        "it-offsets-foreign",
        &[("x", "y"), ("[]", "z"), (r#"["another",{}]"#, "broken"), (&own.replace("{}", r#"{"a":1}"#), r#"{"b":2}"#)],
    );
    let scene = scene("it-offsets-foreign");
    let run = scene.run();
    run.expect_line(&["starts without a stored offset"]);
    run.terminate().0.expect_code(0);
}

#[test]
fn what_somebody_mends_is_gone_on_with() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    org.create_push_topic(PUSH_TOPIC, "SELECT Id, Company FROM Lead");
    org.create_leads(1);
    let scene = scene(&org, broker, "it-mended").with("auto.restart.on.user.error", "true");
    let run = scene.run_with(&["--log-level", "debug"]);
    run.expect_line(&["FAILED", "it-mended"]);
    run.expect_line(&["starts again in", "auto.restart.on.user.error"]);
    broker.create_topic("it-mended");
    until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(broker, "it-mended")).expect_exact();
}

#[test]
fn a_broker_that_is_away_is_named_and_waited_for() {
    if Broker::shared().is_none() {
        return;
    }
    let org = Org::start();
    let address = format!("127.0.0.1:{}", free_port());
    let scene =
        Scene::new(&org, "leads").worker("bootstrap.servers", &address).worker("offset.storage.topic", "offsets");
    let run = scene.run();
    run.expect_line(&[&address]);
    let (finished, took) = run.terminate();
    finished.expect_code(0);
    assert!(took.as_secs() < 10, "the stop took {took:?}");
}

#[test]
fn a_broker_that_goes_and_comes_back_costs_nothing() {
    let Some(mut broker) = Broker::start() else { return };
    let org = Org::start();
    broker.create_topic("it-restart");
    let scene = scene(&org, &broker, "it-restart");
    let run = scene.run_with(&["--log-level", "debug"]);
    run.expect_line(&["subscribed"]);
    org.create_leads(100);
    until_committed(&run, &org);
    broker.kill();
    org.create_leads(100);
    broker.resume();
    org.create_leads(100);
    until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(&broker, "it-restart")).expect_at_least_once();
}
