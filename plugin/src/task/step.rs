//! `Step`: the whole vocabulary between the core and the world.

use crate::{error::Failure, http::Request, time::Deadline};

/// What the task wants done next.
#[derive(Debug)]
pub enum Step {
    /// Make this request, and report its outcome with `Task::answered`. Never more than one at a time.
    Request(Request),
    /// The outcome of the request in flight is awaited.
    Await,
    /// Hand these records on, in order, then call `Task::sent`.
    Send(Vec<ProducerRecord>),
    /// Nothing is to be done before that time.
    Wait(Deadline),
    /// The task cannot go on.
    Fail(Failure),
}

/// A record in its final form: the contract's `producer-record`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerRecord {
    /// Destination topic.
    pub topic: String,
    /// Destination partition, or `None` for the default partitioner.
    pub partition: Option<i32>,
    /// Serialised key.
    pub key: Option<Vec<u8>>,
    /// Serialised value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: Option<i64>,
}

impl ProducerRecord {
    /// Bytes of payload.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let part = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers: usize = self.headers.iter().map(|(key, value)| key.len() + part(value)).sum();
        self.topic.len() + part(&self.key) + part(&self.value) + headers
    }
}
