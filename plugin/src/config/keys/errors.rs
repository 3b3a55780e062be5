//! What becomes of events that cannot become records.

use super::{BASE, LOW, OURS};
use crate::config::def::{Effect, Key, Type, Validator, Width};

const ERRORS: &str = "Error Handling";

const fn ignored(name: &'static str, kind: Type, why: &'static str) -> Key {
    Key { name, kind, effect: Effect::Ignored(why), group: ERRORS, display_name: name, documentation: why, ..LOW }
}

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "errors.tolerance",
        default: Some("none"),
        validator: Validator::OneOf(&["none", "all"]),
        group: ERRORS,
        width: Width::Short,
        display_name: "Error Tolerance",
        documentation: "`none`: an event that cannot be read, transformed or converted ends the task, before the offset moves. `all`: it is skipped, which is logged and counted, and the offset moves past it. What a schema registry refuses is never skipped: it concerns every event.",
        ..BASE
    },
    Key {
        name: "errors.log.enable",
        kind: Type::Boolean,
        default: Some("false"),
        group: ERRORS,
        display_name: "Log Errors",
        documentation: "Whether the log says of each skipped event why, not only how many there were.",
        ..BASE
    },
    Key {
        name: "errors.deadletterqueue.topic.name",
        dialects: OURS,
        group: ERRORS,
        display_name: "Dead letter topic",
        documentation: "Where skipped events are put, as Salesforce sent them, in the same transaction as the offset where delivery is exactly once.",
        ..BASE
    },
    Key {
        name: "errors.deadletterqueue.context.headers.enable",
        kind: Type::Boolean,
        default: Some("false"),
        dialects: OURS,
        group: ERRORS,
        display_name: "Headers of dead letters",
        documentation: "Whether dead letters have headers that say why: `__connect.errors.connector.name`, `.task.id`, `.stage`, `.exception.class.name`, `.exception.message`.",
        ..LOW
    },
    Key {
        dialects: OURS,
        ..ignored(
            "errors.deadletterqueue.topic.replication.factor",
            Type::Int,
            "A missing topic is created as topic.creation.* says.",
        )
    },
    ignored(
        "errors.retry.timeout",
        Type::Long,
        "A conversion that failed fails again; what is worth another try is tried within request.max.retries.time.ms.",
    ),
    ignored("errors.retry.delay.max.ms", Type::Long, "The waits between tries grow to 30 s."),
    ignored(
        "errors.log.include.messages",
        Type::Boolean,
        "The log names an event by its replayId and never holds its content.",
    ),
];
