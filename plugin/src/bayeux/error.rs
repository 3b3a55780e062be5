//! Bayeux errors of Salesforce's streaming server, mapped to verdicts in one place (Streaming API Developer Guide,
//! "Streaming API Error Codes" and "Handling Streaming API Errors").
//!
//! The true cause stands in `ext.sfdc.failureReason` where there is one, else in `error`; the advice is not to be trusted
//! (a lost session comes with `reconnect: none` as well as with `handshake`).

use super::session::Refusal;
use crate::error::{Cause, Failure, FailureKind, Verdict, excerpt};

/// The least wait after the server said that it is too busy, in milliseconds.
pub const BUSY_WAIT_MS: u64 = 5_000;

/// `code:args:text`, taken apart.
fn parts(error: &str) -> (&str, &str) {
    let (code, rest) = error.split_once(':').unwrap_or((error, ""));
    let code = code.trim();
    if code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()) { (code, rest) } else { ("", error) }
}

/// Texts and what they mean, first match wins. Matched on the whole error, code included, since the same words come with
/// more than one code.
const TEXTS: &[(&str, Meaning)] = &[
    ("replayId {", Meaning::OffsetLost),
    ("using the provided replay ID map", Meaning::Defect),
    ("Server is too busy", Meaning::Busy),
    ("daily limit exceeded", Meaning::Quota),
    ("To protect all customers", Meaning::Quota),
    ("concurrent user limit exceeded", Meaning::Quota),
    ("Subscription limit exceeded", Meaning::Quota),
    ("nknown client", Meaning::SessionLost),
    ("session_unknown", Meaning::SessionLost),
    ("has not completed handshake", Meaning::SessionLost),
    ("BAYEUX_BROWSER", Meaning::SessionLost),
    ("does not match the session's user id", Meaning::SessionLost),
    ("Authentication invalid", Meaning::TokenRefused),
    ("Request requires authentication", Meaning::TokenRefused),
    ("Invalid session", Meaning::TokenRefused),
    ("create_denied", Meaning::Channel),
    ("subscribe_denied", Meaning::Channel),
    ("Cannot create channel", Meaning::Channel),
    ("doesn't exist", Meaning::Channel),
    ("Unknown channel", Meaning::Channel),
    ("does not have access", Meaning::Rights),
    ("User not enabled for streaming", Meaning::Rights),
    ("User not allowed", Meaning::Rights),
    ("Restricted channel", Meaning::Rights),
    ("No access on channel", Meaning::Rights),
    ("API version", Meaning::Version),
    ("do not exist on the topic entity", Meaning::Defect),
    ("Handshake denied", Meaning::TokenRefused),
];

#[derive(Clone, Copy)]
enum Meaning {
    OffsetLost,
    Defect,
    Busy,
    Quota,
    SessionLost,
    TokenRefused,
    Channel,
    Rights,
    Version,
}

/// What a refusal means.
#[must_use]
pub fn verdict(refusal: &Refusal) -> Verdict {
    let decisive = refusal.failure_reason.as_deref().unwrap_or(&refusal.error);
    let (code, _) = parts(decisive);
    let shown = excerpt(decisive, 300);
    let cause = |said: &str| Cause::new(if code.is_empty() { "BAYEUX" } else { code }, format!("{said}: {shown}"));
    let fail = |kind, said: &str, remedy: &str| {
        Verdict::Fail(Failure::new(
            kind,
            if code.is_empty() { "BAYEUX" } else { code },
            format!("{said}: {shown}. {remedy}"),
        ))
    };
    let meaning = TEXTS.iter().find(|(text, _)| decisive.contains(text)).map(|(_, meaning)| *meaning);
    match (meaning, code) {
        (Some(Meaning::OffsetLost), _) => fail(
            FailureKind::OffsetLost,
            "Salesforce no longer has the events after the stored position",
            "Those between that position and the oldest one retained (24 hours) cannot be had by streaming",
        ),
        (Some(Meaning::Defect), _) => fail(
            FailureKind::Fatal,
            "Salesforce did not accept the subscription",
            "This should not happen; please report it.",
        ),
        (Some(Meaning::Busy), _) => Verdict::Retry(cause("Salesforce is too busy"), BUSY_WAIT_MS),
        (Some(Meaning::Quota), _) => Verdict::Throttled(cause("A streaming quota of the org is used up")),
        (Some(Meaning::SessionLost), _) => {
            Verdict::Rehandshake(cause("Salesforce no longer knows the streaming session"))
        }
        (Some(Meaning::TokenRefused), _) | (None, "401") => {
            Verdict::Reauthenticate(cause("Salesforce refused the access token"))
        }
        (Some(Meaning::Channel), _) => Verdict::CheckPushTopic(cause("Salesforce refused the subscription")),
        (Some(Meaning::Rights), _) => fail(
            FailureKind::Auth,
            "Salesforce refused the subscription",
            "Give the connector's user read access to PushTopic, to the object and to every field of the PushTopic's query.",
        ),
        (Some(Meaning::Version), _) => fail(
            FailureKind::Config,
            "Salesforce refused the API version",
            "Set salesforce.version to latest, or to 37.0 or later.",
        ),
        (None, "402") => Verdict::Rehandshake(cause("Salesforce no longer knows the streaming session")),
        (None, "413") => fail(FailureKind::Fatal, "Salesforce refused a request as too large", "Please report it."),
        (None, "404") => {
            fail(FailureKind::Config, "Salesforce does not know what was asked for", "Check salesforce.version.")
        }
        (None, _) => Verdict::Retry(cause("Salesforce refused a streaming request"), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The catalogue, with the error texts as Salesforce's documentation and captures have them.
    #[test]
    fn the_catalogue_maps_to_verdicts() {
        type Is = fn(&Verdict) -> bool;
        let rehandshake: Is = |v| matches!(v, Verdict::Rehandshake(_));
        let login: Is = |v| matches!(v, Verdict::Reauthenticate(_));
        let busy: Is = |v| matches!(v, Verdict::Retry(_, BUSY_WAIT_MS));
        let retry: Is = |v| matches!(v, Verdict::Retry(_, 0));
        let quota: Is = |v| matches!(v, Verdict::Throttled(_));
        let topic: Is = |v| matches!(v, Verdict::CheckPushTopic(_));
        let kind = |v: &Verdict| match v {
            Verdict::Fail(failure) => Some(failure.kind),
            _ => None,
        };
        let denied = "403::Handshake denied";
        let cases: &[(&str, Option<&str>, Result<Is, FailureKind>)] = &[
            ("401::Authentication invalid", None, Ok(login)),
            ("401::Request requires authentication", None, Ok(login)),
            (
                "401::Authentication invalid",
                Some("503::Server is too busy.  Please try your request again later."),
                Ok(busy),
            ),
            (denied, Some("401::Authentication invalid"), Ok(login)),
            (denied, Some("401::Request requires authentication"), Ok(login)),
            (denied, Some("403::To protect all customers from excessive usage, the limit was reached"), Ok(quota)),
            (denied, Some("403::Organization concurrent user limit exceeded"), Ok(quota)),
            (denied, Some("400::Unsupported API version"), Err(FailureKind::Config)),
            (denied, None, Ok(login)),
            ("403::Unknown client", None, Ok(rehandshake)),
            ("402::Unknown client", None, Ok(rehandshake)),
            ("402::session_unknown", None, Ok(rehandshake)),
            ("401:abc:Unknown client", None, Ok(rehandshake)),
            ("403::Organization total events daily limit exceeded", None, Ok(quota)),
            ("403::Subscription limit exceeded for this topic", None, Ok(quota)),
            ("403::Restricted channel", None, Err(FailureKind::Auth)),
            ("403::User not enabled for streaming", None, Err(FailureKind::Auth)),
            ("403::Subscriber does not have access to the entity in this topic", None, Err(FailureKind::Auth)),
            ("403::Cannot create channel /topic/X", None, Ok(topic)),
            ("403:denied_by_security_policy:create_denied", None, Ok(topic)),
            (
                "403:denied_by_security_policy:subscribe_denied",
                Some("503::Server is too busy.  Please try again"),
                Ok(busy),
            ),
            ("403:denied_by_security_policy:subscribe_denied", None, Ok(topic)),
            ("403::Client has not completed handshake", None, Ok(rehandshake)),
            ("400::The channel you requested to subscribe to doesn't exist {/topic/X}", None, Ok(topic)),
            ("400::API version in the URI is mandatory. URI format: '/cometd/67.0'", None, Err(FailureKind::Config)),
            (
                "400::Client abc has established a session, but no {BAYEUX_BROWSER} cookie present",
                None,
                Ok(rehandshake),
            ),
            ("400::Authenticated user id does not match the session's user id", None, Ok(rehandshake)),
            ("404::Unknown channel", None, Ok(topic)),
            (
                "400::The replayId {17} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.",
                None,
                Err(FailureKind::OffsetLost),
            ),
            (
                "400::The replayId for channel {/topic/T} wasn't found using the provided replay ID map {{}}. Ensure that the channel name",
                None,
                Err(FailureKind::Fatal),
            ),
            ("413::Maximum Request Size Exceeded", None, Err(FailureKind::Fatal)),
            ("500::Internal", None, Ok(retry)),
            ("something else", None, Ok(retry)),
            ("", None, Ok(retry)),
        ];
        for (error, reason, expected) in cases {
            let verdict = verdict(&Refusal { error: (*error).into(), failure_reason: reason.map(Into::into) });
            match expected {
                Ok(is) => assert!(is(&verdict), "{error} {reason:?}: {verdict:?}"),
                Err(expected) => assert_eq!(kind(&verdict), Some(*expected), "{error} {reason:?}: {verdict:?}"),
            }
        }
    }
}
