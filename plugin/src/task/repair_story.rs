//! Stories of `salesforce.replay.lost.policy=repair`: what changed since the last event is read and sent before the loss is
//! told of and the position moves.

use super::{
    ProducerRecord, Step,
    lost_story::refused_at,
    story::{Story, connected},
};
use crate::offset::Checkpoint;

const POLICY: (&str, &str) = ("salesforce.replay.lost.policy", "repair");
/// 2023-11-14T22:13:20Z.
const LAST_MS: i64 = 1_700_000_000_000;

/// Up to the refusal of the subscription, the last event being known.
fn refused(more: &[(&str, &str)]) -> Story {
    let settings: Vec<_> = [POLICY].iter().chain(more).copied().collect();
    refused_at(
        &settings,
        Checkpoint { replay_id: 99, push_topic_id: Some("0IF1".into()), last_event_ms: Some(LAST_MS) },
    )
}

fn row(id: &str, deleted: bool, created: &str) -> String {
    format!(
        r#"{{"attributes":{{"type":"Lead"}},"Id":"{id}","Name":"n{id}","IsDeleted":{deleted},"CreatedDate":"{created}T22:13:00.000+0000","SystemModstamp":"2023-11-14T22:20:00.000+0000"}}"#
    )
}

fn page(rows: &[String], next: Option<&str>) -> String {
    let next = next.map(|next| format!(r#","nextRecordsUrl":"{next}""#)).unwrap_or_default();
    format!(r#"{{"done":{},"records":[{}]{next}}}"#, next.is_empty(), rows.join(","))
}

fn sent(story: &mut Story) -> Vec<ProducerRecord> {
    let Step::Send(batch) = story.step() else { panic!("no batch") };
    story.task.sent();
    batch
}

fn values(batch: &[ProducerRecord]) -> Vec<String> {
    batch.iter().map(|record| String::from_utf8_lossy(record.value.as_deref().expect("a value")).into_owned()).collect()
}

const MORE: &str = "/services/data/v67.0/query/01g-2000";

#[test]
fn what_changed_is_read_page_by_page_and_then_the_loss_is_told_of() {
    let mut story = refused(&[]);
    let request = story.request("/services/data/v67.0/queryAll/?q=SELECT", "");
    assert!(request.url.contains("SystemModstamp") && request.url.contains("2023-11-14T22"), "{}", request.url);
    story.answer(200, &page(&[row("1", false, "2023-11-14"), row("2", false, "2020-01-01")], Some(MORE)));
    let batch = sent(&mut story);
    let with_type = |id: &str, name: &str, kind: &str| {
        format!(r#"{{"Id":"{id}","Name":{name},"_ObjectType":"Lead","_EventType":"{kind}"}}"#)
    };
    assert_eq!(values(&batch), [with_type("1", "\"n1\"", "created"), with_type("2", "\"n2\"", "updated")]);
    assert!(batch.iter().all(|r| r.headers == [("tributary.repair".to_owned(), Some(b"true".to_vec()))]), "{batch:?}");
    assert_eq!(story.task.offset(), Some(99), "an end here starts the repair again");
    story.exchange(MORE, "", &page(&[row("3", true, "2020-01-01")], None));
    assert_eq!(values(&sent(&mut story)), [with_type("3", "null", "deleted")]);
    // The gap, and with it the position.
    let gap = sent(&mut story);
    assert_eq!((gap.len(), gap[0].topic.as_str()), (1, "leads.gaps"));
    assert!(values(&gap)[0].contains(r#""policy":"repair""#), "{:?}", values(&gap));
    assert_eq!(story.task.offset(), Some(-2));
    story.exchange("/cometd/67.0", "/meta/disconnect", "[]");
    story.subscribe(-2);
    story.request("/cometd/67.0", "/meta/connect");
    story.answer(200, &connected([3]));
    assert_eq!(story.batch(), 1);
    assert!(story.task.take_events().iter().any(|event| event.message().starts_with("3 rows that changed")));
}

#[test]
fn a_page_that_is_not_answered_and_a_token_that_ran_out_cost_time_alone() {
    let mut story = refused(&[]);
    story.request("/queryAll/", "");
    story.answer(503, "");
    story.request("/queryAll/", "");
    story.answer(401, r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]"#);
    story.log_in();
    story.exchange("/queryAll/", "", &page(&[row("1", false, "2023-11-14")], None));
    assert_eq!(sent(&mut story).len(), 1);
    assert_eq!(sent(&mut story)[0].topic, "leads.gaps");
}

#[test]
fn where_nothing_changed_the_gap_alone_is_told_of() {
    let mut story = refused(&[]);
    story.exchange("/queryAll/", "", &page(&[], None));
    assert_eq!(sent(&mut story)[0].topic, "leads.gaps");
    assert_eq!(story.task.offset(), Some(-2));
}

#[test]
fn a_page_elsewhere_is_not_asked_for() {
    let mut story = refused(&[("request.max.retries.time.ms", "1000")]);
    let elsewhere = page(&[], Some("https://evil.example/services/data/"));
    story.request("/queryAll/", "");
    story.answer(200, &elsewhere);
    for _ in 0..100 {
        match story.step() {
            Step::Request(request) => {
                assert!(request.url.contains("/queryAll/"), "{}", request.url);
                story.answer(200, &elsewhere);
            }
            Step::Wait(until) => story.now_ms = until.0,
            Step::Fail(failure) => return assert_eq!(story.task.offset(), Some(99), "{failure:?}"),
            other => panic!("{other:?}"),
        }
    }
    panic!("it goes on for ever");
}

#[test]
fn rows_wait_for_the_ids_of_their_schemas_too() {
    let registry = ("value.converter.schema.registry.url", "http://r.example");
    let mut story = refused(&[("output.data.format", "AVRO"), registry]);
    story.exchange("/queryAll/", "", &page(&[row("1", false, "2023-11-14")], None));
    story.exchange("http://r.example/subjects/leads-value", "io.confluent", r#"{"id":7}"#);
    assert_eq!(sent(&mut story)[0].value.as_deref().map(|value| value[..5].to_vec()), Some(vec![0, 0, 0, 0, 7]));
    assert_eq!(story.task.offset(), Some(99));
    assert_eq!(sent(&mut story)[0].topic, "leads.gaps");
}
