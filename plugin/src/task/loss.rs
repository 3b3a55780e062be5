//! What a task does about a lost position: it is told of first, after a repair where that is asked for, then the policy
//! decides.

use super::{
    ProducerRecord,
    lost::{Lost, Then},
    repair::{self, Repair},
    state::{Held, Phase, Task},
};
use crate::{
    config::LostPolicy,
    salesforce::{gap::Reason, repair::RepairQuery},
    telemetry::Event,
    time::Now,
};

impl Task {
    /// The position is lost: that is told first, then the policy decides.
    pub(super) fn lose(&mut self, now: Now, from: i64, reason: &Reason) {
        let (lost, event) = Lost::new(&self.config, from, self.last_event_ms, now, reason);
        self.events.push(event);
        let query = match (self.config.gap.policy, self.last_event_ms, &self.prepared) {
            (LostPolicy::Repair, Some(last_ms), Some(prepared)) => {
                RepairQuery::new(&prepared.push_topic_query, last_ms).map(|query| (&prepared.version, query))
            }
            _ => None,
        };
        match query {
            Some((version, query)) => {
                self.repair = Some(Repair::new(version, query, from, lost));
                self.phase = Phase::Repair;
            }
            None => self.lost = Some(lost),
        }
    }

    /// Rows of a repair, a batch at a time. When all are sent, the loss is told of.
    pub(super) fn next_rows(&mut self) -> Option<Vec<ProducerRecord>> {
        if self.asked.is_some() {
            return None;
        }
        let pipeline = self.pipeline.as_mut()?;
        let (next, repair) = self.repair.take()?.next(pipeline);
        self.repair = repair;
        match next {
            repair::Next::Batch(batch) => match pipeline.registration(&batch) {
                None => return Some(batch),
                Some(registration) => self.held = Some(Held { batch, last: None, registration }),
            },
            repair::Next::Ask => {}
            repair::Next::Done(rows, lost) => {
                self.events.push(Event::Repaired { rows });
                self.lost = Some(lost);
            }
            repair::Next::Failed(failure) => self.fail(failure),
        }
        None
    }

    pub(super) fn after_loss(&mut self, then: Then) {
        match then {
            Then::Fail(failure) => self.fail(failure),
            Then::GoOn(start) => {
                self.position.restart(start);
                self.push_topic_id = self.prepared.as_ref().map(|prepared| prepared.push_topic_id.clone());
                self.last_event_ms = None;
                self.phase = if self.session.is_open() { Phase::Goodbye } else { Phase::Handshake };
            }
        }
    }
}
