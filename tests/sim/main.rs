//! Seeded simulation: the connector's native core against the simulated org, under virtual time, with faults, changes,
//! back-pressure and crashes drawn from a seed. Implements the method of the fault card: what reached the topic (K) is
//! compared with the org's ledger (L).
//!
//! `SIM_SEEDS=1000 SIM_FIRST_SEED=1 cargo test --test sim` runs more seeds; a failure names its seed, and
//! `SIM_FIRST_SEED=<seed> SIM_SEEDS=1` plays it again, event by event the same.

mod faults;
mod topic;
mod transactions;
mod world;

use salesforce_pushtopic::{
    config::{keys, validate},
    driver::Driver,
    error::FailureKind,
    offset::Checkpoint,
    task::Task,
};
use salesforce_simulator::{Operation, OrgConfig};

use crate::{topic::Topic, world::World};

/// When the virtual clock starts, in milliseconds since the epoch: 2026-01-15T08:00:00Z.
const START_MS: u64 = 1_768_464_000_000;
/// How long faults and changes go on, in milliseconds.
const STORMY_MS: u64 = 20 * 60_000;
/// How long it may take until everything has arrived once they have ended, in milliseconds. A quota that is used up is
/// waited for in steps of up to 15 minutes.
const QUIET_MS: u64 = 40 * 60_000;

/// What a run may do.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    faults: bool,
    crashes: bool,
    from_latest: bool,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// An org that differs from seed to seed.
fn org_config(seed: u64) -> OrgConfig {
    OrgConfig {
        seed,
        start_ms: START_MS,
        replay_gap_per_mille: 100,
        response_events_max: 40,
        event_latency_ms: seed % 3 * 400,
        events_first: seed.is_multiple_of(2),
        events_on_subscribe: seed.is_multiple_of(5),
        daily_notifications_max: u64::MAX,
        gzip: !seed.is_multiple_of(3),
        ..OrgConfig::default()
    }
}

/// Plays one seed and judges it.
fn play(seed: u64, scenario: Scenario) -> Result<String, String> {
    let config = org_config(seed);
    let world = World::new(config, seed, scenario.faults);
    let mut topic = Topic::default();
    let mut driver = start(&world, topic.committed(), scenario, seed)?;
    let mut instances = 1_u64;
    let ends_ms = START_MS + STORMY_MS;
    while world.now_ms() < ends_ms {
        let progress = driver.poll(500).map_err(|failure| format!("the task failed: {failure}"))?;
        topic.take(world.take_sent(), progress.offset);
        topic.acknowledge_some(world.below(100), scenario.crashes);
        world.sleep(progress.next_poll_after_ms.min(500));
        if scenario.crashes && world.below(600) == 0 {
            topic.crash(world.below(100));
            instances += 1;
            drop(driver);
            driver = start(&world, topic.committed(), scenario, seed ^ instances)?;
        }
    }
    world.calm();
    let deadline_ms = world.now_ms() + QUIET_MS;
    loop {
        let progress = driver.poll(500).map_err(|failure| format!("the task failed in the quiet: {failure}"))?;
        topic.take(world.take_sent(), progress.offset);
        topic.acknowledge_all();
        world.sleep(progress.next_poll_after_ms.min(500));
        let ledger = world.ledger();
        if topic.holds_all(&ledger, scenario.from_latest) {
            driver.close(5_000);
            return topic.judge(&ledger, scenario.crashes, scenario.from_latest);
        }
        if world.now_ms() > deadline_ms {
            return topic.judge(&ledger, scenario.crashes, scenario.from_latest);
        }
    }
}

fn start(world: &World, committed: Option<i64>, scenario: Scenario, seed: u64) -> Result<Driver<World>, String> {
    let credentials = world.credentials();
    let start = if scenario.from_latest { "latest" } else { "all" };
    let settings = [
        ("kafka.topic", "leads"),
        ("salesforce.instance", "http://simulator.test"),
        ("salesforce.username", &credentials.username),
        ("salesforce.password", &credentials.password),
        ("salesforce.password.token", &credentials.security_token),
        ("salesforce.consumer.key", &credentials.consumer_key),
        ("salesforce.consumer.secret", &credentials.consumer_secret),
        ("salesforce.object", "Lead"),
        ("salesforce.push.topic.name", "Leads"),
        ("salesforce.initial.start", start),
        // The managed connector allows less time for retries than the longest outage of a scenario takes.
        ("connector.class", keys::CLASS_SELF_MANAGED),
        ("salesforce.stall.detect.ms", "120000"),
        ("request.max.retries.time.ms", "900000"),
        ("salesforce.auth.retries.time.ms", "900000"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = validate::parse(&settings).map_err(|failure| failure.to_string())?;
    Ok(Driver::new(world.clone(), Task::new(config, committed.map(Checkpoint::at), seed)))
}

#[expect(clippy::print_stdout, reason = "what a seed did belongs beside the test that failed")]
fn play_all(scenario: Scenario) {
    let first = number("SIM_FIRST_SEED", 1);
    for seed in first..first + number("SIM_SEEDS", 40) {
        match play(seed, scenario) {
            Ok(summary) => println!("seed {seed}: {summary}"),
            Err(reason) => {
                panic!("seed {seed} of {scenario:?}: {reason}\nSIM_FIRST_SEED={seed} SIM_SEEDS=1 plays it again")
            }
        }
    }
}

#[test]
fn without_faults_every_event_arrives_once_in_order() {
    play_all(Scenario { faults: false, crashes: false, from_latest: false });
}

#[test]
fn with_faults_every_event_arrives_once_in_order() {
    play_all(Scenario { faults: true, crashes: false, from_latest: false });
}

#[test]
fn with_faults_from_the_tip_every_event_since_the_first_subscription_arrives_once() {
    play_all(Scenario { faults: true, crashes: false, from_latest: true });
}

#[test]
fn with_faults_and_crashes_every_event_arrives_and_only_those_in_flight_twice() {
    play_all(Scenario { faults: true, crashes: true, from_latest: false });
}

/// The judge itself: a topic that lacks, repeats, alters or invents a record must not pass.
#[test]
fn the_judge_sees_each_kind_of_harm() {
    let world = World::new(OrgConfig { start_ms: START_MS, ..OrgConfig::default() }, 1, false);
    let mut topic = Topic::default();
    let mut driver =
        start(&world, None, Scenario { faults: false, crashes: false, from_latest: false }, 1).expect("starts");
    while world.ledger().len() < 20 || !topic.holds_all(&world.ledger(), false) {
        let progress = driver.poll(500).expect("no faults");
        topic.take(world.take_sent(), progress.offset);
        topic.acknowledge_all();
        if world.ledger().len() >= 20 {
            world.calm();
        }
    }
    let ledger = world.ledger();
    assert!(topic.judge(&ledger, false, false).is_ok());
    assert!(ledger.iter().any(|event| event.operation == Operation::Created));
    for harm in ["lost", "dup", "foreign", "altered", "disorder"] {
        let mut harmed = topic.clone();
        harmed.harm(harm);
        let verdict = harmed.judge(&ledger, false, false).expect_err(harm);
        assert!(verdict.contains(&format!("{harm} 1")), "{harm}: {verdict}");
    }
}

/// A position that the org refuses ends the task with `offset-lost`, and nothing is skipped in silence.
#[test]
fn a_position_beyond_retention_is_a_failure() {
    let config = OrgConfig { start_ms: START_MS, retention_ms: 600_000, ..OrgConfig::default() };
    let world = World::new(config, 3, false);
    let mut topic = Topic::default();
    let scenario = Scenario { faults: false, crashes: false, from_latest: false };
    let mut driver = start(&world, None, scenario, 3).expect("starts");
    while topic.committed().is_none() {
        let progress = driver.poll(500).expect("no faults");
        topic.take(world.take_sent(), progress.offset);
        topic.acknowledge_all();
    }
    drop(driver);
    world.sleep(3_600_000);
    let mut driver = start(&world, topic.committed(), scenario, 4).expect("starts");
    let mut told = Vec::new();
    let failure = loop {
        match driver.poll(500) {
            Ok(progress) => told.extend(world.take_sent().into_iter().take(progress.sent)),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.kind, FailureKind::OffsetLost);
    let topics: Vec<&str> = told.iter().map(|record| record.topic.as_str()).collect();
    assert_eq!(topics, ["leads.gaps"], "one record tells of the gap");
}
