//! The clock of the sandbox, and what an instance may compute.
//!
//! A thread advances the engine's epoch every `TICK`. Compiled code compares the epoch at every loop and call, so an
//! instance that computes comes by here once in each tick. It first yields; after a short burst it *sleeps*: a task that
//! merely yields is ready again at once, and two such tasks on two threads leave nothing for the others. A call that
//! computes without end is stopped as a trap.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use wasmtime::{Store, UpdateDeadline};

use crate::telemetry::TaskMetrics;

/// How often the epoch advances.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// Ticks of uninterrupted work after which an instance sleeps instead of yielding.
const BURST_TICKS: u32 = 2;
/// How long it sleeps in each tick then: two thirds of a core remain.
const BURST_PAUSE: Duration = Duration::from_millis(5);
/// Two visits further apart than this lie in different bursts: the instance was waiting for something in between.
const BURST_GAP: Duration = Duration::from_millis(30);
/// Computing time of one call of an export, after which it is stopped.
pub const CALL_COMPUTE_MAX: Duration = Duration::from_secs(30);

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts ticking. The thread holds no strong reference to the engine.
    pub(crate) fn start(engine: &wasmtime::Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, weak) = (Arc::clone(&stop), engine.weak());
        let thread = std::thread::Builder::new().name("epoch-ticker".to_owned()).spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                std::thread::park_timeout(TICK);
                match weak.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that panicked has nothing left to tell, and this may be a drop during another panic.
            let _ = thread.join();
        }
    }
}

/// A call computed for longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("a single call computed for more than {} s without end", CALL_COMPUTE_MAX.as_secs())]
pub(crate) struct ComputeExceeded;

/// What a visit leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Yield,
    Sleep,
    Stop,
}

/// Counts the ticks in which one call computed.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    call_ticks: u32,
    burst_ticks: u32,
    last_visit: Option<Instant>,
    metrics: Arc<TaskMetrics>,
}

impl Meter {
    pub(crate) fn new(metrics: Arc<TaskMetrics>) -> Self {
        Self { metrics, ..Self::default() }
    }

    /// A call of an export begins.
    pub(crate) fn start_call(&mut self) {
        (self.call_ticks, self.burst_ticks, self.last_visit) = (0, 0, None);
    }

    fn visit(&mut self, now: Instant) -> Turn {
        let waited = self.last_visit.is_none_or(|last| now.saturating_duration_since(last) >= BURST_GAP);
        self.last_visit = Some(now);
        self.burst_ticks = if waited { 1 } else { self.burst_ticks + 1 };
        self.call_ticks += 1;
        self.metrics.epochs.fetch_add(1, Ordering::Relaxed);
        if TICK * self.call_ticks > CALL_COMPUTE_MAX {
            Turn::Stop
        } else if self.burst_ticks > BURST_TICKS {
            Turn::Sleep
        } else {
            Turn::Yield
        }
    }
}

/// Puts a store under the meter that `meter` finds in its data.
pub(crate) fn watch<T: Send + 'static>(store: &mut Store<T>, meter: fn(&mut T) -> &mut Meter) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context| match meter(context.data_mut()).visit(Instant::now()) {
        Turn::Yield => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
        Turn::Sleep => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(BURST_PAUSE)))),
        Turn::Stop => Err(ComputeExceeded.into()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Visits at the given milliseconds and what they lead to, as letters.
    fn check(visits_ms: &[u64], expected: &str) {
        let start = Instant::now();
        let mut meter = Meter::default();
        let turns: String = visits_ms
            .iter()
            .map(|ms| match meter.visit(start + Duration::from_millis(*ms)) {
                Turn::Yield => 'y',
                Turn::Sleep => 's',
                Turn::Stop => 'x',
            })
            .collect();
        assert_eq!(turns, expected, "{visits_ms:?}");
    }

    #[test]
    fn a_burst_yields_first_and_sleeps_then() {
        check(&[10], "y");
        check(&[10, 20, 30, 45, 60], "yysss");
        check(&[10, 20, 30, 60, 70, 80], "yysyys");
        check(&[0, 500, 1000, 1500], "yyyy");
    }

    #[test]
    fn a_call_is_stopped_at_its_bound_and_not_before() {
        let start = Instant::now();
        let mut meter = Meter::default();
        let ticks = u32::try_from(CALL_COMPUTE_MAX.as_millis() / TICK.as_millis()).unwrap_or(0);
        for tick in 1..=ticks {
            assert_ne!(meter.visit(start + TICK * tick), Turn::Stop, "tick {tick}");
        }
        assert_eq!(meter.visit(start + TICK * (ticks + 1)), Turn::Stop);
        meter.start_call();
        assert_eq!(meter.visit(start + TICK * (ticks + 2)), Turn::Yield);
    }
}
