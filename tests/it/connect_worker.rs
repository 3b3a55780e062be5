//! A real Kafka Connect worker on the same offsets topic: it reads where our connector stands, and ours goes on from where
//! a connector of its own stands, whether the worker's task or its REST API wrote that.

use std::{
    fs,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    broker::{Broker, GUARDED, free_port, java_with},
    consumer::read_all,
    exactly_once, http,
    judge::judge,
    kafka,
    org::Org,
    process::PATIENCE,
    scene::{NAME, PUSH_TOPIC, Scene},
};

/// A worker in distributed mode.
struct Worker {
    port: u16,
    running: (Child, ChildStdin),
}

impl Worker {
    /// On that broker, with offsets in that topic; its files are in the scene's folder.
    fn start(scene: &Scene, broker: &Broker, offsets: &str) -> Option<Self> {
        let classes = scene.path("classes");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/PositionSource.java");
        let compiled = Command::new("javac")
            .arg("-cp")
            .arg(crate::broker::classpath()?)
            .arg("-d")
            .arg(&classes)
            .arg(source)
            .status();
        if !compiled.is_ok_and(|status| status.success()) {
            crate::broker::skipped("there is no `javac` for the connector of a Kafka Connect worker");
            return None;
        }
        let port = free_port();
        let address = broker.address();
        let lines = format!(
            "bootstrap.servers={address}\ngroup.id=connect\nlisteners=http://127.0.0.1:{port}\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             config.storage.topic=connect-configs\nconfig.storage.replication.factor=1\n\
             status.storage.topic=connect-status\nstatus.storage.replication.factor=1\n\
             offset.storage.topic={offsets}\noffset.storage.replication.factor=1\n\
             offset.flush.interval.ms=500\nplugin.discovery=hybrid_warn\n"
        );
        let properties = scene.path("connect.properties");
        fs::write(&properties, lines).expect("the folder is ours");
        let java = java_with(&[&classes], "org.apache.kafka.connect.cli.ConnectDistributed");
        let log = fs::File::create(scene.path("connect.log")).expect("the folder is ours");
        let mut child = Command::new("sh")
            .args(["-c", GUARDED, "worker"])
            .arg(java.get_program())
            .args(java.get_args())
            .arg(&properties)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a file has two names"))
            .stderr(log)
            .spawn()
            .expect("sh starts");
        let input = child.stdin.take().expect("it is piped");
        let worker = Self { port, running: (child, input) };
        worker.until("GET", "/connectors", "", |status, _| status == 200);
        Some(worker)
    }

    /// Asks until the answer is what is waited for.
    #[track_caller]
    fn until(&self, method: &str, path: &str, body: &str, is: impl Fn(u16, &Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut last = None;
        loop {
            if let Ok((status, text)) = http::ask(self.port, method, path, body) {
                let value = serde_json::from_str(&text).unwrap_or(Value::Null);
                if is(status, &value) {
                    return value;
                }
                last = Some((status, text));
            }
            assert!(Instant::now() < deadline, "{method} {path}: {last:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/connectors/{NAME}{rest}")
    }

    /// Waits until the worker says that the connector stands there, and nowhere else.
    #[track_caller]
    fn expect_offset(&self, replay_id: u64) {
        let expected = json!({"offsets": [{"partition": {}, "offset": {"replayId": replay_id}}]});
        self.until("GET", &self.path("/offsets"), "", |status, body| status == 200 && *body == expected);
    }

    fn stop_connector(&self) {
        self.until("PUT", &self.path("/stop"), "", |status, _| status == 204);
        self.until("GET", &self.path("/status"), "", |_, body| {
            body["connector"]["state"] == "STOPPED" && body["tasks"] == json!([])
        });
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (child, input) = &mut self.running;
        let _ = std::io::Write::write_all(input, b"end\n");
        let _ = child.wait();
    }
}

#[test]
fn a_connect_worker_reads_our_position_and_we_go_on_from_its() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    for topic in ["cw-leads", "cw-out"] {
        broker.create_topic(topic);
    }
    let scene = exactly_once::exactly_once(&org, broker, "cw-leads");
    let run = scene.run_until_subscribed();
    org.create_leads(8);
    let last = kafka::until_committed(&run, &org);
    run.terminate().0.expect_code(0);

    let Some(worker) = Worker::start(&scene, broker, "cw-leads-offsets") else { return };
    let ids: Vec<u64> = org.expected(PUSH_TOPIC, "Lead").iter().map(|event| event.replay_id).collect();
    let (by_task, by_rest) = (ids[4], ids[6]);
    let config = json!({"connector.class": "PositionSource", "topic": "cw-out", "replay.id": by_task.to_string()});
    let request = json!({"name": NAME, "config": config, "initial_state": "STOPPED"}).to_string();
    worker.until("POST", "/connectors", &request, |status, _| status == 201);
    worker.expect_offset(last);

    // What a task of the worker commits.
    worker.until("PUT", &worker.path("/resume"), "", |status, _| status == 202);
    worker.expect_offset(by_task);
    worker.stop_connector();
    let run = scene.run();
    run.expect_line(&[&format!("goes on from {{\"replayId\":{by_task}}}")]);
    kafka::until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    worker.expect_offset(last);

    // What its REST API writes.
    let offsets = json!({"offsets": [{"partition": {}, "offset": {"replayId": by_rest}}]}).to_string();
    worker.until("PATCH", &worker.path("/offsets"), &offsets, |status, _| status == 200);
    let run = scene.run();
    run.expect_line(&[&format!("goes on from {{\"replayId\":{by_rest}}}")]);
    kafka::until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    let again = judge(&org.expected(PUSH_TOPIC, "Lead"), &read_all(broker, "cw-leads")).expect_at_least_once();
    assert_eq!(again, [&ids[5..], &ids[7..]].concat());
}
