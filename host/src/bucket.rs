//! A token bucket: so many of something in a second, and so many at once after a pause.

use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: u32,
    burst: u32,
    tokens: u32,
    filled: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { per_second: per_second.max(1), burst, tokens: burst, filled: now }
    }

    /// Takes one out, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        if self.tokens == 0 {
            return false;
        }
        self.tokens -= 1;
        true
    }

    /// Whether it is as if nobody had ever taken anything.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens == self.burst
    }

    fn fill(&mut self, now: Instant) {
        let step = Duration::from_secs(1) / self.per_second;
        let steps = now.saturating_duration_since(self.filled).as_nanos() / step.as_nanos().max(1);
        let steps = u32::try_from(steps).unwrap_or(u32::MAX).min(self.burst);
        if steps > 0 {
            self.tokens = self.tokens.saturating_add(steps).min(self.burst);
            self.filled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_so_many_in_a_second() {
        let start = Instant::now();
        let mut bucket = Bucket::full(10, 3, start);
        let at = |ms| start + Duration::from_millis(ms);
        let taken: Vec<bool> = [0, 0, 0, 0, 99, 100, 100, 250, 10_000].map(|ms| bucket.take(at(ms))).into();
        assert_eq!(taken, [true, true, true, false, false, true, false, true, true]);
        assert!(!bucket.is_full(at(10_000)) && bucket.is_full(at(20_000)));
    }
}
