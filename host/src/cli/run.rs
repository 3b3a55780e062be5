//! `tributary run`: connectors in the foreground.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::sync::watch;

use super::{Context, Exit, load, tail::Follower};
use crate::{
    config::{Findings, Severity, WorkerConfig},
    engine::Catalogue,
    imports::http::Clients,
    telemetry::{Event, Progress, Screen},
    worker::{self, Task, Validation},
};

/// What `run` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Connector files: JSON, flat or with "config", or Java .properties
    #[arg(value_name = "CONNECTOR", required = true)]
    connectors: Vec<PathBuf>,
    /// Prints the records on stdout as they are committed to the embedded log
    #[arg(long)]
    tail: bool,
}

/// Runs connectors until a signal.
pub(super) async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    // First of all, so that a signal during a long start ends it in good order.
    let stop = signals(context.screen.clone())?;
    let (worker, findings) = load::worker(context)?;
    report(context, "", &findings);
    if arguments.tail && worker.kafka.is_some() {
        bail!("--tail shows the embedded log, and the worker file names Kafka; use kafka-console-consumer there");
    }
    let (_engine, catalogue) = load::catalogue(context, &worker, arguments.connectors.len()).await?;
    let tasks = tasks(context, &arguments.connectors, &worker, &catalogue).await?;
    let total = tasks.len();
    let follower = if arguments.tail { Some(Follower::start(&worker.data_dir, context.screen.clone())?) } else { None };
    let progress = tokio::spawn(Progress::show(context.telemetry.clone(), context.screen.clone()));
    let backend = load::backend(&worker);
    let summary = worker::run(tasks, backend, context.telemetry.clone(), stop.clone()).await;
    progress.abort();
    context.screen.draw("");
    if let Some(follower) = follower {
        tokio::task::block_in_place(|| follower.finish())?;
    }
    let asked = *stop.borrow();
    Ok(if summary.failed == total && !asked { Exit::Refused } else { Exit::Done })
}

/// Reads every file, and says all that is wrong with any of them.
async fn tasks(
    context: &Context,
    paths: &[PathBuf],
    worker: &WorkerConfig,
    catalogue: &Catalogue,
) -> anyhow::Result<Vec<Task>> {
    let clients = Arc::new(Clients::new(&worker.network, &context.telemetry)?);
    let shared_worker = Arc::new(worker.clone());
    let (mut tasks, mut errors) = (Vec::new(), Vec::new());
    let mut names: BTreeMap<String, &Path> = BTreeMap::new();
    for path in paths {
        let (connector, Validation { known, mut findings, .. }) =
            match load::connector(context, path, worker, catalogue).await {
                Ok(loaded) => loaded,
                Err(error) => {
                    errors.push(format!("{error:#}"));
                    continue;
                }
            };
        if let Some(other) = names.insert(connector.name.clone(), path) {
            let reason = format!("is also the name of the connector in {}", other.display());
            findings.error("name", Some(&connector.name), reason, "Give each connector its own name.");
        }
        match known {
            Some((component, description)) if !findings.has_errors() => {
                report(context, &connector.name, &findings);
                let allow = worker::allow_list(worker, description).with_context(|| component.origin().to_owned())?;
                let (component, description) = (component.clone(), description.clone());
                let (worker, clients) = (Arc::clone(&shared_worker), Arc::clone(&clients));
                tasks.push(Task { component, description, connector, worker, clients, allow });
            }
            _ => errors.push(load::invalid(path, findings).to_string()),
        }
    }
    if errors.is_empty() { Ok(tasks) } else { bail!(errors.join("\n")) }
}

/// Warnings, and what has no effect, once at the start.
pub(super) fn report(context: &Context, connector: &str, findings: &Findings) {
    for finding in findings.iter() {
        let (property, text) = (finding.property.clone(), finding.to_string());
        let event = match finding.severity {
            Severity::Ignored => Event::ConfigIgnored { property, text },
            Severity::Warning | Severity::Error => Event::ConfigWarning { property, text },
        };
        context.telemetry.emit(connector, &event);
    }
}

/// Becomes true with the first SIGINT or SIGTERM; the second one ends the process.
pub(super) fn signals(screen: Screen) -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    /// What a shell shows for a process that a signal has ended.
    const SIGNAL_EXIT: i32 = 128;
    /// `timeout`, a shell or a supervisor may signal both the process and its group: that is one wish, not two.
    const SAME_WISH: Duration = Duration::from_millis(500);
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
            }
        };
        next().await;
        // An error means that everything has ended already.
        let _ = stop.send(true);
        let first = Instant::now();
        loop {
            let again = next().await;
            if first.elapsed() >= SAME_WISH {
                screen.draw("");
                std::process::exit(SIGNAL_EXIT + again.as_raw_value());
            }
        }
    });
    Ok(stopped)
}
