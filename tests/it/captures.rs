//! The lives of some connectors as a Kafka Connect 4.3.1 worker answered them, request by request: our service gives the same
//! status, the same keys and types, the same states and the same messages, except where a row below says why not. Left out are
//! requests for names with an encoded slash or control character, which Kafka Connect's server refuses and ours takes.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use crate::{http, org::Org, process::PATIENCE, scene::Scene, serve::Service};

/// One request on each line: a number, the request, the answer. In a configuration `@` stands for a good one; of answers that
/// hold configurations these are left out, and of messages those that name settings of the capture's own connector.
const CAPTURES: &str = include_str!("../golden/connect-rest-life.jsonl");

/// Numbers of the requests that are answered differently here, with our status, and why.
const DIFFERENT: &[(u64, u16, &str)] = &[
    (165, 400, "the message says more"),
    (192, 200, "a comma stands between two words, as Confluent's tools write them"),
    (256, 400, "another name in the configuration would be a connector that contradicts itself"),
    (301, 405, "workers have nothing to tell each other here"),
    (302, 404, "workers have nothing to tell each other here"),
    (303, 404, "workers have nothing to tell each other here"),
    (315, 404, "a stopped connector has no task; no leader has to be waited for"),
    (340, 400, "no replay id is a fraction, which the component knows"),
];

/// Texts that are compared; others are this worker's own.
const TEXTS: [&str; 5] = ["message", "name", "state", "type", "connector"];

/// Whether an answer is like the one that was captured.
fn alike(key: &str, expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        // What tools make of the rest depends on it.
        (Value::Object(expected), Value::Object(found)) if key == "server" => {
            expected.keys().eq(found.keys()) && expected["version"] == found["version"]
        }
        (Value::Object(expected), Value::Object(found)) if key == "config" => expected.len() <= found.len(),
        (Value::Object(expected), Value::Object(found)) => {
            let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            names(expected) == names(found) && expected.iter().all(|(name, value)| alike(name, value, &found[name]))
        }
        // Topics and offsets depend on events, of which there are none.
        (Value::Array(_), Value::Array(found)) if matches!(key, "topics" | "offsets") && found.is_empty() => true,
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().all(|one| found.iter().any(|other| alike(key, one, other)))
        }
        (Value::String(expected), Value::String(found)) => {
            expected == found || !(TEXTS.contains(&key) || key.is_empty())
        }
        (Value::Number(_), Value::Number(_)) => true,
        (expected, found) => expected == found,
    }
}

/// The configuration of a request, with a good one in the place of `@`.
fn filled(body: &Value, scene: &Scene) -> Value {
    match body {
        Value::Object(fields) if fields.contains_key("@") => {
            let mut config = scene.config();
            config.as_object_mut().expect("it is an object").remove("name");
            for (name, value) in fields.iter().filter(|(name, _)| *name != "@") {
                config[name.as_str()] = value.clone();
            }
            config
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), filled(value, scene))).collect(),
        other => other.clone(),
    }
}

#[test]
fn connectors_live_as_in_kafka_connect() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").worker("tributary.rest.requests.per.second.max", "0");
    let service = Service::start(&scene);
    let mut wrong = Vec::new();
    for line in CAPTURES.lines() {
        let capture: Value = serde_json::from_str(line).expect("a capture is JSON");
        let text = |name: &str| capture[name].as_str().unwrap_or_default();
        let (method, path) = (text("method"), text("path"));
        let body = match &capture["body"] {
            Value::Null => String::new(),
            Value::String(raw) => raw.clone(),
            body => filled(body, &scene).to_string(),
        };
        let number = capture["n"].as_u64().unwrap_or_default();
        let captured = capture["status"].as_u64().unwrap_or_default();
        let different = DIFFERENT.iter().find(|(of, ..)| *of == number);
        let expected = match different {
            Some((_, status, _)) => u64::from(*status),
            // What cannot be read is the asker's mistake.
            None if captured == 500 => 400,
            None => captured,
        };
        let whole = match (method, path) {
            ("GET", path) if path.ends_with("/config") && captured == 200 => "config",
            ("GET", "/") => "server",
            _ => "",
        };
        let deadline = Instant::now() + if method == "GET" { PATIENCE / 30 } else { Duration::ZERO };
        loop {
            let answer = http::ask_with(service.port, method, path, capture["content_type"].as_str(), &body);
            let (status, answer) = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            let found: Value = serde_json::from_str(&answer).unwrap_or_default();
            let is = u64::from(status) == expected
                && (different.is_some()
                    || capture["answer"].is_null()
                    || alike(whole, &capture["answer"], &found)
                    || (captured != 200 && capture["answer"]["message"].is_null()));
            if is {
                break;
            }
            if Instant::now() >= deadline {
                wrong.push(format!("{line}\n  {status} {answer}"));
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
    service.run.terminate().0.expect_code(0);
}
