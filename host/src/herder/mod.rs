//! Connectors as a service: what is wanted of each, kept over restarts, and made so. `state` decides, `herder` does,
//! `recorder` writes down where things stand.

mod error;
#[expect(clippy::module_inception, reason = "the noun of the module, in a file of its own")]
mod herder;
mod recorder;
pub mod state;

pub use error::HerderError;
pub use herder::{Herder, Parts, Role, Shown};
