//! Tasks with small guests (`testing`) over a sink in memory.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use super::{Summary, Task, run, test_connector};
use crate::{
    config::NetworkConfig,
    engine::{Description, Engine},
    imports::{allow_list::AllowList, http::Clients},
    sink::SinkError,
    telemetry::Telemetry,
    testing::{FAIL, Guest, LOOP, Memory, SEND, engine, sent_offset},
};

fn task(engine: &Engine, guest: Guest, telemetry: &Telemetry) -> Task {
    let clients = Clients::new(&NetworkConfig::default(), telemetry).expect("clients can be made");
    let description = Description {
        plugins: vec![],
        classes: vec!["Test".to_owned()],
        version: "1.0.0".to_owned(),
        summary: String::new(),
        network: vec![],
        config: vec![],
    };
    let (worker, allow) = (Arc::default(), AllowList::default());
    let component = guest.component(engine);
    Task { component, description, connector: test_connector(), worker, clients: Arc::new(clients), allow }
}

/// Runs a guest until `until` holds, then stops it. Returns how it ended, its state, and how long the stop took.
async fn drive(
    guest: Guest,
    memory: Arc<Memory>,
    until: impl Fn(&Memory, &Telemetry) -> bool,
) -> (Summary, String, Duration) {
    let (engine, telemetry) = (engine(), Telemetry::default());
    let task = task(&engine, guest, &telemetry);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(vec![task], memory.clone(), telemetry.clone(), stopped));
    let deadline = Instant::now() + Duration::from_secs(30);
    while !running.is_finished() && !until(&memory, &telemetry) {
        assert!(Instant::now() < deadline, "nothing happened");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let asked = Instant::now();
    // An error means that the task has ended by itself.
    let _ = stop.send(true);
    let summary = running.await.expect("the worker does not panic");
    let state = telemetry.progress.snapshot().remove("accounts").unwrap_or_default().state;
    (summary, state.to_owned(), asked.elapsed())
}

fn never(_: &Memory, _: &Telemetry) -> bool {
    false
}

fn records(memory: &Memory) -> usize {
    memory.seen.lock().expect("nobody panicked").records.len()
}

#[tokio::test]
async fn records_are_sent_committed_and_a_stop_is_clean() {
    let memory = Arc::new(Memory::default());
    let guest = Guest { poll: SEND, ..Guest::default() };
    let (summary, state, took) = drive(guest, memory.clone(), |memory, _| records(memory) >= 3).await;
    assert_eq!((summary, state.as_str()), (Summary { stopped: 1, failed: 0 }, "STOPPED"));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let seen = memory.seen.lock().expect("nobody panicked");
    assert_eq!(seen.committed, Some(sent_offset()));
    assert_eq!((seen.opened, seen.closed), (1, 1));
}

#[tokio::test]
async fn a_failure_of_the_component_ends_its_task() {
    let memory = Arc::new(Memory::default());
    let (summary, state, _) = drive(Guest { poll: FAIL, ..Guest::default() }, memory.clone(), never).await;
    assert_eq!((summary, state.as_str()), (Summary { stopped: 0, failed: 1 }, "FAILED"));
    assert_eq!(memory.seen.lock().expect("nobody panicked").closed, 1);
}

#[tokio::test]
async fn a_refusal_of_the_sink_outweighs_what_the_component_says() {
    let memory = Arc::new(Memory::default());
    memory.send_errors.lock().expect("nobody panicked").push_back(SinkError::Refused("no such topic".to_owned()));
    let guest = Guest { poll: SEND, ..Guest::default() };
    let (summary, state, _) = drive(guest, memory.clone(), never).await;
    assert_eq!((summary.failed, state.as_str()), (1, "FAILED"));
    let memory = Arc::new(Memory::default());
    memory.send_errors.lock().expect("nobody panicked").push_back(SinkError::Fenced("epoch".to_owned()));
    let (summary, state, _) = drive(guest, memory, never).await;
    assert_eq!((summary.failed, state.as_str()), (1, "FENCED"));
}

#[tokio::test]
async fn an_absent_sink_leads_to_a_new_sink_and_a_new_instance() {
    let memory = Arc::new(Memory::default());
    memory.send_errors.lock().expect("nobody panicked").push_back(SinkError::Unavailable("broker away".to_owned()));
    let guest = Guest { poll: SEND, ..Guest::default() };
    let (summary, state, _) = drive(guest, memory.clone(), |memory, _| records(memory) >= 1).await;
    assert_eq!((summary.stopped, state.as_str()), (1, "STOPPED"));
    assert_eq!(memory.seen.lock().expect("nobody panicked").opened, 2);
}

#[tokio::test]
async fn a_trap_leads_to_a_new_instance() {
    let memory = Arc::new(Memory::default());
    let guest = Guest { poll: "unreachable", ..Guest::default() };
    let again = |memory: &Memory, _: &Telemetry| memory.seen.lock().expect("nobody panicked").opened >= 2;
    let (summary, _, _) = drive(guest, memory.clone(), again).await;
    assert_eq!(summary, Summary { stopped: 1, failed: 0 });
    let seen = memory.seen.lock().expect("nobody panicked");
    assert_eq!(seen.opened, seen.closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_does_not_return_is_stopped_all_the_same() {
    let running = |_: &Memory, telemetry: &Telemetry| {
        telemetry.progress.snapshot().get("accounts").is_some_and(|standing| standing.state == "RUNNING")
    };
    for guest in [Guest { poll: LOOP, ..Guest::default() }, Guest { close: LOOP, ..Guest::default() }] {
        let (summary, state, took) = drive(guest, Arc::new(Memory::default()), running).await;
        assert_eq!((summary.stopped, state.as_str()), (1, "STOPPED"), "{guest:?}");
        assert!(took < Duration::from_secs(10), "{guest:?} {took:?}");
    }
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_room_in_the_sink() {
    let memory = Arc::new(Memory { blocked: true, ..Memory::default() });
    let running = |_: &Memory, telemetry: &Telemetry| {
        telemetry.progress.snapshot().get("accounts").is_some_and(|standing| standing.state == "RUNNING")
    };
    let guest = Guest { poll: SEND, ..Guest::default() };
    let (summary, state, took) = drive(guest, memory.clone(), running).await;
    assert_eq!((summary.stopped, state.as_str()), (1, "STOPPED"));
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(records(&memory), 0);
}
