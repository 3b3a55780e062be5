//! Every fact of the connector's life that is worth reporting, as a type: its level, name, sentence and fields come from
//! here and from nowhere else. Neither payloads nor secrets can be put into one.

use crate::{error::Cause, exchange::Exchange, salesforce::replay};

/// How much a fact matters: the contract's `telemetry.level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The task ends.
    Error,
    /// Somebody should know.
    Warn,
    /// The story of a connector.
    Info,
    /// Details.
    Debug,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A token was issued.
    LoggedIn {
        /// The instance's origin.
        instance: String,
    },
    /// The org's clock and this machine's differ; an assertion gets the org's time.
    ClockOff {
        /// By how much the org's is ahead, in milliseconds.
        ahead_ms: i64,
    },
    /// The certificate that stands with the signing key has expired, or will soon.
    Certificate {
        /// A sentence with what to do.
        warning: String,
    },
    /// The org gave another refresh token in place of the configured one.
    RefreshTokenRotated,
    /// The object was described.
    Described {
        /// The object.
        object: String,
        /// API version in use.
        version: String,
        /// Number of fields.
        fields: usize,
    },
    /// Field types that the schema has as text because they are not known.
    UnknownTypes {
        /// `field: type`, a few of them.
        fields: Vec<String>,
    },
    /// The PushTopic was found as it should be.
    PushTopicFound {
        /// Its name.
        name: String,
        /// Its id.
        id: String,
    },
    /// The PushTopic was created.
    PushTopicCreated {
        /// Its name.
        name: String,
        /// Its id.
        id: String,
        /// How many fields its query selects.
        fields: usize,
        /// Fields that it does not select.
        left_out: Vec<String>,
    },
    /// The PushTopic differs from what the connector would have made.
    PushTopicDrift {
        /// Its name.
        name: String,
        /// The differences, each a sentence.
        differences: Vec<String>,
    },
    /// A subscription stands.
    Subscribed {
        /// The channel.
        channel: String,
        /// The replay id given.
        replay_from: i64,
        /// When, milliseconds since the epoch.
        at_ms: i64,
    },
    /// The session is gone; a new one follows.
    SessionLost {
        /// Why.
        cause: Cause,
        /// Milliseconds until the next attempt.
        wait_ms: u64,
        /// Failures in a row.
        attempts: u32,
    },
    /// Nothing came while the org changed; a new session follows.
    Stalled {
        /// Milliseconds without an event.
        silent_ms: u64,
        /// Milliseconds until the next look, if the silence lasts.
        wait_ms: u64,
    },
    /// A quota is used up; the task waits.
    Throttled {
        /// Why.
        cause: Cause,
        /// Milliseconds until the next attempt.
        wait_ms: u64,
    },
    /// Events of an answer were read. Counted, and no line in the log.
    EventsRead {
        /// How many.
        count: u64,
    },
    /// What the org said about its daily API requests. Shown as gauges, and no line in the log.
    ApiUsage {
        /// Used up.
        used: u64,
        /// Allowed.
        max: u64,
    },
    /// Events that had been sent before were dropped.
    RepeatsDropped {
        /// How many.
        count: u64,
    },
    /// Events stood in an answer against the order of their replay ids, and were put in order.
    Disordered {
        /// How many.
        count: u64,
    },
    /// Fields that events carry and the schema does not have.
    UnknownFields {
        /// Their names, a few of them.
        fields: Vec<String>,
    },
    /// Events that cannot become records were skipped, as `errors.tolerance` says.
    EventsSkipped {
        /// How many.
        count: u64,
        /// Why, where that is to be logged; a few.
        reasons: Vec<String>,
    },
    /// The schema registry gave a schema its id.
    SchemaIdKnown {
        /// The subject.
        subject: String,
        /// The id.
        id: i32,
        /// `AVRO`, `JSON` or `PROTOBUF`.
        schema_type: &'static str,
    },
    /// The schema registry is away, or not well; another try follows.
    RegistryAway {
        /// Why.
        cause: Cause,
        /// Milliseconds until the next attempt.
        wait_ms: u64,
    },
    /// Messages on channels that nobody subscribed to.
    Strays {
        /// How many.
        count: u64,
    },
    /// A transform has something to say, such as that it dropped a tombstone.
    TransformNote {
        /// The sentence.
        message: String,
    },
    /// The stored position is lost.
    PositionLost {
        /// The position.
        from_replay_id: i64,
        /// `REPLAY_ID_REFUSED`, `PUSH_TOPIC_RECREATED`.
        reason: &'static str,
        /// What happened.
        message: String,
        /// What is done about it.
        policy: &'static str,
    },
    /// What changed since the last event was read and sent.
    Repaired {
        /// How many rows.
        rows: usize,
    },
    /// The session was ended by us.
    SaidGoodbye,
    /// The task cannot go on.
    Failed {
        /// The failure's code.
        code: String,
        /// Its sentence.
        message: String,
    },
    /// A request was answered, or will not be: what `curl.logging` shows.
    Exchanged(Exchange),
    /// A request is about to be made.
    Requesting {
        /// Method, URL and size.
        request: String,
    },
}

impl Event {
    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Failed { .. } | Self::PositionLost { .. } => Level::Error,
            Self::ClockOff { .. }
            | Self::Certificate { .. }
            | Self::RefreshTokenRotated
            | Self::UnknownTypes { .. }
            | Self::PushTopicDrift { .. }
            | Self::SessionLost { .. }
            | Self::Stalled { .. }
            | Self::Throttled { .. }
            | Self::Disordered { .. }
            | Self::UnknownFields { .. }
            | Self::EventsSkipped { .. }
            | Self::RegistryAway { .. }
            | Self::Strays { .. }
            | Self::TransformNote { .. } => Level::Warn,
            Self::Requesting { .. } => Level::Debug,
            Self::LoggedIn { .. }
            | Self::Described { .. }
            | Self::PushTopicFound { .. }
            | Self::PushTopicCreated { .. }
            | Self::Subscribed { .. }
            | Self::RepeatsDropped { .. }
            | Self::EventsRead { .. }
            | Self::ApiUsage { .. }
            | Self::Exchanged(_)
            | Self::SchemaIdKnown { .. }
            | Self::Repaired { .. }
            | Self::SaidGoodbye => Level::Info,
        }
    }

    /// A short stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::LoggedIn { .. } => "logged-in",
            Self::ClockOff { .. } => "clock-off",
            Self::Certificate { .. } => "certificate",
            Self::RefreshTokenRotated => "refresh-token-rotated",
            Self::Described { .. } => "described",
            Self::UnknownTypes { .. } => "unknown-types",
            Self::PushTopicFound { .. } => "push-topic-found",
            Self::PushTopicCreated { .. } => "push-topic-created",
            Self::PushTopicDrift { .. } => "push-topic-drift",
            Self::Subscribed { .. } => "subscribed",
            Self::SessionLost { .. } => "session-lost",
            Self::Stalled { .. } => "stalled",
            Self::Throttled { .. } => "throttled",
            Self::EventsRead { .. } => "events-read",
            Self::ApiUsage { .. } => "api-usage",
            Self::RepeatsDropped { .. } => "repeats-dropped",
            Self::Disordered { .. } => "events-disordered",
            Self::UnknownFields { .. } => "unknown-fields",
            Self::EventsSkipped { .. } => "events-skipped",
            Self::SchemaIdKnown { .. } => "schema-id-known",
            Self::RegistryAway { .. } => "registry-away",
            Self::Strays { .. } => "stray-messages",
            Self::TransformNote { .. } => "transform-note",
            Self::PositionLost { .. } => "position-lost",
            Self::Repaired { .. } => "repaired",
            Self::SaidGoodbye => "said-goodbye",
            Self::Failed { .. } => "failed",
            Self::Exchanged(_) => "exchanged",
            Self::Requesting { .. } => "requesting",
        }
    }

    /// A sentence for people.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::LoggedIn { instance } => format!("Logged in; the instance is {instance}"),
            Self::ClockOff { ahead_ms } => format!(
                "The org's clock is {} s {} this machine's; the login is tried once more with the org's time. Set this machine's clock",
                ahead_ms.unsigned_abs() / 1_000,
                if *ahead_ms < 0 { "behind" } else { "ahead of" }
            ),
            Self::Certificate { warning } => warning.clone(),
            Self::RefreshTokenRotated => "The org gave another refresh token in place of oauth.refresh.token. It is used while the connector runs, and is not stored: a new start needs one that is still good. Turn refresh token rotation off for the app".into(),
            Self::Described { object, version, fields } => {
                format!("{object} has {fields} fields in API version {version}")
            }
            Self::UnknownTypes { fields } => {
                format!("Fields of unknown types are carried as text: {}", fields.join(", "))
            }
            Self::PushTopicFound { name, id } => format!("PushTopic {name} ({id}) is there"),
            Self::PushTopicCreated { name, id, fields, left_out } if left_out.is_empty() => {
                format!("PushTopic {name} ({id}) was created with all {fields} fields")
            }
            Self::PushTopicCreated { name, id, fields, left_out } => format!(
                "PushTopic {name} ({id}) was created with {fields} fields; not selected, as text areas or of types that PushTopics may refuse: {}",
                left_out.join(", ")
            ),
            Self::PushTopicDrift { name, differences } => format!(
                "PushTopic {name} is used as it is, though it differs from what this configuration would create: {}",
                differences.join("; ")
            ),
            Self::Subscribed { channel, replay_from, .. } => match *replay_from {
                replay::TIP => format!("Subscribed to {channel}, from now on"),
                replay::RETAINED => format!("Subscribed to {channel}, from the oldest retained event"),
                id => format!("Subscribed to {channel}, from after replayId {id}"),
            },
            Self::SessionLost { cause, wait_ms, attempts } => {
                format!("{}; trying again in {wait_ms} ms (attempt {attempts})", cause.message)
            }
            Self::Stalled { silent_ms, wait_ms } => format!(
                "No event came for {} s, though the object has changed; a new session goes on from the last position. If that brings nothing (PushTopics do not tell of every change), the next look comes after {} s",
                silent_ms / 1_000,
                wait_ms / 1_000
            ),
            Self::Throttled { cause, wait_ms } => format!(
                "{}; waiting {} s. Salesforce retains events for 24 hours",
                cause.message,
                wait_ms.div_ceil(1_000)
            ),
            Self::EventsRead { count } => format!("{count} events were read"),
            Self::ApiUsage { used, max } => format!("{used} of {max} daily API requests are used up"),
            Self::RepeatsDropped { count } => format!("{count} events came again and were dropped"),
            Self::Disordered { count } => {
                format!("{count} events stood out of order in one answer and were put in the order of their replay ids")
            }
            Self::UnknownFields { fields } => format!(
                "Events carry fields that the object's describe does not have: {}. They are left out; the user may lack the right to read them",
                fields.join(", ")
            ),
            Self::EventsSkipped { count, reasons } => {
                let events = if *count == 1 { "event was" } else { "events were" };
                let more = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
                format!("{count} {events} skipped, as errors.tolerance=all allows{more}")
            }
            Self::SchemaIdKnown { subject, id, schema_type } => {
                format!("The {schema_type} schema of {subject} has the id {id} in the schema registry")
            }
            Self::RegistryAway { cause, wait_ms } => format!("{}; trying again in {wait_ms} ms", cause.message),
            Self::Strays { count } => format!("{count} messages on other channels were ignored"),
            Self::TransformNote { message } => message.clone(),
            Self::PositionLost { from_replay_id, message, policy, .. } => format!(
                "The position after replayId {from_replay_id} is lost: {message}. salesforce.replay.lost.policy is {policy}"
            ),
            Self::Repaired { rows } => format!("{rows} rows that changed since the last event were read and sent"),
            Self::SaidGoodbye => "Unsubscribed and disconnected; Salesforce retains events for 24 hours".into(),
            Self::Failed { code, message } => format!("{message} [{code}]"),
            Self::Exchanged(exchange) => exchange.message(),
            Self::Requesting { request } => request.clone(),
        }
    }

    /// The same facts for machines.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::LoggedIn { instance } => vec![("instance", instance.clone())],
            Self::Described { object, version, fields } => {
                vec![("object", object.clone()), ("version", version.clone()), ("fields", fields.to_string())]
            }
            Self::PushTopicFound { name, id } | Self::PushTopicCreated { name, id, .. } => {
                vec![("push_topic", name.clone()), ("id", id.clone())]
            }
            Self::ApiUsage { used, max } => vec![("used", used.to_string()), ("max", max.to_string())],
            Self::PushTopicDrift { name, .. } => vec![("push_topic", name.clone())],
            Self::Subscribed { channel, replay_from, .. } => {
                vec![("channel", channel.clone()), ("replay_from", replay_from.to_string())]
            }
            Self::SessionLost { cause, wait_ms, attempts } => {
                vec![("code", cause.code.clone()), ("wait_ms", wait_ms.to_string()), ("attempts", attempts.to_string())]
            }
            Self::Stalled { silent_ms, .. } => vec![("silent_ms", silent_ms.to_string())],
            Self::Throttled { cause, wait_ms } => {
                vec![("code", cause.code.clone()), ("wait_ms", wait_ms.to_string())]
            }
            Self::EventsSkipped { count, .. }
            | Self::EventsRead { count }
            | Self::RepeatsDropped { count }
            | Self::Disordered { count }
            | Self::Strays { count } => {
                vec![("count", count.to_string())]
            }
            Self::PositionLost { from_replay_id, reason, policy, .. } => vec![
                ("from_replay_id", from_replay_id.to_string()),
                ("reason", (*reason).to_owned()),
                ("policy", (*policy).to_owned()),
            ],
            Self::Repaired { rows } => vec![("rows", rows.to_string())],
            Self::SchemaIdKnown { subject, id, schema_type } => {
                vec![("subject", subject.clone()), ("id", id.to_string()), ("schema_type", (*schema_type).to_owned())]
            }
            Self::RegistryAway { cause, wait_ms } => {
                vec![("code", cause.code.clone()), ("wait_ms", wait_ms.to_string())]
            }
            Self::Failed { code, .. } => vec![("code", code.clone())],
            Self::Exchanged(exchange) => exchange.fields(),
            Self::ClockOff { ahead_ms } => vec![("ahead_ms", ahead_ms.to_string())],
            Self::UnknownTypes { .. }
            | Self::UnknownFields { .. }
            | Self::Certificate { .. }
            | Self::TransformNote { .. }
            | Self::RefreshTokenRotated
            | Self::SaidGoodbye
            | Self::Requesting { .. } => Vec::new(),
        }
    }

    /// The counter that goes with the fact, and by how much it grows.
    #[must_use]
    pub fn counter(&self) -> Option<(&'static str, u64)> {
        match self {
            Self::LoggedIn { .. } => Some(("salesforce_logins_total", 1)),
            Self::Subscribed { .. } => Some(("salesforce_subscriptions_total", 1)),
            Self::SessionLost { .. } => Some(("salesforce_sessions_lost_total", 1)),
            Self::Stalled { .. } => Some(("salesforce_stalls_total", 1)),
            Self::Throttled { .. } => Some(("salesforce_throttled_total", 1)),
            Self::PositionLost { .. } => Some(("salesforce_positions_lost_total", 1)),
            Self::EventsRead { count } => Some(("salesforce_events_read_total", *count)),
            Self::EventsSkipped { count, .. } => Some(("salesforce_events_skipped_total", *count)),
            Self::RepeatsDropped { count } => Some(("salesforce_repeats_dropped_total", *count)),
            Self::SchemaIdKnown { .. } => Some(("schema_registry_ids_total", 1)),
            Self::RegistryAway { .. } => Some(("schema_registry_retries_total", 1)),
            _ => None,
        }
    }

    /// Whether there is nothing for the log in it.
    #[must_use]
    pub fn is_only_counted(&self) -> bool {
        matches!(self, Self::EventsRead { .. } | Self::ApiUsage { .. })
    }

    /// The gauges that go with the fact.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a double; these numbers take less than 53 bits")]
    pub fn gauges(&self) -> Vec<(&'static str, f64)> {
        match self {
            // When the session began; how old it is, whoever looks computes.
            Self::Subscribed { at_ms, .. } => {
                vec![("salesforce_session_start_timestamp_seconds", *at_ms as f64 / 1_000.0)]
            }
            Self::ApiUsage { used, max } => vec![
                ("salesforce_api_requests_left", max.saturating_sub(*used) as f64),
                ("salesforce_api_requests_max", *max as f64),
            ],
            _ => Vec::new(),
        }
    }
}
