//! `TaskMetrics`: what is counted on the data path of one connector's task. Atomics alone: counting costs some nanoseconds,
//! and whoever reads them holds nothing up.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Upper bounds of the buckets of `Histogram`, in microseconds.
pub const BOUNDS_US: [u64; 14] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000,
];

/// How often times of each length came.
#[derive(Debug, Default)]
pub struct Histogram {
    /// One for each bound, and one for what is above them all.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    /// Counts a time.
    pub fn note(&self, time: Duration) {
        let us = micros(time);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Counts for each bucket, not added up, and the sum in microseconds.
    #[must_use]
    pub fn read(&self) -> (Vec<u64>, u64) {
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        (buckets, self.sum_us.load(Ordering::Relaxed))
    }
}

/// Count, sum, least and greatest of a quantity since the task's first life.
#[derive(Debug)]
pub struct Spread {
    count: AtomicU64,
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
}

/// A `Spread` at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SpreadValues {
    pub count: u64,
    pub sum: u64,
    pub min: u64,
    pub max: u64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { count: AtomicU64::new(0), sum: AtomicU64::new(0), min: AtomicU64::new(u64::MAX), max: AtomicU64::new(0) }
    }
}

impl Spread {
    /// Counts a quantity.
    pub fn note(&self, value: u64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
        self.min.fetch_min(value, Ordering::Relaxed);
        self.max.fetch_max(value, Ordering::Relaxed);
    }

    /// Counts a time, in microseconds.
    pub fn note_time(&self, time: Duration) {
        self.note(micros(time));
    }

    /// `None` when nothing was counted.
    #[must_use]
    pub fn read(&self) -> Option<SpreadValues> {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let count = load(&self.count);
        (count > 0).then(|| SpreadValues { count, sum: load(&self.sum), min: load(&self.min), max: load(&self.max) })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// See the module. The fields are named after Kafka Connect's metrics where there is one.
#[derive(Debug)]
pub struct TaskMetrics {
    /// Records that are durable.
    pub written: AtomicU64,
    /// Records that were handed over and are not.
    pub active: AtomicU64,
    /// From the arrival of an event's bytes at the host to the moment at which its record is durable. Of each batch handed
    /// over, its last record.
    pub latency: Histogram,
    /// How long it took to store the offset, in microseconds.
    pub commits: Spread,
    /// Offsets that could not be stored.
    pub commit_failures: AtomicU64,
    /// How long the polls took that brought records, in microseconds.
    pub polls: Spread,
    /// Records of such a poll.
    pub batches: Spread,
    /// Records of a transaction.
    pub transactions: Spread,
    /// Linear memory of the component's instance, bytes.
    pub memory_bytes: AtomicU64,
    /// Turns of the sandbox's clock that found the component computing.
    pub epochs: AtomicU64,
    /// Instances that ended in a trap.
    pub traps: AtomicU64,
    born: Instant,
    /// When bytes for the component arrived last, in nanoseconds after `born`.
    arrived_ns: AtomicU64,
    states: Mutex<States>,
}

/// How long the task was in states.
#[derive(Debug, Default)]
struct States {
    now: &'static str,
    since: Option<Instant>,
    running: Duration,
    paused: Duration,
    total: Duration,
}

impl States {
    fn count(&mut self, at: Instant) {
        let Some(since) = self.since.replace(at) else { return };
        let time = at.saturating_duration_since(since);
        self.total += time;
        match self.now {
            "RUNNING" => self.running += time,
            "PAUSED" => self.paused += time,
            _ => {}
        }
    }
}

impl Default for TaskMetrics {
    fn default() -> Self {
        Self {
            written: AtomicU64::default(),
            active: AtomicU64::default(),
            latency: Histogram::default(),
            commits: Spread::default(),
            commit_failures: AtomicU64::default(),
            polls: Spread::default(),
            batches: Spread::default(),
            transactions: Spread::default(),
            memory_bytes: AtomicU64::default(),
            epochs: AtomicU64::default(),
            traps: AtomicU64::default(),
            born: Instant::now(),
            arrived_ns: AtomicU64::default(),
            states: Mutex::default(),
        }
    }
}

impl TaskMetrics {
    /// Bytes for the component have arrived.
    pub fn arrived_now(&self) {
        let ns = u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.arrived_ns.store(ns, Ordering::Relaxed);
    }

    /// When bytes for the component arrived last: those of the events that it hands over now.
    #[must_use]
    pub fn arrived(&self) -> Instant {
        self.born + Duration::from_nanos(self.arrived_ns.load(Ordering::Relaxed))
    }

    /// The task is in this state from now on.
    pub fn enter(&self, state: &'static str) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.count(Instant::now());
        states.now = state;
    }

    /// The parts of its time in which the task was running and paused, 0 to 1.
    #[must_use]
    pub fn ratios(&self) -> (f64, f64) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.count(Instant::now());
        if states.total.is_zero() {
            return (0.0, 0.0);
        }
        let part = |time: Duration| time.as_secs_f64() / states.total.as_secs_f64();
        (part(states.running), part(states.paused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_at_the_first_bound_that_it_does_not_exceed() {
        let histogram = Histogram::default();
        for (us, bucket) in [(0, 0), (1_000, 0), (1_001, 1), (30_000_000, 13), (30_000_001, 14)] {
            let before = histogram.read().0;
            histogram.note(Duration::from_micros(us));
            let after = histogram.read().0;
            let grown: Vec<usize> = (0..after.len()).filter(|index| after[*index] > before[*index]).collect();
            assert_eq!(grown, [bucket], "{us} µs");
        }
        assert_eq!(histogram.read().1, 60_002_002);
    }

    #[test]
    fn a_spread_has_no_values_before_the_first() {
        let spread = Spread::default();
        assert_eq!(spread.read(), None);
        for value in [5, 2, 9] {
            spread.note(value);
        }
        assert_eq!(spread.read(), Some(SpreadValues { count: 3, sum: 16, min: 2, max: 9 }));
    }

    #[test]
    fn states_share_the_time() {
        let (mut states, start) = (States::default(), Instant::now());
        for (state, at_s) in [("UNASSIGNED", 0), ("RUNNING", 1), ("PAUSED", 4), ("FAILED", 6)] {
            states.count(start + Duration::from_secs(at_s));
            states.now = state;
        }
        states.count(start + Duration::from_secs(10));
        let seconds = [states.running, states.paused, states.total].map(|time| time.as_secs());
        assert_eq!(seconds, [3, 2, 10]);
    }
}
