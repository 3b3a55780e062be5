//! The real component in the real host on the embedded log: every event once, in order, unchanged, whatever ends the
//! process (fault card F1, F2, F4).

use std::time::{Duration, Instant};

use salesforce_simulator::{Change, Operation};

use crate::{
    judge::judge,
    org::Org,
    process::Tributary,
    scene::{PUSH_TOPIC, Scene},
};

/// What `tributary run` promises for its end.
const STOP_MAX: Duration = Duration::from_secs(10);

#[test]
fn two_thousand_events_arrive_once_in_order_and_unchanged() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let start = Instant::now();
    let run = scene.run_until_subscribed();

    let leads = org.create_leads(1);
    let first = scene.tail("leads", 1);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "the first record took {took:?}");

    let more = org.create_leads(1_899);
    for lead in &more[..60] {
        org.change(Change::of("Lead", Operation::Updated, lead).set("Company", "Ünïted \u{1F600} \"Quotes\" \\ Co"));
    }
    for lead in &more[..30] {
        org.change(Change::of("Lead", Operation::Deleted, lead));
    }
    for lead in &more[..10] {
        org.change(Change::of("Lead", Operation::Undeleted, lead));
    }
    let events = org.expected(PUSH_TOPIC, "Lead");
    assert_eq!(events.len(), 2_000, "changes that the org tells");
    let records = scene.tail("leads", 2_000);
    let (finished, took) = run.terminate();
    finished.expect_code(0);
    assert!(took < STOP_MAX, "the stop took {took:?}");

    judge(&events, &records).expect_exact();
    assert_eq!(records[0], first[0], "what was read stays as it was read");
    assert!(first[0].key.as_deref().is_some_and(|key| key.contains(&leads[0])));
    assert!(records.iter().enumerate().all(|(index, record)| (record.partition, record.offset) == (0, index as i64)));
    assert_eq!(scene.log("leads").len(), 2_000, "nothing came after the last one");
    org.expect_no_sessions();
}

#[test]
fn an_object_with_a_field_of_every_type_gets_through() {
    let org = Org::start();
    let scene = Scene::new(&org, "everything").with("salesforce.object", "Everything__c");
    let run = scene.run_until_subscribed();
    for _ in 0..50 {
        org.change(Change::created("Everything__c"));
    }
    let records = scene.tail("everything", 50);
    run.terminate().0.expect_code(0);
    let fields = org.fields("Everything__c").iter().map(|(name, _)| name.as_str());
    let names: Vec<&str> = fields.chain(["_ObjectType", "_EventType"]).collect();
    for record in records {
        let text = record.value.expect("a value");
        // In the text, because a parsed object has lost the order.
        let mut rest = text.as_str();
        for name in &names {
            let member = format!("\"{name}\":");
            let start = rest.find(&member).unwrap_or_else(|| panic!("{name} is missing or out of order: {text}"));
            rest = &rest[start + member.len()..];
        }
    }
}

#[test]
fn kill_at_any_point_neither_loses_nor_repeats() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    // The PushTopic must be there before the first event.
    scene.run_until_subscribed().terminate().0.expect_code(0);

    // How each run is watched before it is killed: until it says something, or until it shows so many records.
    let points: [fn(&Tributary); 7] = [
        |run| drop(run.expect_line(&["connector"])),
        |run| drop(run.expect_line(&["logged in"])),
        |run| drop(run.expect_line(&["subscribed"])),
        |run| drop(run.expect_output(1)),
        |run| drop(run.expect_output(2)),
        |run| drop(run.expect_output(73)),
        |run| drop(run.expect_output(211)),
    ];
    for until in points {
        let run = scene.run_with(&["--tail"]);
        org.create_leads(300);
        until(&run);
        run.kill();
    }
    let events = org.expected(PUSH_TOPIC, "Lead");
    let run = scene.run();
    scene.tail("leads", events.len());
    run.terminate().0.expect_code(0);
    judge(&events, &scene.log("leads")).expect_exact();
}

#[test]
fn a_stop_in_mid_flow_neither_loses_nor_repeats() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    for _ in 0..3 {
        let run = scene.run_until_subscribed();
        org.create_leads(400);
        let (finished, took) = run.terminate();
        finished.expect_code(0);
        assert!(took < STOP_MAX, "the stop took {took:?}");
        org.expect_no_sessions();
    }
    let events = org.expected(PUSH_TOPIC, "Lead");
    let run = scene.run();
    scene.tail("leads", events.len());
    run.terminate().0.expect_code(0);
    judge(&events, &scene.log("leads")).expect_exact();
}

#[test]
fn the_latest_start_takes_only_what_comes_after_it() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").with("salesforce.initial.start", "latest");
    scene.run_until_subscribed().terminate().0.expect_code(0);
    org.create_leads(5);
    let before = org.expected(PUSH_TOPIC, "Lead").len();
    let run = scene.run_until_subscribed();
    org.create_leads(7);
    scene.tail("leads", 7);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead")[before..], &scene.log("leads")).expect_exact();
}
