//! Resident memory and computing time of a worker whose connector is subscribed and hears nothing. Memory under load is
//! measured with the throughput.

use std::time::Duration;

use crate::{
    Effort,
    destination::{Destination, Destinations},
    org::Org,
    process::pause,
    stats::Spread,
    usage::{self, Resident},
    worker,
};

/// How long it is silent.
const SILENCE: Duration = Duration::from_secs(5);
const MILLIS_PER_SECOND: f64 = 1_000.0;

/// Measures every destination by turns.
pub(crate) fn measure(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let cache = tempfile::tempdir()?;
    let mut runs: Vec<(&str, f64, f64)> = Vec::new();
    let org = Org::steady(0)?;
    // The first turn fills the cache of compiled components and does not count.
    for round in 0..=effort.rounds {
        for (place, destination) in destinations.all().enumerate() {
            let topic = format!("silent-{round}-{place}");
            let outlet = destination.outlet(&topic)?;
            let mut program = worker::start(&org.settings(&topic, "latest"), &outlet, cache.path())?;
            program.wait_for("subscribed")?;
            pause(SILENCE);
            let (before, resident) = (usage::cpu_seconds(program.id())?, Resident::of(program.id())?);
            pause(SILENCE);
            let cpu_ms_per_s = (usage::cpu_seconds(program.id())? - before) * MILLIS_PER_SECOND / SILENCE.as_secs_f64();
            program.expect_alive()?;
            program.terminate()?;
            if round > 0 {
                runs.push((destination.name(), resident.now_mib, cpu_ms_per_s));
            }
        }
    }
    let mut table = format!(
        "### Idle\n\nOne connector, subscribed and silent for {} s, {} rounds by turns:\n\n\
         | to | RSS, MiB | CPU, ms per second |\n|---|---|---|\n",
        SILENCE.as_secs(),
        effort.rounds
    );
    for name in destinations.all().map(Destination::name) {
        let of = |part: fn(&(&str, f64, f64)) -> f64| Spread::of(runs.iter().filter(|run| run.0 == name).map(part));
        table.push_str(&format!("| {name} | {:.1} | {:.1} |\n", of(|run| run.1), of(|run| run.2)));
    }
    Ok(table)
}
