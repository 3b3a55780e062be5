//! Records on their way to the cluster: what was handed over, what was acknowledged, and how much may be under way.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use krafka::{KrafkaError, producer::DeliveryHandle};
use tokio::task::unconstrained;

use crate::{
    offsets::{Bounds, Submitted, Ticket},
    record::SourceOffset,
};

/// A record on its way.
struct Delivery {
    ticket: Ticket,
    handle: DeliveryHandle,
}

impl Future for Delivery {
    type Output = (Ticket, Result<(), KrafkaError>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = self.ticket;
        Pin::new(&mut self.handle).poll(context).map(|outcome| (ticket, outcome.map(|_| ())))
    }
}

/// See the module.
pub(super) struct InFlight {
    submitted: Submitted,
    deliveries: FuturesUnordered<Delivery>,
    /// Since they were counted last.
    acknowledged: u64,
}

impl InFlight {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { submitted: Submitted::new(bounds), deliveries: FuturesUnordered::new(), acknowledged: 0 }
    }

    /// Waits until a record of that size may be handed over.
    pub(super) async fn make_room(&mut self, bytes: usize) -> Result<(), KrafkaError> {
        while !self.submitted.has_room(bytes) {
            let Some(outcome) = self.deliveries.next().await else { break };
            self.settle(outcome)?;
        }
        Ok(())
    }

    /// Notes a record that was handed over.
    pub(super) fn submit(&mut self, bytes: usize, handle: DeliveryHandle) {
        let ticket = self.submitted.submit(bytes);
        self.deliveries.push(Delivery { ticket, handle });
    }

    /// A poll has ended: every record so far stands at or before `offset`.
    pub(super) fn end_poll(&mut self, offset: SourceOffset) {
        self.submitted.end_poll(offset);
    }

    /// The newest offset before which every record is acknowledged.
    pub(super) fn committable(&self) -> Option<&SourceOffset> {
        self.submitted.committable()
    }

    /// Records without an acknowledgement, from the oldest on.
    pub(super) fn records(&self) -> usize {
        self.submitted.records()
    }

    /// Records that were acknowledged since the last call.
    pub(super) fn take_acknowledged(&mut self) -> u64 {
        std::mem::take(&mut self.acknowledged)
    }

    /// Bytes of the records that are not acknowledged.
    pub(super) fn bytes(&self) -> usize {
        self.submitted.bytes()
    }

    fn settle(&mut self, (ticket, outcome): (Ticket, Result<(), KrafkaError>)) -> Result<(), KrafkaError> {
        outcome?;
        self.acknowledged += 1;
        self.submitted.acknowledge(ticket);
        Ok(())
    }

    /// Waits for the next outcome; for ever when nothing is in flight.
    pub(super) async fn settle_next(&mut self) -> Result<(), KrafkaError> {
        match self.deliveries.next().await {
            Some(outcome) => self.settle(outcome),
            None => std::future::pending().await,
        }
    }

    /// Takes in every outcome that is there by now. Unconstrained: the runtime's budget for one turn of a task would make
    /// the greater part of them seem not to be there.
    pub(super) fn settle_ready(&mut self) -> Result<(), KrafkaError> {
        while let Some(Some(outcome)) = unconstrained(self.deliveries.next()).now_or_never() {
            self.settle(outcome)?;
        }
        Ok(())
    }

    /// Why a transaction failed: the first outcome that is an error.
    pub(super) async fn cause(&mut self, within: Duration) -> Option<KrafkaError> {
        let deadline = tokio::time::Instant::now() + within;
        while let Ok(Some((_, outcome))) = tokio::time::timeout_at(deadline, self.deliveries.next()).await {
            if let Err(error) = outcome {
                return Some(error);
            }
        }
        None
    }

    /// Waits for the records in flight; `Ok(false)` when the time was too short.
    pub(super) async fn drain(&mut self, within: Duration) -> Result<bool, KrafkaError> {
        let deadline = tokio::time::Instant::now() + within;
        while !self.deliveries.is_empty() {
            match tokio::time::timeout_at(deadline, self.deliveries.next()).await {
                Ok(Some(outcome)) => self.settle(outcome)?,
                Ok(None) => break,
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }
}
