//! `Rejected`: an event that cannot become a record. It ends the task, or under `errors.tolerance=all` it is skipped, and
//! goes to the dead letter topic as it came, if there is one (Kafka Connect, KIP-298; its dead letter queue is for sinks).

use super::ProducerRecord;
use crate::{
    config::ErrorsConfig,
    error::{Failure, FailureKind},
};

/// Where it turned out, in Kafka Connect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// While the event was read.
    TaskPoll,
    /// In a transform.
    Transformation,
    /// In the converter of keys.
    KeyConverter,
    /// In the converter of values.
    ValueConverter,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::TaskPoll => "TASK_POLL",
            Self::Transformation => "TRANSFORMATION",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Rejected {
    stage: Stage,
    reason: String,
}

impl Rejected {
    pub(super) fn new(stage: Stage, reason: &dyn std::fmt::Display) -> Self {
        Self { stage, reason: reason.to_string() }
    }

    /// Which event it is and why.
    pub(super) fn sentence(&self, replay_id: Option<i64>) -> String {
        let which = replay_id.map_or_else(|| "An event".to_owned(), |id| format!("The event with replayId {id}"));
        format!("{which} cannot be turned into a record: {}", self.reason)
    }

    /// The end of the task for its sake.
    pub(super) fn failure(&self, replay_id: Option<i64>) -> Failure {
        let sentence = self.sentence(replay_id);
        let message = format!("{sentence}. The offset stays before it, so nothing is lost");
        Failure::new(FailureKind::BadRecord, "EVENT_NOT_CONVERTIBLE", message)
    }

    /// The record for the dead letter topic: the event as it came.
    pub(super) fn dead_letter(
        &self,
        errors: &ErrorsConfig,
        replay_id: i64,
        data: &[u8],
        created_ms: Option<i64>,
    ) -> Option<ProducerRecord> {
        let topic = errors.dead_letter_topic.clone()?;
        let header = |name: &str, value: &str| (format!("__connect.errors.{name}"), Some(value.as_bytes().to_vec()));
        let headers = if errors.context_headers {
            vec![
                header("connector.name", &errors.connector),
                header("task.id", "0"),
                header("stage", self.stage.as_str()),
                header("exception.class.name", "org.apache.kafka.connect.errors.DataException"),
                header("exception.message", &self.sentence(Some(replay_id))),
            ]
        } else {
            Vec::new()
        };
        Some(ProducerRecord {
            topic,
            partition: None,
            key: None,
            value: Some(data.to_vec()),
            headers,
            timestamp_ms: created_ms,
        })
    }
}
