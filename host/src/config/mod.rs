//! What the host reads from files: the worker's settings and each connector's.

use std::path::PathBuf;

/// The worker's settings, from the worker file.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// `tributary.data.dir`: where the embedded log is.
    pub data_dir: PathBuf,
    /// Everything about Kafka, or `None` for the embedded log (no `bootstrap.servers`).
    pub kafka: Option<KafkaConfig>,
    /// Where components may connect.
    pub network: NetworkConfig,
    /// `tributary.instance.memory.max.bytes`.
    pub instance_memory_max_bytes: usize,
    /// `offset.flush.interval.ms`.
    pub offset_flush_interval_ms: u64,
    /// `plugin.path`: files or directories.
    pub plugin_path: Vec<PathBuf>,
    /// Defaults for connectors: `key.converter*`, `value.converter*`, `topic.creation.*` of the worker file.
    pub connector_defaults: Vec<(String, String)>,
}

/// How to reach Kafka. Filled in with `kafka/`.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// `bootstrap.servers`.
    pub bootstrap_servers: String,
}

/// What of the network a component may use.
#[derive(Clone, Debug, Default)]
pub struct NetworkConfig {
    /// `tributary.network.allow`; `None`: what the component declares.
    pub allow: Option<Vec<String>>,
    /// `tributary.network.proxy`.
    pub proxy: Option<String>,
    /// `tributary.network.ca.file`.
    pub ca_file: Option<PathBuf>,
}

/// One connector: what the host needs, and what it hands to the component.
#[derive(Clone, Debug)]
pub struct ConnectorConfig {
    /// `name`.
    pub name: String,
    /// `connector.class`.
    pub class: String,
    /// Every property as given, secrets resolved, in the file's order.
    pub properties: Vec<(String, String)>,
    /// What the component gets: `properties` without those that are the host's alone.
    pub component_properties: Vec<(String, String)>,
}
