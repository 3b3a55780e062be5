//! What exactly-once delivery costs beside throughput: added latency at a steady rate and the time of a commit; how soon
//! records flow again after a kill; what reading a large offsets topic takes at the start.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;

use crate::{
    Effort,
    destination::{Destination, Destinations},
    latency::{CHANGES_PER_S, follow},
    org::{ANSWER_EVENTS, Org},
    process::pause,
    stats::{Spread, number, percentile},
    throughput::{DELIVERIES, Variant},
    usage::Resident,
    worker,
};

const MILLIS_PER_SECOND: f64 = 1_000.0;
const MICROS_PER_MILLI: f64 = 1_000.0;
/// How long a run goes on before it is killed.
const BEFORE_THE_KILL: Duration = Duration::from_secs(2);
/// Records of an offsets topic that is large, and connectors to which they belong.
const OFFSETS: [(usize, usize); 3] = [(0, 1), (100_000, 1_000), (1_000_000, 10_000)];

/// Measures all of it on Kafka.
pub(crate) fn measure(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let Some(kafka) = destinations.all().find(|destination| destination.name() == "Kafka") else {
        return Ok("### Delivery\n\nSKIPPED: there is no Kafka\n".to_owned());
    };
    Ok([latency(kafka, effort)?, recovery(kafka, effort)?, offsets(kafka, effort)?].join("\n"))
}

fn latency(kafka: Destination<'_>, effort: &Effort) -> anyhow::Result<String> {
    let cache = tempfile::tempdir()?;
    let mut runs = Vec::new();
    for round in 0..effort.rounds {
        for (place, variant) in DELIVERIES.iter().enumerate() {
            let topic = format!("guarantee-{round}-{place}");
            runs.push(follow(kafka, variant, "debug", &topic, Duration::from_secs(effort.seconds), cache.path())?);
        }
    }
    let mut table = format!(
        "### Delivery: added latency and commits\n\nFrom an event's `createdDate` to a `read_committed` reader that has the record, at {CHANGES_PER_S} \
         events/s, {} rounds of {} s by turns:\n\n| way | p50, ms | p99, ms | commit p50, ms | commit p99, ms |\n|---|---|---|---|---|\n",
        effort.rounds, effort.seconds
    );
    for Variant { name, .. } in &DELIVERIES {
        let of = || runs.iter().filter(|run| run.name == *name);
        let commits = |part: f64| Spread::of(of().map(|run| percentile(&commits_ms(&run.said), part)));
        let row = if of().all(|run| commits_ms(&run.said).is_empty()) {
            "– | –".to_owned()
        } else {
            format!("{:.1} | {:.1}", commits(0.50), commits(0.99))
        };
        let row = format!(
            "| {name} | {:.1} | {:.1} | {row} |\n",
            Spread::of(of().map(|run| run.p50_ms)),
            Spread::of(of().map(|run| run.p99_ms)),
        );
        table.push_str(&row);
    }
    Ok(table)
}

/// How long each commit of a transaction took, in order of length.
fn commits_ms(said: &[String]) -> Vec<f64> {
    let took = |line: &String| {
        let (_, took) = line.split_once("committed a transaction")?.1.split_once("took_us=")?;
        took.split_whitespace().next()?.parse::<f64>().ok()
    };
    let mut times: Vec<f64> = said.iter().filter_map(took).map(|us| us / MICROS_PER_MILLI).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// From the start of the successor to the first record that the dead one did not bring.
fn recovery(kafka: Destination<'_>, effort: &Effort) -> anyhow::Result<String> {
    let cache = tempfile::tempdir()?;
    let mut runs = Vec::new();
    for round in 0..effort.rounds {
        for (place, variant) in DELIVERIES.iter().enumerate() {
            let topic = format!("recovery-{round}-{place}");
            runs.push((variant.name, recover(kafka, variant, &topic, cache.path())? * MILLIS_PER_SECOND));
        }
    }
    let mut table = format!(
        "### Delivery: recovery after a kill\n\nFrom the start of a new process after SIGKILL to the first record of a later event that a \
         `read_committed` reader has, at {CHANGES_PER_S} events/s, {} rounds by turns:\n\n| way | ms |\n|---|---|\n",
        effort.rounds
    );
    for Variant { name, .. } in &DELIVERIES {
        let of = Spread::of(runs.iter().filter(|run| run.0 == *name).map(|run| run.1));
        table.push_str(&format!("| {name} | {of:.0} |\n"));
    }
    Ok(table)
}

/// Seconds.
fn recover(kafka: Destination<'_>, variant: &Variant<'_>, topic: &str, cache: &Path) -> anyhow::Result<f64> {
    let org = Org::steady(CHANGES_PER_S)?;
    let mut outlet = kafka.outlet(topic)?;
    let settings = variant.over(org.settings(topic, "all"));
    let first = worker::start_with(&settings, variant.lines, "info", &outlet, cache)?;
    first.wait_for("subscribed")?;
    pause(BEFORE_THE_KILL);
    first.kill()?;
    let killed_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let begin = Instant::now();
    let mut second = worker::start_with(&settings, variant.lines, "info", &outlet, cache)?;
    while !outlet.read()?.into_iter().any(|timestamp_ms| timestamp_ms > killed_ms) {
        second.expect_alive()?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    second.terminate()?;
    Ok(seconds)
}

/// From the start of the process to the first record, where the offsets topic holds many others.
fn offsets(kafka: Destination<'_>, effort: &Effort) -> anyhow::Result<String> {
    let (cache, org) = (tempfile::tempdir()?, Org::prepared(ANSWER_EVENTS)?);
    let mut runs = Vec::new();
    for round in 0..effort.rounds {
        for (records, connectors) in OFFSETS {
            let topic = format!("offsets-{round}-{records}");
            let mut outlet = kafka.outlet(&topic)?;
            kafka.fill_offsets(&topic, records, connectors)?;
            let begin = Instant::now();
            let mut program = worker::start(&org.settings(&topic, "all"), &outlet, cache.path())?;
            worker::wait_for(1, &mut outlet, &mut program, Duration::from_millis(1)).context("the first record")?;
            let seconds = begin.elapsed().as_secs_f64();
            let peak_mib = Resident::of(program.id())?.peak_mib;
            program.terminate()?;
            runs.push((records, seconds, peak_mib));
        }
    }
    let mut table = format!(
        "### Delivery: a large offsets topic\n\nFrom the start of the process to the first record, and the process's peak memory, {} rounds by \
         turns:\n\n| records of others in the offsets topic | s | peak MiB |\n|---|---|---|\n",
        effort.rounds
    );
    for (records, _) in OFFSETS {
        let of = |part: fn(&(usize, f64, f64)) -> f64| Spread::of(runs.iter().filter(|run| run.0 == records).map(part));
        table.push_str(&format!("| {:.0} | {:.2} | {:.0} |\n", number(records), of(|run| run.1), of(|run| run.2)));
    }
    Ok(table)
}
