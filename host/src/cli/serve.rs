//! `tributary serve`: connectors as a service, made and watched over Kafka Connect's REST API.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use clap::Args;

use super::{Context, Exit, load, run};
use crate::{
    exposition::Otlp,
    herder::{Herder, Parts},
    imports::http::Clients,
    rest::Server,
    telemetry::{Event, Progress},
};

/// What `serve` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the REST API listens [default: listeners of the worker file, else 127.0.0.1:8083]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Connectors whose memory is set aside; more find a place as long as there is memory.
const CONNECTORS_EXPECTED: usize = 64;

/// Serves until a signal.
pub(super) async fn serve(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let stop = run::signals(context.screen.clone())?;
    let (worker, findings) = load::worker(context)?;
    run::report(context, "", &findings);
    let mut rest = worker.rest.clone();
    rest.address = arguments.listen.unwrap_or(rest.address);
    let otlp = Otlp::of_environment().map_err(|reason| anyhow::anyhow!(reason))?;
    let server = Server::bind(&rest).await?;
    let (_engine, catalogue) = load::catalogue(context, &worker, CONNECTORS_EXPECTED).await?;
    let clients = Arc::new(Clients::new(&worker.network, &context.telemetry)?);
    let (backend, store) = load::backend_and_store(&worker);
    let telemetry = context.telemetry.clone();
    let worker_id = server.worker_id();
    let parts = Parts { worker: Arc::new(worker), catalogue, backend, store, clients, telemetry, worker_id };
    let herder = Herder::new(parts);
    context.telemetry.emit("", &Event::Listening { url: server.url() });
    let progress = tokio::spawn(Progress::show(context.telemetry.clone(), context.screen.clone()));
    let sending = otlp.map(|otlp| tokio::spawn(otlp.run(Arc::downgrade(&herder))));
    let serving = tokio::spawn(server.serve(Arc::clone(&herder), stop.clone()));
    let ended = herder.run(stop).await.context("the connectors cannot be run");
    serving.abort();
    if let Some(sending) = sending {
        sending.abort();
    }
    progress.abort();
    context.screen.draw("");
    ended.map(|()| Exit::Done)
}
