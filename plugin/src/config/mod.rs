//! The connector's settings: declared once in `keys`, described by `def`, turned into a typed `SourceConfig` by
//! `validate`.

pub mod def;
mod delivery;
mod errors;
pub mod grant;
pub mod keys;
mod output;
#[cfg(test)]
mod random;
mod registry;
mod settings;
pub mod source;
mod transforms;
pub mod validate;

pub use delivery::{GapConfig, LostPolicy};
pub use errors::ErrorsConfig;
pub use source::{Conversion, InitialStart, SourceConfig, Version};
