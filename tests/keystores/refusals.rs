//! What people put in the place of a keystore: each its own sentence.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use salesforce_pushtopic::config::validate::{ConfigValue, VALUE_BYTES_MAX, validate};

use crate::{
    PASSWORD,
    maker::{Maker, keytools, openssl},
    open_with,
};

#[track_caller]
fn refused(bytes: &[u8], password: &str, words: &[&str]) {
    let error = open_with(bytes, password, None).expect_err("it is refused").to_string();
    assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
    assert!(!error.contains(password), "{error}");
}

fn corpus(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("keystores/corpus").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const STORES: [&str; 6] =
    ["keytool-legacy.p12", "keytool17.p12", "keytool17.jks", "keytool25.p12", "openssl1.p12", "openssl3.p12"];

#[test]
fn wrong_passwords_and_cut_files() {
    for name in STORES {
        let bytes = corpus(name);
        refused(&bytes, "canary-wrong", &["password is wrong", "salesforce.jwt.keystore.password"]);
        for length in [12, 100, 1_000, bytes.len() - 30, bytes.len() - 1] {
            let error = open_with(&bytes[..length], PASSWORD, None).expect_err(name).to_string();
            // JKS has no length of the whole: a cut at its end is a digest that does not fit, which a wrong password is too.
            let cut_digest = name.ends_with("jks") && error.contains("or the file was changed");
            assert!(error.contains("is cut off") || cut_digest, "{name} cut to {length}: {error}");
        }
    }
    refused(&corpus("keytool17.jks"), PASSWORD, &["entry one has another password", "salesforce.jwt.key.password"]);
}

#[test]
fn files_that_are_no_keystore() {
    refused(b"", PASSWORD, &["is empty"]);
    refused(b"hello, this is a text", PASSWORD, &["neither a PKCS#12 nor a JKS"]);
    refused(b"-----BEGIN PRIVATE KEY-----\n", PASSWORD, &["is a PEM file", "openssl pkcs12 -export"]);
    refused(&[0xCE; 4], PASSWORD, &["JCEKS", "keytool -importkeystore"]);
}

#[test]
fn other_keys_and_certificates() {
    for (jdk, keytool) in keytools() {
        let kinds: [(&[&str], &[&str]); 4] = [
            (&["-keyalg", "EC", "-groupname", "secp256r1"], &["kind EC", "RSA"]),
            (&["-keyalg", "DSA", "-keysize", "2048"], &["kind DSA"]),
            (&["-keyalg", "Ed25519"], &["kind Ed25519"]),
            (&["-keyalg", "RSA", "-keysize", "1024"], &["1024 bits", "2048"]),
        ];
        for storetype in ["PKCS12", "JKS"] {
            for (arguments, words) in &kinds {
                let maker = Maker::new();
                maker.keytool(&keytool, "store", "one", &[arguments, &["-storetype", storetype][..]].concat());
                refused(&maker.read("store"), PASSWORD, words);
            }
            let maker = Maker::new();
            maker.keytool(&keytool, "store", "one", &["-keyalg", "RSA", "-storetype", storetype]);
            let export = ["-exportcert", "-keystore", "store", "-storepass", PASSWORD, "-alias", "one"];
            maker.run(&keytool, &[&export[..], &["-file", "certificate.der"]].concat());
            refused(&maker.read("certificate.der"), PASSWORD, &["it is a certificate", "without the private key"]);
            let import = ["-importcert", "-noprompt", "-keystore", "trust", "-storepass", PASSWORD, "-alias", "one"];
            maker.run(&keytool, &[&import[..], &["-file", "certificate.der", "-storetype", storetype]].concat());
            refused(&maker.read("trust"), PASSWORD, &["a certificate and no private key"]);
        }
        assert!(!jdk.is_empty());
    }
}

/// What `validate` says of a JWT_BEARER configuration with this keystore.
fn findings(keystore: &str, changes: &[(&str, &str)]) -> Vec<ConfigValue> {
    let mut settings: Vec<(String, String)> = [
        ("kafka.topic", "leads"),
        ("salesforce.grant.type", "jwt_bearer"),
        ("salesforce.username", "u@example.com"),
        ("salesforce.consumer.key", "k"),
        ("salesforce.object", "Lead"),
        ("salesforce.push.topic.name", "Leads"),
        ("salesforce.jwt.keystore.password", PASSWORD),
        ("salesforce.jwt.keystore.file", keystore),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for (name, value) in changes {
        settings.retain(|(known, _)| known != name);
        settings.push(((*name).to_owned(), (*value).to_owned()));
    }
    validate(&settings)
}

/// The keystore's text, other settings, the setting that is to blame, and what is said of it.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn a_configuration_says_it_in_a_sentence_with_the_setting() {
    let good = STANDARD.encode(corpus("openssl3.p12"));
    let lines: String =
        good.as_bytes().chunks(76).map(|line| format!("{} \n", String::from_utf8_lossy(line))).collect();
    let unpadded = good.trim_end_matches('=').to_owned();
    for text in [
        &good,
        &lines,
        &unpadded,
        &format!("data:text/plain;base64,{good}"),
        &format!("data:text/plain:base64,{lines}"),
    ] {
        let errors: Vec<String> = findings(text, &[]).into_iter().flat_map(|value| value.errors).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    let file = "salesforce.jwt.keystore.file";
    let jks = STANDARD.encode(corpus("keytool17.jks"));
    let endless = STANDARD.encode(vec![0; 10 << 20]);
    let half = &good[..good.len() / 2 / 4 * 4];
    let cases: &[Case<'_>] = &[
        (
            &good,
            &[("salesforce.jwt.keystore.password", "canary-wrong")],
            "salesforce.jwt.keystore.password",
            "is wrong",
        ),
        (&good, &[("salesforce.jwt.keystore.alias", "two")], "salesforce.jwt.keystore.alias", "it has one"),
        (&good, &[("salesforce.jwt.keystore.path", &good)], "salesforce.jwt.keystore.path", "both given"),
        (&jks, &[], file, "salesforce.jwt.key.password"),
        (&jks, &[("salesforce.jwt.key.password", "canary")], "salesforce.jwt.key.password", "another password"),
        (half, &[], file, "cut off"),
        (&good[..good.len() / 8 * 4 + 1], &[], file, "a part is missing"),
        ("", &[], file, "JWT_BEARER needs it"),
        ("/etc/keystore.p12", &[], file, "not base64"),
        ("{}", &[], file, "not base64"),
        (&endless, &[], file, &format!("at most {VALUE_BYTES_MAX}")),
    ];
    for (keystore, changes, name, words) in cases {
        let found = findings(keystore, changes);
        let errors: Vec<(&str, &String)> = found.iter().flat_map(|v| v.errors.iter().map(|e| (&*v.name, e))).collect();
        assert_eq!(errors.len(), 1, "{words}: {errors:?}");
        assert!(
            errors[0].0 == *name && errors[0].1.contains(words) && errors[0].1.contains(name),
            "{words}: {errors:?}"
        );
        let everything = format!("{found:?}");
        assert!(!everything.contains("canary") && !everything.contains(&good[..40]), "{everything}");
    }
}

#[test]
fn an_expired_certificate_is_a_warning() {
    let Some(openssl) = openssl() else { return };
    let maker = Maker::new();
    // Valid for a day: every time before, within and after it is tried against the same file.
    maker.openssl_pair(&openssl, &["-newkey", "rsa:2048"], "1");
    maker.openssl_p12(&openssl, "store", &[]);
    let text = STANDARD.encode(maker.read("store"));
    let (from, until) = open_with(&maker.read("store"), PASSWORD, None).expect("good").valid.expect("a certificate");
    let day = 86_400_000;
    assert_eq!(until - from, day);
    for (wall_ms, words) in [
        (from - 3 * day, "becomes valid in 3 days"),
        (from, "expires in 1 days"),
        (until, "expires in 0 days"),
        (until + 2 * day, "expired 2 days ago"),
    ] {
        let mut found = findings(&text, &[]);
        let settings: Vec<(String, String)> = [
            ("salesforce.grant.type", "JWT_BEARER"),
            ("salesforce.jwt.keystore.password", PASSWORD),
            ("salesforce.jwt.keystore.file", &text),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        salesforce_pushtopic::config::grant::warn_of_certificate(&settings, wall_ms, &mut found);
        let warnings: Vec<&String> = found.iter().flat_map(|value| &value.warnings).collect();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(words) && warnings[0].contains("upload"), "{words}: {warnings:?}");
        assert!(found.iter().all(|value| value.errors.is_empty()), "a warning and no error");
    }
}
