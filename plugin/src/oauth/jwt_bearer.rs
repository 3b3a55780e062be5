//! The JWT bearer grant (RFC 7523; Salesforce Help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration"): the app
//! vouches for the user with a signature, and no password is sent.

use std::{cell::RefCell, fmt};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{
    keystore::{Opened, SigningKey},
    secret::Secret,
    time::WallMs,
};

/// How far ahead an assertion expires, in milliseconds. Salesforce allows 180 s; what is left over is for clocks that are a
/// little off.
const LIFE_MS: WallMs = 120_000;
/// An assertion is used again while it is good for at least so long, in milliseconds.
const LEFT_MS: WallMs = 30_000;
/// A certificate that expires within so many milliseconds (30 days) is warned about.
const EXPIRES_SOON_MS: WallMs = 30 * DAY_MS;
const DAY_MS: WallMs = 86_400_000;

/// What the JWT bearer grant needs.
#[derive(Clone)]
pub struct JwtBearer {
    consumer_key: Secret,
    username: String,
    audience: Option<String>,
    alias: String,
    key: SigningKey,
    valid: Option<(WallMs, WallMs)>,
    signed: RefCell<Option<Signed>>,
}

/// An assertion with its end.
#[derive(Clone)]
struct Signed {
    assertion: Secret,
    expires_ms: WallMs,
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBearer").field("username", &self.username).field("key", &self.key).finish_non_exhaustive()
    }
}

impl JwtBearer {
    /// The app with this consumer key vouches for this user, by the key of a keystore. Without an audience, it is the host
    /// that is asked.
    #[must_use]
    pub fn new(consumer_key: Secret, username: String, audience: Option<String>, opened: Opened) -> Self {
        let Opened { alias, key, valid } = opened;
        Self { consumer_key, username, audience, alias, key, valid, signed: RefCell::new(None) }
    }

    /// The form's fields.
    pub(super) fn fields(&self, login_origin: &str, wall_ms: WallMs) -> Vec<(&'static str, String)> {
        let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        vec![
            ("grant_type", grant_type.to_owned()),
            ("assertion", self.assertion(login_origin, wall_ms).expose().to_owned()),
        ]
    }

    /// The assertion of the last time while it is good, else a new one.
    fn assertion(&self, login_origin: &str, wall_ms: WallMs) -> Secret {
        // Taken out, so that nothing is borrowed while the key signs.
        let last = self.signed.take();
        let good = |signed: &Signed| (LEFT_MS..=LIFE_MS).contains(&signed.expires_ms.saturating_sub(wall_ms));
        let signed = last.filter(good).unwrap_or_else(|| self.sign(login_origin, wall_ms));
        let assertion = signed.assertion.clone();
        self.signed.replace(Some(signed));
        assertion
    }

    fn sign(&self, login_origin: &str, wall_ms: WallMs) -> Signed {
        let expires_s = wall_ms.saturating_add(LIFE_MS).div_euclid(1_000);
        let claims = json!({
            "iss": self.consumer_key.expose(),
            "sub": self.username,
            "aud": self.audience.as_deref().unwrap_or(login_origin),
            "exp": expires_s,
        });
        let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
        let message = format!("{}.{}", encode(r#"{"alg":"RS256"}"#), encode(&claims.to_string()));
        // A key that was read can sign: its size and its numbers were checked.
        let signature = self.key.sign(message.as_bytes()).unwrap_or_default();
        let assertion = Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));
        Signed { assertion, expires_ms: expires_s.saturating_mul(1_000) }
    }

    pub(super) fn certificate_warning(&self, wall_ms: WallMs) -> Option<String> {
        let (not_before, not_after) = self.valid?;
        let entry = if self.alias.is_empty() { String::new() } else { format!(" of the entry {}", self.alias) };
        let advice = "Salesforce checks the copy that was uploaded to the app: upload a new certificate there, and put its key into the keystore";
        let days = |ms: WallMs| ms.div_euclid(DAY_MS);
        if wall_ms > not_after {
            let ago = days(wall_ms - not_after);
            Some(format!("The keystore's certificate{entry} expired {ago} days ago. {advice}"))
        } else if wall_ms < not_before {
            let ahead = days(not_before - wall_ms);
            Some(format!(
                "The keystore's certificate{entry} becomes valid in {ahead} days. Check this machine's clock; {advice}"
            ))
        } else if not_after - wall_ms < EXPIRES_SOON_MS {
            let left = days(not_after - wall_ms);
            Some(format!("The keystore's certificate{entry} expires in {left} days. {advice}"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::keystore::{Opening, open};

    const ORIGIN: &str = "https://x.my.salesforce.com";
    const NOW_MS: WallMs = 1_700_000_000_500;

    fn grant(audience: Option<&str>) -> JwtBearer {
        let store = include_bytes!("../../../tests/keystores/corpus/openssl3.p12");
        let opening = Opening { password: &Secret::new("changeit"), key_password: None, alias: None };
        let opened = open(store, opening).expect("openssl made it");
        JwtBearer::new(Secret::new("canary-key"), "u@example.com".into(), audience.map(str::to_owned), opened)
    }

    fn part(assertion: &Secret, index: usize) -> Value {
        let part = assertion.expose().split('.').nth(index).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    }

    #[test]
    fn claims_name_app_user_host_and_a_near_end() {
        for (audience, expected) in
            [(None, ORIGIN), (Some("https://login.salesforce.com"), "https://login.salesforce.com")]
        {
            let assertion = grant(audience).assertion(ORIGIN, NOW_MS);
            assert_eq!(part(&assertion, 0), json!({"alg": "RS256"}));
            let claims = json!({"iss": "canary-key", "sub": "u@example.com", "aud": expected, "exp": 1_700_000_120});
            assert_eq!(part(&assertion, 1), claims);
        }
        let fields = grant(None).fields(ORIGIN, NOW_MS);
        assert_eq!(fields[0], ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()));
        assert_eq!((fields[1].0, fields.len()), ("assertion", 2));
    }

    #[test]
    fn an_assertion_is_used_again_while_it_is_good() {
        let grant = grant(None);
        let first = grant.assertion(ORIGIN, NOW_MS);
        let expires_ms = 1_700_000_120_000;
        for (wall_ms, again) in [
            (NOW_MS, true),
            (expires_ms - LEFT_MS, true),
            (expires_ms - LEFT_MS + 1, false),
            // The clock was set back: this assertion would live longer than Salesforce allows.
            (NOW_MS - 600_000, false),
        ] {
            let now = grant.assertion(ORIGIN, wall_ms);
            assert_eq!(now == first, again, "{wall_ms}");
            *grant.signed.borrow_mut() = Some(Signed { assertion: first.clone(), expires_ms });
        }
    }

    #[test]
    fn nothing_secret_is_formatted() {
        let grant = grant(None);
        let assertion = grant.assertion(ORIGIN, NOW_MS);
        let shown = format!("{grant:?} {assertion:?}");
        assert!(!shown.contains("canary") && !shown.contains("eyJ"), "{shown}");
        assert!(shown.contains("RSA key of 2048 bits"), "{shown}");
    }
}
