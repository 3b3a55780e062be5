//! The CometD endpoint `/cometd/{version}`.
//!
//! Implements section 3 of the Salesforce facts page: HTTP rules (3.1), message shapes (3.2), and which of them a client
//! may send when.

mod connect;
mod cookies;
mod handshake;
mod injected;
mod reply;
mod session;
mod subscribe;

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, SET_COOKIE};
use serde_json::{Value, json};

use crate::config::RetiredVersion;
use crate::exchange::{Answer, Reply, Request, Response};
use crate::faults::{Fault, Stage, Subject};
use crate::id;
use crate::org::{Asker, Org};
use crate::rest::{bearer, is_offered};

pub(crate) use session::{Hold, Session};

/// The largest request body, bytes.
const REQUEST_BYTES_MAX: usize = 32_768;

/// Whether the request says who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Login {
    Missing,
    Invalid,
    User(usize, String),
}

/// What all messages of a request have in common.
struct Envelope {
    login: Login,
    browser: Option<String>,
    route: Option<String>,
    /// Why the API version of the path will not do.
    version: Option<&'static str>,
    /// The request holds one message only, so that a connect may be held.
    alone: bool,
    asker: Asker,
}

/// A response in the making.
#[derive(Default)]
struct Written {
    events: String,
    replies: Vec<Value>,
    cookies: Vec<String>,
    /// The number of the response, when it carries events.
    number: Option<u64>,
}

/// What a message leads to.
enum Outcome {
    Reply(Value),
    Replies(Vec<Value>),
    /// A connect that is answered now.
    Connect(Written),
    Hold(Hold),
}

/// `/meta/disconnect` by the server, and the connect reply that goes with it.
fn server_disconnect(message: &Value) -> Vec<Value> {
    let connect = reply::with_advice(reply::reply(message, true), reply::advice_none());
    vec![json!({"channel": "/meta/disconnect", "successful": true}), connect]
}

impl Org {
    /// Finds the channels of a request for the fault rules.
    pub(crate) fn look_ahead(&self, request: &Request, subject: &mut Subject) {
        let Some(messages) = messages(&request.body) else { return };
        subject.channels =
            messages.iter().filter_map(|message| message["channel"].as_str()).map(str::to_owned).collect();
        subject.first_connect = messages.iter().any(|message| self.is_first_connect(message));
    }

    fn is_first_connect(&self, message: &Value) -> bool {
        let session = message["clientId"].as_str().and_then(|client_id| self.sessions.get(client_id));
        message["channel"] == "/meta/connect" && session.is_some_and(|session| !session.connected)
    }

    /// Applies a fault that changes the world in which the request is then handled.
    pub(crate) fn upset(&mut self, fault: &Fault, request: &Request, asker: &mut Asker) {
        let clients: Vec<_> = messages(&request.body)
            .unwrap_or_default()
            .iter()
            .filter_map(|message| message["clientId"].as_str().map(str::to_owned))
            .collect();
        match fault {
            Fault::RevokeToken => {
                if let Some(token) = request.header(&AUTHORIZATION).and_then(bearer) {
                    self.tokens.revoke(token);
                    self.drop_unauthenticated();
                }
            }
            Fault::ForgetSession => clients.iter().for_each(|client_id| self.forget(client_id)),
            Fault::SilenceSession => {
                for client_id in &clients {
                    if let Some(session) = self.sessions.get_mut(client_id.as_str()) {
                        session.silent = true;
                    }
                }
            }
            Fault::MoveServer => {
                let now_ms = self.now_ms;
                for client_id in &clients {
                    if let Some(session) = self.sessions.get_mut(client_id.as_str()) {
                        session.route_ends_ms = now_ms;
                    }
                }
            }
            Fault::ProxyTimeout { after_ms } => asker.patience_ms = Some(*after_ms),
            _ => {}
        }
    }

    /// Forgets one session; its open poll ends.
    fn forget(&mut self, client_id: &str) {
        if let Some(id) = self.sessions.get(client_id).and_then(|session| session.hold) {
            self.release_with(id, |hold| vec![reply::unknown_client(&hold.message)]);
        }
        self.sessions.remove(client_id);
    }

    pub(crate) fn cometd(&mut self, request: &Request, asker: Asker) -> Answer {
        let refused = if request.method != Method::POST {
            Some(Response::text(405, "Only POST allowed"))
        } else if request.body.len() > REQUEST_BYTES_MAX {
            Some(Response::text(413, "Maximum Request Size Exceeded"))
        } else if request.media_type() != "application/json" {
            Some(Response::text(415, "Content-Type must be application/json"))
        } else {
            None
        };
        if let Some(response) = refused {
            self.count("cometd refused");
            return Answer::Ready(self.finish(&asker, response, None));
        }
        let Some(messages) = messages(&request.body).filter(|messages| !messages.is_empty()) else {
            self.count("cometd refused");
            return Answer::Ready(self.finish(&asker, Response::text(400, "Bad JSON"), None));
        };
        let login = match request.header(&AUTHORIZATION) {
            None => Login::Missing,
            Some(header) => match bearer(header) {
                Some(token) => match self.tokens.user(token, self.now_ms, self.config.token_idle_ms) {
                    Some(user) => Login::User(user, token.to_owned()),
                    None => Login::Invalid,
                },
                None => Login::Invalid,
            },
        };
        let envelope = Envelope {
            login,
            browser: request.cookie(cookies::BROWSER).map(str::to_owned),
            route: request.cookie(cookies::ROUTE).map(str::to_owned),
            version: self.refused_version(request.path()),
            alone: messages.len() == 1,
            asker,
        };
        self.answer(envelope, &messages)
    }

    fn answer(&mut self, mut envelope: Envelope, messages: &[Value]) -> Answer {
        let mut written = Written::default();
        for message in messages {
            match self.message(&envelope, message, &mut written.cookies) {
                Outcome::Reply(reply) => written.replies.push(reply),
                Outcome::Replies(replies) => written.replies.extend(replies),
                Outcome::Connect(connect) => {
                    if !written.events.is_empty() && !connect.events.is_empty() {
                        written.events.push(',');
                    }
                    written.events.push_str(&connect.events);
                    written.replies.extend(connect.replies);
                    written.number = written.number.or(connect.number);
                }
                Outcome::Hold(hold) => {
                    self.last_hold += 1;
                    let id = crate::exchange::HoldId(self.last_hold);
                    if let Some(session) = self.sessions.get_mut(&hold.client_id) {
                        session.hold = Some(id);
                    }
                    self.holds.insert(id, hold);
                    return Answer::Held(id);
                }
            }
        }
        envelope.asker.subject.carries_events = !written.events.is_empty();
        Answer::Ready(self.write(&envelope.asker, written))
    }

    fn message(&mut self, envelope: &Envelope, message: &Value, cookies: &mut Vec<String>) -> Outcome {
        let channel = message["channel"].as_str().unwrap_or_default().to_owned();
        self.count(if channel.starts_with("/meta/") { &channel } else { "cometd other" });
        let subject = Subject {
            path: envelope.asker.subject.path.clone(),
            channels: vec![channel.clone()],
            carries_events: false,
            first_connect: self.is_first_connect(message),
        };
        if let Some(fault) = self.faults.take(Stage::Message, &subject, &mut self.rng) {
            return Outcome::Replies(self.injected(&fault, message));
        }
        if channel == "/meta/handshake" {
            return Outcome::Reply(self.handshake(envelope, message, cookies));
        }
        let client_id = match self.identify(envelope, message, cookies) {
            Ok(client_id) => client_id,
            Err(refusal) => return Outcome::Reply(refusal),
        };
        self.restart_window(&client_id);
        match channel.as_str() {
            "/meta/connect" => self.connect(envelope, message, &client_id),
            "/meta/subscribe" => self.subscribe(message, &client_id),
            "/meta/unsubscribe" => Outcome::Reply(self.unsubscribe(message, &client_id)),
            "/meta/disconnect" => Outcome::Reply(self.disconnect(message, &client_id)),
            "" => Outcome::Reply(reply::refusal(message, reply::NO_CHANNEL_NAME)),
            channel if channel.starts_with("/meta/") => Outcome::Reply(reply::refusal(message, reply::UNKNOWN_CHANNEL)),
            _ => Outcome::Reply(reply::refusal(message, reply::PUBLISH_DENIED)),
        }
    }

    /// Finds the session of a message, or says why it has none.
    fn identify(&self, envelope: &Envelope, message: &Value, cookies: &mut Vec<String>) -> Result<Arc<str>, Value> {
        let user = match &envelope.login {
            Login::Missing => {
                return Err(json!({"error": reply::REQUIRES_AUTHENTICATION, "successful": false}));
            }
            Login::Invalid => {
                let refusal = reply::refusal(message, reply::AUTHENTICATION_INVALID);
                return Err(reply::with_advice(refusal, reply::advice_none()));
            }
            Login::User(user, _) => *user,
        };
        let Some(client_id) = message["clientId"].as_str() else {
            return Err(match message["channel"].as_str() {
                Some("/meta/connect") => reply::unknown_client(message),
                _ => reply::refusal(message, reply::NO_HANDSHAKE),
            });
        };
        let Some((key, session)) = self.sessions.get_key_value(client_id) else {
            return Err(reply::unknown_client(message));
        };
        let Some(browser) = &envelope.browser else {
            return Err(reply::refusal(message, reply::no_cookie(client_id)));
        };
        let routed = envelope.route.as_ref() == Some(&session.route) && self.now_ms < session.route_ends_ms;
        if !routed {
            // Another server answers, and the load balancer ties the client to that one from now on.
            let ends_ms = self.now_ms + self.config.routing_cookie_ms;
            let route = format!("!{client_id}{}", self.now_ms);
            cookies.push(cookies::route_cookie(&route, ends_ms, self.config.secure_cookies));
        }
        if *browser != session.browser || !routed {
            return Err(reply::unknown_client(message));
        }
        if user != session.user {
            return Err(reply::refusal(message, reply::USER_MISMATCH));
        }
        Ok(key.clone())
    }

    fn restart_window(&mut self, client_id: &str) {
        let ends_ms = self.now_ms + self.config.session_window_ms;
        if let Some(session) = self.sessions.get_mut(client_id) {
            session.ends_ms = ends_ms;
        }
    }

    /// Turns a response in the making into bytes: events first, unless the org is set otherwise.
    fn write(&mut self, asker: &Asker, written: Written) -> Reply {
        let refused = written.replies.iter().filter(|reply| reply["successful"] == false).count();
        self.stats.bayeux_refused += refused as u64;
        let replies: Vec<_> = written.replies.iter().map(Value::to_string).collect();
        let replies = replies.join(",");
        let parts = if self.config.events_first { [&written.events, &replies] } else { [&replies, &written.events] };
        let mut body = String::with_capacity(written.events.len() + replies.len() + 3);
        body.push('[');
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            if body.len() > 1 {
                body.push(',');
            }
            body.push_str(part);
        }
        body.push(']');
        let status = if refused > 0 { self.config.bayeux_error_status } else { 200 };
        let mut response = Response::new(status, "application/json;charset=UTF-8", body);
        for cookie in &written.cookies {
            response = response.header(SET_COOKIE, cookie);
        }
        self.finish(asker, response, written.number)
    }

    /// Why the version in the path is refused, if it is.
    fn refused_version(&self, path: &str) -> Option<&'static str> {
        let rest = path.strip_prefix("/cometd").unwrap_or_default().trim_matches('/');
        let mut parts = rest.split('/').filter(|part| *part != "replay");
        let version = parts.next().unwrap_or_default();
        let Some(number) = version.parse::<f64>().ok().filter(|_| version.contains('.')) else {
            return Some(reply::MISSING_VERSION);
        };
        // Stock clients append the meta channel's name to the path.
        if parts.any(|part| !matches!(part, "handshake" | "connect" | "disconnect")) {
            return Some(reply::MISSING_VERSION);
        }
        let retired = (23.0..37.0).contains(&number);
        let served = (number >= 37.0 && is_offered(version, self.config.offer_version_100))
            || (retired && self.config.retired_version == RetiredVersion::Reroute);
        (!served).then_some(reply::UNSUPPORTED_VERSION)
    }

    fn new_client_id(&mut self) -> Arc<str> {
        id::random_lower(&mut self.rng, 27).into()
    }
}

/// The messages of a request: an array, or a single one.
fn messages(body: &Bytes) -> Option<Vec<Value>> {
    match serde_json::from_slice(body).ok()? {
        Value::Array(messages) if messages.iter().all(Value::is_object) => Some(messages),
        message @ Value::Object(_) => Some(vec![message]),
        _ => None,
    }
}
