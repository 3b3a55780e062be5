//! The imports `wasi:http/outgoing-handler` and `wasi:http/types`: requests of a component, over a pooled client that
//! the tasks of a worker share.
//!
//! Policy is in `allow_list`; here is the way: `Outgoing` (one for each instance: bound on requests in flight) →
//! `Client` (pool, time-outs) → `Dialer` (resolve, vet every address, connect, perhaps through a proxy) → TLS. Responses
//! stream to the guest; nothing is followed, stored or unpacked here: no redirects, no cookies, no content codings.

mod body;
mod client;
mod dial;
mod error;
mod outgoing;
mod probe;
mod proxy;
mod tls;

pub use client::{Client, Clients};
pub use error::NetworkError;
pub(crate) use outgoing::Outgoing;
