//! Requests: versions, time-outs, retries, sizes.

use super::{LOW, OURS, SELF_MANAGED};
use crate::config::def::{Key, Type, Validator};

const CONNECTION: &str = "Connection";
/// The bounds of `connection.max.message.size`, in bytes.
const RESPONSE_BYTES: Validator = Validator::Range(65_536, 1_073_741_824);

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "salesforce.version",
        default: Some("latest"),
        validator: Validator::ApiVersion,
        group: CONNECTION,
        display_name: "API version",
        documentation: "API version for REST and CometD, `67.0`, or `latest` for the newest that the org offers.",
        ..LOW
    },
    Key {
        name: "connection.timeout",
        kind: Type::Long,
        default: Some("30000"),
        validator: Validator::Range(5_000, 600_000),
        group: CONNECTION,
        display_name: "Connection time-out (ms)",
        documentation: "Milliseconds allowed for each phase of a request: to connect, to the head of the answer, between two parts of its body. A long poll may be held for as long as Salesforce says (110 s), and 15 s more.",
        ..LOW
    },
    Key {
        name: "request.max.retries.time.ms",
        kind: Type::Long,
        default: Some("30000"),
        default_self_managed: Some("900000"),
        validator: Validator::Range(1, i64::MAX),
        validator_managed: Some(Validator::Range(1_000, 250_000)),
        group: CONNECTION,
        display_name: "Retry time (ms)",
        documentation: "Milliseconds during which a failing request or a lost session is tried again, with growing waits, before the task fails. A quota that is used up is waited for without this limit.",
        ..LOW
    },
    Key {
        name: "connection.max.message.size",
        kind: Type::Int,
        default: Some("16777216"),
        validator: RESPONSE_BYTES,
        dialects: SELF_MANAGED,
        group: CONNECTION,
        display_name: "Largest answer (bytes)",
        documentation: "Largest answer that is read, in bytes, before and after decompression. Beyond 16 MiB raise `tributary.instance.memory.max.bytes` to four times this.",
        ..LOW
    },
    Key {
        name: "salesforce.describe.refresh.ms",
        kind: Type::Long,
        default: Some("0"),
        validator: Validator::Range(0, i64::MAX),
        dialects: OURS,
        group: CONNECTION,
        display_name: "Describe the object every (ms)",
        documentation: "Milliseconds after which the object is described again, so that new fields get their place in records and schemas without a restart; 0: only when an event has a field that is not known, before that event goes out. A describe is one request of the org's daily allowance. A field that vanishes stays, and is null.",
        ..LOW
    },
    Key {
        name: "salesforce.stall.detect.ms",
        kind: Type::Long,
        default: Some("900000"),
        validator: Validator::Range(0, i64::MAX),
        dialects: OURS,
        group: CONNECTION,
        display_name: "Look into a silence after (ms)",
        documentation: "Milliseconds without an event after which the org is asked whether the object has changed meanwhile; if it has, a new session goes on from the last position. 0: never. A look is one request of the org's daily allowance; it is put off for an hour while four fifths of that are used up, and comes later and later after changes of which PushTopics do not tell. Looks come between two long polls, so up to two minutes late.",
        ..LOW
    },
    Key {
        name: "curl.logging",
        kind: Type::Boolean,
        default: Some("false"),
        group: CONNECTION,
        display_name: "Log requests",
        dialects: SELF_MANAGED,
        documentation: "Whether every request is logged when it is answered: method, URL, names of headers, sizes, status, milliseconds. No value of a header, no body and no parameter of a login is ever in it.",
        ..LOW
    },
];
