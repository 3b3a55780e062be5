//! `ServerClock`: what time it is for the org, by the `Date` of its answers. An assertion whose times are off is refused,
//! and a machine's clock may be off by more than that.

use crate::{
    http::Response,
    time::{WallMs, parse_http_date},
};

/// A difference up to this, in milliseconds, is no reason to correct anything: `Date` counts in seconds, and answers travel.
const TOLERANCE_MS: WallMs = 30_000;

/// How far the org's clock is ahead of this machine's.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerClock {
    ahead_ms: WallMs,
}

impl ServerClock {
    /// The time by the org's clock.
    #[must_use]
    pub fn now(self, wall_ms: WallMs) -> WallMs {
        wall_ms.saturating_add(self.ahead_ms)
    }

    /// Looks at an answer that came at `wall_ms`. Gives back by how many milliseconds the org is ahead when that is news:
    /// what was asked before was asked at a wrong time.
    pub fn observe(&mut self, response: &Response, wall_ms: WallMs) -> Option<WallMs> {
        let date_ms = response.header("date").and_then(parse_http_date)?;
        let found_ms = date_ms.saturating_sub(wall_ms);
        if found_ms.saturating_sub(self.ahead_ms).saturating_abs() <= TOLERANCE_MS {
            return None;
        }
        self.ahead_ms = if found_ms.saturating_abs() <= TOLERANCE_MS { 0 } else { found_ms };
        Some(self.ahead_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_difference_that_matters_is_taken_over() {
        /// Sun, 06 Nov 1994 08:49:37 GMT
        const DATE_MS: WallMs = 784_111_777_000;
        let response =
            |date: &str| Response { status: 200, headers: vec![("date".into(), date.into())], body: Vec::new() };
        let date = response("Sun, 06 Nov 1994 08:49:37 GMT");
        let cases: &[(WallMs, Option<WallMs>, WallMs)] = &[
            (DATE_MS, None, DATE_MS),
            (DATE_MS - TOLERANCE_MS, None, DATE_MS - TOLERANCE_MS),
            (DATE_MS - TOLERANCE_MS - 1, Some(TOLERANCE_MS + 1), DATE_MS),
            (DATE_MS + TOLERANCE_MS + 1, Some(-TOLERANCE_MS - 1), DATE_MS),
        ];
        for (wall_ms, news, now) in cases {
            let mut clock = ServerClock::default();
            assert_eq!(clock.observe(&date, *wall_ms), *news);
            assert_eq!(clock.now(*wall_ms), *now);
            assert_eq!(clock.observe(&date, *wall_ms), None, "it is no news twice");
        }
        let mut clock = ServerClock::default();
        assert_eq!(clock.observe(&date, DATE_MS - 600_000), Some(600_000));
        assert_eq!(clock.observe(&response("soon"), DATE_MS), None);
        assert_eq!(clock.observe(&date, DATE_MS), Some(0), "the clock was set right");
        assert_eq!(clock.now(DATE_MS), DATE_MS);
    }
}
