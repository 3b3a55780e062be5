//! `SourceConfig`: the settings, typed and valid. Made by `validate::parse` alone.

use std::sync::Arc;

use crate::{
    converters::{Converter, wire_format::IdForm},
    oauth::Grant,
    registry::Registry,
    salesforce::push_topic::Notify,
    topic_template::TopicTemplate,
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
    /// `salesforce.describe.refresh.ms`; 0: only when an event makes it necessary.
    pub describe_refresh_ms: u64,
    /// `salesforce.stall.detect.ms`; 0: a silence is never looked into.
    pub stall_detect_ms: u64,
    /// `curl.logging`.
    pub log_requests: bool,
    /// `kafka.topic` and `kafka.topic.lowercase`.
    pub topic: TopicTemplate,
    /// How keys are converted.
    pub key: Conversion,
    /// How values are converted.
    pub value: Conversion,
    /// `transforms` and `predicates`.
    pub chain: Chain,
    /// `tributary.headers.enable`.
    pub event_headers: bool,
    /// What becomes of events that cannot become records.
    pub errors: super::ErrorsConfig,
    /// `salesforce.replay.lost.policy` and where a lost position is told of.
    pub gap: super::GapConfig,
}

/// How the keys or the values of records are converted.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// The converter.
    pub converter: Converter,
    /// Where its schemas get their ids, if it has such.
    pub registry: Option<Arc<Registry>>,
    /// `*.schema.id.serializer`: where a record says which schema it has.
    pub id_form: IdForm,
}
