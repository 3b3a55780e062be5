//! What follows an error: one function per verdict.

use std::mem;

use super::state::{Phase, Task};
use crate::{
    connector::Plan,
    error::{Cause, Failure, FailureKind, Verdict},
    salesforce::gap::Reason,
    telemetry::Event,
    time::Now,
};

/// The first wait when a quota is used up, in milliseconds. Longer than the 40 s for which the org keeps the seat of a
/// client that died.
pub(super) const THROTTLE_FIRST_WAIT_MS: u64 = 45_000;
/// The longest wait when a quota is used up, in milliseconds.
pub(super) const THROTTLE_WAIT_MAX_MS: u64 = 900_000;
/// After so many tokens that were refused in a row another login would not help either.
const TOKENS_REFUSED_MAX: u32 = 3;

impl Task {
    /// Does what a verdict asks for.
    pub(super) fn follow(&mut self, now: Now, verdict: Verdict) {
        match verdict {
            Verdict::Rehandshake(cause) => self.again(now, cause, 0, Phase::Handshake),
            Verdict::Reauthenticate(cause) if self.tokens_refused + 1 >= TOKENS_REFUSED_MAX => {
                let message = format!(
                    "{}, as it did with {TOKENS_REFUSED_MAX} tokens in a row, each just issued. Check that the user and the connected app may use the API",
                    cause.message
                );
                self.fail(Failure::new(FailureKind::Auth, cause.code, message));
            }
            Verdict::Reauthenticate(cause) => {
                self.tokens_refused += 1;
                self.token = None;
                self.again(now, cause, 0, Phase::Login);
            }
            Verdict::Retry(cause, at_least_ms) => {
                let next = match mem::replace(&mut self.phase, Phase::Handshake) {
                    Phase::Login => return self.log_in_again(now, cause, at_least_ms),
                    same @ (Phase::Prepare(_) | Phase::Repair) => same,
                    _ if self.session.is_open() => Phase::Goodbye,
                    _ => Phase::Handshake,
                };
                self.again(now, cause, at_least_ms, next);
            }
            Verdict::Throttled(cause) => {
                let wait_ms =
                    THROTTLE_FIRST_WAIT_MS.saturating_mul(1 << self.throttled.min(8)).min(THROTTLE_WAIT_MAX_MS);
                self.throttled = self.throttled.saturating_add(1);
                let wait_ms = self.jitter.spread(wait_ms.saturating_mul(2)).min(THROTTLE_WAIT_MAX_MS);
                let next = match mem::replace(&mut self.phase, Phase::Handshake) {
                    same @ (Phase::Login | Phase::Prepare(_) | Phase::Repair) => same,
                    _ => Phase::Handshake,
                };
                self.events.push(Event::Throttled { cause, wait_ms });
                self.phase = Phase::Wait(now.deadline(wait_ms), Box::new(next));
            }
            Verdict::CheckPushTopic(cause) => {
                let version = self.prepared.as_ref().map(|prepared| prepared.version.clone()).unwrap_or_default();
                self.phase = Phase::Prepare(Plan::check(version, cause));
            }
            Verdict::Fail(failure) => match self.position.after() {
                Some(from) if failure.kind == FailureKind::OffsetLost => {
                    self.lose(now, from, &Reason::Refused(failure.message));
                }
                _ => self.fail(failure),
            },
        }
    }

    /// Waits, then goes on with `next`, or gives up.
    pub(super) fn again(&mut self, now: Now, cause: Cause, at_least_ms: u64, next: Phase) {
        match self.backoff.failed(now, at_least_ms, &mut self.jitter) {
            Some(wait_ms) => self.pause(now, cause, wait_ms, self.backoff.attempts(), next),
            None => self.give_up(cause, at_least_ms, "request.max.retries.time.ms", self.config.retries_time_ms),
        }
    }

    /// The same for a login that was not answered.
    pub(super) fn log_in_again(&mut self, now: Now, cause: Cause, at_least_ms: u64) {
        match self.login_backoff.failed(now, at_least_ms, &mut self.jitter) {
            Some(wait_ms) => self.pause(now, cause, wait_ms, self.login_backoff.attempts(), Phase::Login),
            None => {
                self.give_up(cause, at_least_ms, "salesforce.auth.retries.time.ms", self.config.auth_retries_time_ms);
            }
        }
    }

    pub(super) fn pause(&mut self, now: Now, cause: Cause, wait_ms: u64, attempts: u32, next: Phase) {
        self.events.push(Event::SessionLost { cause, wait_ms, attempts });
        self.phase = Phase::Wait(now.deadline(wait_ms), Box::new(next));
    }

    pub(super) fn give_up(&mut self, cause: Cause, at_least_ms: u64, setting: &str, tried_ms: u64) {
        let message = format!("{}. Tried for {} s ({setting}) without success", cause.message, tried_ms / 1_000);
        let kind = if at_least_ms > 0 { FailureKind::Throttled } else { FailureKind::Transient };
        let mut failure = Failure::new(kind, cause.code, message);
        failure.retry_after_ms = (at_least_ms > 0).then_some(at_least_ms);
        self.fail(failure);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.held = None;
        self.delivery = None;
        self.events.push(Event::Failed { code: failure.code.clone(), message: failure.message.clone() });
        self.phase = Phase::Failed(failure);
    }
}
