//! The JWT bearer grant. Implements section 1.2 of the Salesforce facts page: RS256, verified with the certificates that
//! were uploaded to the app (by ring, which the connector does not sign with), issuer, subject, audience and expiry.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::{Form, OauthError, field};
use crate::config::OrgConfig;

/// How far ahead an assertion may expire, in seconds.
const LIFE_S_MAX: u64 = 180;

const INVALID: OauthError = OauthError("invalid_grant", "invalid assertion");

/// What the client presented.
pub(super) struct JwtBearerGrant {
    assertion: String,
}

impl JwtBearerGrant {
    pub(super) fn read(form: &Form) -> Self {
        Self { assertion: field(form, "assertion").unwrap_or_default().to_owned() }
    }

    /// The number of the user for whom the app vouches.
    pub(super) fn check(&self, config: &OrgConfig, now_ms: u64) -> Result<usize, OauthError> {
        let (message, signature) = self.assertion.rsplit_once('.').ok_or(INVALID)?;
        let (header, claims) = message.split_once('.').ok_or(INVALID)?;
        let (header, claims) = (decode(header)?, decode(claims)?);
        if header["alg"] != "RS256" {
            return Err(INVALID);
        }
        if claims["iss"] != config.consumer_key.as_str() {
            return Err(OauthError("invalid_client_id", "client identifier invalid"));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| INVALID)?;
        let signed_by = |der: &Vec<u8>| {
            let certificate = der.as_slice().into();
            EndEntityCert::try_from(&certificate).is_ok_and(|certificate| {
                certificate.verify_signature(RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).is_ok()
            })
        };
        let expires_s = match &claims["exp"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        };
        let now_s = now_ms.saturating_add_signed(config.clock_ahead_ms) / 1_000;
        let lives = expires_s.is_some_and(|exp: u64| exp > now_s && exp <= now_s + LIFE_S_MAX);
        if config.expired || !lives || !config.jwt_certificates.iter().any(signed_by) {
            return Err(INVALID);
        }
        if !config.audiences().iter().any(|audience| claims["aud"] == audience.as_str()) {
            return Err(OauthError("invalid_grant", "audience is invalid"));
        }
        // The older claim wins where both are there.
        let subject = claims["prn"].as_str().or_else(|| claims["sub"].as_str()).unwrap_or_default();
        let user = config.users.iter().position(|user| user.username == subject);
        let user = user.ok_or(OauthError("invalid_grant", "user is invalid"))?;
        if !config.user_approved {
            return Err(OauthError("invalid_grant", "user hasn't approved this consumer"));
        }
        Ok(user)
    }
}

fn decode(part: &str) -> Result<Value, OauthError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| INVALID)?;
    serde_json::from_slice(&bytes).map_err(|_| INVALID)
}
