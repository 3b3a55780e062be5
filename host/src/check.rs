//! `Check`: one line of `tributary validate --online`, whoever made it: the component, the network, Kafka.

use serde::Serialize;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// As it should be.
    Pass,
    /// The connector runs, and somebody should know.
    Warn,
    /// The connector would not run, or not for long.
    Fail,
}

impl CheckStatus {
    /// The word for people and scripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it was: a stable word.
    pub name: String,
    /// How it went.
    pub status: CheckStatus,
    /// What was found: a sentence without its full stop.
    pub message: String,
    /// What to do, in whole sentences; empty when there is nothing to do.
    pub remedy: String,
}

impl Check {
    /// All is well.
    pub fn pass(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status: CheckStatus::Pass, message: message.into(), remedy: String::new() }
    }

    /// Somebody should know.
    pub fn warn(name: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: CheckStatus::Warn, remedy: remedy.into(), ..Self::pass(name, message) }
    }

    /// It would not run.
    pub fn fail(name: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: CheckStatus::Fail, ..Self::warn(name, message, remedy) }
    }

    /// A failure whose text says first what happened, then what to do.
    #[must_use]
    pub fn fail_text(name: &str, text: &str) -> Self {
        let (message, remedy) = text.split_once(". ").unwrap_or((text.trim_end_matches('.'), ""));
        Self::fail(name, message, remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_into_what_happened_and_what_to_do() {
        for (text, message, remedy) in
            [("No. Do a. Do b.", "No", "Do a. Do b."), ("No.", "No", ""), ("a.b is no", "a.b is no", "")]
        {
            let check = Check::fail_text("x", text);
            assert_eq!((check.message.as_str(), check.remedy.as_str()), (message, remedy));
        }
    }
}
