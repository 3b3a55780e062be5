//! Every way in to Kafka: a real broker with SASL over TLS (PLAIN, SCRAM-SHA-512, OAUTHBEARER) and with mutual TLS, its
//! certificates made here, and Kafka's own authorizer behind each of them. Each way carries the main job once, and each
//! wrong credential has its sentence.

use std::{fs, path::Path, sync::OnceLock};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::{
    broker::{Broker, Extra, free_port, java_output},
    consumer::read_all,
    judge::judge,
    org::{self, Org},
    process::PATIENCE,
    scene::{PUSH_TOPIC, Scene},
    token_endpoint,
};

/// The users, by the way in which they come.
const PLAIN_USER: &str = "petra";
const SCRAM_USER: &str = "sami";
const BEARER_USER: &str = "olga";
const TLS_USER: &str = "tilo";

const PLAIN_MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";
const SCRAM_MODULE: &str = "org.apache.kafka.common.security.scram.ScramLoginModule";
const BEARER_MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";

/// The broker with its ways in.
pub(crate) struct Ways {
    pub(crate) broker: Broker,
    pub(crate) sasl: String,
    mutual: String,
    /// PEM: the authority's certificate; the client's certificate and key.
    authority: String,
    client: String,
    token_endpoint: String,
}

impl Ways {
    /// The one that scenarios share, or none where there is no Kafka, which has been said.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Ways>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        let authority = authority();
        let (server, server_key) = issue(&authority, "broker", true);
        let (client, client_key) = issue(&authority, TLS_USER, false);
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
        let endpoint = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks the usual versions")
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], key)
            .expect("the key fits the certificate");
        let (sasl, mutual) = (free_port(), free_port());
        let broker = Broker::start_with(|folder| {
            let write = |name: &str, text: String| fs::write(folder.join(name), text).expect("the folder is ours");
            write("broker.pem", server_key.serialize_pem() + &server.pem());
            write("authority.pem", authority.pem());
            Extra {
                listeners: vec![("SASL_SSL", sasl), ("SSL", mutual)],
                scram: vec![format!("SCRAM-SHA-512=[name={SCRAM_USER},password={}]", org::KAFKA_SECRET)],
                lines: lines(folder),
            }
        })?;
        grant(&broker);
        Some(Self {
            broker,
            sasl: format!("127.0.0.1:{sasl}"),
            mutual: format!("127.0.0.1:{mutual}"),
            authority: authority.pem(),
            client: client_key.serialize_pem() + &client.pem(),
            token_endpoint: token_endpoint::start(endpoint, ("tributary", org::KAFKA_SECRET), BEARER_USER),
        })
    }

    /// A scenario on that broker: roots and client certificate as files, an offsets topic of its own.
    fn scene(&self, org: &Org, name: &str) -> Scene {
        let scene = Scene::new(org, name)
            .without("kafka.auth.mode")
            .without("kafka.api.key")
            .without("kafka.api.secret")
            .with("topic.creation.default.partitions", "1")
            .with("topic.creation.default.replication.factor", "1")
            .worker("group.id", name)
            .worker("offset.storage.topic", &format!("{name}-offsets"))
            .worker("offset.storage.partitions", "1")
            .worker("offset.storage.replication.factor", "1")
            .worker("offset.flush.interval.ms", "500");
        let (roots, client) = (scene.path("authority.pem"), scene.path("client.pem"));
        fs::write(&roots, &self.authority).expect("the folder is ours");
        fs::write(&client, &self.client).expect("the folder is ours");
        scene.worker("ssl.truststore.location", &roots.to_string_lossy()).worker("ssl.truststore.type", "PEM")
    }

    /// The same with SASL.
    pub(crate) fn sasl_scene(&self, org: &Org, name: &str, mechanism: &str, jaas: &str) -> Scene {
        self.scene(org, name)
            .worker("bootstrap.servers", &self.sasl)
            .worker("security.protocol", "SASL_SSL")
            .worker("sasl.mechanism", mechanism)
            .worker("sasl.jaas.config", jaas)
    }

    pub(crate) fn plain_scene(&self, org: &Org, name: &str, password: &str) -> Scene {
        self.sasl_scene(org, name, "PLAIN", &jaas(PLAIN_MODULE, PLAIN_USER, password))
    }

    fn bearer_scene(&self, org: &Org, name: &str, secret: &str) -> Scene {
        let scene = self.scene(org, name);
        let roots = scene.path("authority.pem");
        drop(scene);
        let scene = self.sasl_scene(org, name, "OAUTHBEARER", "");
        let text = format!(
            "{BEARER_MODULE} required clientId=\"tributary\" clientSecret=\"{secret}\" ssl.truststore.type=\"PEM\" \
             ssl.truststore.location=\"{}\";",
            scene.path(roots.file_name().and_then(|name| name.to_str()).expect("it has a name")).display()
        );
        scene.worker("sasl.jaas.config", &text).worker("sasl.oauthbearer.token.endpoint.url", &self.token_endpoint)
    }

    /// The same with mutual TLS; without a certificate of the client when it is not to show one.
    fn mutual_scene(&self, org: &Org, name: &str, with_certificate: bool) -> Scene {
        let scene = self.scene(org, name).worker("bootstrap.servers", &self.mutual).worker("security.protocol", "SSL");
        if !with_certificate {
            return scene;
        }
        let client = scene.path("client.pem");
        scene.worker("ssl.keystore.location", &client.to_string_lossy()).worker("ssl.keystore.type", "PEM")
    }
}

fn jaas(module: &str, user: &str, password: &str) -> String {
    format!("{module} required username=\"{user}\" password=\"{password}\";")
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names, no error");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    let key = KeyPair::generate().expect("the machine has randomness");
    CertifiedIssuer::self_signed(params, key).expect("a certificate can be made")
}

fn issue(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, server: bool) -> (Certificate, KeyPair) {
    let names = if server { vec!["localhost".to_owned(), "127.0.0.1".to_owned()] } else { Vec::new() };
    let mut params = CertificateParams::new(names).expect("the names are sound");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().expect("the machine has randomness");
    (params.signed_by(&key, authority).expect("a certificate can be made"), key)
}

fn lines(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "ssl.keystore.type=PEM\n\
         ssl.keystore.location={folder}/broker.pem\n\
         ssl.truststore.type=PEM\n\
         ssl.truststore.location={folder}/authority.pem\n\
         listener.name.ssl.ssl.client.auth=required\n\
         ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/\n\
         sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER\n\
         listener.name.sasl_ssl.plain.sasl.jaas.config={PLAIN_MODULE} required user_{PLAIN_USER}=\"{secret}\";\n\
         listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={SCRAM_MODULE} required;\n\
         listener.name.sasl_ssl.oauthbearer.sasl.jaas.config={BEARER_MODULE} required \
         unsecuredLoginStringClaim_sub=\"broker\";\n\
         authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
         super.users=User:ANONYMOUS\n",
        secret = org::KAFKA_SECRET
    )
}

/// Everybody may do what a connector needs on topics that begin with `it-in-`; nobody may do anything else. Topics that begin with
/// `it-in-petra` are for that user alone.
fn grant(broker: &Broker) {
    let address = broker.address();
    let acls = |users: &[&str], operations: &[&str], topic: &str, more: &[&str]| {
        let users: Vec<String> = users.iter().map(|user| format!("User:{user}")).collect();
        let mut arguments = vec!["--bootstrap-server", &address, "--add", "--topic", topic];
        for user in &users {
            arguments.extend(["--allow-principal", user]);
        }
        for operation in operations {
            arguments.extend(["--operation", operation]);
        }
        arguments.extend(more);
        java_output("org.apache.kafka.tools.AclCommand", &arguments);
    };
    let all = ["Read", "Write", "Create", "Describe", "DescribeConfigs"];
    let prefixed = ["--resource-pattern-type", "prefixed"];
    acls(&[PLAIN_USER, SCRAM_USER, BEARER_USER, TLS_USER], &all, "it-in-", &prefixed);
    acls(&[PLAIN_USER], &["Write", "Create", "Describe"], "it-key-records", &[]);
    acls(&[TLS_USER], &all, "it-key-offsets", &[]);
    acls(&[PLAIN_USER], &["Describe"], "it-readonly", &[]);
}

/// The main job: events from the org into a topic that is created, offsets stored.
fn carries(ways: &Ways, org: &Org, scene: &Scene, topic: &str) {
    let run = scene.run_with(&["--log-level", "debug"]);
    run.expect_line(&["subscribed"]);
    org.create_leads(20);
    let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
    run.expect_line(&[&format!("{{\"replayId\":{last}}}")]);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(&ways.broker, topic)).expect_exact();
}

#[test]
fn each_way_in_carries_the_main_job() {
    let Some(ways) = Ways::shared() else { return };
    type Make = fn(&Ways, &Org, &str) -> Scene;
    let rows: [(&str, Make); 4] = [
        ("it-in-plain", |ways, org, name| ways.plain_scene(org, name, org::KAFKA_SECRET)),
        ("it-in-scram", |ways, org, name| {
            ways.sasl_scene(org, name, "SCRAM-SHA-512", &jaas(SCRAM_MODULE, SCRAM_USER, org::KAFKA_SECRET))
        }),
        ("it-in-bearer", |ways, org, name| ways.bearer_scene(org, name, org::KAFKA_SECRET)),
        ("it-in-mutual", |ways, org, name| ways.mutual_scene(org, name, true)),
    ];
    for (name, make) in rows {
        let org = Org::start();
        carries(ways, &org, &make(ways, &org, name), name);
    }
}

/// The worker logs in as one user and may write offsets, the connector as another and may write records; neither could do
/// the other's part.
#[test]
fn an_api_key_is_the_connectors_own_login_and_the_worker_keeps_its() {
    let Some(ways) = Ways::shared() else { return };
    let org = Org::start();
    let scene = ways
        .sasl_scene(&org, "it-key", "SCRAM-SHA-512", &jaas(SCRAM_MODULE, SCRAM_USER, org::KAFKA_SECRET))
        .with("kafka.topic", "it-key-records")
        .with("kafka.auth.mode", "KAFKA_API_KEY")
        .with("kafka.api.key", PLAIN_USER)
        .with("kafka.api.secret", org::KAFKA_SECRET)
        .worker("offset.storage.topic", "it-in-key-offsets");
    carries(ways, &org, &scene, "it-key-records");

    // With the worker's login the same cannot be written.
    let lent = scene.without("kafka.auth.mode").without("kafka.api.key").without("kafka.api.secret");
    org.create_leads(1);
    let finished = lent.run().wait(PATIENCE);
    finished.expect_code(1).expect_said(&["it-key-records"]);
}

/// The worker's own password at Kafka, referenced by the worker file: the connection is as old as the process, so that it
/// is needed again only when the broker has been away.
#[test]
fn a_password_of_the_worker_that_was_rotated_is_used_at_the_next_login() {
    let Some(mut ways) = Ways::start() else { return };
    let org = Org::start();
    let scene = ways.sasl_scene(&org, "it-in-rotated", "SCRAM-SHA-512", "");
    let secrets = scene.path("secrets.properties");
    let write = |password: &str| fs::write(&secrets, format!("password={password}\n")).expect("the folder is ours");
    write(org::KAFKA_SECRET);
    let reference = format!("${{file:{}:password}}", secrets.display());
    let scene = scene.worker("sasl.jaas.config", &jaas(SCRAM_MODULE, SCRAM_USER, &reference));
    let run = scene.run_with(&["--log-level", "debug"]);
    run.expect_line(&["subscribed"]);
    org.create_leads(3);
    run.expect_line(&["committed"]);
    ways.broker.set_scram_password(SCRAM_USER, org::WRONG_KAFKA_SECRET);
    ways.broker.kill();
    ways.broker.resume();
    org.create_leads(3);
    run.expect_line(&["waits up to"]);
    write(org::WRONG_KAFKA_SECRET);
    run.expect_line(&["a secret that it references has changed"]);
    let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
    run.expect_line(&[&format!("{{\"replayId\":{last}}}")]);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(&ways.broker, "it-in-rotated")).expect_at_least_once();
}

#[test]
fn each_wrong_credential_has_its_sentence() {
    let Some(ways) = Ways::shared() else { return };
    let org = Org::start();
    let wrong = org::WRONG_KAFKA_SECRET;
    let scram = jaas(SCRAM_MODULE, SCRAM_USER, wrong);
    let good = || ways.plain_scene(&org, "it-in-wrong", org::KAFKA_SECRET);
    let roots = good().path("none");
    let rows: [(&str, Scene, &[&str]); 6] = [
        ("PLAIN", ways.plain_scene(&org, "it-in-wrong", wrong), &["sasl.*", "worker file"]),
        ("SCRAM", ways.sasl_scene(&org, "it-in-wrong", "SCRAM-SHA-512", &scram), &["sasl.*", "worker file"]),
        ("OAUTHBEARER", ways.bearer_scene(&org, "it-in-wrong", wrong), &["token", "invalid_client"]),
        ("no certificate", ways.mutual_scene(&org, "it-in-wrong", false), &["ssl.*", "certificate"]),
        (
            "no roots",
            good().worker("ssl.truststore.location", "").worker("ssl.truststore.type", "PEM"),
            &["certificate", "ssl.*"],
        ),
        (
            "an API key",
            good().with("kafka.api.key", PLAIN_USER).with("kafka.api.secret", wrong),
            &["kafka.api.key", "kafka.api.secret"],
        ),
    ];
    drop(roots);
    for (name, scene, words) in rows {
        let finished = scene.run().wait(PATIENCE);
        assert_eq!(finished.code, Some(1), "{name}: {}", finished.stderr);
        finished.expect_said(&["FAILED"]).expect_said(words);
    }
    org.expect_no_sessions();
}
