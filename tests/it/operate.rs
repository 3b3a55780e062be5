//! Operating the service: levels of logging, what survives the process, who may ask and how often, requests that nobody should
//! make, and the process killed in the midst of changes.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use salesforce_simulator::{Fault, FaultRule, Where};
use serde_json::{Value, json};

use crate::{
    broker::Broker,
    consumer::read_all,
    exactly_once, http,
    judge::judge,
    org::Org,
    process::{self, PATIENCE},
    registry,
    scene::{NAME, PUSH_TOPIC, Scene},
    serve::{NOTHING, Service, at, creation, of},
};

/// Exactly once into a topic of that name, with the service's own topics beside it.
/// A service of its own on that broker, whose workers are soon missed when they are gone.
pub(crate) fn on_kafka(org: &Org, broker: &Broker, topic: &str) -> Scene {
    broker.create_topic(topic);
    let scene = exactly_once::exactly_once(org, broker, topic)
        .worker("group.id", topic)
        .worker("session.timeout.ms", "3000")
        .worker("heartbeat.interval.ms", "500");
    ["config", "status"].into_iter().fold(scene, |scene, own| {
        scene
            .worker(&format!("{own}.storage.topic"), &format!("{topic}-{own}"))
            .worker(&format!("{own}.storage.replication.factor"), "1")
    })
}

#[test]
fn one_connector_alone_is_made_talkative() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::with_connector(&scene);
    let loggers = service.get("/admin/loggers");
    assert_eq!(loggers["root"], json!({"level": "WARN", "last_modified": null}), "{loggers}");
    let logger = format!("/admin/loggers/tributary.connector.{NAME}");
    service.expect("GET", &logger, &NOTHING, 404);
    let changed = service.expect("PUT", &logger, &json!({"level": "debug"}), 200);
    assert_eq!(changed, json!([format!("tributary.connector.{NAME}")]));
    org.create_leads(1);
    service.run.expect_line(&["DEBUG", NAME, "requesting"]);
    let level = service.get(&logger);
    assert!(level["level"] == "DEBUG" && level["last_modified"].is_i64(), "{level}");
    assert_eq!(service.expect("PUT", &logger, &json!({"level": "DEBUG"}), 200), json!([]));
    assert_eq!(
        service.expect("PUT", "/admin/loggers/tributary", &json!({"level": "WARN"}), 200).as_array().map(Vec::len),
        Some(2)
    );
    let (status, body) = service.ask("PUT", "/admin/loggers/a?scope=cluster", &json!({"level": "INFO"}));
    assert_eq!((status, body), (204, json!("")));
    for (body, status, message) in [
        (json!({"level": "LOUD"}), 404, "invalid log level 'LOUD'."),
        (json!({}), 400, "Desired 'level' parameter was not specified in request."),
        (json!({"level": null}), 400, "Desired 'level' parameter was not specified in request."),
    ] {
        assert_eq!(service.expect("PUT", "/admin/loggers/a", &body, status)["message"], message);
    }
    service.run.terminate().0.expect_code(0);
}

#[test]
fn topics_are_known_after_a_kill() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::with_connector(&scene);
    org.create_leads(1);
    service.until_committed(&org);
    let used = json!({NAME: {"topics": ["leads"]}});
    service.until(&of("/topics"), |topics| *topics == used);
    // What is written down follows behind what is shown; the kill comes when it has.
    let database = scene.path("data/tributary.db");
    let deadline = Instant::now() + PATIENCE;
    while !String::from_utf8_lossy(&std::fs::read(&database).unwrap_or_default()).contains("status-topic-leads:")
        && !std::fs::read(scene.path("data/tributary.db-wal"))
            .is_ok_and(|wal| String::from_utf8_lossy(&wal).contains("status-topic-leads:"))
    {
        assert!(Instant::now() < deadline, "the topic is not written down");
        thread::sleep(Duration::from_millis(20));
    }
    service.run.kill();
    let service = Service::start(&scene);
    assert_eq!(service.get(&of("/topics")), used);
    service.expect("PUT", &of("/topics/reset"), &NOTHING, 202);
    assert_eq!(service.get(&of("/topics")), json!({NAME: {"topics": []}}));
    service.run.expect_line(&["subscribed"]);
    org.create_leads(1);
    service.until(&of("/topics"), |topics| *topics == used);
    service.run.terminate().0.expect_code(0);
    for (setting, get) in [("topic.tracking.allow.reset", 200), ("topic.tracking.enable", 403)] {
        let service = Service::start(&Scene::new(&org, "leads").worker(setting, "false"));
        service.expect("GET", &of("/topics"), &NOTHING, get);
        let refused = service.expect("PUT", &of("/topics/reset"), &NOTHING, 403);
        assert!(refused["message"].as_str().is_some_and(|text| text.starts_with("Topic tracking")), "{refused}");
        service.run.terminate().0.expect_code(0);
    }
}

/// Connectors' states stand in the status topic as a Kafka Connect worker writes them, and end as UNASSIGNED.
#[test]
fn the_status_topic_is_that_of_kafka_connect() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    let scene = on_kafka(&org, broker, "status-leads");
    let service = Service::start(&scene);
    service.expect("POST", "/connectors", &creation(&scene, None), 201);
    service.run.expect_line(&["subscribed"]);
    org.create_leads(1);
    service.until_committed(&org);
    let used = json!({NAME: {"topics": ["status-leads"]}});
    service.until(&of("/topics"), |topics| *topics == used);
    let worker = format!("127.0.0.1:{}", service.port);
    let (key, deadline) = (format!("status-topic-status-leads:connector-{NAME}"), Instant::now() + PATIENCE);
    while !read_all(broker, "status-leads-status").iter().any(|record| record.key.as_ref() == Some(&key)) {
        assert!(Instant::now() < deadline, "{key} is not noted");
    }
    service.run.terminate().0.expect_code(0);
    let records = read_all(broker, "status-leads-status");
    let values = |key: &str| -> Vec<Value> {
        let of_key = records.iter().filter(|record| record.key.as_deref() == Some(key));
        of_key.map(|record| serde_json::from_str(record.value.as_deref().unwrap_or("null")).expect("JSON")).collect()
    };
    let value = |state: &str, version: Value| json!({"state": state, "trace": null, "worker_id": worker, "generation": 1, "version": version});
    let running = value("RUNNING", json!(env!("CARGO_PKG_VERSION")));
    for (key, first) in [
        (format!("status-connector-{NAME}"), Some(&running)),
        // A task begins as UNASSIGNED, if somebody looks in time.
        (format!("status-task-{NAME}-0"), None),
    ] {
        let found = values(&key);
        assert!(first.is_none_or(|first| found.first() == Some(first)), "{key}: {found:?}");
        assert_eq!(found.last(), Some(&value("UNASSIGNED", NOTHING)), "{key}: {found:?}");
    }
    let found = values(&format!("status-topic-status-leads:connector-{NAME}"));
    let topic = &found.first().expect("the topic is written down")["topic"];
    assert_eq!(
        (&topic["name"], &topic["connector"], &topic["task"], topic["discoverTimestamp"].is_i64()),
        (&json!("status-leads"), &json!(NAME), &json!(0), true)
    );
}

#[test]
fn tokens_origins_and_rates() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let tokens = scene.path("tokens.properties");
    std::fs::write(&tokens, "robot=0123456789abcdef0123\n").expect("the folder is ours");
    let scene = scene
        .worker("tributary.rest.auth.tokens.file", &tokens.to_string_lossy())
        .worker("access.control.allow.origin", "https://console.example")
        .worker("access.control.allow.methods", "GET,PUT")
        .worker("tributary.rest.requests.per.second.max", "5");
    let service = Service::start(&scene);
    let ask = |method: &str, path: &str, lines: &str| {
        http::head_and_body(service.port, method, path, lines, "").expect("the service answers")
    };
    let token = "Authorization: Bearer 0123456789abcdef0123\r\n";
    let origin = "Origin: https://console.example\r\n";
    let (head, body) = ask("GET", "/connectors", "");
    assert!(head.starts_with("HTTP/1.0 401") && head.to_lowercase().contains("www-authenticate: basic"), "{head}");
    assert!(body.contains("error_code"), "{body}");
    let (head, _) = ask("GET", "/connectors", &format!("{token}{origin}"));
    assert!(head.starts_with("HTTP/1.0 200"), "{head}");
    assert!(head.to_lowercase().contains("access-control-allow-origin: https://console.example"), "{head}");
    let preflight = "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\n";
    let (head, _) = ask("OPTIONS", "/connectors/a/config", &format!("{origin}{preflight}"));
    assert!(head.starts_with("HTTP/1.0 200") && head.contains("GET,PUT"), "{head}");
    let (head, _) = ask("GET", "/connectors", &format!("{token}Origin: https://other.example\r\n"));
    assert!(!head.to_lowercase().contains("access-control-allow-origin: https://other"), "{head}");
    // Five at once and five in a second; the eleventh within a moment is one too many, however long the others took.
    let asked: Vec<(String, String)> = (0..40).map(|_| ask("GET", "/livez", "")).collect();
    let refused = asked.iter().find(|(head, _)| head.starts_with("HTTP/1.0 429"));
    let (head, body) = refused.expect("40 requests are more than five in a second");
    assert!(
        head.to_lowercase().contains("retry-after: 1") && body.contains("requests.per.second.max"),
        "{head}\n{body}"
    );
    service.run.expect_line(&["the REST API answers"]);
    service.run.terminate().0.expect_code(0);
}

/// Clients' certificates: one of the named root is let in, none and one of another root are not.
#[test]
fn a_certificate_opens_the_door() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let (server, friend, stranger) =
        (scene.certificate("localhost"), scene.certificate("friend"), scene.certificate("stranger"));
    let port = crate::broker::free_port();
    let mut scene = scene.worker("listeners", &format!("https://127.0.0.1:{port}"));
    for (setting, value) in [
        ("keystore.location", server.as_str()),
        ("keystore.type", "PEM"),
        ("truststore.location", &friend),
        ("truststore.type", "PEM"),
        ("client.auth", "required"),
    ] {
        scene = scene.worker(&format!("listeners.https.ssl.{setting}"), value);
    }
    let run = scene.serve(port);
    run.expect_line(&["the REST API answers at https://"]);
    let curl = |certificate: Option<&str>| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--cacert", &server, &format!("https://localhost:{port}/connectors")]);
        if let Some(certificate) = certificate {
            command.args(["--cert", certificate]);
        }
        command.output()
    };
    match curl(Some(&friend)) {
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: clients' certificates: curl: {error}");
        }
        Ok(output) => {
            assert_eq!(String::from_utf8_lossy(&output.stdout), "[]", "{output:?}");
            for certificate in [None, Some(stranger.as_str())] {
                let refused = curl(certificate).expect("curl was there a moment ago");
                assert!(!refused.status.success() && refused.stdout.is_empty(), "{certificate:?}: {refused:?}");
            }
        }
    }
    run.terminate().0.expect_code(0);
}

#[test]
fn requests_that_nobody_should_make() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").worker("tributary.rest.requests.per.second.max", "0");
    let service = Service::start(&scene);
    service.expect("POST", "/connectors", &creation(&scene, Some("STOPPED")), 201);
    // A body of 100 MB is refused before it has come.
    let mut stream = TcpStream::connect(("127.0.0.1", service.port)).expect("the service listens");
    let head =
        "POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("the service reads");
    let piece = vec![b' '; 1 << 20];
    let sent = (0..100).take_while(|_| stream.write_all(&piece).is_ok()).count();
    let mut answer = [0; 12];
    // Where so much was on its way that the connection broke first, there is no answer to read.
    let read = stream.read(&mut answer).unwrap_or(0);
    assert!(sent < 100, "all of it was taken");
    assert!(read == 0 || answer.ends_with(b"413"), "{}", String::from_utf8_lossy(&answer));
    let deep = "[".repeat(100_000);
    for (method, path, kind, body, status) in [
        ("POST", "/connectors", Some("application/json"), deep.as_str(), 400),
        ("PATCH", &of("/offsets"), Some("application/json"), &deep, 400),
        ("POST", "/connectors", Some("text/plain"), "{}", 415),
        ("POST", "/connectors", None, "{}", 415),
        ("POST", "/connectors", Some("application/json"), "{\"name\":\"\u{0}\",\"config\":{}}", 400),
        ("GET", "/connectors/%ff%fe", None, "", 400),
        ("GET", "/connectors/a/b/c", None, "", 404),
        ("TRACE", "/connectors", None, "", 405),
    ] {
        let (found, answer) = http::ask_with(service.port, method, path, kind, body).expect("an answer");
        assert_eq!(found, status, "{method} {path} {kind:?} {}: {answer}", &body[..body.len().min(40)]);
    }
    let cloud = format!("/connect/v1/environments/unknown/clusters/none/connectors/{NAME}");
    service.expect("GET", &cloud, &NOTHING, 200);
    let refused = service.expect("GET", "/connect/v1/environments/e/clusters/c/connectors/absent", &NOTHING, 404);
    assert_eq!(refused["error"]["code"], 404, "{refused}");
    let refused = service.expect("GET", "/connect/v1/environments/e/clusters/c/nothing", &NOTHING, 404);
    assert_eq!(refused["error"]["code"], 404, "{refused}");
    for offset in ["-3", "1.5", "\"7\"", "9223372036854775808", "[1]", "{}", "true"] {
        let body = format!("{{\"offsets\":[{{\"partition\":{{}},\"offset\":{{\"replayId\":{offset}}}}}]}}");
        let answer = http::ask(service.port, "PATCH", &of("/offsets"), &body).expect("an answer");
        assert_eq!(answer.0, 400, "{offset}: {}", answer.1);
    }
    let foreign = json!({"offsets": [{"partition": {"server": "x"}, "offset": {"replayId": 1}}]});
    service.expect("PATCH", &of("/offsets"), &foreign, 400);
    assert_eq!(service.get(&of("/offsets")), json!({"offsets": []}));
    service.expect("PATCH", &of("/offsets"), &at(1), 200);
    // A client that says nothing does not keep others from asking, nor the service from ending.
    let silent: Vec<TcpStream> =
        (0..100).filter_map(|_| TcpStream::connect(("127.0.0.1", service.port)).ok()).collect();
    service.get("/livez");
    service.run.terminate().0.expect_code(0);
    drop(silent);
}

/// The setting that is changed: milliseconds, any number of them.
const SETTING: &str = "request.max.retries.time.ms";

/// What the changes of a client make of the connectors, as far as it was told.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    /// The setting that is changed, and the state; none when there is no connector.
    is: Option<(u64, &'static str)>,
}

/// The connector as the service has it.
fn found(service: &Service, name: &str) -> Wanted {
    let (status, config) = service.ask("GET", &format!("/connectors/{name}/config"), &NOTHING);
    if status == 404 {
        return Wanted { is: None };
    }
    let value = config[SETTING].as_str().and_then(|text| text.parse().ok()).expect("the setting is a number");
    let state = service.get(&format!("/connectors/{name}/status"))["connector"]["state"].clone();
    let state = ["PAUSED", "STOPPED"].into_iter().find(|known| state == *known).expect("a state that was asked for");
    Wanted { is: Some((value, state)) }
}

/// Changes one connector over and over, and tells how often; `told` holds what it is, and what it becomes once the change
/// under way is done.
fn change(port: u16, name: &str, config: &Value, told: &Mutex<(Wanted, Wanted)>, first: u64) -> u64 {
    let mut step = first;
    loop {
        let before = told.lock().expect("nobody panics with it").0.clone();
        let (method, path, body, after) = match (&before.is, step % 5) {
            (None, _) => {
                let mut config = config.clone();
                config[SETTING] = step.to_string().into();
                config["name"] = name.into();
                let body = json!({"name": name, "config": config, "initial_state": "PAUSED"});
                ("POST", "/connectors".to_owned(), body, Some((step, "PAUSED")))
            }
            (Some((value, _)), 0) => ("PUT", format!("/connectors/{name}/stop"), NOTHING, Some((*value, "STOPPED"))),
            (Some((value, _)), 1) => ("PUT", format!("/connectors/{name}/pause"), NOTHING, Some((*value, "PAUSED"))),
            (Some(_), 2) => ("DELETE", format!("/connectors/{name}"), NOTHING, None),
            (Some((_, state)), _) => {
                let body = json!({SETTING: step.to_string()});
                ("PATCH", format!("/connectors/{name}/config"), body, Some((step, *state)))
            }
        };
        let after = Wanted { is: after };
        told.lock().expect("nobody panics with it").1 = after.clone();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        match http::ask(port, method, &path, &body) {
            Ok((status, answer)) => {
                assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
                *told.lock().expect("nobody panics with it") = (after.clone(), after);
            }
            // Killed.
            Err(_) => return step - first,
        }
        step += 1;
    }
}

fn killed_in_the_midst(scene: &Scene, rounds: u64) {
    let nothing = || Wanted { is: None };
    let told = Arc::new(Mutex::new((nothing(), nothing())));
    let (mut service, mut changes) = (Service::start(scene), 0);
    for round in 0..rounds {
        let (port, config, told) = (service.port, scene.config(), Arc::clone(&told));
        let client = {
            let told = Arc::clone(&told);
            thread::spawn(move || change(port, NAME, &config, &told, 60_000 + round * 1_000))
        };
        // Long enough for some changes, and different each time.
        thread::sleep(Duration::from_millis(60 + round * 37 % 90));
        service.run.kill();
        changes += client.join().expect("every change was granted");
        service = Service::start(scene);
        let (before, after) = told.lock().expect("nobody panics with it").clone();
        let is = found(&service, NAME);
        assert!(is == before || is == after, "round {round}: {is:?} is neither {before:?} nor {after:?}");
        *told.lock().expect("nobody panics with it") = (is.clone(), is);
    }
    assert!(changes >= rounds, "{changes} changes in {rounds} rounds: nothing was under way");
    service.run.terminate().0.expect_code(0);
}

#[test]
fn a_kill_leaves_the_old_or_the_new() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").worker("tributary.rest.requests.per.second.max", "0");
    killed_in_the_midst(&scene, 12);
}

#[test]
fn a_kill_leaves_the_old_or_the_new_in_kafka() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    let scene = on_kafka(&org, broker, "killed-leads")
        .worker("tributary.rest.requests.per.second.max", "0")
        // The place in the group waits for whoever comes back by this name.
        .worker("group.instance.id", "tributary-0");
    killed_in_the_midst(&scene, 8);
}

/// Events go on coming while the script of the documentation moves the connector back: what came again is what lies between the
/// place that was asked for and the one where it stood, once, and nothing else.
#[test]
fn offsets_are_moved_under_a_running_stream() {
    let Some(broker) = Broker::shared() else { return };
    let org = Arc::new(Org::start());
    let scene = on_kafka(&org, broker, "moved-leads");
    let service = Service::with_connector(&scene);
    org.create_leads(20);
    service.until_committed(&org);
    let ids: Vec<u64> = org.expected(PUSH_TOPIC, "Lead").iter().map(|event| event.replay_id).collect();
    let writing = {
        let org = Arc::clone(&org);
        thread::spawn(move || (0..200).for_each(|_| drop(org.create_leads(1))))
    };
    let script = Command::new(registry::root().join("docs/examples/service/offsets.sh"))
        .args([format!("http://127.0.0.1:{}", service.port), NAME.to_owned(), ids[4].to_string()])
        .output();
    writing.join().expect("changes are made");
    let output = match script {
        Ok(output) if output.status.code() != Some(127) => output,
        other => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: the script with offsets requests: curl: {other:?}");
            return;
        }
    };
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("answers are JSON")).collect();
    let names =
        |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let [stood, request, told] = &answers[..] else { panic!("{text}") };
    assert_eq!(names(stood), ["id", "metadata", "name", "offsets"], "{text}");
    assert_eq!(names(request), ["id", "name", "offsets", "requested_at", "type"], "{text}");
    assert_eq!(names(told), ["applied_at", "previous_offsets", "request", "status"], "{text}");
    assert_eq!(request["offsets"], at(ids[4])["offsets"], "{text}");
    let before = told["previous_offsets"][0]["offset"]["replayId"].as_u64().expect("it had a place");
    service.until_committed(&org);
    service.run.terminate().0.expect_code(0);
    let expected = org.expected(PUSH_TOPIC, "Lead");
    let again = judge(&expected, &read_all(broker, "moved-leads")).expect_at_least_once();
    let between: Vec<u64> =
        expected.iter().map(|event| event.replay_id).filter(|id| *id > ids[4] && *id <= before).collect();
    assert_eq!(again, between);
}

/// An offsets request takes as long as the org lets the connector wait: meanwhile there is no second one and no deletion in the
/// cloud's way, and who asks is told since when.
#[test]
fn one_offsets_request_at_a_time() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::with_connector(&scene);
    org.create_leads(2);
    service.until_committed(&org);
    org.inject(FaultRule::once(Where::channel("/meta/disconnect"), Fault::NeverAnswer));
    let cloud = format!("/connect/v1/environments/e/clusters/c/connectors/{NAME}");
    let ask = json!({"type": "PATCH", "offsets": at(1)["offsets"]});
    let path = format!("{cloud}/offsets/request");
    let request = service.expect("POST", &path, &ask, 202);
    let refused = service.expect("POST", &path, &ask, 409);
    let (since, message) = (request["requested_at"].as_str(), refused["error"]["message"].as_str().unwrap_or_default());
    assert!(since.is_some_and(|since| message.contains(since)), "{request} {refused}");
    service.expect("DELETE", &cloud, &NOTHING, 409);
    let status = service.get(&format!("{path}/status"));
    assert_eq!((&status["status"]["phase"], &status["applied_at"]), (&json!("PENDING"), &NOTHING), "{status}");
    service.until(&format!("{path}/status"), |told| told["status"]["phase"] == "APPLIED");
    assert_eq!(service.expect("DELETE", &cloud, &NOTHING, 200), json!({"error": null}));
    // The next of that name has asked for nothing yet.
    service.expect("POST", "/connectors", &creation(&scene, Some("STOPPED")), 201);
    service.expect("GET", &format!("{path}/status"), &NOTHING, 404);
    service.run.terminate().0.expect_code(0);
}

/// The program runs as the container file says: on the libraries of its base image, as nobody, with nothing to write to but
/// `/data`.
#[test]
fn a_container_needs_nothing_else() {
    if !rustix::process::geteuid().is_root() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: the container's root: only root can make one");
        return;
    }
    let port = crate::broker::free_port();
    let mut run = Command::new(registry::root().join("scripts/container.sh"))
        .args([process::programs().join("tributary"), process::component()])
        .arg(port.to_string())
        .spawn()
        .expect("the script is there");
    let deadline = Instant::now() + PATIENCE;
    while !http::ask(port, "GET", "/readyz", "").is_ok_and(|(status, _)| status == 200) {
        assert!(run.try_wait().expect("it can be asked").is_none() && Instant::now() < deadline, "it does not answer");
        thread::sleep(Duration::from_millis(50));
    }
    let (status, plugins) = http::ask(port, "GET", "/connector-plugins", "").expect("it answers");
    assert!(status == 200 && plugins.contains("SalesforcePushTopicSource"), "{plugins}");
    let id = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
    run.wait().expect("it ends");
    assert!(http::ask(port, "GET", "/livez", "").is_err(), "it still answers");
}

/// The unit file is one that systemd understands.
#[test]
fn systemd_understands_the_unit() {
    let unit = registry::root().join("docs/examples/service/tributary.service");
    // The program does not stand where the unit has it; another one does.
    let text =
        std::fs::read_to_string(unit).expect("the unit is there").replace("/usr/local/bin/tributary", "/bin/true");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = folder.path().join("tributary.service");
    std::fs::write(&copy, text).expect("the folder is ours");
    match Command::new("systemd-analyze").arg("verify").arg(&copy).output() {
        Ok(output) => assert!(output.status.success() && output.stderr.is_empty(), "{output:?}"),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: the unit file: systemd-analyze: {error}");
        }
    }
}
