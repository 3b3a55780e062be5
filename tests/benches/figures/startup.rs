//! From the start of the process to the first record that a reader sees, with a cold and with a warm cache of compiled
//! components. The event waits at the org.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Effort,
    destination::{Destination, Destinations},
    org::{ANSWER_EVENTS, Org},
    stats::Spread,
    worker,
};

const LOOK: Duration = Duration::from_millis(1);
const MILLIS_PER_SECOND: f64 = 1_000.0;

/// Measures every destination by turns.
pub(crate) fn measure(destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let org = Org::prepared(ANSWER_EVENTS)?;
    let mut runs: Vec<(&str, &str, f64)> = Vec::new();
    for round in 0..effort.rounds {
        for (place, destination) in destinations.all().enumerate() {
            let cache = tempfile::tempdir()?;
            for state in ["cold", "warm"] {
                let topic = format!("start-{round}-{place}-{state}");
                runs.push((destination.name(), state, first_record(&org, destination, &topic, cache.path())?));
            }
        }
    }
    let mut table = format!(
        "### Start\n\nFrom the start of the process to the first record that a reader sees, {} rounds by turns:\n\n\
         | to | cold cache, ms | warm cache, ms |\n|---|---|---|\n",
        effort.rounds
    );
    for name in destinations.all().map(Destination::name) {
        let of = |state: &str| {
            Spread::of(runs.iter().filter(|run| (run.0, run.1) == (name, state)).map(|run| run.2 * MILLIS_PER_SECOND))
        };
        table.push_str(&format!("| {name} | {:.0} | {:.0} |\n", of("cold"), of("warm")));
    }
    Ok(table)
}

/// Seconds.
fn first_record(org: &Org, destination: Destination<'_>, topic: &str, cache: &Path) -> anyhow::Result<f64> {
    let mut outlet = destination.outlet(topic)?;
    let begin = Instant::now();
    let mut program = worker::start(&org.settings(topic, "all"), &outlet, cache)?;
    worker::wait_for(1, &mut outlet, &mut program, LOOK)?;
    let seconds = begin.elapsed().as_secs_f64();
    program.terminate()?;
    Ok(seconds)
}
