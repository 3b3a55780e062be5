//! What the REST API and the metrics of a service cost the data path, and what it takes to have many connectors.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};

use crate::{
    Effort,
    broker::free_port,
    destination::{Destination, Destinations, Outlet},
    http,
    org::{ANSWER_EVENTS, EVENT_BYTES, Org},
    process::{Program, pause},
    stats::{Spread, number, percentile},
    usage::{self, Resident},
    worker,
};

/// Between two looks at how many records are there.
const LOOK: Duration = Duration::from_millis(20);
/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(10);
/// What is asked.
const QUESTIONS: [&str; 2] = ["/metrics", "/connectors?expand=status&expand=info"];
/// Connectors of a service with many.
const CONNECTORS: usize = 1_000;
const MILLION: f64 = 1e6;
const MILLIS_PER_SECOND: f64 = 1e3;

/// Measures both.
pub(crate) fn measure(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let mut tables = Vec::new();
    for destination in destinations.all() {
        tables.push(asked(destination, effort)?);
    }
    let embedded = destinations.all().next().context("there is the embedded log")?;
    tables.push(many(embedded)?);
    Ok(tables.join("\n"))
}

/// One run.
struct Run {
    asked: bool,
    events_per_s: f64,
    cpu_s: f64,
    /// Milliseconds of each answer.
    answers_ms: Vec<f64>,
}

fn asked(destination: Destination<'_>, effort: &Effort) -> anyhow::Result<String> {
    let events = effort.events.next_multiple_of(ANSWER_EVENTS);
    let org = Org::prepared(events)?;
    let cache = tempfile::tempdir()?;
    let mut runs = Vec::new();
    // The first turn fills the cache of compiled components and does not count.
    for round in 0..=effort.rounds {
        for asked in [false, true] {
            let topic = format!("service-{round}-{}", usize::from(asked));
            let run = carry(&org, destination, &topic, events, cache.path(), asked)?;
            runs.extend(Some(run).filter(|_| round > 0));
        }
    }
    let of = |asked: bool, part: fn(&Run) -> f64| -> Vec<f64> {
        runs.iter().filter(|run| run.asked == asked).map(part).collect()
    };
    let mut table = format!(
        "### Service: asked while it works\n\n{events} events of {EVENT_BYTES} bytes into {}, {} rounds by turns, nobody asking and \
         `{}` asked over and over, {} ms apart; each figure is a median with the least and the most:\n\n\
         | asked | events/s | to the first | CPU s per million events | answer p50, ms | answer p99, ms | answers |\n\
         |---|---|---|---|---|---|---|\n",
        destination.name(),
        effort.rounds,
        QUESTIONS.join("` and `"),
        PAUSE.as_millis()
    );
    for asked in [false, true] {
        let speed = |run: &Run| run.events_per_s;
        let ratio = Spread::of(of(asked, speed).into_iter().zip(of(false, speed)).map(|(one, other)| one / other));
        let answers = |part: f64| -> String {
            let times = runs.iter().filter(|run| run.asked == asked && asked);
            let spread = Spread::of(times.map(|run| percentile(&run.answers_ms, part)));
            if asked { format!("{spread:.1}") } else { "–".to_owned() }
        };
        table.push_str(&format!(
            "| {} | {:.0} | {ratio:.2} | {:.1} | {} | {} | {:.0} |\n",
            if asked { "yes" } else { "no" },
            Spread::of(of(asked, speed)),
            Spread::of(of(asked, |run| run.cpu_s)),
            answers(0.50),
            answers(0.99),
            Spread::of(of(asked, |run| number(run.answers_ms.len()))),
        ));
    }
    Ok(table)
}

/// A service on that outlet, listening there.
fn serve(outlet: &Outlet<'_>, port: u16, cache: &Path) -> anyhow::Result<Program> {
    let worker = outlet.folder.path().join("worker.properties");
    let mut lines = outlet.worker_lines();
    if lines.contains("bootstrap.servers") {
        for topic in ["config", "status"] {
            lines.push_str(&format!(
                "{topic}.storage.topic=service-{topic}-{port}\n{topic}.storage.replication.factor=1\n"
            ));
        }
    }
    let common = "tributary.network.allow=http://127.0.0.1:*\ntributary.rest.requests.per.second.max=0\n";
    fs::write(&worker, format!("{common}{lines}"))?;
    let address = format!("127.0.0.1:{port}");
    let program = Program::start(
        "tributary",
        &["serve".as_ref(), "--worker".as_ref(), worker.as_os_str(), "--listen".as_ref(), address.as_ref()],
        cache,
    )?;
    program.wait_for("worker-started")?;
    Ok(program)
}

/// Makes a connector.
pub(crate) fn create(port: u16, name: &str, settings: &[(String, String)], state: &str) -> anyhow::Result<()> {
    let mut config: Map<String, Value> = settings.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    config.insert("name".to_owned(), name.into());
    let body = json!({"name": name, "config": config, "initial_state": state}).to_string();
    let (status, answer) = http::ask(port, "POST", "/connectors", &body).context("nobody answers")?;
    ensure!(status == 201, "{status} {answer}");
    Ok(())
}

fn carry(
    org: &Org,
    destination: Destination<'_>,
    topic: &str,
    events: usize,
    cache: &Path,
    asked: bool,
) -> anyhow::Result<Run> {
    let (mut outlet, port) = (destination.outlet(topic)?, free_port());
    let mut program = serve(&outlet, port, cache)?;
    create(port, topic, &org.settings(topic, "all"), "RUNNING")?;
    program.wait_for("subscribed")?;
    let (begin, before) = (Instant::now(), usage::cpu_seconds(program.id())?);
    let over = Arc::new(AtomicBool::new(!asked));
    let asking = {
        let over = Arc::clone(&over);
        thread::spawn(move || {
            let mut times_ms = Vec::new();
            while !over.load(Ordering::Relaxed) {
                for question in QUESTIONS {
                    let begin = Instant::now();
                    if http::ask(port, "GET", question, "").is_ok() {
                        times_ms.push(begin.elapsed().as_secs_f64() * MILLIS_PER_SECOND);
                    }
                }
                pause(PAUSE);
            }
            times_ms
        })
    };
    worker::wait_for(events, &mut outlet, &mut program, LOOK)?;
    let seconds = begin.elapsed().as_secs_f64();
    let cpu = usage::cpu_seconds(program.id())? - before;
    over.store(true, Ordering::Relaxed);
    let mut answers_ms = asking.join().map_err(|_| anyhow::anyhow!("whoever asked has panicked"))?;
    answers_ms.sort_by(f64::total_cmp);
    program.terminate()?;
    let millions = number(events) / MILLION;
    Ok(Run { asked, events_per_s: number(events) / seconds, cpu_s: cpu / millions, answers_ms })
}

/// Many connectors that do nothing: what each takes to make, and what it takes to see them all.
fn many(destination: Destination<'_>) -> anyhow::Result<String> {
    let org = Org::prepared(ANSWER_EVENTS)?;
    let cache = tempfile::tempdir()?;
    let (outlet, port) = (destination.outlet("many")?, free_port());
    let program = serve(&outlet, port, cache.path())?;
    let before = Resident::of(program.id())?.peak_mib;
    let settings = org.settings("many", "all");
    let begin = Instant::now();
    for index in 0..CONNECTORS {
        create(port, &format!("tenant-{index}"), &settings, "STOPPED")?;
    }
    let each_ms = begin.elapsed().as_secs_f64() * MILLIS_PER_SECOND / number(CONNECTORS);
    let grown_kib = (Resident::of(program.id())?.peak_mib - before) * 1_024.0 / number(CONNECTORS);
    let mut table = format!(
        "### Service: many connectors\n\n{CONNECTORS} STOPPED connectors, kept in {}. To make one takes {each_ms:.1} ms and {grown_kib:.0} KiB.\n\n\
         | question | median, ms |\n|---|---|\n",
        destination.name()
    );
    for question in QUESTIONS {
        let mut times_ms = Vec::new();
        for _ in 0..20 {
            let begin = Instant::now();
            let (status, _) = http::ask(port, "GET", question, "").context("nobody answers")?;
            ensure!(status == 200, "{question}: {status}");
            times_ms.push(begin.elapsed().as_secs_f64() * MILLIS_PER_SECOND);
        }
        table.push_str(&format!("| `{question}` | {:.1} |\n", Spread::of(times_ms)));
    }
    program.terminate()?;
    let begin = Instant::now();
    let program = serve(&outlet, port, cache.path())?;
    let seconds = begin.elapsed().as_secs_f64();
    table.push_str(&format!(
        "\nA start with all of them takes {:.0} ms until they are there.\n",
        seconds * MILLIS_PER_SECOND
    ));
    program.terminate()?;
    Ok(table)
}
