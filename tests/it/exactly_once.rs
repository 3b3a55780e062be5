//! Exactly-once delivery on a real broker, read back by Kafka's own consumer at `read_committed`: what freezes, what comes
//! back late, what two owners do, what the broker does (fault card F5, F6, F8 to F12). Kills are `kill_loop`'s.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    broker::Broker,
    consumer::read_all,
    judge::judge,
    kafka,
    org::Org,
    process::Tributary,
    proxy::{Proxy, Strike},
    scene::{PUSH_TOPIC, Scene},
};

/// How soon an owner that was replaced must know it.
const FENCED_WITHIN: Duration = Duration::from_secs(5);
/// How soon records flow again after the broker is back.
pub(crate) const RESUMED_WITHIN: Duration = Duration::from_secs(30);

/// A scenario that is delivered exactly once.
pub(crate) fn exactly_once(org: &Org, broker: &Broker, topic: &str) -> Scene {
    kafka::scene(org, broker, topic)
        .worker("exactly.once.source.support", "enabled")
        .with("exactly.once.support", "required")
}

/// Waits until the broker has the offset of the org's last event.
#[track_caller]
pub(crate) fn until_committed(run: &Tributary, org: &Org) -> u64 {
    kafka::until_committed(run, org)
}

#[track_caller]
pub(crate) fn expect_exact(org: &Org, broker: &Broker, topic: &str) {
    judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(broker, topic)).expect_exact();
}

#[track_caller]
pub(crate) fn started(scene: &Scene) -> Tributary {
    let run = scene.run_with(&["--log-level", "debug"]);
    run.expect_line(&["subscribed"]);
    run
}

/// Fails unless the run ends by itself in time, and says that it was fenced.
#[track_caller]
fn expect_fenced(run: Tributary) {
    let since = Instant::now();
    let finished = run.wait(FENCED_WITHIN);
    finished.expect_code(1).expect_said(&["FENCED"]);
    assert!(since.elapsed() < FENCED_WITHIN);
}

#[test]
fn records_and_offset_are_one_transaction() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("eo-records");
    let scene = exactly_once(&org, broker, "eo-records");
    let run = started(&scene);
    run.expect_line(&["exactly-once", "transactional_id=eo-records-salesforce-leads-0", "TV2"]);
    org.create_leads(1_000);
    let last = until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    // The same topics, at least once and back: both read the same offsets.
    let scene = scene.worker("exactly.once.source.support", "disabled").with("exactly.once.support", "requested");
    let run = started(&scene);
    org.create_leads(100);
    until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    let scene = scene.worker("exactly.once.source.support", "enabled").with("transaction.boundary", "interval");
    let run = started(&scene.with("transaction.boundary.interval.ms", "300"));
    org.create_leads(100);
    assert!(until_committed(&run, &org) > last);
    run.terminate().0.expect_code(0);
    expect_exact(&org, broker, "eo-records");
    kafka::stored(&read_all(broker, "eo-records-offsets")).expect("offsets are Kafka Connect's");
    org.expect_no_sessions();
}

#[test]
fn the_oldest_broker_delivers_exactly_once_too() {
    let Some(broker) = Broker::start_oldest() else { return };
    let org = Org::start();
    broker.create_topic("eo-oldest");
    expect_takeover(&org, &broker, "eo-oldest", 300);
}

/// The machine freezes in the middle of a transaction; somebody else takes over; it comes back.
#[test]
fn a_frozen_owner_comes_back_fenced_and_has_written_nothing() {
    let Some(broker) = Broker::shared() else { return };
    // At once; just before the commit; with records that the broker has in an open transaction.
    for (topic, label, interval) in [
        ("eo-zombie-produce", "mid-produce:2:stop", "1"),
        ("eo-zombie-commit", "before-commit:2:stop", "1"),
        ("eo-zombie-open", "mid-produce:8:stop", "60000"),
    ] {
        let org = Org::start();
        broker.create_topic(topic);
        let scene = exactly_once(&org, broker, topic)
            .with("transaction.boundary", "interval")
            .with("transaction.boundary.interval.ms", interval);
        let frozen = scene.run_labelled(label);
        frozen.expect_line(&["subscribed"]);
        for _ in 0..20 {
            org.create_leads(10);
            thread::sleep(Duration::from_millis(20));
        }
        frozen.expect_halted();
        let scene = scene.with("transaction.boundary", "poll");
        let successor = started(&scene);
        org.create_leads(200);
        until_committed(&successor, &org);
        frozen.signal(Signal::CONT);
        expect_fenced(frozen);
        org.create_leads(50);
        until_committed(&successor, &org);
        successor.terminate().0.expect_code(0);
        expect_exact(&org, broker, topic);
    }
}

/// One owner delivers so many; another one takes over, and the first is fenced.
#[track_caller]
fn expect_takeover(org: &Org, broker: &Broker, topic: &str, before: usize) {
    let scene = exactly_once(org, broker, topic);
    let older = started(&scene);
    org.create_leads(before);
    until_committed(&older, org);
    let newer = started(&scene);
    // Both hear of these; the older one learns by them that it is replaced.
    org.create_leads(100);
    expect_fenced(older);
    until_committed(&newer, org);
    newer.terminate().0.expect_code(0);
    expect_exact(org, broker, topic);
}

#[test]
fn of_two_owners_the_older_one_stops() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("eo-two");
    expect_takeover(&org, broker, "eo-two", 100);
}

/// Nobody takes over, but the broker aborts the transaction of an owner that was away for too long.
#[test]
fn a_transaction_that_timed_out_is_done_again() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("eo-timeout");
    let scene = exactly_once(&org, broker, "eo-timeout")
        .with("producer.override.transaction.timeout.ms", "5000")
        .with("transaction.boundary", "interval")
        .with("transaction.boundary.interval.ms", "3000");
    let run = scene.run_labelled("mid-produce:6:stop");
    run.expect_line(&["subscribed"]);
    for _ in 0..10 {
        org.create_leads(10);
        thread::sleep(Duration::from_millis(100));
    }
    run.expect_halted();
    // The time-out, and the broker's look at it once a second.
    thread::sleep(Duration::from_secs(8));
    run.signal(Signal::CONT);
    org.create_leads(50);
    run.expect_line(&["restarting"]);
    until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    expect_exact(&org, broker, "eo-timeout");
}

#[test]
fn a_broker_that_is_killed_or_halted_costs_nothing() {
    let Some(mut broker) = Broker::start() else { return };
    let org = Org::start();
    broker.create_topic("eo-broker");
    let scene = exactly_once(&org, &broker, "eo-broker").worker("request.timeout.ms", "5000");
    let run = started(&scene);
    org.create_leads(100);
    until_committed(&run, &org);
    broker.kill();
    org.create_leads(100);
    thread::sleep(Duration::from_secs(2));
    broker.resume();
    let back = Instant::now();
    until_committed(&run, &org);
    assert!(back.elapsed() < RESUMED_WITHIN, "after a kill: {:?}", back.elapsed());
    // Longer than a request may take.
    broker.signal(Signal::STOP);
    org.create_leads(100);
    thread::sleep(Duration::from_secs(8));
    broker.signal(Signal::CONT);
    let back = Instant::now();
    org.create_leads(100);
    until_committed(&run, &org);
    assert!(back.elapsed() < RESUMED_WITHIN, "after a halt: {:?}", back.elapsed());
    run.terminate().0.expect_code(0);
    expect_exact(&org, &broker, "eo-broker");
}

/// The commit is applied and its answer never comes; or the commit itself comes late, into a later transaction (KAFKA-17754).
#[test]
fn an_unclear_commit_is_never_guessed() {
    for strike in [Strike::WithholdAnswers, Strike::DelayRequest] {
        let Some(broker) = Broker::start() else { return };
        let org = Org::start();
        broker.create_topic("eo-unclear");
        let (proxy, through) = Proxy::before(&broker);
        let scene = exactly_once(&org, &broker, "eo-unclear")
            .worker("bootstrap.servers", &through)
            .worker("request.timeout.ms", "2000")
            .with("producer.override.max.block.ms", "3000")
            .with("transaction.boundary", "interval")
            .with("transaction.boundary.interval.ms", "1000");
        let run = started(&scene);
        org.create_leads(50);
        until_committed(&run, &org);
        proxy.strike(strike);
        org.create_leads(50);
        proxy.expect_struck();
        if strike == Strike::WithholdAnswers {
            run.expect_line(&["restarting"]);
        } else {
            // The client asked again and was answered; what is late comes in the middle of a later transaction.
            until_committed(&run, &org);
            for _ in 0..4 {
                org.create_leads(5);
                thread::sleep(Duration::from_millis(100));
            }
        }
        proxy.release();
        for _ in 0..20 {
            org.create_leads(5);
            thread::sleep(Duration::from_millis(50));
        }
        until_committed(&run, &org);
        run.terminate().0.expect_code(0);
        expect_exact(&org, &broker, "eo-unclear");
    }
}
