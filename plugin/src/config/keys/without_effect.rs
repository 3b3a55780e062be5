//! What is accepted without effect, and what is refused, each with its reason.

use super::{LOW, MANAGED, SELF_MANAGED};
use crate::config::def::{Effect, Key, Type};

const IGNORED: &str = "Accepted without effect";
const REFUSED: &str = "Refused when set";

const fn ignored(name: &'static str, kind: Type, why: &'static str) -> Key {
    Key { name, kind, group: IGNORED, display_name: name, effect: Effect::Ignored(why), documentation: why, ..LOW }
}

const fn refused(name: &'static str, why: &'static str) -> Key {
    Key { name, group: REFUSED, display_name: name, effect: Effect::Refused(why), documentation: why, ..LOW }
}

/// Of the group about encrypted fields, which cannot be had.
const fn encryption(name: &'static str, kind: Type) -> Key {
    let why = "It belongs to the encryption of fields; a converter's own setting begins with value.converter.";
    Key { dialects: SELF_MANAGED, ..ignored(name, kind, why) }
}

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key { dialects: SELF_MANAGED, ..ignored("confluent.license*", Type::Password, "No licence is needed.") },
    Key {
        dialects: SELF_MANAGED,
        ..ignored("confluent.topic*", Type::String, "No licence is needed, so there is no licence topic.")
    },
    Key {
        dialects: MANAGED,
        ..ignored("datapreview.schemas.enable", Type::Boolean, "It concerns the preview in Confluent Cloud's console.")
    },
    encryption("auto.register.schemas", Type::Boolean),
    encryption("use.latest.version", Type::Boolean),
    Key {
        kind: Type::Boolean,
        default: Some("false"),
        dialects: SELF_MANAGED,
        ..refused("csfle.enabled", "The fields of records cannot be encrypted here.")
    },
];
