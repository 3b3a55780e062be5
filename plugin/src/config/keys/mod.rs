//! The one table of this connector's settings: names, defaults and ranges of Confluent's managed and self-managed
//! PushTopic source connectors. The host's own settings (`name`, `tasks.max`, `producer.override.*` and so on) are not
//! here. One file for each group.

mod connection;
mod login;
pub(super) mod output;
mod push_topic;
pub(super) mod registry;
mod without_effect;

use super::def::{Effect, Importance, Key, Type, Validator, Width};

/// `connector.class` of the managed connector.
pub const CLASS_MANAGED: &str = "SalesforcePushTopicSource";
/// `connector.class` of the self-managed connector.
pub const CLASS_SELF_MANAGED: &str = "io.confluent.salesforce.SalesforcePushTopicSourceConnector";
/// Every `connector.class` that means this connector, the proper one first.
pub const CLASSES: &[&str] = &[CLASS_MANAGED, CLASS_SELF_MANAGED, "io.confluent.salesforce.SalesforceSourceConnector"];

/// Where the connector means to connect when the runtime has no list of its own.
pub const NETWORK: &[&str] = &[
    "https://login.salesforce.com",
    "https://test.salesforce.com",
    "https://*.my.salesforce.com",
    "https://*.salesforce.com",
];

const LOGIN: &str = "Salesforce login";
const OUTPUT: &str = "Output";

const BASE: Key = Key {
    name: "",
    kind: Type::String,
    default: None,
    default_self_managed: None,
    required: false,
    importance: Importance::Medium,
    validator: Validator::Any,
    group: LOGIN,
    width: Width::Medium,
    display_name: "",
    dependents: &[],
    effect: Effect::Used,
    documentation: "",
};

const LOW: Key = Key { importance: Importance::Low, width: Width::Short, ..BASE };
const HIGH: Key = Key { importance: Importance::High, ..BASE };

/// Every group of settings, in the order in which tables show them.
const GROUPS: &[&[Key]] = &[
    &[CONNECTOR_CLASS],
    login::KEYS,
    push_topic::KEYS,
    connection::KEYS,
    output::KEYS,
    registry::VALUES,
    registry::KEYS,
    without_effect::KEYS,
];

const CONNECTOR_CLASS: Key = Key {
    name: "connector.class",
    kind: Type::Class,
    default: Some(CLASS_MANAGED),
    validator: Validator::OneOf(CLASSES),
    group: OUTPUT,
    width: Width::Long,
    display_name: "Connector class",
    documentation: "Which connector this is. The self-managed class name also selects that connector's defaults where they differ from the managed one's.",
    ..HIGH
};

/// Every setting, in the order in which tables show them.
pub fn all() -> impl Iterator<Item = &'static Key> {
    GROUPS.iter().copied().flatten()
}

/// The definition of a setting.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    all().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for (index, key) in all().enumerate() {
            assert!(all().take(index).all(|other| other.name != key.name), "{} occurs twice", key.name);
            assert!(!key.documentation.is_empty() && !key.display_name.is_empty(), "{} lacks words", key.name);
            assert!(!(key.required && key.default.is_some()), "{} is required and has a default", key.name);
            for default in [key.default, key.default_self_managed].into_iter().flatten() {
                assert_eq!(key.kind.check(default), Ok(()), "{}", key.name);
                assert_eq!(key.validator.check(default), Ok(()), "{}", key.name);
            }
            for dependent in key.dependents {
                assert!(find(dependent).is_some(), "{} names {dependent}", key.name);
            }
        }
    }

    #[test]
    fn everything_secret_is_a_password() {
        let secret = ["password", "secret", "consumer.key", "keystore.file", "license", "password.token"];
        for key in all().filter(|key| secret.iter().any(|word| key.name.ends_with(word))) {
            assert_eq!(key.kind, Type::Password, "{}", key.name);
        }
    }
}
