//! What people and dashboards get to know: every fact worth reporting is a type (`event`), one `emit` makes the log line
//! and the metric. `log` writes lines, `progress` keeps the line at the bottom of a terminal, `screen` keeps the two apart.

mod event;
mod levels;
pub mod log;
mod metrics;
mod progress;
mod screen;
mod task_metrics;

use std::sync::Arc;

pub use event::{Event, offset_text};
pub use levels::{LEVELS, LoggerLevel};
pub use metrics::{Metrics, Sample, Value};
pub use progress::{Progress, Standing, now_ms};
pub use screen::Screen;
pub use task_metrics::{BOUNDS_US, Histogram, Spread, SpreadValues, TaskMetrics};

/// The way to everything that is kept about the running tasks; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// Where each task stands.
    pub progress: Arc<Progress>,
}

impl Telemetry {
    /// Reports a fact about a connector; the name is empty for facts about the worker.
    pub fn emit(&self, connector: &str, event: &Event) {
        event.emit(connector, self);
    }
}
