//! AVRO, JSON_SR and PROTOBUF, with a real schema registry, read back by deserializers that we did not write.

use salesforce_simulator::{Change, Operation};

use crate::{
    broker::{Broker, free_port},
    consumer::{parse_all, read_all},
    judge::judge,
    kafka::{self, until_committed},
    org::Org,
    process::PATIENCE,
    registry::Registry,
    scene::{PUSH_TOPIC, Scene},
};

const URL: &str = "value.converter.schema.registry.url";

fn scene(org: &Org, broker: &Broker, registry: &str, topic: &str) -> Scene {
    broker.create_topic(topic);
    kafka::scene(org, broker, topic).with(URL, registry)
}

/// Leads that are created, changed and deleted: full values, nulls, and values of the Id alone.
fn changes(org: &Org) {
    let ids = org.create_leads(30);
    for (n, id) in ids.iter().enumerate() {
        let operation = if n % 3 == 0 { Operation::Deleted } else { Operation::Updated };
        org.change(Change::of("Lead", operation, id));
    }
}

#[test]
fn each_format_is_read_by_foreign_deserializers() {
    let (Some(broker), Some(registry)) = (Broker::shared(), Registry::shared()) else { return };
    let avro_key = "io.confluent.connect.avro.AvroConverter";
    type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);
    let rows: [Row<'_>; 5] = [
        ("fmt-avro", "json", "avro", &[("output.data.format", "AVRO")]),
        (
            "fmt-avro-keys",
            "avro",
            "avro",
            &[
                ("output.data.format", "AVRO"),
                ("key.converter", avro_key),
                ("key.converter.schema.registry.url", ""),
                ("value.converter.value.subject.name.strategy", "TopicRecordNameStrategy"),
            ],
        ),
        ("fmt-json-sr", "json", "json_sr", &[("output.data.format", "JSON_SR")]),
        (
            "fmt-proto-optional",
            "json",
            "protobuf",
            &[("output.data.format", "PROTOBUF"), ("value.converter.optional.for.nullables", "true")],
        ),
        (
            "fmt-proto-wrapper",
            "json",
            "protobuf",
            &[("output.data.format", "PROTOBUF"), ("value.converter.wrapper.for.nullables", "true")],
        ),
    ];
    for (topic, key, value, settings) in rows {
        let org = Org::start();
        let mut scene = scene(&org, broker, &registry.url(), topic);
        for (name, text) in settings {
            let text = if name.ends_with("registry.url") { registry.url() } else { (*text).to_owned() };
            scene = scene.with(name, &text);
        }
        let run = scene.run_until_subscribed();
        changes(&org);
        until_committed(&run, &org);
        run.terminate().0.expect_code(0);
        let records = parse_all(&registry.decoded(broker, topic, key, value));
        judge(&org.expected(PUSH_TOPIC, "Lead"), &records).expect_exact();
        if topic == "fmt-avro" {
            let (schema, records) = registry.read_by_connect(broker, topic);
            judge(&org.expected(PUSH_TOPIC, "Lead"), &parse_all(&records)).expect_exact();
            for part in [
                "io.confluent.salesforce.Lead Id=STRING ",
                " NumberOfEmployees=INT32 ",
                " Address=io.confluent.salesforce.Address ",
                " CreatedDate=org.apache.kafka.connect.data.Timestamp ",
                " ConvertedDate=org.apache.kafka.connect.data.Date ",
            ] {
                assert!(schema.contains(part), "{part} is not in {schema}");
            }
        }
    }
    for subject in ["fmt-avro-value", "fmt-avro-keys-key", "fmt-json-sr-value", "fmt-proto-wrapper-value"] {
        assert!(registry.has(subject), "{subject} was not registered");
    }
    assert!(!registry.has("fmt-avro-key"), "a key in JSON has no schema");
    assert!(!registry.has("fmt-avro-keys-value"), "the strategy names another subject");
}

/// A registry that comes later costs time and nothing else.
#[test]
fn a_registry_that_is_away_is_waited_for() {
    let (Some(broker), Some(_)) = (Broker::shared(), Registry::shared()) else { return };
    let (org, port) = (Org::start(), free_port());
    let scene = scene(&org, broker, &format!("http://127.0.0.1:{port}/apis/ccompat/v7"), "fmt-away")
        .with("output.data.format", "AVRO")
        .with("value.converter.max.retries", "1000")
        .with("value.converter.retries.max.wait.ms", "500");
    let run = scene.run_until_subscribed();
    changes(&org);
    run.expect_line(&["registry-away"]);
    let registry = Registry::start_on(port).expect("the shared one started too");
    until_committed(&run, &org);
    run.terminate().0.expect_code(0);
    let records = parse_all(&registry.decoded(broker, "fmt-away", "json", "avro"));
    judge(&org.expected(PUSH_TOPIC, "Lead"), &records).expect_exact();
}

/// What the registry refuses ends the task with its words, before the offset moves and without a record in part.
#[test]
fn what_the_registry_refuses_ends_the_task_before_the_offset_moves() {
    let (Some(broker), Some(registry)) = (Broker::shared(), Registry::shared()) else { return };
    let other = r#"{"type":"record","name":"Other","fields":[{"name":"Id","type":"int"}]}"#;
    let other = serde_json::json!({ "schema": other }).to_string();
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let rows: [Row<'_>; 3] = [
        ("fmt-incompatible", &[], &["version 1 of fmt-incompatible-value", "Incompatible artifact"]),
        ("fmt-unregistered", &[("value.converter.auto.register.schemas", "false")], &["fmt-unregistered-value"]),
        (
            "fmt-latest",
            &[("value.converter.auto.register.schemas", "false"), ("value.converter.use.latest.version", "true")],
            &["fmt-latest-value"],
        ),
    ];
    for (topic, settings, words) in rows {
        let subject = format!("{topic}-value");
        if topic != "fmt-unregistered" {
            registry.ask("POST", &format!("/subjects/{subject}/versions"), &other);
            registry.ask("PUT", &format!("/config/{subject}"), r#"{"compatibility":"FULL"}"#);
        }
        let org = Org::start();
        let mut scene = scene(&org, broker, &registry.url(), topic).with("output.data.format", "AVRO");
        for (name, text) in settings {
            scene = scene.with(name, text);
        }
        let run = scene.run_until_subscribed();
        org.create_leads(3);
        let finished = run.wait(PATIENCE);
        finished.expect_code(1).expect_said(words);
        assert!(!finished.stderr.contains("committed {"), "{}", finished.stderr);
        assert!(read_all(broker, topic).is_empty(), "{topic}: records went out");
    }
}
