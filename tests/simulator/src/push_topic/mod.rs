//! PushTopics: their definition, which changes they notify of, and the events that they retain.
//!
//! Implements sections 2.3 to 2.5 of the Salesforce facts page.

mod check;
mod document;
pub(crate) mod matching;

use std::sync::Arc;

use crate::replay::TopicLog;
use crate::soql::Condition;

pub(crate) use document::Draft;

/// Which changed fields notify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NotifyForFields {
    /// Those of SELECT and WHERE.
    #[default]
    Referenced,
    /// Those of SELECT.
    Select,
    /// Those of WHERE.
    Where,
    /// Every field.
    All,
}

impl NotifyForFields {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Referenced => "Referenced",
            Self::Select => "Select",
            Self::Where => "Where",
            Self::All => "All",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Referenced, Self::Select, Self::Where, Self::All].into_iter().find(|value| value.name() == name)
    }
}

/// The four operation flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotifyForOperations {
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) undelete: bool,
}

impl NotifyForOperations {
    /// The value of the read-only field that sums them up.
    pub(crate) fn name(self) -> &'static str {
        match (self.create, self.update, self.delete || self.undelete) {
            (true, true, false) => "All",
            (true, false, false) => "Create",
            (false, true, false) => "Update",
            _ => "Extended",
        }
    }
}

/// The query of a PushTopic, checked against its object.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    /// The object's API name.
    pub(crate) object: &'static str,
    /// The selected fields in the order of the query, by API name.
    pub(crate) select: Vec<&'static str>,
    pub(crate) filter: Option<Condition>,
    /// The fields of WHERE, by API name.
    pub(crate) filter_fields: Vec<&'static str>,
}

/// One PushTopic.
#[derive(Debug)]
pub(crate) struct PushTopic {
    pub(crate) id: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) query: String,
    pub(crate) api_version: f64,
    pub(crate) is_active: bool,
    pub(crate) description: Option<String>,
    pub(crate) fields: NotifyForFields,
    pub(crate) operations: NotifyForOperations,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    pub(crate) compiled: Compiled,
    pub(crate) log: TopicLog,
}

impl PushTopic {
    /// The Bayeux channel, with the name's exact letter case.
    pub(crate) fn channel(&self) -> String {
        format!("/topic/{}", self.name)
    }
}
