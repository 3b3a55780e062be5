//! A Bayeux 1.0 client over long-polling, without I/O (CometD reference, "The Bayeux Protocol"). It knows messages,
//! sessions and cookies; what travels in `ext` and in `data` is handed in and out.

pub mod cookies;
pub mod error;
pub mod message;
pub mod session;

pub use session::{Reading, Refusal, Session};
