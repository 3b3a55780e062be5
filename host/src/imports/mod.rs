//! What a component can reach: one module for each import, policy apart from plumbing.

pub mod allow_list;
pub mod http;
pub(crate) mod producer;
pub(crate) mod telemetry;
