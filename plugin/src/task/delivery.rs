//! `Delivery`: an answer whose events are on their way out. It holds the answer's bytes and where each event stands in
//! them, and makes one batch of records at a time, so that an answer of any size costs its own size and one batch.

use std::{ops::Range, vec};

use super::{ProducerRecord, pipeline::Pipeline};
use crate::{error::Failure, salesforce::replay::Position};

/// Most records in a batch.
pub(super) const BATCH_RECORDS_MAX: usize = 500;
/// Most payload bytes in a batch; one record alone may have more.
pub(super) const BATCH_BYTES_MAX: usize = 1 << 20;

/// Events of one answer, not all of them sent yet.
#[derive(Debug)]
pub(super) struct Delivery {
    body: Vec<u8>,
    events: vec::IntoIter<Range<usize>>,
    /// An event that could not be converted; reported once everything before it is sent.
    failed: Option<Failure>,
}

/// What came out of an answer.
#[derive(Debug)]
pub(super) enum Next {
    /// Records to send, never none, and the id of the last event among them.
    Batch(Vec<ProducerRecord>, i64),
    /// An event cannot be turned into a record; everything before it has been sent.
    Failed(Failure),
    /// The answer is used up.
    Done,
}

impl Delivery {
    pub(super) fn new(body: Vec<u8>, events: Vec<Range<usize>>) -> Self {
        Self { body, events: events.into_iter(), failed: None }
    }

    /// The next batch. Events at or before the position are dropped and counted in `repeats`.
    pub(super) fn next(&mut self, pipeline: &mut Pipeline, position: &Position, repeats: &mut u64) -> Next {
        if let Some(failure) = self.failed.take() {
            return Next::Failed(failure);
        }
        let (mut batch, mut bytes, mut last) = (Vec::new(), 0, None);
        for range in self.events.by_ref() {
            match pipeline.record(&self.body[range], position, last) {
                Ok(None) => *repeats += 1,
                Ok(Some((record, replay_id))) => {
                    bytes += record.size_bytes();
                    batch.push(record);
                    last = Some(replay_id);
                    if batch.len() >= BATCH_RECORDS_MAX || bytes >= BATCH_BYTES_MAX {
                        break;
                    }
                }
                Err(failure) => {
                    self.failed = Some(failure);
                    break;
                }
            }
        }
        match (last, self.failed.take()) {
            (Some(last), failed) => {
                self.failed = failed;
                Next::Batch(batch, last)
            }
            (None, Some(failure)) => Next::Failed(failure),
            (None, None) => Next::Done,
        }
    }
}
