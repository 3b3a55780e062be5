//! Access tokens: their form, their life, and the document that hands one out.
//!
//! Implements sections 1.1 (success document, no `expires_in`) and 1.4 (idle timeout) of the Salesforce facts page.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::config::OrgConfig;
use crate::id;

/// The number of the org's record.
const ORG_NUMBER: u64 = 7;

/// The org's 18-character id.
pub(crate) fn org_id() -> String {
    id::record_id("00D", ORG_NUMBER)
}

/// The 18-character id of the user with that number.
pub(crate) fn user_id(user: usize) -> String {
    id::record_id("005", user as u64 + 1)
}

/// A live session of a user.
#[derive(Clone)]
pub(crate) struct Token {
    secret: String,
    issued_ms: u64,
    used_ms: u64,
    pub(crate) user: usize,
}

impl Token {
    /// The answer of the token endpoint.
    pub(crate) fn document(&self, config: &OrgConfig) -> Value {
        let login = config.login_host.as_ref().map_or_else(
            || config.instance_url.clone(),
            |host| {
                let scheme = config.instance_url.split("://").next().unwrap_or("http");
                format!("{scheme}://{host}")
            },
        );
        let identity = format!("{login}/id/{}/{}", org_id(), user_id(self.user));
        let issued_at = self.issued_ms.to_string();
        json!({
            "access_token": self.secret,
            "instance_url": config.instance_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
            "signature": signature(&config.consumer_secret, &identity, &issued_at),
        })
    }
}

fn signature(secret: &str, identity: &str, issued_at: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(identity.as_bytes());
    mac.update(issued_at.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Every token that is good.
#[derive(Default)]
pub(crate) struct Tokens {
    live: BTreeMap<String, Token>,
}

impl Tokens {
    pub(crate) fn issue(&mut self, rng: &mut fastrand::Rng, now_ms: u64, user: usize) -> Token {
        let org15 = &org_id()[..15];
        let secret = format!("{org15}!AQ{}.{}", id::random_base62(rng, 46), id::random_base62(rng, 46));
        let token = Token { secret: secret.clone(), issued_ms: now_ms, used_ms: now_ms, user };
        self.live.insert(secret, token.clone());
        token
    }

    /// The user of a token that is good; using it restarts its idle clock.
    pub(crate) fn user(&mut self, secret: &str, now_ms: u64, idle_ms: u64) -> Option<usize> {
        let token = self.live.get_mut(secret)?;
        if token.used_ms.saturating_add(idle_ms) <= now_ms {
            self.live.remove(secret);
            return None;
        }
        token.used_ms = now_ms;
        Some(token.user)
    }

    /// Whether the token is still known, without using it.
    pub(crate) fn knows(&self, secret: &str) -> bool {
        self.live.contains_key(secret)
    }

    pub(crate) fn revoke(&mut self, secret: &str) -> bool {
        self.live.remove(secret).is_some()
    }

    pub(crate) fn revoke_all(&mut self) {
        self.live.clear();
    }

    pub(crate) fn count(&self) -> usize {
        self.live.len()
    }
}
