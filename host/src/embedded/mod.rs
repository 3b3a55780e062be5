//! The embedded log, the default where no Kafka is configured: topics, records and offsets in one SQLite file,
//! `tributary.db` in `tributary.data.dir`. The records of a poll and the offset after them are written in one
//! transaction, so that the end of the process at any instant neither loses nor repeats a record. Every topic has one
//! partition, 0, with dense log offsets from 0. Nothing is ever deleted from it: for an endless run, use Kafka.

mod connectors;
mod database;
mod reader;
mod seal;
mod sink;
mod store;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

pub use reader::{LogReader, LogRecord, Start};
use sink::EmbeddedSink;
pub use sink::POLL_BYTES_MAX;
use store::Store;

use crate::{
    check::Check,
    config::ConnectorConfig,
    offsets::connect_format,
    record::{SourceOffset, SourcePartition},
    sink::{Backend, Opened, SinkError},
    telemetry::TaskMetrics,
};

/// Runs work on the file away from the runtime's own threads.
async fn blocking<T, F>(work: F) -> Result<T, SinkError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, SinkError> + Send + 'static,
{
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|_| SinkError::Unavailable("the work on the embedded log was cut off".to_owned()))?
}

/// The embedded log of a worker. Opened, and locked against other workers, when the first connector writes.
pub struct EmbeddedBackend {
    data_dir: PathBuf,
    store: Arc<Mutex<Option<Arc<Store>>>>,
    /// `tributary.data.key.file`.
    key_file: Option<PathBuf>,
}

impl EmbeddedBackend {
    /// Of the data directory; touches nothing yet.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), store: Arc::default(), key_file: None }
    }

    /// The same, with connectors' configurations encrypted by keys of this file.
    #[must_use]
    pub fn sealed(mut self, key_file: Option<PathBuf>) -> Self {
        self.key_file = key_file;
        self
    }

    /// Where the log is.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    async fn store(&self) -> Result<Arc<Store>, SinkError> {
        let (cell, data_dir) = (Arc::clone(&self.store), self.data_dir.clone());
        blocking(move || {
            let mut cell = cell.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(store) = cell.as_ref() {
                return Ok(Arc::clone(store));
            }
            let store = Arc::new(Store::open(&data_dir)?);
            *cell = Some(Arc::clone(&store));
            Ok(store)
        })
        .await
    }
}

#[async_trait]
impl Backend for EmbeddedBackend {
    async fn open(&self, connector: &ConnectorConfig, metrics: &Arc<TaskMetrics>) -> Result<Opened, SinkError> {
        let store = self.store().await?;
        let (name, metrics) = (connector.name.clone(), Arc::clone(metrics));
        let (sink, committed) = blocking(move || EmbeddedSink::open(store, &name, metrics)).await?;
        Ok(Opened { sink: Box::new(sink), committed })
    }

    async fn offsets(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>, SinkError> {
        let (data_dir, connector) = (self.data_dir.clone(), connector.to_owned());
        blocking(move || store::offsets(&data_dir, &connector)).await
    }

    async fn alter_offset(
        &self,
        connector: &str,
        partition: &SourcePartition,
        offset: Option<&SourceOffset>,
    ) -> Result<(), SinkError> {
        let store = self.store().await?;
        let key = connect_format::key(connector, partition);
        let value = offset.map(connect_format::value);
        // What the source kept beside the old offset says nothing about the new one.
        let state_key = connect_format::state_key(connector);
        blocking(move || {
            store.alter(state_key, None)?;
            store.alter(key, value)
        })
        .await
    }

    async fn preflight(&self, _: &ConnectorConfig, _: &[String]) -> Vec<Check> {
        const NAME: &str = "embedded-log";
        let place = self.data_dir.display();
        // What is not there yet is made below what is.
        let directory = self.data_dir.ancestors().find(|path| path.exists() || path.as_os_str().is_empty());
        let directory = directory.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let usable = std::fs::metadata(directory).is_ok_and(|found| found.is_dir() && !found.permissions().readonly());
        vec![if usable {
            Check::pass(NAME, format!("Records go to the embedded log in {place}: the worker file names no Kafka"))
        } else {
            let message = format!("{} is no directory that can be written", directory.display());
            Check::fail(NAME, message, "Correct tributary.data.dir in the worker file.")
        }]
    }

    fn describe(&self) -> String {
        format!("embedded log in {}", self.data_dir.display())
    }
}

#[cfg(test)]
mod tests;
