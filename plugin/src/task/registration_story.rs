//! Stories of a batch that waits for the registry: what is asked, what the registry says, what becomes of the batch. The
//! registry's answers are those of Confluent's API reference.

use super::{
    ProducerRecord, Step,
    story::{Story, connected},
};
use crate::{
    error::FailureKind,
    http::{HttpError, Response},
};

const AVRO: &[(&str, &str)] =
    &[("output.data.format", "AVRO"), ("value.converter.schema.registry.url", "http://a.example,http://b.example/api")];
const REGISTERED: &str = r#"{"id":7}"#;
const AT: &str = "http://a.example/subjects/leads-value/versions";

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    AVRO.iter().chain(more).copied().collect()
}

/// A task that has just got events with these replay ids.
fn got(settings: &[(&str, &str)], ids: impl IntoIterator<Item = i64>) -> Story {
    let mut story = Story::start(settings, Some(1), 1);
    story.answer(200, &connected(ids));
    story
}

fn sent(story: &mut Story) -> Vec<ProducerRecord> {
    let Step::Send(batch) = story.step() else { panic!("no batch") };
    story.task.sent();
    batch
}

fn ids(batch: &[ProducerRecord]) -> Vec<&[u8]> {
    batch.iter().map(|record| &record.value.as_deref().expect("a value")[..5]).collect()
}

#[test]
fn a_batch_waits_for_the_id_and_the_next_one_does_not() {
    let mut story = got(AVRO, 2..=3);
    let request = story.request(AT, r#"{"schemaType":"AVRO","schema":"{\"type\":\"record\",\"name\":\"Lead\""#);
    assert!(request.headers.iter().any(|(name, _)| *name == "content-type"));
    assert_eq!(story.task.offset(), Some(1));
    story.answer(200, REGISTERED);
    let batch = sent(&mut story);
    assert_eq!(ids(&batch), [[0, 0, 0, 0, 7], [0, 0, 0, 0, 7]]);
    assert_eq!(batch[0].key.as_deref(), Some(&br#"{"Id":"00Q000000000001AAA"}"#[..]), "keys stay JSON");
    assert_eq!(story.task.offset(), Some(3));
    story.request("/cometd/67.0", "/meta/connect");
    story.answer(200, &connected([4]));
    assert_eq!(ids(&sent(&mut story)), [[0, 0, 0, 0, 7]]);
}

#[test]
fn a_large_answer_asks_once() {
    let mut story = got(AVRO, 2..=1_001);
    story.exchange(AT, "AVRO", REGISTERED);
    assert_eq!([sent(&mut story).len(), sent(&mut story).len()], [500, 500]);
}

#[test]
fn keys_and_values_and_topics_are_registered_each() {
    let settings = with(&[
        ("kafka.topic", "leads.${Name}"),
        ("key.converter", "io.confluent.connect.protobuf.ProtobufConverter"),
        ("key.converter.schema.registry.url", "http://k.example"),
        ("schema.context.name", "staging"),
    ]);
    let mut story = got(&settings, 2..=3);
    for (at, id) in [
        ("k.example/subjects/%3A.staging%3Aleads.N2-key/versions", 1),
        ("a.example/subjects/%3A.staging%3Aleads.N2-value/versions", 2),
        ("k.example/subjects/%3A.staging%3Aleads.N3-key/versions", 3),
        ("a.example/subjects/%3A.staging%3Aleads.N3-value/versions", 4),
    ] {
        story.exchange(at, "", &format!(r#"{{"id":{id}}}"#));
    }
    let batch = sent(&mut story);
    let keys: Vec<&[u8]> = batch.iter().map(|record| &record.key.as_deref().expect("a key")[..6]).collect();
    assert_eq!(keys, [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 3, 0]]);
    assert_eq!(ids(&batch), [[0, 0, 0, 0, 2], [0, 0, 0, 0, 4]]);
}

#[test]
fn the_next_address_is_asked_then_the_registry_is_waited_for_and_at_last_given_up() {
    let mut story = got(&with(&[("value.converter.max.retries", "2")]), [2]);
    let began_ms = story.now_ms;
    for round in 0..3 {
        story.request(AT, "");
        story.task.answered(story.now(), Err(HttpError::Connect("refused".into())));
        story.request("http://b.example/api/subjects/leads-value/versions", "");
        story.answer(503, "<html>away</html>");
        assert!(round == 2 || matches!(story.step(), Step::Wait(_)), "round {round}");
    }
    let failure = story.failure();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Transient, "REGISTRY_503"));
    assert!(failure.message.contains("max.retries"), "{}", failure.message);
    assert!((1_500..=3_000).contains(&(story.now_ms - began_ms)), "waited {} ms", story.now_ms - began_ms);
    assert_eq!(story.task.offset(), Some(1));
}

#[test]
fn a_registry_that_comes_back_gets_the_same_request() {
    let mut story = got(AVRO, [2]);
    story.request(AT, "");
    story.task.answered(story.now(), Err(HttpError::Timeout("late".into())));
    story.exchange("b.example", "", REGISTERED);
    assert_eq!(ids(&sent(&mut story)), [[0, 0, 0, 0, 7]]);

    let mut story = got(&with(&[("value.converter.schema.registry.url", "http://a.example")]), [2]);
    story.request(AT, "");
    let retry_after = vec![("retry-after".to_owned(), "30".to_owned())];
    let began_ms = story.now_ms;
    story.task.answered(story.now(), Ok(Response { status: 429, headers: retry_after, body: Vec::new() }));
    story.exchange(AT, "", REGISTERED);
    assert_eq!(story.now_ms - began_ms, 30_000);
    assert_eq!(sent(&mut story).len(), 1);
}

#[test]
fn what_the_registry_refuses_is_said_and_nothing_is_sent() {
    let cases: &[(u16, &str, FailureKind, &str, &[&str])] = &[
        (401, r#"{"error_code":401,"message":"Unauthorized"}"#, FailureKind::Auth, "REGISTRY_AUTH", &["basic.auth"]),
        (403, "", FailureKind::Auth, "REGISTRY_AUTH", &["HTTP 403"]),
        (404, "{}", FailureKind::Config, "REGISTRY_NOT_FOUND", &["schema.registry.url"]),
        (
            422,
            r#"{"error_code":42205,"message":"Subject leads-value is in read-only mode"}"#,
            FailureKind::Config,
            "REGISTRY_READ_ONLY",
            &["read-only mode", "READWRITE"],
        ),
        (422, r#"{"error_code":42201,"message":"bad"}"#, FailureKind::Config, "REGISTRY_42201", &["bad"]),
    ];
    for (status, body, kind, code, words) in cases {
        let mut story = got(AVRO, [2]);
        story.request(AT, "");
        story.answer(*status, body);
        let failure = story.failure();
        assert_eq!((failure.kind, failure.code.as_str()), (*kind, *code), "{failure}");
        for word in words.iter().chain(&["leads-value"]) {
            assert!(failure.message.contains(word), "{failure}");
        }
        assert_eq!(story.task.offset(), Some(1));
    }
    let mut story = got(AVRO, [2]);
    story.request(AT, "");
    story.task.answered(story.now(), Err(HttpError::Denied { origin: "http://a.example".into() }));
    assert_eq!(story.failure().kind, FailureKind::Config);
}

#[test]
fn an_incompatible_schema_names_subject_versions_and_the_registrys_words() {
    let incompatible = r#"{"error_code":40901,"message":"READER_FIELD_MISSING_DEFAULT_VALUE"}"#;
    for (versions, named) in [("[1,2]", "versions 1, 2"), ("[3]", "version 3"), ("<html>", "not compatible of")] {
        let mut story = got(AVRO, [2]);
        story.request(AT, "");
        story.answer(409, incompatible);
        story.exchange(AT, "", versions);
        let failure = story.failure();
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Config, "SCHEMA_INCOMPATIBLE"));
        for word in ["leads-value", named, "READER_FIELD_MISSING_DEFAULT_VALUE"] {
            assert!(failure.message.contains(word), "{word}: {failure}");
        }
        assert_eq!(story.task.offset(), Some(1));
    }
}

#[test]
fn looking_up_and_the_latest_version() {
    let off = ("value.converter.auto.register.schemas", "false");
    let latest = ("value.converter.use.latest.version", "true");
    let at = "http://a.example/subjects/leads-value";
    let mut story = got(&with(&[off]), [2]);
    assert_eq!(story.request(at, "schemaType").url, at);
    story.answer(200, r#"{"subject":"leads-value","version":1,"id":9,"schema":"..."}"#);
    assert_eq!(ids(&sent(&mut story)), [[0, 0, 0, 0, 9]]);

    let mut story = got(&with(&[off]), [2]);
    story.request(at, "");
    story.answer(404, r#"{"error_code":40403,"message":"Schema not found"}"#);
    let failure = story.failure();
    assert_eq!(failure.code, "SCHEMA_NOT_REGISTERED");
    assert!(failure.message.contains("value.converter.auto.register.schemas=true"), "{failure}");

    // The latest is the connector's own schema but for blanks.
    let mut story = got(AVRO, [2]);
    let body = String::from_utf8(story.request(AT, "").body).expect("JSON");
    let own: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let spaced = own["schema"].as_str().expect("a text").replace(',', ", ");
    let mut story = got(&with(&[off, latest]), [2]);
    story.exchange(&format!("{at}/versions/latest"), "", &serde_json::json!({"id": 5, "schema": spaced}).to_string());
    assert_eq!(ids(&sent(&mut story)), [[0, 0, 0, 0, 5]]);

    // It is another one: Avro's bytes would not go with it.
    let mut story = got(&with(&[off, latest]), [2]);
    story.exchange(&format!("{at}/versions/latest"), "", r#"{"id":5,"schema":"\"string\""}"#);
    assert_eq!(story.failure().code, "SCHEMA_NOT_THE_LATEST");

    // JSON goes with every schema that the registry finds compatible.
    let json = ("output.data.format", "JSON_SR");
    for (answer, code) in [
        (r#"{"is_compatible":true}"#, None),
        (r#"{"is_compatible":false,"messages":["no"]}"#, Some("SCHEMA_INCOMPATIBLE")),
    ] {
        let mut story = got(&with(&[json, off, latest]), [2]);
        story.exchange(&format!("{at}/versions/latest"), "", r#"{"id":5,"schema":"{}"}"#);
        story.exchange("/compatibility/subjects/leads-value/versions/latest", "JSON", answer);
        match code {
            None => assert_eq!(ids(&sent(&mut story)), [[0, 0, 0, 0, 5]]),
            Some(code) => assert_eq!(story.failure().code, code),
        }
    }
}

#[test]
fn the_id_may_travel_in_a_header() {
    let header = "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer";
    let settings = with(&[("value.converter.value.schema.id.serializer", header)]);
    let mut story = got(&settings, 2..=3);
    story.exchange(AT, "", r#"{"id":7,"guid":"01020304-0506-0708-090a-0b0c0d0e0f10"}"#);
    for record in sent(&mut story) {
        let value: Vec<u8> = [&[1][..], &(1..=16).collect::<Vec<u8>>()].concat();
        assert_eq!(record.headers, [("__value_schema_id".to_owned(), Some(value))]);
        assert_eq!(record.value.expect("a value")[0], 36, "the payload alone: the length of the Id");
    }
    let mut story = got(&settings, [2]);
    story.exchange(AT, "", REGISTERED);
    assert_eq!(story.failure().code, "SCHEMA_GUID_MISSING");
}

#[test]
fn a_task_that_is_closed_forgets_the_batch() {
    let mut story = got(AVRO, [2]);
    story.request(AT, "");
    assert!(story.task.close(story.now()).is_some());
    story.answer(200, REGISTERED);
    assert!(matches!(story.step(), Step::Fail(_)));
    assert_eq!(story.task.offset(), Some(1));
}

#[test]
fn a_record_that_cannot_be_converted_ends_the_task_after_those_before_it() {
    let mut story = got(AVRO, [2]);
    story.exchange(AT, "", REGISTERED);
    sent(&mut story);
    story.request("/cometd/67.0", "/meta/connect");
    story.answer(200, &connected([3, 4]).replace("\"N4\"", "17"));
    assert_eq!(sent(&mut story).len(), 1);
    assert_eq!((story.failure().kind, story.task.offset()), (FailureKind::BadRecord, Some(3)));
}
