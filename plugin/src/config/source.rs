//! `SourceConfig`: the settings, typed and valid. Made by `validate::parse` alone.

use crate::{
    converters::Converter, oauth::Grant, salesforce::push_topic::Notify, topic_template::TopicTemplate,
    transforms::Chain,
};

/// `salesforce.version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// The newest that the org offers.
    Latest,
    /// This one, `67.0`.
    Fixed(String),
}

/// `salesforce.initial.start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialStart {
    /// Events from now on.
    Latest,
    /// Everything retained.
    All,
}

/// The settings of one connector.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// How to log in.
    pub grant: Grant,
    /// `salesforce.instance`, an origin without a slash at its end.
    pub login_origin: String,
    /// `salesforce.version`.
    pub version: Version,
    /// `salesforce.object`.
    pub object: String,
    /// `salesforce.push.topic.name`.
    pub push_topic_name: String,
    /// `salesforce.push.topic.create`.
    pub push_topic_create: bool,
    /// `salesforce.push.topic.notify.*`.
    pub notify: Notify,
    /// `salesforce.initial.start`.
    pub initial_start: InitialStart,
    /// `connection.timeout`, in milliseconds.
    pub connection_timeout_ms: u64,
    /// `request.max.retries.time.ms`.
    pub retries_time_ms: u64,
    /// `salesforce.auth.retries.time.ms`.
    pub auth_retries_time_ms: u64,
    /// `connection.max.message.size`.
    pub response_bytes_max: usize,
    /// `curl.logging`.
    pub log_requests: bool,
    /// `kafka.topic` and `kafka.topic.lowercase`.
    pub topic: TopicTemplate,
    /// Converter of keys.
    pub key_converter: Converter,
    /// Converter of values.
    pub value_converter: Converter,
    /// `transforms` and `predicates`.
    pub chain: Chain,
    /// `tributary.headers.enable`.
    pub event_headers: bool,
    /// `salesforce.replay.lost.policy` and where a lost position is told of.
    pub gap: super::GapConfig,
}
