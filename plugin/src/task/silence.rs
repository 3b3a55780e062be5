//! Silence as a state: connected, no errors, and no events for `salesforce.stall.detect.ms`. Then the org is asked once
//! whether it has changed. If so, the session is given up and a new one goes on from the last position, which brings what
//! the old one kept back; if it was a false alarm (the change is one of which PushTopics do not tell), that costs a
//! session, and the next look comes later.

use super::state::{Phase, Task};
use crate::{
    error::Verdict,
    http::{HttpError, Request, Response},
    oauth::Token,
    salesforce::{rest, silence},
    telemetry::Event,
    time::{Now, WallMs},
};

/// A change has to be this old, in milliseconds, before its event counts as missing.
const DELIVERY_MAX_MS: u64 = 60_000;
/// The longest wait between two looks after false alarms, in milliseconds: events are retained for a day.
const WAIT_MAX_MS: u64 = 43_200_000;
/// Beyond this part of the org's daily requests, in per cent, looks are spared.
const USAGE_MAX_PERCENT: u64 = 80;
/// Until then, in milliseconds.
const SPARED_MS: u64 = 3_600_000;

/// How long nothing has come.
#[derive(Debug)]
pub(super) struct Silence {
    /// `salesforce.stall.detect.ms`; 0: never looks.
    every_ms: u64,
    /// From the last sign of life to the next look.
    wait_ms: u64,
    /// The last sign of life, or the last look.
    since: Option<Now>,
    /// Changes up to here are accounted for.
    seen_ms: Option<WallMs>,
}

impl Silence {
    pub(super) fn new(every_ms: u64) -> Self {
        Self { every_ms, wait_ms: every_ms, since: None, seen_ms: None }
    }

    /// A subscription stands, since that time of the org; before it there was an event, or nothing that anybody knows of.
    pub(super) fn subscribed(&mut self, now: Now, at_ms: WallMs, last_event_ms: Option<WallMs>) {
        self.since = Some(now);
        if last_event_ms.is_none() {
            self.seen_ms.get_or_insert(at_ms);
        }
    }

    /// Events came.
    pub(super) fn heard(&mut self, now: Now) {
        self.since = Some(now);
        self.wait_ms = self.every_ms;
    }

    pub(super) fn is_due(&self, now: Now) -> bool {
        let past = |since: Now| now.monotonic_ms.saturating_sub(since.monotonic_ms) >= self.wait_ms;
        self.every_ms > 0 && self.since.is_some_and(past)
    }

    /// A look found this, and the org's allowance is used up so far. Returns whether the stream has stalled.
    fn looked(&mut self, now: Now, newest_ms: Option<WallMs>, usage_percent: Option<u64>) -> bool {
        self.since = Some(now);
        let spared = usage_percent.is_some_and(|percent| percent >= USAGE_MAX_PERCENT);
        self.wait_ms = match newest_ms {
            Some(_) => self.wait_ms.saturating_mul(2).min(WAIT_MAX_MS.max(self.every_ms)),
            None => self.wait_ms,
        };
        if spared {
            self.wait_ms = self.wait_ms.max(SPARED_MS);
        }
        self.seen_ms = self.seen_ms.max(newest_ms);
        newest_ms.is_some()
    }
}

impl Task {
    /// When the silence has lasted: looks for changes in place of the next connect.
    pub(super) fn look_when_due(&mut self, now: Now) {
        if self.silence.is_due(now) && self.prepared.is_some() {
            self.phase = Phase::Look;
        }
    }

    /// The query; `None` where there is nothing to look for, and the stream goes on.
    pub(super) fn look(&self, now: Now, token: &Token) -> Option<Request> {
        let prepared = self.prepared.as_ref()?;
        // Rows are stamped in whole seconds, events are dated in milliseconds: the last event's own row is not after it.
        let after_ms = self.silence.seen_ms.max(self.last_event_ms)?;
        let age_ms = i64::try_from(DELIVERY_MAX_MS.min(self.config.stall_detect_ms)).ok()?;
        let until_ms = self.clock.now(now.wall_ms).saturating_sub(age_ms);
        if until_ms <= after_ms {
            return None;
        }
        let soql = silence::soql(&prepared.push_topic_query, after_ms, until_ms)?;
        Some(rest::get(token, &rest::query_all_path(&prepared.version, &soql), self.timeouts()))
    }

    /// The answer. A look that fails costs nothing but itself.
    pub(super) fn looked(&mut self, now: Now, outcome: Result<Response, HttpError>) {
        let usage = outcome.as_ref().ok().and_then(silence::api_usage_percent);
        let newest = match outcome.ok().map(|response| silence::newest(&response)) {
            Some(Err(verdict @ Verdict::Reauthenticate(_))) => {
                self.silence.looked(now, None, usage);
                return self.follow(now, verdict);
            }
            Some(Ok(newest)) => newest,
            Some(Err(_)) | None => None,
        };
        let silent_ms = self.silence.since.map_or(0, |since| now.monotonic_ms.saturating_sub(since.monotonic_ms));
        self.phase = Phase::Connect;
        if self.silence.looked(now, newest, usage) {
            self.events.push(Event::Stalled { silent_ms, wait_ms: self.silence.wait_ms });
            self.phase = Phase::Goodbye;
        }
    }
}
