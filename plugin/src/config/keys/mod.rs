//! The one table of this connector's settings: names, defaults and ranges of Confluent's managed and self-managed
//! PushTopic source connectors. The host's own settings (`name`, `tasks.max`, `producer.override.*` and so on) are not
//! here. One file for each group.

mod connection;
mod delivery;
mod errors;
mod login;
pub(super) mod output;
mod push_topic;
pub(super) mod registry;
pub(super) mod transforms;
mod without_effect;

use super::def::{Dialect, Effect, Importance, Key, Type, Validator, Width};

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

/// Both of Confluent's connectors.
const BOTH: &[Dialect] = &[Dialect::Managed, Dialect::SelfManaged];
/// Today's managed connector.
const MANAGED: &[Dialect] = &[Dialect::Managed];
/// The self-managed connector.
const SELF_MANAGED: &[Dialect] = &[Dialect::SelfManaged];

/// This connector.
const OURS: &[Dialect] = &[Dialect::Ours];

const BASE: Key = Key {
    name: "",
    kind: Type::String,
    default: None,
    default_self_managed: None,
    required: false,
    importance: Importance::Medium,
    validator: Validator::Any,
    validator_managed: None,
    group: LOGIN,
    width: Width::Medium,
    display_name: "",
    dependents: &[],
    dialects: BOTH,
    is_file: false,
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
    delivery::KEYS,
    errors::KEYS,
    output::KEYS,
    registry::VALUES,
    registry::KEYS,
    transforms::KEYS,
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

/// The definition of a setting: its own entry, else its family's.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    all().find(|key| key.name == name).or_else(|| all().find(|key| key.covers(name)))
}

/// The setting's place in its group, from 1.
#[must_use]
pub fn order_in_group(key: &Key) -> usize {
    all().filter(|other| other.group == key.group).take_while(|other| other.name != key.name).count() + 1
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
            for (default, self_managed) in [(key.default, false), (key.default_self_managed.or(key.default), true)] {
                assert_eq!(default.map_or(Ok(()), |default| key.check(default, self_managed)), Ok(()), "{}", key.name);
            }
            assert!(!key.dialects.is_empty(), "{} belongs to nobody", key.name);
            assert!(!key.is_family() || key.effect != Effect::Used, "{} is used by a name of its own", key.name);
            assert!(key.documentation.ends_with('.'), "{} ends in the middle", key.name);
            for dependent in key.dependents {
                assert!(find(dependent).is_some(), "{} names {dependent}", key.name);
            }
        }
    }

    #[test]
    fn names_orders_and_families() {
        for (name, expected) in [
            ("salesforce.object", Some("salesforce.object")),
            ("confluent.topic", Some("confluent.topic*")),
            ("confluent.topic.ssl.keystore.password", Some("confluent.topic*")),
            ("salesforce.objects", None),
            ("", None),
        ] {
            assert_eq!(find(name).map(|key| key.name), expected, "{name}");
        }
        let orders: Vec<usize> = push_topic::KEYS.iter().map(order_in_group).collect();
        assert_eq!(orders, (1..=push_topic::KEYS.len()).collect::<Vec<_>>());
    }

    #[test]
    fn everything_secret_is_a_password() {
        let secret = ["password", "secret", "consumer.key", "keystore.file", "license", "password.token"];
        for key in all().filter(|key| secret.iter().any(|word| key.name.ends_with(word))) {
            assert_eq!(key.kind, Type::Password, "{}", key.name);
        }
    }
}
