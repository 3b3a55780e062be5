//! The integration tests: the real component in the real host, as a person runs them, against the simulated org, on the
//! embedded log and on a real Kafka broker. `make test` builds what they need.
//!
//! One binary, so that it is linked once and the broker is started once.

mod broker;
mod consumer;
mod contract;
mod embedded;
mod exactly_once;
mod expected;
mod faults;
mod generated;
mod judge;
mod kafka;
mod kill_loop;
mod org;
mod process;
mod proxy;
mod refusals;
mod scene;
