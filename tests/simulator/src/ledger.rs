//! The ledger of every notification that the org produced, and the record of what each client was sent.
//!
//! Implements the method of the fault card: a consumer's records K are compared with the ledger L, so that lost,
//! repeated, foreign, altered and disordered records can be counted.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::objects::Operation;

/// One notification, as it was put on its topic.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number in the ledger, from 1, over all topics.
    pub seq: u64,
    /// The PushTopic's name.
    pub topic: Arc<str>,
    /// The PushTopic's record id.
    pub topic_id: Arc<str>,
    /// Its replay id on its topic.
    pub replay_id: u64,
    /// What happened to the record.
    pub operation: Operation,
    /// The record's 18-character id.
    pub record_id: String,
    /// When it happened, ms since the epoch; `createdDate` says the same.
    pub created_ms: u64,
    /// The JSON of the message's `data`, exactly as clients get it.
    pub data: Bytes,
}

/// One notification that was written to one client.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When, ms since the epoch.
    pub at_ms: u64,
    /// The Bayeux client.
    pub client_id: Arc<str>,
    /// The PushTopic's name.
    pub topic: Arc<str>,
    /// The event's replay id.
    pub replay_id: u64,
    /// The number of the response that carried it, over all clients.
    pub response: u64,
    /// Whether a transport fault was applied to that response, so that the client may not have got it.
    pub damaged: bool,
}

/// Both lists, bounded: when one is full its oldest entry goes.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    events: VecDeque<Arc<Event>>,
    deliveries: VecDeque<Delivery>,
    last_seq: u64,
    last_response: u64,
    events_max: usize,
    deliveries_max: usize,
}

impl Ledger {
    pub(crate) fn new(events_max: usize, deliveries_max: usize) -> Self {
        Self { events_max, deliveries_max, ..Self::default() }
    }

    pub(crate) fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    pub(crate) fn next_response(&mut self) -> u64 {
        self.last_response += 1;
        self.last_response
    }

    pub(crate) fn record(&mut self, event: Arc<Event>) {
        if self.events.len() >= self.events_max {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        if self.deliveries.len() >= self.deliveries_max {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(delivery);
    }

    /// Marks the deliveries of one response, which are the newest, as damaged.
    pub(crate) fn mark_damaged(&mut self, response: u64) {
        for delivery in self.deliveries.iter_mut().rev().take_while(|delivery| delivery.response == response) {
            delivery.damaged = true;
        }
    }

    pub(crate) fn events(&self) -> &VecDeque<Arc<Event>> {
        &self.events
    }

    pub(crate) fn deliveries(&self) -> &VecDeque<Delivery> {
        &self.deliveries
    }

    pub(crate) fn total(&self) -> u64 {
        self.last_seq
    }
}
