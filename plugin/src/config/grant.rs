//! The grant's settings: what each grant needs beyond every setting's own rules, and the `Grant` they make.

use super::{
    settings::Settings,
    validate::{ConfigValue, entry},
};
use crate::oauth::{Grant, Password};

/// What the grant needs beyond each setting's own rules.
pub(super) fn check(settings: &Settings<'_>, values: &mut Vec<ConfigValue>) {
    let grant = settings.text("salesforce.grant.type").to_ascii_uppercase();
    if ["JWT_BEARER", "CLIENT_CREDENTIALS", "OAUTH2_AUTH_CODE_BYOA"].contains(&grant.as_str()) {
        entry(values, "salesforce.grant.type").errors = vec![format!(
            "Invalid value {grant} for configuration salesforce.grant.type: this version logs in with PASSWORD only"
        )];
        return;
    }
    for name in ["salesforce.username", "salesforce.password"] {
        if settings.text(name).is_empty() {
            entry(values, name).errors.push(format!(
                "{name} is missing; salesforce.grant.type=PASSWORD needs it (with salesforce.password.token where the org asks for a security token)"
            ));
        }
    }
}

/// The grant of settings in which `check` found nothing.
pub(super) fn grant(settings: &Settings<'_>) -> Grant {
    Grant::Password(Password {
        username: settings.text("salesforce.username").into(),
        password: settings.secret("salesforce.password"),
        security_token: settings.secret("salesforce.password.token"),
        consumer_key: settings.secret("salesforce.consumer.key"),
        consumer_secret: settings.secret("salesforce.consumer.secret"),
    })
}
