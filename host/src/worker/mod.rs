//! The worker: connectors in one process, each with one task in its own sandbox. `task` is the loop, `state` decides what
//! follows when a life of a task ends, `rotation` whether secrets have changed, `settings` is what a component gets to see
//! of a configuration.

mod rotation;
mod settings;
mod state;
mod task;
#[cfg(test)]
mod tests;
mod validation;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet, time::timeout};

pub use settings::{SettingsError, component_settings, is_secret, secrets};
pub use state::State;
pub use task::{Task, TaskEnd};
pub use validation::{Validation, ValidationError, allow_list};

use crate::{
    sink::Backend,
    telemetry::{Event, Telemetry},
};

/// From the signal to stop to the end of everything; the promise is 10 s.
const STOP_WITHIN: Duration = Duration::from_millis(9_500);

/// How the tasks of a worker ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Connectors whose task was stopped.
    pub stopped: usize,
    /// Connectors whose task FAILED or was FENCED.
    pub failed: usize,
}

/// Runs tasks until each has ended. They end by themselves when they fail for good, and when `stop` becomes true.
pub async fn run(
    tasks: Vec<Task>,
    backend: Arc<dyn Backend>,
    telemetry: Telemetry,
    mut stop: watch::Receiver<bool>,
) -> Summary {
    telemetry.emit("", &Event::WorkerStarted { backend: backend.describe(), connectors: tasks.len() });
    let mut running = JoinSet::new();
    for task in tasks {
        let (backend, telemetry, stop) = (Arc::clone(&backend), telemetry.clone(), stop.clone());
        running.spawn(async move { task.run(&*backend, &telemetry, stop).await });
    }
    let mut summary = Summary::default();
    let all = async {
        while let Some(end) = running.join_next().await {
            match end {
                Ok(TaskEnd::Stopped) => summary.stopped += 1,
                Ok(TaskEnd::Failed(_) | TaskEnd::Fenced(_)) => summary.failed += 1,
                Err(error) => {
                    let reason = format!("a defect of the host: {error}");
                    telemetry.emit("", &Event::Failed { kind: "fatal", code: "panic".to_owned(), reason });
                    summary.failed += 1;
                }
            }
        }
    };
    let overdue = async {
        // An error means that nobody can ask for a stop any more, which is asking for one.
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(STOP_WITHIN).await;
    };
    let late = tokio::select! {
        () = all => false,
        () = overdue => true,
    };
    if late {
        let reason = format!("it took more than {} s", STOP_WITHIN.as_secs_f32());
        telemetry.emit("", &Event::CloseIncomplete { reason });
        running.abort_all();
        // What does not even react to that is left behind; the process ends in any case.
        let _ = timeout(Duration::from_millis(200), async { while running.join_next().await.is_some() {} }).await;
    }
    summary
}

/// A connector for tests.
#[cfg(test)]
pub(crate) fn test_connector() -> crate::config::ConnectorConfig {
    settings::tests::connector(&[("user", "me")])
}
