//! How the connector logs in.

use super::{BASE, HIGH};
use crate::config::def::{Key, Type, Validator, Width};

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "salesforce.grant.type",
        default: Some("PASSWORD"),
        validator: Validator::OneOf(&["PASSWORD"]),
        width: Width::Short,
        display_name: "Grant type",
        dependents: &[
            "salesforce.username",
            "salesforce.password",
            "salesforce.password.token",
            "salesforce.consumer.secret",
        ],
        documentation: "OAuth grant with which the connector logs in. This version speaks the username-password grant; orgs made since Summer '23 block it until an administrator allows it.",
        ..HIGH
    },
    Key {
        name: "salesforce.instance",
        default: Some("https://login.salesforce.com"),
        validator: Validator::Origin,
        width: Width::Long,
        display_name: "Login host",
        documentation: "Where to log in: `https://login.salesforce.com`, `https://test.salesforce.com` for a sandbox, or better the org's My Domain, `https://NAME.my.salesforce.com`. The instance to talk to afterwards comes from the answer.",
        ..HIGH
    },
    Key {
        name: "salesforce.username",
        display_name: "User name",
        documentation: "The user on whose behalf events are read. Needs read access to PushTopic and to the object.",
        ..HIGH
    },
    Key {
        name: "salesforce.password",
        kind: Type::Password,
        display_name: "Password",
        documentation: "That user's password.",
        ..HIGH
    },
    Key {
        name: "salesforce.password.token",
        kind: Type::Password,
        display_name: "Security token",
        documentation: "That user's security token, sent right after the password. May be left out where the connector's address is in a trusted IP range of the org.",
        ..HIGH
    },
    Key {
        name: "salesforce.consumer.key",
        kind: Type::Password,
        required: true,
        width: Width::Long,
        display_name: "Consumer key",
        documentation: "Consumer key (client id) of the connected app.",
        ..HIGH
    },
    Key {
        name: "salesforce.consumer.secret",
        kind: Type::Password,
        width: Width::Long,
        display_name: "Consumer secret",
        documentation: "Consumer secret of the connected app. May be left out where the app does not ask for it.",
        ..BASE
    },
];
