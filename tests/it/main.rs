//! The integration tests: the real component in the real host, as a person runs them, against the simulated org, on the
//! embedded log and on a real Kafka broker. `make test` builds what they need.
//!
//! One binary, so that it is linked once and the broker is started once.

mod broker;
mod canaries;
mod captures;
mod clients;
mod cluster;
mod connect_worker;
mod consumer;
mod contract;
mod corpus;
mod embedded;
mod exactly_once;
mod expected;
mod faults;
mod foreign;
mod formats;
mod generated;
mod grants;
mod http;
mod http_proxy;
mod judge;
mod kafka;
mod kill_loop;
mod logins;
mod operate;
mod org;
mod preflight;
mod process;
mod proxy;
mod refusals;
mod registry;
mod rotation;
mod scene;
mod serve;
mod token_endpoint;
mod transforms;
mod workers;
