//! The page of a service: Kafka Connect's metrics with the names that Strimzi's rules give them, then ours.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use super::page::{Kind, Page, Point};
use crate::{
    herder::{Herder, Role, Shown},
    record::Scalar,
    store::class_of,
    telemetry::{BOUNDS_US, Sample, SpreadValues, TaskMetrics, Value},
};

/// Tasks of a connector by their state: Kafka Connect's metrics of a worker about one connector.
const STATES: [(&str, &str); 6] = [
    ("RUNNING", "kafka_connect_worker_connector_running_task_count"),
    ("PAUSED", "kafka_connect_worker_connector_paused_task_count"),
    ("FAILED", "kafka_connect_worker_connector_failed_task_count"),
    ("UNASSIGNED", "kafka_connect_worker_connector_unassigned_task_count"),
    ("DESTROYED", "kafka_connect_worker_connector_destroyed_task_count"),
    ("RESTARTING", "kafka_connect_worker_connector_restarting_task_count"),
];

/// Counts that Kafka Connect has under another name: what attempts and successes are counted as, and its prefix.
const STARTUPS: [(&str, &str, &str); 2] = [
    ("connector_startup_attempts_total", "connector_startup_success_total", "kafka_connect_worker_connector_startup"),
    ("task_startup_attempts_total", "task_startup_success_total", "kafka_connect_worker_task_startup"),
];

/// How a component's counters end whose numbers Kafka Connect has too.
const EVENTS_READ: &str = "events_read_total";
const EVENTS_SKIPPED: &str = "events_skipped_total";

#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Everything at this moment.
#[must_use]
pub fn collect(herder: &Herder) -> Page {
    let shown = herder.all();
    let samples = herder.telemetry().metrics.snapshot();
    let mut page = Page::default();
    let counts = Counts::of(&samples);
    of_worker(&mut page, herder.role(), &shown, &counts);
    for connector in &shown {
        let metrics = herder.telemetry().progress.metrics(&connector.name);
        Connector { page: &mut page, shown: connector, metrics: &metrics, counts: &counts }.add();
    }
    let has_another_name =
        |name: &str| STARTUPS.iter().any(|(attempts, successes, _)| name == *attempts || name == *successes);
    for Sample { name, labels, value } in samples.iter().filter(|sample| !has_another_name(&sample.name)) {
        let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let name = format!("tributary_{name}");
        match value {
            Value::Counter(count) => {
                let help = "Counted by the worker or its component.";
                page.add(&name, Kind::Counter, help, &labels, number(*count));
            }
            Value::Gauge(value) => {
                page.add(&name, Kind::Gauge, "Told by the worker or its component.", &labels, *value)
            }
        }
    }
    page
}

/// Counters by connector and name, over all other labels, except of failures whose kind matters.
struct Counts<'a>(BTreeMap<(&'a str, &'a str), u64>);

impl<'a> Counts<'a> {
    fn of(samples: &'a [Sample]) -> Self {
        let mut counts = BTreeMap::new();
        for Sample { name, labels, value } in samples {
            let label = |key: &str| labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
            let Value::Counter(count) = value else { continue };
            if name == "failures_total" && label("kind") != Some("bad-record") {
                continue;
            }
            let of_component = [EVENTS_READ, EVENTS_SKIPPED].into_iter().find(|suffix| name.ends_with(suffix));
            let name = of_component.unwrap_or(name.as_str());
            *counts.entry((label("connector").unwrap_or_default(), name)).or_default() += count;
        }
        Self(counts)
    }

    fn get(&self, connector: &str, name: &str) -> u64 {
        self.0.get(&(connector, name)).copied().unwrap_or_default()
    }
}

fn of_worker(page: &mut Page, role: Role, shown: &[Shown], counts: &Counts<'_>) {
    let tasks = shown.iter().filter(|shown| shown.task.is_some()).count() as u64;
    let connectors = shown.len() as u64;
    for (name, help, value) in [
        ("kafka_connect_worker_connector_count", "Connectors of this worker.", connectors),
        ("kafka_connect_worker_task_count", "Tasks of this worker.", tasks),
        ("kafka_connect_coordinator_assigned_connectors", "Connectors of this worker.", connectors),
        ("kafka_connect_coordinator_assigned_tasks", "Tasks of this worker.", tasks),
        (
            "kafka_connect_worker_rebalance_rebalancing",
            "1 while the worker has no place in its group yet.",
            u64::from(role == Role::Joining),
        ),
        (
            "tributary_worker_active",
            "1 where the connectors run, 0 where a worker stands by.",
            u64::from(role == Role::Active),
        ),
    ] {
        page.add(name, Kind::Gauge, help, &[], number(value));
    }
    for (attempts, successes, prefix) in STARTUPS {
        let (attempts, successes) = (counts.get("", attempts), counts.get("", successes));
        let failures = attempts.saturating_sub(successes);
        for (what, value) in [("attempts", attempts), ("success", successes), ("failure", failures)] {
            let name = format!("{prefix}_{what}_total");
            page.add(&name, Kind::Counter, "Starts since the worker's own.", &[], number(value));
        }
        let percentage = if attempts == 0 { 0.0 } else { number(successes) / number(attempts) };
        let name = format!("{prefix}_success_percentage");
        page.add(&name, Kind::Gauge, "The part of the starts that succeeded, 0 to 1.", &[], percentage);
    }
}

/// One connector on its way to the page.
struct Connector<'a> {
    page: &'a mut Page,
    shown: &'a Shown,
    metrics: &'a TaskMetrics,
    counts: &'a Counts<'a>,
}

impl Connector<'_> {
    fn add(mut self) {
        self.labels();
        self.tasks();
        self.records();
        self.offset();
        self.times();
        self.errors();
        self.sandbox();
    }

    fn put(&mut self, name: &str, kind: Kind, help: &'static str, value: f64) {
        self.page.add(name, kind, help, &[("connector", &self.shown.name)], value);
    }

    fn task(&mut self, name: &str, kind: Kind, help: &'static str, value: f64) {
        self.page.add(name, kind, help, &[("connector", &self.shown.name), ("task", "0")], value);
    }

    /// What Kafka Connect has as attributes that are texts.
    fn labels(&mut self) {
        let shown = self.shown;
        let status = shown.state.0.to_ascii_lowercase();
        let version = shown.version.as_deref().unwrap_or_default();
        for (name, help, label, value) in [
            ("kafka_connect_connector_status", "The state of the connector, as a label.", "status", status.as_str()),
            (
                "kafka_connect_connector_connector_class",
                "The class of the connector, as a label.",
                "class",
                class_of(&shown.config),
            ),
            ("kafka_connect_connector_connector_type", "The kind of the connector, as a label.", "type", "source"),
            (
                "kafka_connect_connector_connector_version",
                "The version of the component, as a label.",
                "version",
                version,
            ),
        ] {
            self.page.add(name, Kind::Gauge, help, &[("connector", &shown.name), (label, value)], 1.0);
        }
    }

    fn tasks(&mut self) {
        let shown = self.shown;
        for (state, metric) in STATES {
            let is = shown.task.as_ref().is_some_and(|(task, _)| *task == state);
            self.put(metric, Kind::Gauge, "Tasks of the connector in this state.", f64::from(u8::from(is)));
        }
        let total = f64::from(u8::from(shown.task.is_some()));
        self.put("kafka_connect_worker_connector_total_task_count", Kind::Gauge, "Tasks of the connector.", total);
        let Some((state, _)) = &shown.task else { return };
        let status = state.to_ascii_lowercase();
        let labels = [("connector", shown.name.as_str()), ("task", "0"), ("status", status.as_str())];
        let help = "The state of the task, as a label.";
        self.page.add("kafka_connect_connector_task_status", Kind::Gauge, help, &labels, 1.0);
        let (running, paused) = self.metrics.ratios();
        let help = "The part of its time in which the task was in this state, 0 to 1.";
        self.task("kafka_connect_connector_task_running_ratio", Kind::Gauge, help, running);
        self.task("kafka_connect_connector_task_pause_ratio", Kind::Gauge, help, paused);
    }

    fn records(&mut self) {
        let load = |value: &AtomicU64| number(value.load(Ordering::Relaxed));
        let read = number(self.counts.get(&self.shown.name, EVENTS_READ));
        let (written, active) = (load(&self.metrics.written), load(&self.metrics.active));
        let prefix = "kafka_connect_source_task_source_record";
        let help = "Events that the task has read, before transforms.";
        self.task(&format!("{prefix}_poll_total"), Kind::Counter, help, read);
        let help = "Records that are written and acknowledged, after transforms.";
        self.task(&format!("{prefix}_write_total"), Kind::Counter, help, written);
        let help = "Records that were handed over and are not acknowledged, or not committed.";
        self.task(&format!("{prefix}_active_count"), Kind::Gauge, help, active);
        if let Some(newest_ms) = self.shown.standing.newest_timestamp_ms {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch take 41 bits")]
            let seconds = newest_ms as f64 / 1_000.0;
            let help = "When the newest event that was handed over was created, seconds since the epoch.";
            self.put("tributary_newest_event_timestamp_seconds", Kind::Gauge, help, seconds);
        }
    }

    /// Whole numbers of the offset: of a replay id its place in the org's log.
    fn offset(&mut self) {
        let offset = self.shown.standing.offset.iter().flat_map(|offset| &offset.0);
        for (field, value) in offset.filter(|(field, _)| !field.starts_with('.')) {
            let Scalar::Integer(value) = value else { continue };
            #[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
            let value = *value as f64;
            let labels = [("connector", self.shown.name.as_str()), ("field", field.as_str())];
            let help = "The offset that is stored, a field with a whole number.";
            self.page.add("tributary_committed_offset", Kind::Gauge, help, &labels, value);
        }
    }

    fn times(&mut self) {
        let ms = |us: f64| us / 1_000.0;
        let metrics = self.metrics;
        if let Some(polls) = metrics.polls.read() {
            let help = "How long a poll took that brought records, milliseconds.";
            self.average("kafka_connect_source_task_poll_batch", "_time_ms", help, polls, ms);
        }
        if let Some(batches) = metrics.batches.read() {
            self.average("kafka_connect_connector_task_batch_size", "", "Records of a poll.", batches, |size| size);
        }
        if let Some(commits) = metrics.commits.read() {
            let help = "How long it took to store the offset, milliseconds.";
            self.average("kafka_connect_connector_task_offset_commit", "_time_ms", help, commits, ms);
            let failures = metrics.commit_failures.load(Ordering::Relaxed);
            let success = number(commits.count) / number(commits.count.saturating_add(failures));
            let (prefix, help) = ("kafka_connect_connector_task_offset_commit", "Of all attempts, 0 to 1.");
            self.task(&format!("{prefix}_success_percentage"), Kind::Gauge, help, success);
            self.task(&format!("{prefix}_failure_percentage"), Kind::Gauge, help, 1.0 - success);
        }
        if let Some(transactions) = metrics.transactions.read() {
            let (prefix, help) = ("kafka_connect_source_task_transaction_size", "Records of a transaction.");
            self.average(prefix, "", help, transactions, |size| size);
            self.task(&format!("{prefix}_min"), Kind::Gauge, help, number(transactions.min));
        }
        let (counts, sum_us) = metrics.latency.read();
        let seconds = |us: u64| number(us) / 1e6;
        let point = Point::Histogram { bounds: BOUNDS_US.map(seconds).to_vec(), counts, sum: seconds(sum_us) };
        let help = "From the arrival of an event at the worker until it is durable; the last event of each batch.";
        let labels = [("connector", self.shown.name.as_str())];
        self.page.put("tributary_added_latency_seconds", Kind::Histogram, help, &labels, point);
    }

    fn average(&mut self, prefix: &str, suffix: &str, help: &'static str, all: SpreadValues, unit: fn(f64) -> f64) {
        let average = number(all.sum) / number(all.count);
        self.task(&format!("{prefix}_avg{suffix}"), Kind::Gauge, help, unit(average));
        self.task(&format!("{prefix}_max{suffix}"), Kind::Gauge, help, unit(number(all.max)));
    }

    fn errors(&mut self) {
        let name = &self.shown.name;
        let skipped = self.counts.get(name, EVENTS_SKIPPED);
        let failures = self.counts.get(name, "failures_total");
        for (what, help, value) in [
            ("record_failures", "Events that ended the task.", failures),
            ("record_errors", "Events that could not be turned into records.", failures.saturating_add(skipped)),
            ("records_skipped", "Events that were left out, as errors.tolerance=all allows.", skipped),
        ] {
            // As Strimzi has them: counters would have `_total` at the end.
            self.task(&format!("kafka_connect_task_error_total_{what}"), Kind::Gauge, help, number(value));
        }
    }

    fn sandbox(&mut self) {
        let load = |value: &AtomicU64| number(value.load(Ordering::Relaxed));
        let metrics = self.metrics;
        let help = "Linear memory of the component's instance.";
        self.put("tributary_guest_memory_bytes", Kind::Gauge, help, load(&metrics.memory_bytes));
        let help = "How often the sandbox's clock, which ticks every 10 ms, had moved on when the component computed.";
        self.put("tributary_guest_epochs_total", Kind::Counter, help, load(&metrics.epochs));
        let help = "Instances of the component that ended in a trap.";
        self.put("tributary_guest_traps_total", Kind::Counter, help, load(&metrics.traps));
    }
}
