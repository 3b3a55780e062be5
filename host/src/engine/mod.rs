//! The component runtime: wasmtime, set up so that one process holds many tenants' connectors, each in a sandbox with
//! bounds on memory, computing time and what the host keeps for it.
//!
//! `Engine` (one in a process) → `Component` (one for each file; compiled or from the `cache`, linked, checked against
//! the contract) → `Instance` (one for each life of a task; a store that is dropped when anything goes wrong in it).

mod cache;
mod component;
mod contract;
#[expect(clippy::module_inception, reason = "one file per noun")]
mod engine;
mod instance;
mod limits;
mod linker;
mod state;
#[cfg(test)]
mod tests;
mod ticker;

pub use cache::{Cache, digest};
pub use component::{Catalogue, CatalogueError, Component, ComponentError, Source};
pub use contract::{
    ConfigDefinition, ConfigType, ConfigValue, Conversion, Description, Failure, FailureKind, Importance, Plugin,
    PluginKind, PreflightProgress, Progress, Width,
};
pub use engine::{Engine, EngineError};
pub use instance::{CallError, Instance, InstanceParts, Trapped};
pub use limits::{INSTANCE_MEMORY_BYTES_MAX, INSTANCE_MEMORY_BYTES_MAX_DEFAULT, INSTANCE_MEMORY_BYTES_MIN, Limits};
pub(crate) use state::HostState;
pub use ticker::CALL_COMPUTE_MAX;
