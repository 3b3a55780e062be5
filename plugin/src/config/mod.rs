//! The connector's settings: declared once in `keys`, described by `def`, turned into a typed `SourceConfig` by
//! `validate`.

pub mod def;
mod grant;
pub mod keys;
mod output;
mod registry;
mod settings;
pub mod source;
pub mod validate;

pub use source::{Conversion, InitialStart, SourceConfig, Version};
