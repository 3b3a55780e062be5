//! `/meta/handshake`. Implements the handshake of sections 3.2, 3.6 and 3.7 of the Salesforce facts page.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::session::Session;
use super::{Envelope, Login, cookies, reply};
use crate::id;
use crate::org::Org;

impl Org {
    pub(super) fn handshake(&mut self, envelope: &Envelope, message: &Value, set_cookies: &mut Vec<String>) -> Value {
        let denied = |reason: &str| reply::handshake_denied(message, reason);
        if let Some(reason) = envelope.version {
            return denied(reason);
        }
        let user = match &envelope.login {
            Login::Missing => return denied(reply::REQUIRES_AUTHENTICATION),
            Login::Invalid => return denied(reply::AUTHENTICATION_INVALID),
            Login::User(user, _) => *user,
        };
        if !message["version"].is_string() {
            return denied("400::Bayeux version not specified");
        }
        let types = message["supportedConnectionTypes"].as_array();
        if !types.is_some_and(|types| types.iter().any(|name| name == "long-polling")) {
            let shown = message["supportedConnectionTypes"].to_string();
            return denied(&reply::connection_type(&shown));
        }
        if self.sessions.len() >= self.config.clients_max {
            return denied(reply::CONCURRENT_USERS);
        }
        let client_id = self.new_client_id();
        let secure = self.config.secure_cookies;
        let browser = envelope.browser.clone().unwrap_or_else(|| {
            let browser = id::random_lower(&mut self.rng, 26);
            set_cookies.push(cookies::browser_cookie(&browser, secure));
            browser
        });
        let route = format!("!{}=", id::random_base62(&mut self.rng, 43));
        let route_ends_ms = self.now_ms + self.config.routing_cookie_ms;
        set_cookies.push(cookies::route_cookie(&route, route_ends_ms, secure));
        let replays = !self.config.replay_needs_handshake || message["ext"]["replay"] == true;
        let session = Session {
            browser,
            route,
            route_ends_ms,
            user,
            replays,
            connected: false,
            ends_ms: self.now_ms + self.config.session_window_ms,
            hold: None,
            silent: false,
            subscriptions: BTreeMap::new(),
        };
        self.sessions.insert(client_id.clone(), session);
        self.stats.handshakes += 1;
        self.stats.open_clients_peak = self.stats.open_clients_peak.max(self.sessions.len());
        let mut accepted = reply::with_client(reply::reply(message, true), &client_id);
        accepted["version"] = json!("1.0");
        accepted["minimumVersion"] = json!("1.0");
        accepted["supportedConnectionTypes"] = json!(["long-polling"]);
        accepted["ext"] =
            if replays { json!({"replay": true, "payload.format": true}) } else { json!({"payload.format": true}) };
        accepted
    }
}
