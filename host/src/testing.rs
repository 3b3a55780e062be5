//! Parts for the tests of the host: small components, written in the text format of WebAssembly against the real contract,
//! and a sink in memory.
//!
//! A guest is a core module with the exports of the world in canonical form; `wit-component` (a foreign encoder) wraps
//! it. Its memory is zero where nothing is written, and a zero result means: success, empty lists, no offset.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::{
    check::Check,
    config::ConnectorConfig,
    engine::{Cache, Component, ComponentError, Engine, Limits, Source},
    record::{ProducerRecord, Scalar, SourceOffset, SourcePartition},
    sink::{Backend, Opened, Sink, SinkError},
    telemetry::{TaskMetrics, Telemetry},
};

/// What a test guest does in `poll`, `configure` and `close`; everything else succeeds with nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Guest {
    /// Instructions of `poll`, before it returns the result at address 1024.
    pub(crate) poll: &'static str,
    /// Instructions of `configure`, before it returns the result at address 2048.
    pub(crate) configure: &'static str,
    /// Instructions of `close`.
    pub(crate) close: &'static str,
    /// Instructions of `describe`, before it returns the result at address 4096.
    pub(crate) describe: &'static str,
}

/// Instructions that never end.
pub(crate) const LOOP: &str = "(loop $forever (br $forever))";
/// Instructions that send one record to the topic `topic` and report the offset `{"n": 1}`; `$error` of `send` becomes
/// nothing, for the host knows it.
pub(crate) const SEND: &str = r"
    ;; producer-record at 5000: topic (ptr, len), partition, key, value, headers, timestamp.
    (i32.store (i32.const 5000) (i32.const 3000)) (i32.store (i32.const 5004) (i32.const 5))
    ;; value: some((ptr, len)) behind partition (option<s32>, 8 bytes) and key (option<list>, 12 bytes).
    (i32.store8 (i32.const 5028) (i32.const 1))
    (i32.store (i32.const 5032) (i32.const 3000)) (i32.store (i32.const 5036) (i32.const 5))
    (call $send (i32.const 5000) (i32.const 1) (i32.const 6000))
    ;; progress at 1024: the result's tag, then at 8: sent, offset (tag, ptr, len), next-poll-after-ms.
    (i32.store (i32.const 1032) (i32.const 1))
    (i32.store8 (i32.const 1036) (i32.const 1))
    (i32.store (i32.const 1040) (i32.const 7000)) (i32.store (i32.const 1044) (i32.const 1))
    ;; One entry of the offset: key (ptr, len), scalar (tag, and at 8 the value).
    (i32.store (i32.const 7000) (i32.const 3008)) (i32.store (i32.const 7004) (i32.const 1))
    (i32.store8 (i32.const 7008) (i32.const 2)) (i64.store (i32.const 7016) (i64.const 1))
";
/// Instructions that make `poll` return a failure of kind `auth`, code `topic`, message `topic`.
pub(crate) const FAIL: &str = r"
    (i32.store8 (i32.const 1024) (i32.const 1))
    (i32.store8 (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 1036) (i32.const 3000)) (i32.store (i32.const 1040) (i32.const 5))
    (i32.store (i32.const 1044) (i32.const 3000)) (i32.store (i32.const 1048) (i32.const 5))
";

impl Guest {
    /// The component, built against the real world in `wit/`.
    pub(crate) fn wasm(self) -> Vec<u8> {
        self.wasm_of(|_| {})
    }

    /// The component, built against a world that a test has changed.
    pub(crate) fn wasm_of(self, change: impl FnOnce(&mut String)) -> Vec<u8> {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        copy(std::path::Path::new("../wit"), directory.path());
        let world = directory.path().join("world.wit");
        let mut text = std::fs::read_to_string(&world).expect("wit/world.wit is there");
        change(&mut text);
        let version = text.split("tributary:connector@").nth(1).and_then(|rest| rest.split(';').next());
        let version = version.expect("the package has a version").to_owned();
        std::fs::write(&world, text).expect("a copy can be written");
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(directory.path()).expect("wit/ is sound");
        let world = resolve.select_world(&[package], Some("source-connector")).expect("the world is there");
        let mut module = wat::parse_str(self.text(&version)).expect("the guest's text is sound");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).expect("metadata fit");
        ComponentEncoder::default().module(&module).and_then(|encoder| encoder.encode()).expect("the guest fits")
    }

    fn text(self, version: &str) -> String {
        let source = format!("tributary:connector/source@{version}");
        format!(
            r#"(module
              (import "tributary:connector/producer@{version}" "send" (func $send (param i32 i32 i32)))
              (memory (export "memory") 2)
              (data (i32.const 3000) "topic") (data (i32.const 3008) "n")
              (global $free (mut i32) (i32.const 16384))
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $free (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
                (global.get $free)
                (global.set $free (i32.add (global.get $free) (local.get 3))))
              (func (export "{source}#describe") (result i32) {describe} (i32.const 4096))
              (func (export "{source}#validate") (param i32 i32) (result i32) (i32.const 4096))
              (func (export "{source}#validate-offset") (param i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
              (func (export "{source}#convert") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
              (func (export "{source}#configure") (param i32 i32 i32 i32 i32) (result i32) {configure} (i32.const 2048))
              (func (export "{source}#poll") (param i32) (result i32) {poll} (i32.const 1024))
              (func (export "{source}#preflight") (param i32) (result i32) (i32.const 2048))
              (func (export "{source}#commit-offset") (param i32 i32) (result i32) (i32.const 2048))
              (func (export "{source}#close") (param i32) {close}))"#,
            describe = self.describe,
            configure = self.configure,
            poll = self.poll,
            close = self.close,
        )
    }

    /// The component, loaded.
    pub(crate) fn component(self, engine: &Engine) -> Component {
        load(engine, &self.wasm()).expect("the guest is a connector")
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).expect("wit/ can be read").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).expect("a copy can be made");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy can be made");
        }
    }
}

/// Loads a component as the program does, without a cache.
pub(crate) fn load(engine: &Engine, wasm: &[u8]) -> Result<Component, ComponentError> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    std::fs::write(file.path(), wasm).expect("a temporary file can be written");
    Component::load(engine, &Source::File(file.path().to_owned()), &Cache::off(), &Telemetry::default())
}

/// An engine with room for a few instances of 1 MiB.
pub(crate) fn engine() -> Engine {
    Engine::new(Limits { instances_max: 4, memory_bytes_max: 1 << 20 }).expect("an engine can be made")
}

/// What a sink in memory has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) records: Vec<ProducerRecord>,
    pub(crate) committed: Option<SourceOffset>,
    pub(crate) opened: usize,
    pub(crate) closed: usize,
}

/// A backend in memory: commits at the end of each poll. Errors are handed out in order, one for each `send`.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) seen: Arc<Mutex<Seen>>,
    pub(crate) send_errors: Arc<Mutex<VecDeque<SinkError>>>,
    /// `send` never returns.
    pub(crate) blocked: bool,
}

struct MemorySink {
    seen: Arc<Mutex<Seen>>,
    send_errors: Arc<Mutex<VecDeque<SinkError>>>,
    blocked: bool,
}

#[async_trait]
impl Backend for Memory {
    async fn open(&self, _: &ConnectorConfig, _: &Arc<TaskMetrics>) -> Result<Opened, SinkError> {
        let mut seen = self.seen.lock().expect("no test panics while it holds this");
        seen.opened += 1;
        let sink = MemorySink {
            seen: Arc::clone(&self.seen),
            send_errors: Arc::clone(&self.send_errors),
            blocked: self.blocked,
        };
        Ok(Opened { sink: Box::new(sink), committed: seen.committed.clone() })
    }

    async fn offsets(&self, _: &str) -> Result<Vec<(SourcePartition, SourceOffset)>, SinkError> {
        Ok(vec![])
    }

    async fn alter_offset(&self, _: &str, _: &SourcePartition, _: Option<&SourceOffset>) -> Result<(), SinkError> {
        Ok(())
    }

    async fn preflight(&self, _: &ConnectorConfig, _: &[String]) -> Vec<Check> {
        vec![]
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

#[async_trait]
impl Sink for MemorySink {
    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError> {
        if self.blocked {
            std::future::pending::<()>().await;
        }
        if let Some(error) = self.send_errors.lock().expect("no test panics while it holds this").pop_front() {
            return Err(error);
        }
        self.seen.lock().expect("no test panics while it holds this").records.extend(batch);
        Ok(())
    }

    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError> {
        let mut seen = self.seen.lock().expect("no test panics while it holds this");
        if offset.is_none() || offset == seen.committed {
            return Ok(None);
        }
        seen.committed.clone_from(&offset);
        Ok(offset)
    }

    async fn commit_due(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        Ok(None)
    }

    async fn close(self: Box<Self>, _: Duration) -> Result<Option<SourceOffset>, SinkError> {
        self.seen.lock().expect("no test panics while it holds this").closed += 1;
        Ok(None)
    }
}

/// The offset that `SEND` reports.
pub(crate) fn sent_offset() -> SourceOffset {
    SourceOffset(vec![("n".to_owned(), Scalar::Integer(1))])
}
