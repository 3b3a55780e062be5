//! `/meta/connect` and `/meta/disconnect`. Implements the connect rules of sections 3.2, 3.3 and 5.1 of the Salesforce facts
//! page: the first one is answered at once with advice, later ones are held when they come alone, the older of two ends.

use std::sync::Arc;

use serde_json::{Value, json};

use super::session::Hold;
use super::{Envelope, Login, Outcome, Written, reply};
use crate::org::Org;

/// A second session of the same browser is told to come back after so long, ms.
const SECOND_SESSION_INTERVAL_MS: u64 = 2_000;

impl Org {
    pub(super) fn connect(&mut self, envelope: &Envelope, message: &Value, client_id: &Arc<str>) -> Outcome {
        match message["connectionType"].as_str() {
            Some("long-polling") => {}
            other => {
                let text = reply::connection_type(other.unwrap_or("null"));
                return Outcome::Reply(reply::with_client(reply::refusal(message, text), client_id));
            }
        }
        let Some(session) = self.sessions.get_mut(client_id) else {
            return Outcome::Reply(reply::unknown_client(message));
        };
        let first = !std::mem::replace(&mut session.connected, true);
        let older = session.hold.take();
        let browser = session.browser.clone();
        if let Some(older) = older {
            self.end_duplicate(older);
        }
        let asked_ms = message["advice"]["timeout"].as_u64();
        let at_once = first || asked_ms == Some(0) || !envelope.alone;
        let twin = self
            .holds
            .values()
            .any(|hold| self.sessions.get(&hold.client_id).is_some_and(|session| session.browser == browser));
        let events = self.sessions.get(client_id).is_some_and(|session| self.has_events(session));
        if at_once || events || self.quota_left() == 0 {
            return Outcome::Connect(self.connect_answer(client_id, message, first || asked_ms == Some(0)));
        }
        if twin {
            let advice =
                json!({"reconnect": "retry", "interval": SECOND_SESSION_INTERVAL_MS, "multiple-clients": true});
            return Outcome::Reply(reply::with_advice(self.connect_reply(client_id, message), advice));
        }
        let hold_ms = self.config.connect_hold_ms;
        let hold_ms = match asked_ms.filter(|_| self.config.honour_client_timeout) {
            Some(asked_ms) => asked_ms.min(hold_ms),
            None => hold_ms,
        };
        Outcome::Hold(Hold {
            client_id: client_id.clone(),
            message: message.clone(),
            ends_ms: self.now_ms + hold_ms,
            token: match &envelope.login {
                Login::User(_, token) => token.clone(),
                _ => String::new(),
            },
            asker: envelope.asker.clone(),
            cut_ms: envelope.asker.patience_ms.map(|patience_ms| self.now_ms + patience_ms),
            advise: false,
        })
    }

    fn connect_reply(&self, client_id: &str, message: &Value) -> Value {
        reply::with_client(reply::reply(message, true), client_id)
    }

    /// The answer to a connect now: the events that are there, and the reply.
    pub(super) fn connect_answer(&mut self, client_id: &Arc<str>, message: &Value, advise: bool) -> Written {
        if self.quota_left() == 0 {
            let refusal = reply::with_advice(reply::refusal(message, reply::DAILY_LIMIT), reply::advice_none());
            return Written { replies: vec![refusal], ..Written::default() };
        }
        let number = self.ledger.next_response();
        let events = self.gather(client_id, number);
        let mut accepted = self.connect_reply(client_id, message);
        if advise {
            let timeout = self.config.connect_hold_ms;
            accepted["advice"] = json!({"reconnect": "retry", "interval": 0, "timeout": timeout});
        }
        Written { events, replies: vec![accepted], number: Some(number), ..Written::default() }
    }

    pub(super) fn disconnect(&mut self, message: &Value, client_id: &Arc<str>) -> Value {
        if let Some(id) = self.sessions.get(client_id).and_then(|session| session.hold) {
            self.release_with(id, |hold| {
                vec![reply::with_advice(reply::reply(&hold.message, true), reply::advice_none())]
            });
        }
        self.sessions.remove(client_id);
        reply::with_client(reply::reply(message, true), client_id)
    }
}
