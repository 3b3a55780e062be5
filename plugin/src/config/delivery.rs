//! The settings about lost positions, typed.

use super::{
    settings::Settings,
    validate::{ConfigValue, entry},
};
use crate::topic_template::{TopicTemplate, check_topic_name};

/// `salesforce.replay.lost.policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostPolicy {
    /// End the task.
    Fail,
    /// Go on with the oldest retained event.
    Earliest,
    /// Go on with events from now on.
    Latest,
    /// Read what changed since the last event, then go on with the oldest retained event.
    Repair,
}

impl LostPolicy {
    /// The word as it is written in a configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Earliest => "earliest",
            Self::Latest => "latest",
            Self::Repair => "repair",
        }
    }
}

/// What is done about a lost position, and where it is told of.
#[derive(Clone, Debug)]
pub struct GapConfig {
    /// `salesforce.replay.lost.policy`.
    pub policy: LostPolicy,
    /// `tributary.gap.topic`.
    pub topic: String,
    /// `name`; empty where the runtime does not tell it.
    pub connector: String,
}

impl GapConfig {
    pub(super) fn read(settings: &Settings<'_>, topic: &TopicTemplate) -> Self {
        let given = settings.text("tributary.gap.topic");
        Self {
            policy: match settings.text("salesforce.replay.lost.policy").to_ascii_lowercase().as_str() {
                "earliest" => LostPolicy::Earliest,
                "latest" => LostPolicy::Latest,
                "repair" => LostPolicy::Repair,
                _ => LostPolicy::Fail,
            },
            topic: if given.is_empty() {
                topic.beside(settings.text("salesforce.object"), "gaps")
            } else {
                given.to_owned()
            },
            connector: settings.text("name").to_owned(),
        }
    }
}

/// What is wrong with the topic's name.
pub(super) fn check(settings: &Settings<'_>, values: &mut Vec<ConfigValue>) {
    let name = "tributary.gap.topic";
    let given = settings.text(name);
    if !given.is_empty()
        && let Err(error) = check_topic_name(given)
    {
        entry(values, name)
            .errors
            .push(format!("{name} = {given:?} is no name of a topic: {error}. Write another one"));
    }
}
