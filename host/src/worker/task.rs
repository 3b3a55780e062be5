//! The loop of one connector's task: open the sink, make an instance, configure it with the committed offset, then poll
//! and commit until it is asked to stop or something ends it. What follows an end is `state`'s decision.

use std::{
    future::Future,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::timeout};

use super::{
    rotation,
    settings::{component_settings, secrets},
    state::{Action, Ending, History, State},
};
use crate::{
    config::{ConnectorConfig, Security, WorkerConfig},
    engine::{CallError, Component, Description, Instance, InstanceParts, Progress},
    imports::{
        allow_list::AllowList,
        http::{Client, Clients},
    },
    record::SourceOffset,
    sink::{Backend, Opened, Sink, SinkError},
    telemetry::{Event, TaskMetrics, Telemetry},
};

/// How long one poll may wait for events; also how soon a stop is noticed.
const POLL_MAX_WAIT: Duration = Duration::from_millis(500);
/// How long a call may go on after the signal to stop, before the instance is dropped in the middle of it.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// How long a component may say goodbye.
const GOODBYE_MAX_WAIT: Duration = Duration::from_secs(2);
/// How long it has in fact, with what it takes beyond.
const GOODBYE_WITHIN: Duration = Duration::from_secs(3);
/// How long a sink may take to finish.
const SINK_CLOSE_WITHIN: Duration = Duration::from_secs(4);
/// `commit_due` is called at least this often.
const COMMIT_TICK: Duration = Duration::from_secs(1);
/// A life of at least this length counts as progress: what ends it is a new fault.
const SOUND_LIFE: Duration = Duration::from_secs(120);
/// A login that has worked and is refused waits this long for a rotated secret: one is put into place within minutes of
/// the change on the far side (a mounted secret of Kubernetes takes up to two).
const ROTATION_WITHIN: Duration = Duration::from_secs(150);
/// Between two looks at the files, which ask nobody else.
const ROTATION_LOOK: Duration = Duration::from_secs(2);

/// Why a failed task starts again.
const RESTARTS_FAILED: &str = "auto.restart.on.user.error allows for somebody mending this";

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// As it was asked to.
    Stopped,
    /// For this reason.
    Failed(String),
    /// Another owner took over.
    Fenced(String),
}

/// One connector, ready to run.
pub struct Task {
    /// Its component.
    pub component: Component,
    /// What the component says about itself.
    pub description: Description,
    /// Its configuration.
    pub connector: ConnectorConfig,
    /// The worker's settings, for what the configuration is resolved by.
    pub worker: Arc<WorkerConfig>,
    /// How it connects.
    pub clients: Arc<Clients>,
    /// Where it may.
    pub allow: AllowList,
}

/// What is counted over all lives of a task.
#[derive(Debug, Default)]
struct Counts {
    records: u64,
    committed: Option<SourceOffset>,
}

impl Task {
    /// Runs until the task is stopped or has failed for good.
    pub async fn run(self, backend: &dyn Backend, telemetry: &Telemetry, stop: watch::Receiver<bool>) -> TaskEnd {
        let mut run = Run {
            task: &self,
            connector: self.connector.clone(),
            settings: Vec::new(),
            login: None,
            backend,
            telemetry,
            stop,
            history: History::default(),
            metrics: telemetry.progress.metrics(&self.connector.name),
            topics_told: 0,
            counts: Counts::default(),
        };
        run.stand(State::Unassigned);
        loop {
            let started = Instant::now();
            let ending = run.life().await;
            if let Ending::Trapped(_) = ending {
                run.metrics.traps.fetch_add(1, Ordering::Relaxed);
            }
            if started.elapsed() >= SOUND_LIFE {
                run.history.progressed();
            }
            let action = run.history.after(&ending, Instant::now(), random_fraction(), run.connector.restarts_failed());
            if let Action::Fail { reason, .. } | Action::FailAndRestart { reason, .. } = &action
                && rotation::could_help(&ending)
                && run.renewed(&ending, reason, started).await
            {
                run.history = History::default();
                continue;
            }
            match action {
                Action::Stop => {
                    run.stand(State::Stopped);
                    let Counts { records, committed } = run.counts;
                    run.telemetry.emit(&self.connector.name, &Event::Stopped { offset: committed, records });
                    return TaskEnd::Stopped;
                }
                Action::Fail { kind, code, reason } => {
                    run.stand(State::Failed);
                    run.emit(&Event::Failed { kind, code, reason: reason.clone() });
                    return TaskEnd::Failed(reason);
                }
                Action::Fence { reason } => {
                    run.stand(State::Fenced);
                    run.emit(&Event::Fenced { reason: reason.clone() });
                    return TaskEnd::Fenced(reason);
                }
                Action::FailAndRestart { kind, code, reason, after } => {
                    run.stand(State::Failed);
                    run.trace(Some(&reason));
                    run.emit(&Event::Failed { kind, code, reason });
                    run.emit(&Event::Restarting { reason: RESTARTS_FAILED.to_owned(), after });
                    run.pause(after).await;
                    run.trace(None);
                }
                Action::Restart { reason, after } => {
                    run.stand(State::Restarting);
                    run.emit(&Event::Restarting { reason, after });
                    // A stop ends the wait, and the next life at once.
                    run.pause(after).await;
                }
            }
        }
    }
}

/// A task on its way.
struct Run<'a> {
    task: &'a Task,
    /// As it was resolved last.
    connector: ConnectorConfig,
    /// What the last life handed to the component.
    settings: Vec<(String, String)>,
    /// The worker's login at Kafka when the last life began.
    login: Option<Security>,
    backend: &'a dyn Backend,
    telemetry: &'a Telemetry,
    stop: watch::Receiver<bool>,
    history: History,
    metrics: Arc<TaskMetrics>,
    /// Topics of this life that were told of.
    topics_told: usize,
    counts: Counts,
}

impl Run<'_> {
    /// From opening the sink to its end.
    async fn life(&mut self) -> Ending {
        self.telemetry.metrics.add("task_startup_attempts_total", &[], 1);
        self.topics_told = 0;
        let settings = match component_settings(&self.task.description, &self.connector) {
            Ok(settings) => settings,
            Err(errors) => {
                let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
                return Ending::Unusable(reasons.join("; "));
            }
        };
        self.settings.clone_from(&settings);
        self.login = self.task.worker.security_now();
        let client = match self.task.clients.with(&self.task.allow, self.connector.proxy().as_ref()) {
            Ok(client) => client,
            Err(error) => return Ending::Unusable(error.to_string()),
        };
        let mut stop = self.stop.clone();
        let opened = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ending::Stopped,
            opened = self.backend.open(&self.connector, &self.metrics) => opened,
        };
        let Opened { sink, committed } = match opened {
            Ok(opened) => opened,
            Err(error) => return Ending::Sink(error),
        };
        let mut instance = match Instance::new(&self.task.component, self.parts(sink, client)).await {
            Ok(instance) => instance,
            Err((trapped, sink)) => {
                self.close_sink(sink).await;
                return Ending::Trapped(trapped);
            }
        };
        let ending = self.work(&mut instance, &settings, committed).await;
        if let Ending::Stopped | Ending::Sink(SinkError::Stopping) = ending {
            self.emit(&Event::Stopping);
        }
        self.finish(instance, &ending).await;
        ending
    }

    fn parts(&self, sink: Box<dyn Sink>, client: Arc<Client>) -> InstanceParts {
        InstanceParts {
            connector: Arc::from(self.connector.name.as_str()),
            sink: Some(sink),
            stop: self.stop.clone(),
            client: Some(client),
            telemetry: self.telemetry.clone(),
            secrets: secrets(&self.task.description, &self.connector),
        }
    }

    /// After a refused login of a life that began at `started`: takes over secrets that were rotated meanwhile, and waits
    /// for that a while where the login had worked before. False when there is nothing new.
    async fn renewed(&mut self, ending: &Ending, refusal: &str, started: Instant) -> bool {
        let Task { description, worker, .. } = self.task;
        if !rotation::can_change(description, worker, &self.connector, ending) {
            return false;
        }
        let worked = self.counts.committed.is_some() || started.elapsed() >= SOUND_LIFE;
        let until = Instant::now() + if worked { ROTATION_WITHIN } else { Duration::ZERO };
        let mut told = false;
        loop {
            let (connector, login) = (&self.connector, self.login.as_ref());
            if let Some(connector) = rotation::renewed(description, worker, connector, &self.settings, login) {
                self.connector = connector;
                self.emit(&Event::SecretsChanged);
                return true;
            }
            if *self.stop.borrow() || Instant::now() >= until {
                return false;
            }
            if !told {
                told = true;
                self.stand(State::Restarting);
                self.emit(&Event::SecretsAwaited { refusal: refusal.to_owned(), within: ROTATION_WITHIN });
            }
            self.pause(ROTATION_LOOK).await;
        }
    }

    /// Configures the instance and polls until something ends it.
    async fn work(
        &mut self,
        instance: &mut Instance,
        settings: &[(String, String)],
        committed: Option<SourceOffset>,
    ) -> Ending {
        if let Err(error) = instance.configure(settings, committed.as_ref()).await {
            return ending(error);
        }
        let (class, version) = (self.connector.class.clone(), self.task.description.version.clone());
        self.telemetry.metrics.add("task_startup_success_total", &[], 1);
        self.emit(&Event::Started { class, version, offset: committed });
        self.stand(State::Running);
        loop {
            let turned = match self.turn(instance).await {
                Ok(pause) => self.rest(instance, pause).await,
                Err(ending) => Err(ending),
            };
            if let Err(ending) = turned {
                return ending;
            }
            if *self.stop.borrow() {
                return Ending::Stopped;
            }
        }
    }

    /// One poll and what follows it. Returns how long the component has nothing to do.
    async fn turn(&mut self, instance: &mut Instance) -> Result<Duration, Ending> {
        let began = Instant::now();
        let polled = self.bounded(instance.poll(POLL_MAX_WAIT)).await?;
        if let Some(error) = instance.take_sink_error() {
            return Err(Ending::Sink(error));
        }
        let progress = polled.map_err(ending)?;
        self.count(&progress, instance, began.elapsed());
        let pause = Duration::from_millis(progress.next_poll_after_ms.into());
        let sink = sink(instance)?;
        let durable = sink.end_poll(progress.offset).await.map_err(Ending::Sink)?;
        let later = sink.commit_due().await.map_err(Ending::Sink)?;
        // Either may be news; the later one covers the earlier.
        if let Some(offset) = later.or(durable) {
            self.committed(instance, offset).await?;
        }
        Ok(pause)
    }

    async fn committed(&mut self, instance: &mut Instance, offset: SourceOffset) -> Result<(), Ending> {
        self.history.progressed();
        let first = self.counts.committed.is_none();
        self.emit(&Event::Committed { offset: offset.clone(), first });
        self.telemetry.metrics.add("offset_commits_total", &[("connector", &self.connector.name)], 1);
        self.telemetry.progress.update(&self.connector.name, |standing| standing.offset = Some(offset.clone()));
        let told = self.bounded(instance.commit_offset(&offset)).await?;
        self.counts.committed = Some(offset);
        told.map_err(ending)
    }

    /// Waits as the component asked, and keeps the sink going meanwhile.
    async fn rest(&mut self, instance: &mut Instance, pause: Duration) -> Result<(), Ending> {
        let until = Instant::now() + pause;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || *self.stop.borrow() {
                return Ok(());
            }
            self.pause(left.min(COMMIT_TICK)).await;
            if let Some(offset) = sink(instance)?.commit_due().await.map_err(Ending::Sink)? {
                // The component may have something to do now.
                return self.committed(instance, offset).await;
            }
        }
    }

    /// Says goodbye as far as that makes sense after this ending, and lets go of the sink.
    async fn finish(&mut self, mut instance: Instance, ending: &Ending) {
        if !matches!(ending, Ending::Trapped(_)) {
            match timeout(GOODBYE_WITHIN, instance.close(GOODBYE_MAX_WAIT)).await {
                Ok(Ok(())) => {}
                Ok(Err(trapped)) => self.emit(&Event::CloseIncomplete { reason: trapped.to_string() }),
                Err(_) => {
                    let reason = format!("the component took more than {} s to close", GOODBYE_WITHIN.as_secs());
                    self.emit(&Event::CloseIncomplete { reason });
                }
            }
        }
        let sink = instance.take_sink();
        // The sandbox goes first: it takes its open requests with it.
        drop(instance);
        match ending {
            // A sink that has failed is of no use any more; what is durable is read again when the next one is opened.
            Ending::Sink(SinkError::Fenced(_) | SinkError::Unavailable(_) | SinkError::Refused(_)) => drop(sink),
            _ => self.close_sink(sink).await,
        }
    }

    async fn close_sink(&mut self, sink: Option<Box<dyn Sink>>) {
        let Some(sink) = sink else { return };
        let closed = match timeout(SINK_CLOSE_WITHIN + Duration::from_millis(500), sink.close(SINK_CLOSE_WITHIN)).await
        {
            Ok(closed) => closed.map_err(|error| error.to_string()),
            Err(_) => Err(format!("records were still on their way after {} s", SINK_CLOSE_WITHIN.as_secs())),
        };
        match closed {
            Ok(Some(offset)) => {
                self.emit(&Event::Committed { offset: offset.clone(), first: false });
                self.telemetry.progress.update(&self.connector.name, |s| s.offset = Some(offset.clone()));
                self.counts.committed = Some(offset);
            }
            Ok(None) => {}
            Err(reason) => self.emit(&Event::CloseIncomplete { reason }),
        }
    }

    /// Waits for a call, but after the signal to stop only a little longer. What is dropped then cannot be used again.
    async fn bounded<T>(&self, call: impl Future<Output = T>) -> Result<T, Ending> {
        let mut stop = self.stop.clone();
        let overdue = async {
            stopped(&mut stop).await;
            tokio::time::sleep(STOP_GRACE).await;
        };
        tokio::select! {
            result = call => Ok(result),
            () = overdue => Err(Ending::Stopped),
        }
    }

    async fn pause(&mut self, time: Duration) {
        // Whichever comes first.
        let _ = timeout(time, stopped(&mut self.stop)).await;
    }

    fn count(&mut self, progress: &Progress, instance: &Instance, took: Duration) {
        if progress.sent == 0 {
            return;
        }
        let sent = u64::from(progress.sent);
        self.metrics.polls.note_time(took);
        self.metrics.batches.note(sent);
        self.counts.records += sent;
        let connector = self.connector.name.as_str();
        self.telemetry.metrics.add("records_sent_total", &[("connector", connector)], sent);
        let mut forgotten = false;
        self.telemetry.progress.update(connector, |standing| {
            standing.records += sent;
            forgotten = standing.topics.is_empty();
            let newest_timestamp_ms = instance.newest_timestamp_ms();
            standing.newest_timestamp_ms = standing.newest_timestamp_ms.max(newest_timestamp_ms);
        });
        // Mostly none is new.
        if forgotten || self.topics_told != instance.topics().len() {
            self.topics_told = instance.topics().len();
            let topics = instance.topics().iter().cloned();
            self.telemetry.progress.change(connector, |standing| standing.topics.extend(topics));
        }
    }

    /// What a task says that has failed, though not for good.
    fn trace(&self, reason: Option<&str>) {
        self.telemetry.progress.change(&self.connector.name, |standing| standing.trace = reason.map(str::to_owned));
    }

    fn stand(&self, state: State) {
        self.metrics.enter(state.as_str());
        self.telemetry.progress.change(&self.connector.name, |standing| standing.state = state.as_str());
    }

    fn emit(&self, event: &Event) {
        self.telemetry.emit(&self.connector.name, event);
    }
}

fn ending(error: CallError) -> Ending {
    match error {
        CallError::Failure(failure) => Ending::Failure(failure),
        CallError::Trapped(trapped) => Ending::Trapped(trapped),
    }
}

fn sink(instance: &mut Instance) -> Result<&mut Box<dyn Sink>, Ending> {
    // It is taken away only in `finish`, after the last turn.
    instance.sink_mut().ok_or(Ending::Sink(SinkError::Stopping))
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody can ask for a stop any more, which is asking for one.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A number from 0 to 1, different for each task and time; for jitter only.
#[expect(clippy::cast_precision_loss, reason = "32 bits fit into a double")]
fn random_fraction() -> f64 {
    let random = RandomState::new().build_hasher().finish() >> 32;
    random as f64 / f64::from(u32::MAX)
}
