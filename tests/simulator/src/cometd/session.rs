//! Bayeux sessions: their subscriptions, their timers, their open long polls, and what is delivered to them.
//!
//! Implements sections 3.3 (timers), 3.5 (delivery) and 3.8 (limits) of the Salesforce facts page.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::exchange::{HoldId, Reply, Response, Transport};
use crate::ledger::{Delivery, Event};
use crate::org::{Asker, Org};

use super::reply;

/// One session of one client.
pub(crate) struct Session {
    pub(super) browser: String,
    pub(super) route: String,
    pub(super) route_ends_ms: u64,
    pub(super) user: usize,
    /// The replay extension is on.
    pub(super) replays: bool,
    pub(super) connected: bool,
    /// When the session is forgotten; not while a poll is held.
    pub(super) ends_ms: u64,
    pub(super) hold: Option<HoldId>,
    /// A fault: nothing is delivered.
    pub(super) silent: bool,
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
}

/// One channel that a session listens to.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(super) topic_id: Arc<str>,
    /// The replay id up to which everything was delivered.
    pub(super) cursor: u64,
    /// Field and value pairs, of which one has to fit; empty without a filter.
    pub(super) filter: Vec<(String, String)>,
}

impl Subscription {
    fn wants(&self, event: &Event) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let Ok(data) = serde_json::from_slice::<Value>(&event.data) else { return false };
        self.filter.iter().any(|(field, wanted)| match &data["sobject"][field] {
            Value::String(value) => value == wanted,
            Value::Null => wanted == "null",
            value => *value.to_string() == **wanted,
        })
    }
}

/// An open long poll.
pub(crate) struct Hold {
    pub(super) client_id: Arc<str>,
    /// The connect message.
    pub(super) message: Value,
    pub(super) ends_ms: u64,
    pub(super) token: String,
    pub(super) asker: Asker,
    /// When a proxy in between gives up.
    pub(super) cut_ms: Option<u64>,
    /// The client wants the advice repeated.
    pub(super) advise: bool,
}

impl Org {
    /// Forgets the sessions that missed their window.
    pub(crate) fn expire_sessions(&mut self) {
        let now_ms = self.now_ms;
        self.sessions.retain(|_, session| session.hold.is_some() || now_ms < session.ends_ms);
    }

    /// When a held poll has to be answered.
    pub(crate) fn hold_due_ms(&self, hold: &Hold) -> u64 {
        let events_ms = self.sessions.get(&hold.client_id).and_then(|session| self.events_ready_ms(session));
        let end_ms = hold.cut_ms.map_or(hold.ends_ms, |cut_ms| cut_ms.min(hold.ends_ms));
        events_ms.map_or(end_ms, |events_ms| events_ms.min(end_ms))
    }

    /// When the oldest undelivered event of a session becomes visible.
    fn events_ready_ms(&self, session: &Session) -> Option<u64> {
        if session.silent {
            return None;
        }
        let latency_ms = self.config.event_latency_ms;
        let oldest = session.subscriptions.values().filter_map(|subscription| {
            let log = &self.topics.get(&subscription.topic_id)?.log;
            if subscription.filter.is_empty() {
                return log.oldest_after_ms(subscription.cursor);
            }
            log.after(subscription.cursor).find(|event| subscription.wants(event)).map(|event| event.created_ms)
        });
        oldest.min().map(|created_ms| created_ms.saturating_add(latency_ms))
    }

    pub(super) fn has_events(&self, session: &Session) -> bool {
        self.events_ready_ms(session).is_some_and(|ready_ms| ready_ms <= self.now_ms)
    }

    pub(super) fn quota_left(&self) -> u64 {
        self.config.daily_notifications_max.saturating_sub(self.notifications_today())
    }

    /// Takes what is to be delivered to a client: the messages joined by commas. From then on it counts as delivered.
    pub(super) fn gather(&mut self, client_id: &Arc<str>, response: u64) -> String {
        if self.sessions.get(client_id).is_some_and(|session| session.silent) {
            return String::new();
        }
        let mut joined = self.gather_prepared(client_id);
        if !joined.is_empty() {
            return joined;
        }
        let Some(session) = self.sessions.get(client_id) else { return joined };
        let visible_ms = self.now_ms.saturating_sub(self.config.event_latency_ms);
        let most = self.config.response_events_max.min(usize::try_from(self.quota_left()).unwrap_or(usize::MAX));
        let mut batch: Vec<(String, Arc<Event>)> = Vec::new();
        for (channel, subscription) in &session.subscriptions {
            let Some(topic) = self.topics.get(&subscription.topic_id) else { continue };
            let events = topic.log.after(subscription.cursor).take_while(|event| event.created_ms <= visible_ms);
            let wanted = events.filter(|event| subscription.wants(event)).take(most);
            batch.extend(wanted.map(|event| (channel.clone(), event.clone())));
        }
        batch.sort_by_key(|(_, event)| event.seq);
        batch.truncate(most);
        let mut taken = 0;
        for (_, event) in &batch {
            if taken > 0 {
                joined.push(',');
            }
            self.write_event(&mut joined, client_id, event);
            taken += 1;
            if joined.len() >= self.config.response_bytes_max {
                break;
            }
        }
        batch.truncate(taken);
        self.deliver(client_id, response, &batch);
        joined
    }

    fn write_event(&self, joined: &mut String, client_id: &str, event: &Event) {
        joined.push_str("{\"channel\":\"/topic/");
        joined.push_str(&event.topic);
        if self.config.event_client_id {
            joined.push_str("\",\"clientId\":\"");
            joined.push_str(client_id);
        }
        joined.push_str("\",\"data\":");
        joined.push_str(&String::from_utf8_lossy(&event.data));
        joined.push('}');
    }

    fn deliver(&mut self, client_id: &Arc<str>, response: u64, batch: &[(String, Arc<Event>)]) {
        for (channel, event) in batch {
            let session = self.sessions.get_mut(client_id);
            if let Some(subscription) = session.and_then(|session| session.subscriptions.get_mut(channel)) {
                subscription.cursor = event.replay_id;
            }
            self.ledger.deliver(Delivery {
                at_ms: self.now_ms,
                client_id: client_id.clone(),
                topic: event.topic.clone(),
                replay_id: event.replay_id,
                response,
                damaged: false,
            });
        }
        self.count_delivered(batch.len() as u64);
    }

    /// The same from a topic of prepared bodies.
    fn gather_prepared(&mut self, client_id: &Arc<str>) -> String {
        let most = self.quota_left();
        let Some(session) = self.sessions.get_mut(client_id) else { return String::new() };
        for subscription in session.subscriptions.values_mut() {
            let bodies = self.topics.get(&subscription.topic_id).and_then(|topic| topic.log.bodies());
            let Some((slice, last)) = bodies.and_then(|bodies| bodies.after(subscription.cursor, most)) else {
                continue;
            };
            let count = last - subscription.cursor;
            subscription.cursor = last;
            let joined = slice.to_owned();
            self.count_delivered(count);
            return joined;
        }
        String::new()
    }

    /// Answers every held poll that is due.
    pub(crate) fn release_due(&mut self) {
        let now_ms = self.now_ms;
        let due: Vec<_> =
            self.holds.iter().filter(|(_, hold)| self.hold_due_ms(hold) <= now_ms).map(|(id, _)| *id).collect();
        for id in due {
            self.release(id);
        }
    }

    fn release(&mut self, id: HoldId) {
        let Some(hold) = self.take_hold(id) else { return };
        if hold.cut_ms.is_some_and(|cut_ms| cut_ms <= self.now_ms) {
            let response = Response::html(504, "<html><body><h1>504 Gateway Time-out</h1></body></html>");
            let reply = self.finish(&hold.asker, response, None);
            self.released.push((id, reply));
            return;
        }
        let answer = self.connect_answer(&hold.client_id, &hold.message, hold.advise);
        let mut asker = hold.asker;
        asker.subject.carries_events = !answer.events.is_empty();
        let reply = self.write(&asker, answer);
        self.released.push((id, reply));
    }

    /// Removes a held poll; its session's window begins.
    pub(super) fn take_hold(&mut self, id: HoldId) -> Option<Hold> {
        let hold = self.holds.remove(&id)?;
        let ends_ms = self.now_ms + self.config.session_window_ms;
        if let Some(session) = self.sessions.get_mut(&hold.client_id) {
            session.hold = session.hold.filter(|held| *held != id);
            session.ends_ms = ends_ms;
        }
        Some(hold)
    }

    pub(crate) fn abandon_hold(&mut self, id: HoldId) {
        self.take_hold(id);
        self.released.retain(|(released, _)| *released != id);
    }

    /// Answers a held poll with one reply and no events.
    pub(super) fn release_with(&mut self, id: HoldId, replies: impl FnOnce(&Hold) -> Vec<Value>) {
        let Some(hold) = self.take_hold(id) else { return };
        let answer = super::Written { replies: replies(&hold), ..super::Written::default() };
        let reply = self.write(&hold.asker, answer);
        self.released.push((id, reply));
    }

    /// Ends the older of two polls of one client.
    pub(super) fn end_duplicate(&mut self, id: HoldId) {
        if self.take_hold(id).is_some() {
            let response = Response::empty(self.config.duplicate_connect_status);
            self.released.push((id, Reply { response, transport: Transport::Whole }));
        }
    }

    /// Answers the held polls whose token is no longer good.
    pub(crate) fn drop_unauthenticated(&mut self) {
        let stale: Vec<_> =
            self.holds.iter().filter(|(_, hold)| !self.tokens.knows(&hold.token)).map(|(id, _)| *id).collect();
        for id in stale {
            self.release_with(id, |hold| {
                let refusal = reply::refusal(&hold.message, reply::AUTHENTICATION_INVALID);
                vec![reply::with_advice(refusal, reply::advice_none())]
            });
        }
    }

    /// Forgets every session; open polls end with `403::Unknown client`.
    pub(crate) fn forget_sessions(&mut self) {
        for id in self.holds.keys().copied().collect::<Vec<_>>() {
            self.release_with(id, |hold| vec![reply::unknown_client(&hold.message)]);
        }
        self.sessions.clear();
    }

    /// Ends every session from the server's side: `/meta/disconnect` in the response of the open poll.
    pub(crate) fn disconnect_clients(&mut self) {
        for id in self.holds.keys().copied().collect::<Vec<_>>() {
            self.release_with(id, |hold| super::server_disconnect(&hold.message));
        }
        self.sessions.clear();
    }

    /// Lets every routing cookie lapse.
    pub(crate) fn lapse_routes(&mut self) {
        let now_ms = self.now_ms;
        self.sessions.values_mut().for_each(|session| session.route_ends_ms = now_ms);
    }
}
