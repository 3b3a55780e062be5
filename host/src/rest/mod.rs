//! What Kafka Connect's REST API speaks of, one resource per file. `tributary validate --json` prints the same.

pub mod config_infos;
mod plugin_settings;
#[cfg(test)]
mod random;
