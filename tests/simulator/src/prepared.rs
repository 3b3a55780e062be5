//! Events that stand ready as response bodies, for measuring a client without measuring the simulator.
//!
//! Implements no document: the messages look as [`crate::push_topic`] would write them, but they are joined once, at the
//! start, and a response is a slice of them and the connect reply. Nothing is done for each event, so neither the ledger
//! nor the list of deliveries knows them; the daily limit does.

use bytes::{Bytes, BytesMut};

use crate::date;
use crate::id;

/// What a PushTopic of prepared events selects.
pub(crate) const QUERY: &str = "SELECT Id, FirstName, LastName, Company, Email, Status, AnnualRevenue, NumberOfEmployees, CreatedDate, Description FROM Lead";

/// The messages of one topic, with replay ids from 1 on without a gap.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Every message, separated by commas.
    joined: Bytes,
    /// Where each message begins, and one more: the length and a comma.
    starts: Vec<usize>,
    /// So many events in one response.
    batch: usize,
}

impl Prepared {
    /// Makes `count` events of about `event_bytes` bytes each.
    pub(crate) fn new(channel: &str, count: usize, event_bytes: usize, batch: usize, now_ms: u64) -> Self {
        let created = date::stream_datetime(now_ms);
        let mut joined = BytesMut::with_capacity(count.saturating_mul(event_bytes.max(400) + 1));
        let mut starts = Vec::with_capacity(count + 1);
        for number in 1..=count {
            starts.push(joined.len());
            let id = id::record_id("00Q", number as u64);
            let head = format!(
                "{{\"channel\":\"{channel}\",\"data\":{{\"event\":{{\"createdDate\":\"{created}\",\"replayId\":{number},\
                 \"type\":\"created\"}},\"sobject\":{{\"Id\":\"{id}\",\"FirstName\":\"Grace\",\"LastName\":\"Hopper\",\
                 \"Company\":\"Cobalt Instruments Ltd\",\"Email\":\"grace.hopper@cobalt.example\",\
                 \"Status\":\"Open - Not Contacted\",\"AnnualRevenue\":1250000.0,\"NumberOfEmployees\":{number},\
                 \"CreatedDate\":\"{created}\",\"Description\":\""
            );
            joined.extend_from_slice(head.as_bytes());
            let tail = "\"}}},";
            let room = event_bytes.saturating_sub(head.len() + tail.len() - 1);
            joined.extend_from_slice(crate::generator::prose(room).as_bytes());
            joined.extend_from_slice(tail.as_bytes());
        }
        starts.push(joined.len());
        Self { joined: joined.freeze(), starts, batch: batch.max(1) }
    }

    /// The replay id of the last event.
    pub(crate) fn last_id(&self) -> u64 {
        self.starts.len() as u64 - 1
    }

    /// The messages after that id, joined by commas, at most a batch or `most`; and the last id among them.
    pub(crate) fn after(&self, cursor: u64, most: u64) -> Option<(&[u8], u64)> {
        let first = usize::try_from(cursor).ok()?;
        let count = self.batch.min(usize::try_from(most).unwrap_or(usize::MAX));
        let last = first.checked_add(count)?.min(self.starts.len() - 1);
        if last <= first {
            return None;
        }
        let slice = &self.joined[self.starts[first]..self.starts[last] - 1];
        Some((slice, last as u64))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn slices_are_whole_messages() {
        let prepared = Prepared::new("/topic/Prepared", 10, 1_000, 4, 0);
        for (cursor, most, ids) in [(0, 100, 1..=4_u64), (4, 100, 5..=8), (7, 100, 8..=10), (2, 2, 3..=4)] {
            let (slice, last) = prepared.after(cursor, most).unwrap();
            let array = [b"[", slice, b"]"].concat();
            let events: Vec<Value> = serde_json::from_slice(&array).unwrap();
            let found: Vec<_> = events.iter().map(|e| e["data"]["event"]["replayId"].as_u64().unwrap()).collect();
            assert_eq!(found, ids.clone().collect::<Vec<_>>());
            assert_eq!(last, *ids.end());
            assert!(events.iter().all(|event| event.to_string().len() == 1_000));
        }
        assert!(prepared.after(10, 100).is_none() && prepared.after(99, 1).is_none() && prepared.after(0, 0).is_none());
    }
}
