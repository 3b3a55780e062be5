//! Strings in, typed `SourceConfig` or every finding out (Kafka Connect's `validate`).

use super::{
    def::{Effect, Key, Type},
    grant, keys,
    output::{self, Side},
    settings::Settings,
    source::{InitialStart, SourceConfig, Version},
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

/// Checks every setting and their combination. One entry for each setting of the table, and one for each unknown name.
#[must_use]
pub fn validate(given: &[(String, String)]) -> Vec<ConfigValue> {
    let settings = Settings::new(given);
    let mut values: Vec<ConfigValue> = keys::all().map(|key| check_key(key, &settings)).collect();
    grant::check(&settings, &mut values);
    output::check(&settings, &mut values);
    for (index, (name, _)) in given.iter().enumerate() {
        if given[..index].iter().any(|(other, _)| other == name) {
            entry(&mut values, name).errors.push(format!("{name} is given twice; keep one"));
        } else if keys::find(name).is_none() {
            entry(&mut values, name).warnings.push(unknown(name));
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

fn check_key(key: &Key, settings: &Settings<'_>) -> ConfigValue {
    let value = settings.get(key);
    let shown = value.filter(|_| key.kind != Type::Password).map(str::to_owned);
    let mut found = ConfigValue { name: key.name.into(), value: shown, errors: Vec::new(), warnings: Vec::new() };
    if let (Effect::Ignored(why), Some(_)) = (key.effect, settings.given(key.name)) {
        found.warnings.push(format!("{} has no effect here. {why}", key.name));
        return found;
    }
    if let (Effect::Refused(why), Some(_)) =
        (key.effect, settings.given(key.name).filter(|value| !value.trim().is_empty()))
    {
        found.errors.push(format!("{} cannot be used. {why} Remove it, or wait for a version that has them", key.name));
        return found;
    }
    match value {
        None | Some("") if key.required => {
            found.errors.push(format!("{} is missing and has no default. {}", key.name, key.documentation));
        }
        None => {}
        Some("") if key.default.is_none() => {}
        Some(value) if value.len() > VALUE_BYTES_MAX => {
            found.errors.push(format!("{} has {} bytes; at most {VALUE_BYTES_MAX} are read", key.name, value.len()));
        }
        Some(value) => {
            if let Err(reason) = key.kind.check(value).and_then(|()| key.validator.check(value)) {
                let display = if key.kind == Type::Password { "[hidden]".into() } else { excerpt(value, 200) };
                found.errors.push(format!("Invalid value {display} for configuration {}: {reason}", key.name));
            }
        }
    }
    found
}

fn unknown(name: &str) -> String {
    /// Below this similarity (0 to 1) a suggestion confuses more than it helps.
    const SIMILARITY_MIN: f64 = 0.85;
    let nearest = keys::all()
        .map(|key| (strsim::jaro_winkler(name, key.name), key.name))
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
    let (true, Ok(topic), Ok(login_origin)) = (errors.is_empty(), topic, origin) else {
        if errors.is_empty() {
            errors.push("kafka.topic or salesforce.instance cannot be read".into());
        }
        let message = format!("The configuration has {} error(s):\n{}", errors.len(), errors.join("\n"));
        return Err(Failure::new(FailureKind::Config, "INVALID_CONFIGURATION", message));
    };
    Ok(SourceConfig {
        grant: grant::grant(&settings),
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
        response_bytes_max: settings.number("connection.max.message.size"),
        topic,
        key: output::conversion(&settings, Side::Key),
        value: output::conversion(&settings, Side::Value),
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
            ("salesforce.grant.type", Some("jwt_bearer"), "PASSWORD only"),
            ("salesforce.version", Some("sixty"), "latest"),
            ("kafka.topic", Some("a b"), "kafka.topic"),
            ("salesforce.push.topic.create", Some("yes"), "true or false"),
            ("output.data.format", Some("XML"), "JSON"),
            ("transforms", Some("route"), "no single message transforms"),
        ];
        for (name, value, expected) in cases {
            let failure = parse(&managed(&[(name, *value)])).expect_err("a finding");
            assert_eq!(failure.kind, FailureKind::Config);
            assert!(failure.message.contains(expected), "{name}: {}", failure.message);
            assert!(failure.message.contains(name), "{name}: {}", failure.message);
        }
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
        let mut given = managed(&[("curl.logging", Some("true"))]);
        given.push(("salesforce.object".into(), "Account".into()));
        let values = validate(&given);
        let of = |name: &str| values.iter().find(|v| v.name == name).expect("an entry");
        assert!(of("curl.logging").warnings[0].contains("access token"));
        assert!(of("salesforce.object").errors[0].contains("twice"));
    }
}
