//! A faithful local Salesforce for streaming clients: OAuth, REST, PushTopics, and CometD with replay and retention.
//!
//! [`Org`] is the whole behaviour, without I/O: requests and the time go in, replies come out. [`Simulator`] is a real HTTP
//! and HTTPS server around one. It is as strict as the real service wherever it is known how strict that is; where it is not, the
//! choice is a switch of [`OrgConfig`].

mod changes;
mod cometd;
mod config;
mod control;
mod date;
mod describe;
mod exchange;
mod faults;
mod generator;
mod id;
mod ledger;
mod oauth;
mod objects;
mod org;
mod prepared;
mod push_topic;
mod replay;
mod rest;
mod server;
mod simulator;
mod soql;
mod tls;

pub use changes::{Change, ChangeError, Changed, Via};
pub use config::{OrgConfig, RetiredVersion, User};
pub use control::HELP as CONTROL_HELP;
pub use exchange::{Answer, HoldId, Reply, Request, Response, Transport};
pub use faults::{ConnectAdvice, Fault, FaultRule, HandshakeReason, Where};
pub use ledger::{Delivery, Event};
pub use objects::{Field, FieldType, ObjectType, Operation};
pub use org::{Org, Stats};
pub use simulator::{Credentials, OrgGuard, Simulator, SimulatorConfig, StartError};
pub use tls::TlsError;
