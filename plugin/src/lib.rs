//! The Salesforce PushTopic source connector: a sans-io core, and the component around it.

pub mod converters;
pub mod data;
pub mod salesforce;
pub mod topic_template;
