//! How to log in to Kafka: `security.protocol`, `sasl.*`, `ssl.*` of the worker file, with the names and meaning of
//! Kafka's client settings ("Kafka security", KIP-651 for PEM, KIP-768 for OAUTHBEARER).

use std::path::PathBuf;

use super::{findings::Findings, jaas, nearest::did_you_mean, secret::Secret};

/// How the connection to the brokers is secured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// `SSL` and `SASL_SSL`.
    pub tls: Option<Tls>,
    /// `SASL_PLAINTEXT` and `SASL_SSL`.
    pub sasl: Option<Sasl>,
}

/// PEM text, or the file that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pem {
    /// A file, read when the connection is made.
    File(PathBuf),
    /// The text itself.
    Text(Secret),
}

/// Settings of TLS. The broker's certificate and name are always verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The roots to trust instead of the public ones.
    pub trust: Option<Pem>,
    /// The client's certificate chain and key.
    pub identity: Option<(Pem, Pem)>,
    /// `ssl.key.password`.
    pub key_password: Option<Secret>,
}

/// A SASL mechanism with its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sasl {
    /// PLAIN.
    Plain {
        /// User.
        username: String,
        /// Password.
        password: Secret,
    },
    /// SCRAM-SHA-256 or SCRAM-SHA-512.
    Scram {
        /// Whether it is SCRAM-SHA-512.
        sha512: bool,
        /// User.
        username: String,
        /// Password.
        password: Secret,
    },
    /// OAUTHBEARER with tokens from an endpoint (client credentials).
    OauthBearer {
        /// `sasl.oauthbearer.token.endpoint.url`.
        endpoint: String,
        /// The client.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
        /// The scope to ask for.
        scope: Option<String>,
        /// SASL extensions, `logicalCluster` and the like.
        extensions: Vec<(String, String)>,
        /// The roots to trust for the endpoint instead of the public ones: as in Kafka, `ssl.truststore.*` among the
        /// options of `sasl.jaas.config`.
        trust: Option<Pem>,
    },
}

/// Settings of the connection that act here.
const USED: &[&str] = &[
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.scope",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.type",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.type",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
];

/// Settings that are known and have no effect here, with the reason. A name that ends in a dot stands for a family.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("sasl.client.callback.handler.class", "there are no Java classes here"),
    ("sasl.login.", "the client logs in by itself, and again when a token ends"),
    ("sasl.kerberos.", "Kerberos is not spoken here"),
    ("sasl.oauthbearer.", "the client asks the endpoint for tokens and does not look into them"),
    ("ssl.truststore.password", "PEM roots have no password"),
    ("ssl.keystore.password", "a PEM key has its password in ssl.key.password"),
    ("ssl.protocol", "TLS 1.2 and 1.3 are spoken"),
    ("ssl.enabled.protocols", "TLS 1.2 and 1.3 are spoken"),
    ("ssl.cipher.suites", "the client chooses among safe ones"),
    ("ssl.provider", "there are no Java classes here"),
    ("ssl.keymanager.algorithm", "there are no Java classes here"),
    ("ssl.trustmanager.algorithm", "there are no Java classes here"),
    ("ssl.secure.random.implementation", "there are no Java classes here"),
    ("ssl.engine.factory.class", "there are no Java classes here"),
    ("ssl.client.auth", "it is a broker's setting"),
    ("security.providers", "there are no Java classes here"),
];

/// Says of a setting of the connection that it has no effect or is not known; `property` is its name in the file.
pub(super) fn note(setting: &str, property: &str, findings: &mut Findings) {
    if USED.contains(&setting) {
        return;
    }
    let covers = |known: &str| known == setting || (known.ends_with('.') && setting.starts_with(known));
    match WITHOUT_EFFECT.iter().find(|(known, _)| covers(known)) {
        Some((_, reason)) => findings.ignored(property, *reason),
        None => {
            let reason = "is no setting of a Kafka client";
            findings.warning(property, None, reason, did_you_mean(setting, USED.iter().copied()));
        }
    }
}

/// Looks up a client setting: the name that the file has for it, and its value.
pub(crate) type Lookup<'a> = dyn Fn(&str) -> Option<(&'a str, &'a str)> + 'a;

/// Reads everything about security; what cannot be used is noted.
pub(crate) fn read<'a>(get: &Lookup<'a>, findings: &mut Findings) -> Security {
    let (property, protocol) = get("security.protocol").unwrap_or(("security.protocol", "PLAINTEXT"));
    let (tls, sasl) = match protocol.trim().to_ascii_uppercase().as_str() {
        "PLAINTEXT" => (false, false),
        "SSL" => (true, false),
        "SASL_PLAINTEXT" => (false, true),
        "SASL_SSL" => (true, true),
        _ => {
            let remedy = "Write PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.";
            findings.error(property, Some(protocol), "is no security protocol", remedy);
            return Security::default();
        }
    };
    for (wanted, name) in [(sasl, "sasl.jaas.config"), (sasl, "sasl.mechanism"), (tls, "ssl.truststore.location")] {
        if let (false, Some((property, _))) = (wanted, get(name)) {
            let reason = format!("has no effect with security.protocol={protocol}");
            findings.warning(property, None, reason, "Set security.protocol to SASL_SSL, SSL or SASL_PLAINTEXT.");
        }
    }
    Security { tls: tls.then(|| read_tls(get, findings)), sasl: if sasl { read_sasl(get, findings) } else { None } }
}

pub(super) fn read_tls<'a>(get: &Lookup<'a>, findings: &mut Findings) -> Tls {
    if let Some((property, value)) = get("ssl.endpoint.identification.algorithm")
        && !value.trim().eq_ignore_ascii_case("https")
    {
        findings.error(
            property,
            Some(value),
            "would stop the check of the broker's name, which is never done here",
            "Remove the line, and give the broker a certificate with its name.",
        );
    }
    let trust = match get("ssl.truststore.certificates") {
        Some((_, text)) => Some(Pem::Text(Secret::new(text))),
        None => store("truststore", get, findings),
    };
    let identity = match (get("ssl.keystore.certificate.chain"), get("ssl.keystore.key")) {
        (Some((_, chain)), Some((_, key))) => Some((Pem::Text(Secret::new(chain)), Pem::Text(Secret::new(key)))),
        (Some((property, _)), None) => {
            findings.error(property, None, "needs ssl.keystore.key beside it", "Write the private key as PEM there.");
            None
        }
        (None, Some((property, _))) => {
            let remedy = "Write the certificate chain as PEM there.";
            findings.error(property, None, "needs ssl.keystore.certificate.chain beside it", remedy);
            None
        }
        // As in Kafka, one PEM file holds the key and the chain.
        (None, None) => store("keystore", get, findings).map(|pem| (pem.clone(), pem)),
    };
    Tls { trust, identity, key_password: get("ssl.key.password").map(|(_, text)| Secret::new(text)) }
}

/// `ssl.truststore.location` or `ssl.keystore.location`, which must be PEM.
fn store<'a>(store: &str, get: &Lookup<'a>, findings: &mut Findings) -> Option<Pem> {
    let (property, location) = get(&format!("ssl.{store}.location")).filter(|(_, value)| !value.trim().is_empty())?;
    let kind = get(&format!("ssl.{store}.type"));
    let is_pem = |text: &str| text.trim().eq_ignore_ascii_case("PEM");
    if kind.is_some_and(|(_, kind)| is_pem(kind)) {
        if let Err(error) = std::fs::metadata(location.trim()) {
            findings.error(property, Some(location), format!("cannot be read: {error}"), "Check the path.");
        }
        return Some(Pem::File(PathBuf::from(location.trim())));
    }
    let (what, how) = if store == "truststore" {
        ("roots", "keytool -exportcert -rfc -keystore STORE -alias NAME >> roots.pem")
    } else {
        ("key and certificates", "openssl pkcs12 -in STORE.p12 -nodes -out client.pem")
    };
    findings.error(
        property,
        Some(location),
        format!("is a Java keystore ({}), which is not read here", kind.map_or("JKS", |(_, kind)| kind)),
        format!("Export the {what} as PEM, for example with `{how}`, and set ssl.{store}.type=PEM."),
    );
    None
}

fn read_sasl<'a>(get: &Lookup<'a>, findings: &mut Findings) -> Option<Sasl> {
    let Some((mechanism_property, mechanism)) = get("sasl.mechanism") else {
        let remedy = "Write PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.";
        findings.error("sasl.mechanism", None, "is missing, and security.protocol asks for SASL", remedy);
        return None;
    };
    let mechanism = mechanism.trim();
    if !matches!(mechanism, "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" | "OAUTHBEARER") {
        let reason = if mechanism == "GSSAPI" { "is Kerberos, which is not spoken here" } else { "is not known" };
        let remedy = "Write PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.";
        findings.error(mechanism_property, Some(mechanism), reason, remedy);
        return None;
    }
    let Some((property, text)) = get("sasl.jaas.config") else {
        let remedy = "Write `<login module> required username=\"..\" password=\"..\";`.";
        findings.error("sasl.jaas.config", None, format!("is missing, and {mechanism} needs it"), remedy);
        return None;
    };
    let jaas = match jaas::parse(text) {
        Ok(jaas) => jaas,
        Err(reason) => {
            let remedy = "Write `<login module> required username=\"..\" password=\"..\";`.";
            findings.error(property, Some(text), format!("cannot be read: {reason}"), remedy);
            return None;
        }
    };
    let expected = match mechanism {
        "PLAIN" => "PlainLoginModule",
        "OAUTHBEARER" => "OAuthBearerLoginModule",
        _ => "ScramLoginModule",
    };
    if jaas.module.rsplit('.').next() != Some(expected) {
        let reason = format!("names another login module than {expected}, which {mechanism} needs");
        findings.error(
            property,
            Some(text),
            reason,
            format!("Write the module {expected}, or another sasl.mechanism."),
        );
        return None;
    }
    if mechanism == "OAUTHBEARER" {
        return bearer(property, &jaas, get, findings);
    }
    let mut option = |name: &str| {
        let value = jaas.option(name);
        if value.is_none_or(|value| value.expose().is_empty()) {
            let remedy = format!("Add {name}=\"..\" before the semicolon.");
            findings.error(property, Some(text), format!("lacks the option {name}"), remedy);
        }
        value.cloned()
    };
    let (username, password) = (option("username"), option("password"));
    let (username, password) = (username?.expose().to_owned(), password?);
    Some(match mechanism {
        "PLAIN" => Sasl::Plain { username, password },
        other => Sasl::Scram { sha512: other == "SCRAM-SHA-512", username, password },
    })
}

fn bearer<'a>(property: &str, jaas: &jaas::Jaas, get: &Lookup<'a>, findings: &mut Findings) -> Option<Sasl> {
    let setting = |setting: &str, option: &str| {
        let given = get(setting).map(|(_, value)| value.to_owned());
        given.or_else(|| jaas.option(option).map(|value| value.expose().to_owned())).filter(|text| !text.is_empty())
    };
    let endpoint = setting("sasl.oauthbearer.token.endpoint.url", "tokenEndpointUrl");
    let client_id = setting("sasl.oauthbearer.client.credentials.client.id", "clientId");
    let client_secret = setting("sasl.oauthbearer.client.credentials.client.secret", "clientSecret");
    let missing = [
        ("sasl.oauthbearer.token.endpoint.url", "the endpoint that hands out tokens", endpoint.is_none()),
        (property, "the option clientId", client_id.is_none()),
        (property, "the option clientSecret", client_secret.is_none()),
    ];
    for (property, what, _) in missing.iter().filter(|(.., missing)| *missing) {
        findings.error(property, None, format!("lacks {what}, which OAUTHBEARER needs"), "Add it.");
    }
    if let Some(url) = endpoint.as_ref().filter(|url| !url.starts_with("https://")) {
        let property = "sasl.oauthbearer.token.endpoint.url";
        findings.error(property, Some(url), "is not an https address", "The client's secret goes there: use https.");
    }
    // As Kafka's own client has it: what is trusted for the brokers is not trusted for the endpoint.
    let option = |name: &str| jaas.option(name).map(|value| (property, value.expose()));
    let trust = match option("ssl.truststore.certificates") {
        Some((_, text)) => Some(Pem::Text(Secret::new(text))),
        None => store("truststore", &option, findings),
    };
    let extensions = jaas.options.iter().filter_map(|(name, value)| {
        name.strip_prefix("extension_").map(|name| (name.to_owned(), value.expose().to_owned()))
    });
    Some(Sasl::OauthBearer {
        endpoint: endpoint?,
        client_id: client_id?,
        client_secret: Secret::new(client_secret?),
        scope: setting("sasl.oauthbearer.scope", "scope"),
        extensions: extensions.collect(),
        trust,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> (Security, Findings) {
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(key, value)| (*key, *value));
        let mut findings = Findings::new();
        (read(&get, &mut findings), findings)
    }

    const PLAIN: &str =
        r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p4ss";"#;
    const SCRAM: &str =
        r#"org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p4ss";"#;
    const BEARER: &str = r#"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="c" clientSecret="p4ss" scope="s" extension_logicalCluster="lkc-1" ssl.truststore.certificates="PEM";"#;

    #[test]
    fn logins() {
        let password = || Secret::new("p4ss");
        let plain = Sasl::Plain { username: "u".to_owned(), password: password() };
        let scram = |sha512| Sasl::Scram { sha512, username: "u".to_owned(), password: password() };
        let bearer = Sasl::OauthBearer {
            endpoint: "https://idp/token".to_owned(),
            client_id: "c".to_owned(),
            client_secret: password(),
            scope: Some("s".to_owned()),
            extensions: vec![("logicalCluster".to_owned(), "lkc-1".to_owned())],
            trust: Some(Pem::Text(Secret::new("PEM"))),
        };
        let cases = [
            ("PLAIN", PLAIN, plain),
            ("SCRAM-SHA-256", SCRAM, scram(false)),
            ("SCRAM-SHA-512", SCRAM, scram(true)),
            ("OAUTHBEARER", BEARER, bearer),
        ];
        for (mechanism, jaas, expected) in cases {
            let (security, findings) = check(&[
                ("security.protocol", "sasl_ssl"),
                ("sasl.mechanism", mechanism),
                ("sasl.jaas.config", jaas),
                ("sasl.oauthbearer.token.endpoint.url", "https://idp/token"),
            ]);
            assert!(findings.is_empty(), "{findings}");
            assert_eq!(security, Security { tls: Some(Tls::default()), sasl: Some(expected) });
            assert!(!format!("{security:?}").contains("p4ss"));
        }
        assert_eq!(check(&[]), (Security::default(), Findings::new()));
    }

    #[test]
    fn refusals() {
        let ssl = ("security.protocol", "SSL");
        let sasl = ("security.protocol", "SASL_PLAINTEXT");
        let plain = ("sasl.mechanism", "PLAIN");
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("security.protocol", "TLS")], "is no security protocol"),
            (&[ssl, ("ssl.truststore.location", "/t.jks")], "set ssl.truststore.type=PEM"),
            (&[ssl, ("ssl.keystore.location", "/k.p12"), ("ssl.keystore.type", "PKCS12")], "Java keystore (PKCS12)"),
            (&[ssl, ("ssl.truststore.location", "/none.pem"), ("ssl.truststore.type", "PEM")], "cannot be read"),
            (&[ssl, ("ssl.endpoint.identification.algorithm", "")], "never done here"),
            (&[ssl, ("ssl.keystore.key", "k")], "needs ssl.keystore.certificate.chain"),
            (&[sasl], "sasl.mechanism: is missing"),
            (&[sasl, ("sasl.mechanism", "GSSAPI")], "Kerberos"),
            (&[sasl, plain], "sasl.jaas.config: is missing"),
            (&[sasl, plain, ("sasl.jaas.config", SCRAM)], "another login module than PlainLoginModule"),
            (
                &[sasl, plain, ("sasl.jaas.config", "x.PlainLoginModule required password=p4ss;")],
                "lacks the option username",
            ),
            (&[sasl, plain, ("sasl.jaas.config", "x required password=\"p4ss")], "has no end"),
            (&[sasl, ("sasl.mechanism", "OAUTHBEARER"), ("sasl.jaas.config", BEARER)], "token.endpoint.url: lacks"),
            (&[("sasl.jaas.config", PLAIN)], "has no effect with security.protocol=PLAINTEXT"),
        ];
        for (pairs, expected) in cases {
            let (_, findings) = check(pairs);
            let text = findings.to_string();
            assert!(text.contains(expected) && !text.contains("p4ss"), "{pairs:?}: {text}");
        }
    }
}
