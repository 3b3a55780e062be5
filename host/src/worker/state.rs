//! What follows when a life of a task ends: pure, one function, one table of cases. Retry policy reads verdicts (the
//! component's `failure-kind`, the sink's `SinkError`), never a message.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    engine::{Failure, FailureKind, Trapped},
    sink::SinkError,
};

/// Traps without progress between them, within `TRAP_WINDOW`, after which a component is given up.
const TRAPS_MAX: usize = 5;
/// See `TRAPS_MAX`.
const TRAP_WINDOW: Duration = Duration::from_secs(600);
/// The wait before the first new start; it doubles from there.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// The longest wait: what was away is noticed within 30 s of its return.
const BACKOFF_MAX: Duration = Duration::from_secs(15);

/// With `auto.restart.on.user.error`: the wait before the first new start after a failure that a person has to mend; it
/// doubles from there.
const FAILED_WAIT_FIRST: Duration = Duration::from_secs(10);
/// The longest of these waits.
const FAILED_WAIT_MAX: Duration = Duration::from_secs(900);
/// Logins with the same secrets that may be refused in a row. The strictest org locks a user after three.
const REFUSED_LOGINS_MAX: u32 = 2;

/// The state of a task, in Kafka Connect's words; `FENCED` is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Kafka Connect's")]
pub enum State {
    Unassigned,
    Running,
    Restarting,
    Stopped,
    Failed,
    Fenced,
}

impl State {
    /// The word as Kafka Connect writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Fenced => "FENCED",
        }
    }
}

/// How a life of a task ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It was asked to.
    Stopped,
    /// The component gave up, after the retries that make sense to it.
    Failure(Failure),
    /// The component was ended by the sandbox.
    Trapped(Trapped),
    /// The sink failed.
    Sink(SinkError),
    /// The configuration names something that the host cannot hand over.
    Unusable(String),
}

/// What to do then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Stop,
    Fail {
        kind: &'static str,
        code: String,
        reason: String,
    },
    Fence {
        reason: String,
    },
    /// FAILED, but not for good.
    FailAndRestart {
        kind: &'static str,
        code: String,
        reason: String,
        after: Duration,
    },
    Restart {
        reason: String,
        after: Duration,
    },
}

/// What went before, since the last progress.
#[derive(Debug, Default)]
pub(crate) struct History {
    restarts: u32,
    traps: VecDeque<Instant>,
    refused_logins: u32,
}

impl History {
    /// The task has got on: an offset became durable.
    pub(crate) fn progressed(&mut self) {
        *self = Self::default();
    }

    /// What follows, given what went before. `jitter` is a number from 0 to 1; `restarts_failed` is
    /// `auto.restart.on.user.error`.
    pub(crate) fn after(&mut self, ending: &Ending, now: Instant, jitter: f64, restarts_failed: bool) -> Action {
        if let Ending::Failure(Failure { kind: FailureKind::Auth, .. }) = ending {
            self.refused_logins = self.refused_logins.saturating_add(1);
        }
        if let Ending::Trapped(_) = ending {
            self.traps.push_back(now);
            while self.traps.front().is_some_and(|first| now.duration_since(*first) > TRAP_WINDOW) {
                self.traps.pop_front();
            }
        }
        let mut action = decide(ending, self.traps.len(), backoff(BACKOFF_FIRST, BACKOFF_MAX, self.restarts, jitter));
        if let Action::Fail { kind, code, reason } = &action
            && restarts_failed
            && can_be_mended(ending)
            && self.refused_logins < REFUSED_LOGINS_MAX
        {
            let after = backoff(FAILED_WAIT_FIRST, FAILED_WAIT_MAX, self.restarts, jitter);
            action = Action::FailAndRestart { kind, code: code.clone(), reason: reason.clone(), after };
        }
        if let Action::Restart { .. } | Action::FailAndRestart { .. } = action {
            self.restarts = self.restarts.saturating_add(1);
        }
        action
    }
}

/// Verdict → action.
fn decide(ending: &Ending, traps: usize, after: Duration) -> Action {
    let fail = |kind, code: &str, reason: String| Action::Fail { kind, code: code.to_owned(), reason };
    match ending {
        Ending::Stopped | Ending::Sink(SinkError::Stopping) => Action::Stop,
        Ending::Failure(failure) => fail(failure.kind.as_str(), &failure.code, failure.message.clone()),
        Ending::Trapped(trapped) if traps >= TRAPS_MAX => fail(
            "fatal",
            "trap",
            format!("{trapped}; {traps} times within {} min without getting on", TRAP_WINDOW.as_secs() / 60),
        ),
        Ending::Trapped(trapped) => Action::Restart { reason: trapped.to_string(), after },
        Ending::Sink(SinkError::Unavailable(reason)) => Action::Restart { reason: reason.clone(), after },
        Ending::Sink(SinkError::Fenced(reason)) => Action::Fence { reason: reason.clone() },
        Ending::Sink(SinkError::Refused(reason)) => fail("config", "refused", reason.clone()),
        Ending::Unusable(reason) => fail("config", "unusable", reason.clone()),
    }
}

/// Whether somebody may mend the cause while the task waits, so that the same configuration works then. A lost position is
/// not such a cause, since it is told of each time; nor is a record that cannot be delivered.
fn can_be_mended(ending: &Ending) -> bool {
    match ending {
        Ending::Failure(failure) => match failure.kind {
            FailureKind::Config | FailureKind::Auth | FailureKind::Throttled | FailureKind::Transient => true,
            FailureKind::OffsetLost | FailureKind::BadRecord | FailureKind::Fatal => false,
        },
        Ending::Sink(SinkError::Refused(_)) | Ending::Unusable(_) => true,
        Ending::Stopped | Ending::Trapped(_) | Ending::Sink(_) => false,
    }
}

/// Doubles from `first` to `max`, of which a random part of up to a half is taken off.
fn backoff(first: Duration, max: Duration, restarts: u32, jitter: f64) -> Duration {
    let full = first.saturating_mul(2_u32.saturating_pow(restarts)).min(max);
    full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::FailureKind;

    fn failure(kind: FailureKind) -> Ending {
        Ending::Failure(Failure { kind, code: "c".to_owned(), message: "m".to_owned(), retry_after_ms: None })
    }

    fn text() -> String {
        "m".to_owned()
    }

    /// The action for one ending, in a word.
    fn check(ending: &Ending, traps: usize, expected: &str) {
        let word = match decide(ending, traps, BACKOFF_FIRST) {
            Action::Stop => "stop".to_owned(),
            Action::Fail { kind, reason, .. } => {
                assert!(reason.starts_with('m'), "{reason}");
                format!("fail {kind}")
            }
            Action::Fence { .. } => "fence".to_owned(),
            Action::FailAndRestart { .. } => unreachable!("`decide` does not know of it"),
            Action::Restart { after, .. } => format!("restart {}", after.as_millis()),
        };
        assert_eq!(word, expected, "{ending:?} after {traps} traps");
    }

    #[test]
    fn every_ending_leads_to_one_action() {
        check(&Ending::Stopped, 0, "stop");
        check(&failure(FailureKind::Config), 0, "fail config");
        check(&failure(FailureKind::Auth), 0, "fail auth");
        check(&failure(FailureKind::Throttled), 0, "fail throttled");
        check(&failure(FailureKind::Transient), 0, "fail transient");
        check(&failure(FailureKind::OffsetLost), 0, "fail offset-lost");
        check(&failure(FailureKind::BadRecord), 0, "fail bad-record");
        check(&failure(FailureKind::Fatal), 0, "fail fatal");
        check(&Ending::Trapped(Trapped(text())), 1, "restart 500");
        check(&Ending::Trapped(Trapped(text())), TRAPS_MAX - 1, "restart 500");
        check(&Ending::Trapped(Trapped(text())), TRAPS_MAX, "fail fatal");
        check(&Ending::Sink(SinkError::Stopping), 0, "stop");
        check(&Ending::Sink(SinkError::Unavailable(text())), 0, "restart 500");
        check(&Ending::Sink(SinkError::Unavailable(text())), 1000, "restart 500");
        check(&Ending::Sink(SinkError::Fenced(text())), 0, "fence");
        check(&Ending::Sink(SinkError::Refused(text())), 0, "fail config");
        check(&Ending::Unusable(text()), 0, "fail config");
    }

    #[test]
    fn the_backoff_grows_to_its_cap_and_is_spread() {
        for (restarts, jitter, ms) in [
            (0, 0.0, 500),
            (1, 0.0, 1000),
            (4, 0.0, 8000),
            (5, 0.0, 15_000),
            (60, 0.0, 15_000),
            (5, 1.0, 7500),
            (0, 0.5, 375),
        ] {
            assert_eq!(backoff(BACKOFF_FIRST, BACKOFF_MAX, restarts, jitter).as_millis(), ms, "{restarts} {jitter}");
        }
    }

    #[test]
    fn traps_are_forgiven_after_progress_and_after_a_while() {
        let start = Instant::now();
        let trap = Ending::Trapped(Trapped(text()));
        let mut history = History::default();
        let failed = |action: &Action| matches!(action, Action::Fail { .. });
        for _ in 1..TRAPS_MAX {
            assert!(!failed(&history.after(&trap, start, 0.0, false)));
        }
        assert!(failed(&history.after(&trap, start, 0.0, false)));
        history.progressed();
        assert_eq!(history.after(&trap, start, 0.0, false), Action::Restart { reason: text(), after: BACKOFF_FIRST });
        // Spread over a longer time than the window they never add up.
        let mut history = History::default();
        for trap_number in 0..20_u32 {
            let now = start + TRAP_WINDOW / 3 * trap_number;
            assert!(!failed(&history.after(&trap, now, 0.0, false)), "trap {trap_number}");
        }
    }

    #[test]
    fn an_absent_sink_is_waited_for_without_end() {
        let (start, mut history) = (Instant::now(), History::default());
        let away = Ending::Sink(SinkError::Unavailable(text()));
        for _ in 0..10_000 {
            assert!(
                matches!(history.after(&away, start, 0.0, false), Action::Restart { after, .. } if after <= BACKOFF_MAX)
            );
        }
    }

    #[test]
    fn what_a_person_can_mend_is_tried_again_where_that_is_asked_for() {
        let now = Instant::now();
        let word = |history: &mut History, ending: &Ending, asked: bool| match history.after(ending, now, 0.0, asked) {
            Action::Fail { .. } => "fail".to_owned(),
            Action::FailAndRestart { after, .. } => format!("again {}", after.as_secs()),
            other => format!("{other:?}"),
        };
        for (ending, expected) in [
            (failure(FailureKind::Config), "again 10"),
            (failure(FailureKind::Auth), "again 10"),
            (failure(FailureKind::Throttled), "again 10"),
            (failure(FailureKind::Transient), "again 10"),
            (Ending::Sink(SinkError::Refused(text())), "again 10"),
            (Ending::Unusable(text()), "again 10"),
            (failure(FailureKind::OffsetLost), "fail"),
            (failure(FailureKind::BadRecord), "fail"),
            (failure(FailureKind::Fatal), "fail"),
        ] {
            assert_eq!(word(&mut History::default(), &ending, true), expected, "{ending:?}");
            assert_eq!(word(&mut History::default(), &ending, false), "fail", "{ending:?}");
        }
        let mut history = History::default();
        let waits: Vec<String> =
            (0..9).map(|_| word(&mut history, &Ending::Sink(SinkError::Refused(text())), true)).collect();
        let expected = [10, 20, 40, 80, 160, 320, 640, 900, 900].map(|seconds| format!("again {seconds}"));
        assert_eq!(waits, expected);
    }

    #[test]
    fn an_account_is_not_locked_by_logins_that_are_refused_again_and_again() {
        let now = Instant::now();
        let mut history = History::default();
        let refused = failure(FailureKind::Auth);
        assert!(matches!(history.after(&refused, now, 0.0, true), Action::FailAndRestart { .. }));
        assert!(matches!(history.after(&refused, now, 0.0, true), Action::Fail { .. }));
        // Whatever comes between, short of a success.
        let mut history = History::default();
        assert!(matches!(history.after(&refused, now, 0.0, true), Action::FailAndRestart { .. }));
        assert!(matches!(
            history.after(&failure(FailureKind::Transient), now, 0.0, true),
            Action::FailAndRestart { .. }
        ));
        assert!(matches!(history.after(&refused, now, 0.0, true), Action::Fail { .. }));
        history.progressed();
        assert!(matches!(history.after(&refused, now, 0.0, true), Action::FailAndRestart { .. }));
    }
}
