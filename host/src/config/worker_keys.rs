//! The settings of a worker file: one table. Kafka Connect's names (`WorkerConfig`, `DistributedConfig`,
//! `StandaloneConfig`) with their meaning, and ours, which begin with `tributary.`.

use super::keys::{Key, Kind, Treatment};

const fn used(name: &'static str, kind: Kind, default: Option<&'static str>, doc: &'static str) -> Key {
    Key::new(name, kind, default, Treatment::Used, doc)
}

const fn ignored(name: &'static str, reason: &'static str, doc: &'static str) -> Key {
    Key::new(name, Kind::String, None, Treatment::Ignored(reason), doc)
}

const NO_REST: &str = "the REST API of this version does not know it; docs/operations.md says what there is";
const NO_GROUP: &str = "one worker of a group runs everything, and the others stand by";
const NO_JAVA: &str = "there are no Java classes here";

/// Every setting of a worker file, in the order in which tables show them.
pub static WORKER_KEYS: &[Key] = &[
    used(
        "tributary.data.dir",
        Kind::String,
        Some("./tributary-data"),
        "Where the embedded log and its offsets are, used when `bootstrap.servers` is absent.",
    ),
    used(
        "tributary.network.allow",
        Kind::List,
        None,
        "Where a component may connect: origins, `https://*.my.example.com`, `http://127.0.0.1:*`. Plain http, loopback, private and link-local addresses only when listed. Without it, what the component declares.",
    ),
    used(
        "tributary.network.proxy",
        Kind::String,
        None,
        "An HTTP proxy for what components ask: `http://user:password@host:port`.",
    ),
    used(
        "tributary.network.ca.file",
        Kind::String,
        None,
        "A PEM file with more roots to trust for what components ask.",
    ),
    used(
        "tributary.instance.memory.max.bytes",
        Kind::Long,
        Some("67108864"),
        "Memory of one component instance: 1 MiB to 4 GiB.",
    ),
    used(
        "tributary.in.flight.records.max",
        Kind::Int,
        Some("10000"),
        "Records of one connector that Kafka has not acknowledged, at most.",
    ),
    used("tributary.in.flight.bytes.max", Kind::Long, Some("33554432"), "Bytes of those records, at most."),
    used(
        "bootstrap.servers",
        Kind::List,
        None,
        "The Kafka cluster, `host:port`. Without it records go to the embedded log.",
    ),
    used("client.id", Kind::String, Some("tributary"), "The name under which brokers log and limit the worker."),
    used(
        "request.timeout.ms",
        Kind::Int,
        Some("30000"),
        "Milliseconds for which one request to a broker may take: 1000 or more.",
    ),
    used(
        "group.id",
        Kind::String,
        Some("tributary"),
        "The name of the Connect cluster. A connector's transactional id is `<group.id>-<name>-0`. Workers of `tributary serve` with the same name and the same `config.storage.topic` are one Kafka group: one of them runs the connectors, the others stand by.",
    ),
    used(
        "session.timeout.ms",
        Kind::Int,
        Some("10000"),
        "Milliseconds without a heartbeat after which another worker of the group takes over. Brokers allow 6000 or more (`group.min.session.timeout.ms`).",
    ),
    used(
        "heartbeat.interval.ms",
        Kind::Int,
        Some("3000"),
        "Milliseconds between heartbeats to the group's coordinator: a third of `session.timeout.ms`, or less.",
    ),
    used(
        "group.instance.id",
        Kind::String,
        None,
        "A name that this worker alone has and keeps over restarts, `tributary-0` of a StatefulSet: after a crash it goes on at once, where another name waits for `session.timeout.ms`.",
    ),
    used(
        "offset.storage.topic",
        Kind::String,
        Some("tributary-offsets"),
        "The compacted topic that holds the offsets.",
    ),
    used(
        "offset.storage.partitions",
        Kind::Int,
        Some("25"),
        "Its partitions, when it is created; -1 for the broker's default.",
    ),
    used(
        "offset.storage.replication.factor",
        Kind::Int,
        Some("3"),
        "Its replicas, when it is created; -1 for the broker's default.",
    ),
    used("offset.storage.*", Kind::String, None, "Any other setting of that topic, when it is created."),
    used(
        "offset.flush.interval.ms",
        Kind::Long,
        Some("60000"),
        "Milliseconds between two writes of a connector's offset. After a crash, records of at most this time come again.",
    ),
    used("plugin.path", Kind::List, Some(""), "Component files, or directories with component files."),
    used(
        "topic.creation.enable",
        Kind::Boolean,
        Some("true"),
        "Whether connectors may have missing topics created by `topic.creation.*`.",
    ),
    used("topic.creation.*", Kind::String, None, "Defaults for connectors that lack these settings."),
    used("key.converter*", Kind::Class, None, "Converter of connectors that name none for keys, with its settings."),
    used(
        "value.converter*",
        Kind::Class,
        None,
        "Converter of connectors that name none for values, with its settings.",
    ),
    used(
        "header.converter*",
        Kind::Class,
        None,
        "Converter of connectors that name none for headers, with its settings.",
    ),
    used(
        "producer.*",
        Kind::String,
        None,
        "Settings of the Kafka producer; the same as `producer.override.*` of a connector.",
    ),
    used(
        "exactly.once.source.support",
        Kind::String,
        Some("disabled"),
        "`enabled`: connectors are delivered exactly once, each poll's records and their offset in one transaction. `disabled` and `preparing`: at least once.",
    ),
    used(
        "config.providers",
        Kind::List,
        Some(""),
        "Names of providers for references, each with its `config.providers.NAME.class`: `EnvVarConfigProvider`, `FileConfigProvider`, `DirectoryConfigProvider`. `env`, `file` and `dir` are there without it.",
    ),
    used(
        "config.providers.*",
        Kind::String,
        None,
        "Their limits: `config.providers.file.param.allowed.paths`, `config.providers.dir.param.allowed.paths`, the directories below which files may be read (without it: everywhere), and `config.providers.env.param.allowlist.pattern`.",
    ),
    used("security.protocol", Kind::String, Some("PLAINTEXT"), "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`."),
    used(
        "sasl.*",
        Kind::String,
        None,
        "How to log in: `sasl.mechanism` (`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER`) and `sasl.jaas.config`.",
    ),
    used("ssl.*", Kind::String, None, "TLS: `ssl.truststore.*` and `ssl.keystore.*` as PEM, `ssl.key.password`."),
    ignored("consumer.*", "only security settings are taken from consumer.*", "Settings of consumers."),
    ignored("admin.*", "only security settings are taken from admin.*", "Settings of admin clients."),
    ignored(
        "offset.storage.file.filename",
        "offsets are in offset.storage.topic, or beside the embedded log",
        "The offsets file of a standalone worker.",
    ),
    ignored(
        "offset.flush.timeout.ms",
        "an offset that cannot be written is tried again for delivery.timeout.ms",
        "Milliseconds for writing an offset.",
    ),
    used(
        "config.storage.topic",
        Kind::String,
        Some("tributary-configs"),
        "The compacted topic in which `tributary serve` keeps its connectors, as Kafka Connect does; created with one partition. Without `bootstrap.servers` they are kept beside the embedded log.",
    ),
    used(
        "config.storage.replication.factor",
        Kind::Int,
        Some("3"),
        "Replicas of that topic when it is created; -1: the brokers' default.",
    ),
    used("config.storage.*", Kind::String, None, "Other settings of that topic when it is created."),
    used(
        "status.storage.topic",
        Kind::String,
        Some("tributary-status"),
        "The compacted topic in which `tributary serve` notes where connectors and tasks stand and which topics they used, as Kafka Connect does.",
    ),
    used("status.storage.partitions", Kind::Int, Some("5"), "Partitions of that topic when it is created."),
    used(
        "status.storage.replication.factor",
        Kind::Int,
        Some("3"),
        "Replicas of that topic when it is created; -1: the brokers' default.",
    ),
    used("status.storage.*", Kind::String, None, "Other settings of that topic when it is created."),
    used(
        "listeners",
        Kind::List,
        Some("http://127.0.0.1:8083"),
        "Where the REST API of `tributary serve` listens: one IP address and port, `http://127.0.0.1:8083` or `https://0.0.0.0:8083`. On another address than loopback somebody has to say who may ask: `tributary.rest.auth.file`, or clients' certificates. `tributary run` has none.",
    ),
    used(
        "listeners.https.*",
        Kind::String,
        None,
        "Its TLS, in PEM: `listeners.https.ssl.keystore.location` with `...keystore.type=PEM`, or `...keystore.certificate.chain` and `...keystore.key`; for clients' certificates `...ssl.client.auth=required` and `...ssl.truststore.*`.",
    ),
    used(
        "tributary.rest.auth.file",
        Kind::String,
        None,
        "Users of the REST API in basic authentication: a properties file, `name=password` or `name=$argon2id$...` on each line. `/livez` and `/readyz` need none.",
    ),
    used(
        "tributary.data.key.file",
        Kind::String,
        None,
        "Keys that encrypt the configurations of connectors which `tributary serve` keeps in `tributary.data.dir` (AES-256-GCM): 32 bytes in base64 on each line, as `openssl rand -base64 32` makes them, the newest first. Older keys below it still open; at the next start everything is encrypted with the newest. On Kafka configurations stand as Kafka Connect writes them: use references to secrets there.",
    ),
    used(
        "tributary.rest.auth.tokens.file",
        Kind::String,
        None,
        "Bearer tokens of the REST API: a properties file, `name=token` or `name=sha256:...` (of the token, in hexadecimal digits) on each line; the name is who asked, in the audit line. May stand beside `tributary.rest.auth.file`.",
    ),
    used(
        "tributary.rest.requests.per.second.max",
        Kind::Int,
        Some("200"),
        "Requests that one address may make in a second, after a burst of as many; more are answered with 429. 0: no bound.",
    ),
    used(
        "access.control.allow.origin",
        Kind::List,
        Some(""),
        "Origins whose pages may ask the REST API (CORS), `https://console.example.com`; `*` for all, without credentials.",
    ),
    used(
        "access.control.allow.methods",
        Kind::List,
        Some(""),
        "Methods that such pages may use; without it `GET,POST,HEAD`.",
    ),
    used(
        "rest.advertised.host.name",
        Kind::String,
        None,
        "The host by which `worker_id` in a status names this worker; without it the address of `listeners`, or the machine's name where that is every address.",
    ),
    used("rest.advertised.port", Kind::Int, None, "The port in `worker_id`; without it that of `listeners`."),
    ignored("rest.*", NO_REST, "The REST API."),
    ignored("admin.listeners*", NO_REST, "Where the admin API listens."),
    ignored("response.http.headers.config", NO_REST, "Headers of the REST API."),
    ignored("inter.worker.*", NO_GROUP, "How workers trust each other."),
    ignored("rebalance.timeout.ms", NO_GROUP, "Group membership."),
    ignored("worker.sync.timeout.ms", NO_GROUP, "Group membership."),
    ignored("worker.unsync.backoff.ms", NO_GROUP, "Group membership."),
    ignored("scheduled.rebalance.max.delay.ms", NO_GROUP, "Group membership."),
    ignored("connect.protocol", NO_GROUP, "Group membership."),
    ignored("task.shutdown.graceful.timeout.ms", "a task is given 10 s to stop", "Milliseconds for a task to stop."),
    used(
        "topic.tracking.enable",
        Kind::Boolean,
        Some("true"),
        "Whether `/connectors/NAME/topics` tells which topics a connector used.",
    ),
    used("topic.tracking.allow.reset", Kind::Boolean, Some("true"), "Whether it may be asked to forget them."),
    ignored(
        "connector.client.config.override.policy",
        "every producer.override.* is allowed",
        "What connectors may override.",
    ),
    ignored("internal.*", "state is always in JSON", "Converters of the worker's own state."),
    ignored("plugin.discovery", NO_JAVA, "How plugins are found."),
    ignored("metric.reporters", NO_JAVA, "Java metrics."),
    ignored("metrics.*", NO_JAVA, "Java metrics."),
    ignored("auto.include.jmx.reporter", NO_JAVA, "Java metrics."),
    ignored("client.dns.lookup", "every address of a broker's name is tried", "How names are resolved."),
    ignored("metadata.*", "the client's own value is used", "How the cluster is watched."),
    ignored("connections.max.idle.ms", "the client's own value is used", "When idle connections end."),
    ignored("reconnect.backoff.*", "the client's own value is used", "Pauses between connections."),
    ignored("retry.backoff.*", "the client's own value is used", "Pauses between requests."),
    ignored("send.buffer.bytes", "the operating system's value is used", "Socket buffers."),
    ignored("receive.buffer.bytes", "the operating system's value is used", "Socket buffers."),
    ignored("socket.connection.setup.timeout.*", "a connection is given 10 s", "How long a connection may take."),
    ignored("security.providers", NO_JAVA, "Java security."),
    ignored("confluent.*", "no licence is needed", "Settings of another distribution."),
];
