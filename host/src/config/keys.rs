//! The host's own settings of a connector: one table, one entry for each name, with what the host does with it. A name
//! that is not here is the component's business and is passed on. Names, defaults and meaning are Kafka Connect's
//! (`ConnectorConfig`, `SourceConnectorConfig`, KIP-158, KIP-458, KIP-618) and those of hosted connectors.

/// The type of a setting, in Kafka Connect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    String,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// `true` or `false`.
    Boolean,
    /// Texts separated by commas.
    List,
    /// The name of a class.
    Class,
    /// A secret.
    Password,
}

/// What the host does with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The host acts on it; the component does not see it.
    Used,
    /// The component gets to see it, and acts on it (alone, but for `connector.class`, by which the host finds the
    /// component).
    PassedOn,
    /// Understood and without effect here, for the reason given; the component does not see it.
    Ignored(&'static str),
}

/// One setting, or a family of them when the name ends in `*`.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name; `topic.creation.*` stands for every name with that beginning.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The default, or `None` when there is none.
    pub default: Option<&'static str>,
    /// What happens with it.
    pub treatment: Treatment,
    /// What it does, in one or two sentences of Markdown, units and ranges included.
    pub doc: &'static str,
}

const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    treatment: Treatment,
    doc: &'static str,
) -> Key {
    Key { name, kind, default, treatment, doc }
}

const CLUSTER: Treatment = Treatment::Ignored(
    "the worker file says which Kafka cluster is used and with which credentials (bootstrap.servers, sasl.*)",
);
const SINK_ONLY: Treatment =
    Treatment::Ignored("a source connector has no dead letter queue, in Kafka Connect neither");
const ONE_VERSION: Treatment = Treatment::Ignored("there is one version of each plugin here");
/// Every setting of the host, in the order in which tables show them.
pub static KEYS: &[Key] = &[
    key(
        "name",
        Kind::String,
        None,
        Treatment::PassedOn,
        "The connector's name: 1 to 64 characters. Offsets are stored under it.",
    ),
    key(
        "connector.class",
        Kind::Class,
        None,
        Treatment::PassedOn,
        "Which connector it is; the component may take its defaults from it.",
    ),
    key(
        "tasks.max",
        Kind::Int,
        Some("1"),
        Treatment::Used,
        "Upper bound on tasks, at least 1. One task runs, whatever the bound.",
    ),
    key(
        "offsets.storage.topic",
        Kind::String,
        None,
        Treatment::Used,
        "An offsets topic of this connector's own. Offsets are written there; where it holds none, they are read from the worker's topic.",
    ),
    key(
        "topic.creation.groups",
        Kind::List,
        Some(""),
        Treatment::Used,
        "Names of groups of topics that are created by their own rules; `default` is always there and last.",
    ),
    key(
        "topic.creation.*",
        Kind::String,
        None,
        Treatment::Used,
        "`topic.creation.default.partitions` and `.replication.factor` let missing topics be created; `topic.creation.<group>.include` and `.exclude` (regular expressions on the whole name), `.partitions`, `.replication.factor` and any topic setting refine it.",
    ),
    key(
        "producer.override.*",
        Kind::String,
        None,
        Treatment::Used,
        "A setting of the Kafka producer: `compression.type`, `compression.gzip.level`, `compression.zstd.level`, `linger.ms`, `batch.size`, `max.request.size`, `delivery.timeout.ms`, `max.block.ms`, `retry.backoff.ms`, `transaction.timeout.ms` (5000 or more; without it, a minute more than a transaction stays open).",
    ),
    key(
        "exactly.once.support",
        Kind::String,
        Some("requested"),
        Treatment::Used,
        "`requested` delivers exactly once where the worker file allows it (`exactly.once.source.support=enabled`), else at least once; `required` refuses to start where it does not. On the embedded log delivery is exactly once in any case.",
    ),
    key(
        "transaction.boundary",
        Kind::String,
        Some("poll"),
        Treatment::Used,
        "With exactly-once delivery, where transactions end: `poll`, with each poll that brought records, or `interval`.",
    ),
    key(
        "transaction.boundary.interval.ms",
        Kind::Long,
        None,
        Treatment::Used,
        "With `transaction.boundary=interval`, milliseconds for which a transaction stays open: 1 to 840000; without it, `offset.flush.interval.ms` of the worker. Consumers see records when it ends.",
    ),
    key("key.converter*", Kind::Class, None, Treatment::PassedOn, "How keys become bytes, with its settings."),
    key("value.converter*", Kind::Class, None, Treatment::PassedOn, "How values become bytes, with its settings."),
    key(
        "header.converter*",
        Kind::Class,
        None,
        Treatment::PassedOn,
        "How header values become bytes, with its settings.",
    ),
    key(
        "transforms*",
        Kind::List,
        Some(""),
        Treatment::PassedOn,
        "Single message transforms, in order, with their settings.",
    ),
    key("predicates*", Kind::List, Some(""), Treatment::PassedOn, "Predicates for transforms, with their settings."),
    key(
        "errors.tolerance",
        Kind::String,
        Some("none"),
        Treatment::PassedOn,
        "`none`: a record that cannot be transformed or converted fails the task; `all`: it is skipped.",
    ),
    key(
        "errors.retry.timeout",
        Kind::Long,
        Some("0"),
        Treatment::PassedOn,
        "Milliseconds for which a failed operation is tried again; -1 for ever.",
    ),
    key(
        "errors.retry.delay.max.ms",
        Kind::Long,
        Some("60000"),
        Treatment::PassedOn,
        "The longest pause between two tries, in milliseconds.",
    ),
    key("errors.log.enable", Kind::Boolean, Some("false"), Treatment::PassedOn, "Whether tolerated errors are logged."),
    key(
        "errors.log.include.messages",
        Kind::Boolean,
        Some("false"),
        Treatment::PassedOn,
        "Whether the log names the record's coordinates.",
    ),
    key("errors.deadletterqueue.*", Kind::String, None, SINK_ONLY, "Where a sink puts records that it cannot write."),
    key(
        "config.action.reload",
        Kind::String,
        Some("restart"),
        Treatment::Ignored("referenced values are read when the connector starts; restart it to read them again"),
        "What happens when a referenced value changes.",
    ),
    key(
        "tasks.max.enforce",
        Kind::Boolean,
        Some("true"),
        Treatment::Ignored("one task runs, so the bound is always kept"),
        "Whether `tasks.max` is enforced.",
    ),
    key("connector.plugin.version", Kind::String, None, ONE_VERSION, "Version of the connector."),
    key(
        "kafka.auth.mode",
        Kind::String,
        None,
        CLUSTER,
        "How a hosted connector logs in to its cluster: `KAFKA_API_KEY` or `SERVICE_ACCOUNT`.",
    ),
    key("kafka.api.key", Kind::Password, None, CLUSTER, "The key of a hosted connector for its cluster."),
    key("kafka.api.secret", Kind::Password, None, CLUSTER, "The secret of a hosted connector for its cluster."),
    key("kafka.service.account.id", Kind::String, None, CLUSTER, "The service account of a hosted connector."),
    key("kafka.endpoint", Kind::String, None, CLUSTER, "The cluster of a hosted connector."),
    key("kafka.region", Kind::String, None, CLUSTER, "The region of a hosted connector's cluster."),
    key("kafka.deployment.type", Kind::String, None, CLUSTER, "The kind of a hosted connector's cluster."),
    key("kafka.dedicated", Kind::Boolean, None, CLUSTER, "Whether a hosted connector's cluster is a dedicated one."),
    key("kafka.max.partition.validation.disable", Kind::Boolean, None, CLUSTER, "Skips a check of a hosted connector."),
    key("cloud.provider", Kind::String, None, CLUSTER, "The cloud of a hosted connector's cluster."),
    key("cloud.environment", Kind::String, None, CLUSTER, "The environment of a hosted connector's cluster."),
    key(
        "datapreview.schemas.enable",
        Kind::Boolean,
        None,
        Treatment::Ignored("it is for the preview of a hosted connector"),
        "Whether a hosted connector's preview shows schemas.",
    ),
    key(
        "connector.egress.whitelist",
        Kind::List,
        None,
        Treatment::Ignored("tributary.network.allow in the worker file says where a component may connect"),
        "Where a hosted connector may connect.",
    ),
    key(
        "auto.restart.on.user.error",
        Kind::Boolean,
        None,
        Treatment::Ignored("the worker restarts what can get well by itself; an error that needs a person stays"),
        "Whether a hosted connector is restarted after an error of its user's making.",
    ),
    key(
        "confluent.license*",
        Kind::Password,
        None,
        Treatment::Ignored("no licence is needed"),
        "The licence of the original connector.",
    ),
    key(
        "confluent.topic*",
        Kind::String,
        None,
        Treatment::Ignored("no licence is needed, so there is no licence topic"),
        "The licence topic of the original connector.",
    ),
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
