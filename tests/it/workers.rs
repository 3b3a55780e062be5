//! Several workers of `tributary serve` on one config topic: one runs the connectors, the others stand by and send on what they
//! are asked; whatever happens to the active one, another goes on where it stood.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;

use crate::{
    broker::{Broker, GUARDED, free_port, java, java_output},
    exactly_once::expect_exact,
    operate::on_kafka,
    org::Org,
    process::PATIENCE,
    scene::{NAME, PUSH_TOPIC},
    serve::{NOTHING, Service, at, creation, of},
};

fn active(service: &Service) -> bool {
    let page = service.ask("GET", "/metrics", &NOTHING).1;
    let page = page.as_str().expect("metrics are text").to_owned();
    let line = page.lines().find(|line| line.starts_with("tributary_worker_active "));
    line.expect("a worker tells whether it is active") == "tributary_worker_active 1"
}

/// A worker stands by, and whoever asks it is answered as by the active one.
fn expect_standby(standby: &Service, of_active: &Service) {
    standby.until("/readyz", |answer| *answer == json!("standby\n"));
    assert!(active(of_active) && !active(standby));
    assert_eq!(standby.ask("GET", "/livez", &NOTHING).0, 200);
    // The active one notes behind its work that it is.
    standby.until("/connectors", |answer| answer.is_array());
    for path in
        ["/connectors", "/connectors?expand=status&expand=info", &of("/status"), &of("/config"), "/connectors/absent"]
    {
        assert_eq!(standby.ask("GET", path, &NOTHING), of_active.ask("GET", path, &NOTHING), "{path}");
    }
}

#[test]
fn another_worker_goes_on() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    let scene = on_kafka(&org, broker, "workers-leads");
    let first = Service::with_connector(&scene);
    let second = Service::standing_by(&scene);
    // Which cluster that is, both know.
    assert_eq!(second.get("/")["kafka_cluster_id"], broker.cluster_id());
    org.create_leads(20);
    first.until_committed(&org);
    expect_standby(&second, &first);
    // Changes too, with their bodies, their answers and their errors.
    second.expect("PUT", &of("/pause"), &NOTHING, 202);
    first.until(&of("/status"), |status| status["connector"]["state"] == "PAUSED");
    second.expect("PUT", &of("/resume"), &NOTHING, 202);
    first.until(&of("/status"), |status| status["tasks"][0]["state"] == "RUNNING");
    second.expect("POST", "/connectors", &creation(&scene, None), 409);
    let refused = second.expect("PATCH", &of("/offsets"), &at(1), 400);
    assert!(refused["message"].as_str().is_some_and(|message| message.contains("STOPPED")), "{refused}");
    let cloud = format!("/connect/v1/environments/e/clusters/c/connectors/{NAME}");
    assert_eq!(second.ask("GET", &cloud, &NOTHING).0, 200);

    // Killed: the other one notices, says whose connectors it takes, and goes on from the last commit.
    let killed = format!("127.0.0.1:{}", first.port);
    first.run.kill();
    org.create_leads(20);
    second.run.expect_line(&["other-worker", &killed]);
    second.run.expect_line(&["subscribed"]);
    second.until_committed(&org);
    assert!(active(&second));

    // Ended in good order: the next one takes over at once.
    let third = Service::standing_by(&scene);
    expect_standby(&third, &second);
    second.run.terminate().0.expect_code(0);
    org.create_leads(20);
    third.run.expect_line(&["worker-started", "1 connector"]);
    third.until_committed(&org);

    // Frozen for longer than its session: it finds another one in its place when it wakes, and lets go.
    let fourth = Service::standing_by(&scene);
    third.run.signal(Signal::STOP);
    org.create_leads(20);
    fourth.until_committed(&org);
    third.run.signal(Signal::CONT);
    third.run.expect_line(&["duty-lost"]);
    third.run.expect_line(&["standing-by"]);
    org.create_leads(20);
    fourth.until_committed(&org);
    expect_standby(&third, &fourth);

    fourth.run.terminate().0.expect_code(0);
    third.until(&of("/status"), |status| status["tasks"][0]["state"] == "RUNNING");
    third.run.terminate().0.expect_code(0);
    expect_exact(&org, broker, "workers-leads");
}

/// Whatever the broker does, one of them is active, and the stream is as it was.
#[test]
fn a_broker_that_goes_leaves_one_active() {
    let Some(mut broker) = Broker::start() else { return };
    let org = Org::start();
    let scene = on_kafka(&org, &broker, "alone-leads");
    let first = Service::with_connector(&scene);
    let second = Service::standing_by(&scene);
    expect_standby(&second, &first);
    first.run.signal(Signal::STOP);
    org.create_leads(5);
    second.run.expect_line(&["other-worker"]);
    second.until_committed(&org);
    first.run.signal(Signal::CONT);
    first.run.expect_line(&["standing-by"]);
    broker.kill();
    broker.resume();
    org.create_leads(5);
    let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
    for service in [&first, &second] {
        service.until(&of("/offsets"), |answer| *answer == at(last));
    }
    assert!(active(&first) != active(&second));
    for service in [first, second] {
        service.run.terminate().0.expect_code(0);
    }
    expect_exact(&org, &broker, "alone-leads");
}

/// The group says who runs a connector. Whoever else takes its transactional id, a worker that was late to let go for one, is
/// fenced in its turn.
#[test]
fn the_active_worker_comes_back() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    let scene = on_kafka(&org, broker, "fenced-leads");
    let service = Service::with_connector(&scene);
    org.create_leads(10);
    service.until_committed(&org);
    let other = scene.run_until_subscribed();
    org.create_leads(10);
    service.run.expect_line(&["fenced, and this worker"]);
    service.until_state("RUNNING", Some("FAILED"));
    service.until_state("RUNNING", Some("RUNNING"));
    org.create_leads(10);
    other.wait(PATIENCE).expect_code(1).expect_said(&["FENCED"]);
    service.until_committed(&org);
    service.run.terminate().0.expect_code(0);
    expect_exact(&org, broker, "fenced-leads");
}

/// A group with other software in it takes no worker; the worker says what to change.
#[test]
fn a_group_of_others_is_left_alone() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    let scene = on_kafka(&org, broker, "taken-leads");
    let consumer = java("org.apache.kafka.tools.consumer.ConsoleConsumer");
    let mut guarded = Command::new("sh");
    guarded.args(["-c", GUARDED, "consumer"]).arg(consumer.get_program()).args(consumer.get_args());
    guarded.args(["--bootstrap-server", &broker.address(), "--topic", "taken-leads", "--group", "taken-leads"]);
    let strategy = "org.apache.kafka.clients.consumer.RoundRobinAssignor";
    guarded.args(["--command-property", &format!("partition.assignment.strategy={strategy}")]);
    // It ends with its standard input, and so with this test.
    guarded.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut consumer = guarded.spawn().expect("sh starts");
    let state = || {
        let describe = ["--bootstrap-server", &broker.address(), "--describe", "--state", "--group", "taken-leads"];
        java_output("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", &describe)
    };
    let deadline = Instant::now() + PATIENCE;
    let mut found = state();
    while !found.contains("Stable") {
        assert!(Instant::now() < deadline, "{found}");
        found = state();
    }
    let finished = scene.serve(free_port()).wait(Duration::from_secs(30));
    finished.expect_code(2).expect_said(&["taken-leads (group.id)", "name another group.id"]);
    drop(consumer.stdin.take());
    consumer.wait().expect("it ends with its input");
}

/// Between workers the same certificates and users count as at their doors.
#[test]
fn requests_are_sent_on_over_tls() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    let scene = on_kafka(&org, broker, "tls-leads");
    let (worker, friend, users) =
        (scene.certificate("localhost"), scene.certificate("friend"), scene.path("users.properties"));
    let trusted = scene.path("trusted.pem");
    let both = [&worker, &friend].map(|path| fs::read_to_string(path).expect("it was written"));
    fs::write(&trusted, both.concat()).expect("the folder is ours");
    fs::write(&users, "ada=engine\n").expect("the folder is ours");
    let mut scene = scene
        .worker("listeners", "https://127.0.0.1:8083")
        .worker("rest.advertised.host.name", "localhost")
        .worker("tributary.rest.auth.file", &users.to_string_lossy());
    for (setting, value) in [
        ("keystore.location", worker.as_str()),
        ("keystore.type", "PEM"),
        ("truststore.location", &trusted.to_string_lossy()),
        ("truststore.type", "PEM"),
        ("client.auth", "required"),
    ] {
        scene = scene.worker(&format!("listeners.https.ssl.{setting}"), value);
    }
    let ports = [free_port(), free_port()];
    let first = scene.serve(ports[0]);
    first.expect_line(&["worker-started"]);
    let second = scene.serve(ports[1]);
    second.expect_line(&["standing-by"]);
    let ask = |method: &str, path: &str, body: &str| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--cacert", &worker, "--cert", &friend, "--user", "ada:engine", "-X", method]);
        curl.args(["-H", "Content-Type: application/json", "--data", body]);
        curl.args(["--retry", "9", &format!("https://localhost:{}{path}", ports[1])]).output()
    };
    let created = match ask("POST", "/connectors", &creation(&scene, Some("STOPPED")).to_string()) {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: TLS between workers: curl: {error}");
            return;
        }
    };
    assert!(created.contains(&format!("\"name\":\"{NAME}\"")) && !created.contains("error_code"), "{created}");
    first.expect_line(&["ada asked POST /connectors, answered 201"]);
    for run in [second, first] {
        run.terminate().0.expect_code(0);
    }
}
