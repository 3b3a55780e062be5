//! The task that makes transactions of whole polls: begins one, writes records and offset, commits, again. It alone has
//! the producer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use krafka::{
    CloseOptions, KrafkaError,
    producer::{TransactionState, TransactionalProducer},
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tracing::debug;

use super::give_up;
use crate::{
    config::Boundary,
    kafka::{cluster::Cluster, in_flight::InFlight, offsets, records::to_kafka, topics::Topics},
    labels,
    record::{ProducerRecord, SourceOffset},
    sink::SinkError,
    telemetry::TaskMetrics,
};

/// How long the outcomes of a failed transaction's records are waited for, to name the cause.
const CAUSE_WITHIN: Duration = Duration::from_secs(1);

/// What the sink hands over.
pub(super) enum Message {
    /// Records of a poll, and at its end (`whole`) the offset behind them.
    Records {
        records: Vec<ProducerRecord>,
        offset: Option<SourceOffset>,
        whole: bool,
        /// When the bytes of the last of its events arrived.
        arrived: Instant,
    },
    /// Ends what is open by then: commits whole polls, aborts a part of one.
    Close { deadline: Instant },
}

/// How far the runner is.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// The newest offset that was committed here.
    pub(super) durable: Option<SourceOffset>,
    /// Records and bytes that are no longer on their way.
    pub(super) settled: (u64, u64),
}

/// A transaction that was begun and whose commit was not.
pub(super) struct Open {
    began: Instant,
    records: usize,
    /// The offset at the end of the last whole poll in it.
    reached: Option<SourceOffset>,
    /// Records came since that poll.
    partial: bool,
    /// When the bytes of each poll's events arrived.
    arrived: Vec<Instant>,
}

/// What happens next.
enum Turn {
    Message(Message),
    /// The sink was dropped.
    GivenUp,
    /// Time to commit.
    Due,
    /// A record was acknowledged.
    Settled(Result<(), KrafkaError>),
}

/// See the module.
pub(super) struct Runner {
    pub(super) cluster: Arc<Cluster>,
    pub(super) producer: Arc<TransactionalProducer>,
    pub(super) topics: Topics,
    pub(super) flight: InFlight,
    pub(super) place: offsets::Place,
    pub(super) boundary: Boundary,
    pub(super) open: Option<Open>,
    /// The newest durable offset.
    pub(super) stored: Option<SourceOffset>,
    /// An offset that moved without a record.
    pub(super) moved: Option<SourceOffset>,
    pub(super) flush_interval: Duration,
    pub(super) next_flush: Instant,
    /// Records and bytes that were taken over.
    pub(super) taken: (u64, u64),
    pub(super) publish: watch::Sender<Progress>,
    pub(super) given_up: Arc<AtomicBool>,
    pub(super) metrics: Arc<TaskMetrics>,
}

impl Runner {
    /// Runs until the sink is closed or dropped, or something fails. The producer is let go of in every case.
    pub(super) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) -> Result<(), SinkError> {
        let ended = self.turns(&mut messages).await;
        if !self.producer.is_closed() {
            give_up(&self.producer).await;
        }
        ended
    }

    async fn turns(&mut self, messages: &mut mpsc::UnboundedReceiver<Message>) -> Result<(), SinkError> {
        loop {
            let mut turn = self.next(messages).await;
            // What came during the last commit is one transaction.
            loop {
                match turn {
                    _ if self.given_up.load(Ordering::Acquire) => return Ok(()),
                    Turn::GivenUp => return Ok(()),
                    Turn::Message(Message::Close { deadline }) => return self.close(deadline).await,
                    Turn::Message(Message::Records { records, offset, whole, arrived }) => {
                        self.take(records, offset, whole).await?;
                        if let Some(open) = self.open.as_mut().filter(|_| whole) {
                            open.arrived.push(arrived);
                        }
                    }
                    Turn::Settled(Err(error)) => return Err(self.failed("writing records", error).await),
                    Turn::Settled(Ok(())) | Turn::Due => break,
                }
                let Ok(message) = messages.try_recv() else { break };
                turn = Turn::Message(message);
            }
            if let Err(error) = self.flight.settle_ready() {
                return Err(self.failed("writing records", error).await);
            }
            self.tell();
            if self.is_due() {
                self.commit().await?;
            } else if self.open.is_none() && Instant::now() >= self.next_flush {
                self.commit_moved().await?;
            }
        }
    }

    async fn next(&mut self, messages: &mut mpsc::UnboundedReceiver<Message>) -> Turn {
        let due = match (&self.open, self.boundary) {
            (Some(open), Boundary::IntervalMs(interval_ms)) if !open.partial => {
                Some(offsets::after(open.began, Duration::from_millis(interval_ms)))
            }
            (None, _) if self.moved.is_some() => Some(self.next_flush),
            _ => None,
        };
        let due = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = messages.recv() => message.map_or(Turn::GivenUp, Turn::Message),
            () = due => Turn::Due,
            outcome = self.flight.settle_next() => Turn::Settled(outcome),
        }
    }

    /// Tells the sink how far things are.
    fn tell(&self) {
        let (records, bytes) = (self.flight.records() as u64, self.flight.bytes() as u64);
        let settled = (self.taken.0.saturating_sub(records), self.taken.1.saturating_sub(bytes));
        let open = self.open.as_ref().map_or(0, |open| open.records as u64);
        self.metrics.active.store(open, Ordering::Relaxed);
        self.publish.send_modify(|progress| progress.settled = settled);
    }

    fn begin(&mut self) -> Result<&mut Open, SinkError> {
        if self.open.is_none() {
            labels::reach("before-begin");
            self.producer.begin().map_err(|error| self.cluster.error("beginning a transaction", &error))?;
            self.open =
                Some(Open { began: Instant::now(), records: 0, reached: None, partial: false, arrived: Vec::new() });
        }
        self.open.as_mut().ok_or(SinkError::Stopping)
    }

    /// Takes a poll, or a part of one, into the open transaction.
    async fn take(
        &mut self,
        records: Vec<ProducerRecord>,
        offset: Option<SourceOffset>,
        whole: bool,
    ) -> Result<(), SinkError> {
        let half = records.len() / 2;
        if !records.is_empty() {
            self.begin()?;
        }
        for (index, record) in records.into_iter().enumerate() {
            self.topics.ensure(&self.cluster, &record.topic).await?;
            self.enqueue(record).await?;
            if index == half {
                labels::reach("mid-produce");
            }
        }
        match (&mut self.open, offset) {
            (Some(open), offset) if whole => {
                open.reached = offset.or_else(|| open.reached.take());
                open.partial = false;
                self.moved = None;
            }
            (None, Some(offset)) if self.stored.as_ref() != Some(&offset) => self.moved = Some(offset),
            _ => {}
        }
        Ok(())
    }

    async fn enqueue(&mut self, record: ProducerRecord) -> Result<(), SinkError> {
        let bytes = record.size_bytes();
        self.taken.0 += 1;
        self.taken.1 += bytes as u64;
        if let Err(error) = self.flight.make_room(bytes).await {
            return Err(self.failed("writing records", error).await);
        }
        match self.producer.enqueue(to_kafka(record)).await {
            Ok(handle) => self.flight.submit(bytes, handle),
            Err(error) => return Err(self.failed("writing records", error).await),
        }
        let open = self.begin()?;
        open.records += 1;
        open.partial = true;
        Ok(())
    }

    /// Whether the open transaction is to end now.
    fn is_due(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            !open.partial
                && match self.boundary {
                    Boundary::Poll => true,
                    Boundary::IntervalMs(interval_ms) => open.began.elapsed() >= Duration::from_millis(interval_ms),
                }
        })
    }

    /// Puts the offset behind the records and commits.
    async fn commit(&mut self) -> Result<(), SinkError> {
        let Some(Open { reached, records, arrived, .. }) = self.open.take() else { return Ok(()) };
        let Some(offset) = reached else {
            return Err(SinkError::Refused(
                "the component sent records without an offset behind them, which cannot be delivered exactly once"
                    .to_owned(),
            ));
        };
        labels::reach("after-produce");
        let state = self.place.state_record(&offset, self.stored.as_ref());
        for record in state.into_iter().chain([self.place.offset_record(&offset)]) {
            // Its outcome decides the commit, whoever waits for it.
            match self.producer.enqueue(record).await {
                Ok(handle) => self.flight.submit(0, handle),
                Err(error) => return Err(self.failed("storing the offset", error).await),
            }
        }
        labels::reach("before-commit");
        let began = Instant::now();
        if let Err(error) = self.producer.commit().await {
            self.metrics.commit_failures.fetch_add(1, Ordering::Relaxed);
            return Err(self.failed("committing", error).await);
        }
        labels::reach("after-commit");
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        debug!(records, took_us, "committed a transaction");
        self.count(records as u64, &arrived, began.elapsed());
        // The commit has waited for every one of them.
        self.flight.settle_ready().map_err(|error| self.cluster.error("writing records", &error))?;
        self.stored = Some(offset.clone());
        self.next_flush = offsets::after(Instant::now(), self.flush_interval);
        self.publish.send_modify(|progress| progress.durable = Some(offset));
        self.tell();
        Ok(())
    }

    /// Counts a transaction of so many records.
    fn count(&self, records: u64, arrived: &[Instant], took: Duration) {
        let metrics = &self.metrics;
        metrics.commits.note_time(took);
        if records > 0 {
            metrics.transactions.note(records);
            metrics.written.fetch_add(records, Ordering::Relaxed);
        }
        for arrived in arrived {
            metrics.latency.note(arrived.elapsed());
        }
    }

    /// Commits an offset that moved without a record: in a transaction that holds nothing else.
    async fn commit_moved(&mut self) -> Result<(), SinkError> {
        self.next_flush = offsets::after(Instant::now(), self.flush_interval);
        let Some(moved) = self.moved.take() else { return Ok(()) };
        self.begin()?.reached = Some(moved);
        self.commit().await
    }

    /// What an error means. A transaction that has to be aborted is aborted on this very producer: a producer that was
    /// fenced learns it by that, and must not come back and fence its successor.
    async fn failed(&mut self, doing: &str, error: KrafkaError) -> SinkError {
        let mut verdict = self.cluster.error(doing, &error);
        if error.requires_abort() {
            if let Some(fenced) = self.abort().await {
                return fenced;
            }
            // Of the transaction the client says only that it cannot go on; why, the refused record knows.
            if !matches!(verdict, SinkError::Refused(_))
                && let Some(cause) = self.flight.cause(CAUSE_WITHIN).await
            {
                verdict = self.cluster.error(doing, &cause);
            }
        } else if matches!(verdict, SinkError::Refused(_))
            && let Some(fenced) = self.abort().await
        {
            return fenced;
        }
        verdict
    }

    /// Aborts the open transaction, if there is one. Only that this producer was fenced is news.
    async fn abort(&mut self) -> Option<SinkError> {
        self.open = None;
        if self.producer.state() != TransactionState::Open {
            return None;
        }
        let error = self.producer.abort().await.err()?;
        debug!(%error, "aborting a transaction");
        Some(self.cluster.error("aborting a transaction", &error)).filter(|error| matches!(error, SinkError::Fenced(_)))
    }

    /// See `Message::Close`.
    async fn close(&mut self, deadline: Instant) -> Result<(), SinkError> {
        let left = || deadline.saturating_duration_since(Instant::now());
        let finish = async {
            match &self.open {
                Some(Open { partial: true, .. }) => self.abort().await.map_or(Ok(()), Err),
                Some(_) => self.commit().await,
                None => self.commit_moved().await,
            }
        };
        let finished = timeout(left().mul_f64(7.0 / 8.0), finish).await;
        if let Err(error) = self.producer.close_with(CloseOptions::new().timeout(left())).await {
            debug!(%error, "closing the producer");
        }
        finished.unwrap_or_else(|_| Err(SinkError::Unavailable(unended(&self.cluster))))
    }
}

/// What is said when the time to stop was too short.
pub(super) fn unended(cluster: &Cluster) -> String {
    format!(
        "Kafka at {} did not end the last transaction in the time there was to stop. Whether it was committed is read at the \
         next start; nothing is lost or repeated.",
        cluster.address
    )
}
