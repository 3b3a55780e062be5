//! `Check`: one line of the preflight, the contract's `check`.

use crate::{
    error::{Failure, Verdict},
    http::HttpError,
};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Pass,
    /// The connector runs, and somebody should know.
    Warn,
    /// The connector would not run, or not for long.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: a stable word, `login`.
    pub name: &'static str,
    /// How it went.
    pub status: Status,
    /// What was found, a sentence without its full stop.
    pub message: String,
    /// What to do, whole sentences; empty when there is nothing to do.
    pub remedy: String,
}

impl Check {
    /// All is well.
    pub(super) fn pass(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, status: Status::Pass, message: message.into(), remedy: String::new() }
    }

    /// Somebody should know.
    pub(super) fn warn(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, status: Status::Warn, message: message.into(), remedy: remedy.into() }
    }

    /// It would not run.
    pub(super) fn fail(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, status: Status::Fail, message: message.into(), remedy: remedy.into() }
    }

    /// What a task would make of the answer, in the words that it would use.
    pub(super) fn of_verdict(name: &'static str, verdict: Verdict) -> Self {
        match verdict {
            Verdict::Fail(failure) => Self::of_failure(name, &failure),
            Verdict::Reauthenticate(cause) => {
                Self::fail(name, cause.message, "Check that the user and the connected app may use the API.")
            }
            Verdict::Throttled(cause) => {
                Self::fail(name, cause.message, "The quota is used up; a connector waits until there is some again.")
            }
            Verdict::Retry(cause, _) | Verdict::Rehandshake(cause) | Verdict::CheckPushTopic(cause) => {
                Self::fail(name, cause.message, "Try again later: a connector would, for request.max.retries.time.ms.")
            }
        }
    }

    /// A failure's text says first what happened, then what to do.
    fn of_failure(name: &'static str, failure: &Failure) -> Self {
        match failure.message.split_once(". ") {
            Some((message, remedy)) => {
                let full_stop = if remedy.ends_with('.') { "" } else { "." };
                Self::fail(name, message, format!("{remedy}{full_stop}"))
            }
            None => Self::fail(name, failure.message.trim_end_matches('.'), ""),
        }
    }

    /// There was no answer.
    pub(super) fn of_http_error(name: &'static str, what: &str, error: &HttpError) -> Self {
        let remedy = match error {
            // These say themselves what to do.
            HttpError::Denied { .. } | HttpError::BodyTooLarge { .. } => "",
            HttpError::Dns(_) => "Check salesforce.instance and the name servers of this machine.",
            HttpError::Connect(_) => {
                "Check salesforce.instance, the network, and whether a proxy is needed (http.proxy)."
            }
            HttpError::Tls(_) => {
                "Check salesforce.instance; where a proxy of your own opens TLS, its root belongs into the runtime's list \
                 (in tributary: tributary.network.ca.file)."
            }
            HttpError::Timeout(_) => "Check the network, or raise connection.timeout.",
            HttpError::Broken(_) | HttpError::Invalid(_) => "Check salesforce.instance, and any proxy in between.",
        };
        Self::fail(name, format!("{what} failed: {error}"), remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Cause, FailureKind};

    #[test]
    fn every_failure_has_a_remedy() {
        let fail = |text: &str| Verdict::Fail(Failure::new(FailureKind::Auth, "C", text));
        let cause = || Cause::new("C", "It said no");
        for (verdict, message, remedy) in [
            (fail("It said no. Check a. Check b"), "It said no", "Check a. Check b."),
            (fail("It said no."), "It said no", ""),
            (Verdict::Reauthenticate(cause()), "It said no", "may use the API"),
            (Verdict::Throttled(cause()), "It said no", "used up"),
            (Verdict::Retry(cause(), 0), "It said no", "Try again later"),
        ] {
            let check = Check::of_verdict("login", verdict);
            assert_eq!((check.status, check.message.as_str()), (Status::Fail, message));
            assert!(check.remedy.contains(remedy), "{check:?}");
        }
        let denied = HttpError::Denied { origin: "https://a".into() };
        let check = Check::of_http_error("login", "The login", &denied);
        assert!(check.message.contains("tributary.network.allow"), "{check:?}");
    }
}
