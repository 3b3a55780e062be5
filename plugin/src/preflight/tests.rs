//! Preflights, answer by answer: what is asked, and what the lines say.

use super::*;
use crate::config::validate;

const TOKEN: &str = r#"{"access_token":"00D!t","instance_url":"https://x.my.salesforce.com","issued_at":"1"}"#;
const VERSIONS: &str = r#"[{"version":"36.0"},{"version":"66.0"},{"version":"67.0"}]"#;
const LEAD: &str = r#"{"name":"Lead","fields":[{"name":"Id","type":"id"},{"name":"Name","type":"string"}]}"#;
const NONE: &str = r#"{"totalSize":0,"done":true,"records":[]}"#;
const MAY: &str = r#"{"name":"PushTopic","createable":true}"#;
const LIMITS: &str = r#"{"DailyApiRequests":{"Max":1000,"Remaining":100},"DailyStreamingApiEvents":{"Max":1000,"Remaining":99},"StreamingApiConcurrentClients":{"Max":20,"Remaining":0}}"#;

fn found(query: &str, active: bool) -> String {
    format!(
        r#"{{"totalSize":1,"done":true,"records":[{{"Id":"0IF1","Name":"Leads","Query":"{query}","ApiVersion":67.0,"IsActive":{active}}}]}}"#
    )
}

fn now(wall_ms: i64) -> Now {
    Now { monotonic_ms: 1, wall_ms }
}

/// 2023-11-14 22:30:00.5, as the server's date says.
const SERVER_MS: i64 = 1_700_001_000_500;

/// Runs a preflight with these answers; the lines, `status name: message remedy`, and the paths that were asked.
fn run(changes: &[(&str, &str)], answers: &[(u16, &str)]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let settings = [
        ("kafka.topic", "sf.${_ObjectType}.${_EventType}"),
        ("salesforce.username", "u"),
        ("salesforce.password", "p"),
        ("salesforce.consumer.key", "k"),
        ("salesforce.object", "Lead"),
        ("salesforce.push.topic.name", "Leads"),
        ("salesforce.push.topic.notify.undelete", "false"),
    ];
    let kept = settings.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let settings: Vec<_> = kept.chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut preflight = Preflight::new(validate::parse(&settings).expect("valid settings"));
    let mut answers = answers.iter();
    let mut paths = Vec::new();
    loop {
        match preflight.step(now(SERVER_MS)) {
            Step::Done => break,
            Step::Await => panic!("nothing is in flight"),
            Step::Request(request) => {
                assert!(matches!(preflight.step(now(SERVER_MS)), Step::Await), "one request at a time");
                paths.push(request.url.rsplit_once(".com").expect("an org's host").1.to_owned());
                let (status, body) = answers.next().expect("it ends with the last answer");
                let date = ("date".to_owned(), "Tue, 14 Nov 2023 22:30:00 GMT".to_owned());
                let response = Response { status: *status, headers: vec![date], body: (*body).into() };
                preflight.answered(now(SERVER_MS), Ok(response));
            }
        }
    }
    assert!(answers.next().is_none(), "every answer was asked for");
    let line = |check: Check| format!("{:?} {}: {} {}", check.status, check.name, check.message, check.remedy);
    (preflight.take_checks().into_iter().map(line).collect(), paths, preflight.take_topics())
}

#[track_caller]
fn expect(lines: &[String], expected: &[&str]) {
    let missing: Vec<_> = expected.iter().filter(|text| !lines.iter().any(|line| line.contains(*text))).collect();
    assert!(missing.is_empty(), "{missing:?} not in {lines:#?}");
}

#[test]
fn everything_is_looked_at_and_nothing_is_changed() {
    let (lines, paths, topics) =
        run(&[], &[(200, TOKEN), (200, VERSIONS), (200, LEAD), (200, NONE), (200, MAY), (200, LIMITS)]);
    assert_eq!(
        paths.iter().map(|path| path.split("?q=").next().unwrap_or_default()).collect::<Vec<_>>(),
        [
            "/services/oauth2/token",
            "/services/data/",
            "/services/data/v67.0/sobjects/Lead/describe",
            "/services/data/v67.0/query/",
            "/services/data/v67.0/sobjects/PushTopic/describe",
            "/services/data/v67.0/limits",
        ]
    );
    expect(
        &lines,
        &[
            "Pass clock",
            "Pass login: Logged in; the instance is https://x.my.salesforce.com",
            "Pass api-version: API version 67.0",
            "Pass object: Lead can be read and has 2 fields",
            "Pass push-topic: There is no PushTopic Leads yet; it will be created with 2 fields",
            "Pass api-requests: 100 REST calls of today's 1000",
            "Warn events: 99 event deliveries of today's 1000",
            "Fail streaming-clients: 0 streaming clients of 20",
        ],
    );
    assert_eq!(topics, ["sf.Lead.created", "sf.Lead.updated", "sf.Lead.deleted"]);
}

#[test]
fn what_ends_it_is_the_last_line() {
    let refused = r#"{"error":"invalid_grant","error_description":"authentication failure"}"#;
    let no_type = r#"[{"errorCode":"INVALID_TYPE","message":"sObject type 'PushTopic' is not supported."}]"#;
    type Answers<'a> = &'a [(u16, &'a str)];
    let cases: [(&[(&str, &str)], Answers<'_>, &str); 6] = [
        (
            &[],
            &[(400, refused)],
            "Fail login: Salesforce refused the login (invalid_grant: authentication failure) Check",
        ),
        (&[], &[(503, "<html>")], "Fail login: Salesforce answered the login with HTTP 503 Try again later"),
        (&[("salesforce.version", "99.0")], &[(200, TOKEN), (200, VERSIONS)], "does not offer API version 99.0 Set"),
        (&[("salesforce.version", "36.0")], &[(200, TOKEN), (200, VERSIONS)], "has no replay"),
        (&[], &[(200, TOKEN), (200, VERSIONS), (404, "[]")], "Fail object: There is no object Lead"),
        (&[], &[(200, TOKEN), (200, VERSIONS), (200, LEAD), (400, no_type)], "Fail push-topic: This user may not see"),
    ];
    for (changes, answers, expected) in cases {
        let (lines, ..) = run(changes, answers);
        assert!(lines.last().is_some_and(|line| line.contains(expected)), "{expected}: {lines:#?}");
    }
}

#[test]
fn push_topics_as_they_are() {
    let check = |changes: &[(&str, &str)], answers: &[(u16, &str)], expected: &str| {
        let mut all = vec![(200, TOKEN), (200, VERSIONS), (200, LEAD)];
        all.extend(answers);
        all.push((403, "[]"));
        let (lines, ..) = run(changes, &all);
        expect(&lines, &[expected, "Warn limits: Salesforce did not tell the org's limits (HTTP 403)"]);
    };
    let by_hand = &[("salesforce.push.topic.create", "false")][..];
    check(by_hand, &[(200, &found("SELECT Id FROM Lead", true))], "Warn push-topic: The PushTopic Leads differs");
    let same = &[("salesforce.push.topic.notify.undelete", "true")];
    check(same, &[(200, &found("SELECT Id,Name FROM Lead", true))], "Pass push-topic: The PushTopic Leads (0IF1)");
    check(
        &[],
        &[(200, &found("SELECT Id FROM Lead", false))],
        "Fail push-topic: The PushTopic Leads is not active, so",
    );
    check(&[], &[(200, &found("SELECT Id FROM Case", true))], "Fail push-topic: The PushTopic Leads is about Case");
    check(by_hand, &[(200, NONE)], "Fail push-topic: There is no PushTopic Leads that this user may see Check");
    check(&[], &[(200, NONE), (200, r#"{"createable":false}"#)], "Fail push-topic: There is no PushTopic Leads, and");
    check(&[], &[(200, NONE), (404, "[]")], "may not create one Give the user");
}

#[test]
fn clocks_on_both_sides_of_the_bound() {
    for (skew_ms, expected) in [(0, "Pass"), (60_000, "Pass"), (-60_000, "Pass"), (60_001, "Warn"), (-600_000, "Warn")]
    {
        let mut preflight = Preflight::new(
            validate::parse(
                &[
                    ("kafka.topic", "t"),
                    ("salesforce.username", "u"),
                    ("salesforce.password", "p"),
                    ("salesforce.consumer.key", "k"),
                    ("salesforce.object", "Lead"),
                    ("salesforce.push.topic.name", "Leads"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            )
            .expect("valid settings"),
        );
        let time = now(SERVER_MS + skew_ms);
        assert!(matches!(preflight.step(time), Step::Request(_)));
        let date = ("date".to_owned(), "Tue, 14 Nov 2023 22:30:00 GMT".to_owned());
        preflight.answered(time, Ok(Response { status: 400, headers: vec![date], body: b"{}".to_vec() }));
        let checks = preflight.take_checks();
        assert_eq!((format!("{:?}", checks[0].status).as_str(), checks[0].name), (expected, "clock"), "{skew_ms}");
    }
}

#[test]
fn no_answer_ends_it_with_a_remedy() {
    for (error, remedy) in [
        (HttpError::Dns("a".into()), "name servers"),
        (HttpError::Connect("a".into()), "http.proxy"),
        (HttpError::Tls("a".into()), "tributary.network.ca.file"),
        (HttpError::Timeout("a".into()), "connection.timeout"),
        (HttpError::Denied { origin: "https://a".into() }, ""),
    ] {
        let settings = [
            ("kafka.topic", "t"),
            ("salesforce.username", "u"),
            ("salesforce.password", "p"),
            ("salesforce.consumer.key", "k"),
            ("salesforce.object", "Lead"),
            ("salesforce.push.topic.name", "Leads"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut preflight = Preflight::new(validate::parse(&settings).expect("valid settings"));
        assert!(matches!(preflight.step(now(0)), Step::Request(_)));
        preflight.answered(now(0), Err(error));
        assert!(matches!(preflight.step(now(0)), Step::Done));
        let checks = preflight.take_checks();
        assert!(
            checks.len() == 1 && checks[0].status == Status::Fail && checks[0].remedy.contains(remedy),
            "{checks:?}"
        );
    }
}
