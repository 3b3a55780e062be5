//! Transforms in the real component in the real host: on the embedded log, on Kafka, and by `tributary transform`.

use std::fs;

use serde_json::Value;

use crate::{
    broker::Broker,
    consumer::read_all,
    org::Org,
    process::{PATIENCE, Tributary},
    scene::{NAME, PUSH_TOPIC, Scene},
};

/// A chain as people write it: a route, a field, fewer fields, a key of its own.
fn chained(scene: Scene) -> Scene {
    scene
        .with("tributary.headers.enable", "true")
        .with("transforms", "route,where,few,key,flat")
        .with("transforms.route.type", "org.apache.kafka.connect.transforms.RegexRouter")
        .with("transforms.route.regex", "(.*)")
        .with("transforms.route.replacement", "routed-$1")
        .with("transforms.where.type", "org.apache.kafka.connect.transforms.InsertField$Value")
        .with("transforms.where.static.field", "source")
        .with("transforms.where.static.value", "crm")
        .with("transforms.few.type", "org.apache.kafka.connect.transforms.ReplaceField$Value")
        .with("transforms.few.include", "Id,Name,_EventType,source")
        .with("transforms.few.renames", "Name:FullName")
        .with("transforms.key.type", "org.apache.kafka.connect.transforms.ValueToKey")
        .with("transforms.key.fields", "Id")
        .with("transforms.flat.type", "org.apache.kafka.connect.transforms.ExtractField$Key")
        .with("transforms.flat.field", "Id")
}

/// Drops every record.
fn dropping(scene: Scene) -> Scene {
    scene.with("transforms", "none").with("transforms.none.type", "Filter")
}

#[test]
fn a_chain_works_in_the_component() {
    let org = Org::start();
    let scene = chained(Scene::new(&org, "leads"));
    let run = scene.run_until_subscribed();
    let ids = org.create_leads(3);
    let records = scene.tail("routed-leads", 3);
    run.terminate().0.expect_code(0);
    for (record, id) in records.iter().zip(&ids) {
        assert_eq!(record.key.as_deref(), Some(format!("\"{id}\"").as_str()));
        let value: Value = serde_json::from_str(record.value.as_deref().expect("a value")).expect("JSON");
        let names: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(names.len(), 4, "{value}");
        assert_eq!(
            (&value["Id"], &value["source"], &value["_EventType"]),
            (&id.as_str().into(), &"crm".into(), &"created".into())
        );
        for name in ["tributary.replayId", "tributary.createdDate", "tributary.eventType"] {
            assert!(record.headers.contains(name), "{}", record.headers);
        }
    }
}

#[test]
fn a_filter_that_drops_everything_still_moves_the_offset() {
    let org = Org::start();
    let scene = dropping(Scene::new(&org, "leads"));
    let run = scene.run_until_subscribed();
    org.create_leads(5);
    let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
    run.expect_line(&[&format!("{{\"replayId\":{last}}}")]);
    run.terminate().0.expect_code(0);
    assert_eq!(scene.log("leads").len(), 0);
    // The next run has nothing to read again.
    let run = scene.run_until_subscribed();
    run.expect_line(&["subscribed", &last.to_string()]);
    run.terminate().0.expect_code(0);
}

#[test]
fn a_filter_moves_the_offset_on_kafka_too() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("it-filter");
    let scene = dropping(Scene::new(&org, "it-filter"))
        .worker("bootstrap.servers", &broker.address())
        .worker("group.id", "it-filter")
        .worker("offset.storage.topic", "it-filter-offsets")
        .worker("offset.storage.partitions", "1")
        .worker("offset.storage.replication.factor", "1")
        .worker("offset.flush.interval.ms", "1000");
    let run = scene.run_until_subscribed();
    org.create_leads(5);
    let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
    run.expect_line(&[&format!("{{\"replayId\":{last}}}")]);
    run.terminate().0.expect_code(0);
    assert_eq!(read_all(broker, "it-filter").len(), 0);
    // What the source keeps beside an offset has a key of its own.
    let mut stored = read_all(broker, "it-filter-offsets").into_iter().filter_map(|record| record.value);
    let stored = stored.rfind(|value| value.contains("replayId"));
    assert_eq!(stored, Some(format!("{{\"replayId\":{last}}}")));
}

#[test]
fn a_route_to_a_topic_that_is_not_there_fails_by_name_before_the_offset_moves() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("it-routes");
    let scene = chained(Scene::new(&org, "it-routes"))
        .worker("bootstrap.servers", &broker.address())
        .worker("group.id", "it-routes")
        .worker("offset.storage.topic", "it-routes-offsets")
        .worker("offset.storage.partitions", "1")
        .worker("offset.storage.replication.factor", "1");
    let run = scene.run_until_subscribed();
    org.create_leads(2);
    let finished = run.wait(PATIENCE);
    finished.expect_code(1).expect_said(&["FAILED", NAME, "routed-it-routes", "does not exist"]);
    assert_eq!(read_all(broker, "it-routes-offsets").len(), 0);
}

#[test]
fn transform_shows_what_a_configuration_makes_of_events() {
    let org = Org::start();
    let scene = chained(Scene::new(&org, "leads"))
        .with("transforms", "open,route,few")
        .with("transforms.open.type", "io.confluent.connect.transforms.Filter$Value")
        .with("transforms.open.filter.type", "include")
        .with("transforms.open.filter.condition", "$[?(@.Status == 'Open')]");
    let event = |id: u32, status: &str| {
        format!(
            r#"{{"event":{{"replayId":{id},"createdDate":"2023-11-14T22:30:05.000Z","type":"created"}},"sobject":{{"Id":"00Q{id}","Name":"Ada","Status":"{status}"}}}}"#
        )
    };
    let events = scene.path("events.jsonl");
    fs::write(&events, format!("{}\n\n{}\nnot an event\n", event(1, "Open"), event(2, "Closed")))
        .expect("the folder is ours");
    let finished = scene.transform(&events);
    finished.expect_code(1).expect_said(&["line 3: dropped", "line 4: The event cannot be read"]);
    let lines: Vec<Value> = finished.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 1, "{}", finished.stdout);
    assert_eq!(lines[0]["topic"], "routed-leads");
    assert_eq!(lines[0]["value"], r#"{"Id":"00Q1","FullName":"Ada","_EventType":"created"}"#);
    assert_eq!(org.logins(), 0, "no org is asked");

    let finished = scene.with("transforms.route.regex", "(?=x)").transform(&events);
    finished.expect_code(2).expect_said(&["transforms.route.regex", "lookahead"]);
    let finished = Tributary::run(&["transform"]);
    finished.expect_code(2).expect_said(&["--config"]);
}
