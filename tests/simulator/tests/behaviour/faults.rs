//! Every fault by name. Implements items 11 and 12 of checklist A of the Salesforce facts page.

use http::Method;
use salesforce_simulator::{
    Change, ConnectAdvice, Fault, FaultRule, HandshakeReason, OrgConfig, Reply, Request, Transport, Where,
};
use serde_json::{Value, json};

use crate::client::{Client, TOPIC, body, config, messages, replay_ids};

#[test]
fn in_band() {
    let busy = "503::Server is too busy.  Please try your request again later.";
    let denied = |reason| (Fault::HandshakeDenied { reason }, "/meta/handshake", "403::Handshake denied");
    let client = |advice, channel, code_402| Fault::UnknownClient { advice, channel, code_402 };
    let unknown = "403::Unknown client";
    for ((fault, channel, error), advice, reason) in [
        ((Fault::AuthenticationInvalid, "/meta/connect", "401::Authentication invalid"), Some("none"), ""),
        ((Fault::AuthenticationInvalidBusy, "/meta/connect", "401::Authentication invalid"), Some("none"), busy),
        (denied(HandshakeReason::AuthenticationInvalid), Some("none"), "401::Authentication invalid"),
        (denied(HandshakeReason::RequiresAuthentication), Some("none"), "401::Request requires authentication"),
        (denied(HandshakeReason::ConnectionLimit), Some("none"), "403::To protect all customers"),
        (denied(HandshakeReason::ConcurrentUsers), Some("none"), "403::Organization concurrent user limit exceeded"),
        (denied(HandshakeReason::UnsupportedVersion), Some("none"), "400::Unsupported API version"),
        (denied(HandshakeReason::MissingVersion), Some("none"), "400::API version in the URI is mandatory"),
        (denied(HandshakeReason::Busy), Some("none"), busy),
        ((client(ConnectAdvice::Handshake, true, false), "/meta/connect", unknown), Some("handshake"), ""),
        ((client(ConnectAdvice::None, true, false), "/meta/connect", unknown), Some("none"), ""),
        ((client(ConnectAdvice::Missing, true, false), "/meta/connect", unknown), None, ""),
        ((client(ConnectAdvice::Handshake, false, false), "/meta/connect", unknown), Some("handshake"), ""),
        ((client(ConnectAdvice::Handshake, true, true), "/meta/connect", "402::Unknown client"), Some("handshake"), ""),
        ((Fault::SubscribeDeniedBusy, "/meta/subscribe", "403:denied_by_security_policy:subscribe_denied"), None, busy),
        ((Fault::CreateDenied, "/meta/subscribe", "403:denied_by_security_policy:create_denied"), None, ""),
        ((Fault::SubscriptionLimit, "/meta/subscribe", "403::Subscription limit exceeded for this topic"), None, ""),
        ((Fault::DailyLimit, "/meta/connect", "403::Organization total events daily limit exceeded"), Some("none"), ""),
        ((Fault::ReplayInvalid, "/meta/subscribe", "400::The replayId {-1} you provided was invalid."), None, ""),
    ] {
        let shown = format!("{fault:?}");
        let nameless = matches!(fault, Fault::UnknownClient { channel: false, .. });
        let gone = matches!(fault, Fault::UnknownClient { .. });
        let mut client = Client::connected(config());
        client.org.inject(FaultRule::once(Where::channel(channel), fault));
        let members = json!({"connectionType": "long-polling", "subscription": TOPIC, "ext": {"replay": {TOPIC: -1}}});
        let reply = client.ask(channel, members);
        assert_eq!(reply["successful"], false, "{shown}");
        assert!(reply["error"].as_str().unwrap().starts_with(error), "{shown}: {reply}");
        assert_eq!(reply["advice"]["reconnect"].as_str(), advice, "{shown}");
        let found = reply["ext"]["sfdc"]["failureReason"].as_str().unwrap_or_default();
        assert!(found.starts_with(reason) && (found.is_empty() == reason.is_empty()), "{shown}: {found}");
        assert_eq!(reply.get("channel").is_none(), nameless, "{shown}");
        assert_eq!(client.org.stats().open_clients, usize::from(!gone), "{shown}");
        assert_eq!(client.org.stats().faults_fired, 1, "{shown}");
    }
}

#[test]
fn a_server_disconnect_and_any_other_error() {
    let mut client = Client::listening(config(), -1);
    client.org.inject(FaultRule::once(Where::channel("/meta/connect"), Fault::ServerDisconnect));
    let replies = client.connect_now();
    assert_eq!(replies[0]["channel"], "/meta/disconnect");
    assert_eq!(replies[1]["advice"]["reconnect"], "none");
    assert_eq!(client.org.stats().open_clients, 0);
    let error = Fault::BayeuxError {
        error: "500::odd".to_owned(),
        advice: Some(json!({"interval": 5_000})),
        failure_reason: Some("503::x".to_owned()),
    };
    client.org.inject(FaultRule::once(Where::default(), error));
    let reply = client.ask("/meta/connect", json!({}));
    assert_eq!((&reply["error"], &reply["advice"]["interval"]), (&json!("500::odd"), &json!(5_000)));
    assert_eq!(reply["ext"]["sfdc"]["failureReason"], "503::x");
}

#[test]
fn first_connects_only() {
    let mut client = Client::new(config());
    let rule = FaultRule::once(
        Where { first_connect: true, ..Where::default() },
        Fault::UnknownClient { advice: ConnectAdvice::Handshake, channel: true, code_402: false },
    );
    client.org.inject(rule);
    assert_eq!(client.shake_hands()["successful"], true);
    assert_eq!(client.connect_now()[0]["error"], "403::Unknown client");
    client.shake_hands();
    assert_eq!(client.connect_now()[0]["successful"], true);
}

#[test]
fn http_errors() {
    let status = |code| Fault::Status { code, retry_after_s: Some(7), late: false };
    let rest = Fault::RestError { code: 500, error_code: "UNKNOWN_EXCEPTION".to_owned(), message: "x".to_owned() };
    let oauth = Fault::OauthError { error: "invalid_grant".to_owned(), description: "x".to_owned() };
    for (fault, code, needle) in [
        (status(500), 500, "<html>"),
        (status(502), 502, "<html>"),
        (status(503), 503, "<html>"),
        (status(504), 504, "<html>"),
        (status(429), 429, "<html>"),
        (Fault::Maintenance { code: 503 }, 503, "maintenance"),
        (Fault::Redirect { to: "https://other.test/".to_owned() }, 307, ""),
        (rest, 500, r#"[{"errorCode":"UNKNOWN_EXCEPTION","message":"x"}]"#),
        (Fault::RequestLimit, 403, "REQUEST_LIMIT_EXCEEDED"),
        (Fault::SessionNotForRest, 401, "This session is not valid for use with the REST API"),
        (oauth, 400, r#"{"error":"invalid_grant","error_description":"x"}"#),
    ] {
        let mut client = Client::new(config());
        client.org.inject(FaultRule::once(Where::path("/services/data"), fault.clone()));
        let reply = client.rest(Method::GET, "/services/data/v67.0/limits", None);
        assert_eq!(reply.response.status, code, "{fault:?}");
        let text = String::from_utf8_lossy(&reply.response.body).into_owned();
        assert!(text.contains(needle), "{fault:?}: {text}");
        match fault {
            Fault::Status { .. } => assert_eq!(reply.response.headers["retry-after"], "7"),
            Fault::Redirect { .. } => {
                assert_eq!(reply.response.headers["location"], "https://other.test/services/data/v67.0/limits");
            }
            _ => {}
        }
        assert_eq!(client.rest(Method::GET, "/services/data/v67.0/limits", None).response.status, 200, "once only");
    }
}

/// What a poll with three events brings under a fault.
fn spoiled(fault: Fault) -> (Reply, Client) {
    let mut client = Client::listening(OrgConfig { gzip: false, ..config() }, -1);
    for _ in 0..3 {
        client.org.change(client.now_ms, Change::created("Lead")).unwrap();
    }
    client.org.inject(FaultRule::once(Where::carrying_events(), fault));
    let request = client.poll_request();
    (client.ready(&request), client)
}

#[test]
fn spoiled_responses() {
    type Holds = fn(&[u8], &[Value]) -> bool;
    let cases: Vec<(Fault, Holds)> = vec![
        (Fault::DuplicateEvents, |_, messages| replay_ids(messages) == [1, 1, 2, 2, 3, 3] && messages.len() == 7),
        (Fault::ReorderEvents, |_, messages| replay_ids(messages) == [3, 2, 1] && messages[3]["successful"] == true),
        (Fault::RepliesFirst, |_, messages| messages[0]["successful"] == true && replay_ids(messages) == [1, 2, 3]),
        (Fault::UnknownEventType, |_, messages| messages[0]["data"]["event"]["type"] == "gapped"),
        (Fault::UnknownMembers, |_, messages| messages.iter().all(|message| message.get("x-unknown").is_some())),
        (Fault::NumericIds, |_, messages| messages[3]["id"].is_u64()),
        (Fault::NoId, |_, messages| messages[3].get("id").is_none() && messages[3].get("channel").is_some()),
        (Fault::NoChannel, |_, messages| messages[3].get("channel").is_none() && messages[0].get("channel").is_some()),
        (Fault::ReplayId { value: json!(-7) }, |_, messages| messages[0]["data"]["event"]["replayId"] == -7),
        (Fault::Html200, |body, _| body.starts_with(b"<!DOCTYPE html>")),
        (Fault::EmptyBody, |body, _| body.is_empty()),
        (Fault::EmptyArray, |body, _| body == b"[]"),
        (Fault::NotAnArray, |body, _| body.starts_with(b"{")),
        (Fault::HalfJson, |body, messages| body.starts_with(b"[{") && messages.is_empty()),
        (Fault::BadUtf8, |body, _| std::str::from_utf8(body).is_err()),
        (Fault::DeepNesting { depth: 1_000 }, |body, _| body.starts_with(b"[[[[") && body.len() == 2_000),
        (Fault::HugeBody { bytes: 10_000 }, |body, messages| body.len() > 10_000 && messages.len() == 4),
        (Fault::GzipBomb { bytes: 1_000_000 }, |body, _| body.starts_with(&[0x1f, 0x8b]) && body.len() < 10_000),
        (Fault::CutGzip, |body, _| body.starts_with(&[0x1f, 0x8b])),
        (Fault::Status { code: 504, retry_after_s: None, late: true }, |body, _| body.starts_with(b"<html>")),
    ];
    for (fault, holds) in cases {
        let (reply, client) = spoiled(fault.clone());
        assert!(holds(&reply.response.body, &messages(&reply)), "{fault:?}: {:?}", reply.response.body);
        assert_eq!(reply.transport, Transport::Whole, "{fault:?}");
        assert_eq!(client.org.deliveries().len(), 3, "{fault:?}: it counts as delivered");
    }
}

#[test]
fn cut_and_slow_connections() {
    let (whole, _) = spoiled(Fault::UnknownMembers);
    assert_eq!(whole.transport, Transport::Whole);
    for (fault, transport) in [
        (Fault::CutBeforeHead, Transport::CutBeforeHead),
        (Fault::LostResponse, Transport::CutBeforeHead),
        (Fault::CutAfterHead, Transport::CutAfter(0)),
        (Fault::CutAfter { bytes: 10 }, Transport::CutAfter(10)),
        (Fault::Reset, Transport::Reset),
        (Fault::NeverAnswer, Transport::StallForever),
        (Fault::StallAfter { bytes: 5 }, Transport::StallAfter(5)),
        (Fault::Slow { bytes_per_s: 1 }, Transport::Slow { bytes_per_s: 1 }),
    ] {
        let (reply, mut client) = spoiled(fault.clone());
        assert_eq!(reply.transport, transport, "{fault:?}");
        let damaged = client.org.deliveries().iter().filter(|delivery| delivery.damaged).count();
        assert_eq!(damaged, if matches!(fault, Fault::Slow { .. }) { 0 } else { 3 }, "{fault:?}");
        client.connect_held();
        assert_eq!(client.due_after(0), None, "{fault:?}: what was lost does not come again by polling");
    }
    let (reply, _) = spoiled(Fault::CutMidArray);
    assert_eq!(reply.transport, Transport::CutAfter(reply.response.body.len() / 2));
}

#[test]
fn changed_worlds() {
    for (fault, error) in [
        (Fault::RevokeToken, "401::Authentication invalid"),
        (Fault::ForgetSession, "403::Unknown client"),
        (Fault::MoveServer, "403::Unknown client"),
    ] {
        let mut client = Client::listening(config(), -1);
        client.org.inject(FaultRule::once(Where::channel("/meta/connect"), fault.clone()));
        assert_eq!(client.connect_now()[0]["error"], error, "{fault:?}");
    }
    let mut client = Client::listening(config(), -1);
    client.org.inject(FaultRule::once(Where::channel("/meta/connect"), Fault::ProxyTimeout { after_ms: 60_000 }));
    client.connect_held();
    client.now_ms += 60_000;
    let due = client.org.due(client.now_ms);
    assert_eq!(due[0].1.response.status, 504);
    client.connect_held();
}

#[test]
fn a_silenced_session_gets_nothing_and_the_next_one_everything() {
    let mut client = Client::listening(config(), -1);
    client.org.inject(FaultRule::once(Where::channel("/meta/connect"), Fault::SilenceSession));
    client.connect_held();
    client.add_leads(2);
    assert_eq!(client.due_after(60_000), None, "not even late");
    let answer = client.due_after(110_000).expect("the poll ends as usual");
    assert!(answer.iter().all(|message| message.get("data").is_none()), "{answer:?}");
    client.shake_hands();
    client.connect_now();
    client.subscribe(TOPIC, json!({"replay": {TOPIC: -2}}));
    assert_eq!(replay_ids(&client.connect_now()).len(), 2);
}

#[test]
fn oauth_and_control_are_apart() {
    let mut client = Client::new(config());
    client.org.inject(FaultRule::forever(Where::default(), Fault::Maintenance { code: 200 }));
    let token = Request::new(Method::POST, "/services/oauth2/token");
    assert_eq!(body(&client.ready(&token)), Value::Null, "HTML instead of JSON");
    let stats = client.ready(&Request::new(Method::GET, "/_control/stats"));
    assert_eq!(body(&stats)["faults_fired"], 1, "control is never struck");
    client.org.clear_faults();
    client.log_in();
}
