//! The connector's core without a sandbox: the same code, compiled for this machine, driven by the same loop
//! (`salesforce_pushtopic::driver`), its answers from a socket or from memory, its records counted and dropped.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use salesforce_pushtopic::{
    bayeux::message::CONNECT,
    config::validate,
    driver::{Driver, Imports},
    error::Failure,
    http::{HttpError, Request, Response},
    task::{ProducerRecord, Step, Task},
    telemetry::Event,
    time::{Deadline, Now},
};

use crate::bare::{Connection, broken};

/// Where answers come from.
pub(crate) trait Answers {
    /// The answer to a request.
    fn answer(&mut self, request: &Request) -> Result<Response, HttpError>;
}

impl Answers for Connection {
    fn answer(&mut self, request: &Request) -> Result<Response, HttpError> {
        self.exchange(request).map_err(|error| broken(&error))
    }
}

/// A connection whose answers are kept.
pub(crate) struct Recording {
    pub(crate) connection: Connection,
    pub(crate) answers: Vec<Response>,
}

impl Answers for Recording {
    fn answer(&mut self, request: &Request) -> Result<Response, HttpError> {
        let response = self.connection.answer(request)?;
        self.answers.push(response.clone());
        Ok(response)
    }
}

/// Kept answers, given once more in the same order.
pub(crate) struct Replay<'a>(pub(crate) std::slice::Iter<'a, Response>);

impl Answers for Replay<'_> {
    fn answer(&mut self, _: &Request) -> Result<Response, HttpError> {
        self.0.next().cloned().ok_or_else(|| HttpError::Broken("no answer was kept".into()))
    }
}

/// The world of the core.
struct World<'a, A> {
    answers: &'a mut A,
    began: Instant,
}

impl<A: Answers> Imports for World<'_, A> {
    type Pending = Option<Result<Response, HttpError>>;

    fn now(&mut self) -> Now {
        now(self.began)
    }

    fn start(&mut self, request: Request) -> Result<Self::Pending, HttpError> {
        Ok(Some(self.answers.answer(&request)))
    }

    fn finish(&mut self, pending: &mut Self::Pending, _: Deadline) -> Option<Result<Response, HttpError>> {
        pending.take()
    }

    fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), Failure> {
        drop(batch);
        Ok(())
    }

    fn emit(&mut self, _: &Event) {}
}

/// Both of the core's clocks. The wall clock is the true one: cookies expire by it.
fn now(began: Instant) -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        monotonic_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        wall_ms: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX),
    }
}

/// Lets the core carry so many events.
pub(crate) fn carry(answers: &mut impl Answers, settings: &[(String, String)], events: usize) -> anyhow::Result<()> {
    let mut driver = Driver::new(World { answers, began: Instant::now() }, task(settings)?);
    let mut sent = 0;
    while sent < events {
        let progress = driver.poll(1_000).map_err(|failure| anyhow::anyhow!(failure.message))?;
        sent += progress.sent;
    }
    if sent != events {
        bail!("{sent} records instead of {events}");
    }
    Ok(())
}

/// Takes the core to the point where it asks for events; the request that it makes then. Sent again and again, it
/// brings one answer after the other.
pub(crate) fn request_for_events(
    connection: &mut Connection,
    settings: &[(String, String)],
) -> anyhow::Result<Request> {
    let mut task = task(settings)?;
    let began = Instant::now();
    for _ in 0..20 {
        let now = now(began);
        match task.step(now) {
            Step::Request(request) => {
                let body = String::from_utf8_lossy(&request.body);
                if body.contains(CONNECT) && !body.contains("advice") {
                    return Ok(request);
                }
                task.answered(now, connection.answer(&request));
            }
            Step::Fail(failure) => bail!(failure.message),
            other => bail!("{other:?} before the subscription stands: {:?}", task.take_events()),
        }
    }
    bail!("no subscription after 20 requests")
}

fn task(settings: &[(String, String)]) -> anyhow::Result<Task> {
    let config = validate::parse(settings).map_err(|failure| anyhow::anyhow!(failure.message)).context("settings")?;
    Ok(Task::new(config, None, 1))
}
