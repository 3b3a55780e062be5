//! The CometD endpoint. Implements section 3 of the Salesforce facts page.

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, SET_COOKIE};
use salesforce_simulator::{OrgConfig, Request, RetiredVersion};
use serde_json::{Value, json};

use crate::client::{Client, TOPIC, config, messages, replay_ids};

#[test]
fn http_rules() {
    let mut client = Client::connected(config());
    let poll = client.poll_request();
    type Spoil = fn(&mut Request);
    let cases: [(&str, Spoil, u16, &str); 5] = [
        ("GET", |request| request.method = Method::GET, 405, "Only POST allowed"),
        ("no type", |request| drop(request.headers.remove(CONTENT_TYPE)), 415, "Content-Type"),
        ("bad JSON", |request| request.body = "[{".into(), 400, "Bad JSON"),
        ("no messages", |request| request.body = "[]".into(), 400, "Bad JSON"),
        ("32,769 bytes", |request| request.body = " ".repeat(32_769).into(), 413, "Maximum Request Size Exceeded"),
    ];
    for (what, spoil, status, text) in cases {
        let mut request = poll.clone();
        spoil(&mut request);
        let reply = client.ready(&request);
        assert_eq!(reply.response.status, status, "{what}");
        let body = String::from_utf8_lossy(&reply.response.body).into_owned();
        assert!(body.contains(text), "{what}: {body}");
    }
    let mut largest = client.bayeux(client_message(&client));
    largest.body = [&largest.body[..], " ".repeat(32_768 - largest.body.len()).as_bytes()].concat().into();
    assert_eq!(client.ready(&largest).response.status, 200, "32,768 bytes are allowed, and so is a single message");
}

fn client_message(client: &Client) -> Value {
    json!({"channel": "/meta/connect", "connectionType": "long-polling", "clientId": client.client_id, "advice": {"timeout": 0}})
}

#[test]
fn handshakes() {
    let good = json!({"version": "1.0", "supportedConnectionTypes": ["callback-polling", "long-polling"]});
    for (what, change, path, reason) in [
        ("good", json!({}), "/cometd/67.0", None),
        ("trailing slash", json!({}), "/cometd/67.0/", None),
        ("stock path", json!({}), "/cometd/67.0/handshake", None),
        ("oldest served", json!({}), "/cometd/37.0", None),
        ("retired", json!({}), "/cometd/36.0", Some("400::Unsupported API version")),
        ("unknown version", json!({}), "/cometd/99.0", Some("400::Unsupported API version")),
        ("no version", json!({}), "/cometd", Some("400::API version in the URI is mandatory")),
        (
            "no long-polling",
            json!({"supportedConnectionTypes": ["websocket"]}),
            "/cometd/67.0",
            Some("400::Invalid connection"),
        ),
        ("no Bayeux version", json!({"version": null}), "/cometd/67.0", Some("400::Bayeux version")),
    ] {
        let mut client = Client::new(config());
        let mut message = client.message("/meta/handshake", good.clone());
        message.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let mut request = client.bayeux(json!([message]));
        request.path_and_query = path.to_owned();
        let reply = messages(&client.ready(&request)).remove(0);
        assert_eq!(reply["successful"], reason.is_none(), "{what}: {reply}");
        if let Some(reason) = reason {
            assert_eq!(reply["error"], "403::Handshake denied", "{what}");
            let found = reply["ext"]["sfdc"]["failureReason"].as_str().unwrap();
            assert!(found.starts_with(reason), "{what}: {found}");
            assert_eq!(reply["advice"], json!({"reconnect": "none"}), "{what}");
        }
    }
    let mut client = Client::new(OrgConfig { retired_version: RetiredVersion::Reroute, ..config() });
    let message = client.message("/meta/handshake", good);
    let mut request = client.bayeux(json!([message]));
    request.path_and_query = "/cometd/replay/36.0".to_owned();
    assert_eq!(messages(&client.ready(&request))[0]["successful"], true);
}

#[test]
fn the_handshake_reply_is_the_captured_one() {
    let mut client = Client::new(config());
    let reply = client.shake_hands();
    // As captured from a live org (facts page, 3.2): no advice, both extensions.
    let expected = json!({
        "channel": "/meta/handshake", "id": "1", "version": "1.0", "minimumVersion": "1.0",
        "supportedConnectionTypes": ["long-polling"], "clientId": client.client_id,
        "ext": {"replay": true, "payload.format": true}, "successful": true,
    });
    assert_eq!(reply, expected);
    assert!((25..=28).contains(&client.client_id.len()));
    assert_eq!(client.cookies.keys().collect::<Vec<_>>(), ["BAYEUX_BROWSER", "sfdc-stream"]);
    let first = client.connect_now().remove(0);
    assert_eq!(first["advice"], json!({"reconnect": "retry", "interval": 0, "timeout": 110_000}));
}

#[test]
fn cookies_expire_and_are_secure_on_https() {
    for (secure, marks) in [(true, "; SameSite=None; Secure"), (false, "")] {
        let mut client = Client::new(OrgConfig { secure_cookies: secure, ..config() });
        let message =
            client.message("/meta/handshake", json!({"version": "1.0", "supportedConnectionTypes": ["long-polling"]}));
        let request = client.bayeux(json!([message]));
        let reply = client.ready(&request);
        let cookies: Vec<_> = reply.response.headers.get_all(SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
        let browser_secure = cookies[0].starts_with("BAYEUX_BROWSER=") && cookies[0].contains("; Secure") == secure;
        assert!(browser_secure, "{cookies:?}");
        // Three hours after 2023-11-14T22:13:20Z.
        assert!(
            cookies[1].ends_with(&format!("; path=/; Expires=Wed, 15-Nov-2023 01:13:20 GMT{marks}")),
            "{cookies:?}"
        );
    }
}

#[test]
fn every_message_needs_token_session_and_cookies() {
    let unknown = Some(json!({"reconnect": "handshake", "interval": 0}));
    let none = Some(json!({"reconnect": "none", "interval": 0}));
    for (what, error, advice) in [
        ("nothing is wrong", "", None),
        ("no token", "401::Request requires authentication", None),
        ("a wrong token", "401::Authentication invalid", none),
        ("a wrong clientId", "403::Unknown client", unknown.clone()),
        ("no clientId", "403::Unknown client", unknown.clone()),
        ("no browser cookie", "400::Client ", None),
        ("another browser cookie", "403::Unknown client", unknown.clone()),
        ("no routing cookie", "403::Unknown client", unknown.clone()),
        ("another routing cookie", "403::Unknown client", unknown.clone()),
        ("a lapsed routing cookie", "403::Unknown client", unknown.clone()),
        ("a missed window", "403::Unknown client", unknown),
    ] {
        let mut client = Client::connected(OrgConfig { routing_cookie_ms: 30_000, ..config() });
        let mut message = client_message(&client);
        match what {
            "a wrong token" => client.token = "00D!wrong".to_owned(),
            "a wrong clientId" => message["clientId"] = json!("nope"),
            "no clientId" => message["clientId"] = Value::Null,
            "no browser cookie" => drop(client.cookies.remove("BAYEUX_BROWSER")),
            "another browser cookie" => drop(client.cookies.insert("BAYEUX_BROWSER".to_owned(), "x".to_owned())),
            "no routing cookie" => drop(client.cookies.remove("sfdc-stream")),
            "another routing cookie" => drop(client.cookies.insert("sfdc-stream".to_owned(), "x".to_owned())),
            "a lapsed routing cookie" => client.now_ms += 30_000,
            "a missed window" => client.now_ms += 40_000,
            _ => {}
        }
        let mut request = client.bayeux(json!([message]));
        if what == "no token" {
            request.headers.remove(AUTHORIZATION);
        }
        let reply = client.ready(&request);
        let message = messages(&reply).remove(0);
        assert_eq!(message["successful"], error.is_empty(), "{what}: {message}");
        assert!(message["error"].as_str().unwrap_or_default().starts_with(error), "{what}: {message}");
        if !error.is_empty() {
            assert_eq!(message.get("advice").cloned(), advice, "{what}");
        }
        let reissued = reply.response.headers.get_all(SET_COOKIE).iter().count() == 1;
        assert_eq!(reissued, what.contains("routing"), "{what}: the same response re-issues the routing cookie");
    }
}

#[test]
fn another_user_cannot_take_over_a_session() {
    let mut config = config();
    let mut second = config.users[0].clone();
    second.username = "eve@tributary.example".to_owned();
    config.users.push(second);
    let mut client = Client::connected(config);
    for (user, error) in
        [(0, Value::Null), (1, json!("400::Authenticated user id does not match the session's user id"))]
    {
        client.log_in_as(user);
        let message = client_message(&client);
        assert_eq!(client.send(message).remove(0)["error"], error, "user {user}");
    }
}

#[test]
fn subscriptions() {
    let replay = |channel: &str, id: Value| json!({"replay": {channel: id}});
    for (subscription, ext, error) in [
        (json!(TOPIC), replay(TOPIC, json!(-1)), ""),
        (json!(TOPIC), replay(TOPIC, json!(-2)), ""),
        (json!(TOPIC), replay(TOPIC, json!(3)), ""),
        (json!(TOPIC), json!({}), ""),
        (json!([TOPIC]), replay(TOPIC, json!(-1)), ""),
        (json!("/topic/Leads?Status='Open'&Company='x'"), replay(TOPIC, json!(-1)), ""),
        (
            json!("/topic/Leads?Nope='x'"),
            replay(TOPIC, json!(-1)),
            "400::Query fields {Nope} do not exist on the topic entity",
        ),
        (
            json!(TOPIC),
            replay(TOPIC, json!(4)),
            "400::The replayId {4} you provided was invalid.  Please provide a valid ID",
        ),
        (json!(TOPIC), replay(TOPIC, json!("3")), "400::The replayId {3} you provided was invalid."),
        (
            json!(TOPIC),
            json!({"replay": {}}),
            "400::The replayId for channel {/topic/Leads} wasn't found using the provided replay ID map {{}}. Ensure that",
        ),
        (
            json!(TOPIC),
            replay("/topic/leads", json!(5)),
            "400::The replayId for channel {/topic/Leads} wasn't found using the provided replay ID map {{/topic/leads=5}}.",
        ),
        (json!("/topic/leads"), json!({}), "403:denied_by_security_policy:create_denied"),
        (json!("/topic/Missing"), json!({}), "403:denied_by_security_policy:create_denied"),
        (json!("/topic/*"), json!({}), "403::Restricted channel"),
        (json!("/meta/connect"), json!({}), "403::Restricted channel"),
        (json!("topic/Leads"), json!({}), "400::Channel subscriptions must start with a leading '/'"),
        (json!("/event/X__e"), json!({}), "400::The channel you requested to subscribe to doesn't exist {/event/X__e}"),
        (json!("/chat"), json!({}), "404::Unknown channel"),
        (Value::Null, json!({}), "400::Channel name not specified"),
    ] {
        let mut client = Client::connected(config());
        client.add_leads(3);
        let reply = client.ask("/meta/subscribe", json!({"subscription": subscription, "ext": ext}));
        assert_eq!(reply["successful"], error.is_empty(), "{subscription} {ext}: {reply}");
        assert!(reply["error"].as_str().unwrap_or_default().starts_with(error), "{subscription} {ext}: {reply}");
        assert_eq!(reply["channel"], "/meta/subscribe");
    }
}

#[test]
fn a_deactivated_topic_cannot_be_had() {
    let mut client = Client::connected(config());
    client.org.set_topic_active("Leads", false).unwrap();
    assert_eq!(client.subscribe(TOPIC, json!({}))["error"], "403:denied_by_security_policy:create_denied");
    client.org.set_topic_active("Leads", true).unwrap();
    assert_eq!(client.subscribe(TOPIC, json!({}))["successful"], true);
}

#[test]
fn replay() {
    for (from, expected) in
        [(json!(-1), vec![4]), (json!(-2), vec![1, 2, 3, 4]), (json!(2), vec![3, 4]), (json!(3), vec![4])]
    {
        let mut client = Client::connected(config());
        client.add_leads(3);
        client.subscribe(TOPIC, json!({"replay": {TOPIC: from}}));
        client.add_leads(1);
        assert_eq!(replay_ids(&client.connect_now()), expected, "{from}");
    }
    for (needs, expected) in [(false, vec![1, 2]), (true, vec![])] {
        let mut client = Client::new(OrgConfig { replay_needs_handshake: needs, ..config() });
        let reply =
            client.ask("/meta/handshake", json!({"version": "1.0", "supportedConnectionTypes": ["long-polling"]}));
        assert_eq!(reply["ext"].get("replay").is_some(), !needs);
        client.client_id = reply["clientId"].as_str().unwrap().to_owned();
        client.add_leads(2);
        assert_eq!(client.subscribe(TOPIC, json!({"replay": {TOPIC: -2}}))["successful"], true);
        assert_eq!(replay_ids(&client.connect_now()), expected, "needs: {needs}");
    }
}
