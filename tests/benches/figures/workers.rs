//! How long a connector of a service stands still when its worker ends and another takes over.

use std::{fs, path::Path, time::Instant};

use crate::{
    Effort,
    broker::free_port,
    destination::{Destination, Destinations, Outlet},
    org::{ANSWER_EVENTS, Org},
    process::Program,
    service,
    stats::Spread,
};

/// `session.timeout.ms`: the least that a broker allows.
const SESSION_TIMEOUT_MS: u64 = 6_000;
/// `heartbeat.interval.ms`.
const HEARTBEAT_INTERVAL_MS: u64 = 2_000;
const MILLIS_PER_SECOND: f64 = 1e3;

/// Measures an end in good order and a kill, by turns.
pub(crate) fn measure(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let kafka = destinations.all().find(|destination| matches!(destination, Destination::Kafka(_)));
    let Some(kafka) = kafka else { return Ok("### Workers\n\nSKIPPED: there is no Kafka.\n".to_owned()) };
    let (org, cache) = (Org::prepared(ANSWER_EVENTS)?, tempfile::tempdir()?);
    let (mut ended_ms, mut killed_ms) = (Vec::new(), Vec::new());
    for round in 0..effort.rounds {
        let outlet = kafka.outlet(&format!("workers-{round}"))?;
        let (ended, killed) = turn(&org, &outlet, cache.path())?;
        ended_ms.push(ended);
        killed_ms.push(killed);
    }
    Ok(format!(
        "### Workers: another takes over\n\nFrom the signal to one worker until the other has subscribed, {} rounds, \
         session.timeout.ms={SESSION_TIMEOUT_MS}, heartbeat.interval.ms={HEARTBEAT_INTERVAL_MS}; each figure is a median with the \
         least and the most:\n\n| the active worker | ms |\n|---|---|\n| ended in good order | {:.0} |\n| killed | {:.0} |\n",
        effort.rounds,
        Spread::of(ended_ms),
        Spread::of(killed_ms),
    ))
}

/// Milliseconds after an end in good order, and after a kill.
fn turn(org: &Org, outlet: &Outlet<'_>, cache: &Path) -> anyhow::Result<(f64, f64)> {
    let (port, first) = worker(outlet, cache)?;
    first.wait_for("worker-started")?;
    let mut settings = org.settings(&outlet.topic, "all");
    settings.push(("exactly.once.support".to_owned(), "required".to_owned()));
    service::create(port, &outlet.topic, &settings, "RUNNING")?;
    first.wait_for("subscribed")?;
    let (_, second) = worker(outlet, cache)?;
    second.wait_for("standing-by")?;
    let begin = Instant::now();
    first.terminate()?;
    second.wait_for("subscribed")?;
    let ended_ms = begin.elapsed().as_secs_f64() * MILLIS_PER_SECOND;
    let (_, third) = worker(outlet, cache)?;
    third.wait_for("standing-by")?;
    let begin = Instant::now();
    second.kill()?;
    third.wait_for("subscribed")?;
    let killed_ms = begin.elapsed().as_secs_f64() * MILLIS_PER_SECOND;
    third.terminate()?;
    Ok((ended_ms, killed_ms))
}

fn worker(outlet: &Outlet<'_>, cache: &Path) -> anyhow::Result<(u16, Program)> {
    let port = free_port();
    let path = outlet.folder.path().join("worker.properties");
    let mut lines = outlet.worker_lines();
    for topic in ["config", "status"] {
        let name = format!("{}-{topic}", outlet.topic);
        lines.push_str(&format!("{topic}.storage.topic={name}\n{topic}.storage.replication.factor=1\n"));
    }
    lines.push_str(&format!(
        "group.id={}\nsession.timeout.ms={SESSION_TIMEOUT_MS}\nheartbeat.interval.ms={HEARTBEAT_INTERVAL_MS}\n\
         exactly.once.source.support=enabled\ntributary.network.allow=http://127.0.0.1:*\n",
        outlet.topic
    ));
    fs::write(&path, lines)?;
    let address = format!("127.0.0.1:{port}");
    let arguments = ["serve".as_ref(), "--worker".as_ref(), path.as_os_str(), "--listen".as_ref(), address.as_ref()];
    Ok((port, Program::start("tributary", &arguments, cache)?))
}
