//! Acknowledged-prefix accounting, after Kafka Connect's `SubmittedRecords` (KIP-416 and the offset rules of source
//! tasks): records are submitted in order and acknowledged in any order; the offset that may be stored is the one before
//! which every record is acknowledged. Pure: no clock, no I/O.

use std::collections::VecDeque;

use crate::record::SourceOffset;

/// How much may be in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Records from the oldest unacknowledged one on.
    pub records_max: usize,
    /// Bytes of the records that are not acknowledged, as `ProducerRecord::size_bytes` counts.
    pub bytes_max: usize,
}

/// One submitted record, to be acknowledged at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

#[derive(Debug)]
struct Slot {
    bytes: usize,
    acknowledged: bool,
}

/// The records in flight and the offsets that wait for them.
#[derive(Debug)]
pub struct Submitted {
    bounds: Bounds,
    /// From the oldest unacknowledged record on.
    slots: VecDeque<Slot>,
    /// The ticket of the first slot; every record with a smaller one is acknowledged.
    base: u64,
    bytes: usize,
    /// Offsets with the ticket that follows the last record before each; ascending.
    marks: VecDeque<(u64, SourceOffset)>,
    committable: Option<SourceOffset>,
}

impl Submitted {
    /// Nothing in flight.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, slots: VecDeque::new(), base: 0, bytes: 0, marks: VecDeque::new(), committable: None }
    }

    /// Whether a record of that size may be submitted. A record that is larger than the whole bound is let in alone.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        self.slots.is_empty()
            || (self.slots.len() < self.bounds.records_max && self.bytes.saturating_add(bytes) <= self.bounds.bytes_max)
    }

    /// Takes in the next record.
    pub fn submit(&mut self, bytes: usize) -> Ticket {
        let ticket = self.base + self.slots.len() as u64;
        self.slots.push_back(Slot { bytes, acknowledged: false });
        self.bytes += bytes;
        Ticket(ticket)
    }

    /// Notes that a record is durable. A second acknowledgement changes nothing.
    pub fn acknowledge(&mut self, ticket: Ticket) {
        let index = ticket.0.checked_sub(self.base).and_then(|index| usize::try_from(index).ok());
        let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) else { return };
        if std::mem::replace(&mut slot.acknowledged, true) {
            return;
        }
        self.bytes -= slot.bytes;
        while self.slots.front().is_some_and(|slot| slot.acknowledged) {
            self.slots.pop_front();
            self.base += 1;
        }
        self.settle();
    }

    /// A poll has ended: every record submitted so far stands at or before `offset`.
    pub fn end_poll(&mut self, offset: SourceOffset) {
        let next = self.base + self.slots.len() as u64;
        if self.marks.back().is_some_and(|(ticket, _)| *ticket == next) {
            self.marks.pop_back();
        }
        self.marks.push_back((next, offset));
        self.settle();
    }

    fn settle(&mut self) {
        while self.marks.front().is_some_and(|(ticket, _)| *ticket <= self.base) {
            self.committable = self.marks.pop_front().map(|(_, offset)| offset);
        }
    }

    /// The newest offset before which every record is acknowledged; stays until a newer one takes its place.
    #[must_use]
    pub fn committable(&self) -> Option<&SourceOffset> {
        self.committable.as_ref()
    }

    /// Records from the oldest unacknowledged one on.
    #[must_use]
    pub fn records(&self) -> usize {
        self.slots.len()
    }

    /// Bytes of the records that are not acknowledged.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Scalar;

    const BOUNDS: Bounds = Bounds { records_max: 4, bytes_max: 100 };

    fn offset(n: i64) -> SourceOffset {
        SourceOffset(vec![("replayId".to_owned(), Scalar::Integer(n))])
    }

    fn number(offset: Option<&SourceOffset>) -> Option<i64> {
        match offset?.0.first() {
            Some((_, Scalar::Integer(n))) => Some(*n),
            _ => None,
        }
    }

    #[test]
    fn both_bounds() {
        let mut submitted = Submitted::new(BOUNDS);
        assert!(submitted.has_room(1000), "one record is always let in");
        let large = submitted.submit(1000);
        assert!(!submitted.has_room(1));
        submitted.acknowledge(large);
        let tickets: Vec<Ticket> = (0..4).map(|_| submitted.submit(10)).collect();
        assert!(!submitted.has_room(1), "records_max is reached");
        submitted.acknowledge(tickets[2]);
        assert!(!submitted.has_room(1), "the oldest is still in flight");
        submitted.acknowledge(tickets[0]);
        assert_eq!((submitted.records(), submitted.bytes()), (3, 20));
        assert!(submitted.has_room(80) && !submitted.has_room(81), "bytes_max is exact");
    }

    #[test]
    fn offsets_wait_for_their_records() {
        let mut submitted = Submitted::new(BOUNDS);
        submitted.end_poll(offset(1));
        assert_eq!(number(submitted.committable()), Some(1), "nothing to wait for");
        let a = submitted.submit(1);
        submitted.end_poll(offset(2));
        let b = submitted.submit(1);
        submitted.end_poll(offset(3));
        submitted.end_poll(offset(4));
        submitted.acknowledge(b);
        submitted.acknowledge(b);
        assert_eq!(number(submitted.committable()), Some(1));
        submitted.acknowledge(a);
        assert_eq!(number(submitted.committable()), Some(4));
        assert_eq!((submitted.records(), submitted.bytes()), (0, 0));
    }

    proptest! {
        /// A model with nothing clever: after every step the committable offset is that of the last poll before the
        /// first record that is not acknowledged. Records that fail are never acknowledged.
        #[test]
        fn never_past_an_unacknowledged_record(
            polls in prop::collection::vec(0_usize..5, 1..20),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
            failures in prop::collection::btree_set(0_usize..60, 0..4),
            early in any::<bool>(),
        ) {
            let mut submitted = Submitted::new(Bounds { records_max: 1000, bytes_max: 1000 });
            let mut acknowledged: Vec<bool> = Vec::new();
            let mut tickets: Vec<Ticket> = Vec::new();
            let mut ends: Vec<usize> = Vec::new();
            let mut order = order.into_iter();
            let mut turn = |submitted: &mut Submitted, acknowledged: &mut Vec<bool>, tickets: &[Ticket]| {
                let (Some(index), false) = (order.next(), tickets.is_empty()) else { return false };
                let index = index.index(tickets.len());
                if !failures.contains(&index) {
                    submitted.acknowledge(tickets[index]);
                    acknowledged[index] = true;
                }
                true
            };
            let check = |submitted: &Submitted, acknowledged: &[bool], ends: &[usize]| {
                let prefix = acknowledged.iter().take_while(|acknowledged| **acknowledged).count();
                let expected = ends.iter().rposition(|end| *end <= prefix);
                let unacknowledged = acknowledged.iter().filter(|acknowledged| !**acknowledged).count();
                (number(submitted.committable()), expected.map(|poll| i64::try_from(poll).unwrap_or(-1)),
                    submitted.bytes(), unacknowledged)
            };
            for (poll, records) in polls.iter().enumerate() {
                for _ in 0..*records {
                    tickets.push(submitted.submit(1));
                    acknowledged.push(false);
                    if early {
                        turn(&mut submitted, &mut acknowledged, &tickets);
                    }
                }
                ends.push(tickets.len());
                submitted.end_poll(offset(i64::try_from(poll).unwrap_or(-1)));
                let (got, expected, bytes, unacknowledged) = check(&submitted, &acknowledged, &ends);
                prop_assert_eq!(got, expected);
                prop_assert_eq!(bytes, unacknowledged);
            }
            while turn(&mut submitted, &mut acknowledged, &tickets) {
                let (got, expected, bytes, unacknowledged) = check(&submitted, &acknowledged, &ends);
                prop_assert_eq!(got, expected);
                prop_assert_eq!(bytes, unacknowledged);
            }
        }
    }
}
