//! The retained events of one PushTopic, and which replay positions are valid.
//!
//! Implements the replay section (3.4) of the Salesforce facts page: ids are ordered, not contiguous, per topic; `-1` is
//! the tip, `-2` everything retained, `n` strictly after n; an id that is no longer retained, or not yet given out, is
//! refused.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use crate::ledger::Event;
use crate::prepared::Prepared;

/// The events of one topic that can still be replayed, oldest first.
#[derive(Debug, Default)]
pub(crate) struct TopicLog {
    last_id: u64,
    events: VecDeque<Arc<Event>>,
    prepared: Option<Arc<Prepared>>,
}

impl TopicLog {
    /// A log whose events stand ready as response bodies and never age.
    pub(crate) fn prepared(prepared: Arc<Prepared>) -> Self {
        Self { last_id: prepared.last_id(), events: VecDeque::new(), prepared: Some(prepared) }
    }

    pub(crate) fn bodies(&self) -> Option<&Arc<Prepared>> {
        self.prepared.as_ref()
    }

    pub(crate) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// The id that the next event gets: `step` further on, and never below `first`.
    pub(crate) fn next_id(&self, first: u64, step: u64) -> u64 {
        if self.last_id == 0 { first } else { self.last_id.saturating_add(step) }
    }

    pub(crate) fn append(&mut self, event: Arc<Event>) {
        self.last_id = event.replay_id;
        self.events.push_back(event);
    }

    /// Forgets what was created before that moment.
    pub(crate) fn purge(&mut self, before_ms: u64) {
        while self.events.front().is_some_and(|event| event.created_ms < before_ms) {
            self.events.pop_front();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
    }

    /// The retained events after that id, oldest first.
    pub(crate) fn after(&self, cursor: u64) -> impl Iterator<Item = &Arc<Event>> {
        let start = self.events.partition_point(|event| event.replay_id <= cursor);
        self.events.range(start..)
    }

    /// The creation time of the oldest event after that id.
    pub(crate) fn oldest_after_ms(&self, cursor: u64) -> Option<u64> {
        match &self.prepared {
            Some(prepared) => (prepared.last_id() > cursor).then_some(0),
            None => self.after(cursor).next().map(|event| event.created_ms),
        }
    }

    fn oldest_id(&self) -> Option<u64> {
        match &self.prepared {
            Some(_) => Some(1),
            None => self.events.front().map(|event| event.replay_id),
        }
    }

    /// Turns what a client asked for into the id after which delivery starts; `None` when it is refused.
    pub(crate) fn position(&self, asked: &Value) -> Option<u64> {
        match (asked.as_i64(), asked.as_u64()) {
            (Some(-1), _) => Some(self.last_id),
            (Some(-2), _) => Some(0),
            (_, Some(id)) => self.oldest_id().is_some_and(|oldest| oldest <= id && id <= self.last_id).then_some(id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::Operation;

    fn log(ids: &[u64]) -> TopicLog {
        let mut log = TopicLog::default();
        for (place, id) in ids.iter().enumerate() {
            log.append(Arc::new(Event {
                seq: place as u64 + 1,
                topic: "T".into(),
                topic_id: "0IF".into(),
                replay_id: *id,
                operation: Operation::Created,
                record_id: String::new(),
                created_ms: *id * 1_000,
                data: "{}".into(),
            }));
        }
        log
    }

    #[test]
    fn positions() {
        let mut log = log(&[1, 2, 5, 9]);
        log.purge(2_000);
        for (asked, position) in [
            (json!(-1), Some(9)),
            (json!(-2), Some(0)),
            (json!(2), Some(2)),
            (json!(4), Some(4)),
            (json!(9), Some(9)),
            (json!(1), None),
            (json!(10), None),
            (json!(0), None),
            (json!(-3), None),
            (json!(2.5), None),
            (json!("2"), None),
            (json!(u64::MAX), None),
        ] {
            assert_eq!(log.position(&asked), position, "{asked}");
        }
        assert_eq!(log.after(4).map(|event| event.replay_id).collect::<Vec<_>>(), [5, 9]);
        log.purge(u64::MAX);
        assert_eq!(log.position(&json!(9)), None, "an idle topic's last id ages out too");
        assert_eq!(log.position(&json!(-1)), Some(9));
        assert_eq!(log.next_id(1, 1), 10);
    }
}
