//! Components that misbehave, in the real sandbox: what is refused at the door, and what ends an instance. The guests
//! are made in `testing`.

use std::time::Duration;

use tokio::sync::watch;

use super::{Cache, CallError, Component, FailureKind, Instance, InstanceParts, Source};
use crate::{
    sink::Backend,
    telemetry::Telemetry,
    testing::{FAIL, Guest, LOOP, Memory, SEND, engine, load, sent_offset},
};

fn questions() -> InstanceParts {
    InstanceParts::for_questions(Telemetry::default(), vec![])
}

#[tokio::test]
async fn a_sound_component_answers_every_call() {
    let engine = engine();
    let component = Guest::default().component(&engine);
    let mut instance = Instance::new(&component, questions()).await.map_err(|(trapped, _)| trapped).expect("it starts");
    assert_eq!(instance.describe().await.map(|description| description.classes), Ok(vec![]));
    assert_eq!(instance.validate(&[("a".to_owned(), "b".to_owned())]).await, Ok(vec![]));
    assert_eq!(instance.validate_offset(&Default::default(), Some(&sent_offset())).await, Ok(Ok(())));
    assert_eq!(instance.configure(&[], Some(&sent_offset())).await, Ok(()));
    assert_eq!(instance.poll(Duration::from_millis(1)).await.map(|progress| progress.sent), Ok(0));
    assert_eq!(instance.commit_offset(&sent_offset()).await, Ok(()));
    assert_eq!(instance.close(Duration::from_millis(1)).await, Ok(()));
}

#[tokio::test]
async fn records_go_to_the_sink_and_offsets_come_back() {
    let engine = engine();
    let component = Guest { poll: SEND, ..Guest::default() }.component(&engine);
    let memory = Memory::default();
    let opened = memory.open(&crate::worker::test_connector(), &std::sync::Arc::default()).await.expect("memory opens");
    let (_keep, stop) = watch::channel(false);
    let parts = InstanceParts { sink: Some(opened.sink), stop, ..questions() };
    let mut instance = Instance::new(&component, parts).await.map_err(|(trapped, _)| trapped).expect("it starts");
    let progress = instance.poll(Duration::from_millis(1)).await.expect("it polls");
    assert_eq!((progress.sent, progress.offset), (1, Some(sent_offset())));
    let seen = memory.seen.lock().expect("nobody panicked");
    assert_eq!(seen.records.len(), 1);
    assert_eq!((seen.records[0].topic.as_str(), seen.records[0].value.as_deref()), ("topic", Some(&b"topic"[..])));
    assert_eq!((&seen.records[0].key, seen.records[0].partition, seen.records[0].timestamp_ms), (&None, None, None));
}

#[tokio::test]
async fn a_failure_is_told_with_its_kind() {
    let engine = engine();
    let component = Guest { poll: FAIL, ..Guest::default() }.component(&engine);
    let mut instance = Instance::new(&component, questions()).await.map_err(|(trapped, _)| trapped).expect("it starts");
    match instance.poll(Duration::from_millis(1)).await {
        Err(CallError::Failure(failure)) => {
            assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Auth, "topic"));
            assert_eq!(failure.retry_after_ms, None);
        }
        other => panic!("{other:?}"),
    }
    // After a failure the instance may still say goodbye.
    assert_eq!(instance.close(Duration::from_millis(1)).await, Ok(()));
}

/// Polls a guest, which must trap with `reason`, and must not be usable afterwards.
async fn check(poll: &'static str, reason: &str) {
    let engine = engine();
    let component = Guest { poll, ..Guest::default() }.component(&engine);
    let mut instance = Instance::new(&component, questions()).await.map_err(|(trapped, _)| trapped).expect("it starts");
    let trapped = match instance.poll(Duration::from_millis(1)).await {
        Err(CallError::Trapped(trapped)) => trapped.to_string(),
        other => panic!("{poll}: {other:?}"),
    };
    assert!(trapped.contains(reason), "{poll}: {trapped}");
    assert!(instance.close(Duration::from_millis(1)).await.is_err(), "an instance that trapped is not used again");
}

#[tokio::test]
async fn what_a_guest_must_not_do_ends_its_instance() {
    check("unreachable", "wasm `unreachable` instruction executed").await;
    check("(i32.load (i32.const -4)) drop", "out of bounds memory access").await;
    check("(i32.div_u (i32.const 1) (i32.const 0)) drop", "integer divide by zero").await;
    // Memory up to the bound (16 pages, of which 2 are in use) is given, and not a page more.
    check(
        "(if (i32.eq (memory.grow (i32.const 14)) (i32.const -1)) (then (loop $l (br $l)))) unreachable",
        "wasm `unreachable`",
    )
    .await;
    check(
        "(if (i32.eq (memory.grow (i32.const 15)) (i32.const -1)) (then unreachable))",
        "tributary.instance.memory.max.bytes is 1048576",
    )
    .await;
    // A result outside of its memory, a call of an import with a list outside of its memory.
    check("(return (i32.const -8))", "trapped").await;
    check("(call $send (i32.const -8) (i32.const 1000) (i32.const 6000))", "trapped").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_leaves_room_for_others_and_can_be_dropped() {
    let engine = engine();
    let component = Guest { poll: LOOP, ..Guest::default() }.component(&engine);
    let mut looping = Vec::new();
    for _ in 0..3 {
        let mut instance =
            Instance::new(&component, questions()).await.map_err(|(trapped, _)| trapped).expect("it starts");
        looping.push(tokio::spawn(async move { instance.poll(Duration::from_millis(1)).await.map(|_| ()) }));
    }
    // Three loops on two threads; a task that only waits must still get its turns.
    for _ in 0..20 {
        let turn = tokio::time::timeout(Duration::from_secs(2), tokio::time::sleep(Duration::from_millis(5)));
        assert!(turn.await.is_ok(), "a neighbour was starved");
    }
    for task in looping {
        task.abort();
        let ended = tokio::time::timeout(Duration::from_secs(2), task).await.expect("a loop can be cancelled");
        assert!(ended.is_err_and(|error| error.is_cancelled()));
    }
}

#[tokio::test]
async fn an_instance_whose_call_was_dropped_is_dead() {
    let engine = engine();
    let component = Guest { poll: LOOP, ..Guest::default() }.component(&engine);
    let mut instance = Instance::new(&component, questions()).await.map_err(|(trapped, _)| trapped).expect("it starts");
    let dropped = tokio::time::timeout(Duration::from_millis(60), instance.poll(Duration::from_millis(1))).await;
    assert!(dropped.is_err());
    assert!(instance.describe().await.is_err());
}

/// A component that must be refused with `text`.
fn check_refused(wasm: &[u8], text: &str) {
    let message = load(&engine(), wasm).expect_err("it is refused").to_string();
    assert!(message.contains(text), "{message}");
}

#[test]
fn a_component_of_another_kind_is_refused_by_what_is_wrong_with_it() {
    let parse = |text: &str| wat::parse_str(text).expect("the text is sound");
    check_refused(&parse("(component)"), "does not export tributary:connector/source@0.1.0");
    check_refused(&parse("(module)"), "a core WebAssembly module");
    check_refused(b"<html>", "not WebAssembly at all");
    let mut damaged = Guest::default().wasm();
    damaged.truncate(damaged.len() / 2);
    check_refused(&damaged, "cannot be used");
    let other = Guest::default()
        .wasm_of(|world| *world = world.replace("tributary:connector@0.1.0", "tributary:connector@0.7.0"));
    check_refused(&other, "was built for tributary:connector/source@0.7.0, and this tributary runs");
    let foreign = r#"(component
        (import "wasi:cli/environment@0.2.1" (instance))
        (instance $source) (export "tributary:connector/source@0.1.0" (instance $source)))"#;
    check_refused(&parse(foreign), "imports wasi:cli/environment@0.2.1, which this host gives to no component");
    let hollow = r#"(component (instance $source) (export "tributary:connector/source@0.1.0" (instance $source)))"#;
    check_refused(&parse(hollow), "cannot be used");
}

#[test]
fn a_component_is_compiled_once() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("guest.wasm");
    std::fs::write(&file, Guest::default().wasm()).expect("a temporary file can be written");
    let (engine, cache) = (engine(), Cache::in_directory(directory.path().join("cache")));
    let compiled = || {
        let telemetry = Telemetry::default();
        Component::load(&engine, &Source::File(file.clone()), &cache, &telemetry).expect("it loads");
        telemetry.metrics.snapshot()
    };
    compiled();
    let entries = std::fs::read_dir(directory.path().join("cache")).expect("the cache is there").count();
    compiled();
    let after = std::fs::read_dir(directory.path().join("cache")).expect("the cache is there").count();
    assert_eq!((entries, after), (2, 2), "a compiled file and its checksum");
}

#[tokio::test]
async fn there_is_no_room_for_more_instances_than_were_planned() {
    let engine = engine();
    let component = Guest::default().component(&engine);
    let mut instances = Vec::new();
    for _ in 0..4 {
        instances.push(Instance::new(&component, questions()).await.map_err(|(trapped, _)| trapped).expect("room"));
    }
    let full = Instance::new(&component, questions()).await.map(|_| ()).map_err(|(trapped, _)| trapped.to_string());
    assert!(full.as_ref().is_err_and(|error| error.contains("maximum concurrent")), "{full:?}");
    instances.pop();
    assert!(Instance::new(&component, questions()).await.is_ok());
    drop(instances);
}
