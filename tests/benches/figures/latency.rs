//! What the way through adds to an event's age at a steady rate. The clock is the machine's: an event's `createdDate`,
//! which the simulator writes when it makes the change, is the record's timestamp and is subtracted from the time at
//! which a reader has the record. `createdDate` is cut to whole milliseconds, so that a figure may be 1 ms too high; the
//! reader of the embedded log looks every millisecond.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{
    Effort,
    destination::{Destination, Destinations},
    org::Org,
    process::pause,
    stats::{Spread, number, percentile},
    throughput::Variant,
    worker,
};

/// Changes a second that the simulator makes.
pub(crate) const CHANGES_PER_S: u32 = 100;
/// What comes before that is not counted.
const WARM_UP: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(1);
const MILLIS_PER_SECOND: f64 = 1_000.0;

/// One run.
pub(crate) struct Run {
    pub(crate) name: &'static str,
    events_per_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    most_ms: f64,
    /// What the program said.
    pub(crate) said: Vec<String>,
}

/// Measures every destination by turns.
pub(crate) fn measure(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let cache = tempfile::tempdir()?;
    let mut runs = Vec::new();
    for round in 0..effort.rounds {
        for (place, destination) in destinations.all().enumerate() {
            let topic = format!("steady-{round}-{place}");
            let plain = Variant { name: destination.name(), settings: &[], lines: "" };
            runs.push(follow(destination, &plain, "info", &topic, Duration::from_secs(effort.seconds), cache.path())?);
        }
    }
    let mut table = format!(
        "### Added latency at a steady rate\n\nFrom an event's `createdDate` to a reader that has the record, {} rounds of {} s by turns:\n\n\
         | to | events/s | p50, ms | p99, ms | longest, ms |\n|---|---|---|---|---|\n",
        effort.rounds, effort.seconds
    );
    for name in destinations.all().map(Destination::name) {
        let of = |part: fn(&Run) -> f64| Spread::of(runs.iter().filter(|run| run.name == name).map(part));
        let row = format!(
            "| {name} | {:.0} | {:.1} | {:.1} | {:.0} |\n",
            of(|run| run.events_per_s),
            of(|run| run.p50_ms),
            of(|run| run.p99_ms),
            of(|run| run.most_ms),
        );
        table.push_str(&row);
    }
    Ok(table)
}

/// Follows a steady org for that time.
pub(crate) fn follow(
    destination: Destination<'_>,
    variant: &Variant<'_>,
    level: &str,
    topic: &str,
    time: Duration,
    cache: &std::path::Path,
) -> anyhow::Result<Run> {
    let org = Org::steady(CHANGES_PER_S)?;
    let mut outlet = destination.outlet(topic)?;
    let settings = variant.over(org.settings(topic, "latest"));
    let mut program = worker::start_with(&settings, variant.lines, level, &outlet, cache)?;
    program.wait_for("subscribed")?;
    let (begin, mut ages_ms) = (Instant::now(), Vec::new());
    while begin.elapsed() < WARM_UP + time {
        let timestamps = outlet.read()?;
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * MILLIS_PER_SECOND;
        if begin.elapsed() >= WARM_UP {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch take 41 bits")]
            ages_ms.extend(timestamps.into_iter().map(|timestamp_ms| now_ms - timestamp_ms as f64));
        }
        if matches!(destination, Destination::Embedded) {
            pause(LOOK);
        }
    }
    program.expect_alive()?;
    let said = program.said();
    program.terminate()?;
    ages_ms.sort_by(f64::total_cmp);
    Ok(Run {
        name: variant.name,
        events_per_s: number(ages_ms.len()) / time.as_secs_f64(),
        p50_ms: percentile(&ages_ms, 0.50),
        p99_ms: percentile(&ages_ms, 0.99),
        most_ms: percentile(&ages_ms, 1.0),
        said,
    })
}
