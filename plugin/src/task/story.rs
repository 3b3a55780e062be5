//! The stories of a task, step by step, under virtual time: what it asks for, what it is told, what follows. The answers
//! are those of the Streaming API Developer Guide and of captures.

use super::*;
use crate::{
    bayeux,
    config::validate,
    error::FailureKind,
    http::{HttpError, Request, Response},
    offset::Checkpoint,
    time::Now,
};

const TOKEN: &str = r#"{"access_token":"00D!t","instance_url":"https://x.my.salesforce.com","issued_at":"1"}"#;
pub(super) const DESCRIBE: &str =
    r#"{"name":"Lead","fields":[{"name":"Id","type":"id"},{"name":"Name","type":"string"}]}"#;
pub(super) const FOUND: &str = r#"{"totalSize":1,"done":true,"records":[{"Id":"0IF1","Name":"Leads","Query":"SELECT Id, Name FROM Lead","ApiVersion":67.0,"NotifyForFields":"Referenced","NotifyForOperationCreate":true,"NotifyForOperationUpdate":true,"NotifyForOperationDelete":true,"NotifyForOperationUndelete":true,"IsActive":true}]}"#;
const NONE: &str = r#"{"totalSize":0,"done":true,"records":[]}"#;
pub(super) const HANDSHAKE: &str = r#"[{"channel":"/meta/handshake","id":"1","version":"1.0","clientId":"c1","ext":{"replay":true,"payload.format":true},"successful":true}]"#;
pub(super) const FIRST: &str = r#"[{"channel":"/meta/connect","clientId":"c1","id":"2","successful":true,"advice":{"reconnect":"retry","interval":0,"timeout":110000}}]"#;
const SUBSCRIBED: &str =
    r#"[{"channel":"/meta/subscribe","clientId":"c1","id":"3","subscription":"/topic/Leads","successful":true}]"#;

/// A task and the time.
pub(super) struct Story {
    pub(super) task: Task,
    pub(super) now_ms: u64,
}

impl Story {
    pub(super) fn new(changes: &[(&str, &str)], committed: Option<i64>) -> Self {
        Self::at(changes, committed.map(Checkpoint::at))
    }

    pub(super) fn at(changes: &[(&str, &str)], committed: Option<Checkpoint>) -> Self {
        let mut settings: Vec<(String, String)> = [
            ("kafka.topic", "leads"),
            ("salesforce.username", "u"),
            ("salesforce.password", "p"),
            ("salesforce.consumer.key", "k"),
            ("salesforce.object", "Lead"),
            ("salesforce.push.topic.name", "Leads"),
            ("salesforce.version", "67.0"),
        ]
        .iter()
        .chain(changes)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        settings.reverse();
        let mut seen = std::collections::BTreeSet::new();
        settings.retain(|(name, _)| seen.insert(name.clone()));
        let config = validate::parse(&settings).expect("valid settings");
        Self { task: Task::new(config, committed, 1), now_ms: 1_000_000 }
    }

    pub(super) fn now(&self) -> Now {
        Now { monotonic_ms: self.now_ms, wall_ms: 1_700_000_000_000 + i64::try_from(self.now_ms).expect("small") }
    }

    pub(super) fn step(&mut self) -> Step {
        self.task.step(self.now())
    }

    /// Lets waits pass until there is a request, and checks where it goes and what its body says.
    pub(super) fn request(&mut self, url_part: &str, body_part: &str) -> Request {
        loop {
            match self.step() {
                Step::Request(request) => {
                    let body = String::from_utf8_lossy(&request.body).into_owned();
                    assert!(request.url.contains(url_part), "asked for {} instead of {url_part}", request.url);
                    assert!(body.contains(body_part), "sent {body} instead of {body_part}");
                    assert!(matches!(self.step(), Step::Await), "one request at a time");
                    return request;
                }
                Step::Wait(until) => self.now_ms = until.0,
                other => panic!("{other:?} instead of a request to {url_part}"),
            }
        }
    }

    pub(super) fn answer(&mut self, status: u16, body: &str) {
        let date = ("date".to_owned(), "Tue, 14 Nov 2023 22:30:00 GMT".to_owned());
        let response = Response { status, headers: vec![date], body: body.into() };
        self.task.answered(self.now(), Ok(response));
    }

    pub(super) fn exchange(&mut self, url_part: &str, body_part: &str, answer: &str) {
        self.request(url_part, body_part);
        self.answer(200, answer);
    }

    pub(super) fn log_in(&mut self) {
        self.exchange("login.salesforce.com/services/oauth2/token", "grant_type=password", TOKEN);
    }

    /// From the handshake to the held connect.
    pub(super) fn subscribe(&mut self, replay_from: i64) {
        self.exchange("/cometd/67.0", "/meta/handshake", HANDSHAKE);
        self.exchange("/cometd/67.0", r#""timeout":0"#, FIRST);
        self.exchange("/cometd/67.0", &format!(r#""replay":{{"/topic/Leads":{replay_from}}}"#), SUBSCRIBED);
    }

    pub(super) fn start(changes: &[(&str, &str)], committed: Option<i64>, replay_from: i64) -> Self {
        let mut story = Self::new(changes, committed);
        story.log_in();
        story.exchange("/sobjects/Lead/describe", "", DESCRIBE);
        story.exchange("/query/?q=SELECT", "", FOUND);
        story.subscribe(replay_from);
        story.request("/cometd/67.0", "/meta/connect");
        story
    }

    /// The records of the next batch, by replay id, after it was handed over.
    pub(super) fn batch(&mut self) -> usize {
        match self.step() {
            Step::Send(batch) => {
                self.task.sent();
                batch.len()
            }
            other => panic!("{other:?} instead of a batch"),
        }
    }

    /// Lets time pass until the task fails.
    pub(super) fn failure(&mut self) -> crate::error::Failure {
        match self.step() {
            Step::Fail(failure) => failure,
            other => panic!("{other:?} instead of a failure"),
        }
    }
}

fn event(id: i64) -> String {
    format!(
        r#"{{"channel":"/topic/Leads","data":{{"event":{{"createdDate":"2023-11-14T22:30:{:02}.000Z","replayId":{id},"type":"created"}},"sobject":{{"Id":"00Q000000000001AAA","Name":"N{id}"}}}}}}"#,
        id.rem_euclid(60)
    )
}

pub(super) fn connected(ids: impl IntoIterator<Item = i64>) -> String {
    let mut messages: Vec<String> = ids.into_iter().map(event).collect();
    messages.push(r#"{"channel":"/meta/connect","clientId":"c1","id":"4","successful":true}"#.into());
    format!("[{}]", messages.join(","))
}

#[test]
fn from_the_login_to_the_first_record() {
    let mut story = Story::new(&[("salesforce.version", "latest"), ("salesforce.initial.start", "all")], None);
    story.log_in();
    story.exchange(
        "/services/data/",
        "",
        r#"[{"version":"99.0"},{"version":"67.0"},{"version":"100.0"},{"version":"20.0"}]"#,
    );
    story.exchange("/services/data/v100.0/sobjects/Lead/describe", "", DESCRIBE);
    story.exchange("/services/data/v100.0/query", "", FOUND);
    story.exchange("x.my.salesforce.com/cometd/100.0", "/meta/handshake", HANDSHAKE);
    story.exchange("/cometd/100.0", r#""timeout":0"#, FIRST);
    story.exchange("/cometd/100.0", r#""replay":{"/topic/Leads":-2}"#, SUBSCRIBED);
    let held = story.request("/cometd/100.0", "/meta/connect");
    assert_eq!(held.timeouts.first_byte_ms, 125_000);
    story.answer(200, &connected([5]));
    let Step::Send(batch) = story.step() else { panic!("a batch") };
    assert_eq!(story.task.offset(), None, "not before the host has it");
    story.task.sent();
    assert_eq!(story.task.offset(), Some(5));
    let record = &batch[0];
    assert_eq!(record.topic, "leads");
    assert_eq!(record.key.as_deref(), Some(&br#"{"Id":"00Q000000000001AAA"}"#[..]));
    let value = r#"{"Id":"00Q000000000001AAA","Name":"N5","_ObjectType":"Lead","_EventType":"created"}"#;
    assert_eq!(record.value.as_deref(), Some(value.as_bytes()));
    assert_eq!(record.timestamp_ms, Some(1_700_001_005_000));
    story.request("/cometd/100.0", "/meta/connect");
}

#[test]
fn a_lost_answer_is_asked_for_again_in_a_new_session() {
    let losses: [fn() -> Result<Response, HttpError>; 6] = [
        || Err(HttpError::Broken("cut".into())),
        || Err(HttpError::Timeout("late".into())),
        || Err(HttpError::BodyTooLarge { bytes_max: 1 }),
        || Ok(Response { status: 200, headers: Vec::new(), body: b"<html>maintenance".to_vec() }),
        || Ok(Response { status: 200, headers: Vec::new(), body: connected([8]).as_bytes()[..40].to_vec() }),
        || Ok(Response { status: 503, headers: Vec::new(), body: Vec::new() }),
    ];
    for loss in losses {
        let mut story = Story::start(&[], Some(7), 7);
        story.task.answered(story.now(), loss());
        // The seat of the old session is freed; nobody cares whether that works.
        story.request("/cometd/67.0", "/meta/disconnect");
        story.task.answered(story.now(), Err(HttpError::Connect("refused".into())));
        story.subscribe(7);
        story.request("/cometd/67.0", "/meta/connect");
    }
}

#[test]
fn refused_sessions_are_made_anew_from_the_last_event() {
    let refused = |error: &str| {
        format!(
            r#"[{{"channel":"/meta/connect","successful":false,"error":"{error}","advice":{{"reconnect":"none"}}}}]"#
        )
    };
    let cases = [
        (refused("403::Unknown client"), false),
        (r#"[{"error":"403::Unknown client","successful":false}]"#.into(), false),
        (r#"[{"channel":"/meta/disconnect","successful":true}]"#.into(), false),
        (refused("401::Authentication invalid"), true),
    ];
    for (answer, login) in cases {
        let mut story = Story::start(&[], None, -1);
        story.answer(200, &connected([11, 12]));
        assert_eq!(story.batch(), 2);
        story.request("/cometd/67.0", "/meta/connect");
        story.answer(200, &answer);
        if login {
            story.log_in();
        }
        story.subscribe(12);
    }
}

#[test]
fn events_that_came_with_a_refusal_go_out_before_it_counts() {
    let mut story = Story::start(&[], Some(1), 1);
    let body =
        format!(r#"[{},{{"channel":"/meta/connect","successful":false,"error":"403::Unknown client"}}]"#, event(2));
    story.answer(200, &body);
    assert_eq!(story.batch(), 1);
    story.subscribe(2);
}

#[test]
fn three_tokens_refused_in_a_row_end_the_task() {
    let mut story = Story::start(&[], Some(1), 1);
    let refused = r#"[{"channel":"/meta/handshake","successful":false,"error":"403::Handshake denied","ext":{"sfdc":{"failureReason":"401::Authentication invalid"}}}]"#;
    story.answer(200, r#"[{"successful":false,"error":"401::Authentication invalid"}]"#);
    for _ in 0..2 {
        story.log_in();
        story.exchange("/cometd/67.0", "/meta/handshake", refused);
    }
    assert_eq!(story.failure().kind, FailureKind::Auth);
}

#[test]
fn repeats_are_dropped_within_and_across_answers() {
    let mut story = Story::start(&[], Some(4), 4);
    story.answer(200, &connected([3, 4, 5, 5, 6, 5]));
    assert_eq!(story.batch(), 2);
    story.request("/cometd/67.0", "/meta/connect");
    story.answer(200, &connected([5, 6]));
    story.request("/cometd/67.0", "/meta/connect");
    let dropped: u64 = story
        .task
        .take_events()
        .iter()
        .map(|event| if let crate::telemetry::Event::RepeatsDropped { count } = event { *count } else { 0 })
        .sum();
    assert_eq!(dropped, 6);
}

#[test]
fn events_out_of_order_are_put_in_order_before_any_goes_out() {
    let mut story = Story::start(&[], Some(0), 0);
    story.answer(200, &connected((1..=700).rev()));
    let Step::Send(batch) = story.step() else { panic!("a batch") };
    let names: Vec<bool> = batch
        .iter()
        .zip(1..)
        .map(|(record, id)| {
            String::from_utf8_lossy(record.value.as_deref().expect("a value")).contains(&format!("\"N{id}\""))
        })
        .collect();
    assert_eq!(names, vec![true; 500]);
    story.task.sent();
    assert_eq!((story.task.offset(), story.batch()), (Some(500), 200));
}

#[test]
fn large_answers_go_out_in_bounded_batches() {
    let mut story = Story::start(&[], Some(0), 0);
    story.answer(200, &connected(1..=1_200));
    assert_eq!([story.batch(), story.batch(), story.batch()], [500, 500, 200]);
    assert_eq!(story.task.offset(), Some(1_200));
    story.request("/cometd/67.0", "/meta/connect");
}

#[test]
fn an_event_that_cannot_be_converted_stops_the_task_after_those_before_it() {
    let bad = [
        event(3).replace("00Q000000000001AAA", ""),
        event(3).replace("\"replayId\":3", "\"replayId\":-3"),
        event(3).replace("\"replayId\":3", "\"replayId\":\"abc\""),
        event(3).replace("\"N3\"", "17"),
    ];
    for bad in bad {
        let mut story = Story::start(&[], Some(1), 1);
        let body = format!(r#"[{},{bad},{},{{"channel":"/meta/connect","successful":true}}]"#, event(2), event(4));
        story.answer(200, &body);
        assert_eq!(story.batch(), 1, "{bad}");
        let failure = story.failure();
        assert_eq!((failure.kind, story.task.offset()), (FailureKind::BadRecord, Some(2)), "{bad}");
    }
}

#[test]
fn retries_end_with_the_retry_time_and_quotas_are_waited_for() {
    let times = [("request.max.retries.time.ms", "20000"), ("salesforce.auth.retries.time.ms", "40000")];
    for (logged_in, setting, tried_ms) in [(false, times[1].0, 40_000), (true, times[0].0, 20_000)] {
        let mut story = Story::new(&times, None);
        if logged_in {
            story.log_in();
        }
        let began_ms = story.now_ms;
        let failure = loop {
            match story.step() {
                Step::Request(_) => story.task.answered(story.now(), Err(HttpError::Connect("refused".into()))),
                Step::Wait(until) => story.now_ms = until.0,
                Step::Fail(failure) => break failure,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((failure.kind, story.now_ms - began_ms), (FailureKind::Transient, tried_ms));
        assert!(failure.message.contains(setting), "{}", failure.message);
    }

    let mut story = Story::start(&[], Some(1), 1);
    let quota = r#"[{"channel":"/meta/connect","successful":false,"error":"403::Organization total events daily limit exceeded"}]"#;
    story.answer(200, quota);
    for _ in 0..20 {
        let before_ms = story.now_ms;
        story.request("/cometd/67.0", "/meta/handshake");
        assert!((45_000..=900_000).contains(&(story.now_ms - before_ms)));
        story.answer(200, r#"[{"channel":"/meta/handshake","successful":false,"error":"403::Handshake denied","ext":{"sfdc":{"failureReason":"403::Organization concurrent user limit exceeded"}}}]"#);
    }
}

#[test]
fn a_long_lived_session_that_is_lost_starts_a_new_retry_time() {
    let mut story = Story::start(&[], Some(1), 1);
    for _ in 0..10 {
        story.now_ms += 60_000;
        story.task.answered(story.now(), Err(HttpError::Broken("cut".into())));
        story.request("/cometd/67.0", "/meta/disconnect");
        story.answer(200, "[]");
        story.subscribe(1);
        story.request("/cometd/67.0", "/meta/connect");
    }
}

#[test]
fn a_session_lost_before_its_first_event_skips_nothing() {
    let mut story = Story::start(&[], None, -1);
    story.task.answered(story.now(), Err(HttpError::Broken("cut".into())));
    story.request("/cometd/67.0", "/meta/disconnect");
    story.answer(200, "[]");
    story.subscribe(-2);
    story.request("/cometd/67.0", "/meta/connect");
    // Subscribed first at 22:30:00: what was created long before is not for this connector, what came since is.
    let old = event(1).replace("T22:30", "T22:29");
    story.answer(200, &format!(r#"[{old},{},{{"channel":"/meta/connect","successful":true}}]"#, event(2)));
    assert_eq!(story.batch(), 1);
    assert_eq!(story.task.offset(), Some(2));
}

#[test]
fn a_missing_push_topic_is_made_without_the_fields_that_are_refused() {
    let mut story = Story::new(&[], None);
    story.log_in();
    let describe = r#"{"name":"Lead","fields":[{"name":"Id","type":"id"},{"name":"Name","type":"string"},{"name":"Odd__c","type":"string"}]}"#;
    story.exchange("/describe", "", describe);
    story.exchange("/query", "", NONE);
    let create = story.request("/sobjects/PushTopic", "SELECT Id,Name,Odd__c FROM Lead");
    assert!(create.headers.iter().any(|(name, value)| *name == "content-type" && value.expose() == "application/json"));
    story.answer(400, r#"[{"message":"The field Odd__c is not supported","errorCode":"INVALID_FIELD","fields":[]}]"#);
    story.request("/sobjects/PushTopic", "SELECT Id,Name FROM Lead");
    story.answer(201, r#"{"id":"0IF1","success":true,"errors":[]}"#);
    story.exchange("/query", "", FOUND);
    story.subscribe(-1);
}

#[test]
fn a_refused_channel_is_explained_by_a_look_at_the_push_topic() {
    let denied =
        r#"[{"channel":"/meta/connect","successful":false,"error":"403:denied_by_security_policy:create_denied"}]"#;
    let cases = [
        (NONE.to_owned(), "PUSH_TOPIC_NOT_FOUND"),
        (FOUND.replace("\"IsActive\":true", "\"IsActive\":false"), "PUSH_TOPIC_INACTIVE"),
        (FOUND.to_owned(), "403"),
    ];
    for (answer, code) in cases {
        let mut story = Story::start(&[], Some(1), 1);
        story.answer(200, denied);
        story.exchange("/query/?q=SELECT", "", &answer);
        assert_eq!(story.failure().code, code);
    }
}

#[test]
fn what_the_org_lacks_is_said_before_anything_is_streamed() {
    let cases = [
        ("/describe", 404, "[]", "OBJECT_NOT_FOUND"),
        ("/query", 200, NONE, "PUSH_TOPIC_NOT_FOUND"),
        ("/query", 200, &FOUND.replace("FROM Lead", "FROM Account"), "PUSH_TOPIC_OTHER_OBJECT"),
        ("/query", 200, &FOUND.replace("\"IsActive\":true", "\"IsActive\":false"), "PUSH_TOPIC_INACTIVE"),
    ];
    for (at, status, body, code) in cases {
        let mut story = Story::new(&[("salesforce.push.topic.create", "false")], None);
        story.log_in();
        if at == "/query" {
            story.exchange("/describe", "", DESCRIBE);
        }
        story.request(at, "");
        story.answer(status, body);
        assert_eq!(story.failure().code, code);
    }
}

#[test]
fn an_expired_token_is_renewed_but_not_for_ever() {
    let expired = r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
    let mut story = Story::new(&[("salesforce.version", "latest")], None);
    for _ in 0..3 {
        story.log_in();
        story.exchange("/services/data/", "", r#"[{"version":"67.0"}]"#);
        story.request("/describe", "");
        story.answer(401, expired);
    }
    assert_eq!(story.failure().kind, FailureKind::Auth, "the list of versions is public and proves no token good");

    let mut story = Story::start(&[], Some(1), 1);
    story.answer(200, r#"[{"successful":false,"error":"401::Authentication invalid"}]"#);
    story.log_in();
    story.subscribe(1);
}

#[test]
fn closing_says_goodbye_once_there_is_a_session() {
    let mut story = Story::new(&[], None);
    story.request("/token", "");
    assert!(story.task.close(story.now()).is_none());
    let mut story = Story::start(&[], None, -1);
    let goodbye = story.task.close(story.now()).expect("a goodbye");
    let body = String::from_utf8(goodbye.body).expect("JSON");
    for channel in [bayeux::message::UNSUBSCRIBE, bayeux::message::DISCONNECT] {
        assert!(body.contains(channel), "{body}");
    }
    assert!(matches!(story.step(), Step::Fail(_)));
}

#[test]
fn requests_are_logged_without_secrets_when_that_is_asked_for() {
    let secrets = [
        ("salesforce.password", "canary-password"),
        ("salesforce.consumer.key", "canary-key"),
        ("salesforce.consumer.secret", "canary-secret"),
    ];
    for (logging, expected) in [("true", 8), ("false", 0)] {
        let mut story = Story::new(&[&secrets[..], &[("curl.logging", logging)]].concat(), None);
        story.exchange("/services/oauth2/token", "canary", &TOKEN.replace("00D!t", "canary-token"));
        story.exchange("/sobjects/Lead/describe", "", DESCRIBE);
        story.exchange("/query", "", FOUND);
        let cookie = ("set-cookie".to_owned(), "sid=canary-sid; Path=/".to_owned());
        story.request("/cometd/67.0", "handshake");
        let response = Response { status: 200, headers: vec![cookie], body: HANDSHAKE.into() };
        story.task.answered(story.now(), Ok(response));
        story.exchange("/cometd/67.0", "connect", FIRST);
        story.exchange("/cometd/67.0", "subscribe", SUBSCRIBED);
        story.request("/cometd/67.0", "connect");
        story.now_ms += 110_000;
        story.task.answered(story.now(), Err(HttpError::Timeout("https://x.my.salesforce.com".into())));
        story.exchange("/cometd/67.0", "unsubscribe", "[]");
        let events: Vec<String> = story.task.take_events().iter().map(|e| format!("{e:?} {}", e.message())).collect();
        let logged: Vec<&String> = events.iter().filter(|event| event.starts_with("Exchanged")).collect();
        assert_eq!(logged.len(), expected, "{logged:#?}");
        assert!(!events.join("\n").contains("canary"), "{events:#?}");
        if expected > 0 {
            for (index, words) in
                [(0, "POST https://login.salesforce.com/services/oauth2/token: 200"), (6, "110000 ms")]
            {
                assert!(logged[index].contains(words), "{}", logged[index]);
            }
            assert!(logged[3].contains("headers set-cookie"), "{}", logged[3]);
        }
    }
}

#[test]
fn cookies_go_back_and_the_token_is_on_every_request() {
    let mut story = Story::new(&[], Some(1));
    story.log_in();
    story.exchange("/describe", "", DESCRIBE);
    story.exchange("/query", "", FOUND);
    story.request("/cometd/67.0", "/meta/handshake");
    let cookie = ("set-cookie".to_owned(), "BAYEUX_BROWSER=b1; Path=/cometd/; HttpOnly".to_owned());
    story.task.answered(story.now(), Ok(Response { status: 200, headers: vec![cookie], body: HANDSHAKE.into() }));
    let connect = story.request("/cometd/67.0", "/meta/connect");
    let header =
        |name: &str| connect.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.expose().to_owned());
    assert_eq!(header("cookie").as_deref(), Some("BAYEUX_BROWSER=b1"));
    assert_eq!(header("authorization").as_deref(), Some("Bearer 00D!t"));
    assert!(!format!("{connect:?} {:?}", connect.headers).contains("00D!t"));
}

/// A filter that leaves out the events of some names.
const FILTER: [(&str, &str); 4] = [
    ("transforms", "some"),
    ("transforms.some.type", "io.confluent.connect.transforms.Filter$Value"),
    ("transforms.some.filter.type", "exclude"),
    ("transforms.some.filter.condition", "$[?(@.Name in ['N11', 'N13'])]"),
];

#[test]
fn filtered_events_move_the_position_too() {
    let mut story = Story::start(&FILTER, Some(10), 10);
    story.answer(200, &connected([11, 12, 13]));
    let Step::Send(batch) = story.step() else { panic!("a batch") };
    assert_eq!((batch.len(), story.task.offset()), (1, Some(10)));
    story.task.sent();
    assert_eq!(story.task.offset(), Some(13));
    story.request("/cometd/67.0", "/meta/connect");

    // All of them: there is nothing to send, and a new session goes on behind them.
    let mut story = Story::start(&FILTER, Some(10), 10);
    story.answer(200, &connected([11, 13]));
    story.request("/cometd/67.0", "/meta/connect");
    assert_eq!(story.task.offset(), Some(13));
    story.answer(200, r#"[{"error":"403::Unknown client","successful":false}]"#);
    story.subscribe(13);
}

#[test]
fn a_transform_that_fails_is_named_and_the_position_stays_before_the_event() {
    let mut given = FILTER;
    given[3].1 = "$.Missing[?(@.a)]";
    let mut story = Story::start(&given, Some(10), 10);
    story.answer(200, &connected([11]));
    let failure = story.failure();
    assert_eq!((failure.kind, story.task.offset()), (FailureKind::BadRecord, Some(10)));
    for part in
        ["replayId 11", "transform some (io.confluent.connect.transforms.Filter$Value)", "missing.or.null.behavior"]
    {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
}

#[test]
fn event_headers_come_when_asked_for_and_transforms_see_them() {
    let given = [
        ("tributary.headers.enable", "true"),
        ("transforms", "drop"),
        ("transforms.drop.type", "DropHeaders"),
        ("transforms.drop.headers", "tributary.createdDate"),
    ];
    for (given, expected) in [(&given[..1], 3), (&given, 2), (&given[1..], 0)] {
        let mut story = Story::start(given, Some(4), 4);
        story.answer(200, &connected([5]));
        let Step::Send(batch) = story.step() else { panic!("a batch") };
        let headers: Vec<String> = batch[0]
            .headers
            .iter()
            .map(|(key, value)| format!("{key}={}", String::from_utf8_lossy(value.as_deref().unwrap_or(b"null"))))
            .collect();
        let all = ["tributary.replayId=5", "tributary.createdDate=2023-11-14T22:30:05Z", "tributary.eventType=created"];
        assert_eq!(headers.len(), expected, "{headers:?}");
        assert!(expected == 0 || headers[0] == all[0] && headers[expected - 1] == all[2], "{headers:?}");
    }
}
