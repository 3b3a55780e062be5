//! Stories of lost positions: what the org says, what is told of it, and where the task goes on.

use super::{
    Step,
    story::{DESCRIBE, FIRST, FOUND, HANDSHAKE, Story, connected},
};
use crate::{error::FailureKind, offset::Checkpoint};

const REFUSED: &str = r#"[{"channel":"/meta/subscribe","successful":false,"error":"400::The replayId {99} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."}]"#;

fn refused(policy: &[(&str, &str)]) -> Story {
    refused_at(policy, Checkpoint::at(99))
}

/// Up to the refusal of the subscription.
pub(super) fn refused_at(settings: &[(&str, &str)], at: Checkpoint) -> Story {
    let mut story = Story::at(settings, Some(at));
    story.log_in();
    story.exchange("/describe", "", DESCRIBE);
    story.exchange("/query", "", FOUND);
    story.exchange("/cometd/67.0", "/meta/handshake", HANDSHAKE);
    story.exchange("/cometd/67.0", "/meta/connect", FIRST);
    story.exchange("/cometd/67.0", "/meta/subscribe", REFUSED);
    story
}

/// The record about the gap, once it is with the host.
fn gap(story: &mut Story) -> (String, serde_json::Value) {
    let Step::Send(batch) = story.step() else { panic!("a record about the gap") };
    let [record] = &batch[..] else { panic!("one record: {batch:?}") };
    let value = serde_json::from_slice(record.value.as_deref().expect("a value")).expect("JSON");
    let told = (record.topic.clone(), value);
    story.task.sent();
    told
}

#[test]
fn by_default_a_lost_position_is_told_of_and_ends_the_task() {
    let mut story = refused(&[("name", "n")]);
    assert_eq!(story.task.offset(), Some(99), "unchanged while nothing was told");
    let (topic, value) = gap(&mut story);
    assert_eq!(topic, "leads.gaps");
    assert_eq!((&value["connector"], &value["fromReplayId"]), (&"n".into(), &99.into()));
    assert_eq!((&value["reason"], &value["policy"]), (&"REPLAY_ID_REFUSED".into(), &"fail".into()));
    let failure = story.failure();
    assert_eq!((failure.kind, story.task.offset()), (FailureKind::OffsetLost, Some(99)));
    assert!(failure.message.contains("salesforce.replay.lost.policy"), "{}", failure.message);
}

#[test]
fn a_policy_goes_on_and_the_place_is_stored_with_the_record() {
    for (policy, marker) in [("earliest", -2), ("latest", -1)] {
        let mut story = refused(&[("salesforce.replay.lost.policy", policy), ("tributary.gap.topic", "g")]);
        let (topic, value) = gap(&mut story);
        assert_eq!((topic.as_str(), &value["policy"]), ("g", &policy.into()));
        assert_eq!(story.task.checkpoint().map(|at| at.replay_id), Some(marker));
        story.exchange("/cometd/67.0", "/meta/disconnect", "[]");
        story.subscribe(marker);
        story.request("/cometd/67.0", "/meta/connect");
        story.answer(200, &connected([3]));
        assert_eq!(story.batch(), 1, "replay ids may begin anew");
        let expected =
            Checkpoint { replay_id: 3, push_topic_id: Some("0IF1".into()), last_event_ms: Some(1_700_001_003_000) };
        assert_eq!(story.task.checkpoint(), Some(expected));
    }
}

#[test]
fn a_push_topic_made_anew_is_a_lost_position() {
    let begin = |policy: &str, id: &str| {
        let at = Checkpoint { replay_id: 7, push_topic_id: Some(id.into()), last_event_ms: Some(60_000) };
        let mut story = Story::at(&[("salesforce.replay.lost.policy", policy)], Some(at));
        story.log_in();
        story.exchange("/describe", "", DESCRIBE);
        story.exchange("/query", "", FOUND);
        story
    };
    let mut story = begin("fail", "0IF0");
    let (_, value) = gap(&mut story);
    assert_eq!(
        (&value["reason"], &value["lastEventCreatedDate"]),
        (&"PUSH_TOPIC_RECREATED".into(), &"1970-01-01T00:01:00.000Z".into())
    );
    let failure = story.failure();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::OffsetLost, "PUSH_TOPIC_RECREATED"));
    let mut story = begin("earliest", "0IF0");
    gap(&mut story);
    story.subscribe(-2);
    // The same PushTopic, or a position from before ids were kept: nothing is lost.
    begin("fail", "0IF1").subscribe(7);
    let mut story = Story::new(&[], Some(7));
    story.log_in();
    story.exchange("/describe", "", DESCRIBE);
    story.exchange("/query", "", FOUND);
    story.subscribe(7);
}
