//! `tributary validate --online`: every service is asked and nothing is changed anywhere; each thing that is wrong is the
//! line that says so, with what to do.

use serde_json::Value;

use crate::{
    broker::{Broker, free_port, java_output},
    http_proxy::Proxy,
    logins::Ways,
    org::{self, Org},
    process::Finished,
    scene::{PUSH_TOPIC, Scene},
};

/// The line of a check, with the remedy below it.
#[track_caller]
fn expect(finished: &Finished, status: &str, check: &str, words: &[&str]) {
    let mut lines = finished.stdout.lines().peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let mut text = line.to_owned();
        while let Some(remedy) = lines.next_if(|line| line.starts_with("      ")) {
            text += remedy;
        }
        if text.split_whitespace().take(2).eq([status, check]) && words.iter().all(|word| text.contains(word)) {
            return;
        }
        found.push(text);
    }
    panic!("no {status} {check} with {words:?} in {found:#?}\nstderr: {}", finished.stderr);
}

#[test]
fn a_connector_that_can_run_passes_and_leaves_no_trace() {
    let org = Org::start_tls();
    let scene = Scene::new(&org, "sf.${_ObjectType}").worker("tributary.network.allow", "https://127.0.0.1:*");
    let roots = scene.path("roots.pem");
    std::fs::write(&roots, org.ca_pem()).expect("the folder is ours");
    let scene = scene.worker("tributary.network.ca.file", &roots.to_string_lossy());
    let finished = scene.validate_online(&[]);
    finished.expect_code(0);
    for (check, word) in [
        ("dns", "127.0.0.1"),
        ("tls", "Salesforce simulator CA"),
        ("clock", "clock"),
        ("login", "Logged in"),
        ("api-version", "67.0"),
        ("object", "Lead"),
        ("push-topic", "will be created"),
        ("api-requests", "left"),
        ("events", "left"),
        ("streaming-clients", "left"),
        ("embedded-log", "data"),
    ] {
        expect(&finished, "pass", check, &[word]);
    }
    assert!(finished.stdout.contains("can run: 0 failed"), "{}", finished.stdout);
    assert_eq!(org.push_topics(), 0, "a PushTopic was made");
    assert!(!scene.path("data").exists(), "the embedded log was made");
    org.expect_no_sessions();
}

#[test]
fn json_is_for_scripts() {
    let org = Org::start();
    let finished = Scene::new(&org, "leads").with("salesforce.object", "Nothing__c").validate_online(&["--json"]);
    finished.expect_code(1);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|e| panic!("{e}: {}", finished.stdout));
    let checks = report["checks"].as_array().expect("checks");
    let last = |name: &str| checks.iter().rfind(|check| check["name"] == name).cloned().unwrap_or_default();
    assert_eq!(last("login")["status"], "pass", "{report:#}");
    assert_eq!(last("object")["status"], "fail", "{report:#}");
    assert!(last("object")["remedy"].as_str().is_some_and(|text| text.contains("salesforce.object")), "{report:#}");
}

#[test]
fn what_is_wrong_with_the_org_is_said_in_its_line() {
    type Row = (&'static str, fn(&Org), fn(Scene) -> Scene, &'static [&'static str]);
    let rows: [Row; 8] = [
        ("login", |_| {}, |scene| scene.with("salesforce.password", org::WRONG_PASSWORD), &["invalid_grant", "Check"]),
        ("api-version", |_| {}, |scene| scene.with("salesforce.version", "99.0"), &["99.0", "latest"]),
        ("object", |_| {}, |scene| scene.with("salesforce.object", "Nothing__c"), &["Nothing__c"]),
        (
            "push-topic",
            |_| {},
            |scene| scene.with("salesforce.push.topic.create", "false"),
            &[PUSH_TOPIC, "create=true"],
        ),
        (
            "push-topic",
            |org| org.create_push_topic(PUSH_TOPIC, "SELECT Id, Name FROM Account"),
            |scene| scene,
            &["Account", "salesforce.object"],
        ),
        // The fourth of its own calls, which asks for the limits, is the last one of the day.
        ("api-requests", |org| org.allow_rest_requests(4), |scene| scene, &["0 REST calls"]),
        (
            "connection",
            |_| {},
            |scene| scene.with("salesforce.instance", &format!("http://127.0.0.1:{}", free_port())),
            &["refused"],
        ),
        (
            "network",
            |_| {},
            |scene| scene.worker("tributary.network.allow", "https://*.my.salesforce.com"),
            &["tributary.network.allow"],
        ),
    ];
    for (check, prepare, change, words) in rows {
        let org = Org::start();
        prepare(&org);
        let finished = change(Scene::new(&org, "leads")).validate_online(&[]);
        finished.expect_code(1);
        expect(&finished, "fail", check, words);
    }
}

#[test]
fn a_proxy_has_a_line_of_its_own() {
    let org = Org::start();
    let proxy = Proxy::start(Some(("ada", org::PROXY_PASSWORD)));
    let scene = Scene::new(&org, "leads").with("http.proxy", &proxy.address()).with("http.proxy.user", "ada");
    let finished = scene.validate_online(&[]);
    finished.expect_code(1);
    expect(&finished, "fail", "proxy", &["407"]);
    let finished = scene.with("http.proxy.password", org::PROXY_PASSWORD).validate_online(&[]);
    finished.expect_code(0);
    expect(&finished, "pass", "proxy", &[org.url()]);
}

/// Every topic of the broker.
fn topics(broker: &Broker) -> String {
    java_output("org.apache.kafka.tools.TopicCommand", &["--bootstrap-server", &broker.address(), "--list"])
}

#[test]
fn kafka_is_asked_for_rights_and_topics_and_gets_none() {
    let Some(ways) = Ways::shared() else { return };
    let org = Org::start();
    let check = |name: &str, topic: &str, rows: &[(&str, &str, &[&str])]| {
        let scene = ways.plain_scene(&org, name, org::KAFKA_SECRET).with("kafka.topic", topic);
        let finished = scene.validate_online(&[]);
        for (status, check, words) in rows {
            expect(&finished, status, check, words);
        }
    };
    ways.broker.create_topic("it-readonly");
    let before = topics(&ways.broker);
    check(
        "it-in-online",
        "it-in-${_ObjectType}.${_EventType}",
        &[
            ("pass", "kafka", &[&ways.sasl]),
            ("pass", "topic", &["it-in-Lead.created", "will be created with 1 partitions"]),
            ("pass", "topic", &["it-in-Lead.undeleted"]),
            ("pass", "offsets-topic", &["it-in-online-offsets", "will be created"]),
        ],
    );
    check("it-in-online", "it-readonly", &[("fail", "topic", &["no right to write", "kafka-acls", "Write"])]);
    check("it-elsewhere", "it-in-x", &[("fail", "offsets-topic", &["it-elsewhere-offsets"])]);
    check("it-in-online", "it-in-${Company}", &[("warn", "topic-name", &["placeholders"])]);
    assert_eq!(topics(&ways.broker), before, "a topic was made");

    let wrong = ways.plain_scene(&org, "it-in-online", org::WRONG_KAFKA_SECRET).validate_online(&[]);
    wrong.expect_code(1);
    expect(&wrong, "fail", "kafka", &["sasl.*"]);
}
