//! Every way to log in carries the main job once: the real component and host, a keystore from real keytool or openssl, the
//! org as the judge. And what an org refuses has its sentence, with one login and no more.

use std::{fs, io::Write as _, process::Command};

use salesforce_simulator::OrgConfig;

use crate::{
    judge::judge,
    org::{self, Org},
    process::PATIENCE,
    scene::{PUSH_TOPIC, Scene},
};

/// Runs a tool; false, and a loud line, when it is not there.
fn tool(program: &str, arguments: &[&str]) -> bool {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{program} {arguments:?}: {said}");
            true
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: {program}: {error}");
            false
        }
    }
}

/// A keystore by openssl, with the certificate that the org is given; `None` without openssl.
fn keystore(scene: &Scene) -> Option<(String, String)> {
    let text = |name: &str| scene.path(name).to_string_lossy().into_owned();
    let (key, certificate, store) = (text("key.pem"), text("certificate.pem"), text("keystore.p12"));
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &certificate];
    let password = format!("pass:{}", org::KEYSTORE_PASSWORD);
    let export = ["pkcs12", "-export", "-inkey", &key, "-in", &certificate, "-name", "app", "-out", &store];
    let made = tool("openssl", &[&new[..], &["-days", "365", "-subj", "/CN=tributary"]].concat())
        && tool("openssl", &[&export[..], &["-passout", &password]].concat());
    made.then(|| (store, fs::read_to_string(certificate).expect("openssl wrote it")))
}

/// The same by keytool, as JKS.
fn java_keystore(scene: &Scene) -> Option<(String, String)> {
    let text = |name: &str| scene.path(name).to_string_lossy().into_owned();
    let (certificate, store) = (text("certificate.pem"), text("keystore.jks"));
    let with = ["-keystore", &store, "-alias", "app", "-storepass", org::KEYSTORE_PASSWORD];
    let new = ["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-storetype", "JKS", "-dname", "CN=tributary"];
    let made = tool("keytool", &[&new[..], &with].concat())
        && tool("keytool", &[&["-exportcert", "-rfc", "-file", &certificate][..], &with].concat());
    made.then(|| (store, fs::read_to_string(certificate).expect("keytool wrote it")))
}

/// Uploads a certificate to the org's app.
fn upload(org: &Org, certificate: &str) {
    org.configure(|config| assert_eq!(config.upload_certificates(certificate), Ok(1)));
}

/// A scene without any other grant's secrets.
fn scene(org: &Org, grant: &str) -> Scene {
    let scene = Scene::new(org, "leads").with("salesforce.grant.type", grant);
    scene.without("salesforce.password").without("salesforce.password.token")
}

fn base64(path: &str) -> String {
    let output = Command::new("base64").arg(path).output().expect("base64 is a part of every system");
    String::from_utf8(output.stdout).expect("base64 is ASCII")
}

/// The main job, with a session that ends in between: nothing is lost, and the token is used again.
#[track_caller]
fn carries(org: &Org, scene: &Scene) {
    let run = scene.run_with(&["--log-level", "trace"]);
    run.expect_line(&["subscribed"]);
    org.create_leads(20);
    scene.tail("leads", 20);
    org.simulator().org().expire_sessions_now();
    run.expect_line(&["subscribed"]);
    org.create_leads(20);
    scene.tail("leads", 40);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_exact();
    assert_eq!(org.logins(), 1, "a new session needs no new login");
}

#[test]
fn jwt_bearer_with_a_keystore_in_the_configuration() {
    let org = Org::start();
    let scene = scene(&org, "JWT_BEARER").without("salesforce.consumer.secret");
    let Some((store, certificate)) = keystore(&scene) else { return };
    upload(&org, &certificate);
    let value = format!("data:text/plain;base64,{}", base64(&store));
    let scene = scene
        .with("salesforce.jwt.keystore.file", &value)
        .with("salesforce.jwt.keystore.password", org::KEYSTORE_PASSWORD);
    carries(&org, &scene);
}

#[test]
fn jwt_bearer_with_a_keystore_file_in_the_self_managed_dialect() {
    let org = Org::start();
    let scene = scene(&org, "jwt_bearer");
    let Some((store, certificate)) = java_keystore(&scene) else { return };
    upload(&org, &certificate);
    let scene = scene
        .with("connector.class", "io.confluent.salesforce.SalesforcePushTopicSourceConnector")
        .with("salesforce.jwt.keystore.path", &store)
        .with("salesforce.jwt.keystore.password", org::KEYSTORE_PASSWORD);
    carries(&org, &scene);
}

#[test]
fn client_credentials() {
    let org = Org::start();
    carries(&org, &scene(&org, "CLIENT_CREDENTIALS").without("salesforce.username"));
}

#[test]
fn a_refresh_token_that_is_rotated() {
    let org = Org::start();
    org.configure(|config| config.rotate_refresh_tokens = true);
    let scene = scene(&org, "OAUTH2_AUTH_CODE_BYOA").with("oauth.refresh.token", org::REFRESH_TOKEN);
    let run = scene.run_until_subscribed();
    run.expect_line(&["refresh token"]);
    // The token that took the place of the configured one is good for the next login.
    org.simulator().org().revoke_tokens();
    run.expect_line(&["subscribed"]);
    org.create_leads(5);
    scene.tail("leads", 5);
    run.terminate().0.expect_code(0);
    assert_eq!(org.logins(), 2);
}

#[test]
fn a_clock_that_is_off_is_corrected_once() {
    for ahead_ms in [600_000, -600_000] {
        let org = Org::start();
        let scene = scene(&org, "JWT_BEARER");
        let Some((store, certificate)) = keystore(&scene) else { return };
        org.configure(|config| {
            config.upload_certificates(&certificate).expect("a certificate");
            config.clock_ahead_ms = ahead_ms;
        });
        let scene = scene
            .with("salesforce.jwt.keystore.path", &store)
            .with("salesforce.jwt.keystore.password", org::KEYSTORE_PASSWORD);
        let run = scene.run();
        run.expect_line(&["clock-off", "this machine's"]);
        run.expect_line(&["subscribed"]);
        run.terminate().0.expect_code(0);
        assert_eq!(org.logins(), 2, "one refused, one with the org's time");
    }
}

/// What is wrong in the org, with which grant, and what must be said.
type Row = (&'static str, &'static str, fn(&mut OrgConfig), &'static [&'static str]);

const REFUSED: &[Row] = &[
    ("flow off", "PASSWORD", |org| org.password_flow = false, &["authentication failure", "username-password flow"]),
    ("not approved", "JWT_BEARER", |org| org.user_approved = false, &["hasn't approved", "Pre-authorise"]),
    ("another certificate", "JWT_BEARER", |org| org.jwt_certificates.clear(), &["invalid assertion", "certificate"]),
    ("no such user", "JWT_BEARER", |org| org.users.clear(), &["user is invalid", "salesforce.username"]),
    ("no run-as user", "CLIENT_CREDENTIALS", |org| org.run_as_user = false, &["no client credentials user", "Run As"]),
    ("not My Domain", "CLIENT_CREDENTIALS", |org| org.my_domain = false, &["this domain", "My Domain"]),
    ("expired", "OAUTH2_AUTH_CODE_BYOA", |org| org.expired = true, &["expired access/refresh", "oauth.refresh.token"]),
];

#[test]
fn what_an_org_refuses_is_asked_once_and_explained() {
    for (name, grant, change, words) in REFUSED {
        let org = Org::start();
        let scene = Scene::new(&org, "leads")
            .with("salesforce.grant.type", grant)
            .with("oauth.refresh.token", org::REFRESH_TOKEN)
            .with("salesforce.jwt.keystore.password", org::KEYSTORE_PASSWORD);
        let Some((store, certificate)) = keystore(&scene) else { return };
        upload(&org, &certificate);
        org.configure(change);
        let finished = scene.with("salesforce.jwt.keystore.path", &store).run().wait(PATIENCE);
        assert_eq!(finished.code, Some(1), "{name}: {}", finished.stderr);
        finished.expect_said(&["FAILED"]).expect_said(words);
        assert_eq!(org.logins(), 1, "{name}: a refused login is final");
    }
}

#[test]
fn what_can_be_known_before_is_said_before() {
    let org = Org::start();
    let rows: [(&str, &str, &[&str]); 3] = [
        ("CLIENT_CREDENTIALS", "https://login.salesforce.com", &["salesforce.instance", "My Domain"]),
        ("CLIENT_CREDENTIALS", "https://test.salesforce.com", &["salesforce.instance", "My Domain"]),
        ("JWT_BEARER", "https://login.salesforce.com", &["salesforce.jwt.keystore.password", "is missing"]),
    ];
    for (grant, instance, words) in rows {
        let finished = scene(&org, grant).with("salesforce.instance", instance).validate();
        finished.expect_code(1);
        let said = format!("{} {}", finished.stdout, finished.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
    assert_eq!(org.logins(), 0);
}

#[test]
fn a_keystore_path_is_shown_by_its_name_and_never_by_its_content() {
    let org = Org::start();
    let scene = scene(&org, "JWT_BEARER").with("salesforce.jwt.keystore.password", org::KEYSTORE_PASSWORD);
    let Some((store, _)) = keystore(&scene) else { return };
    let content: String = base64(&store).split_whitespace().collect();
    let finished = scene.with("salesforce.jwt.keystore.path", &store).validate();
    finished.expect_code(0);
    let said = format!("{}{}", finished.stdout, finished.stderr);
    assert!(!said.contains(&content[..40]), "{said}");
}
