//! A repair on its way: page after page of changed rows is asked for and handed on, marked by a header; at its end the
//! lost position is told of, and with that the position moves. So an end of the process in the middle starts the repair
//! again: its records come at least once.

use std::collections::VecDeque;

use serde_json::value::RawValue;

use super::{
    ProducerRecord,
    delivery::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX},
    lost::Lost,
    pipeline::Pipeline,
    rejected::{Rejected, Stage},
};
use crate::{
    error::{Failure, Verdict},
    http::{Request, Response, Timeouts},
    oauth::Token,
    salesforce::{
        event::Event,
        repair::{Page, RepairQuery},
        rest,
    },
};

/// The header of a record that stands for an event which was lost.
const HEADER: &str = "tributary.repair";
/// Names the request for people.
const WHAT: &str = "the query for what changed since the last event";

/// See the module.
#[derive(Debug)]
pub(super) struct Repair {
    query: RepairQuery,
    from_replay_id: i64,
    /// The next page; `None` when all are read.
    path: Option<String>,
    rows: VecDeque<Box<RawValue>>,
    done: usize,
    lost: Lost,
}

/// What is next.
#[derive(Debug)]
pub(super) enum Next {
    /// Records to send.
    Batch(Vec<ProducerRecord>),
    /// A page to ask for.
    Ask,
    /// Everything has been sent, so many rows: the loss can be told of.
    Done(usize, Lost),
    /// A row cannot be turned into a record.
    Failed(Failure),
}

impl Repair {
    /// Of a lost position.
    pub(super) fn new(version: &str, query: RepairQuery, from_replay_id: i64, lost: Lost) -> Self {
        let path = rest::query_all_path(version, &query.soql);
        Self { query, from_replay_id, path: Some(path), rows: VecDeque::new(), done: 0, lost }
    }

    /// The request for the next page.
    pub(super) fn request(&self, token: &Token, timeouts: Timeouts, bytes_max: usize) -> Request {
        let path = self.path.as_deref().unwrap_or("/services/data/");
        Request { response_bytes_max: bytes_max, ..rest::get(token, path, timeouts) }
    }

    /// Takes a page.
    pub(super) fn answered(&mut self, response: &Response) -> Result<(), Verdict> {
        rest::check(response, WHAT)?;
        let page: Page = serde_json::from_slice(&response.body).map_err(|_| rest::not_json(response, WHAT))?;
        if page.next.as_ref().is_some_and(|next| !next.starts_with("/services/data/")) {
            return Err(rest::not_json(response, WHAT));
        }
        self.path = page.next;
        self.rows.extend(page.records);
        Ok(())
    }

    /// What is to be done now.
    pub(super) fn next(mut self, pipeline: &mut Pipeline) -> (Next, Option<Self>) {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX {
            let Some(raw) = self.rows.pop_front() else { break };
            match self.record(&raw, pipeline) {
                Ok(record) => {
                    bytes += record.as_ref().map_or(0, ProducerRecord::size_bytes);
                    batch.extend(record);
                }
                Err(failure) => return (Next::Failed(failure), None),
            }
        }
        self.done += batch.len();
        match (batch.is_empty(), &self.path) {
            (false, _) => (Next::Batch(batch), Some(self)),
            (true, Some(_)) => (Next::Ask, Some(self)),
            (true, None) => (Next::Done(self.done, self.lost), None),
        }
    }

    /// The record of a row; none when a transform drops it.
    fn record(&self, raw: &RawValue, pipeline: &mut Pipeline) -> Result<Option<ProducerRecord>, Failure> {
        let made = self.query.row(raw).map_err(|error| Rejected::new(Stage::TaskPoll, &error)).and_then(|row| {
            let event = Event {
                replay_id: self.from_replay_id,
                created_date_ms: row.modified_ms,
                created_date_unreadable: false,
                event_type: row.event_type.into(),
                sobject: &row.sobject,
            };
            pipeline.record(&event)
        });
        let record = match made {
            Ok(record) => record,
            Err(rejected) => pipeline
                .reject(rejected, self.from_replay_id, raw.get().as_bytes(), None)
                .map_err(|rejected| rejected.failure(None))?,
        };
        Ok(record.map(|mut record| {
            record.headers.push((HEADER.to_owned(), Some(b"true".to_vec())));
            record
        }))
    }
}
