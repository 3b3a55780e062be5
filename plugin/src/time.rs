//! Time as a value. The core never asks for the time; whoever drives it says what time it is.

/// Milliseconds since the Unix epoch, by the wall clock. For dates, never for timers.
pub type WallMs = i64;

/// An instant, read once and handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back; its zero has no meaning. For timers.
    pub monotonic_ms: u64,
    /// The wall clock.
    pub wall_ms: WallMs,
}

impl Now {
    /// The deadline that lies `after_ms` milliseconds ahead.
    #[must_use]
    pub fn deadline(self, after_ms: u64) -> Deadline {
        Deadline(self.monotonic_ms.saturating_add(after_ms))
    }
}

/// A point on the monotonic clock, in its milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub u64);

impl Deadline {
    /// Milliseconds from `now` to this deadline; 0 when it has passed.
    #[must_use]
    pub fn remaining_ms(self, now: Now) -> u64 {
        self.0.saturating_sub(now.monotonic_ms)
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(self, now: Now) -> bool {
        self.0 <= now.monotonic_ms
    }
}
