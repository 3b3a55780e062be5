//! Behaviour of the simulator, rule by rule: each strictness rule accepts one request and refuses another. Implements checklist A
//! of the Salesforce facts page. The core is driven under virtual time; the last part uses real sockets.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod client;
mod cometd;
mod control;
mod events;
mod faults;
mod nonsense;
mod oauth;
mod polls;
mod rest;
mod sockets;
