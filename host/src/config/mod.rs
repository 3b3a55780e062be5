//! What the host reads from files: the worker's settings and each connector's.

mod connector;
mod definition;
mod delivery;
mod document;
mod findings;
mod jaas;
mod kafka;
pub mod keys;
mod login;
mod nearest;
mod producer;
pub mod properties;
mod provider_settings;
mod providers;
mod proxy;
mod secret;
mod security;
mod topic_creation;
mod values;
mod worker;
pub mod worker_keys;

pub use connector::{ConnectorConfig, HostSettings, NAME_CHARS_MAX};
pub use delivery::{Boundary, Delivery, ExactlyOnceSupport};
pub use findings::{ConfigError, Finding, Findings, Loaded, Severity};
pub use kafka::{InternalTopic, KafkaConfig};
pub use login::OwnLogin;
pub use nearest::{did_you_mean, did_you_mean_of};
pub use producer::{Compression, ProducerSettings};
pub use provider_settings::ProviderSettings;
pub use providers::Providers;
pub use proxy::ProxySettings;
pub use secret::{MASK, Secret, is_secret_name, shown};
pub use security::{Pem, Sasl, Security, Tls};
pub use topic_creation::{TopicCreation, TopicPlan};
pub use worker::{NetworkConfig, WorkerConfig};
