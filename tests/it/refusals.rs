//! What a person gets wrong: each ends with a sentence that names the cause and the remedy, and with the exit code that
//! scripts rely on; no panic, no hang.

use std::fs;

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::{
    broker::free_port,
    org::{self, Org},
    process::{self, PATIENCE, Tributary},
    scene::{PUSH_TOPIC, Scene},
};

/// A run that must fail: what is wrong, and what must be said.
type Row = (&'static str, fn(Scene) -> Scene, &'static [&'static str]);

/// Refused by the org, or on the way to it: the connector FAILS, and with it the only thing that `run` does.
const FAILED: &[Row] = &[
    (
        "a wrong password",
        |scene| scene.with("salesforce.password", org::WRONG_PASSWORD),
        &["invalid_grant", "salesforce.password"],
    ),
    (
        "a wrong consumer key",
        |scene| scene.with("salesforce.consumer.key", "3MVG9.no.such.key"),
        &["invalid_client_id", "salesforce.consumer.key"],
    ),
    ("an unknown object", |scene| scene.with("salesforce.object", "Nothing__c"), &["Nothing__c", "salesforce.object"]),
    (
        "a PushTopic that nobody made",
        |scene| scene.with("salesforce.push.topic.create", "false"),
        &[PUSH_TOPIC, "salesforce.push.topic.create"],
    ),
    (
        "a host that nobody serves",
        |scene| {
            let nobody = format!("http://127.0.0.1:{}", free_port());
            scene.with("salesforce.instance", &nobody).with("salesforce.auth.retries.time.ms", "1000")
        },
        &["127.0.0.1", "salesforce.instance"],
    ),
    (
        "a host that may not be reached",
        |scene| scene.worker("tributary.network.allow", "https://*.my.salesforce.com"),
        &["tributary.network.allow"],
    ),
];

#[test]
fn what_the_org_refuses_fails_with_a_sentence() {
    let org = Org::start();
    for (name, change, words) in FAILED {
        let scene = change(Scene::new(&org, "leads"));
        let finished = scene.run().wait(PATIENCE);
        assert_eq!(finished.code, Some(1), "{name}: {}", finished.stderr);
        finished.expect_said(&["FAILED"]).expect_said(words);
    }
    org.expect_no_sessions();
}

#[test]
fn a_certificate_that_nobody_vouches_for_fails_and_the_right_root_helps() {
    let org = Org::start_tls();
    let scene = Scene::new(&org, "leads")
        .worker("tributary.network.allow", "https://127.0.0.1:*")
        .with("salesforce.auth.retries.time.ms", "1000");
    let finished = scene.run().wait(PATIENCE);
    finished.expect_code(1).expect_said(&["certificate", "tributary.network.ca.file"]);

    let roots = scene.path("roots.pem");
    fs::write(&roots, org.ca_pem()).expect("the folder is ours");
    let scene = scene.worker("tributary.network.ca.file", &roots.to_string_lossy());
    let run = scene.run_until_subscribed();
    org.create_leads(3);
    scene.tail("leads", 3);
    run.terminate().0.expect_code(0);
}

/// Found before anything is started: exit 2, every finding at once.
const UNSTARTED: &[Row] = &[
    (
        "several wrong properties",
        |scene| {
            scene
                .with("salesforce.grant.type", "PASWORD")
                .with("connection.timeout", "soon")
                .with("salesforce.push.topic.name", "ANameOfMoreThanTwentyFiveCharacters")
                .without("salesforce.object")
        },
        &[
            "salesforce.grant.type",
            "PASWORD",
            "connection.timeout",
            "soon",
            "salesforce.push.topic.name",
            "25",
            "salesforce.object",
        ],
    ),
    (
        "another connector's class",
        |scene| scene.with("connector.class", "io.example.Other"),
        &["connector.class", "io.example.Other", "SalesforcePushTopicSource"],
    ),
    (
        "a secret that is nowhere",
        |scene| scene.with("salesforce.password", "${env:TRIBUTARY_NO_SUCH_VARIABLE}"),
        &["salesforce.password", "TRIBUTARY_NO_SUCH_VARIABLE"],
    ),
    (
        "a worker file with a wrong number",
        |scene| scene.worker("offset.flush.interval.ms", "often"),
        &["offset.flush.interval.ms", "often"],
    ),
];

#[test]
fn what_is_wrong_in_the_files_is_said_at_once() {
    let org = Org::start();
    for (name, change, words) in UNSTARTED {
        let scene = change(Scene::new(&org, "leads"));
        let finished = scene.run().wait(PATIENCE);
        assert_eq!(finished.code, Some(2), "{name}: {}", finished.stderr);
        finished.expect_said(words);
    }
    assert_eq!(org.logins(), 0, "nothing was started");
}

#[test]
fn validate_tells_what_run_would_refuse() {
    let org = Org::start();
    Scene::new(&org, "leads").validate().expect_code(0);
    let finished = Scene::new(&org, "leads").with("connection.timeout", "soon").without("salesforce.object").validate();
    assert_eq!(finished.code, Some(1), "{}{}", finished.stdout, finished.stderr);
    let said = finished.stdout + &finished.stderr;
    assert!(said.contains("connection.timeout") && said.contains("salesforce.object"), "{said}");
}

#[test]
fn an_unknown_property_is_a_warning_with_the_nearest_name() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").with("salesforce.pasword.token", "x");
    let run = scene.run_until_subscribed();
    let (finished, _) = run.terminate();
    finished.expect_code(0).expect_said(&["salesforce.pasword.token", "salesforce.password.token"]);
}

#[test]
fn a_command_line_that_names_nothing_is_refused() {
    let component = process::component().to_string_lossy().into_owned();
    let rows: [(&[&str], &str); 4] = [
        (&["run", "--component", &component], "CONNECTOR"),
        (&["run", "--component", &component, "no-such-file.json"], "no-such-file.json"),
        (&["run", "--component", "no-such-file.wasm", "no-such-file.json"], "no-such-file"),
        (&["frobnicate"], "frobnicate"),
    ];
    for (arguments, word) in rows {
        Tributary::run(arguments).expect_code(2).expect_said(&[word]);
    }
}

/// A component of the same world, every function a trap, but of that version of the contract.
fn component_of(version: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_contract(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit").as_ref(), folder.path(), version);
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder.path()).expect("the contract is WIT");
    let world = resolve.select_world(&[package], Some("source-connector")).expect("the contract has this world");
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .expect("a module takes metadata");
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).and_then(|encoder| encoder.encode()).expect("a dummy module is complete")
}

fn copy_contract(from: &std::path::Path, to: &std::path::Path, version: &str) {
    fs::create_dir_all(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the contract is there") {
        let entry = entry.expect("a folder that was opened can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_contract(&entry.path(), &target, version);
        } else {
            let text = fs::read_to_string(entry.path()).expect("WIT is text");
            let text = text.replace("tributary:connector@0.1.0", &format!("tributary:connector@{version}"));
            fs::write(target, text).expect("the folder is ours");
        }
    }
}

#[test]
fn a_component_that_is_none_or_of_another_contract_is_refused() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads");
    let rows: [(&str, Vec<u8>, &[&str]); 4] = [
        ("text", b"hello".to_vec(), &["component"]),
        ("a module", b"\0asm\x01\0\0\0".to_vec(), &["component", "module"]),
        ("empty", Vec::new(), &["component"]),
        ("another version", component_of("0.9.0"), &["0.9.0", "0.1.0"]),
    ];
    for (name, bytes, words) in rows {
        let path = scene.path("other.wasm");
        fs::write(&path, bytes).expect("the folder is ours");
        let finished = scene.run_component(&path).wait(PATIENCE);
        assert_eq!(finished.code, Some(2), "{name}: {}", finished.stderr);
        finished.expect_said(words).expect_said(&["other.wasm"]);
    }
}
