//! `Herder`: the connectors of this worker. Every change goes to the store first and takes effect then, so that after a
//! crash either the old or the new is there. Changes come one after the other; questions wait for nobody.
//!
//! Of the workers that share a store one has the duty (`Duty`). A herder without it has no connectors: it reads them when it
//! takes the duty up, and ends and forgets them when it lets go.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

use super::{
    error::HerderError,
    recorder::{Recorder, Recording},
    state::{Action, Event, Machine},
};
use crate::{
    config::{
        ConnectorConfig, MASK, WorkerConfig, is_secret_name,
        keys::{self, Kind},
    },
    engine::{Catalogue, Component, Description, Instance, InstanceParts},
    imports::http::Clients,
    record::{SourceOffset, SourcePartition},
    sink::{Backend, SinkError},
    store::{ConnectorStore, Duty, GivenConfig, StoredConnector, TargetState, class_of},
    telemetry::{Event as Fact, Standing, Telemetry},
    worker::{Task, TaskEnd, Validation, allow_list, is_secret},
};

/// How long a change waits for a task to end; a task promises to need no longer.
const HALT_WITHIN: Duration = Duration::from_secs(12);
/// From the signal to stop to the end of every task.
const END_WITHIN: Duration = Duration::from_millis(9_000);
/// After a task was fenced while this worker has the duty. Longer than another one needs to see that it has it no more.
const AFTER_FENCED: Duration = Duration::from_secs(5);
/// How long somebody waits who asks for the cluster's id.
const CLUSTER_ID_WITHIN: Duration = Duration::from_secs(5);
/// How long it is believed who the active worker is, and that nobody is.
const ACTIVE_KNOWN_FOR: Duration = Duration::from_secs(5);
const NOBODY_KNOWN_FOR: Duration = Duration::from_millis(250);

/// What the herder works with.
pub struct Parts {
    /// The worker's settings.
    pub worker: Arc<WorkerConfig>,
    /// The components at hand.
    pub catalogue: Catalogue,
    /// Where records and offsets go.
    pub backend: Arc<dyn Backend>,
    /// Where the connectors are kept.
    pub store: Arc<dyn ConnectorStore>,
    /// How connectors connect.
    pub clients: Arc<Clients>,
    /// Where facts go.
    pub telemetry: Telemetry,
    /// `worker_id` in a status: host and port of this worker.
    pub worker_id: String,
}

/// What this worker is among those that share its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has no place among them: not yet, or not any more.
    Joining,
    /// It runs the connectors.
    Active,
    /// Another one does.
    Standby,
}

/// See the module.
pub struct Herder {
    parts: Parts,
    connectors: Mutex<BTreeMap<String, Entry>>,
    role: watch::Sender<Role>,
    /// Who was active when that was last looked up, and when.
    active_elsewhere: AsyncMutex<Option<(Instant, Option<String>)>>,
    cluster_id: OnceLock<String>,
    /// Lives of tasks that were begun.
    lives: AtomicU64,
    /// Held for the length of a change.
    changing: AsyncMutex<()>,
    /// Something about a connector is another than before.
    changed: watch::Sender<()>,
    recorder: Mutex<Option<(watch::Sender<Recording>, JoinHandle<()>)>>,
    me: Weak<Self>,
}

struct Entry {
    config: GivenConfig,
    machine: Machine,
    /// Asks the task's life to end.
    stop: Option<watch::Sender<bool>>,
    /// Which life that is: one that was late to end has nothing to say about the next.
    life: u64,
    /// It is gone for everybody who asks; its task's last life has not ended yet.
    deleted: bool,
}

impl Entry {
    /// A connector of which this is wanted, and the first action.
    fn new(config: GivenConfig, target: TargetState) -> (Self, Option<Action>) {
        let (machine, action) = Machine::new(target);
        (Self { config, machine, stop: None, life: 0, deleted: false }, action)
    }
}

/// A connector as it is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Its configuration, as it was given.
    pub config: GivenConfig,
    /// Its state in Kafka Connect's words, and why it failed.
    pub state: (&'static str, Option<String>),
    /// Its task's state, if there is a task.
    pub task: Option<(&'static str, Option<String>)>,
    /// Version of the component; `None` when no component knows the class.
    pub version: Option<String>,
    /// How far the task is.
    pub standing: Standing,
}

impl Herder {
    /// Without connectors until it takes up the duty.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            parts,
            connectors: Mutex::default(),
            role: watch::Sender::new(Role::Joining),
            active_elsewhere: AsyncMutex::default(),
            cluster_id: OnceLock::new(),
            lives: AtomicU64::new(0),
            changing: AsyncMutex::default(),
            changed: watch::Sender::new(()),
            recorder: Mutex::default(),
            me: Weak::clone(me),
        })
    }

    /// What this worker is among those that share its store.
    #[must_use]
    pub fn role(&self) -> Role {
        *self.role.borrow()
    }

    /// Waits until it is this worker that runs the connectors.
    pub async fn active(&self) {
        // It never ends in an error, as the sender is here.
        let _ = self.role.subscribe().wait_for(|role| *role == Role::Active).await;
    }

    /// Takes its turns among the workers that share the store, until `stop` becomes true.
    ///
    /// # Errors
    /// Why it cannot: the connectors cannot be read, or the group of workers does not take it.
    pub async fn run(self: &Arc<Self>, stop: watch::Receiver<bool>) -> Result<(), SinkError> {
        let duty: Arc<dyn Duty> = Arc::clone(self) as Arc<dyn Duty>;
        self.parts.store.take_part(duty, stop).await
    }

    /// Why somebody who asks for connectors is asked to go elsewhere; nothing when they are here.
    pub async fn elsewhere(&self) -> Option<HerderError> {
        match self.role() {
            Role::Active => None,
            Role::Joining => Some(HerderError::Joining),
            Role::Standby => Some(HerderError::Standby(self.active_elsewhere().await)),
        }
    }

    /// The active worker may be another than a moment ago.
    pub async fn look_again(&self) {
        *self.active_elsewhere.lock().await = None;
    }

    /// The worker that noted last that it has connectors; looked up at intervals, as it is asked for by everybody who asks.
    async fn active_elsewhere(&self) -> Option<String> {
        let mut known = self.active_elsewhere.lock().await;
        let is_fresh = |(when, worker): &&(Instant, Option<String>)| {
            when.elapsed() < if worker.is_some() { ACTIVE_KNOWN_FOR } else { NOBODY_KNOWN_FOR }
        };
        if let Some((_, worker)) = known.as_ref().filter(is_fresh) {
            return worker.clone();
        }
        let status = self.parts.store.load_status().await.unwrap_or_default();
        let worker = Recorder::new(self.parts.worker_id.clone(), status).active();
        *known = Some((Instant::now(), worker.clone()));
        worker
    }

    /// The worker's settings.
    #[must_use]
    pub fn worker(&self) -> &WorkerConfig {
        &self.parts.worker
    }

    /// The components at hand.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.parts.catalogue
    }

    /// Where facts go.
    #[must_use]
    pub fn telemetry(&self) -> &Telemetry {
        &self.parts.telemetry
    }

    pub(super) fn store(&self) -> &dyn ConnectorStore {
        &*self.parts.store
    }

    /// `worker_id` in a status.
    #[must_use]
    pub fn worker_id(&self) -> &str {
        &self.parts.worker_id
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ready(&self) -> Result<(), SinkError> {
        self.parts.store.ready().await
    }

    /// The id of the cluster that the worker writes to; in words where there is none, or as long as it does not answer.
    pub async fn cluster_id(&self) -> String {
        if let Some(id) = self.cluster_id.get() {
            return id.clone();
        }
        match timeout(CLUSTER_ID_WITHIN, self.parts.backend.cluster_id()).await.ok().flatten() {
            Some(id) => self.cluster_id.get_or_init(|| id).clone(),
            None => self.parts.backend.describe(),
        }
    }

    /// The right to change something, which one has at a time, and none while another worker has the duty.
    async fn change(&self) -> Result<AsyncMutexGuard<'_, ()>, HerderError> {
        let changing = self.changing.lock().await;
        self.elsewhere().await.map_or(Ok(changing), Err)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.connectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: String, config: GivenConfig, target: TargetState) {
        let (entry, action) = Entry::new(config, target);
        {
            let mut connectors = self.lock();
            // A change that began when this worker still had the duty. It is in the store, for the one that has it now.
            if self.role() != Role::Active {
                return;
            }
            connectors.insert(name.clone(), entry);
        }
        self.perform(&name, action);
    }

    /// Something happened to a connector.
    fn tell(&self, name: &str, event: Event) {
        let (action, paused) = match self.lock().get_mut(name) {
            Some(entry) => {
                let action = entry.machine.on(event);
                (action, matches!(entry.machine.task(""), Some(("PAUSED", _))))
            }
            None => return,
        };
        if paused {
            self.parts.telemetry.progress.metrics(name).enter("PAUSED");
        }
        self.perform(name, action);
    }

    /// The same of a life of its task, if it is still the last one.
    fn tell_of(&self, name: &str, life: u64, event: Event) {
        let is_last = self.lock().get(name).is_some_and(|entry| entry.life == life);
        if is_last {
            self.tell(name, event);
        }
    }

    fn perform(&self, name: &str, action: Option<Action>) {
        match action {
            Some(Action::Start) => self.begin(name),
            Some(Action::Halt) => {
                if let Some(stop) = self.lock().get_mut(name).and_then(|entry| entry.stop.take()) {
                    // An error means that it has ended by itself, which it will tell.
                    let _ = stop.send(true);
                }
            }
            Some(Action::Forget) => {
                self.lock().remove(name);
                self.parts.telemetry.progress.forget(name);
                self.parts.telemetry.metrics.forget(name);
            }
            None => {}
        }
        self.changed.send_replace(());
    }

    /// Begins a life of the task.
    fn begin(&self, name: &str) {
        let (stop, stopped) = watch::channel(false);
        let life = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
        let config = match self.lock().get_mut(name) {
            Some(entry) => {
                (entry.stop, entry.life) = (Some(stop), life);
                entry.config.clone()
            }
            None => return,
        };
        let (me, name) = (Weak::clone(&self.me), name.to_owned());
        tokio::spawn(async move {
            let Some(herder) = me.upgrade() else { return };
            let mut fenced = false;
            let metrics = Arc::clone(&herder.parts.telemetry.metrics);
            metrics.add("connector_startup_attempts_total", &[], 1);
            let event = match herder.task(&name, &config).await {
                Err(reason) => Event::Refused(reason),
                Ok(task) => {
                    metrics.add("connector_startup_success_total", &[], 1);
                    let (backend, telemetry) = (Arc::clone(&herder.parts.backend), herder.parts.telemetry.clone());
                    drop(herder);
                    match tokio::spawn(async move { task.run(&*backend, &telemetry, stopped).await }).await {
                        Ok(TaskEnd::Stopped) => Event::Halted,
                        Ok(TaskEnd::Failed(reason)) => Event::Failed(reason),
                        // Kafka Connect has no word for it; its tools know FAILED.
                        Ok(TaskEnd::Fenced(reason)) => {
                            fenced = true;
                            Event::Failed(format!("FENCED, another owner took over: {reason}"))
                        }
                        Err(error) => Event::Failed(format!("a defect of the host: {error}")),
                    }
                }
            };
            let Some(herder) = me.upgrade() else { return };
            herder.tell_of(&name, life, event);
            // The group says which worker runs a connector, not who came last: that may have been a worker that was late to let
            // go. Whoever has the duty no more has no connector of that name, and one that is wanted otherwise stays so.
            if fenced && herder.role() == Role::Active {
                let reason = "it was fenced, and this worker is the one that runs the connectors".to_owned();
                herder.parts.telemetry.emit(&name, &Fact::Restarting { reason, after: AFTER_FENCED });
                drop(herder);
                tokio::time::sleep(AFTER_FENCED).await;
                if let Some(herder) = me.upgrade() {
                    herder.tell_of(&name, life, Event::Retry);
                }
            }
        });
    }

    /// The task of a configuration, or what is wrong with it now.
    async fn task(&self, name: &str, config: &GivenConfig) -> Result<Task, String> {
        let Parts { worker, catalogue, clients, telemetry, .. } = &self.parts;
        let (connector, findings) = ConnectorConfig::of_given(given(name, config), worker);
        let validation = Validation::of(&connector, findings, worker, catalogue, telemetry).await;
        let Validation { known, findings, .. } = validation.map_err(|error| error.to_string())?;
        let Some((component, description)) = known.filter(|_| !findings.has_errors()) else {
            let errors: Vec<String> =
                findings.iter().filter(|finding| finding.is_error()).map(ToString::to_string).collect();
            return Err(errors.join("\n"));
        };
        let allow = allow_list(worker, description).map_err(|error| error.to_string())?;
        let (component, description) = (component.clone(), description.clone());
        let (worker, clients) = (Arc::clone(worker), Arc::clone(clients));
        Ok(Task { component, description, connector, worker, clients, allow })
    }

    /// Names of the connectors.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().iter().filter(|(_, entry)| !entry.deleted).map(|(name, _)| name.clone()).collect()
    }

    /// Every connector.
    #[must_use]
    pub fn all(&self) -> Vec<Shown> {
        self.names().iter().filter_map(|name| self.shown(name)).collect()
    }

    /// One connector.
    #[must_use]
    pub fn shown(&self, name: &str) -> Option<Shown> {
        let standing = self.parts.telemetry.progress.of(name);
        let connectors = self.lock();
        let entry = connectors.get(name).filter(|entry| !entry.deleted)?;
        let owned = |(state, trace): (&'static str, Option<&str>)| (state, trace.map(str::to_owned));
        let task = entry.machine.task(standing.state).map(owned);
        Some(Shown {
            name: name.to_owned(),
            config: entry.config.clone(),
            state: owned(entry.machine.connector()),
            task: task.map(|(state, trace)| (state, trace.or_else(|| standing.trace.clone()))),
            version: self
                .parts
                .catalogue
                .find(class_of(&entry.config))
                .ok()
                .map(|(_, description)| description.version.clone()),
            standing,
        })
    }

    /// One connector, which is asked for by its name.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn find(&self, name: &str) -> Result<Shown, HerderError> {
        self.shown(name).ok_or_else(|| HerderError::NotFound(name.to_owned()))
    }

    /// What is wanted of a connector, if it is there.
    fn target(&self, name: &str) -> Option<TargetState> {
        self.lock().get(name).filter(|entry| !entry.deleted).map(|entry| entry.machine.target())
    }

    /// A configuration for those who ask: its secrets are masked, references to them are not.
    #[must_use]
    pub fn masked(&self, config: &GivenConfig) -> GivenConfig {
        let mask = |(name, value): (&String, &Option<String>)| {
            let hidden = value.as_ref().is_some_and(|value| !value.is_empty() && !is_reference(value))
                && self.is_secret(config, name);
            (name.clone(), if hidden { Some(MASK.to_owned()) } else { value.clone() })
        };
        config.iter().map(mask).collect()
    }

    /// A configuration from somebody who has seen a masked one: what is still masked stays as it was.
    #[must_use]
    pub fn unmasked(&self, name: &str, mut config: GivenConfig) -> GivenConfig {
        let connectors = self.lock();
        let Some(before) = connectors.get(name).filter(|entry| !entry.deleted).map(|entry| &entry.config) else {
            return config;
        };
        for (key, value) in &mut config {
            if value.as_deref() == Some(MASK) && self.is_secret(before, key) {
                *value = before.get(key).cloned().flatten();
            }
        }
        config
    }

    fn is_secret(&self, config: &GivenConfig, name: &str) -> bool {
        let of_component = match self.parts.catalogue.find(class_of(config)) {
            Ok((_, description)) => is_secret(description, name),
            Err(_) => is_secret_name(name),
        };
        of_component || keys::find(name).is_some_and(|key| key.kind == Kind::Password)
    }

    /// Makes a connector. With offsets it begins there: they are written before it exists, so that it is never seen without
    /// them.
    ///
    /// # Errors
    /// There is one of that name, the component refuses an offset, or the store refuses.
    pub async fn create(
        &self,
        name: &str,
        config: GivenConfig,
        target: TargetState,
        offsets: Option<&[(SourcePartition, Option<SourceOffset>)]>,
    ) -> Result<Shown, HerderError> {
        let _changing = self.change().await?;
        if self.shown(name).is_some() {
            return Err(HerderError::Exists(name.to_owned()));
        }
        // One of that name may still be on its way out.
        self.wait(name, |entry| entry.is_none()).await?;
        if offsets.is_some() {
            self.write_offsets(name, &config, offsets).await?;
        }
        self.store_new(name, &config, target).await?;
        self.add(name.to_owned(), config, target);
        self.changed(name).await
    }

    /// Gives a connector another configuration, or makes one. The second value tells whether it was made.
    ///
    /// # Errors
    /// The store refuses.
    pub async fn configure(&self, name: &str, config: GivenConfig) -> Result<(Shown, bool), HerderError> {
        let changing = self.change().await?;
        let Some(target) = self.target(name) else {
            drop(changing);
            return Ok((self.create(name, config, TargetState::Started, None).await?, true));
        };
        self.store_new(name, &config, target).await?;
        if let Some(entry) = self.lock().get_mut(name) {
            entry.config = config;
        }
        self.tell(name, Event::Configure);
        Ok((self.changed(name).await?, false))
    }

    /// A connector that was just changed. When the duty went to another worker meanwhile it is there.
    async fn changed(&self, name: &str) -> Result<Shown, HerderError> {
        match (self.shown(name), self.elsewhere().await) {
            (Some(shown), _) => Ok(shown),
            (None, Some(elsewhere)) => Err(elsewhere),
            (None, None) => Err(HerderError::NotFound(name.to_owned())),
        }
    }

    async fn store_new(&self, name: &str, config: &GivenConfig, target: TargetState) -> Result<(), HerderError> {
        let stored = StoredConnector { name: name.to_owned(), config: config.clone(), target };
        Ok(self.parts.store.put(&stored).await?)
    }

    /// Pauses, resumes or stops a connector.
    ///
    /// # Errors
    /// There is none of that name, or the store refuses.
    pub async fn want(&self, name: &str, target: TargetState) -> Result<(), HerderError> {
        let _changing = self.change().await?;
        let before = self.target(name).ok_or_else(|| HerderError::NotFound(name.to_owned()))?;
        if before != target {
            self.parts.store.put_target(name, target).await?;
            if target == TargetState::Paused {
                self.parts.telemetry.emit(name, &Fact::Paused);
            }
        }
        self.tell(name, Event::Want(target));
        Ok(())
    }

    /// Starts the task anew, where one is wanted.
    ///
    /// # Errors
    /// There is no connector of that name.
    pub async fn restart(&self, name: &str) -> Result<(), HerderError> {
        let _changing = self.change().await?;
        self.find(name)?;
        self.tell(name, Event::Restart);
        Ok(())
    }

    /// Removes a connector. Its offsets stay.
    ///
    /// # Errors
    /// There is none of that name, or the store refuses.
    pub async fn delete(&self, name: &str) -> Result<(), HerderError> {
        let _changing = self.change().await?;
        self.find(name)?;
        self.parts.store.delete(name).await?;
        if let Some(entry) = self.lock().get_mut(name) {
            entry.deleted = true;
        }
        self.tell(name, Event::Delete);
        Ok(())
    }

    /// Where a connector stands.
    ///
    /// # Errors
    /// There is none of that name, or the offsets cannot be read.
    pub async fn offsets(&self, name: &str) -> Result<Vec<(SourcePartition, SourceOffset)>, HerderError> {
        self.find(name)?;
        Ok(self.parts.backend.offsets(name).await?)
    }

    /// Changes offsets of a connector that is stopped; `None` for all of them removes every offset.
    ///
    /// # Errors
    /// There is none of that name, it is not stopped, the component refuses an offset, or they cannot be written.
    pub async fn alter_offsets(
        &self,
        name: &str,
        offsets: Option<&[(SourcePartition, Option<SourceOffset>)]>,
    ) -> Result<(), HerderError> {
        let _changing = self.change().await?;
        let shown = self.find(name)?;
        if shown.state.0 != "STOPPED" {
            return Err(HerderError::NotStopped(name.to_owned()));
        }
        self.wait(name, |entry| entry.is_none_or(|entry| entry.machine.is_at_rest())).await?;
        self.write_offsets(name, &shown.config, offsets).await
    }

    /// The same while the connector may run: its task is held meanwhile. Gives back where it stood before.
    ///
    /// # Errors
    /// As `alter_offsets`.
    pub async fn move_offsets(
        &self,
        name: &str,
        offsets: Option<&[(SourcePartition, Option<SourceOffset>)]>,
    ) -> Result<Vec<(SourcePartition, SourceOffset)>, HerderError> {
        let _changing = self.change().await?;
        let shown = self.find(name)?;
        self.tell(name, Event::Hold(true));
        let moved = async {
            self.wait(name, |entry| entry.is_none_or(|entry| entry.machine.is_at_rest())).await?;
            let before = self.parts.backend.offsets(name).await?;
            self.write_offsets(name, &shown.config, offsets).await?;
            Ok(before)
        };
        let moved = moved.await;
        self.tell(name, Event::Hold(false));
        moved
    }

    async fn write_offsets(
        &self,
        name: &str,
        config: &GivenConfig,
        offsets: Option<&[(SourcePartition, Option<SourceOffset>)]>,
    ) -> Result<(), HerderError> {
        let backend = &self.parts.backend;
        let Some(offsets) = offsets else {
            for (partition, _) in backend.offsets(name).await? {
                backend.alter_offset(name, &partition, None).await?;
            }
            return Ok(());
        };
        let known =
            self.parts.catalogue.find(class_of(config)).map_err(|error| HerderError::Refused(error.to_string()))?;
        // Everything is looked at before anything is written.
        for (partition, offset) in offsets {
            self.check_offset(known, partition, offset.as_ref()).await?;
        }
        for (partition, offset) in offsets {
            backend.alter_offset(name, partition, offset.as_ref()).await?;
        }
        Ok(())
    }

    async fn check_offset(
        &self,
        (component, _): &(Component, Description),
        partition: &SourcePartition,
        offset: Option<&SourceOffset>,
    ) -> Result<(), HerderError> {
        let parts = InstanceParts::for_questions(self.parts.telemetry.clone(), vec![]);
        let refused = |reason: String| HerderError::Refused(reason);
        let mut instance = Instance::new(component, parts).await.map_err(|(error, _)| refused(error.to_string()))?;
        let verdict = instance.validate_offset(partition, offset).await;
        verdict.map_err(|error| refused(error.to_string()))?.map_err(refused)
    }

    /// Waits until that holds of a connector.
    async fn wait(&self, name: &str, holds: impl Fn(Option<&Entry>) -> bool) -> Result<(), HerderError> {
        let deadline = Instant::now() + HALT_WITHIN;
        let mut changed = self.changed.subscribe();
        loop {
            if holds(self.lock().get(name)) {
                return Ok(());
            }
            if timeout_at(deadline, changed.changed()).await.is_err() {
                return Err(HerderError::StillRunning(name.to_owned()));
            }
        }
    }

    /// Begins to write down where the connectors stand.
    fn record(&self, recorder: Recorder) {
        let (ending, ended) = watch::channel(Recording::GoesOn);
        let (changed, progressed) = (self.changed.subscribe(), self.parts.telemetry.progress.changes());
        let recording = tokio::spawn(recorder.run(Weak::clone(&self.me), changed, progressed, ended));
        *self.recorder.lock().unwrap_or_else(PoisonError::into_inner) = Some((ending, recording));
    }
}

#[async_trait]
impl Duty for Herder {
    /// Reads the store and makes everything so.
    async fn take_up(&self) -> Result<(), SinkError> {
        let Parts { store, telemetry, worker_id, backend, .. } = &self.parts;
        let stored = store.load().await?;
        // Connectors run without it; a missing right on the status topic is no reason to stop them.
        let status = store.load_status().await.unwrap_or_else(|error| {
            telemetry.emit("", &Fact::StatusNotRead { reason: error.to_string() });
            BTreeMap::new()
        });
        let recorder = Recorder::new(worker_id.clone(), status);
        // Of a store that is not shared the other one is this worker's former self.
        for worker_id in recorder.others().into_iter().filter(|_| store.is_shared()) {
            telemetry.emit("", &Fact::OtherWorker { worker_id });
        }
        for (connector, topics) in recorder.topics() {
            if stored.iter().any(|stored| stored.name == connector) {
                telemetry.progress.update(&connector, |standing| standing.topics = topics);
            }
        }
        let count = stored.len();
        let actions: Vec<(String, Option<Action>)> = {
            let mut connectors = self.lock();
            let entries = stored.into_iter().map(|StoredConnector { name, config, target }| {
                let (entry, action) = Entry::new(config, target);
                connectors.insert(name.clone(), entry);
                (name, action)
            });
            let actions = entries.collect();
            // Whoever asks from here on finds all of them.
            self.role.send_replace(Role::Active);
            actions
        };
        telemetry.emit("", &Fact::WorkerStarted { backend: backend.describe(), connectors: count });
        for (name, action) in actions {
            self.perform(&name, action);
        }
        self.record(recorder);
        Ok(())
    }

    fn stand_by(&self) {
        let before = self.role.send_replace(Role::Standby);
        if before != Role::Standby {
            self.parts.telemetry.emit("", &Fact::StandingBy);
        }
    }

    /// Ends every task in good order; what is wanted of the connectors stays in the store.
    async fn let_go(&self, lost: bool) {
        // First, so that nothing more is begun.
        let before = self.role.send_replace(Role::Joining);
        if lost && before == Role::Active {
            self.parts.telemetry.emit("", &Fact::DutyLost);
        }
        // Then, so that the pauses that follow are not written down as if somebody had wanted them.
        let recording = self.recorder.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((ending, _)) = &recording {
            ending.send_replace(if lost { Recording::Lost } else { Recording::Ended });
        }
        let names: Vec<String> = self.lock().keys().cloned().collect();
        for name in &names {
            self.tell(name, Event::Want(TargetState::Paused));
        }
        let deadline = Instant::now() + if lost { HALT_WITHIN } else { END_WITHIN };
        let mut changed = self.changed.subscribe();
        while !self.lock().values().all(|entry| entry.machine.is_at_rest()) {
            if timeout_at(deadline, changed.changed()).await.is_err() {
                break;
            }
        }
        if let Some((_, recording)) = recording {
            // It has a bound of its own, and says itself what it could not do.
            let _ = timeout_at(deadline, recording).await;
        }
        for name in &names {
            self.perform(name, Some(Action::Forget));
        }
    }
}

/// `${file:/path:key}` and the like tell where a secret is, and not what.
fn is_reference(value: &str) -> bool {
    value.starts_with("${") && value.ends_with('}')
}

/// The configuration in pairs, with the name in it; a null is no setting.
fn given(name: &str, config: &GivenConfig) -> Vec<(String, String)> {
    let pairs = config.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
    let named = config.get("name").is_some_and(Option::is_some);
    pairs.chain((!named).then(|| ("name".to_owned(), name.to_owned()))).collect()
}
