//! The service under clients that others wrote (`scripts/clients.sh` fetches them): Kafka Connect clients in Python, readers of
//! Prometheus' and OpenTelemetry's formats, and schemathesis, which makes requests of the OpenAPI document and holds the
//! answers against it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    org::Org,
    process::PATIENCE,
    registry,
    scene::{NAME, Scene},
    serve::{NOTHING, Service, creation},
};

/// The folder of their programs, or none where they cannot be had: that is said aloud.
fn programs() -> Option<PathBuf> {
    let folder = registry::root().join("target/clients/python/bin");
    if folder.join("schemathesis").is_file() {
        return Some(folder);
    }
    let _ = writeln!(std::io::stderr(), "SKIPPED: clients of the REST API: `make clients` fetches them");
    None
}

/// Runs a script of ours with their Python.
fn script(programs: &Path, name: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(programs.join("python"))
        .arg(registry::root().join("scripts/clients").join(name))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is a Python");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ran")
}

#[track_caller]
fn output(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn kafka_connect_clients_find_what_they_expect() {
    let Some(programs) = programs() else { return };
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let service = Service::start(&scene);
    let url = format!("http://127.0.0.1:{}", service.port);
    let life = script(&programs, "connect_life.py", &[&url], &creation(&scene, None).to_string());
    assert_eq!(output(&life), "kafka_connect_py ok\nkafkaconnect ok\n");
    service.run.terminate().0.expect_code(0);
    org.expect_no_sessions();
}

/// The same requests with and without a connector behind the names; without deletions where there is one.
#[test]
fn answers_are_as_the_openapi_document_says() {
    let Some(programs) = programs() else { return };
    let org = Org::start();
    let scene = Scene::new(&org, "leads").worker("tributary.rest.requests.per.second.max", "0");
    let service = Service::start(&scene);
    service.expect("POST", "/connectors", &creation(&scene, Some("STOPPED")), 201);
    let config = scene.path("schemathesis.toml");
    for parameters in [
        String::new(),
        format!(
            "name = \"{NAME}\"\ntask = \"0\"\nlogger = \"tributary.connector.x\"\nplugin = \"SalesforcePushTopicSource\"\n"
        ),
    ] {
        std::fs::write(&config, format!("[parameters]\n{parameters}")).expect("the folder is ours");
        let mut command = Command::new(programs.join("schemathesis"));
        command
            .arg("--config-file")
            .arg(&config)
            .arg("run")
            .arg(format!("http://127.0.0.1:{}/openapi.json", service.port));
        command.args(["--seed", "1", "--max-examples", "5", "--no-color", "--warnings", "off"]);
        // What a configuration has to be, no schema tells; and every body is looked at before the name is.
        command.args(["--exclude-checks", "positive_data_acceptance,use_after_free,ensure_resource_availability"]);
        if !parameters.is_empty() {
            command.args(["--exclude-method", "DELETE"]);
        }
        output(&command.current_dir(scene.path("")).output().expect("it ran"));
    }
    service.get("/connectors");
    service.run.terminate().0.expect_code(0);
}

/// A collector of OpenTelemetry: the path and the body of the first message that is about a connector.
fn collect(listener: &TcpListener) -> (String, String) {
    loop {
        let (mut stream, _) = listener.accept().expect("the service comes");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has time-outs");
        let (mut text, mut piece) = (Vec::new(), [0; 8192]);
        let (path, body) = loop {
            let read = stream.read(&mut piece).expect("the service sends");
            text.extend_from_slice(&piece[..read]);
            let so_far = String::from_utf8_lossy(&text).into_owned();
            let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break (head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned());
            }
        };
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            .expect("the service reads");
        if body.contains("tributary_committed_offset") {
            return (path, body);
        }
    }
}

#[test]
fn metrics_are_read_as_they_are_meant() {
    let Some(programs) = programs() else { return };
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let collector = format!("http://{}", listener.local_addr().expect("it is bound"));
    let service = Service::start_with(
        &scene,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str()),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b"),
        ],
    );
    service.expect("POST", "/connectors", &creation(&scene, None), 201);
    service.run.expect_line(&["subscribed"]);
    org.create_leads(3);
    let last = service.until_committed(&org);
    let page = service.get("/metrics").as_str().unwrap_or_default().to_owned();
    let read = |kind: &str, text: &str| -> BTreeMap<String, f64> {
        serde_json::from_str(&output(&script(&programs, "read_metrics.py", &[kind], text))).expect("numbers")
    };
    let found = read("prometheus", &page);
    let of_connector = |name: &str| found.get(&format!("{name}{{connector={NAME}}}")).copied();
    let of_task = |name: &str| found.get(&format!("{name}{{connector={NAME},task=0}}")).copied();
    assert_eq!(of_task("kafka_connect_source_task_source_record_poll_total"), Some(3.0), "{page}");
    assert_eq!(of_task("kafka_connect_source_task_source_record_write_total"), Some(3.0));
    assert_eq!(of_task("kafka_connect_source_task_source_record_active_count"), Some(0.0));
    assert_eq!(of_connector("tributary_salesforce_logins_total"), Some(1.0));
    assert!(of_connector("tributary_guest_memory_bytes").is_some_and(|bytes| bytes > 65_536.0), "{page}");
    assert!(of_connector("tributary_salesforce_api_requests_left").is_some_and(|left| left > 0.0), "{page}");
    let batches = of_connector("tributary_added_latency_seconds_count");
    assert!(batches.is_some_and(|batches| (1.0..=3.0).contains(&batches)), "{page}");
    assert_eq!(
        found.get(&format!("tributary_committed_offset{{connector={NAME},field=replayId}}")),
        Some(&number(last))
    );

    let (path, body) = collect(&listener);
    assert_eq!(path, "/v1/metrics");
    let sent = read("otlp", &body);
    let resource = sent.keys().find(|key| key.starts_with("resource{")).cloned().unwrap_or_default();
    assert!(resource.contains("service.name=tributary") && resource.contains("team=a b"), "{resource}");
    let key = format!("tributary_salesforce_logins_total{{connector={NAME}}}");
    assert_eq!(sent.get(&key), Some(&1.0), "{sent:?}");
    // Two formats of one page: every series of the one is in the other, but for what began in between.
    let names = |all: &BTreeMap<String, f64>| -> Vec<String> {
        let plain = |key: &&String| !key.starts_with("resource{") && !key.contains("_latency_");
        all.keys().filter(plain).cloned().collect()
    };
    let missing: Vec<String> = names(&sent).into_iter().filter(|key| !found.contains_key(key)).collect();
    assert!(missing.is_empty(), "{missing:?}\n{page}");
    service.expect("DELETE", &crate::serve::of(""), &NOTHING, 204);
    let gone: Value = service.get("/metrics");
    assert!(!gone.as_str().unwrap_or_default().contains("kafka_connect_connector_status{"), "{gone}");
    assert_eq!(service.get("/connectors"), json!([]));
    service.run.terminate().0.expect_code(0);
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn number(count: u64) -> f64 {
    count as f64
}
