//! `make figures`: measures what `docs/figures.md` states, on the release programs and on the simulator's prepared
//! events, and prints it as Markdown. What is compared is measured by turns in one run, several rounds each.
//!
//! `cargo bench -p tributary-figures -- [FIGURE...] [--rounds N] [--events N] [--seconds N] [--component FILE]...`; the
//! components named are measured beside the built one where the sandbox is.

mod bare;
#[path = "../../it/broker.rs"]
#[expect(dead_code, reason = "shared with the integration tests, which do more to a broker")]
mod broker;
mod destination;
mod formats;
mod guarantee;
#[path = "../../it/http.rs"]
mod http;
mod latency;
mod machine;
mod memory;
mod native;
mod org;
mod process;
#[path = "../../it/registry.rs"]
#[expect(dead_code, reason = "shared with the integration tests, which do more with a registry")]
mod registry;
mod sandbox;
mod service;
mod size;
mod startup;
mod stats;
mod throughput;
mod usage;
mod worker;
mod workers;

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context as _, bail};

use destination::Destinations;

/// How much is measured.
pub(crate) struct Effort {
    /// Rounds of each comparison.
    pub(crate) rounds: usize,
    /// Events of one run at full speed.
    pub(crate) events: usize,
    /// Seconds of one run at a steady rate.
    pub(crate) seconds: u64,
    /// Components to compare with the built one.
    pub(crate) components: Vec<PathBuf>,
}

/// A figure: its name on the command line, and what measures it.
type Figure = (&'static str, fn(&Destinations, &Effort) -> anyhow::Result<String>);

const FIGURES: [Figure; 11] = [
    ("size", |_, _| size::measure()),
    ("throughput", throughput::measure),
    ("formats", formats::measure),
    ("exactly-once", throughput::measure_exactly_once),
    ("delivery", guarantee::measure),
    ("service", service::measure),
    ("workers", workers::measure),
    ("sandbox", |_, effort| sandbox::measure(effort)),
    ("latency", latency::measure),
    ("memory", memory::measure),
    ("startup", startup::measure),
];

fn main() -> anyhow::Result<()> {
    let (names, effort) = arguments()?;
    let destinations = Destinations::start()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}\n", machine::describe()?)?;
    for (name, measure) in FIGURES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            writeln!(out, "{}", measure(&destinations, &effort).with_context(|| name)?)?;
            out.flush()?;
        }
    }
    Ok(())
}

fn arguments() -> anyhow::Result<(Vec<String>, Effort)> {
    let mut names = Vec::new();
    let mut effort = Effort { rounds: 5, events: 200_000, seconds: 15, components: Vec::new() };
    // Cargo adds `--bench` of its own accord.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let mut number = || -> anyhow::Result<usize> {
            let text = words.next().with_context(|| format!("{word} takes a number"))?;
            text.parse().ok().filter(|number| *number > 0).with_context(|| format!("{word} {text} is no number"))
        };
        match word.as_str() {
            "--rounds" => effort.rounds = number()?,
            "--events" => effort.events = number()?,
            "--seconds" => effort.seconds = number()?.try_into()?,
            "--component" => effort.components.push(words.next().context("--component takes a file")?.into()),
            name if FIGURES.iter().any(|(figure, _)| *figure == name) => names.push(name.to_owned()),
            other => bail!("{other} is none of the figures {}", FIGURES.map(|(name, _)| name).join(", ")),
        }
    }
    Ok((names, effort))
}
