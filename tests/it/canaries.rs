//! Secrets planted in every property that can hold one, searched in all that any command prints (fault card, F43).

use std::fs;

use serde_json::{Map, Value, json};

use crate::{
    broker::free_port,
    process::{self, PATIENCE, Tributary},
};

/// What is planted: this and the property's name.
const CANARY: &str = "cnr7Q";

/// Properties of the host, of other parties and of nobody that may hold a secret.
const MORE: &[&str] = &[
    "kafka.api.key",
    "kafka.api.secret",
    "producer.override.sasl.jaas.config",
    "producer.override.ssl.key.password",
    "producer.override.ssl.keystore.key",
    "confluent.license",
    "confluent.topic.sasl.jaas.config",
    "confluent.topic.ssl.keystore.password",
    "value.converter.basic.auth.user.info",
    "value.converter.schema.registry.ssl.key.password",
    "salesforce.pasword",
    "salesforce.consumer.scret",
    "some.other.token",
    "a.note",
];

fn component() -> String {
    process::component().to_string_lossy().into_owned()
}

/// The properties that the component calls passwords.
fn passwords() -> Vec<String> {
    let described = Tributary::run(&["describe", "--json", "--component", &component()]);
    described.expect_code(0);
    let description: Value = serde_json::from_str(&described.stdout).expect("JSON");
    let config = description["config"].as_array().expect("settings");
    let passwords = config.iter().filter(|setting| setting["type"] == "PASSWORD");
    passwords.filter_map(|setting| setting["name"].as_str().map(|name| name.replace('*', ""))).collect()
}

fn planted(changes: &[(&str, Value)]) -> Map<String, Value> {
    let mut config: Map<String, Value> = passwords()
        .iter()
        .map(String::as_str)
        .chain(MORE.iter().copied())
        .map(|name| (name.to_owned(), format!("{CANARY}-{name}").into()))
        .collect();
    let known = json!({
        "name": "canaries",
        "connector.class": "SalesforcePushTopicSource",
        "kafka.topic": "canaries",
        "salesforce.grant.type": "PASSWORD",
        "salesforce.username": "u@example.com",
        "salesforce.instance": format!("http://127.0.0.1:{}", free_port()),
        "salesforce.object": "Lead",
        "salesforce.push.topic.name": "Canaries",
        "request.max.retries.time.ms": 1_000,
        "curl.logging": true,
    });
    config.extend(known.as_object().cloned().unwrap_or_default());
    config.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    config
}

#[test]
fn no_command_shows_a_secret() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (connector, worker) = (folder.path().join("c.json"), folder.path().join("w.properties"));
    let data = folder.path().join("data");
    let text = format!("tributary.network.allow=http://127.0.0.1:*\ntributary.data.dir={}\n", data.display());
    fs::write(&worker, text).expect("the folder is ours");
    let variants: [&[(&str, Value)]; 4] = [
        &[],
        &[("salesforce.object", "".into()), ("connection.timeout", "soon".into()), ("tasks.max", 9.into())],
        &[("salesforce.password", json!({"canary": format!("{CANARY}-in-an-object")}))],
        &[("connector.class", "Other".into())],
    ];
    let (component, worker, file) = (component(), worker.to_string_lossy(), connector.to_string_lossy().into_owned());
    let commands: [&[&str]; 4] = [
        &["validate"],
        &["validate", "--json"],
        &["run", "--log-level", "trace"],
        &["run", "--log-level", "trace", "--log-format", "json"],
    ];
    let mut said = 0;
    for changes in variants {
        fs::write(&connector, Value::Object(planted(changes)).to_string()).expect("the folder is ours");
        for command in commands {
            let arguments = [command, &["--component", &component, "--worker", &worker, &file]].concat();
            let finished = Tributary::start(&arguments).wait(PATIENCE);
            let output = format!("{}{}", finished.stdout, finished.stderr);
            assert!(!output.contains(CANARY), "{command:?} {changes:?}\n{output}");
            assert!(!output.contains("panicked"), "{output}");
            said += usize::from(output.contains("salesforce.pasword"));
        }
    }
    assert!(said >= 8, "the configurations were read: {said}");
    for arguments in [&["describe"][..], &["describe", "--json"], &["describe", "--markdown"]] {
        let finished = Tributary::run(&[arguments, &["--component", &component]].concat());
        assert!(!finished.stdout.contains(CANARY) && finished.code == Some(0), "{}", finished.stderr);
    }
}
