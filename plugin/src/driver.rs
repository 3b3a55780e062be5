//! The one loop that performs a task's steps, and the trait of what it needs from the world.

use crate::{
    error::Failure,
    http::{HttpError, Request, Response},
    offset::Checkpoint,
    preflight::{self, Check, Preflight},
    task::{ProducerRecord, Step, Task},
    telemetry::Event,
    time::{Deadline, Now},
};

/// The world, as far as a task needs it.
pub trait Imports {
    /// A request in flight. Dropping it ends the request.
    type Pending;

    /// What time it is.
    fn now(&mut self) -> Now;

    /// Begins a request.
    ///
    /// # Errors
    /// When it cannot even begin.
    fn start(&mut self, request: Request) -> Result<Self::Pending, HttpError>;

    /// Waits for the outcome of a request until `until`; `None` when it is still in flight then.
    fn finish(&mut self, pending: &mut Self::Pending, until: Deadline) -> Option<Result<Response, HttpError>>;

    /// Hands records to the host.
    ///
    /// # Errors
    /// When the host did not take them.
    fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), Failure>;

    /// Reports a fact.
    fn emit(&mut self, event: &Event);
}

/// What a call of `poll` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records sent.
    pub sent: usize,
    /// The position after the last record ever sent.
    pub offset: Option<i64>,
    /// Milliseconds for which there is nothing to do.
    pub next_poll_after_ms: u64,
}

/// What a call of `preflight` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// What it found out.
    pub checks: Vec<Check>,
    /// Topics of records, as far as they became known.
    pub topics: Vec<String>,
    /// Whether everything has been looked at.
    pub done: bool,
}

/// A task, the world, and the request in flight between them.
pub struct Driver<I: Imports> {
    imports: I,
    task: Task,
    /// In place of the task's work, once it was asked for.
    preflight: Option<Preflight>,
    pending: Option<(I::Pending, Deadline)>,
}

impl<I: Imports> Driver<I> {
    /// Puts a task into the world.
    pub fn new(imports: I, task: Task) -> Self {
        Self { imports, task, preflight: None, pending: None }
    }

    /// The world, for tests.
    pub fn imports(&mut self) -> &mut I {
        &mut self.imports
    }

    /// Performs steps until a batch was sent, or until `max_wait_ms` milliseconds have passed, or until there is nothing
    /// to do for a while.
    ///
    /// # Errors
    /// When the task, or the host, cannot go on.
    pub fn poll(&mut self, max_wait_ms: u64) -> Result<Progress, Failure> {
        let end = self.imports.now().deadline(max_wait_ms);
        loop {
            let now = self.imports.now();
            let step = self.task.step(now);
            self.report();
            match step {
                Step::Request(request) => self.start(request, now),
                Step::Await => {
                    if !self.finish(end) {
                        return Ok(self.progress(0, 0));
                    }
                }
                Step::Send(batch) => {
                    let sent = batch.len();
                    self.imports.send(batch)?;
                    self.task.sent();
                    return Ok(self.progress(sent, 0));
                }
                Step::Wait(until) => return Ok(self.progress(0, until.remaining_ms(now).max(1))),
                Step::Fail(failure) => return Err(failure),
            }
        }
    }

    /// Looks at what the task would need, until everything has been looked at or until `max_wait_ms` milliseconds have
    /// passed. The task itself cannot be polled any more.
    pub fn preflight(&mut self, max_wait_ms: u64) -> Examination {
        let end = self.imports.now().deadline(max_wait_ms);
        loop {
            let now = self.imports.now();
            let task = &self.task;
            let preflight = self.preflight.get_or_insert_with(|| Preflight::new(task.config().clone()));
            let done = match preflight.step(now) {
                preflight::Step::Request(request) => {
                    self.start(request, now);
                    continue;
                }
                preflight::Step::Await if self.finish(end) => continue,
                preflight::Step::Await => false,
                preflight::Step::Done => true,
            };
            self.report();
            let (checks, topics) =
                self.preflight.as_mut().map_or_else(Default::default, |p| (p.take_checks(), p.take_topics()));
            return Examination { checks, topics, done };
        }
    }

    /// Where the task stands, as it is to be stored.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        self.task.checkpoint()
    }

    /// Says goodbye to the org, as far as that goes within `max_wait_ms` milliseconds.
    pub fn close(&mut self, max_wait_ms: u64) {
        // The held connect, if any, is given up: what it would have brought is replayed to the next session.
        self.pending = None;
        let now = self.imports.now();
        if let Some(request) = self.task.close(now)
            && let Ok(mut pending) = self.imports.start(request)
            && let Some(outcome) = self.imports.finish(&mut pending, now.deadline(max_wait_ms))
        {
            let answered = self.imports.now();
            self.task.closed(now, answered, &outcome);
            if outcome.is_ok() {
                self.imports.emit(&Event::SaidGoodbye);
            }
        }
        self.report();
    }

    fn start(&mut self, request: Request, now: Now) {
        let deadline = now.deadline(request.timeouts.total_ms);
        match self.imports.start(request) {
            Ok(pending) => self.pending = Some((pending, deadline)),
            Err(error) => self.answered(now, Err(error)),
        }
    }

    /// Waits for the request in flight; false when it is still in flight at `end`.
    fn finish(&mut self, end: Deadline) -> bool {
        let Some((pending, deadline)) = &mut self.pending else {
            let now = self.imports.now();
            self.answered(now, Err(HttpError::Broken("the request was given up".into())));
            return true;
        };
        let deadline = *deadline;
        let outcome = match self.imports.finish(pending, end.min(deadline)) {
            Some(outcome) => outcome,
            None if deadline.passed(self.imports.now()) => {
                Err(HttpError::Timeout("the answer was not complete in time".into()))
            }
            None => return false,
        };
        self.pending = None;
        let now = self.imports.now();
        self.answered(now, outcome);
        true
    }

    fn answered(&mut self, now: Now, outcome: Result<Response, HttpError>) {
        match &mut self.preflight {
            Some(preflight) => preflight.answered(now, outcome),
            None => self.task.answered(now, outcome),
        }
    }

    fn report(&mut self) {
        let mut events = self.task.take_events();
        events.extend(self.preflight.iter_mut().flat_map(Preflight::take_events));
        for event in events {
            self.imports.emit(&event);
        }
    }

    fn progress(&mut self, sent: usize, next_poll_after_ms: u64) -> Progress {
        self.report();
        Progress { sent, offset: self.task.offset(), next_poll_after_ms }
    }
}
