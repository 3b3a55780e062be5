//! Stories of an object that changes while its events stream.

use super::{
    Step,
    story::{DESCRIBE, HANDSHAKE, Story, connected},
};

/// One event whose record has a field more.
fn with_new_field(id: i64) -> String {
    connected([id]).replace(r#""Name":"#, r#""New__c":7,"Name":"#)
}

const DESCRIBE_NEW: &str = r#"{"name":"Lead","fields":[{"name":"Id","type":"id"},{"name":"New__c","type":"int"}]}"#;

fn sent(story: &mut Story) -> Vec<String> {
    let Step::Send(batch) = story.step() else { panic!("no batch") };
    story.task.sent();
    batch
        .iter()
        .map(|record| String::from_utf8_lossy(record.value.as_deref().expect("no tombstone")).into_owned())
        .collect()
}

fn names(story: &mut Story) -> Vec<&'static str> {
    story.task.take_events().iter().map(crate::telemetry::Event::name).filter(|code| *code != "requesting").collect()
}

#[test]
fn a_new_field_has_its_place_before_its_event_goes_out() {
    let mut story = Story::start(&[], Some(1), 1);
    story.answer(200, &with_new_field(2));
    story.exchange("/sobjects/Lead/describe", "", DESCRIBE_NEW);
    // What vanished stays, and has the values that still come.
    assert_eq!(
        sent(&mut story),
        [r#"{"Id":"00Q000000000001AAA","New__c":7,"Name":"N2","_ObjectType":"Lead","_EventType":"created"}"#]
    );
    story.exchange("/cometd/67.0", "/meta/connect", &with_new_field(3));
    assert_eq!(sent(&mut story).len(), 1, "it is known now");
    assert_eq!(story.task.offset(), Some(3));
    let names = names(&mut story);
    assert!(!names.contains(&"unknown-fields") && !names.contains(&"session-lost"), "{names:?}");
}

#[test]
fn a_field_that_nobody_describes_is_asked_for_once() {
    let mut story = Story::start(&[], Some(1), 1);
    story.answer(200, &with_new_field(2));
    story.exchange("/sobjects/Lead/describe", "", DESCRIBE);
    assert_eq!(
        sent(&mut story),
        [r#"{"Id":"00Q000000000001AAA","Name":"N2","_ObjectType":"Lead","_EventType":"created"}"#]
    );
    assert!(names(&mut story).contains(&"unknown-fields"));
    story.exchange("/cometd/67.0", "/meta/connect", &with_new_field(3));
    assert_eq!(sent(&mut story).len(), 1);
    assert!(!names(&mut story).contains(&"unknown-fields"), "it is said once");
}

#[test]
fn a_describe_that_is_not_answered_is_tried_again_and_nothing_goes_out_before() {
    let mut story = Story::start(&[], Some(1), 1);
    story.answer(200, &with_new_field(2));
    story.request("/sobjects/Lead/describe", "");
    story.answer(503, "");
    assert_eq!(story.task.offset(), Some(1));
    // The token ran out meanwhile: a new one, then the same question, then a new session with it.
    story.request("/sobjects/Lead/describe", "");
    story.answer(401, r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]"#);
    story.log_in();
    story.exchange("/sobjects/Lead/describe", "", DESCRIBE_NEW);
    assert_eq!(sent(&mut story).len(), 1);
    story.exchange("/cometd/67.0", "/meta/handshake", HANDSHAKE);
}

#[test]
fn it_is_described_again_at_an_interval() {
    let mut story = Story::start(&[("salesforce.describe.refresh.ms", "200000")], Some(1), 1);
    story.now_ms += 100_000;
    story.answer(200, &connected([2]));
    assert_eq!(sent(&mut story).len(), 1);
    story.request("/cometd/67.0", "/meta/connect");
    story.now_ms += 100_000;
    story.answer(200, &connected([3]));
    assert_eq!(sent(&mut story).len(), 1);
    story.exchange("/sobjects/Lead/describe", "", DESCRIBE_NEW);
    story.exchange("/cometd/67.0", "/meta/connect", &connected([4]));
    assert!(sent(&mut story)[0].contains(r#""New__c":null"#));
}
