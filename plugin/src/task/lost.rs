//! A lost position on its way out: the record that tells of it, and what follows once the host has that record. The record
//! goes first, so that no end of the process can leave a gap that nobody was told of; with exactly-once delivery it and
//! the position that follows are one transaction.

use super::ProducerRecord;
use crate::{
    config::{InitialStart, LostPolicy, SourceConfig},
    error::{Failure, FailureKind},
    salesforce::gap::{Gap, Reason},
    telemetry::Event,
    time::{Now, WallMs},
};

/// What follows.
#[derive(Debug)]
pub(super) enum Then {
    /// The end.
    Fail(Failure),
    /// A new session from there.
    GoOn(InitialStart),
}

/// A lost position.
#[derive(Debug)]
pub(super) struct Lost {
    /// The record that tells of it.
    pub(super) record: ProducerRecord,
    /// What follows.
    pub(super) then: Then,
}

impl Lost {
    /// What is done about it under this configuration, and the fact to report.
    pub(super) fn new(
        config: &SourceConfig,
        from_replay_id: i64,
        last_event_ms: Option<WallMs>,
        now: Now,
        reason: &Reason,
    ) -> (Self, Event) {
        let policy = config.gap.policy;
        let gap = Gap {
            connector: &config.gap.connector,
            push_topic: &config.push_topic_name,
            from_replay_id,
            last_event_ms,
            detected_ms: now.wall_ms,
            reason,
            policy: policy.as_str(),
        };
        let record = ProducerRecord {
            topic: config.gap.topic.clone(),
            partition: None,
            key: Some(gap.key()),
            value: Some(gap.value()),
            headers: Vec::new(),
            timestamp_ms: Some(now.wall_ms),
        };
        let then = match policy {
            LostPolicy::Earliest | LostPolicy::Repair => Then::GoOn(InitialStart::All),
            LostPolicy::Latest => Then::GoOn(InitialStart::Latest),
            LostPolicy::Fail => Then::Fail(Failure::new(
                FailureKind::OffsetLost,
                reason.code(),
                format!(
                    "{}. Decide where to go on: set salesforce.replay.lost.policy to earliest or latest, or remove the connector's \
                     offset to start as salesforce.initial.start says, or set it to a retained replayId",
                    reason.sentence()
                ),
            )),
        };
        let event = Event::PositionLost {
            from_replay_id,
            reason: reason.code(),
            message: reason.sentence(),
            policy: policy.as_str(),
        };
        (Self { record, then }, event)
    }
}
