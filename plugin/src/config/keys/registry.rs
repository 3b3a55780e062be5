//! The options of converters and of the schema registry behind them: the same for keys (`key.converter.`) and for values
//! (`value.converter.`). Names and defaults are those of Confluent's converters and serializers.

use super::LOW;
use crate::config::def::{Effect, Key, Type, Validator, Width};

const GROUP_KEYS: &str = "Converter of keys";
const GROUP_VALUES: &str = "Converter of values";

/// Names of the subject name strategies.
const STRATEGIES: &[&str] = &[
    "TopicNameStrategy",
    "RecordNameStrategy",
    "TopicRecordNameStrategy",
    "AssociatedNameStrategy",
    "io.confluent.kafka.serializers.subject.TopicNameStrategy",
    "io.confluent.kafka.serializers.subject.RecordNameStrategy",
    "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy",
    "io.confluent.kafka.serializers.subject.AssociatedNameStrategy",
];
/// The serializer that puts the id in front of the payload.
pub(in crate::config) const PREFIX_SERIALIZER: &str =
    "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer";
/// The serializer that puts the GUID into a header.
pub(in crate::config) const HEADER_SERIALIZER: &str =
    "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer";

const NO_UNIONS: &str = "The records have no unions beyond fields that may be null.";
const NO_ENUMS: &str = "The records have no enumerations.";
const READING: &str = "It concerns reading, and this connector writes.";

const fn text(name: &'static str, group: &'static str, validator: Validator, documentation: &'static str) -> Key {
    Key { name, group, validator, width: Width::Long, display_name: name, documentation, ..LOW }
}

const fn secret(name: &'static str, group: &'static str, documentation: &'static str) -> Key {
    Key { kind: Type::Password, ..text(name, group, Validator::Any, documentation) }
}

const fn class(
    name: &'static str,
    group: &'static str,
    default: &'static str,
    valid: &'static [&'static str],
    documentation: &'static str,
) -> Key {
    let validator = Validator::OneOf(valid);
    Key { kind: Type::Class, default: Some(default), ..text(name, group, validator, documentation) }
}

const fn flag(name: &'static str, group: &'static str, default: &'static str, documentation: &'static str) -> Key {
    Key {
        kind: Type::Boolean,
        default: Some(default),
        width: Width::Short,
        ..text(name, group, Validator::Any, documentation)
    }
}

const fn number(
    name: &'static str,
    group: &'static str,
    default: &'static str,
    (min, max): (i64, i64),
    documentation: &'static str,
) -> Key {
    Key {
        kind: Type::Int,
        default: Some(default),
        width: Width::Short,
        ..text(name, group, Validator::Range(min, max), documentation)
    }
}

const fn unused(name: &'static str, group: &'static str, kind: Type, why: &'static str) -> Key {
    Key { kind, effect: Effect::Ignored(why), ..text(name, group, Validator::Any, why) }
}

/// The options of one converter. `$stem` is what its names begin with, `$side` is `key` or `value`.
macro_rules! options {
    ($stem:literal, $side:literal, $group:expr) => {
        &[
            // Of the JsonConverter.
            Key {
                default: None,
                ..flag(concat!($stem, "schemas.enable"), $group, "", "Whether JSON stands in an envelope with its schema. Default: as in Kafka Connect true where the converter is given, false where `output.data.format` is or where neither is.")
            },
            Key {
                default: Some("BASE64"),
                ..text(concat!($stem, "decimal.format"), $group, Validator::OneOf(&["BASE64", "NUMERIC"]), "How JSON and JSON_SR write values of the logical type Decimal: the base64 of their bytes, or a JSON number.")
            },
            flag(concat!($stem, "replace.null.with.default"), $group, "true", "Whether JSON and JSON_SR write a null as the field's default where its schema has one. The schemas made from a describe have none."),
            // Of the registry.
            text(concat!($stem, "schema.registry.url"), $group, Validator::Any, "The schema registry, for AVRO, JSON_SR and PROTOBUF: `https://host[:port][/path]`, several with commas between; the next one is asked when one does not answer. A registry that the worker file does not name must be in `tributary.network.allow`."),
            class(concat!($stem, "basic.auth.credentials.source"), $group, "URL", &["URL", "USER_INFO"], "Where user and password for the registry stand: in its URL, or in `basic.auth.user.info`, which counts whenever it is given."),
            secret(concat!($stem, "basic.auth.user.info"), $group, "`user:password` for the registry."),
            secret(concat!($stem, "schema.registry.basic.auth.user.info"), $group, "The same as `basic.auth.user.info`, and goes before it."),
            text(concat!($stem, "bearer.auth.credentials.source"), $group, Validator::OneOf(&["STATIC_TOKEN"]), "Logs in to the registry with `bearer.auth.token`."),
            secret(concat!($stem, "bearer.auth.token"), $group, "The token for the registry."),
            text(concat!($stem, "bearer.auth.logical.cluster"), $group, Validator::Any, "Sent as `target-sr-cluster` with the token."),
            text(concat!($stem, "bearer.auth.identity.pool.id"), $group, Validator::Any, "Sent as `Confluent-Identity-Pool-Id` with the token."),
            flag(concat!($stem, "auto.register.schemas"), $group, "true", "Whether a schema that the registry lacks is added to its subject. If not, it is looked up there."),
            flag(concat!($stem, "use.latest.version"), $group, "false", "With `auto.register.schemas=false`: the id is the one of the subject's latest version. For AVRO and PROTOBUF that version must be the connector's schema."),
            flag(concat!($stem, "latest.compatibility.strict"), $group, "true", "Whether the registry is asked if the latest version goes with the connector's schema."),
            flag(concat!($stem, "normalize.schemas"), $group, "false", "Whether the registry compares schemas in a normal form."),
            class(concat!($stem, $side, ".subject.name.strategy"), $group, "TopicNameStrategy", STRATEGIES, "How the subject of a schema is named: `<topic>-key` or `-value`, the record's full name, or both."),
            class(concat!($stem, $side, ".schema.id.serializer"), $group, PREFIX_SERIALIZER, &[PREFIX_SERIALIZER, HEADER_SERIALIZER], "Where a record says which schema it has: the id in front of the payload, or the schema's GUID in a header (`__key_schema_id`, `__value_schema_id`), for registries that give one."),
            number(concat!($stem, "max.retries"), $group, "3", (0, 1_000), "How often a request is repeated after the registry did not answer, or with 408, 429, 500, 502, 503 or 504. Then the task fails, before the offset moves."),
            number(concat!($stem, "retries.wait.ms"), $group, "1000", (1, 600_000), "Milliseconds before the first repetition, doubled before each further one, less up to a half at random."),
            number(concat!($stem, "retries.max.wait.ms"), $group, "20000", (1, 600_000), "The longest wait before a repetition, in milliseconds."),
            number(concat!($stem, "schemas.cache.config"), $group, "1000", (1, 100_000), "Most schemas that are remembered."),
            // Of the formats.
            flag(concat!($stem, "connect.meta.data"), $group, "true", "Whether Avro schemas carry what Kafka Connect knows beyond Avro (`connect.name` and so on)."),
            flag(concat!($stem, "scrub.invalid.names"), $group, "false", "Whether names that Avro or Protobuf do not allow are changed instead of refused."),
            flag(concat!($stem, "allow.optional.map.keys"), $group, "false", "Whether a map whose keys may be null is a map in Avro."),
            flag(concat!($stem, "ignore.default.for.nullables"), $group, "false", "Whether Avro writes null, not the default, for a field that has both."),
            flag(concat!($stem, "object.additional.properties"), $group, "true", "Whether JSON schemas allow members that they do not name."),
            flag(concat!($stem, "optional.for.nullables"), $group, "false", "Whether Protobuf fields that may be null are `optional`, so that null differs from zero."),
            flag(concat!($stem, "wrapper.for.nullables"), $group, "false", "Whether Protobuf fields that may be null are wrapper messages, so that null differs from zero."),
            // Known, and without effect.
            unused(concat!($stem, "enhanced.avro.schema.support"), $group, Type::Boolean, "It keeps packages and enumerations; the records' schemas have full names and no enumerations."),
            unused(concat!($stem, "id.compatibility.strict"), $group, Type::Boolean, "It belongs to use.schema.id."),
            unused(concat!($stem, "use.schema.id"), $group, Type::Int, "The id comes from registration or look-up."),
            unused(concat!($stem, "max.schemas.per.subject"), $group, Type::Int, "Bounded by schemas.cache.config."),
            unused(concat!($stem, "schemas.cache.size"), $group, Type::Int, "Bounded by schemas.cache.config."),
            unused(concat!($stem, "latest.cache.size"), $group, Type::Int, "An id is asked for once."),
            unused(concat!($stem, "latest.cache.ttl.sec"), $group, Type::Int, "An id is asked for once."),
            unused(concat!($stem, "generalized.sum.type.support"), $group, Type::Boolean, NO_UNIONS),
            unused(concat!($stem, "flatten.unions"), $group, Type::Boolean, NO_UNIONS),
            unused(concat!($stem, "flatten.singleton.unions"), $group, Type::Boolean, NO_UNIONS),
            unused(concat!($stem, "generate.index.for.unions"), $group, Type::Boolean, NO_UNIONS),
            unused(concat!($stem, "int.for.enums"), $group, Type::Boolean, NO_ENUMS),
            unused(concat!($stem, "generate.struct.for.nulls"), $group, Type::Boolean, READING),
            unused(concat!($stem, "optional.for.proto2"), $group, Type::Boolean, READING),
            unused(concat!($stem, "optional.for.required.fields"), $group, Type::Boolean, READING),
            unused(concat!($stem, "use.optional.for.nonrequired"), $group, Type::Boolean, READING),
            unused(concat!($stem, "discard.type.doc.default"), $group, Type::Boolean, READING),
            unused(concat!($stem, "wrapper.for.raw.primitives"), $group, Type::Boolean, "Records are structs; other values are refused for PROTOBUF."),
            unused(concat!($stem, "reference.subject.name.strategy"), $group, Type::Class, "The schemas stand whole in one text and have no references."),
            unused(concat!($stem, "json.fail.invalid.schema"), $group, Type::Boolean, "A value that does not fit its schema ends the task in any case."),
            unused(concat!($stem, "json.schema.spec.version"), $group, Type::String, "It concerns schemas derived from Java classes."),
            unused(concat!($stem, "schema.registry.url.randomize"), $group, Type::Boolean, "The addresses are asked in their order."),
        ]
    };
}

/// Options of the converter of keys.
pub(super) const KEYS: &[Key] = options!("key.converter.", "key", GROUP_KEYS);
/// Options of the converter of values.
pub(super) const VALUES: &[Key] = options!("value.converter.", "value", GROUP_VALUES);
