//! Stories of events that cannot become records.

use super::{
    ProducerRecord, Step,
    story::{Story, connected},
};

/// Three events of which the second has no `Id`.
fn answer() -> String {
    let good = connected([1, 2, 3]);
    let id = r#""Id":"00Q000000000001AAA","#;
    let at = good.match_indices(id).nth(1).expect("there are three").0;
    format!("{}{}", &good[..at], &good[at + id.len()..])
}

fn sent(story: &mut Story) -> Vec<ProducerRecord> {
    let Step::Send(batch) = story.step() else { panic!("no batch") };
    story.task.sent();
    batch
}

fn skipped(story: &mut Story) -> Vec<String> {
    let events = story.task.take_events();
    events.iter().filter(|event| event.name() == "events-skipped").map(crate::telemetry::Event::message).collect()
}

#[test]
fn by_default_the_task_ends_before_it() {
    let mut story = Story::start(&[("errors.deadletterqueue.topic.name", "dead")], Some(0), 0);
    story.answer(200, &answer());
    assert_eq!(sent(&mut story).len(), 1);
    let failure = story.failure();
    assert!(failure.message.contains("replayId 2") && failure.message.contains("nothing is lost"), "{failure:?}");
    assert_eq!(story.task.offset(), Some(1));
}

#[test]
fn tolerated_it_is_skipped_counted_and_said() {
    for (log, expected) in [
        ("false", "1 event was skipped, as errors.tolerance=all allows"),
        (
            "true",
            "1 event was skipped, as errors.tolerance=all allows: The event with replayId 2 cannot be turned into a record",
        ),
    ] {
        let mut story = Story::start(&[("errors.tolerance", "all"), ("errors.log.enable", log)], Some(0), 0);
        story.answer(200, &answer());
        assert_eq!(sent(&mut story).len(), 2);
        assert_eq!(story.task.offset(), Some(3));
        let said = skipped(&mut story);
        assert!(said.len() == 1 && said[0].starts_with(expected), "{said:?}");
        assert_eq!(said[0].contains("replayId"), log == "true");
    }
}

#[test]
fn a_dead_letter_is_the_event_as_it_came() {
    let mut story = Story::start(
        &[
            ("errors.tolerance", "ALL"),
            ("errors.deadletterqueue.topic.name", "dead"),
            ("errors.deadletterqueue.context.headers.enable", "true"),
            ("name", "leads"),
        ],
        Some(0),
        0,
    );
    story.answer(200, &answer());
    let batch = sent(&mut story);
    assert_eq!(batch.iter().map(|record| record.topic.as_str()).collect::<Vec<_>>(), ["leads", "dead", "leads"]);
    let letter = &batch[1];
    let value =
        r#"{"event":{"createdDate":"2023-11-14T22:30:02.000Z","replayId":2,"type":"created"},"sobject":{"Name":"N2"}}"#;
    assert_eq!(letter.value.as_deref(), Some(value.as_bytes()));
    let headers: Vec<(&str, String)> = letter
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_deref().expect("a text")).into_owned()))
        .collect();
    assert_eq!(headers[0], ("__connect.errors.connector.name", "leads".to_owned()));
    assert_eq!(headers[2], ("__connect.errors.stage", "TASK_POLL".to_owned()));
    assert!(headers[4].0 == "__connect.errors.exception.message" && headers[4].1.contains("no Id"), "{headers:?}");
}

#[test]
fn what_a_transform_refuses_is_rejected_too() {
    let cast = [
        ("transforms", "c"),
        ("transforms.c.type", "Cast$Value"),
        ("transforms.c.spec", "Name:int32"),
        ("errors.tolerance", "all"),
        ("errors.log.enable", "true"),
    ];
    let mut story = Story::start(&cast, Some(0), 0);
    story.answer(200, &connected([1, 2]).replace("N1", "12"));
    assert_eq!(sent(&mut story).len(), 1, "12 is a number and N2 is none");
    assert_eq!(story.task.offset(), Some(2));
    let said = skipped(&mut story);
    assert!(said.len() == 1 && said[0].contains("Cast") && said[0].contains("replayId 2"), "{said:?}");
}

#[test]
fn a_batch_of_which_nothing_is_left_moves_the_offset() {
    let mut story = Story::start(&[("errors.tolerance", "all")], Some(0), 0);
    story.answer(200, &connected([1]).replace(r#""Id":"00Q000000000001AAA","#, ""));
    story.request("/cometd/67.0", "/meta/connect");
    assert_eq!(story.task.offset(), Some(1));
}
