//! What the sandbox costs: computing time for the same events, natively from memory, natively from a socket, and in the
//! component inside the host's engine, whose answers come over the host's HTTP client. Each runs on one thread, whose
//! computing time is read; the simulator's is not in it.

use std::{path::Path, sync::Arc, thread, time::Duration};

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

/// A way to carry the events: its row in the table, and the seconds of computing time that each round took.
struct Way {
    name: String,
    seconds: Vec<f64>,
}

/// Measures all ways by turns.
pub(crate) fn measure(effort: &Effort) -> anyhow::Result<String> {
    let org = Org::prepared(EVENTS)?;
    let (settings, url) = (org.settings("figures", "all"), org.url());
    let mut recording = Recording { connection: Connection::open(url)?, answers: Vec::new() };
    native::carry(&mut recording, &settings, EVENTS)?;
    let answers = recording.answers;
    let engine = Engine::new(Limits::for_connectors(1 + effort.components.len(), INSTANCE_MEMORY_BYTES_MAX_DEFAULT))?;
    let built = [process::component()?];
    let sandboxes: Vec<Sandbox> =
        built.iter().chain(&effort.components).map(|path| Sandbox::new(&engine, path)).collect::<Result<_, _>>()?;
    let others = effort.components.iter().map(|path| format!("another component, {}", path.display()));
    let mut ways: Vec<Way> = [
        "nothing but reading the answers from a socket",
        "native core, answers from memory",
        "native core, answers from a socket",
        "component in the host's engine, answers over the host's HTTP client, records into a sink that drops them",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(others)
    .map(|name| Way { name, seconds: Vec::new() })
    .collect();
    // The first turn warms up and does not count.
    for round in 0..=effort.rounds {
        let mut turn = vec![
            on_a_thread(|| drain(url, &settings, &answers))?,
            on_a_thread(|| native::carry(&mut Replay(answers.iter()), &settings, EVENTS))?,
            on_a_thread(|| native::carry(&mut Connection::open(url)?, &settings, EVENTS))?,
        ];
        for sandbox in &sandboxes {
            turn.push(on_a_thread(|| sandbox.carry(&settings))?);
        }
        if round > 0 {
            ways.iter_mut().zip(turn).for_each(|(way, seconds)| way.seconds.push(seconds));
        }
    }
    Ok(table(&ways, effort.rounds))
}

fn table(ways: &[Way], rounds: usize) -> String {
    let mut table = format!(
        "### The same core in the sandbox and without\n\n\
         Computing time of the one thread that does the work, {EVENTS} events in answers of {ANSWER_EVENTS}, {rounds} rounds \
         by turns:\n\n\
         | way | µs per event | to the native core from a socket |\n|---|---|---|\n"
    );
    let native = &ways[2].seconds;
    for Way { name, seconds } in ways {
        let micros = Spread::of(seconds.iter().map(|seconds| seconds * MICROS_PER_SECOND / number(EVENTS)));
        let ratio = Spread::of(seconds.iter().zip(native).map(|(seconds, native)| seconds / native));
        table.push_str(&format!("| {name} | {micros:.2} | {ratio:.2} |\n"));
    }
    table
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
}

impl Sandbox {
    fn new(engine: &Engine, path: &Path) -> anyhow::Result<Self> {
        let telemetry = Telemetry::default();
        let sources = Source::find(Some(path), &[])?;
        let component = Component::load(engine, sources.first().context("one source")?, &Cache::off(), &telemetry)?;
        let clients = Clients::new(&tributary::config::NetworkConfig::default(), &telemetry)?;
        let client = clients.with(&AllowList::parse(["http://127.0.0.1:*"])?, None)?;
        Ok(Self { component, client })
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
