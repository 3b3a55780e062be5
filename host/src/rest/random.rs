//! Property tests of reading a connector file: whatever it holds, it is answered, about names that exist, without secrets.

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::config_infos::ConfigInfos;
use crate::config::{ConnectorConfig, WorkerConfig, is_secret_name, keys};

/// What no output may hold.
const CANARY: &str = "canary7f3a";

fn name() -> impl Strategy<Value = String> {
    let known: Vec<&str> = keys::KEYS.iter().map(|key| key.name).collect();
    let members = [
        "topic.creation.default.partitions",
        "topic.creation.default.replication.factor",
        "topic.creation.a.include",
        "producer.override.linger.ms",
        "producer.override.sasl.jaas.config",
        "transforms.a.type",
        "some.password",
    ];
    prop_oneof![
        6 => proptest::sample::select(known).prop_map(|name| name.replace('*', "x")),
        4 => proptest::sample::select(members.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        " ",
        "1",
        "-1",
        "1.5",
        "true",
        "none",
        "all",
        "required",
        "interval",
        "n\n",
        "${env:",
        "${env:NO_SUCH}",
        "${file:/nowhere:x}",
        "${dir:a}",
        "${x:y:z}",
        "$",
        "[",
        "(",
        "a,b,a",
        "default",
        "2147483648",
        "KAFKA_API_KEY",
        "http://u:p@h",
        "\u{0}",
        "ÄÖ",
    ];
    prop_oneof![
        6 => proptest::sample::select(texts.to_vec()).prop_map(Value::from),
        1 => "\\PC{0,90}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!({"a": [1]})),
        1 => Just(json!([CANARY])),
    ]
}

fn file(members: Vec<(String, Value)>, wrapped: bool, cut: usize) -> Vec<u8> {
    let members: Map<String, Value> = members
        .into_iter()
        .map(|(name, value)| {
            let secret = is_secret_name(&name) && value.is_string();
            let planted = Value::from(format!("{}{CANARY}", value.as_str().unwrap_or_default()));
            (name, if secret { planted } else { value })
        })
        .collect();
    let text = if wrapped { json!({"name": "n", "config": members}) } else { Value::Object(members) }.to_string();
    let end = text.len().saturating_sub(cut);
    text.as_bytes()[..end].to_vec()
}

proptest! {
    // Bounded, so that the whole takes a few seconds on a slow machine.
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_file_holds_is_answered(
        members in proptest::collection::vec((name(), value()), 0..20),
        wrapped: bool,
        // Mostly whole, sometimes cut short.
        cut in prop_oneof![9 => Just(0_usize), 1 => 0_usize..200],
        properties in prop_oneof![9 => Just(false), 1 => Just(true)],
    ) {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(if properties { "c.properties" } else { "c.json" });
        let names: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
        fs::write(&path, file(members, wrapped, cut))?;
        match ConnectorConfig::read(&path, &WorkerConfig::default()) {
            Err(error) => prop_assert!(!error.to_string().contains(CANARY), "{error}"),
            Ok((connector, findings)) => {
                for finding in findings.iter() {
                    let property = finding.property.as_str();
                    let given = || names.iter().any(|name| name == property) || properties;
                    prop_assert!(keys::find(property).is_some() || given(), "{finding:?} is about nothing");
                    prop_assert!(!finding.reason.is_empty(), "{finding:?}");
                }
                let infos = ConfigInfos::new(&connector, None, &[], &findings);
                prop_assert_eq!(infos.error_count > 0, findings.has_errors());
                let said: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
                let everything = format!("{connector:?}{said}{}", serde_json::to_string(&infos).unwrap_or_default());
                prop_assert!(properties || !everything.contains(CANARY), "{everything}");
            }
        }
    }
}
