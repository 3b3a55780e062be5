//! How many events of 1 KiB go through in a second, what that costs in computing time and memory, and that the simulator
//! could have given more.

use std::time::{Duration, Instant};

use crate::{
    Effort,
    bare::Connection,
    destination::{Destination, Destinations},
    native,
    org::{ANSWER_EVENTS, EVENT_BYTES, Org},
    stats::{Spread, number},
    usage::{self, Resident},
    worker,
};

/// Between two looks at how many records are there.
const LOOK: Duration = Duration::from_millis(20);
const MILLION: f64 = 1e6;

/// One run.
struct Run {
    name: &'static str,
    events_per_s: f64,
    /// Seconds of computing time for a million events.
    cpu_s: f64,
    simulator_cpu_s: f64,
    /// Of one core.
    simulator_share: f64,
    peak_mib: f64,
}

/// Measures the bare reader and every destination by turns.
pub(crate) fn measure(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let events = effort.events.next_multiple_of(ANSWER_EVENTS);
    let org = Org::prepared(events)?;
    let cache = tempfile::tempdir()?;
    let mut runs = Vec::new();
    // The first turn fills the cache of compiled components and does not count.
    for round in 0..=effort.rounds {
        let mut turn = vec![bare(&org, events)?];
        for (place, destination) in destinations.all().enumerate() {
            turn.push(carry(&org, destination, &format!("full-speed-{round}-{place}"), events, cache.path())?);
        }
        if round > 0 {
            runs.extend(turn);
        }
    }
    let mut table = format!(
        "### Full speed\n\n{events} events of {EVENT_BYTES} bytes in answers of {ANSWER_EVENTS}, {} rounds by turns; each \
         figure is a median with the least and the most:\n\n\
         | to | events/s | CPU s per million events | peak RSS, MiB | CPU s of the simulator per million | share of a core \
         that the simulator used |\n|---|---|---|---|---|---|\n",
        effort.rounds
    );
    for name in ["a bare reader"].into_iter().chain(destinations.all().map(Destination::name)) {
        let of = |part: fn(&Run) -> f64| Spread::of(runs.iter().filter(|run| run.name == name).map(part));
        let row = format!(
            "| {name} | {:.0} | {:.1} | {:.0} | {:.2} | {:.2} |\n",
            of(|run| run.events_per_s),
            of(|run| run.cpu_s),
            of(|run| run.peak_mib),
            of(|run| run.simulator_cpu_s),
            of(|run| run.simulator_share),
        );
        table.push_str(&row);
    }
    Ok(table)
}

fn bare(org: &Org, events: usize) -> anyhow::Result<Run> {
    let mut connection = Connection::open(org.url())?;
    let request = native::request_for_events(&mut connection, &org.settings("none", "all"))?;
    let (own, begin) = (std::process::id(), Instant::now());
    let (before, simulator_before) = (usage::cpu_seconds(own)?, usage::cpu_seconds(org.id())?);
    let mut bytes = 0;
    for _ in 0..events / ANSWER_EVENTS {
        bytes += connection.exchange(&request)?.body.len();
    }
    let seconds = begin.elapsed().as_secs_f64();
    anyhow::ensure!(bytes >= events * EVENT_BYTES, "{bytes} bytes are not {events} events");
    let simulator = usage::cpu_seconds(org.id())? - simulator_before;
    let millions = number(events) / MILLION;
    Ok(Run {
        name: "a bare reader",
        events_per_s: number(events) / seconds,
        cpu_s: (usage::cpu_seconds(own)? - before) / millions,
        simulator_cpu_s: simulator / millions,
        simulator_share: simulator / seconds,
        peak_mib: Resident::of(own)?.peak_mib,
    })
}

fn carry(
    org: &Org,
    destination: Destination<'_>,
    topic: &str,
    events: usize,
    cache: &std::path::Path,
) -> anyhow::Result<Run> {
    carry_as(org, destination, topic, events, cache, &Variant { name: destination.name(), settings: &[], lines: "" })
}

/// A way to run it that is compared with others.
pub(crate) struct Variant<'a> {
    pub(crate) name: &'static str,
    /// Settings of the connector.
    pub(crate) settings: &'a [(&'a str, &'a str)],
    /// Lines of the worker file.
    pub(crate) lines: &'a str,
}

impl Variant<'_> {
    /// Those settings with the variant's in place of theirs.
    pub(crate) fn over(&self, mut settings: Vec<(String, String)>) -> Vec<(String, String)> {
        settings.retain(|(name, _)| self.settings.iter().all(|(given, _)| given != name));
        settings.extend(self.settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        settings
    }
}

const ENABLED: &str = "exactly.once.source.support=enabled\n";
/// At least once, and the ways to deliver exactly once.
pub(crate) const DELIVERIES: [Variant<'static>; 3] = [
    Variant { name: "at least once", settings: &[], lines: "" },
    Variant { name: "exactly once, a transaction for each poll", settings: &[], lines: ENABLED },
    Variant {
        name: "exactly once, a transaction a second",
        settings: &[("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", "1000")],
        lines: ENABLED,
    },
];

/// The variants by turns, on one destination.
pub(crate) fn compare(
    destination: Destination<'_>,
    effort: &Effort,
    stem: &str,
    variants: &[Variant<'_>],
) -> anyhow::Result<String> {
    let events = effort.events.next_multiple_of(ANSWER_EVENTS);
    let org = Org::prepared(events)?;
    let cache = tempfile::tempdir()?;
    let mut runs = Vec::new();
    // The first turn fills the cache of compiled components and does not count.
    for round in 0..=effort.rounds {
        for (place, variant) in variants.iter().enumerate() {
            let topic = format!("{stem}-{round}-{place}");
            let run = carry_as(&org, destination, &topic, events, cache.path(), variant)?;
            runs.extend(Some(run).filter(|_| round > 0));
        }
    }
    let mut table = format!(
        "{events} events of {EVENT_BYTES} bytes into {}, {} rounds by turns; each figure is a median with the least and the \
         most:\n\n| way | events/s | to the first | CPU s per million events | to the first |\n|---|---|---|---|---|\n",
        destination.name(),
        effort.rounds
    );
    let of = |name: &str, part: fn(&Run) -> f64| -> Vec<f64> {
        runs.iter().filter(|run| run.name == name).map(part).collect()
    };
    let ratio = |name: &str, part: fn(&Run) -> f64| {
        let first = of(variants[0].name, part);
        Spread::of(of(name, part).into_iter().zip(first).map(|(one, other)| one / other))
    };
    let speed = |run: &Run| run.events_per_s;
    let cpu = |run: &Run| run.cpu_s;
    for Variant { name, .. } in variants {
        let row = format!(
            "| {name} | {:.0} | {:.2} | {:.1} | {:.2} |\n",
            Spread::of(of(name, speed).into_iter()),
            ratio(name, speed),
            Spread::of(of(name, cpu).into_iter()),
            ratio(name, cpu),
        );
        table.push_str(&row);
    }
    Ok(table)
}

/// Exactly-once beside at-least-once, on Kafka.
pub(crate) fn measure_exactly_once(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let title = "### Exactly once\n\n";
    let Some(kafka) = destinations.all().find(|destination| destination.name() == "Kafka") else {
        return Ok(format!("{title}SKIPPED: there is no Kafka\n"));
    };
    Ok(format!("{title}{}", compare(kafka, effort, "exactly-once", &DELIVERIES)?))
}

fn carry_as(
    org: &Org,
    destination: Destination<'_>,
    topic: &str,
    events: usize,
    cache: &std::path::Path,
    variant: &Variant<'_>,
) -> anyhow::Result<Run> {
    let mut outlet = destination.outlet(topic)?;
    let settings = variant.over(org.settings(topic, "all"));
    let mut program = worker::start_with(&settings, variant.lines, "info", &outlet, cache)?;
    program.wait_for("subscribed")?;
    let begin = Instant::now();
    let (before, simulator_before) = (usage::cpu_seconds(program.id())?, usage::cpu_seconds(org.id())?);
    worker::wait_for(events, &mut outlet, &mut program, LOOK)?;
    let seconds = begin.elapsed().as_secs_f64();
    let cpu = usage::cpu_seconds(program.id())? - before;
    let simulator = usage::cpu_seconds(org.id())? - simulator_before;
    let peak_mib = Resident::of(program.id())?.peak_mib;
    // A transaction's end takes an offset too.
    anyhow::ensure!(outlet.count()? == events || !variant.lines.is_empty(), "more records than events");
    program.terminate()?;
    let millions = number(events) / MILLION;
    Ok(Run {
        name: variant.name,
        events_per_s: number(events) / seconds,
        cpu_s: cpu / millions,
        simulator_cpu_s: simulator / millions,
        simulator_share: simulator / seconds,
        peak_mib,
    })
}
