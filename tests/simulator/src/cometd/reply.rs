//! Bayeux replies and the error texts of Salesforce. Implements sections 3.2, 3.4 and 3.6 of the Salesforce facts page.

use serde_json::{Map, Value, json};

use crate::faults::HandshakeReason;

pub(super) const AUTHENTICATION_INVALID: &str = "401::Authentication invalid";
pub(super) const REQUIRES_AUTHENTICATION: &str = "401::Request requires authentication";
pub(super) const HANDSHAKE_DENIED: &str = "403::Handshake denied";
pub(super) const UNKNOWN_CLIENT: &str = "403::Unknown client";
pub(super) const UNKNOWN_CLIENT_402: &str = "402::Unknown client";
pub(super) const NO_HANDSHAKE: &str = "403::Client has not completed handshake";
pub(super) const USER_MISMATCH: &str = "400::Authenticated user id does not match the session's user id";
pub(super) const CREATE_DENIED: &str = "403:denied_by_security_policy:create_denied";
pub(super) const SUBSCRIBE_DENIED: &str = "403:denied_by_security_policy:subscribe_denied";
pub(super) const PUBLISH_DENIED: &str = "403:denied_by_security_policy:publish_denied";
pub(super) const DAILY_LIMIT: &str = "403::Organization total events daily limit exceeded";
pub(super) const CONCURRENT_USERS: &str = "403::Organization concurrent user limit exceeded";
pub(super) const CONNECTION_LIMIT: &str = "403::To protect all customers from excessive use and Denial of Service attacks, \
    we limit the number of simultaneous connections per server. Your request has been denied because this limit has been \
    exceeded. Please try your request again later.";
pub(super) const SUBSCRIPTION_LIMIT: &str = "403::Subscription limit exceeded for this topic";
pub(super) const RESTRICTED_CHANNEL: &str = "403::Restricted channel";
pub(super) const UNKNOWN_CHANNEL: &str = "404::Unknown channel";
pub(super) const NO_CHANNEL_NAME: &str = "400::Channel name not specified";
pub(super) const NO_LEADING_SLASH: &str = "400::Channel subscriptions must start with a leading '/'";
pub(super) const BUSY: &str = "503::Server is too busy.  Please try your request again later.";
pub(super) const MISSING_VERSION: &str = "400::API version in the URI is mandatory. URI format: '/cometd/67.0'";
pub(super) const UNSUPPORTED_VERSION: &str =
    "400::Unsupported API version. Only API versions 37.0 and above are supported. URI format: '/cometd/67.0'";

pub(super) fn no_cookie(client_id: &str) -> String {
    format!("400::Client {client_id} has established a session, but no {{BAYEUX_BROWSER}} cookie present")
}

pub(super) fn connection_type(name: &str) -> String {
    format!("400::Invalid connection type {{{name}}}")
}

pub(super) fn no_such_channel(channel: &str) -> String {
    format!("400::The channel you requested to subscribe to doesn't exist {{{channel}}}")
}

pub(super) fn no_such_filter_fields(fields: &str) -> String {
    format!("400::Query fields {{{fields}}} do not exist on the topic entity")
}

pub(super) fn replay_id_invalid(asked: &Value) -> String {
    let shown = asked.as_str().map_or_else(|| asked.to_string(), str::to_owned);
    format!(
        "400::The replayId {{{shown}}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 \
         to replay only new events."
    )
}

pub(super) fn replay_channel_missing(channel: &str, map: &Map<String, Value>) -> String {
    let shown: Vec<_> = map.iter().map(|(channel, id)| format!("{channel}={id}")).collect();
    format!(
        "400::The replayId for channel {{{channel}}} wasn't found using the provided replay ID map {{{{{}}}}}. Ensure that \
         the channel name you provided in the replay map is valid and matches the channel name used for subscribing.",
        shown.join(", ")
    )
}

pub(super) fn handshake_reason(reason: HandshakeReason) -> &'static str {
    match reason {
        HandshakeReason::AuthenticationInvalid => AUTHENTICATION_INVALID,
        HandshakeReason::RequiresAuthentication => REQUIRES_AUTHENTICATION,
        HandshakeReason::ConnectionLimit => CONNECTION_LIMIT,
        HandshakeReason::ConcurrentUsers => CONCURRENT_USERS,
        HandshakeReason::UnsupportedVersion => UNSUPPORTED_VERSION,
        HandshakeReason::MissingVersion => MISSING_VERSION,
        HandshakeReason::Busy => BUSY,
    }
}

/// A reply that belongs to a message: it echoes channel and id.
pub(super) fn reply(message: &Value, successful: bool) -> Value {
    let mut reply = json!({"successful": successful});
    for member in ["channel", "id"] {
        if let Some(value) = message.get(member) {
            reply[member] = value.clone();
        }
    }
    reply
}

/// A refusal in the usual form.
pub(super) fn refusal(message: &Value, error: impl Into<String>) -> Value {
    let mut reply = reply(message, false);
    reply["error"] = Value::String(error.into());
    reply
}

pub(super) fn with_client(mut reply: Value, client_id: &str) -> Value {
    reply["clientId"] = json!(client_id);
    reply
}

pub(super) fn with_advice(mut reply: Value, advice: Value) -> Value {
    reply["advice"] = advice;
    reply
}

pub(super) fn with_reason(mut reply: Value, reason: &str) -> Value {
    reply["ext"]["sfdc"]["failureReason"] = json!(reason);
    reply
}

pub(super) fn advice_none() -> Value {
    json!({"reconnect": "none", "interval": 0})
}

pub(super) fn advice_handshake() -> Value {
    json!({"reconnect": "handshake", "interval": 0})
}

/// `403::Unknown client`, which says to shake hands again.
pub(super) fn unknown_client(message: &Value) -> Value {
    with_advice(refusal(message, UNKNOWN_CLIENT), advice_handshake())
}

/// `403::Handshake denied` and its cause.
pub(super) fn handshake_denied(message: &Value, reason: &str) -> Value {
    let mut denied = with_reason(refusal(message, HANDSHAKE_DENIED), reason);
    denied["ext"]["replay"] = json!(true);
    denied["ext"]["payload.format"] = json!(true);
    denied["advice"] = json!({"reconnect": "none"});
    denied
}
