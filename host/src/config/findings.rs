//! What is wrong, or worth knowing, about a configuration: one `Finding` for each fact, collected and printed together,
//! so that a person fixes a file once.

use std::{fmt, path::PathBuf};

use super::secret::shown;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// Allowed, but surely not meant.
    Warning,
    /// The property is understood and has no effect here, for the reason given.
    Ignored,
}

/// One fact about one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The property's name.
    pub property: String,
    /// The value as it may be shown, or `None` when the property is absent. Never a secret.
    pub value: Option<String>,
    /// What is wrong, as the end of a sentence that begins with the property: `is not a whole number`.
    pub reason: String,
    /// What to do, a whole sentence; empty when there is nothing to do.
    pub remedy: String,
}

impl Finding {
    /// Whether the configuration cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.property)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, ": {}.", self.reason)?;
        if !self.remedy.is_empty() {
            write!(f, " {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Findings in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// No findings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an error in a property's value. The value is masked by the property's name.
    pub fn error(&mut self, property: &str, value: Option<&str>, reason: impl Into<String>, remedy: impl Into<String>) {
        self.push(Severity::Error, property, value, reason, remedy);
    }

    /// Notes a warning.
    pub fn warning(
        &mut self,
        property: &str,
        value: Option<&str>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Severity::Warning, property, value, reason, remedy);
    }

    /// Notes a property that has no effect.
    pub fn ignored(&mut self, property: &str, reason: impl Into<String>) {
        self.push(Severity::Ignored, property, None, reason, "");
    }

    fn push(
        &mut self,
        severity: Severity,
        property: &str,
        value: Option<&str>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Finding {
            severity,
            property: property.to_owned(),
            value: value.map(|value| shown(property, value)),
            reason: reason.into(),
            remedy: remedy.into(),
        });
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Findings) {
        self.0.extend(other.0);
    }

    /// Adds all of `other` but errors in properties that have one already: their cause is the same.
    pub fn extend_new(&mut self, other: Findings) {
        let known = self.0.len();
        for finding in other.0 {
            let has_error = |said: &Finding| said.is_error() && said.property == finding.property;
            if !(finding.is_error() && self.0[..known].iter().any(has_error)) {
                self.0.push(finding);
            }
        }
    }

    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The findings in order.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Findings {
    /// One line for each error, worst first; what is merely ignored is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<&Finding> = self.0.iter().filter(|x| x.severity != Severity::Ignored).collect();
        shown.sort_by_key(|finding| finding.severity);
        for (index, finding) in shown.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{finding}")?;
        }
        Ok(())
    }
}

/// A value that was read, with what is worth saying about it although it can be used.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// What was read.
    pub value: T,
    /// Warnings and ignored properties; never errors.
    pub findings: Findings,
}

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, is not readable, or is not of the format that its name promises.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened, with the line where that is known.
        reason: String,
    },
    /// The file is readable and its content cannot be used.
    #[error("{} cannot be used:\n{findings}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every finding, warnings included.
        findings: Findings,
    },
}
