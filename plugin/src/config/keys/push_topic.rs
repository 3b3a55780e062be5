//! The object, its PushTopic, and where reading begins.

use super::{BASE, HIGH, LOW};
use crate::config::def::{Key, Type, Validator, Width};

const PUSH_TOPIC: &str = "PushTopic";

const fn notify(name: &'static str, display_name: &'static str, documentation: &'static str) -> Key {
    Key { name, kind: Type::Boolean, default: Some("true"), group: PUSH_TOPIC, display_name, documentation, ..LOW }
}

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "salesforce.object",
        required: true,
        validator: Validator::ApiName,
        group: PUSH_TOPIC,
        display_name: "Object",
        documentation: "API name of the object whose changes are carried, `Lead` or `Invoice__c`. Its describe gives the records their schema.",
        ..HIGH
    },
    Key {
        name: "salesforce.push.topic.name",
        required: true,
        validator: Validator::Length(crate::salesforce::push_topic::NAME_CHARS_MAX),
        group: PUSH_TOPIC,
        display_name: "PushTopic name",
        documentation: "Name of the PushTopic, at most 25 characters, upper and lower case as in Salesforce.",
        ..HIGH
    },
    Key {
        name: "salesforce.push.topic.create",
        kind: Type::Boolean,
        default: Some("true"),
        group: PUSH_TOPIC,
        display_name: "Create the PushTopic",
        dependents: &[
            "salesforce.push.topic.notify.create",
            "salesforce.push.topic.notify.update",
            "salesforce.push.topic.notify.delete",
            "salesforce.push.topic.notify.undelete",
        ],
        documentation: "Create the PushTopic when there is none of that name, with every field of the object that PushTopics allow. One that exists is never changed.",
        ..LOW
    },
    notify(
        "salesforce.push.topic.notify.create",
        "Notify of creates",
        "Whether a PushTopic created by the connector tells of new records.",
    ),
    notify(
        "salesforce.push.topic.notify.update",
        "Notify of updates",
        "Whether a PushTopic created by the connector tells of changed records.",
    ),
    notify(
        "salesforce.push.topic.notify.delete",
        "Notify of deletes",
        "Whether a PushTopic created by the connector tells of deleted records.",
    ),
    notify(
        "salesforce.push.topic.notify.undelete",
        "Notify of undeletes",
        "Whether a PushTopic created by the connector tells of records taken out of the bin.",
    ),
    Key {
        name: "salesforce.initial.start",
        default: Some("latest"),
        validator: Validator::OneOf(&["latest", "all"]),
        group: PUSH_TOPIC,
        width: Width::Short,
        display_name: "Initial start",
        documentation: "Where to begin when no offset is stored: `latest`, with events from now on, or `all`, with everything that Salesforce still retains (24 hours). A stored offset wins over it.",
        ..BASE
    },
];
