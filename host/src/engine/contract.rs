//! What a component says about itself and about its work: the contract's `source` interface (`wit/source.wit`,
//! `wit/types.wit`) in plain Rust, so that the worker and the command line do not depend on the component runtime.

use serde::Serialize;

use crate::{
    check::Check,
    record::{ProducerRecord, SourceOffset},
};

/// The type of a setting, named as Kafka Connect's `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Kafka Connect's")]
pub enum ConfigType {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

/// Kafka Connect's `ConfigDef.Importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Kafka Connect's")]
pub enum Importance {
    High,
    Medium,
    Low,
}

/// Kafka Connect's `ConfigDef.Width`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Kafka Connect's")]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

/// One setting that a component understands. Serialised with the names of Kafka Connect's REST API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigDefinition {
    /// The property.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub config_type: ConfigType,
    /// Whether a configuration without it is invalid.
    pub required: bool,
    /// The value when it is not given.
    pub default_value: Option<String>,
    /// How much it matters.
    pub importance: Importance,
    /// What it does, in Markdown.
    pub documentation: String,
    /// What values are valid, in words; empty when any is.
    pub valid_values: String,
    /// The group that tables show it in.
    pub group: String,
    /// Its place in the group.
    pub order_in_group: i32,
    /// How wide a form would show it.
    pub width: Width,
    /// What a form would call it.
    pub display_name: String,
    /// Settings whose validity or visibility depends on this one.
    pub dependents: Vec<String>,
    /// The value names a file, whose content the host hands over in its place.
    pub is_file: bool,
}

/// What a plugin does with records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginKind {
    /// Changes or drops them.
    Transformation,
    /// Tells which a transformation is applied to.
    Predicate,
}

/// A transformation or predicate that a component has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plugin {
    /// The class, in every form in which a configuration may name it.
    pub classes: Vec<String>,
    /// What it does with records.
    #[serde(rename = "type")]
    pub kind: PluginKind,
    /// What it does, in Markdown.
    pub documentation: String,
    /// Its settings, without their prefix.
    pub config: Vec<ConfigDefinition>,
}

/// What a component is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// The values of `connector.class` that mean it; the first is its proper name.
    pub classes: Vec<String>,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// Origin patterns where it means to connect.
    pub network: Vec<String>,
    /// Every setting, in the order of tables.
    pub config: Vec<ConfigDefinition>,
    /// Its transformations and predicates.
    pub plugins: Vec<Plugin>,
}

/// What a component's validation found out about one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigValue {
    /// The property.
    pub name: String,
    /// The value in effect; none for passwords.
    pub value: Option<String>,
    /// Values that would make sense.
    pub recommended_values: Vec<String>,
    /// Why the value is invalid; each is one sentence that says what to do.
    pub errors: Vec<String>,
    /// What is allowed but surely not meant.
    pub warnings: Vec<String>,
    /// False when other settings make it irrelevant.
    pub visible: bool,
}

/// What a configuration makes of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// This record.
    Made(ProducerRecord),
    /// Nothing: it is left out.
    Dropped,
    /// It cannot be turned into a record, for this reason.
    Failed(String),
}

/// What went wrong in a component, by what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The configuration, or what it names on the far side, must be changed.
    Config,
    /// Credentials or rights were refused.
    Auth,
    /// The far side asked for less; the retry time is used up.
    Throttled,
    /// The far side cannot be reached or is not well; the retry time is used up.
    Transient,
    /// The far side no longer holds the events after the committed offset.
    OffsetLost,
    /// One event cannot be turned into a record.
    BadRecord,
    /// A defect, or a state from which the instance cannot go on.
    Fatal,
}

impl FailureKind {
    /// The name as the contract spells it; stable, for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Auth => "auth",
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::OffsetLost => "offset-lost",
            Self::BadRecord => "bad-record",
            Self::Fatal => "fatal",
        }
    }
}

/// Why a component gave up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Failure {
    /// What can be done about it.
    pub kind: FailureKind,
    /// The far side's code, or one of the component's own.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Milliseconds before a new instance has a chance of faring better.
    pub retry_after_ms: Option<u64>,
}

/// What one call of `preflight` did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreflightProgress {
    /// What it found out.
    pub checks: Vec<Check>,
    /// Topics to which records will go, as far as they became known.
    pub topics: Vec<String>,
    /// Whether everything has been looked at.
    pub done: bool,
}

/// What one call of `poll` did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Records handed over during the call.
    pub sent: u32,
    /// The offset after the last record ever sent.
    pub offset: Option<SourceOffset>,
    /// Milliseconds for which the component has nothing to do; 0: call again at once.
    pub next_poll_after_ms: u32,
}
