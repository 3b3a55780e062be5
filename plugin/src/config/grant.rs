//! The grant's settings: what each grant needs beyond every setting's own rules, and the `Grant` they make.

use super::{
    settings::Settings,
    validate::{ConfigValue, entry},
};
use crate::{
    keystore::{self, KeystoreError, Opened, Opening},
    oauth::{ClientCredentials, Grant, GrantKind, JwtBearer, Password, RefreshToken, is_generic_host},
    time::WallMs,
};

const TYPE: &str = "salesforce.grant.type";
const INSTANCE: &str = "salesforce.instance";
const USERNAME: &str = "salesforce.username";
const PASSWORD: &str = "salesforce.password";
const CONSUMER_KEY: &str = "salesforce.consumer.key";
const CONSUMER_SECRET: &str = "salesforce.consumer.secret";
const KEYSTORE_FILE: &str = "salesforce.jwt.keystore.file";
const KEYSTORE_PATH: &str = "salesforce.jwt.keystore.path";
const KEYSTORE_PASSWORD: &str = "salesforce.jwt.keystore.password";
const KEYSTORE_ALIAS: &str = "salesforce.jwt.keystore.alias";
const KEY_PASSWORD: &str = "salesforce.jwt.key.password";
const AUDIENCE: &str = "salesforce.jwt.audience";
const REFRESH_TOKEN: &str = "oauth.refresh.token";

/// Settings that mean something for one grant alone. User name, password and consumer secret are not here: every example
/// sets them.
const ONLY_FOR: &[(&str, GrantKind)] = &[
    (KEYSTORE_FILE, GrantKind::JwtBearer),
    (KEYSTORE_PATH, GrantKind::JwtBearer),
    (KEYSTORE_PASSWORD, GrantKind::JwtBearer),
    (KEYSTORE_ALIAS, GrantKind::JwtBearer),
    (KEY_PASSWORD, GrantKind::JwtBearer),
    (AUDIENCE, GrantKind::JwtBearer),
    (REFRESH_TOKEN, GrantKind::RefreshToken),
];

/// What the grant needs beyond each setting's own rules.
pub(super) fn check(settings: &Settings<'_>, values: &mut Vec<ConfigValue>) {
    // Another value than these has its error from the table.
    let Some(kind) = kind(settings) else { return };
    let needed: &[(&str, &str)] = match kind {
        GrantKind::Password => {
            let why = "(with salesforce.password.token where the org asks for a security token)";
            &[(USERNAME, why), (PASSWORD, why)]
        }
        GrantKind::JwtBearer => &[(USERNAME, "to say for whom the connector logs in")],
        GrantKind::ClientCredentials => &[(CONSUMER_SECRET, "as the app's password")],
        GrantKind::RefreshToken => &[(REFRESH_TOKEN, "from an authorisation that a person gave to the app")],
    };
    for (name, why) in needed {
        if settings.text(name).is_empty() {
            let message = format!("{name} is missing; {TYPE}={} needs it {why}", kind.name());
            entry(values, name).errors.push(message);
        }
    }
    for (name, only) in ONLY_FOR {
        if *only != kind && settings.given(name).is_some_and(|value| !value.trim().is_empty()) {
            let message = format!("{name} has no effect: it belongs to {TYPE}={}", only.name());
            entry(values, name).warnings.push(message);
        }
    }
    check_instance(settings, kind, values);
    if kind == GrantKind::JwtBearer {
        check_keystore(settings, values);
    }
}

fn check_instance(settings: &Settings<'_>, kind: GrantKind, values: &mut Vec<ConfigValue>) {
    let instance = settings.text(INSTANCE);
    let Ok(origin) = crate::http::origin(instance) else { return };
    if kind == GrantKind::ClientCredentials && is_generic_host(&origin) {
        entry(values, INSTANCE).errors.push(format!(
            "Invalid value {instance} for configuration {INSTANCE}: {TYPE}={} is answered by the org's own host alone. Set the org's My Domain, https://NAME.my.salesforce.com",
            kind.name()
        ));
    }
    if origin.to_ascii_lowercase().ends_with(".lightning.force.com") {
        entry(values, INSTANCE).warnings.push(format!(
            "{INSTANCE} {instance} is the address of the web pages, which does not serve logins. Set the org's My Domain, https://NAME.my.salesforce.com"
        ));
    }
}

fn check_keystore(settings: &Settings<'_>, values: &mut Vec<ConfigValue>) {
    let needs = format!("{TYPE}={} needs it", GrantKind::JwtBearer.name());
    if settings.given(KEYSTORE_PASSWORD).is_none() {
        let message = format!("{KEYSTORE_PASSWORD} is missing; {needs} to open the keystore");
        entry(values, KEYSTORE_PASSWORD).errors.push(message);
        return;
    }
    let Some(source) = source(settings) else {
        let message = format!(
            "{KEYSTORE_FILE} is missing; {needs}: the base64 of a PKCS#12 or JKS keystore with the app's private key. Or name the file in {KEYSTORE_PATH}"
        );
        entry(values, KEYSTORE_FILE).errors.push(message);
        return;
    };
    if !settings.text(KEYSTORE_FILE).is_empty() && !settings.text(KEYSTORE_PATH).is_empty() {
        let message = format!("{KEYSTORE_PATH} and {KEYSTORE_FILE} are both given. Keep one");
        entry(values, KEYSTORE_PATH).errors.push(message);
        return;
    }
    // One that is too long is not opened: its bound is there to save that work.
    if !entry(values, source).errors.is_empty() {
        return;
    }
    if let Err(error) = open(settings, source) {
        let name = match &error {
            KeystoreError::WrongPassword => KEYSTORE_PASSWORD,
            KeystoreError::WrongKeyPassword(_) if settings.given(KEY_PASSWORD).is_some() => KEY_PASSWORD,
            KeystoreError::NoSuchAlias { .. } => KEYSTORE_ALIAS,
            _ => source,
        };
        entry(values, name).errors.push(format!("{name}: {error}"));
    }
}

/// The grant of settings in which `check` found nothing; `None` when it would have.
pub(super) fn grant(settings: &Settings<'_>) -> Option<Grant> {
    let consumer_key = settings.secret(CONSUMER_KEY);
    let consumer_secret = settings.secret(CONSUMER_SECRET);
    let username = || settings.text(USERNAME).to_owned();
    Some(match kind(settings)? {
        GrantKind::Password => Grant::Password(Password {
            username: username(),
            password: settings.secret(PASSWORD),
            security_token: settings.secret("salesforce.password.token"),
            consumer_key,
            consumer_secret,
        }),
        GrantKind::JwtBearer => {
            let audience = Some(settings.text(AUDIENCE)).filter(|audience| !audience.is_empty()).map(str::to_owned);
            let opened = open(settings, source(settings)?).ok()?;
            Grant::JwtBearer(Box::new(JwtBearer::new(consumer_key, username(), audience, opened)))
        }
        GrantKind::ClientCredentials => Grant::ClientCredentials(ClientCredentials { consumer_key, consumer_secret }),
        GrantKind::RefreshToken => Grant::RefreshToken(RefreshToken {
            refresh_token: settings.secret(REFRESH_TOKEN),
            consumer_key,
            consumer_secret,
        }),
    })
}

/// Adds what is to be said about the keystore's certificate at this time. Apart from `validate`, which knows no time.
pub fn warn_of_certificate(given: &[(String, String)], wall_ms: WallMs, values: &mut Vec<ConfigValue>) {
    let settings = Settings::new(given);
    let Some(source) = source(&settings).filter(|_| kind(&settings) == Some(GrantKind::JwtBearer)) else { return };
    if values.iter().any(|value| value.name == source && !value.errors.is_empty()) {
        return;
    }
    if let Some(warning) = grant(&settings).and_then(|grant| grant.certificate_warning(wall_ms)) {
        entry(values, source).warnings.push(format!("{source}: {warning}"));
    }
}

fn kind(settings: &Settings<'_>) -> Option<GrantKind> {
    let name = settings.text(TYPE);
    GrantKind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
}

/// Which setting gives the keystore.
fn source(settings: &Settings<'_>) -> Option<&'static str> {
    [KEYSTORE_FILE, KEYSTORE_PATH].into_iter().find(|name| !settings.text(name).trim().is_empty())
}

fn open(settings: &Settings<'_>, source: &str) -> Result<Opened, KeystoreError> {
    let key_password = settings.given(KEY_PASSWORD).map(|_| settings.secret(KEY_PASSWORD));
    let alias = Some(settings.text(KEYSTORE_ALIAS)).filter(|alias| !alias.is_empty());
    let password = settings.secret(KEYSTORE_PASSWORD);
    let opening = Opening { password: &password, key_password: key_password.as_ref(), alias };
    keystore::open_text(settings.text(source), opening)
}
