//! Which faults the simulation draws from: everything of the simulator's list after which the connector must go on by
//! itself. What it must fail on is tested by scripts.

use salesforce_simulator::{ConnectAdvice, Fault, FaultRule, HandshakeReason, Where};
use serde_json::json;

/// The n-th fault rule; any number will do. `chance` decides its details.
pub(crate) fn rule(n: u64, chance: u64) -> FaultRule {
    let connect = Where::channel("/meta/connect");
    let handshake = Where::channel("/meta/handshake");
    let subscribe = Where::channel("/meta/subscribe");
    let streaming = Where::path("/cometd");
    let anywhere = Where::default();
    let events = Where::carrying_events();
    let rules = [
        (streaming.clone(), Fault::Status { code: 500, retry_after_s: None, late: chance.is_multiple_of(2) }),
        (anywhere.clone(), Fault::Status { code: 503, retry_after_s: Some(3), late: false }),
        (anywhere.clone(), Fault::Status { code: 429, retry_after_s: Some(7), late: false }),
        (streaming.clone(), Fault::Status { code: 502, retry_after_s: None, late: true }),
        (streaming.clone(), Fault::Maintenance { code: if chance.is_multiple_of(2) { 503 } else { 200 } }),
        (Where::path("/services"), Fault::RequestLimit),
        (connect.clone(), Fault::RevokeToken),
        (connect.clone(), Fault::ForgetSession),
        (connect.clone(), Fault::MoveServer),
        (connect.clone(), Fault::SilenceSession),
        (connect.clone(), Fault::ProxyTimeout { after_ms: 10_000 }),
        (connect.clone(), Fault::AuthenticationInvalid),
        (connect.clone(), Fault::AuthenticationInvalidBusy),
        (handshake.clone(), Fault::HandshakeDenied { reason: HandshakeReason::AuthenticationInvalid }),
        (handshake.clone(), Fault::HandshakeDenied { reason: HandshakeReason::ConnectionLimit }),
        (handshake.clone(), Fault::HandshakeDenied { reason: HandshakeReason::ConcurrentUsers }),
        (handshake, Fault::HandshakeDenied { reason: HandshakeReason::Busy }),
        (connect.clone(), Fault::UnknownClient { advice: ConnectAdvice::Handshake, channel: true, code_402: false }),
        (
            connect.clone(),
            Fault::UnknownClient { advice: ConnectAdvice::None, channel: true, code_402: chance.is_multiple_of(2) },
        ),
        (connect.clone(), Fault::UnknownClient { advice: ConnectAdvice::Missing, channel: false, code_402: false }),
        (
            Where { first_connect: true, ..connect.clone() },
            Fault::UnknownClient { advice: ConnectAdvice::Handshake, channel: true, code_402: false },
        ),
        (subscribe.clone(), Fault::SubscribeDeniedBusy),
        (connect.clone(), Fault::DailyLimit),
        (subscribe, Fault::SubscriptionLimit),
        (connect.clone(), Fault::ServerDisconnect),
        (
            connect.clone(),
            Fault::BayeuxError {
                error: "500::Internal error".into(),
                advice: Some(json!({"reconnect": "none"})),
                failure_reason: None,
            },
        ),
        (streaming.clone(), Fault::UnknownMembers),
        (streaming.clone(), Fault::NumericIds),
        (streaming.clone(), Fault::NoChannel),
        (streaming.clone(), Fault::NoId),
        (events.clone(), Fault::DuplicateEvents),
        (events.clone(), Fault::ReorderEvents),
        (events.clone(), Fault::RepliesFirst),
        (streaming.clone(), Fault::Html200),
        (streaming.clone(), Fault::EmptyBody),
        (events.clone(), Fault::EmptyArray),
        (events.clone(), Fault::NotAnArray),
        (events.clone(), Fault::HalfJson),
        (events.clone(), Fault::BadUtf8),
        (streaming.clone(), Fault::DeepNesting { depth: 10_000 }),
        (events.clone(), Fault::HugeBody { bytes: 20_000_000 }),
        (events.clone(), Fault::GzipBomb { bytes: 20_000_000 }),
        (events.clone(), Fault::CutGzip),
        (anywhere.clone(), Fault::CutBeforeHead),
        (events.clone(), Fault::CutAfterHead),
        (events.clone(), Fault::CutMidArray),
        (events.clone(), Fault::CutAfter { bytes: usize::try_from(chance % 3_000).unwrap_or(0) }),
        (events.clone(), Fault::LostResponse),
        (anywhere.clone(), Fault::Reset),
        (anywhere, Fault::NeverAnswer),
        (events.clone(), Fault::StallAfter { bytes: 100 }),
        (events, Fault::Slow { bytes_per_s: 200 }),
    ];
    let count = rules.len() as u64;
    let (at, fault) = rules.into_iter().nth(usize::try_from(n % count).unwrap_or(0)).expect("within the list");
    FaultRule { after: chance % 3, ..FaultRule::once(at, fault) }
}
