//! Verdicts: what an error means for the task. Every typed error of the core maps to one of these in one function of its
//! own module; the retry policy (`task::state`) reads the verdict and nothing else.

use thiserror::Error;

/// What can be done about a failure: the contract's `failure-kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Configuration, or what it names in the org, must be changed.
    Config,
    /// Credentials or rights were refused.
    Auth,
    /// The org asked for less, for longer than the retry time.
    Throttled,
    /// The org could not be reached for longer than the retry time.
    Transient,
    /// The org no longer holds the events after the committed offset.
    OffsetLost,
    /// An event cannot be turned into a record.
    BadRecord,
    /// A defect.
    Fatal,
}

/// Why the task cannot go on: the contract's `failure`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message} [{code}]")]
pub struct Failure {
    /// What can be done about it.
    pub kind: FailureKind,
    /// The org's own code, or one of ours in that spirit.
    pub code: String,
    /// What happened and what to do, for a person; no secrets.
    pub message: String,
    /// Milliseconds before another try makes sense.
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure without a hint when to try again.
    #[must_use]
    pub fn new(kind: FailureKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), retry_after_ms: None }
    }
}

/// A cause, by what the task does next. `Cause` carries the words for log and failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The CometD session is gone, the token is still good: handshake and subscribe again.
    Rehandshake(Cause),
    /// The token is refused: log in, then as above.
    Reauthenticate(Cause),
    /// The org, or the way to it, is not well: wait (at least the given milliseconds), then start a new session.
    Retry(Cause, u64),
    /// A quota of the org is used up. Events stay in the org meanwhile, so the task waits, for as long as it takes.
    Throttled(Cause),
    /// The channel was refused: look at the PushTopic over REST to find out why, then fail.
    CheckPushTopic(Cause),
    /// Nothing that the task can do helps.
    Fail(Failure),
}

/// What was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The far side's own code, or one of ours.
    pub code: String,
    /// A sentence.
    pub message: String,
}

impl Cause {
    /// Puts code and sentence together.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The failure that this cause becomes when the task gives up.
    #[must_use]
    pub fn into_failure(self, kind: FailureKind) -> Failure {
        Failure::new(kind, self.code, self.message)
    }
}

/// Text from the far side, fit for a log line: control characters replaced, at most `chars_max` characters.
#[must_use]
pub fn excerpt(text: &str, chars_max: usize) -> String {
    let mut out: String = text.chars().take(chars_max).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(chars_max).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(excerpt("a\r\nb", 10), "a  b");
        assert_eq!(excerpt("äöü", 2), "äö…");
        assert_eq!(excerpt("äöü", 3), "äöü");
    }
}
