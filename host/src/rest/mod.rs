//! Kafka Connect's REST API, one resource per file; `app` has the routes, `server` the listener. `tributary validate --json`
//! prints `config_infos`.

mod app;
mod auth;
mod body;
mod cloud;
pub mod config_infos;
mod connectors;
mod cors;
mod error;
mod forward;
mod loggers;
mod metrics;
mod offsets;
mod openapi;
mod plugin_settings;
mod plugins;
mod query;
#[cfg(test)]
mod random;
mod rates;
mod root;
mod server;
mod tls;

pub(crate) use query::encoded;
pub use server::{Server, ServerError};
