//! `Delivery`: an answer whose events are on their way out. It holds the answer's bytes and where each event stands in
//! them, and makes one batch of records at a time, so that an answer of any size costs its own size and one batch.

use std::{ops::Range, str};

use super::{
    ProducerRecord,
    pipeline::Pipeline,
    rejected::{Rejected, Stage},
};
use crate::{
    error::Failure,
    salesforce::{event::Event, replay::Position},
    time::WallMs,
};

/// Most records in a batch.
pub(super) const BATCH_RECORDS_MAX: usize = 500;
/// Most payload bytes in a batch; one record alone may have more.
pub(super) const BATCH_BYTES_MAX: usize = 1 << 20;

/// Events of one answer, not all of them sent yet.
#[derive(Debug)]
pub(super) struct Delivery {
    body: Vec<u8>,
    events: Vec<Envelope>,
    /// The next of them.
    at: usize,
    /// The first of the last batch.
    began: usize,
    /// An event that could not be read or converted; reported once everything before it is sent.
    failed: Option<Failure>,
}

/// An event whose record has not been read yet.
#[derive(Debug)]
struct Envelope {
    replay_id: i64,
    created_date_ms: Option<i64>,
    event_type: String,
    /// The whole event.
    data: Range<usize>,
    sobject: Range<usize>,
}

/// What came out of an answer.
#[derive(Debug)]
pub(super) enum Next {
    /// Records to send, none when transforms dropped all, and the last event behind them: its replay id and its date.
    Batch(Vec<ProducerRecord>, (i64, Option<WallMs>)),
    /// An event cannot be turned into a record; everything before it has been sent.
    Failed(Failure),
    /// The answer is used up.
    Done,
}

impl Delivery {
    /// Reads the envelopes of an answer's events. They go out in the order of their replay ids: were a later one sent
    /// first, the offset would pass the earlier ones before they are safe. Also returns how many stood out of order.
    pub(super) fn new(body: Vec<u8>, events: Vec<Range<usize>>) -> (Self, usize) {
        let (mut envelopes, mut failed) = (Vec::with_capacity(events.len()), None);
        let (mut disordered, mut last) = (0, i64::MIN);
        for range in events {
            match Envelope::read(&body, range) {
                Ok(envelope) => {
                    disordered += usize::from(envelope.replay_id < last);
                    last = envelope.replay_id;
                    envelopes.push(envelope);
                }
                Err(failure) => {
                    failed = Some(failure);
                    break;
                }
            }
        }
        if disordered > 0 {
            envelopes.sort_by_key(|envelope| envelope.replay_id);
        }
        (Self { body, events: envelopes, at: 0, began: 0, failed }, disordered)
    }

    /// The next batch. Events at or before the position, or the same as the one before, are dropped and counted in
    /// `repeats`.
    pub(super) fn next(&mut self, pipeline: &mut Pipeline, position: &Position, repeats: &mut u64) -> Next {
        let (mut batch, mut bytes, mut last) = (Vec::new(), 0, None);
        self.began = self.at;
        while batch.len() < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX {
            let Some(envelope) = self.events.get(self.at) else { break };
            self.at += 1;
            let (id, created_ms) = (envelope.replay_id, envelope.created_date_ms);
            if position.is_past(id, created_ms) || last.is_some_and(|(last, _)| id <= last) {
                *repeats += 1;
                continue;
            }
            match envelope.event(&self.body).and_then(|event| pipeline.record(&event)) {
                Ok(record) => {
                    // A record that a transform dropped is done with, as one that was sent.
                    if let Some(record) = record {
                        bytes += record.size_bytes();
                        batch.push(record);
                    }
                    last = Some((id, created_ms));
                }
                Err(rejected) => match pipeline.reject(rejected, id, &self.body[envelope.data.clone()], created_ms) {
                    Ok(letter) => {
                        bytes += letter.as_ref().map_or(0, ProducerRecord::size_bytes);
                        batch.extend(letter);
                        last = Some((id, created_ms));
                    }
                    Err(rejected) => {
                        self.failed = Some(rejected.failure(Some(id)));
                        self.events.truncate(self.at - 1);
                    }
                },
            }
        }
        match last {
            Some(last) => Next::Batch(batch, last),
            None => self.failed.take().map_or(Next::Done, Next::Failed),
        }
    }

    /// Events that the last batch was made of, those that are no part of it included.
    pub(super) fn taken(&self) -> u64 {
        (self.at - self.began) as u64
    }

    /// Goes back to where the last batch began.
    pub(super) fn again(&mut self) {
        self.at = self.began;
    }
}

impl Envelope {
    fn read(body: &[u8], range: Range<usize>) -> Result<Self, Failure> {
        let unreadable = |error: &dyn std::fmt::Display| Rejected::new(Stage::TaskPoll, error).failure(None);
        let data = str::from_utf8(&body[range.clone()]).map_err(|error| unreadable(&error))?;
        let event = Event::parse(data).map_err(|error| unreadable(&error))?;
        let start = event.sobject.as_ptr().addr() - body.as_ptr().addr();
        Ok(Self {
            replay_id: event.replay_id,
            created_date_ms: event.created_date_ms,
            event_type: event.event_type.into_owned(),
            data: range,
            sobject: start..start + event.sobject.len(),
        })
    }

    fn event<'a>(&'a self, body: &'a [u8]) -> Result<Event<'a>, Rejected> {
        let sobject = &body[self.sobject.clone()];
        Ok(Event {
            replay_id: self.replay_id,
            created_date_ms: self.created_date_ms,
            created_date_unreadable: false,
            event_type: self.event_type.as_str().into(),
            sobject: str::from_utf8(sobject).map_err(|error| Rejected::new(Stage::TaskPoll, &error))?,
        })
    }
}
