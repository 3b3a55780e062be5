//! A small client of the core: it logs in, keeps cookies, and shakes hands. Implements what a well-behaved client does.

use std::collections::BTreeMap;

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, Method};
use salesforce_simulator::{Answer, Change, HoldId, Org, OrgConfig, Reply, Request};
use serde_json::{Value, json};

pub(crate) const START_MS: u64 = 1_700_000_000_000;
pub(crate) const TOPIC: &str = "/topic/Leads";
pub(crate) const QUERY: &str = "SELECT Id, Name, Status, Company FROM Lead";

pub(crate) struct Client {
    pub(crate) org: Org,
    pub(crate) now_ms: u64,
    pub(crate) token: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) client_id: String,
    next_id: u64,
}

/// A config for tests: replay ids without gaps.
pub(crate) fn config() -> OrgConfig {
    OrgConfig { replay_gap_per_mille: 0, start_ms: START_MS, ..OrgConfig::default() }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub(crate) fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.response.body).unwrap_or(Value::Null)
}

/// The messages of a Bayeux response.
pub(crate) fn messages(reply: &Reply) -> Vec<Value> {
    body(reply).as_array().cloned().unwrap_or_default()
}

/// The replay ids of the events among messages.
pub(crate) fn replay_ids(messages: &[Value]) -> Vec<u64> {
    messages.iter().filter_map(|message| message["data"]["event"]["replayId"].as_u64()).collect()
}

impl Client {
    /// Logged in, with the PushTopic of these tests.
    pub(crate) fn new(config: OrgConfig) -> Self {
        let mut org = Org::new(config);
        org.create_topic(START_MS, "Leads", QUERY).unwrap();
        let mut client = Self {
            org,
            now_ms: START_MS,
            token: String::new(),
            cookies: BTreeMap::new(),
            client_id: String::new(),
            next_id: 0,
        };
        client.log_in();
        client
    }

    /// Logged in and with a session, its first connect made.
    pub(crate) fn connected(config: OrgConfig) -> Self {
        let mut client = Self::new(config);
        client.shake_hands();
        client.connect_now();
        client
    }

    /// The same, listening to the topic from that replay id on.
    pub(crate) fn listening(config: OrgConfig, replay: i64) -> Self {
        let mut client = Self::connected(config);
        let reply = client.subscribe(TOPIC, json!({"replay": {TOPIC: replay}}));
        assert_eq!(reply["successful"], true, "{reply}");
        client
    }

    pub(crate) fn log_in(&mut self) {
        self.log_in_as(0);
    }

    /// Logs in as the user with that number.
    pub(crate) fn log_in_as(&mut self, user: usize) {
        let config = self.org.config().clone();
        let user = &config.users[user];
        let request = Request::new(Method::POST, "/services/oauth2/token").with_body(
            "application/x-www-form-urlencoded",
            form(&[
                ("grant_type", "password"),
                ("client_id", &config.consumer_key),
                ("client_secret", &config.consumer_secret),
                ("username", &user.username),
                ("password", &format!("{}{}", user.password, user.security_token)),
            ]),
        );
        let reply = self.ready(&request);
        self.token = body(&reply)["access_token"].as_str().unwrap().to_owned();
    }

    /// Creates so many leads, one by one.
    pub(crate) fn add_leads(&mut self, count: usize) {
        for _ in 0..count {
            self.org.change(self.now_ms, Change::created("Lead")).unwrap();
        }
    }

    pub(crate) fn handle(&mut self, request: &Request) -> Answer {
        self.org.handle(self.now_ms, request)
    }

    pub(crate) fn ready(&mut self, request: &Request) -> Reply {
        match self.handle(request) {
            Answer::Ready(reply) => reply,
            Answer::Held(id) => panic!("held as {id:?}"),
        }
    }

    pub(crate) fn rest(&mut self, method: Method, path: &str, json: Option<Value>) -> Reply {
        let request = Request::new(method, path).with(AUTHORIZATION, &format!("Bearer {}", self.token));
        let request = match json {
            Some(json) => request.with_body("application/json", json.to_string()),
            None => request,
        };
        self.ready(&request)
    }

    /// A Bayeux request with everything that has to be there.
    pub(crate) fn bayeux(&mut self, messages: Value) -> Request {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request::new(Method::POST, "/cometd/67.0")
            .with(AUTHORIZATION, &format!("OAuth {}", self.token))
            .with(COOKIE, &cookies.join("; "))
            .with_body("application/json;charset=UTF-8", messages.to_string())
    }

    /// A message of this client's session.
    pub(crate) fn message(&mut self, channel: &str, members: Value) -> Value {
        self.next_id += 1;
        let mut message = json!({"channel": channel, "id": self.next_id.to_string()});
        if !self.client_id.is_empty() {
            message["clientId"] = json!(self.client_id);
        }
        message.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap_or_default());
        message
    }

    pub(crate) fn send(&mut self, message: Value) -> Vec<Value> {
        let request = self.bayeux(json!([message]));
        let reply = self.ready(&request);
        self.keep_cookies(&reply.response.headers);
        messages(&reply)
    }

    /// Sends one message that has one reply.
    pub(crate) fn ask(&mut self, channel: &str, members: Value) -> Value {
        let message = self.message(channel, members);
        self.send(message).pop().unwrap()
    }

    pub(crate) fn shake_hands(&mut self) -> Value {
        self.client_id.clear();
        let members = json!({"version": "1.0", "supportedConnectionTypes": ["long-polling"], "ext": {"replay": true}});
        let reply = self.ask("/meta/handshake", members);
        self.client_id = reply["clientId"].as_str().unwrap_or_default().to_owned();
        reply
    }

    pub(crate) fn subscribe(&mut self, subscription: &str, ext: Value) -> Value {
        self.ask("/meta/subscribe", json!({"subscription": subscription, "ext": ext}))
    }

    pub(crate) fn poll_request(&mut self) -> Request {
        let message = self.message("/meta/connect", json!({"connectionType": "long-polling"}));
        self.bayeux(json!([message]))
    }

    /// A connect that is answered at once: all messages of its response.
    pub(crate) fn connect_now(&mut self) -> Vec<Value> {
        let request = self.poll_request();
        let reply = self.ready(&request);
        self.keep_cookies(&reply.response.headers);
        messages(&reply)
    }

    /// A connect that is held.
    pub(crate) fn connect_held(&mut self) -> HoldId {
        let request = self.poll_request();
        match self.handle(&request) {
            Answer::Held(id) => id,
            Answer::Ready(reply) => panic!("answered at once: {:?}", messages(&reply)),
        }
    }

    /// The reply of a held connect, if it is due after that time.
    pub(crate) fn due_after(&mut self, time_ms: u64) -> Option<Vec<Value>> {
        self.now_ms += time_ms;
        let mut due = self.org.due(self.now_ms);
        assert!(due.len() < 2, "{due:?}");
        due.pop().map(|(_, reply)| messages(&reply))
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
