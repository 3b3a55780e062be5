//! A connector's own login to Kafka: `kafka.api.key` and `kafka.api.secret` of hosted connectors (`kafka.auth.mode`), or
//! the connection settings among `producer.override.*` (KIP-458).
//!
//! A connector that names a login gets nothing of the worker's but what is no secret: where the cluster is, which roots
//! to trust, which protocol and mechanism are spoken there.

use super::{
    findings::Findings,
    kafka::KafkaConfig,
    producer::is_connection,
    secret::Secret,
    security::{self, Sasl, Security},
    values::last,
};

const MODE: &str = "kafka.auth.mode";
const KEY: &str = "kafka.api.key";
const SECRET: &str = "kafka.api.secret";
const OVERRIDE: &str = "producer.override.";

/// Settings of the worker's connection that hold no credentials.
const SHARED: [&str; 7] = [
    "security.protocol",
    "sasl.mechanism",
    "sasl.oauthbearer.token.endpoint.url",
    "ssl.endpoint.identification.algorithm",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.type",
];

/// A login of the connector's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLogin {
    /// How to log in.
    pub security: Security,
    /// The properties that say so, for messages.
    pub named_by: &'static str,
}

/// Whether a setting of the worker's connection may be shared with a connector that has its own login.
pub(super) fn is_shared(name: &str) -> bool {
    SHARED.contains(&name)
}

/// The connector's own login; `None` when the worker's is meant. What cannot be used is noted.
pub(super) fn read(properties: &[(String, String)], kafka: &KafkaConfig, findings: &mut Findings) -> Option<OwnLogin> {
    let mode = mode(properties, findings)?;
    let overridden = properties.iter().any(|(name, _)| name.strip_prefix(OVERRIDE).is_some_and(is_connection));
    if overridden {
        for property in [KEY, SECRET].iter().filter(|name| last(properties, name).is_some()) {
            findings.ignored(property, "producer.override.* of the same connector says how to log in");
        }
        return overrides(properties, kafka, findings);
    }
    match mode {
        Mode::Worker => None,
        Mode::ApiKey => api_key(properties, kafka, findings),
        Mode::ServiceAccount => {
            findings.warning(
                MODE,
                last(properties, MODE),
                "is a notion of a hosted service, so the connector writes with the worker's own login",
                "Make an API key for that service account, and set kafka.auth.mode=KAFKA_API_KEY, kafka.api.key and \
                 kafka.api.secret.",
            );
            None
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Worker,
    ApiKey,
    ServiceAccount,
}

/// `None` after noting a mode that does not exist.
fn mode(properties: &[(String, String)], findings: &mut Findings) -> Option<Mode> {
    match last(properties, MODE).map(str::trim).unwrap_or_default() {
        "" if last(properties, KEY).is_some() => Some(Mode::ApiKey),
        "" => Some(Mode::Worker),
        mode if mode.eq_ignore_ascii_case("KAFKA_API_KEY") => Some(Mode::ApiKey),
        mode if mode.eq_ignore_ascii_case("SERVICE_ACCOUNT") => Some(Mode::ServiceAccount),
        mode => {
            let remedy = "Write KAFKA_API_KEY, or leave it out to write with the worker's own login.";
            findings.error(MODE, Some(mode), "is neither KAFKA_API_KEY nor SERVICE_ACCOUNT", remedy);
            None
        }
    }
}

fn api_key(properties: &[(String, String)], kafka: &KafkaConfig, findings: &mut Findings) -> Option<OwnLogin> {
    let given = |name: &str| last(properties, name).map(str::trim).filter(|text| !text.is_empty());
    if kafka.security == Security::default() {
        // Where nobody logs in there is no login of the worker's that the connector could borrow.
        for property in [KEY, SECRET].into_iter().filter(|name| given(name).is_some()) {
            let reason = "has no effect: the worker speaks to its brokers without TLS and without a login, where the key \
                          would be readable by everybody";
            findings.warning(property, None, reason, "To use it, set security.protocol=SASL_SSL in the worker file.");
        }
        return None;
    }
    if kafka.security.tls.is_none() {
        let reason = "would be readable by everybody: the worker's security.protocol is SASL_PLAINTEXT; and the worker's \
                      own login is not lent to a connector that names its own";
        findings.error(KEY, None, reason, "Set security.protocol=SASL_SSL in the worker file, or leave the key out.");
        return None;
    }
    for property in [KEY, SECRET].into_iter().filter(|name| given(name).is_none()) {
        let remedy = "Add it, or leave out kafka.auth.mode to write with the worker's own login.";
        findings.error(property, None, "is missing, and kafka.auth.mode=KAFKA_API_KEY needs it", remedy);
    }
    let sasl = Sasl::Plain { username: given(KEY)?.to_owned(), password: Secret::new(given(SECRET)?) };
    let shared = |name: &str| kafka.shared_connection.iter().find(|(key, _)| key == name).map(|(k, v)| (&**k, &**v));
    let tls = security::read_tls(&shared, findings);
    Some(OwnLogin {
        security: Security { tls: Some(tls), sasl: Some(sasl) },
        named_by: "kafka.api.key and kafka.api.secret",
    })
}

fn overrides(properties: &[(String, String)], kafka: &KafkaConfig, findings: &mut Findings) -> Option<OwnLogin> {
    let own = |name: &str| {
        properties.iter().rev().find(|(key, _)| key.strip_prefix(OVERRIDE) == Some(name)).map(|(k, v)| (&**k, &**v))
    };
    let get = |name: &str| {
        let shared = || kafka.shared_connection.iter().find(|(key, _)| key == name).map(|(k, v)| (&**k, &**v));
        own(name).or_else(shared)
    };
    for (property, _) in properties {
        if let Some(name) = property.strip_prefix(OVERRIDE).filter(|name| is_connection(name)) {
            security::note(name, property, findings);
        }
    }
    let protocol = get("security.protocol").map(|(_, value)| value.trim().to_ascii_uppercase()).unwrap_or_default();
    if protocol.starts_with("SASL_") && own("sasl.jaas.config").is_none() {
        let reason = "is missing: other producer.override.* settings give the connector a connection of its own, and the \
                      worker's login is not lent to it";
        let remedy = "Add it, or leave out producer.override.security.*, .sasl.* and .ssl.* altogether.";
        findings.error("producer.override.sasl.jaas.config", None, reason, remedy);
        return None;
    }
    let security = security::read(&get, findings);
    Some(OwnLogin { security, named_by: "producer.override.security.protocol, .sasl.* and .ssl.*" })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;
    use crate::config::WorkerConfig;

    const JAAS: &str = r#"x.PlainLoginModule required username="worker" password="w0rker";"#;
    const OWN_JAAS: &str = r#"x.PlainLoginModule required username="own" password="0wn";"#;
    const SASL_SSL: &[(&str, &str)] =
        &[("security.protocol", "SASL_SSL"), ("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", JAAS)];
    const SASL_PLAINTEXT: &[(&str, &str)] =
        &[("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", JAAS)];

    fn check(worker: &[(&str, &str)], connector: &[(&str, &str)]) -> (Option<OwnLogin>, Findings) {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let worker = [&[("bootstrap.servers", "a:1")], worker].concat();
        let (worker, noted) = WorkerConfig::from_properties(&owned(&worker));
        assert!(!noted.has_errors(), "{noted}");
        let mut findings = Findings::new();
        let login = read(&owned(connector), &worker.kafka.unwrap(), &mut findings);
        let text = format!("{login:?}{findings:?}");
        assert!(!text.contains("w0rker") && !text.contains("0wn\""), "{text}");
        (login, findings)
    }

    fn plain(username: &str, password: &str) -> Option<Sasl> {
        Some(Sasl::Plain { username: username.to_owned(), password: Secret::new(password) })
    }

    #[test]
    fn an_api_key_is_a_login_over_tls() {
        let pair = [(KEY, "K"), (SECRET, "s")];
        for mode in [None, Some("KAFKA_API_KEY"), Some("kafka_api_key")] {
            let connector: Vec<_> = mode.map(|mode| (MODE, mode)).into_iter().chain(pair).collect();
            let (login, findings) = check(SASL_SSL, &connector);
            let security = login.unwrap().security;
            assert!(findings.is_empty() && security.tls.is_some(), "{findings}");
            assert_eq!(security.sasl, plain("K", "s"));
        }
        let trust = [SASL_SSL, &[("ssl.truststore.certificates", "PEM")]].concat();
        let tls = check(&trust, &pair).0.unwrap().security.tls.unwrap();
        assert!(tls.trust.is_some() && tls.identity.is_none());
        let identity = [
            ("security.protocol", "SSL"),
            ("ssl.keystore.certificate.chain", "CHAIN"),
            ("ssl.keystore.key", "w0rker"),
            ("ssl.key.password", "w0rker"),
        ];
        let tls = check(&identity, &pair).0.unwrap().security.tls.unwrap();
        assert!(tls.identity.is_none() && tls.key_password.is_none(), "the worker's identity is not lent");
    }

    #[test]
    fn what_the_worker_alone_decides() {
        let pair = [(KEY, "K"), (SECRET, "s")];
        let (login, findings) = check(&[], &pair);
        assert!(login.is_none() && !findings.has_errors() && findings.len() == 2, "{findings}");
        assert!(findings.to_string().contains("security.protocol=SASL_SSL"), "{findings}");
        for (worker, connector, expected) in [
            (SASL_PLAINTEXT, &pair[..], "not lent"),
            (SASL_SSL, &[(MODE, "KAFKA_API_KEY")], "kafka.api.secret: is missing"),
            (SASL_SSL, &[(KEY, "K")], "kafka.api.secret: is missing"),
            (SASL_SSL, &[(MODE, "OAUTH")], "neither KAFKA_API_KEY nor SERVICE_ACCOUNT"),
            (&[], &[(MODE, "OAUTH")], "neither KAFKA_API_KEY nor SERVICE_ACCOUNT"),
        ] {
            let (login, findings) = check(worker, connector);
            assert!(login.is_none() && findings.has_errors(), "{findings}");
            assert!(findings.to_string().contains(expected), "{findings}");
        }
        let (login, findings) = check(SASL_SSL, &[(MODE, "SERVICE_ACCOUNT")]);
        assert!(login.is_none() && !findings.has_errors(), "{findings}");
        assert!(findings.to_string().contains("kafka.api.key"), "{findings}");
        assert_eq!(check(SASL_SSL, &[]), (None, Findings::new()));
    }

    #[test]
    fn overrides_take_over_no_secret_of_the_worker() {
        let own = ("producer.override.sasl.jaas.config", OWN_JAAS);
        let (login, findings) = check(SASL_SSL, &[own, (KEY, "K"), (SECRET, "s")]);
        assert!(!findings.has_errors() && findings.len() == 2, "the key is ignored: {findings:?}");
        assert_eq!(login.unwrap().security.sasl, plain("own", "0wn"));
        let (login, findings) = check(SASL_SSL, &[("producer.override.security.protocol", "SASL_PLAINTEXT")]);
        assert!(login.is_none() && findings.to_string().contains("not lent"), "{findings}");
        let (login, findings) = check(SASL_SSL, &[("producer.override.security.protocol", "PLAINTEXT")]);
        assert!(!findings.has_errors(), "{findings}");
        assert_eq!(login.unwrap().security, Security::default());
        let (_, findings) = check(SASL_SSL, &[own, ("producer.override.sasl.mechansim", "PLAIN")]);
        assert!(findings.to_string().contains("Did you mean sasl.mechanism?"), "{findings}");
        let (login, findings) = check(&[], &[own]);
        assert!(login.is_some() && findings.to_string().contains("has no effect with"), "{findings}");
    }
}
