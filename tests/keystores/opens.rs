//! Every kind of keystore opens, and what its key signs is verified by openssl with the certificate out of the same tool.

use std::{fs, path::Path};

use salesforce_pushtopic::{
    keystore::{Opened, Opening, open},
    secret::Secret,
};

use crate::{
    PASSWORD,
    maker::{Maker, keytools, openssl},
    open_with,
};

const MESSAGE: &[u8] = b"eyJhbGciOiJSUzI1NiJ9.e30";

/// Fails unless openssl finds the key's signature good by `certificate.pem`.
#[track_caller]
fn verify(maker: &Maker, openssl: &Path, opened: &Opened, what: &str) {
    fs::write(maker.path("message"), MESSAGE).expect("the folder is ours");
    fs::write(maker.path("signature"), opened.key.sign(MESSAGE).expect(what)).expect("the folder is ours");
    maker.run(openssl, &["x509", "-in", "certificate.pem", "-pubkey", "-noout", "-out", "public.pem"]);
    maker.run(openssl, &["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message"]);
    let (not_before, not_after) = opened.valid.unwrap_or_else(|| panic!("{what}: the key's certificate is not found"));
    assert!(not_before < not_after, "{what}");
}

#[test]
fn what_keytool_writes_opens_and_signs() {
    let Some(openssl) = openssl() else { return };
    let kinds: &[(&str, &[&str], Option<&str>)] = &[
        ("pkcs12", &["-keyalg", "RSA", "-keysize", "2048"], None),
        ("pkcs12", &["-keyalg", "RSA", "-keysize", "4096"], None),
        ("pkcs12", &["-keyalg", "RSA", "-keysize", "2048", "-J-Dkeystore.pkcs12.legacy"], None),
        ("jks", &["-keyalg", "RSA", "-keysize", "2048", "-storetype", "JKS"], None),
        ("jks", &["-keyalg", "RSA", "-keysize", "4096", "-storetype", "JKS", "-keypass", "another1"], Some("another1")),
    ];
    for (jdk, keytool) in keytools() {
        for (kind, arguments, key_password) in kinds {
            let what = format!("{jdk} {kind} {arguments:?}");
            let maker = Maker::new();
            maker.keytool(&keytool, "store", "Mein Schlüssel", arguments);
            let export = ["-exportcert", "-rfc", "-keystore", "store", "-storepass", PASSWORD, "-alias"];
            maker.run(&keytool, &[&export[..], &["Mein Schlüssel", "-file", "certificate.pem"]].concat());
            let (password, key_password) = (Secret::new(PASSWORD), key_password.map(Secret::new));
            let opening = Opening { password: &password, key_password: key_password.as_ref(), alias: None };
            let opened = open(&maker.read("store"), opening).unwrap_or_else(|error| panic!("{what}: {error}"));
            // Java makes the letters of aliases small.
            assert_eq!(opened.alias, "mein schlüssel", "{what}");
            verify(&maker, &openssl, &opened, &what);
        }
    }
}

#[test]
fn what_openssl_writes_opens_and_signs() {
    let Some(openssl) = openssl() else { return };
    // What openssl 1 wrote without being asked, in words that openssl 1 and 3 know; 3 has RC2 in its legacy provider.
    let old = ["-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
    let kinds: &[(&str, &[&str])] = &[
        ("rsa:2048", &[]),
        ("rsa:4096", &[]),
        ("rsa:2048", &["-legacy"]),
        ("rsa:2048", &["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"]),
        ("rsa:2048", &["-certpbe", "PBE-SHA1-2DES", "-keypbe", "PBE-SHA1-2DES", "-macalg", "sha512"]),
        ("rsa:2048", &["-certpbe", "AES-128-CBC", "-keypbe", "AES-192-CBC", "-macalg", "sha384"]),
        ("rsa:2048", &["-certpbe", "NONE", "-keypbe", "NONE"]),
        ("rsa:2048", &["-nomac"]),
        ("rsa:2048", &["-nomaciter", "-iter", "1"]),
        ("rsa:2048", &["-iter", "100000"]),
    ];
    for (key, arguments) in kinds {
        let maker = Maker::new();
        maker.openssl_pair(&openssl, &["-newkey", key], "365");
        maker.openssl_p12(&openssl, "store", arguments);
        let what = format!("{key} {arguments:?}");
        let opened = open_with(&maker.read("store"), PASSWORD, None).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(opened.alias, "one", "{what}");
        verify(&maker, &openssl, &opened, &what);
    }
    let maker = Maker::new();
    maker.openssl_pair(&openssl, &["-newkey", "rsa:2048"], "365");
    maker.openssl_p12(&openssl, "store", &[&old[..], &["-legacy"]].concat());
    verify(&maker, &openssl, &open_with(&maker.read("store"), PASSWORD, None).expect("old"), "old");
}

#[test]
fn one_of_several_keys_is_taken_by_its_alias() {
    for (jdk, keytool) in keytools() {
        for kind in ["PKCS12", "JKS"] {
            let maker = Maker::new();
            for alias in ["first", "Second"] {
                let arguments = ["-keyalg", "RSA", "-keysize", "2048", "-storetype", kind];
                maker.keytool(&keytool, "store", alias, &arguments);
            }
            let bytes = maker.read("store");
            let what = format!("{jdk} {kind}");
            assert_eq!(open_with(&bytes, PASSWORD, Some("SECOND")).expect(&what).alias, "second", "{what}");
            for (alias, words) in [
                (None, ["several private keys", "first", "second", "salesforce.jwt.keystore.alias"]),
                (Some("third"), ["third", "first", "second", "salesforce.jwt.keystore.alias"]),
            ] {
                let error = open_with(&bytes, PASSWORD, alias).expect_err(&what).to_string();
                assert!(words.iter().all(|word| error.contains(word)), "{what}: {error}");
            }
        }
    }
}
