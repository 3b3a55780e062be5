//! Tributary's host: runs connector components and carries their records into Kafka. `docs/architecture.md` is the map.

pub mod config;
pub mod embedded;
pub mod kafka;
pub mod offsets;
pub mod record;
pub mod sink;
