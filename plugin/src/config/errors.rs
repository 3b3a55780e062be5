//! The settings about events that cannot become records, typed.

use super::{
    settings::Settings,
    validate::{ConfigValue, entry},
};
use crate::topic_template::check_topic_name;

const TOLERANCE: &str = "errors.tolerance";
const TOPIC: &str = "errors.deadletterqueue.topic.name";

/// What becomes of an event that cannot become a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorsConfig {
    /// `errors.tolerance` is `all`: it is skipped.
    pub tolerate: bool,
    /// `errors.log.enable`.
    pub log: bool,
    /// `errors.deadletterqueue.topic.name`.
    pub dead_letter_topic: Option<String>,
    /// `errors.deadletterqueue.context.headers.enable`.
    pub context_headers: bool,
    /// `name`; empty where the runtime does not tell it.
    pub connector: String,
}

impl ErrorsConfig {
    pub(super) fn read(settings: &Settings<'_>) -> Self {
        let topic = settings.text(TOPIC);
        Self {
            tolerate: is_tolerant(settings),
            log: settings.flag("errors.log.enable"),
            dead_letter_topic: (!topic.is_empty()).then(|| topic.to_owned()),
            context_headers: settings.flag("errors.deadletterqueue.context.headers.enable"),
            connector: settings.text("name").to_owned(),
        }
    }
}

fn is_tolerant(settings: &Settings<'_>) -> bool {
    settings.text(TOLERANCE).eq_ignore_ascii_case("all")
}

/// What the settings need of each other.
pub(super) fn check(settings: &Settings<'_>, values: &mut Vec<ConfigValue>) {
    let topic = settings.text(TOPIC);
    if topic.is_empty() {
        return;
    }
    let found = entry(values, TOPIC);
    if let Err(error) = check_topic_name(topic) {
        found.errors.push(format!("{TOPIC} = {topic:?} is no name of a topic: {error}. Write another one"));
    } else if !is_tolerant(settings) {
        found.warnings.push(format!(
            "{TOPIC} has no effect: an event that cannot be converted ends the task. Set {TOLERANCE}=all"
        ));
    }
}
