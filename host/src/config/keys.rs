//! The host's own settings of a connector: one table, one entry for each name, with what the host does with it. A name
//! that is not here is the component's business and is passed on. Names, defaults and meaning are Kafka Connect's
//! (`ConnectorConfig`, `SourceConnectorConfig`, KIP-158, KIP-458, KIP-618) and those of hosted connectors.

use super::NAME_CHARS_MAX;
pub use super::definition::{Importance, Key, Kind, Treatment, Valid, Width};

const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    treatment: Treatment,
    doc: &'static str,
) -> Key {
    Key::new(name, kind, default, treatment, doc)
}

/// The groups of Kafka Connect's own settings, in its order, then those of settings that it does not have.
pub const GROUPS: &[&str] =
    &[COMMON, TRANSFORMS, PREDICATES, ERRORS, TOPICS, EXACTLY_ONCE, OFFSETS, PRODUCER, NETWORK, HOSTED];
const COMMON: &str = "Common";
const TRANSFORMS: &str = "Transforms";
const PREDICATES: &str = "Predicates";
const ERRORS: &str = "Error Handling";
const TOPICS: &str = "Topic Creation";
const EXACTLY_ONCE: &str = "Exactly Once Support";
const OFFSETS: &str = "offsets.topic";
const PRODUCER: &str = "Producer";
const NETWORK: &str = "Network";
const HOSTED: &str = "Hosted service";

const CLUSTER: Treatment = Treatment::Ignored(
    "the worker file says which Kafka cluster is used and with which credentials (bootstrap.servers, sasl.*)",
);
const ONE_VERSION: Treatment = Treatment::Ignored("there is one version of each plugin here");
/// Every setting of the host, in the order in which tables show them.
pub static KEYS: &[Key] = &[
    key(
        "name",
        Kind::String,
        None,
        Treatment::PassedOn,
        "The connector's name. Offsets are stored under it.",
    )
    .required().high().valid(Valid::Characters(1, NAME_CHARS_MAX)).shown(COMMON, 1, Width::Medium, "Connector name"),
    key(
        "connector.class",
        Kind::String,
        None,
        Treatment::PassedOn,
        "Which connector it is; the component may take its defaults from it.",
    )
    .required().high().shown(COMMON, 2, Width::Long, "Connector class"),
    key(
        "tasks.max",
        Kind::Int,
        Some("1"),
        Treatment::Used,
        "Upper bound on tasks. One task runs, whatever the bound.",
    )
    .high().valid(Valid::Range(1, i32::MAX as i64)).shown(COMMON, 4, Width::Short, "Tasks max"),
    key(
        "offsets.storage.topic",
        Kind::String,
        None,
        Treatment::Used,
        "An offsets topic of this connector's own. Offsets are written there; where it holds none, they are read from the worker's topic.",
    )
    .shown(OFFSETS, 1, Width::Long, "Offsets topic"),
    key(
        "topic.creation.groups",
        Kind::List,
        Some(""),
        Treatment::Used,
        "Names of groups of topics that are created by their own rules; `default` is always there and last.",
    )
    .shown(TOPICS, 1, Width::Long, "Topic Creation Groups"),
    key(
        "topic.creation.*",
        Kind::String,
        None,
        Treatment::Used,
        "`topic.creation.default.partitions` and `.replication.factor` let missing topics be created; `topic.creation.<group>.include` and `.exclude` (regular expressions on the whole name), `.partitions`, `.replication.factor` and any topic setting refine it.",
    )
    .shown(TOPICS, 2, Width::Short, "Rules of topic creation"),
    key(
        "producer.override.*",
        Kind::String,
        None,
        Treatment::Used,
        "A setting of the Kafka producer: `compression.type`, `compression.gzip.level`, `compression.zstd.level`, `linger.ms`, `batch.size`, `max.request.size`, `delivery.timeout.ms`, `max.block.ms`, `retry.backoff.ms`, `transaction.timeout.ms` (5000 or more; without it, a minute more than a transaction stays open); or of a login of its own: `security.protocol`, `sasl.*`, `ssl.*` as in the worker file, of which then only what is no secret is taken over.",
    )
    .shown(PRODUCER, 1, Width::Medium, "Producer settings"),
    key(
        "http.proxy",
        Kind::String,
        None,
        Treatment::Used,
        "An HTTP proxy for what the connector asks, `host:port`, instead of the worker's. `tributary.network.allow` of the worker file must list it: `http://host:port`.",
    )
    .medium().shown(NETWORK, 1, Width::Medium, "HTTP proxy"),
    key("http.proxy.user", Kind::String, None, Treatment::Used, "The user for that proxy.")
    .shown(NETWORK, 2, Width::Medium, "User of the proxy"),
    key("http.proxy.password", Kind::Password, None, Treatment::Used, "That user's password.")
    .shown(NETWORK, 3, Width::Medium, "Password for the proxy"),
    key(
        "exactly.once.support",
        Kind::String,
        Some("requested"),
        Treatment::Used,
        "`requested` delivers exactly once where the worker file allows it (`exactly.once.source.support=enabled`), else at least once; `required` refuses to start where it does not. On the embedded log delivery is exactly once in any case.",
    )
    .medium().valid(Valid::OneOf(&["requested", "required"])).shown(EXACTLY_ONCE, 2, Width::Short, "Exactly once support"),
    key(
        "transaction.boundary",
        Kind::String,
        Some("poll"),
        Treatment::Used,
        "With exactly-once delivery, where transactions end: `poll`, with each poll that brought records, or `interval`.",
    )
    .medium().valid(Valid::OneOf(&["poll", "interval", "connector"])).shown(EXACTLY_ONCE, 3, Width::Short, "Transaction Boundary"),
    key(
        "transaction.boundary.interval.ms",
        Kind::Long,
        None,
        Treatment::Used,
        "With `transaction.boundary=interval`, milliseconds for which a transaction stays open: 1 to 840000; without it, `offset.flush.interval.ms` of the worker. Consumers see records when it ends.",
    )
    .valid(Valid::Range(1, i64::MAX)).shown(EXACTLY_ONCE, 4, Width::Short, "Transaction boundary interval"),
    key("key.converter*", Kind::Class, None, Treatment::PassedOn, "How keys become bytes, with its settings."),
    key("value.converter*", Kind::Class, None, Treatment::PassedOn, "How values become bytes, with its settings."),
    key(
        "header.converter*",
        Kind::Class,
        None,
        Treatment::PassedOn,
        "How header values become bytes, with its settings.",
    )
    .shown(COMMON, 10, Width::Short, "Header converter class"),
    key(
        "transforms*",
        Kind::List,
        Some(""),
        Treatment::PassedOn,
        "Single message transforms, in order, with their settings.",
    )
    .shown(TRANSFORMS, 12, Width::Long, "Transforms"),
    key("predicates*", Kind::List, Some(""), Treatment::PassedOn, "Predicates for transforms, with their settings.")
    .shown(PREDICATES, 13, Width::Long, "Predicates"),
    key(
        "errors.tolerance",
        Kind::String,
        Some("none"),
        Treatment::PassedOn,
        "`none`: a record that cannot be transformed or converted fails the task; `all`: it is skipped.",
    )
    .medium().valid(Valid::OneOf(&["none", "all"])).shown(ERRORS, 3, Width::Short, "Error Tolerance"),
    key(
        "errors.retry.timeout",
        Kind::Long,
        Some("0"),
        Treatment::PassedOn,
        "Milliseconds for which a failed operation is tried again; -1 for ever.",
    )
    .medium().valid(Valid::Range(-1, i64::MAX)).shown(ERRORS, 1, Width::Medium, "Retry Timeout for Errors"),
    key(
        "errors.retry.delay.max.ms",
        Kind::Long,
        Some("60000"),
        Treatment::PassedOn,
        "The longest pause between two tries, in milliseconds.",
    )
    .medium().valid(Valid::Range(0, i64::MAX)).shown(ERRORS, 2, Width::Medium, "Maximum Delay Between Retries for Errors"),
    key("errors.log.enable", Kind::Boolean, Some("false"), Treatment::PassedOn, "Whether tolerated errors are logged.")
    .medium().shown(ERRORS, 4, Width::Short, "Log Errors"),
    key(
        "errors.log.include.messages",
        Kind::Boolean,
        Some("false"),
        Treatment::PassedOn,
        "Whether the log names the record's coordinates.",
    )
    .medium().shown(ERRORS, 5, Width::Short, "Log Error Details"),
    key(
        "errors.deadletterqueue.*",
        Kind::String,
        None,
        Treatment::PassedOn,
        "`errors.deadletterqueue.topic.name` and `.context.headers.enable`: where skipped events are put.",
    )
    .shown(ERRORS, 6, Width::Medium, "Dead Letter Queue"),
    key(
        "config.action.reload",
        Kind::String,
        Some("restart"),
        Treatment::Ignored("referenced values are read at the start, and again when a login is refused"),
        "What happens when a referenced value changes.",
    )
    .valid(Valid::OneOf(&["none", "restart"])).shown(COMMON, 14, Width::Medium, "Reload Action"),
    key(
        "tasks.max.enforce",
        Kind::Boolean,
        Some("true"),
        Treatment::Ignored("one task runs, so the bound is always kept"),
        "Whether `tasks.max` is enforced.",
    )
    .shown(COMMON, 5, Width::Short, "Enforce tasks max"),
    key("connector.plugin.version", Kind::String, None, ONE_VERSION, "Version of the connector.")
    .medium().shown(COMMON, 3, Width::Medium, "Connector version"),
    key(
        "kafka.auth.mode",
        Kind::String,
        None,
        Treatment::Used,
        "How the connector logs in to Kafka. `KAFKA_API_KEY`: with `kafka.api.key` and `kafka.api.secret`, SASL PLAIN over TLS, where the worker's `security.protocol` is `SASL_SSL` or `SSL`; the worker's own login is not lent to it. `SERVICE_ACCOUNT` and nothing: with the worker's login.",
    )
    .medium().valid(Valid::OneOf(&["KAFKA_API_KEY", "SERVICE_ACCOUNT"])).shown(HOSTED, 1, Width::Medium, "Kafka authentication"),
    key(
        "kafka.api.key",
        Kind::Password,
        None,
        Treatment::Used,
        "The API key of the connector. Without effect, and said, where the worker speaks to its brokers in plain text.",
    )
    .high().shown(HOSTED, 2, Width::Medium, "Kafka API key"),
    key("kafka.api.secret", Kind::Password, None, Treatment::Used, "Its secret.")
    .high().shown(HOSTED, 3, Width::Medium, "Kafka API secret"),
    key(
        "kafka.service.account.id",
        Kind::String,
        None,
        Treatment::Ignored(
            "a service account is a notion of a hosted service; make an API key for it and set kafka.auth.mode=KAFKA_API_KEY",
        ),
        "The service account of a hosted connector.",
    )
    .medium().shown(HOSTED, 4, Width::Medium, "Kafka service account"),
    key("kafka.endpoint", Kind::String, None, CLUSTER, "The cluster of a hosted connector.")
    .shown(HOSTED, 5, Width::Medium, "Kafka endpoint"),
    key("kafka.region", Kind::String, None, CLUSTER, "The region of a hosted connector's cluster.")
    .shown(HOSTED, 6, Width::Medium, "Region"),
    key("kafka.deployment.type", Kind::String, None, CLUSTER, "The kind of a hosted connector's cluster.")
    .shown(HOSTED, 7, Width::Medium, "Cluster type"),
    key("kafka.dedicated", Kind::Boolean, None, CLUSTER, "Whether a hosted connector's cluster is a dedicated one.")
    .shown(HOSTED, 8, Width::Medium, "Dedicated cluster"),
    key("kafka.max.partition.validation.disable", Kind::Boolean, None, CLUSTER, "Skips a check of a hosted connector.")
    .shown(HOSTED, 9, Width::Medium, "No partition check"),
    key("cloud.provider", Kind::String, None, CLUSTER, "The cloud of a hosted connector's cluster.")
    .shown(HOSTED, 10, Width::Medium, "Cloud"),
    key("cloud.environment", Kind::String, None, CLUSTER, "The environment of a hosted connector's cluster.")
    .shown(HOSTED, 11, Width::Medium, "Environment"),
    key(
        "connector.egress.whitelist",
        Kind::List,
        None,
        Treatment::Ignored("tributary.network.allow in the worker file says where a component may connect"),
        "Where a hosted connector may connect.",
    )
    .shown(HOSTED, 12, Width::Medium, "Egress hosts"),
    key(
        "auto.restart.on.user.error",
        Kind::Boolean,
        Some("false"),
        Treatment::Used,
        "Whether a connector that has FAILED is started again by itself, after 10 s and with growing waits of up to 15 minutes, so that it goes on when somebody has mended the cause: a missing right or topic, an allowance that is used up, an outage longer than its retry time. A login that is refused twice with the same secrets is not tried a third time, lest the account be locked. A lost position and a record that cannot be delivered stay FAILED. A hosted connector has `true`; here the default lets `tributary run` end with its exit code.",
    )
    .shown(HOSTED, 13, Width::Medium, "Restart on user error"),
];

/// The entry that covers `name`: the one with exactly this name, else the family with the longest matching beginning.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    let covers = |key: &&Key| key.name.strip_suffix('*').is_some_and(|stem| name.starts_with(stem));
    KEYS.iter().find(|key| key.name == name).or_else(|| KEYS.iter().filter(covers).max_by_key(|key| key.name.len()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn who_covers_a_name() {
        let cases = [
            ("name", Some("name")),
            ("topic.creation.groups", Some("topic.creation.groups")),
            ("topic.creation.default.partitions", Some("topic.creation.*")),
            ("producer.override.linger.ms", Some("producer.override.*")),
            ("value.converter", Some("value.converter*")),
            ("value.converter.schemas.enable", Some("value.converter*")),
            ("transforms.a.type", Some("transforms*")),
            ("kafka.topic", None),
            ("kafka.topic.lowercase", None),
            ("names", None),
        ];
        for (name, expected) in cases {
            assert_eq!(find(name).map(|key| key.name), expected, "{name}");
        }
    }

    #[test]
    fn the_table_is_sound() {
        let names: BTreeSet<&str> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), KEYS.len(), "a name occurs twice");
        for key in KEYS {
            assert!(key.doc.ends_with('.'), "{}", key.name);
        }
    }
}
