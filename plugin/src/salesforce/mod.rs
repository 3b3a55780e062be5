//! Salesforce's documents, typed: what its REST answers and its PushTopic events say, and what becomes of them.

pub mod describe;
pub mod event;
pub mod gap;
pub mod guess;
pub mod limits;
pub mod push_topic;
pub mod push_topic_plan;
mod push_topic_query;
pub mod record;
pub mod repair;
pub mod replay;
pub mod rest;
pub mod schema;
pub mod silence;
pub mod soql;
pub mod supported;
pub mod versions;
pub mod wire_type;
