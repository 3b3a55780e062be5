//! Stories of a stream that is connected, says no error and brings nothing.

use super::{
    Step,
    story::{Story, connected},
};

const EVERY_MS: u64 = 900_000;
const NOTHING: &str = r#"[{"channel":"/meta/connect","clientId":"c1","id":"4","successful":true}]"#;
const NO_ROW: &str = r#"{"totalSize":0,"done":true,"records":[]}"#;

/// A row that was changed at that minute after 22:00, where the first event of a story is at 22:30.
fn row(minute: u32) -> String {
    format!(r#"{{"totalSize":1,"done":true,"records":[{{"SystemModstamp":"2023-11-14T22:{minute}:00.000+0000"}}]}}"#)
}

/// Long polls without events, until something else than a connect is asked for; its URL and how many there were.
fn silent(story: &mut Story) -> (String, usize) {
    for polls in 0..100_000 {
        match story.step() {
            Step::Request(request) if !request.url.contains("/queryAll/") && request.body.starts_with(b"[{") => {
                if !String::from_utf8_lossy(&request.body).contains("/meta/connect") {
                    return (String::from_utf8_lossy(&request.body).into_owned(), polls);
                }
                story.now_ms += 110_000;
                story.answer(200, NOTHING);
            }
            Step::Request(request) => return (request.url, polls),
            Step::Wait(until) => story.now_ms = until.0,
            other => panic!("{other:?}"),
        }
    }
    panic!("nobody looks");
}

/// One event at 22:30:02, then silence up to the first look.
fn until_the_look(changes: &[(&str, &str)]) -> Story {
    let mut story = Story::start(changes, Some(1), 1);
    story.answer(200, &connected([2]));
    assert_eq!(story.batch(), 1);
    let (url, polls) = silent(&mut story);
    assert_eq!(u64::try_from(polls).expect("few"), EVERY_MS.div_ceil(110_000));
    let after = "SystemModstamp%20%3E%202023-11-14T22%3A30%3A02.000Z%20AND%20SystemModstamp%20%3C%3D%20";
    assert!(url.contains(after), "{url}");
    story
}

fn stalls(story: &mut Story) -> usize {
    story.task.take_events().iter().filter(|event| event.name() == "stalled").count()
}

#[test]
fn an_org_that_is_as_silent_is_left_alone() {
    let mut story = until_the_look(&[]);
    story.answer(200, NO_ROW);
    let (url, polls) = silent(&mut story);
    assert!(url.contains("/queryAll/") && polls > 5, "{url} after {polls} polls");
    assert_eq!(stalls(&mut story), 0);
}

#[test]
fn changes_without_events_are_a_reason_for_a_new_session_from_the_last_event() {
    let mut story = until_the_look(&[]);
    story.answer(200, &row(40));
    story.exchange("/cometd/67.0", "/meta/disconnect", "[]");
    story.subscribe(2);
    story.request("/cometd/67.0", "/meta/connect");
    story.answer(200, &connected([3]));
    assert_eq!(story.batch(), 1);
    assert_eq!(stalls(&mut story), 1);
    // It was a stall: the next look comes as early as the first.
    let (url, polls) = silent(&mut story);
    assert!(url.contains("/queryAll/") && polls == 9, "{url} after {polls} polls");
}

#[test]
fn a_change_that_nobody_is_told_of_makes_the_next_look_later_and_is_not_found_again() {
    let mut story = until_the_look(&[]);
    for (minute, polls_expected) in [(40, 17), (50, 33)] {
        story.answer(200, &row(minute));
        story.exchange("/cometd/67.0", "/meta/disconnect", "[]");
        story.subscribe(2);
        let (url, polls) = silent(&mut story);
        assert!(url.contains(&format!("%3E%202023-11-14T22%3A{minute}%3A00.000Z")), "{url}");
        assert_eq!(polls, polls_expected);
    }
    assert_eq!(stalls(&mut story), 2);
}

#[test]
fn a_look_that_fails_costs_nothing_but_itself() {
    for (status, body) in
        [(503, ""), (403, r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"m"}]"#), (200, "<html>")]
    {
        let mut story = until_the_look(&[]);
        story.answer(status, body);
        let (url, polls) = silent(&mut story);
        assert!(url.contains("/queryAll/") && polls == 9, "{url} after {polls} polls");
    }
    let mut story = until_the_look(&[]);
    story.answer(401, r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]"#);
    story.log_in();
    story.subscribe(2);
}

#[test]
fn looks_are_spared_while_the_allowance_is_nearly_used_up() {
    let mut story = until_the_look(&[]);
    let usage = ("sforce-limit-info".to_owned(), "api-usage=4500/5000".to_owned());
    let response = crate::http::Response { status: 200, headers: vec![usage], body: NO_ROW.into() };
    story.task.answered(story.now(), Ok(response));
    let (_, polls) = silent(&mut story);
    assert_eq!(polls, 3_600_000_usize.div_ceil(110_000));
}

#[test]
fn it_can_be_switched_off() {
    let mut story = Story::start(&[("salesforce.stall.detect.ms", "0")], Some(1), 1);
    for _ in 0..1_000 {
        story.now_ms += 110_000;
        story.answer(200, NOTHING);
        story.request("/cometd/67.0", "/meta/connect");
    }
}
