//! Strings in, typed `SourceConfig` or every finding out (Kafka Connect's `validate`).

use std::collections::BTreeSet;

use super::{
    def::{Effect, Key, Type},
    delivery::{self, GapConfig},
    errors::{self, ErrorsConfig},
    grant, keys,
    output::{self, Side},
    settings::Settings,
    source::{InitialStart, SourceConfig, Version},
    transforms,
};
use crate::{
    error::{Failure, FailureKind, excerpt},
    salesforce::push_topic::Notify,
    topic_template::TopicTemplate,
};

/// What was found out about one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigValue {
    /// The setting.
    pub name: String,
    /// The value in effect; `None` where there is none, and for passwords.
    pub value: Option<String>,
    /// Sentences: value, reason, remedy.
    pub errors: Vec<String>,
    /// Sentences: allowed, but surely not meant.
    pub warnings: Vec<String>,
}

/// Longest value of a setting, in bytes.
pub const VALUE_BYTES_MAX: usize = 65_536;

/// Names that are not known are compared with the table for at most so many, in one configuration.
const SUGGESTIONS_MAX: usize = 64;

/// Checks every setting and their combination. One entry for each setting of the table, and one for each given name that
/// the table does not know or knows as one of a family.
#[must_use]
pub fn validate(given: &[(String, String)]) -> Vec<ConfigValue> {
    let settings = Settings::new(given);
    let mut values: Vec<ConfigValue> =
        keys::all().filter(|key| !key.is_family()).map(|key| check_key(key, key.name, &settings)).collect();
    grant::check(&settings, &mut values);
    delivery::check(&settings, &mut values);
    errors::check(&settings, &mut values);
    output::check(&settings, &mut values);
    transforms::check(given, &settings, &mut values);
    let (mut seen, mut twice, mut unknown_names) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (name, _) in given {
        if !seen.insert(name) {
            if twice.insert(name) {
                entry(&mut values, name).errors.push(format!("{name} is given twice. Keep one"));
            }
            continue;
        }
        match keys::find(name) {
            Some(key) if key.is_family() => values.push(check_key(key, name, &settings)),
            Some(_) => {}
            None if transforms::owns(name) => {}
            None => {
                unknown_names += 1;
                let warnings = vec![unknown(name, unknown_names <= SUGGESTIONS_MAX)];
                values.push(ConfigValue { name: name.clone(), value: None, errors: Vec::new(), warnings });
            }
        }
    }
    values
}

/// The entry of a setting, made when there is none yet.
pub(super) fn entry<'a>(values: &'a mut Vec<ConfigValue>, name: &str) -> &'a mut ConfigValue {
    let index = values.iter().position(|value| value.name == name).unwrap_or_else(|| {
        values.push(ConfigValue { name: name.into(), value: None, errors: Vec::new(), warnings: Vec::new() });
        values.len() - 1
    });
    &mut values[index]
}

/// What is to be said about one setting alone. `name` is the key's, or one of its family.
fn check_key(key: &Key, name: &str, settings: &Settings<'_>) -> ConfigValue {
    let given = settings.given(name);
    let value = if key.is_family() { given } else { settings.get(key) };
    let shown = value.filter(|_| key.kind != Type::Password && !key.is_file).map(str::to_owned);
    let mut found = ConfigValue { name: name.into(), value: shown, errors: Vec::new(), warnings: Vec::new() };
    match (key.effect, given) {
        (Effect::Ignored(why), Some(_)) => {
            found.warnings.push(format!("{name} has no effect here. {why}"));
            return found;
        }
        (Effect::Refused(why), Some(given)) => {
            let given = given.trim();
            if !given.is_empty() && key.default.is_none_or(|default| !default.eq_ignore_ascii_case(given)) {
                found.errors.push(format!("{name} cannot be used. {why} Remove it."));
            }
            return found;
        }
        _ => {}
    }
    match value {
        None | Some("") if key.required => {
            found.errors.push(format!("{name} is missing and has no default. {}", key.documentation));
        }
        None => {}
        Some("") if key.default.is_none() => {}
        Some(value) if value.len() > VALUE_BYTES_MAX => {
            found.errors.push(format!("{name} has {} bytes; at most {VALUE_BYTES_MAX} are read", value.len()));
        }
        Some(value) => {
            if let Err(reason) = key.check(value, settings.is_self_managed()) {
                let display = if key.kind == Type::Password { "[hidden]".into() } else { excerpt(value, 200) };
                found.errors.push(format!("Invalid value {display} for configuration {name}: {reason}"));
            }
        }
    }
    found
}

fn unknown(name: &str, compare: bool) -> String {
    /// Below this similarity (0 to 1) a suggestion confuses more than it helps.
    const SIMILARITY_MIN: f64 = 0.85;
    let name = excerpt(name, 200);
    let nearest = keys::all()
        .filter(|key| compare && !key.is_family())
        .map(|key| (strsim::jaro_winkler(&name, key.name), key.name))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, known)) => {
            format!("{name} is not a setting of this connector and has no effect. Did you mean {known}?")
        }
        None => format!("{name} is not a setting of this connector and has no effect"),
    }
}

/// Turns settings into a `SourceConfig`.
///
/// # Errors
/// `config`, with every finding in the message.
pub fn parse(given: &[(String, String)]) -> Result<SourceConfig, Failure> {
    let mut errors: Vec<String> = validate(given).into_iter().flat_map(|value| value.errors).collect();
    let settings = Settings::new(given);
    let topic = TopicTemplate::parse(settings.text("kafka.topic"), settings.flag("kafka.topic.lowercase"));
    let origin = crate::http::origin(settings.text("salesforce.instance"));
    let grant = if errors.is_empty() { grant::grant(&settings) } else { None };
    let (Some(grant), Ok(topic), Ok(login_origin)) = (grant, topic, origin) else {
        if errors.is_empty() {
            errors.push("kafka.topic, salesforce.instance or the keystore cannot be read".into());
        }
        let message = format!("The configuration has {} error(s):\n{}", errors.len(), errors.join("\n"));
        return Err(Failure::new(FailureKind::Config, "INVALID_CONFIGURATION", message));
    };
    Ok(SourceConfig {
        grant,
        login_origin,
        version: match settings.text("salesforce.version") {
            version if version.eq_ignore_ascii_case("latest") => Version::Latest,
            version => Version::Fixed(version.into()),
        },
        object: settings.text("salesforce.object").into(),
        push_topic_name: settings.text("salesforce.push.topic.name").into(),
        push_topic_create: settings.flag("salesforce.push.topic.create"),
        notify: Notify {
            create: settings.flag("salesforce.push.topic.notify.create"),
            update: settings.flag("salesforce.push.topic.notify.update"),
            delete: settings.flag("salesforce.push.topic.notify.delete"),
            undelete: settings.flag("salesforce.push.topic.notify.undelete"),
        },
        initial_start: match settings.text("salesforce.initial.start") {
            start if start.eq_ignore_ascii_case("all") => InitialStart::All,
            _ => InitialStart::Latest,
        },
        connection_timeout_ms: settings.number("connection.timeout"),
        retries_time_ms: settings.number("request.max.retries.time.ms"),
        auth_retries_time_ms: settings.number("salesforce.auth.retries.time.ms"),
        response_bytes_max: settings.number("connection.max.message.size"),
        describe_refresh_ms: settings.number("salesforce.describe.refresh.ms"),
        stall_detect_ms: settings.number("salesforce.stall.detect.ms"),
        log_requests: settings.flag("curl.logging"),
        errors: ErrorsConfig::read(&settings),
        gap: GapConfig::read(&settings, &topic),
        topic,
        key: output::conversion(&settings, Side::Key),
        value: output::conversion(&settings, Side::Value),
        chain: transforms::check(given, &settings, &mut Vec::new()).unwrap_or_default(),
        event_headers: settings.flag("tributary.headers.enable"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The managed connector's JSON, as its documentation shows it, in pairs; then changes to it.
    fn managed(changes: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = [
            ("connector.class", "SalesforcePushTopicSource"),
            ("kafka.topic", "leads"),
            ("output.data.format", "JSON"),
            ("salesforce.grant.type", "PASSWORD"),
            ("salesforce.username", "u@example.com"),
            ("salesforce.password", "canary-password"),
            ("salesforce.password.token", "canary-token"),
            ("salesforce.consumer.key", "canary-key"),
            ("salesforce.consumer.secret", "canary-secret"),
            ("salesforce.object", "Lead"),
            ("salesforce.push.topic.name", "Leads"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (name, value) in changes {
            pairs.retain(|(n, _)| n != name);
            pairs.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        pairs
    }

    #[test]
    fn a_managed_configuration_is_valid_without_findings() {
        let given = managed(&[]);
        for value in validate(&given) {
            assert!(value.errors.is_empty() && value.warnings.is_empty(), "{value:?}");
        }
        let config = parse(&given).expect("valid");
        assert_eq!(config.login_origin, "https://login.salesforce.com");
        assert_eq!((config.retries_time_ms, config.connection_timeout_ms), (30_000, 30_000));
        assert_eq!(config.initial_start, InitialStart::Latest);
        assert_eq!(config.response_bytes_max, 16 << 20);
    }

    #[test]
    fn the_class_selects_the_dialects_defaults() {
        let config = parse(&managed(&[("connector.class", Some(keys::CLASS_SELF_MANAGED))])).expect("valid");
        assert_eq!(config.retries_time_ms, 900_000);
    }

    #[test]
    fn findings_name_property_reason_and_remedy() {
        let cases: &[(&str, Option<&str>, &str)] = &[
            ("salesforce.object", None, "salesforce.object is missing"),
            ("salesforce.object", Some("Lead'"), "API name"),
            ("salesforce.username", None, "PASSWORD needs it"),
            ("salesforce.push.topic.name", Some("abcdefghijklmnopqrstuvwxyz"), "26 characters"),
            ("connection.timeout", Some("4999"), "between 5000 and 600000"),
            ("connection.timeout", Some("abc"), "Not a number of type LONG"),
            ("salesforce.initial.start", Some("earliest"), "one of latest, all"),
            ("salesforce.instance", Some("login.salesforce.com"), "https://"),
            ("salesforce.grant.type", Some("SAML"), "one of PASSWORD, JWT_BEARER"),
            ("salesforce.version", Some("sixty"), "latest"),
            ("kafka.topic", Some("a b"), "kafka.topic"),
            ("salesforce.push.topic.create", Some("yes"), "true or false"),
            ("salesforce.replay.lost.policy", Some("ignore"), "one of fail, earliest, latest, repair"),
            ("tributary.gap.topic", Some("a b"), "no name of a topic"),
            ("errors.tolerance", Some("some"), "one of none, all"),
            ("errors.deadletterqueue.topic.name", Some("a b"), "no name of a topic"),
            ("output.data.format", Some("XML"), "JSON"),
            ("transforms", Some("route"), "transforms.route.type"),
            ("request.max.retries.time.ms", Some("999"), "between 1000 and 250000"),
            ("request.max.retries.time.ms", Some("250001"), "between 1000 and 250000"),
            ("connection.timeout", Some("600001"), "between 5000 and 600000"),
            ("connector.class", Some("salesforcepushtopicsource"), "upper and lower case"),
            ("csfle.enabled", Some("true"), "cannot be encrypted"),
        ];
        for (name, value, expected) in cases {
            let failure = parse(&managed(&[(name, *value)])).expect_err("a finding");
            assert_eq!(failure.kind, FailureKind::Config);
            assert!(failure.message.contains(expected), "{name}: {}", failure.message);
            assert!(failure.message.contains(name), "{name}: {}", failure.message);
        }
    }

    #[test]
    fn bounds_and_dialects_of_what_is_accepted() {
        let (managed_class, self_managed) = (keys::CLASS_MANAGED, keys::CLASS_SELF_MANAGED);
        for (class, name, value) in [
            (managed_class, "request.max.retries.time.ms", "1000"),
            (managed_class, "request.max.retries.time.ms", " 250000 "),
            (self_managed, "request.max.retries.time.ms", "1"),
            (self_managed, "request.max.retries.time.ms", "900000"),
            (managed_class, "connection.timeout", "5000"),
            (managed_class, "connection.timeout", "600000"),
            (managed_class, "salesforce.grant.type", "password"),
            (managed_class, "salesforce.initial.start", "ALL"),
            (managed_class, "salesforce.push.topic.create", "False"),
            (self_managed, "csfle.enabled", "false"),
            (self_managed, "transforms", ""),
        ] {
            let given = managed(&[("connector.class", Some(class)), (name, Some(value))]);
            assert!(parse(&given).is_ok(), "{class} {name}={value}: {:?}", parse(&given));
        }
        let class = Some(self_managed);
        let failure = parse(&managed(&[("connector.class", class), ("request.max.retries.time.ms", Some("0"))]));
        assert!(failure.expect_err("below the bound").message.contains("request.max.retries.time.ms"));
    }

    #[test]
    fn all_findings_come_at_once_and_none_shows_a_secret() {
        let given = managed(&[
            ("salesforce.object", None),
            ("connection.timeout", Some("1")),
            ("salesforce.consumer.key", Some("")),
            ("salesforce.pasword", Some("canary-typo")),
        ]);
        let failure = parse(&given).expect_err("findings");
        assert!(failure.message.starts_with("The configuration has 3 error(s)"), "{}", failure.message);
        let everything = format!("{:?} {failure:?}", validate(&given));
        assert!(!everything.contains("canary"), "{everything}");
        assert!(everything.contains("Did you mean salesforce.password?"), "{everything}");
    }

    #[test]
    fn ignored_and_doubled_settings_are_said() {
        let licence = ("confluent.topic.ssl.keystore.password", Some("canary-store"));
        let mut given = managed(&[("errors.retry.timeout", Some("1")), licence]);
        given.push(("salesforce.object".into(), "Account".into()));
        let values = validate(&given);
        let of = |name: &str| values.iter().find(|v| v.name == name).expect("an entry");
        assert!(of("errors.retry.timeout").warnings[0].contains("no effect here"));
        assert!(of("confluent.topic.ssl.keystore.password").warnings[0].contains("licence topic"));
        assert!(of("salesforce.object").errors[0].contains("twice"));
    }
}
