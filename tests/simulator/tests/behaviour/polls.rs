//! Long polls, what they bring, and how sessions end. Implements sections 3.3 to 3.8 of the Salesforce facts page.

use salesforce_simulator::{Answer, Change, OrgConfig, Transport};
use serde_json::{Value, json};

use crate::client::{Client, TOPIC, config, messages, replay_ids};

#[test]
fn retention_and_recreation() {
    let mut client =
        Client::connected(OrgConfig { session_window_ms: u64::MAX / 2, routing_cookie_ms: 1 << 50, ..config() });
    client.add_leads(2);
    client.now_ms += 50_000_000;
    client.log_in();
    client.add_leads(1);
    client.now_ms += 40_000_000;
    client.log_in();
    let ask =
        |client: &mut Client, id: i64| client.subscribe(TOPIC, json!({"replay": {TOPIC: id}}))["successful"] == true;
    assert_eq!((ask(&mut client, 2), ask(&mut client, 3)), (false, true), "ids 1 and 2 aged out");
    client.org.recreate_topic("Leads", None).unwrap();
    assert!(!ask(&mut client, 3), "an id of the deleted topic");
    client.add_leads(1);
    assert!(ask(&mut client, 1), "ids begin anew");
}

#[test]
fn polls_are_held_and_end() {
    let mut client = Client::listening(config(), -1);
    client.connect_held();
    assert_eq!(client.org.next_deadline_ms(), Some(client.now_ms + 110_000));
    assert_eq!(client.due_after(109_999), None);
    let reply = client.due_after(1).unwrap();
    assert_eq!(reply.len(), 1);
    assert_eq!(reply[0]["successful"], true);
    assert!(reply[0].get("advice").is_none(), "later connects omit it");
    client.now_ms += 39_999;
    client.connect_held();
    client.add_leads(2);
    assert_eq!(client.org.next_deadline_ms(), Some(client.now_ms), "events release the poll");
    let reply = client.due_after(0).unwrap();
    assert_eq!(replay_ids(&reply), [1, 2]);
    assert_eq!(reply[2]["channel"], "/meta/connect", "events come before the reply");
    client.now_ms += 40_000;
    assert_eq!(client.connect_now()[0]["error"], "403::Unknown client", "the window was missed");
}

#[test]
fn a_client_may_want_a_shorter_poll_and_gets_it_only_alone() {
    for (timeout, honoured, due_ms) in
        [(json!(50_000), true, 50_000), (json!(50_000), false, 110_000), (json!(500_000), true, 110_000)]
    {
        let mut client = Client::listening(OrgConfig { honour_client_timeout: honoured, ..config() }, -1);
        let members = json!({"connectionType": "long-polling", "advice": {"timeout": timeout}});
        let message = client.message("/meta/connect", members);
        let request = client.bayeux(json!([message]));
        assert!(matches!(client.handle(&request), Answer::Held(_)));
        assert_eq!(client.org.next_deadline_ms(), Some(client.now_ms + due_ms), "{timeout} {honoured}");
    }
    let mut client = Client::connected(config());
    let connect = client.message("/meta/connect", json!({"connectionType": "long-polling"}));
    let subscribe = client.message("/meta/subscribe", json!({"subscription": TOPIC}));
    let request = client.bayeux(json!([subscribe, connect]));
    let replies = messages(&client.ready(&request));
    assert_eq!(replies.len(), 2, "a connect in company is not held: {replies:?}");
    let connect = client.message("/meta/connect", json!({"connectionType": "websocket"}));
    assert_eq!(client.send(connect)[0]["error"], "400::Invalid connection type {websocket}");
}

#[test]
fn the_older_of_two_polls_ends() {
    let mut client = Client::listening(config(), -1);
    let older = client.connect_held();
    let newer = client.connect_held();
    let due = client.org.due(client.now_ms);
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].0, due[0].1.response.status.as_u16()), (older, 500));
    client.add_leads(1);
    let due = client.org.due(client.now_ms);
    assert_eq!(due[0].0, newer);
    assert_eq!(replay_ids(&messages(&due[0].1)), [1]);
}

#[test]
fn a_second_session_of_a_browser_has_to_wait() {
    let mut client = Client::listening(config(), -1);
    client.connect_held();
    client.shake_hands();
    client.connect_now();
    let reply = client.connect_now().remove(0);
    assert_eq!(reply["advice"], json!({"reconnect": "retry", "interval": 2_000, "multiple-clients": true}));
    assert_eq!(client.org.stats().open_clients, 2);
}

#[test]
fn who_hangs_up_loses_nothing_that_was_not_sent() {
    let mut client = Client::listening(config(), -1);
    let hold = client.connect_held();
    client.org.abandon(client.now_ms, hold);
    client.add_leads(1);
    assert_eq!(client.due_after(0), None);
    assert_eq!(replay_ids(&client.connect_now()), [1]);
}

#[test]
fn goodbyes() {
    let mut client = Client::listening(config(), -1);
    let hold = client.connect_held();
    let reply = client.ask("/meta/unsubscribe", json!({"subscription": TOPIC}));
    assert_eq!((&reply["successful"], &reply["subscription"]), (&json!(true), &json!(TOPIC)));
    assert_eq!(client.ask("/meta/unsubscribe", json!({"subscription": TOPIC}))["error"], "404::Unknown channel");
    assert_eq!(client.ask("/meta/disconnect", json!({}))["successful"], true);
    let due = client.org.due(client.now_ms);
    assert_eq!(due[0].0, hold, "the open poll ends");
    assert_eq!(messages(&due[0].1)[0]["advice"]["reconnect"], "none");
    assert_eq!(client.org.stats().open_clients, 0);
    assert_eq!(client.ask("/meta/disconnect", json!({}))["error"], "403::Unknown client");
    assert_eq!(client.ask("/chat/room", json!({"data": 1}))["successful"], false, "nobody publishes");
}

#[test]
fn the_server_ends_sessions() {
    type Ends = fn(&mut salesforce_simulator::Org);
    let cases: [(&str, Ends, Value); 3] = [
        ("revoked", |org| org.revoke_tokens(), json!("401::Authentication invalid")),
        ("forgotten", |org| org.expire_sessions_now(), json!("403::Unknown client")),
        ("disconnected", |org| org.disconnect_sessions(), Value::Null),
    ];
    for (what, end, error) in cases {
        let mut client = Client::listening(config(), -1);
        client.connect_held();
        end(&mut client.org);
        let reply = client.due_after(0).unwrap();
        let connect = reply.last().unwrap();
        assert_eq!(connect["error"], error, "{what}");
        if what == "disconnected" {
            assert_eq!(reply[0], json!({"channel": "/meta/disconnect", "successful": true}));
            assert_eq!(connect["advice"]["reconnect"], "none");
        }
    }
}

#[test]
fn limits() {
    let mut client = Client::listening(OrgConfig { daily_notifications_max: 3, clients_max: 1, ..config() }, -1);
    client.add_leads(5);
    assert_eq!(replay_ids(&client.connect_now()), [1, 2, 3], "no more than the limit allows");
    assert_eq!(client.connect_now()[0]["error"], "403::Organization total events daily limit exceeded");
    let refused = client.subscribe(TOPIC, json!({}));
    assert_eq!(refused["error"], "403::Organization total events daily limit exceeded");
    let denied = client.shake_hands();
    assert_eq!(denied["ext"]["sfdc"]["failureReason"], "403::Organization concurrent user limit exceeded");
    client.now_ms += 86_400_000;
    assert_eq!(client.org.stats().open_clients, 1, "nobody looked yet");
    client.log_in();
    client.shake_hands();
    client.connect_now();
    assert_eq!(client.subscribe(TOPIC, json!({}))["successful"], true, "a day later all is well");
}

#[test]
fn responses() {
    let mut client = Client::listening(OrgConfig { response_events_max: 3, ..config() }, -1);
    client.add_leads(5);
    assert_eq!(replay_ids(&client.connect_now()), [1, 2, 3]);
    assert_eq!(replay_ids(&client.connect_now()), [4, 5]);
    client.org.configure(|config| config.response_bytes_max = 1);
    client.add_leads(2);
    assert_eq!(replay_ids(&client.connect_now()), [6], "closed by its size");
    client.org.configure(|config| config.events_first = false);
    assert_eq!(client.connect_now()[0]["channel"], "/meta/connect");
    client.org.configure(|config| config.string_replay_ids = true);
    client.add_leads(1);
    assert_eq!(client.connect_now()[1]["data"]["event"]["replayId"], "8");
    client.org.configure(|config| config.event_client_id = true);
    client.add_leads(1);
    assert_eq!(client.connect_now()[1]["clientId"], client.client_id);
    client.org.configure(|config| config.events_on_subscribe = true);
    let message = client.message("/meta/subscribe", json!({"subscription": TOPIC, "ext": {"replay": {TOPIC: -2}}}));
    assert_eq!(client.send(message).len(), 2, "an event rides on the subscribe reply");
    let delivered: Vec<_> = client.org.deliveries().iter().map(|delivery| delivery.replay_id).collect();
    assert_eq!(delivered, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
}

#[test]
fn latency_filters_and_big_ids() {
    let mut client = Client::connected(OrgConfig { event_latency_ms: 1_000, first_replay_id: 1 << 60, ..config() });
    let filtered = client.subscribe("/topic/Leads?Status='A'&Company='B'", json!({"replay": {TOPIC: -1}}));
    assert_eq!(filtered["successful"], true);
    client.connect_held();
    let lead = |status: &str, company: &str| Change::created("Lead").set("Status", status).set("Company", company);
    client.org.change(client.now_ms, lead("x", "x")).unwrap();
    assert_eq!(client.due_after(2_000), None, "the filter lets nothing through");
    client.org.change(client.now_ms, lead("A", "x")).unwrap();
    client.org.change(client.now_ms, lead("x", "B")).unwrap();
    assert_eq!(client.due_after(999), None, "not visible yet");
    assert_eq!(replay_ids(&client.due_after(1).unwrap()), [(1 << 60) + 1, (1 << 60) + 2], "either pair is enough");
}

#[test]
fn gzip_for_those_who_ask() {
    for (accept, packed) in [(Some("gzip, deflate"), true), (None, false)] {
        let mut client = Client::listening(config(), -1);
        client.add_leads(20);
        let mut request = client.poll_request();
        if let Some(accept) = accept {
            request = request.with(http::header::ACCEPT_ENCODING, accept);
        }
        let reply = client.ready(&request);
        assert_eq!(reply.response.headers.get("content-encoding").is_some(), packed);
        assert_eq!(reply.response.body.starts_with(&[0x1f, 0x8b]), packed);
        assert_eq!(reply.transport, Transport::Whole);
    }
}

#[test]
fn time_can_be_moved_on() {
    let mut client = Client::connected(config());
    client.org.advance(39_999);
    assert_eq!(client.org.stats().open_clients, 1);
    client.org.advance(1);
    assert_eq!(client.org.stats().open_clients, 0);
    let mut young = salesforce_simulator::Org::new(OrgConfig::default());
    young.change(1_000, Change::created("Lead")).unwrap();
    young.advance(5_000);
    young.create_topic(1_000, "T", crate::client::QUERY).unwrap();
    young.change(1_000, Change::created("Lead")).unwrap();
    assert_eq!(young.ledger()[0].created_ms, 6_000);
}

#[test]
fn the_http_status_of_refusals_is_a_switch() {
    for status in [200, 401] {
        let mut client = Client::connected(OrgConfig { bayeux_error_status: status, ..config() });
        let request = client.poll_request();
        client.token = "00D!wrong".to_owned();
        let refused = client.poll_request();
        assert_eq!(client.ready(&refused).response.status, status);
        assert!(matches!(client.handle(&request), Answer::Held(_)));
    }
}

#[test]
fn prepared_bodies() {
    let mut client = Client::new(config());
    client.org.prepare(client.now_ms, "Prepared", 10, 1_000, 4).unwrap();
    client.shake_hands();
    client.connect_now();
    let channel = "/topic/Prepared";
    assert_eq!(client.subscribe(channel, json!({"replay": {channel: 3}}))["successful"], true);
    assert_eq!(replay_ids(&client.connect_now()), [4, 5, 6, 7]);
    let last = client.connect_now();
    assert_eq!(replay_ids(&last), [8, 9, 10]);
    assert_eq!(last[3]["channel"], "/meta/connect");
    client.connect_held();
    assert_eq!(client.org.stats().delivered, 7);
    assert_eq!(client.subscribe(channel, json!({"replay": {channel: 11}}))["successful"], false);
}
