//! The Salesforce PushTopic source connector: a sans-io core, and the component around it.
//!
//! The way of one event: `bayeux` finds it in an answer, `salesforce::event` reads its envelope, `salesforce::record` makes
//! a `data::SourceRecord` of it, `converters` the bytes, and `driver` hands it to the host. `task` decides what happens
//! when; `docs/architecture.md` is the map.

pub mod backoff;
pub mod bayeux;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod config;
pub mod connector;
pub mod converters;
pub mod data;
pub mod driver;
pub mod error;
pub mod exchange;
pub mod http;
pub mod java;
pub mod keystore;
pub mod oauth;
pub mod offset;
pub mod preflight;
pub mod registry;
pub mod salesforce;
pub mod secret;
pub mod task;
pub mod telemetry;
pub mod time;
pub mod topic_template;
pub mod transforms;
