//! What the sandbox costs: computing time for the same events, natively from memory, natively from a socket, and in the
//! component inside the host's engine, whose answers come over the host's HTTP client. Each runs on one thread, whose
//! computing time is read; the simulator's is not in it.

use std::{sync::Arc, thread, time::Duration};

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use salesforce_pushtopic::http::Response;
use tokio::sync::watch;
use tributary::{
    engine::{Cache, Component, Engine, INSTANCE_MEMORY_BYTES_MAX_DEFAULT, Instance, InstanceParts, Limits, Source},
    imports::{
        allow_list::AllowList,
        http::{Client, Clients},
    },
    record::{ProducerRecord, SourceOffset},
    sink::{Sink, SinkError},
    telemetry::Telemetry,
};

use crate::{
    Effort,
    bare::Connection,
    native::{self, Recording, Replay},
    org::{ANSWER_EVENTS, Org},
    process,
    stats::{Spread, number},
    usage,
};

/// Events of one run; their answers are kept in memory.
const EVENTS: usize = 50_000;
const MICROS_PER_SECOND: f64 = 1e6;

/// Measures all ways by turns.
pub(crate) fn measure(effort: &Effort) -> anyhow::Result<String> {
    let org = Org::prepared(EVENTS)?;
    let settings = org.settings("figures", "all");
    let mut recording = Recording { connection: Connection::open(org.url())?, answers: Vec::new() };
    native::carry(&mut recording, &settings, EVENTS)?;
    let answers = recording.answers;
    let (sandbox, url) = (Sandbox::new()?, org.url());
    let mut columns: [Vec<f64>; 4] = Default::default();
    // The first turn warms up and does not count.
    for round in 0..=effort.rounds {
        let measured = [
            on_a_thread(|| native::carry(&mut Replay(answers.iter()), &settings, EVENTS))?,
            on_a_thread(|| native::carry(&mut Connection::open(url)?, &settings, EVENTS))?,
            on_a_thread(|| sandbox.carry(&settings))?,
            on_a_thread(|| drain(url, &settings, &answers))?,
        ];
        if round > 0 {
            columns.iter_mut().zip(measured).for_each(|(column, seconds)| column.push(seconds));
        }
    }
    let [memory, socket, component, reader] = &columns;
    let micros = |column: &[f64]| Spread::of(column.iter().map(|seconds| seconds * MICROS_PER_SECOND / number(EVENTS)));
    let ratio = |above: &[f64], below: &[f64]| Spread::of(above.iter().zip(below).map(|(a, b)| a / b));
    Ok(format!(
        "### The same core in the sandbox and without\n\n\
         Computing time of the one thread that does the work, {EVENTS} events in answers of {ANSWER_EVENTS}, {} rounds by \
         turns:\n\n\
         | way | µs per event |\n|---|---|\n\
         | native core, answers from memory | {:.2} |\n\
         | native core, answers from a socket | {:.2} |\n\
         | component in the host's engine, answers over the host's HTTP client, records into a sink that drops them | {:.2} |\n\
         | nothing but reading the answers from a socket | {:.2} |\n\n\
         Component to native core, both over a socket: {:.2}. Component to native core from memory: {:.2}.\n",
        effort.rounds,
        micros(memory),
        micros(socket),
        micros(component),
        micros(reader),
        ratio(component, socket),
        ratio(component, memory),
    ))
}

/// Computing time of some work on a thread of its own, in seconds.
fn on_a_thread(work: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<f64> {
    let measured = || -> anyhow::Result<f64> {
        let before = usage::thread_cpu_seconds()?;
        work()?;
        Ok(usage::thread_cpu_seconds()? - before)
    };
    thread::scope(|scope| scope.spawn(measured).join().map_err(|_| anyhow!("the thread panicked"))?)
}

/// Asks as often as the core did, and looks at nothing.
fn drain(url: &str, settings: &[(String, String)], answers: &[Response]) -> anyhow::Result<()> {
    let mut connection = Connection::open(url)?;
    let request = native::request_for_events(&mut connection, settings)?;
    let sizes = answers.iter().rev().take(EVENTS / ANSWER_EVENTS).rev().map(|answer| answer.body.len());
    for size in sizes {
        let found = connection.exchange(&request)?.body.len();
        anyhow::ensure!(found.abs_diff(size) < 100, "an answer of {found} bytes instead of {size}");
    }
    Ok(())
}

/// The component in the host's engine.
struct Sandbox {
    component: Component,
    client: Arc<Client>,
    /// Compiled code is kept here; the engine ticks as long as it lives.
    _engine: Engine,
    _cache: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> anyhow::Result<Self> {
        let (telemetry, folder) = (Telemetry::default(), tempfile::tempdir()?);
        let engine = Engine::new(Limits::for_connectors(1, INSTANCE_MEMORY_BYTES_MAX_DEFAULT))?;
        let sources = Source::find(Some(&process::component()?), &[])?;
        let source = sources.first().context("one source")?;
        let component = Component::load(&engine, source, &Cache::in_directory(folder.path().join("c")), &telemetry)?;
        let clients = Clients::new(&tributary::config::NetworkConfig::default(), &telemetry)?;
        let client = clients.with(&AllowList::parse(["http://127.0.0.1:*"])?);
        Ok(Self { component, client, _engine: engine, _cache: folder })
    }

    /// Lets the component carry `EVENTS`.
    fn carry(&self, settings: &[(String, String)]) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (stop, stopped) = watch::channel(false);
            let parts = InstanceParts {
                connector: Arc::from("figures"),
                sink: Some(Box::new(Drain)),
                stop: stopped,
                client: Some(Arc::clone(&self.client)),
                telemetry: Telemetry::default(),
                secrets: Vec::new(),
            };
            let instance = Instance::new(&self.component, parts).await;
            let mut instance = instance.map_err(|(trapped, _)| anyhow!(trapped))?;
            instance.configure(settings, None).await?;
            let mut sent = 0;
            while sent < EVENTS {
                sent += instance.poll(Duration::from_millis(500)).await?.sent as usize;
            }
            anyhow::ensure!(sent == EVENTS, "{sent} records instead of {EVENTS}");
            drop(stop);
            Ok(())
        })
    }
}

/// A sink that keeps nothing.
struct Drain;

#[async_trait]
impl Sink for Drain {
    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError> {
        drop(batch);
        Ok(())
    }

    async fn end_poll(&mut self, offset: Option<SourceOffset>) -> Result<Option<SourceOffset>, SinkError> {
        Ok(offset)
    }

    async fn commit_due(&mut self) -> Result<Option<SourceOffset>, SinkError> {
        Ok(None)
    }

    async fn close(self: Box<Self>, _: Duration) -> Result<Option<SourceOffset>, SinkError> {
        Ok(None)
    }
}
