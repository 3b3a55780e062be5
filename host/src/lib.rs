//! Tributary's host: runs connector components and carries their records into Kafka. `docs/architecture.md` is the map.

mod bindings;
mod bucket;
pub mod check;
pub mod cli;
pub mod config;
mod convert;
pub mod embedded;
pub mod engine;
pub mod exposition;
pub mod herder;
pub mod imports;
pub mod kafka;
mod labels;
pub mod offsets;
pub mod record;
pub mod rest;
pub mod sink;
pub mod store;
pub mod telemetry;
#[cfg(test)]
mod testing;
mod web_client;
pub mod worker;
