//! `tributary serve`: a connector's life over Kafka Connect's REST API and over Confluent Cloud's, on the embedded log and
//! on Kafka, with the process killed in between.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    broker::{Broker, free_port},
    consumer::read_all,
    exactly_once, http,
    judge::judge,
    kafka, org,
    org::Org,
    process::{PATIENCE, Tributary},
    scene::{NAME, PUSH_TOPIC, Scene},
};

/// Answers of a Kafka Connect 4.3.1 worker to requests that need no connector; the class in them is ours.
const CAPTURES: &str = include_str!("../golden/connect-rest.jsonl");

/// A service, and the way to ask it.
pub(crate) struct Service {
    pub(crate) port: u16,
    pub(crate) run: Tributary,
}

impl Service {
    pub(crate) fn start(scene: &Scene) -> Self {
        Self::start_with(scene, &[])
    }

    /// The same with these variables in the environment.
    pub(crate) fn start_with(scene: &Scene, variables: &[(&str, &str)]) -> Self {
        let port = free_port();
        let run = scene.serve_with(port, variables);
        run.expect_line(&["worker-started"]);
        Self { port, run }
    }

    /// Another worker of the same group, when it stands by.
    pub(crate) fn standing_by(scene: &Scene) -> Self {
        let port = free_port();
        let run = scene.serve(port);
        run.expect_line(&["standing-by"]);
        Self { port, run }
    }

    /// The same with the scenario's connector, when it is subscribed.
    pub(crate) fn with_connector(scene: &Scene) -> Self {
        let service = Self::start(scene);
        service.expect("POST", "/connectors", &creation(scene, None), 201);
        service.run.expect_line(&["subscribed"]);
        service
    }

    /// What no answer may show is looked for in every one.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = http::ask(self.port, method, path, &text).expect("the service answers");
        let leaks = org::secrets_in(&text);
        assert!(leaks.is_empty(), "{method} {path} shows {leaks:?}: {text}");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    #[track_caller]
    pub(crate) fn expect(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let (found, answer) = self.ask(method, path, body);
        assert_eq!(found, status, "{method} {path}: {answer}");
        answer
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.expect("GET", path, &Value::Null, 200)
    }

    /// Asks until the answer is what is waited for.
    #[track_caller]
    pub(crate) fn until(&self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, answer) = self.ask("GET", path, &Value::Null);
            if is(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "GET {path}: {answer}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for the states of connector and task.
    #[track_caller]
    pub(crate) fn until_state(&self, connector: &str, task: Option<&str>) {
        self.until(&of("/status"), |status| {
            status["connector"]["state"] == connector && status["tasks"][0]["state"].as_str() == task
        });
    }

    /// Waits until the connector stands at the org's last event.
    #[track_caller]
    pub(crate) fn until_committed(&self, org: &Org) -> u64 {
        let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
        self.until(&of("/offsets"), |answer| *answer == at(last));
        last
    }
}

pub(crate) fn of(rest: &str) -> String {
    format!("/connectors/{NAME}{rest}")
}

pub(crate) fn at(replay_id: u64) -> Value {
    json!({"offsets": [{"partition": {}, "offset": {"replayId": replay_id}}]})
}

pub(crate) fn creation(scene: &Scene, initial_state: Option<&str>) -> Value {
    let mut body = json!({"name": NAME, "config": scene.config()});
    if let Some(state) = initial_state {
        body["initial_state"] = state.into();
    }
    body
}

pub(crate) const NOTHING: Value = Value::Null;

#[test]
fn answers_are_those_of_kafka_connect() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::start(&scene);
    for line in CAPTURES.lines() {
        let capture: Value = serde_json::from_str(line).expect("a capture is JSON");
        let text = |name: &str| capture[name].as_str().unwrap_or_default();
        let (method, path, body) = (text("method"), text("path"), text("body"));
        let answer = http::ask_with(service.port, method, path, capture["content_type"].as_str(), body);
        let (status, answer) = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        // Deliberate: what cannot be read is the asker's mistake.
        let expected = if capture["status"] == 500 { 400 } else { capture["status"].as_u64().unwrap_or_default() };
        assert_eq!(u64::from(status), expected, "{line}\n{answer}");
        let found: Value = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
        if capture["status"] == 500 {
            assert_eq!(found["error_code"], 400, "{line}\n{found}");
            assert!(found["message"].as_str().is_some_and(|message| message.len() > 10), "{line}\n{found}");
        } else if method != "HEAD" && capture["answer"] != NOTHING && method != "OPTIONS" {
            assert_eq!(found, capture["answer"], "{line}");
        }
    }
    service.run.terminate().0.expect_code(0);
}

#[test]
fn the_life_of_a_connector() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::start(&scene);
    assert_eq!(service.get("/connectors"), json!([]));
    let made = service.expect("POST", "/connectors", &creation(&scene, None), 201);
    assert_eq!((&made["name"], &made["type"], &made["tasks"]), (&json!(NAME), &json!("source"), &json!([])));
    assert_eq!(made["config"]["salesforce.password"], "[hidden]");
    service.expect("POST", "/connectors", &creation(&scene, None), 409);
    service.until_state("RUNNING", Some("RUNNING"));
    service.run.expect_line(&["subscribed"]);
    org.create_leads(5);
    let first = service.until_committed(&org);
    assert_eq!(service.get(&of("/topics")), json!({ NAME: {"topics": ["leads"]} }));
    assert_eq!(service.get(&of("/tasks"))[0]["id"], json!({"connector": NAME, "task": 0}));
    assert_eq!(service.get(&of("/tasks/0/status"))["state"], "RUNNING");
    // Offsets are not changed under a task.
    let refused = service.expect("PATCH", &of("/offsets"), &at(1), 400);
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("STOPPED")), "{refused}");

    // A pause ends the session and keeps the place.
    service.expect("PUT", &of("/pause"), &NOTHING, 202);
    service.until_state("PAUSED", Some("PAUSED"));
    service.run.expect_line(&["stopped after 5 records"]);
    org.expect_no_sessions();
    org.create_leads(2);
    service.expect("PUT", &of("/resume"), &NOTHING, 202);
    let second = service.until_committed(&org);

    // A configuration that was read with its secrets masked can be written as it was read.
    let mut config = service.get(&of("/config"));
    assert_eq!(config["salesforce.consumer.secret"], "[hidden]");
    config["tasks.max"] = 1.into();
    service.expect("PUT", &of("/config"), &config, 200);
    service.expect("PATCH", &of("/config"), &json!({"tasks.max": null, "curl.logging": false}), 200);
    org.create_leads(1);
    service.until_committed(&org);
    let broken = service.expect("PATCH", &of("/config"), &json!({"connection.timeout": "soon"}), 400);
    let said = broken["message"].as_str().unwrap_or_default();
    assert!(said.starts_with("Connector configuration is invalid and contains the following 1 error(s):"), "{said}");
    service.expect("PUT", &of("/config"), &json!({"name": "another", "connector.class": "x"}), 400);

    // Stopped, moved back, resumed: what came after that place comes again.
    service.expect("PUT", &of("/stop"), &NOTHING, 204);
    service.until_state("STOPPED", None);
    for (offsets, status) in [
        (at(first), 200),
        (json!({"offsets": []}), 400),
        (json!({"offsets": [{"partition": {"a": 1}, "offset": {"replayId": 1}}]}), 400),
        (json!({"offsets": [{"partition": {}, "offset": {"replayId": -7}}]}), 400),
        (json!({"offsets": [{"partition": {}, "offset": {"replayId": 1.5}}]}), 400),
        (json!({"offsets": [{"partition": {}, "offset": {"replayId": "x"}}]}), 400),
        (json!({"offsets": [{"partition": {}, "offset": {"replayId": 9_223_372_036_854_775_808_u64}}]}), 400),
        (json!({"offsets": [{"partition": null, "offset": {"replayId": 1}}]}), 400),
        (json!({"offsets": [{"partition": {}, "offset": {"replayId": [1]}}]}), 400),
    ] {
        service.expect("PATCH", &of("/offsets"), &offsets, status);
        assert_eq!(service.get(&of("/offsets")), at(first), "after {offsets}");
    }
    service.expect("PUT", &of("/resume"), &NOTHING, 202);
    let last = service.until_committed(&org);
    service.expect("POST", &of("/restart?includeTasks=true"), &NOTHING, 202);
    service.until_state("RUNNING", Some("RUNNING"));

    // The process dies: what was wanted is wanted.
    service.run.kill();
    let service = Service::start(&scene);
    service.until_state("RUNNING", Some("RUNNING"));
    org.create_leads(1);
    service.until_committed(&org);
    service.expect("PUT", &of("/stop"), &NOTHING, 204);
    service.run.kill();
    let service = Service::start(&scene);
    service.until_state("STOPPED", None);

    // Gone, but for its place.
    service.expect("DELETE", &of("/offsets"), &NOTHING, 200);
    assert_eq!(service.get(&of("/offsets")), json!({"offsets": []}));
    service.expect("PATCH", &of("/offsets"), &at(last), 200);
    service.expect("DELETE", &of(""), &NOTHING, 204);
    service.expect("GET", &of(""), &NOTHING, 404);
    service.expect("POST", "/connectors", &creation(&scene, Some("stopped")), 201);
    assert_eq!(service.get(&of("/offsets")), at(last), "offsets survive the connector");
    service.run.terminate().0.expect_code(0);
    let again = judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_at_least_once();
    let moved: Vec<u64> = again.into_iter().filter(|id| *id > first).collect();
    assert!(moved.contains(&second) && moved.len() == 3, "{moved:?}");
}

#[test]
fn a_connector_that_cannot_run_says_why() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").with("salesforce.password", org::WRONG_PASSWORD);
    let service = Service::start(&scene);
    service.expect("POST", "/connectors", &creation(&scene, None), 201);
    let status = service.until(&of("/status"), |status| status["tasks"][0]["state"] == "FAILED");
    let trace = status["tasks"][0]["trace"].as_str().unwrap_or_default();
    assert!(trace.contains("invalid_grant") && trace.contains("salesforce.password"), "{status}");
    assert_eq!(status["connector"]["state"], "RUNNING");
    let logins = org.logins();
    let metrics = service.get("/metrics").as_str().unwrap_or_default().to_owned();
    let line = format!("kafka_connect_worker_connector_failed_task_count{{connector=\"{NAME}\"}} 1");
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
    // A plain restart is the connector's; the task is started anew by itself or with it.
    service.expect("POST", &of("/restart"), &NOTHING, 204);
    service.expect("POST", &of("/tasks/0/restart"), &NOTHING, 204);
    service.until(&of("/status"), |status| status["tasks"][0]["state"] == "FAILED" && org.logins() == logins + 1);
    for (name, status) in [("", 400), ("a\nb", 400), ("ü/ö", 201), (&*"n".repeat(65), 400)] {
        let config = json!({"name": name, "config": scene.config(), "initial_state": "STOPPED"});
        let mut config = config;
        config["config"]["name"] = name.into();
        service.expect("POST", "/connectors", &config, status);
    }
    service.expect("GET", "/connectors/%C3%BC%2F%C3%B6/status", &NOTHING, 200);
    let large = json!({"name": "x", "config": {"a": "b".repeat(2 << 20)}});
    service.expect("POST", "/connectors", &large, 413);
    service.run.terminate().0.expect_code(0);
}

/// Every metric that the dashboard and the alert rules name is one that the service has, or one of the component's counters
/// that begin with their first event; these stand in the component's source.
#[test]
fn dashboard_and_alerts_name_metrics_that_there_are() {
    const FILES: [&str; 2] = [
        include_str!("../../docs/examples/service/alerts.yml"),
        include_str!("../../docs/examples/service/grafana.json"),
    ];
    const COUNTERS: &str = include_str!("../../plugin/src/telemetry.rs");
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::with_connector(&scene);
    org.create_leads(1);
    service.until_committed(&org);
    let page = service.get("/metrics").as_str().unwrap_or_default().to_owned();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut seen = 0;
    for word in FILES.iter().flat_map(|text| text.split(|c| !is_part(c))) {
        if !word.starts_with("kafka_connect_") && !word.starts_with("tributary_") {
            continue;
        }
        seen += 1;
        let of_component =
            word.strip_prefix("tributary_").is_some_and(|name| COUNTERS.contains(&format!("\"{name}\"")));
        let family = word.strip_suffix("_bucket").unwrap_or(word);
        let shown = page.lines().any(|line| line.starts_with(&format!("# TYPE {family} ")));
        assert!(shown || of_component || word == "tributary_failures_total", "{word} is no metric:\n{page}");
    }
    assert!(seen >= 14, "only {seen} names were found");
    service.run.terminate().0.expect_code(0);
}

/// Users, over TLS: who is none is asked for a name, and what somebody changed is noted with theirs.
#[test]
fn who_asks_has_to_be_somebody() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let users = scene.path("users.properties");
    std::fs::write(&users, "ada=engine\n").expect("the folder is ours");
    let scene = scene.worker("tributary.rest.auth.file", &users.to_string_lossy());
    let service = Service::start(&scene);
    // ada:engine, ada:wrong.
    let as_user = |credentials: &str, method: &str, path: &str| {
        let lines = format!("Authorization: Basic {credentials}\r\n");
        http::ask_as(service.port, method, path, &lines, "").expect("the service answers").0
    };
    assert_eq!(service.ask("GET", "/connectors", &NOTHING).0, 401);
    assert_eq!(as_user("YWRhOndyb25n", "GET", "/connectors"), 401);
    service.run.expect_line(&["somebody at 127.0.0.1 asked GET /connectors"]);
    assert_eq!(as_user("YWRhOmVuZ2luZQ==", "GET", "/connectors"), 200);
    assert_eq!(as_user("YWRhOmVuZ2luZQ==", "DELETE", "/connectors/absent"), 404);
    service.run.expect_line(&["ada asked DELETE /connectors/absent, answered 404"]);
    assert_eq!(service.ask("GET", "/livez", &NOTHING).0, 200);
    service.run.terminate().0.expect_code(0);

    let pem = scene.certificate("localhost");
    let port = free_port();
    let scene = scene
        .worker("listeners", &format!("https://127.0.0.1:{port}"))
        .worker("listeners.https.ssl.keystore.location", &pem)
        .worker("listeners.https.ssl.keystore.type", "PEM");
    let run = scene.serve(port);
    run.expect_line(&["the REST API answers at https://"]);
    let curl = std::process::Command::new("curl")
        .args(["--silent", "--fail", "--user", "ada:engine", "--cacert"])
        .arg(&pem)
        .arg(format!("https://localhost:{port}/connectors"))
        .output();
    match curl {
        Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stdout), "[]", "{output:?}"),
        Err(error) => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIPPED: TLS of the service: curl: {error}\n"),
            );
        }
    }
    run.terminate().0.expect_code(0);
}

/// What a person does on the command line.
#[test]
fn connectors_on_the_command_line() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::start(&scene);
    let url = format!("http://127.0.0.1:{}", service.port);
    let run =
        |arguments: &[&str]| Tributary::start(&[&["connectors", "--url", &url], arguments].concat()).wait(PATIENCE);
    let file = scene.connector_file();
    run(&["create", &file]).expect_code(0);
    service.until_state("RUNNING", Some("RUNNING"));
    let list = run(&["list"]);
    list.expect_code(0);
    let row: Vec<&str> = list.stdout.lines().nth(1).unwrap_or_default().split_whitespace().collect();
    assert_eq!(row[..3], [NAME, "RUNNING", "RUNNING"], "{}", list.stdout);
    for (action, state, task) in
        [("pause", "PAUSED", Some("PAUSED")), ("resume", "RUNNING", Some("RUNNING")), ("stop", "STOPPED", None)]
    {
        run(&[action, NAME]).expect_code(0);
        service.until_state(state, task);
    }
    let status = run(&["status", NAME, "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).expect("it is JSON");
    assert_eq!(status["connector"]["state"], "STOPPED");
    run(&["delete", NAME]).expect_code(0);
    let gone = run(&["status", NAME]);
    assert_eq!((gone.code, gone.stderr.contains("No status found")), (Some(1), true), "{}", gone.stderr);
    let offsets = |arguments: &[&str]| {
        let finished = Tributary::start(&[&["offsets", "--url", &url], arguments].concat()).wait(PATIENCE);
        finished.expect_code(0);
        finished.stdout
    };
    run(&["create", &file]).expect_code(0);
    run(&["stop", NAME]).expect_code(0);
    offsets(&["alter", NAME, "{\"replayId\":7}"]);
    assert_eq!(offsets(&["get", NAME]).trim(), at(7).to_string());
    offsets(&["delete", &file]);
    assert_eq!(offsets(&["get", NAME]).trim(), "{\"offsets\":[]}");
    let top = Tributary::run(&["top", "--url", &url, "--once", "--interval-ms", "100"]);
    top.expect_code(0);
    let row: Vec<&str> = top.stdout.lines().nth(2).unwrap_or_default().split_whitespace().collect();
    assert_eq!(row[..3], [NAME, "STOPPED", "-"], "{}", top.stdout);
    service.run.terminate().0.expect_code(0);
    let nobody = run(&["list"]);
    assert_eq!((nobody.code, nobody.stderr.contains("nobody answers")), (Some(2), true), "{}", nobody.stderr);
}

/// The configurations stand in Kafka, as Kafka Connect writes them, and another process takes them up; offsets requests of
/// the cloud's dialect move a running connector that is delivered exactly once.
#[test]
fn a_service_on_kafka_and_offsets_requests() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("serve-leads");
    let scene = exactly_once::exactly_once(&org, broker, "serve-leads")
        .worker("config.storage.topic", "serve-configs")
        .worker("config.storage.replication.factor", "1");
    let service = Service::start(&scene);
    let base = "/connect/v1/environments/env-1/clusters/lkc-1/connectors";
    let path = |rest: &str| format!("{base}/{NAME}{rest}");
    service.expect("POST", base, &creation(&scene, None), 201);
    service.run.expect_line(&["subscribed"]);
    org.create_leads(6);
    let last = service.until_committed(&org);
    service.until(&path("/status"), |status| status["connector"]["state"] == "RUNNING");
    let expanded = service.get(&format!("{base}?expand=info,status,id"));
    assert_eq!(expanded[NAME]["id"]["id_type"], "ID", "{expanded}");
    let offsets = service.get(&path("/offsets"));
    assert_eq!((&offsets["offsets"], &offsets["name"]), (&at(last)["offsets"], &json!(NAME)));
    assert!(offsets["metadata"]["observed_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{offsets}");
    service.expect("GET", &path("/offsets/request/status"), &NOTHING, 404);

    let ids: Vec<u64> = org.expected(PUSH_TOPIC, "Lead").iter().map(|event| event.replay_id).collect();
    let ask = |body: Value| service.expect("POST", &path("/offsets/request"), &body, 202);
    let applied =
        |phase: &str| service.until(&path("/offsets/request/status"), |told| told["status"]["phase"] == phase);
    let request = ask(json!({"type": "PATCH", "offsets": at(ids[3])["offsets"]}));
    assert_eq!((&request["type"], &request["offsets"]), (&json!("PATCH"), &at(ids[3])["offsets"]));
    let told = applied("APPLIED");
    assert_eq!(told["previous_offsets"], at(last)["offsets"], "{told}");
    assert!(told["applied_at"].is_string() && told["request"]["id"] == request["id"], "{told}");
    service.until_committed(&org);
    ask(json!({"type": "PATCH", "offsets": [{"partition": {"a": 1}, "offset": {"replayId": 1}}]}));
    let told = applied("FAILED");
    assert!(told["status"]["message"].as_str().is_some_and(|text| text.contains("partition")), "{told}");
    service.until_state("RUNNING", Some("RUNNING"));
    for bad in [json!({"type": "PUT"}), json!({"type": "PATCH"}), json!({}), json!([])] {
        service.expect("POST", &path("/offsets/request"), &bad, 400);
    }
    service.run.kill();

    let service = Service::start(&scene);
    service.until_state("RUNNING", Some("RUNNING"));
    org.create_leads(2);
    service.until_committed(&org);
    service.expect("PUT", &path("/pause"), &NOTHING, 202);
    service.until(&path("/status"), |status| status["connector"]["state"] == "PAUSED");
    assert_eq!(service.expect("DELETE", &path(""), &NOTHING, 200), json!({"error": null}));
    service.run.terminate().0.expect_code(0);
    let again = judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(broker, "serve-leads")).expect_at_least_once();
    assert_eq!(again, &ids[4..], "only what was asked for came again");
    kafka::stored(&read_all(broker, "serve-leads-offsets")).expect("offsets are Kafka Connect's");
    let keys: Vec<String> = read_all(broker, "serve-configs").into_iter().filter_map(|record| record.key).collect();
    let key = |stem: &str| format!("{stem}-{NAME}");
    assert_eq!(keys[..3], [key("connector"), format!("task-{NAME}-0"), key("commit")]);
    assert_eq!(keys[keys.len() - 2..], [key("connector"), key("target-state")], "removed by null");
}
