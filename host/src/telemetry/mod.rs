//! What people and dashboards get to know: every fact worth reporting is a type (`event`), one `emit` makes the log line
//! and the metric. `log` writes lines, `progress` keeps the line at the bottom of a terminal, `screen` keeps the two apart.

mod event;
pub mod log;
mod metrics;
mod progress;
mod screen;

use std::sync::Arc;

pub use event::{Event, offset_text};
pub use metrics::{Metrics, Sample, Value};
pub use progress::{Progress, Standing};
pub use screen::Screen;

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
