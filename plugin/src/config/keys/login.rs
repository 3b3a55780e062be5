//! How the connector logs in.

use super::{BASE, HIGH, LOW, MANAGED, OURS, SELF_MANAGED};
use crate::config::def::{Key, Type, Validator, Width};

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "salesforce.grant.type",
        default: Some("PASSWORD"),
        validator: Validator::OneOf(&["PASSWORD", "JWT_BEARER", "CLIENT_CREDENTIALS", "OAUTH2_AUTH_CODE_BYOA"]),
        width: Width::Short,
        display_name: "Grant type",
        dependents: &[
            "salesforce.username",
            "salesforce.password",
            "salesforce.password.token",
            "salesforce.consumer.secret",
            "salesforce.jwt.keystore.file",
            "salesforce.jwt.keystore.path",
            "salesforce.jwt.keystore.password",
            "salesforce.jwt.keystore.alias",
            "salesforce.jwt.key.password",
            "salesforce.jwt.audience",
            "oauth.refresh.token",
        ],
        documentation: "OAuth grant with which the connector logs in. `JWT_BEARER` signs with a key and names a user. `CLIENT_CREDENTIALS` needs key and secret of the app alone, and the org's My Domain as `salesforce.instance`. `OAUTH2_AUTH_CODE_BYOA` uses a refresh token. `PASSWORD` is what older orgs allow: those made since Summer '23 block it until an administrator allows it, and external client apps do not have it.",
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
        documentation: "The user on whose behalf events are read. Needs read access to PushTopic and to the object. Required by `PASSWORD` and `JWT_BEARER`.",
        ..HIGH
    },
    Key {
        name: "salesforce.password",
        kind: Type::Password,
        display_name: "Password",
        documentation: "That user's password. Required by `PASSWORD`.",
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
        documentation: "Consumer key (client id) of the connected app or external client app.",
        ..HIGH
    },
    Key {
        name: "salesforce.consumer.secret",
        kind: Type::Password,
        width: Width::Long,
        display_name: "Consumer secret",
        documentation: "Consumer secret of the app. Required by `CLIENT_CREDENTIALS`; with `PASSWORD` and `OAUTH2_AUTH_CODE_BYOA` it may be left out where the app does not ask for it; `JWT_BEARER` sends none.",
        ..BASE
    },
    Key {
        name: "salesforce.jwt.keystore.file",
        kind: Type::Password,
        dialects: MANAGED,
        width: Width::Long,
        display_name: "Keystore",
        documentation: "Keystore (PKCS#12 or JKS) with the RSA key whose certificate was uploaded to the app, in base64: alone, or behind `data:text/plain;base64,`. Required by `JWT_BEARER`, unless the path is given.",
        ..BASE
    },
    Key {
        name: "salesforce.jwt.keystore.path",
        dialects: SELF_MANAGED,
        is_file: true,
        width: Width::Long,
        display_name: "Keystore path",
        documentation: "The same keystore as a file, which the runtime reads.",
        ..BASE
    },
    Key {
        name: "salesforce.jwt.keystore.password",
        kind: Type::Password,
        display_name: "Keystore password",
        documentation: "The keystore's password. Required by `JWT_BEARER`.",
        ..BASE
    },
    Key {
        name: "salesforce.jwt.keystore.alias",
        dialects: OURS,
        display_name: "Keystore alias",
        documentation: "Which private key to take where the keystore has several. Upper and lower case do not matter.",
        ..BASE
    },
    Key {
        name: "salesforce.jwt.key.password",
        kind: Type::Password,
        dialects: OURS,
        display_name: "Key password",
        documentation: "The key's own password, where it differs from the keystore's.",
        ..BASE
    },
    Key {
        name: "salesforce.jwt.audience",
        dialects: OURS,
        width: Width::Long,
        display_name: "JWT audience",
        documentation: "The audience (`aud`) of the signed assertion, where it must be another one than `salesforce.instance`.",
        ..BASE
    },
    Key {
        name: "oauth.refresh.token",
        kind: Type::Password,
        dialects: MANAGED,
        width: Width::Long,
        display_name: "Refresh token",
        documentation: "Refresh token of an authorisation that a person gave to the app. Required by `OAUTH2_AUTH_CODE_BYOA`. Use an app that does not rotate refresh tokens: one that came in place of this one is used while the connector runs, and is not stored.",
        ..BASE
    },
    Key {
        name: "salesforce.auth.retries.time.ms",
        kind: Type::Long,
        default: Some("30000"),
        validator: Validator::Range(0, i64::MAX),
        dialects: SELF_MANAGED,
        display_name: "Login retry time",
        documentation: "Milliseconds during which a login that is not answered is tried again, with growing waits, before the task fails. A login that is refused is never tried again.",
        ..LOW
    },
];
