//! `/metrics`: the Prometheus text format, with the names that Strimzi's rules give Kafka Connect's metrics, and ours with
//! `tributary_` in front.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

use super::app::App;
use crate::{herder::Shown, store::class_of, telemetry::Value};

/// One family: its type, what it tells, and its series with their values.
struct Family {
    kind: &'static str,
    help: &'static str,
    series: Vec<(String, f64)>,
}

/// Families by name.
#[derive(Default)]
struct Page(BTreeMap<String, Family>);

impl Page {
    fn add(&mut self, name: &str, kind: &'static str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        let family = self.0.entry(name.to_owned()).or_insert_with(|| Family { kind, help, series: Vec::new() });
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        family.series.push((labels, value));
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, Family { kind, help, series }) in &self.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in series {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        }
        text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn number(count: u64) -> f64 {
    count as f64
}

pub(super) async fn metrics(State(app): State<App>) -> Response {
    let shown: Vec<Shown> = app.herder.names().iter().filter_map(|name| app.herder.shown(name)).collect();
    let mut page = Page::default();
    worker(&mut page, &shown);
    for connector in &shown {
        of_connector(&mut page, connector);
    }
    for sample in app.herder.telemetry().metrics.snapshot() {
        let labels: Vec<(&str, &str)> =
            sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let name = format!("tributary_{}", sample.name);
        match sample.value {
            Value::Counter(count) => {
                page.add(&name, "counter", "Counted by the worker or its component.", &labels, number(count))
            }
            Value::Gauge(value) => page.add(&name, "gauge", "Told by the worker or its component.", &labels, value),
        }
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.text()).into_response()
}

fn worker(page: &mut Page, shown: &[Shown]) {
    let tasks = shown.iter().filter(|shown| shown.task.is_some()).count();
    let gauge = "gauge";
    page.add(
        "kafka_connect_worker_connector_count",
        gauge,
        "Connectors of this worker.",
        &[],
        number(shown.len() as u64),
    );
    page.add("kafka_connect_worker_task_count", gauge, "Tasks of this worker.", &[], number(tasks as u64));
}

fn of_connector(page: &mut Page, shown: &Shown) {
    let name = shown.name.as_str();
    let class = class_of(&shown.config);
    let connector = [("connector", name)];
    let with = |key: &'static str, value: &str| -> Vec<(String, String)> {
        vec![("connector".to_owned(), name.to_owned()), (key.to_owned(), value.to_owned())]
    };
    let mut info = |metric: &str, help: &'static str, labels: Vec<(String, String)>| {
        let labels: Vec<(&str, &str)> = labels.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        page.add(metric, "gauge", help, &labels, 1.0);
    };
    info(
        "kafka_connect_connector_status",
        "The state of the connector, as a label.",
        with("status", &shown.state.0.to_ascii_lowercase()),
    );
    info("kafka_connect_connector_connector_class", "The class of the connector, as a label.", with("class", class));
    info("kafka_connect_connector_connector_type", "The kind of the connector, as a label.", with("type", "source"));
    let version = shown.version.as_deref().unwrap_or_default();
    info(
        "kafka_connect_connector_connector_version",
        "The version of the component, as a label.",
        with("version", version),
    );
    for (state, metric) in STATES {
        let is = shown.task.as_ref().is_some_and(|(task, _)| *task == state);
        page.add(metric, "gauge", "Tasks of the connector in this state.", &connector, f64::from(u8::from(is)));
    }
    let total = f64::from(u8::from(shown.task.is_some()));
    let metric = "kafka_connect_worker_connector_total_task_count";
    page.add(metric, "gauge", "Tasks of the connector.", &connector, total);
    let task = [("connector", name), ("task", "0")];
    if let Some((state, _)) = &shown.task {
        let status = state.to_ascii_lowercase();
        let labels = [task[0], task[1], ("status", status.as_str())];
        page.add("kafka_connect_connector_task_status", "gauge", "The state of the task, as a label.", &labels, 1.0);
    }
    let records = number(shown.standing.records);
    let help = "Records that the task has handed over, after transforms.";
    page.add("kafka_connect_source_task_source_record_write_total", "counter", help, &task, records);
    if let Some(newest_ms) = shown.standing.newest_timestamp_ms {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch take 41 bits")]
        let seconds = newest_ms as f64 / 1_000.0;
        let help = "When the newest event that was handed over was created, seconds since the epoch.";
        page.add("tributary_newest_event_timestamp_seconds", "gauge", help, &connector, seconds);
    }
}

/// Kafka Connect's metrics of a worker about one connector.
const STATES: [(&str, &str); 5] = [
    ("RUNNING", "kafka_connect_worker_connector_running_task_count"),
    ("PAUSED", "kafka_connect_worker_connector_paused_task_count"),
    ("FAILED", "kafka_connect_worker_connector_failed_task_count"),
    ("UNASSIGNED", "kafka_connect_worker_connector_unassigned_task_count"),
    ("RESTARTING", "kafka_connect_worker_connector_restarting_task_count"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_in_order_and_escaped() {
        let mut page = Page::default();
        page.add("b_total", "counter", "B.", &[("connector", "a\"b\\c\n")], 2.0);
        page.add("a", "gauge", "A.", &[], 0.5);
        page.add("b_total", "counter", "B.", &[("connector", "d")], 3.0);
        let expected = "# HELP a A.\n# TYPE a gauge\na 0.5\n# HELP b_total B.\n# TYPE b_total counter\n\
            b_total{connector=\"a\\\"b\\\\c\\n\"} 2\nb_total{connector=\"d\"} 3\n";
        assert_eq!(page.text(), expected);
    }
}
