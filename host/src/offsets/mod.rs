//! Offsets: which one may be stored (`submitted`), and how it looks in storage (`connect_format`).

pub mod connect_format;
mod submitted;

pub use submitted::{Bounds, Submitted, Ticket};
