//! `Backoff`: how long to wait before the next attempt, and when to give up. Pure; exponential with jitter, inside a
//! budget of time (`request.max.retries.time.ms`).

use crate::time::{Deadline, Now};

/// The first wait, in milliseconds, before jitter.
pub const FIRST_WAIT_MS: u64 = 500;
/// The longest wait, in milliseconds.
pub const WAIT_MAX_MS: u64 = 30_000;

/// SplitMix64 (Steele, Lea, Flood 2014): enough randomness to keep many clients apart, reproducible from a seed.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Starts from a seed; different tasks need different seeds.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A wait between half of `wait_ms` and all of it.
    pub fn spread(&mut self, wait_ms: u64) -> u64 {
        let half = wait_ms / 2;
        half + self.next() % (wait_ms - half + 1)
    }
}

/// A run of consecutive failures.
#[derive(Clone, Debug)]
pub struct Backoff {
    budget_ms: u64,
    attempts: u32,
    gives_up_at: Option<Deadline>,
}

impl Backoff {
    /// A run that gives up when `budget_ms` milliseconds have passed since its first failure.
    #[must_use]
    pub fn new(budget_ms: u64) -> Self {
        Self { budget_ms, attempts: 0, gives_up_at: None }
    }

    /// Something worked: the next failure starts a new run.
    pub fn reset(&mut self) {
        self.attempts = 0;
        self.gives_up_at = None;
    }

    /// Failures in this run.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Another failure. Returns the milliseconds to wait before the next attempt, or `None` when the budget is used up
    /// or the far side asks for a longer wait (`at_least_ms`) than it holds. The last attempt comes at the very end of
    /// the budget rather than being forgone.
    pub fn failed(&mut self, now: Now, at_least_ms: u64, jitter: &mut Jitter) -> Option<u64> {
        let gives_up_at = *self.gives_up_at.get_or_insert(now.deadline(self.budget_ms));
        let left_ms = gives_up_at.remaining_ms(now);
        if left_ms == 0 || at_least_ms > left_ms {
            return None;
        }
        let wait_ms = FIRST_WAIT_MS.saturating_mul(1 << self.attempts.min(16)).min(WAIT_MAX_MS);
        self.attempts = self.attempts.saturating_add(1);
        Some(jitter.spread(wait_ms).max(at_least_ms).min(left_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(monotonic_ms: u64) -> Now {
        Now { monotonic_ms, wall_ms: 0 }
    }

    #[test]
    fn waits_grow_to_a_cap_and_end_with_the_budget() {
        let mut jitter = Jitter::new(7);
        let mut backoff = Backoff::new(100_000);
        let (mut now, mut waits) = (0, Vec::new());
        while let Some(wait) = backoff.failed(at(now), 0, &mut jitter) {
            waits.push(wait);
            now += wait;
        }
        assert_eq!(now, 100_000, "the last attempt falls on the end of the budget");
        for (index, wait) in waits.iter().enumerate().take(waits.len() - 1) {
            let full = (FIRST_WAIT_MS << index).min(WAIT_MAX_MS);
            assert!((full / 2..=full).contains(wait), "wait {index} is {wait}");
        }
    }

    #[test]
    fn the_far_side_can_ask_for_more_but_not_beyond_the_budget() {
        let mut jitter = Jitter::new(7);
        let mut backoff = Backoff::new(30_000);
        assert_eq!(backoff.failed(at(0), 10_000, &mut jitter), Some(10_000));
        assert_eq!(backoff.failed(at(10_000), 20_001, &mut jitter), None);
    }

    #[test]
    fn success_starts_anew() {
        let mut jitter = Jitter::new(7);
        let mut backoff = Backoff::new(1_000);
        assert!(backoff.failed(at(0), 0, &mut jitter).is_some());
        assert!(backoff.failed(at(1_000), 0, &mut jitter).is_none());
        backoff.reset();
        assert!(backoff.failed(at(5_000), 0, &mut jitter).is_some_and(|wait| wait <= FIRST_WAIT_MS));
    }
}
