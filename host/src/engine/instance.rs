//! One life of a component: a store, and the calls of the `source` interface. After a trap the instance refuses every
//! further call; it is dropped and a new one made.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use wasmtime::{Store, Trap};

use super::{
    component::Component,
    contract::{ConfigValue, Conversion, Description, Failure, PreflightProgress, Progress},
    limits::{IMPORT_CALL_BYTES_MAX, Limiter},
    state::HostState,
    ticker::{self, ComputeExceeded, Meter},
};
use crate::{
    bindings::SourceConnector,
    convert,
    imports::{
        http::{Client, Outgoing},
        producer::Producer,
        telemetry::{Mask, Voice},
    },
    record::{SourceOffset, SourcePartition},
    sink::{Sink, SinkError},
    telemetry::Telemetry,
};

/// A component ended in the middle of a call. The text names the likely reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trapped(pub String);

/// Why a call gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The component says so. The instance may still be closed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The instance is of no use any more.
    #[error(transparent)]
    Trapped(#[from] Trapped),
}

/// What an instance is made with.
pub struct InstanceParts {
    /// The connector, for logs and metrics.
    pub connector: Arc<str>,
    /// Where its records go; none for an instance that is only asked about itself.
    pub sink: Option<Box<dyn Sink>>,
    /// Becomes true when the task shall stop.
    pub stop: watch::Receiver<bool>,
    /// How it connects; none for an instance that may not.
    pub client: Option<Arc<Client>>,
    /// Where its log lines and metrics go.
    pub telemetry: Telemetry,
    /// Texts that must not be seen.
    pub secrets: Vec<String>,
}

impl InstanceParts {
    /// For an instance that is only asked about itself.
    #[must_use]
    pub fn for_questions(telemetry: Telemetry, secrets: Vec<String>) -> Self {
        // Nothing watches: such an instance has nothing that could be stopped.
        let (_, stop) = watch::channel(false);
        Self { connector: Arc::from(""), sink: None, stop, client: None, telemetry, secrets }
    }
}

/// A running component.
pub struct Instance {
    store: Store<HostState>,
    source: SourceConnector,
    dead: bool,
}

impl Instance {
    /// Makes an instance.
    ///
    /// # Errors
    /// When it traps while it starts, or there is no room for another one. The sink comes back with the error.
    pub async fn new(component: &Component, parts: InstanceParts) -> Result<Self, (Trapped, Option<Box<dyn Sink>>)> {
        let InstanceParts { connector, sink, stop, client, telemetry, secrets } = parts;
        // An instance that is only asked about itself has no name, and nothing of it is shown.
        let metrics = if connector.is_empty() { Arc::default() } else { telemetry.progress.metrics(&connector) };
        let outgoing = Outgoing::new(Arc::clone(&connector), client, telemetry.clone(), Arc::clone(&metrics));
        let voice = Voice::new(connector, telemetry, Mask::new(secrets));
        let limiter = Limiter::new(component.limits().memory_bytes_max, Arc::clone(&metrics));
        let meter = Meter::new(metrics);
        let state = HostState::new(outgoing, Producer::new(sink, stop), voice, limiter, meter);
        let mut store = Store::new(component.engine(), state);
        store.limiter(|state| state.limiter());
        store.set_hostcall_fuel(IMPORT_CALL_BYTES_MAX);
        ticker::watch(&mut store, HostState::meter);
        match component.pre().instantiate_async(&mut store).await {
            Ok(source) => Ok(Self { store, source, dead: false }),
            Err(error) => {
                let trapped = trapped(&mut store, &error);
                Err((trapped, store.data_mut().producer_mut().take_sink()))
            }
        }
    }

    /// What the component is.
    ///
    /// # Errors
    /// A trap.
    pub async fn describe(&mut self) -> Result<Description, Trapped> {
        self.begin()?;
        let result = self.source.tributary_connector_source().call_describe(&mut self.store).await;
        self.end(result).map(convert::description)
    }

    /// Checks a configuration.
    ///
    /// # Errors
    /// A trap.
    pub async fn validate(&mut self, config: &[(String, String)]) -> Result<Vec<ConfigValue>, Trapped> {
        self.begin()?;
        let result = self.source.tributary_connector_source().call_validate(&mut self.store, config).await;
        let values = self.end(result)?;
        let voice = self.store.data().voice();
        let hide = |texts: &mut Vec<String>| texts.iter_mut().for_each(|text| *text = voice.hide(text));
        Ok(values
            .into_iter()
            .map(|value| {
                let mut value = convert::config_value(value);
                hide(&mut value.errors);
                hide(&mut value.warnings);
                value
            })
            .collect())
    }

    /// Checks a partition and an offset that a person gave; the inner error is a sentence for that person.
    ///
    /// # Errors
    /// A trap.
    pub async fn validate_offset(
        &mut self,
        partition: &SourcePartition,
        offset: Option<&SourceOffset>,
    ) -> Result<Result<(), String>, Trapped> {
        self.begin()?;
        let partition = convert::partition_to_guest(partition);
        let offset = offset.map(convert::offset_to_guest);
        let source = self.source.tributary_connector_source();
        let result = source.call_validate_offset(&mut self.store, &partition, offset.as_ref()).await;
        self.end(result)
    }

    /// What a configuration makes of events, without the far side.
    ///
    /// # Errors
    /// See `CallError`.
    pub async fn convert(
        &mut self,
        config: &[(String, String)],
        schema: Option<&[u8]>,
        events: &[String],
    ) -> Result<Vec<Conversion>, CallError> {
        self.begin()?;
        let source = self.source.tributary_connector_source();
        let result = source.call_convert(&mut self.store, config, schema, events).await;
        let made = self.end(result)?.map_err(|failure| self.failure(failure))?;
        Ok(made.into_iter().map(convert::conversion).collect())
    }

    /// Prepares the instance.
    ///
    /// # Errors
    /// See `CallError`.
    pub async fn configure(
        &mut self,
        config: &[(String, String)],
        committed: Option<&SourceOffset>,
    ) -> Result<(), CallError> {
        self.begin()?;
        let committed = committed.map(convert::offset_to_guest);
        let source = self.source.tributary_connector_source();
        let result = source.call_configure(&mut self.store, config, committed.as_ref()).await;
        self.end(result)?.map_err(|failure| self.failure(failure))
    }

    /// Lets the component work for about `max_wait`.
    ///
    /// # Errors
    /// See `CallError`; an error of the sink, which comes first, is in `take_sink_error`.
    pub async fn poll(&mut self, max_wait: Duration) -> Result<Progress, CallError> {
        self.begin()?;
        self.store.data_mut().producer_mut().set_open(true);
        let source = self.source.tributary_connector_source();
        let result = source.call_poll(&mut self.store, millis(max_wait)).await;
        self.store.data_mut().producer_mut().set_open(false);
        self.end(result)?.map(convert::progress).map_err(|failure| self.failure(failure))
    }

    /// Lets the component look at what a start needs, for about `max_wait`.
    ///
    /// # Errors
    /// See `CallError`.
    pub async fn preflight(&mut self, max_wait: Duration) -> Result<PreflightProgress, CallError> {
        self.begin()?;
        let source = self.source.tributary_connector_source();
        let result = source.call_preflight(&mut self.store, millis(max_wait)).await;
        let mut progress = self.end(result)?.map(convert::preflight).map_err(|failure| self.failure(failure))?;
        let voice = self.store.data().voice();
        for check in &mut progress.checks {
            check.message = voice.hide(&check.message);
            check.remedy = voice.hide(&check.remedy);
        }
        Ok(progress)
    }

    /// Tells the component that an offset is durable.
    ///
    /// # Errors
    /// See `CallError`.
    pub async fn commit_offset(&mut self, offset: &SourceOffset) -> Result<(), CallError> {
        self.begin()?;
        let offset = convert::offset_to_guest(offset);
        let result = self.source.tributary_connector_source().call_commit_offset(&mut self.store, &offset).await;
        self.end(result)?.map_err(|failure| self.failure(failure))
    }

    /// Lets the component say goodbye, for at most about `max_wait`.
    ///
    /// # Errors
    /// A trap.
    pub async fn close(&mut self, max_wait: Duration) -> Result<(), Trapped> {
        self.begin()?;
        let result = self.source.tributary_connector_source().call_close(&mut self.store, millis(max_wait)).await;
        self.end(result)
    }

    /// The sink, for what the worker does with it between calls.
    pub fn sink_mut(&mut self) -> Option<&mut Box<dyn Sink>> {
        self.store.data_mut().producer_mut().sink_mut()
    }

    /// Takes the sink away.
    pub fn take_sink(&mut self) -> Option<Box<dyn Sink>> {
        self.store.data_mut().producer_mut().take_sink()
    }

    /// The error that the component's `send` met, if it did.
    pub fn take_sink_error(&mut self) -> Option<SinkError> {
        self.store.data_mut().producer_mut().take_error()
    }

    /// Topics that the instance has written to, in the order of their first records.
    #[must_use]
    pub fn topics(&self) -> &[String] {
        self.store.data().producer().topics()
    }

    /// The newest timestamp among the records sent, milliseconds since the epoch.
    #[must_use]
    pub fn newest_timestamp_ms(&self) -> Option<i64> {
        self.store.data().producer().newest_timestamp_ms()
    }

    /// Marks the start of a call. Until `end` marks its end the instance counts as dead, so that a call whose future was
    /// dropped halfway leaves an instance that cannot be used again.
    fn begin(&mut self) -> Result<(), Trapped> {
        if self.dead {
            return Err(Trapped("the instance has ended before".to_owned()));
        }
        self.dead = true;
        self.store.data_mut().meter().start_call();
        self.store.set_epoch_deadline(1);
        Ok(())
    }

    fn end<T>(&mut self, result: wasmtime::Result<T>) -> Result<T, Trapped> {
        match result {
            Ok(value) => {
                self.dead = false;
                Ok(value)
            }
            Err(error) => Err(trapped(&mut self.store, &error)),
        }
    }

    fn failure(&self, failure: crate::bindings::types::Failure) -> CallError {
        let voice = self.store.data().voice();
        let mut failure = convert::failure(failure);
        failure.message = voice.hide(&failure.message);
        failure.code = voice.hide(&failure.code);
        CallError::Failure(failure)
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// Says what ended an instance; the whole story, with the guest's stack, goes to the debug log.
fn trapped(store: &mut Store<HostState>, error: &wasmtime::Error) -> Trapped {
    tracing::debug!(target: "tributary", error = format!("{error:?}"), "a component trapped");
    if let Some(exceeded) = error.downcast_ref::<ComputeExceeded>() {
        return Trapped(format!("the component was stopped: {exceeded}"));
    }
    let reason = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    match store.data_mut().limiter().refused() {
        Some(refused) => Trapped(format!("the component ran out of memory: {refused} ({reason})")),
        None => Trapped(format!("the component trapped: {reason}")),
    }
}
