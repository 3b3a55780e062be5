//! From files to what runs: the worker's settings, the component, a connector's configuration, each with all that is to
//! be said about it.

use std::path::Path;

use anyhow::Context as _;

use super::Context;
use crate::{
    config::{ConfigError, ConnectorConfig, Findings, WorkerConfig},
    embedded::EmbeddedBackend,
    engine::{Cache, Catalogue, Engine, Limits, Source},
    kafka::KafkaBackend,
    sink::Backend,
    store::ConnectorStore,
    worker::Validation,
};

/// Reads the worker file, if there is one.
pub(super) fn worker(context: &Context) -> anyhow::Result<(WorkerConfig, Findings)> {
    match &context.common.worker {
        None => Ok((WorkerConfig::default(), Findings::new())),
        Some(path) => {
            let loaded = WorkerConfig::load(path)?;
            Ok((loaded.value, loaded.findings))
        }
    }
}

/// Where records and offsets go, and where the connectors of a service are kept: in the same place.
pub(super) fn backend_and_store(
    worker: &WorkerConfig,
) -> (std::sync::Arc<dyn Backend>, std::sync::Arc<dyn ConnectorStore>) {
    match KafkaBackend::new(worker) {
        Some(kafka) => {
            let kafka = std::sync::Arc::new(kafka);
            (kafka.clone(), kafka)
        }
        None => {
            let embedded =
                std::sync::Arc::new(EmbeddedBackend::new(&worker.data_dir).sealed(worker.data_key_file.clone()));
            (embedded.clone(), embedded)
        }
    }
}

/// Where records and offsets go.
pub(super) fn backend(worker: &WorkerConfig) -> std::sync::Arc<dyn Backend> {
    backend_and_store(worker).0
}

/// Starts the component runtime and loads what the command line or the worker file names.
pub(super) async fn catalogue(
    context: &Context,
    worker: &WorkerConfig,
    connectors: usize,
) -> anyhow::Result<(Engine, Catalogue)> {
    let sources = Source::find(context.common.component.as_deref(), &worker.plugin_path)?;
    let engine = Engine::new(Limits::for_connectors(connectors, worker.instance_memory_max_bytes))?;
    let cache = Cache::of_user(&worker.data_dir);
    let catalogue = Catalogue::load(&engine, &sources, &cache, &context.telemetry).await?;
    Ok((engine, catalogue))
}

/// Reads a connector file and lets its component check it. The findings are the host's and the component's.
pub(super) async fn connector<'a>(
    context: &Context,
    path: &Path,
    worker: &WorkerConfig,
    catalogue: &'a Catalogue,
) -> anyhow::Result<(ConnectorConfig, Validation<'a>)> {
    let (connector, findings) = ConnectorConfig::read(path, worker)?;
    let validation = Validation::of(&connector, findings, worker, catalogue, &context.telemetry).await;
    let validation = validation.with_context(|| path.display().to_string())?;
    Ok((connector, validation))
}

/// The error for a file with findings.
pub(super) fn invalid(path: &Path, findings: Findings) -> ConfigError {
    ConfigError::Invalid { path: path.to_owned(), findings }
}
