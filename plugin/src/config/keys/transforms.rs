//! Settings of transforms and headers. The options of each transform are declared with the transform
//! (`transforms::classes`), their grammar is in `config::transforms`.

use super::{BASE, LOW, OUTPUT};
use crate::config::def::{Dialect, Key, Type, Validator, Width};

const TRANSFORMS: &str = "Transforms";

/// The one header converter that there is, Kafka Connect's default.
pub(in crate::config) const SIMPLE_HEADER_CONVERTER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "transforms",
        kind: Type::List,
        default: Some(""),
        group: TRANSFORMS,
        width: Width::Long,
        display_name: "Transforms",
        documentation: "Aliases of the transforms that records go through, in this order, with commas between. Each has `transforms.ALIAS.type` and its options; docs/transforms.md lists them.",
        ..LOW
    },
    Key {
        name: "predicates",
        kind: Type::List,
        default: Some(""),
        group: TRANSFORMS,
        width: Width::Long,
        display_name: "Predicates",
        documentation: "Aliases of the predicates that transforms name in `transforms.ALIAS.predicate`. Each has `predicates.ALIAS.type` and its options.",
        ..LOW
    },
    Key {
        name: "regex.timeout.ms",
        kind: Type::Long,
        default: Some("100"),
        validator: Validator::Range(1, 60_000),
        group: TRANSFORMS,
        width: Width::Short,
        display_name: "Regular expressions (ms)",
        documentation: "Milliseconds that a regular expression of a transform may take on one text. It is evaluated in time linear in the text, so the longest time is known beforehand: an expression that may take longer on a topic's name is refused with the configuration.",
        ..BASE
    },
    Key {
        name: "header.converter",
        kind: Type::Class,
        default: Some(SIMPLE_HEADER_CONVERTER),
        group: OUTPUT,
        width: Width::Long,
        display_name: "Header converter",
        documentation: "Converter of the headers that transforms and `tributary.headers.enable` make: texts as they are, everything else in Connect's text form. Another one is refused when records can have headers.",
        ..LOW
    },
    Key {
        name: "tributary.headers.enable",
        dialects: &[Dialect::Ours],
        kind: Type::Boolean,
        default: Some("false"),
        group: OUTPUT,
        display_name: "Event headers",
        documentation: "Whether records carry headers about their event: `tributary.replayId`, `tributary.createdDate` and `tributary.eventType`. Transforms see them.",
        ..LOW
    },
];
