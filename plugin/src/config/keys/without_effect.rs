//! What is accepted without effect, and what is refused, each with its reason.

use super::LOW;
use crate::config::def::{Effect, Key, Type};

const IGNORED: &str = "Accepted without effect";
const REFUSED: &str = "Refused when set";

const fn ignored(name: &'static str, kind: Type, why: &'static str) -> Key {
    Key { name, kind, group: IGNORED, display_name: name, effect: Effect::Ignored(why), documentation: why, ..LOW }
}

const fn refused(name: &'static str, why: &'static str) -> Key {
    Key { name, group: REFUSED, display_name: name, effect: Effect::Refused(why), documentation: why, ..LOW }
}

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    ignored(
        "salesforce.jwt.keystore.file",
        Type::Password,
        "It belongs to the JWT_BEARER grant, which this version does not speak.",
    ),
    ignored(
        "salesforce.jwt.keystore.path",
        Type::String,
        "It belongs to the JWT_BEARER grant, which this version does not speak.",
    ),
    ignored(
        "salesforce.jwt.keystore.password",
        Type::Password,
        "It belongs to the JWT_BEARER grant, which this version does not speak.",
    ),
    ignored("salesforce.auth.retries.time.ms", Type::Long, "Logins are retried within request.max.retries.time.ms."),
    ignored(
        "http.proxy",
        Type::String,
        "The runtime makes the connections: set tributary.network.proxy in the worker file.",
    ),
    ignored(
        "curl.logging",
        Type::Boolean,
        "It would write the access token to the log; --log-level debug shows what happens without it.",
    ),
    ignored("regex.timeout.ms", Type::Long, "No regular expression is evaluated in this version."),
    ignored("confluent.license", Type::Password, "No licence is needed."),
    ignored("confluent.topic.bootstrap.servers", Type::String, "No licence is needed, so there is no licence topic."),
    ignored("confluent.topic.replication.factor", Type::Int, "No licence is needed, so there is no licence topic."),
    ignored("confluent.topic", Type::String, "No licence is needed, so there is no licence topic."),
    ignored("datapreview.schemas.enable", Type::Boolean, "It concerns the preview in Confluent Cloud's console."),
    ignored("header.converter", Type::Class, "The records have no headers."),
    ignored("errors.tolerance", Type::String, "An event that cannot be converted ends the task; none is skipped."),
    ignored(
        "errors.retry.timeout",
        Type::Long,
        "What is worth another try is tried within request.max.retries.time.ms.",
    ),
    ignored("errors.retry.delay.max.ms", Type::Long, "The waits between tries grow to 30 s."),
    ignored("errors.log.enable", Type::Boolean, "Errors are always logged."),
    ignored("errors.log.include.messages", Type::Boolean, "The log never holds the content of records."),
    refused("transforms", "This version has no single message transforms."),
    refused("predicates", "This version has no single message transforms, and so no predicates."),
];
