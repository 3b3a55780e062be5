//! Where the tasks stand, in one line: records, rate, last offset, lag. On a terminal it is redrawn in place at most
//! four times a second; elsewhere it becomes an ordinary log line now and then, when something has changed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use super::{Event, Screen, TaskMetrics, Telemetry, offset_text};
use crate::record::SourceOffset;

/// Between two drawings on a terminal.
const DRAW_INTERVAL: Duration = Duration::from_millis(250);
/// Between two log lines elsewhere.
const LINE_INTERVAL: Duration = Duration::from_secs(30);
/// The rate is that of the last few seconds.
const RATE_WINDOW: Duration = Duration::from_secs(5);
/// Columns that the line fills; a longer one would wrap, and could not be redrawn.
const COLUMNS: usize = 100;

/// Where one task stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Records handed over since the task began.
    pub records: u64,
    /// The newest committed offset.
    pub offset: Option<SourceOffset>,
    /// The timestamp of the newest record, milliseconds since the epoch.
    pub newest_timestamp_ms: Option<i64>,
    /// `RUNNING`, `FAILED`, …
    pub state: &'static str,
    /// Why it has failed, if it waits for somebody to mend that.
    pub trace: Option<String>,
    /// Topics that it has written to since it began.
    pub topics: std::collections::BTreeSet<String>,
}

/// The tasks of this worker, by connector.
#[derive(Debug, Default)]
pub struct Progress {
    tasks: Mutex<BTreeMap<String, Standing>>,
    metrics: Mutex<BTreeMap<String, Arc<TaskMetrics>>>,
    /// A task is in another state, or has used another topic.
    changed: watch::Sender<()>,
}

impl Progress {
    /// Changes where a task stands.
    pub fn update(&self, connector: &str, change: impl FnOnce(&mut Standing)) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(standing) = tasks.get_mut(connector) {
            change(standing);
        } else {
            change(tasks.entry(connector.to_owned()).or_default());
        }
    }

    /// The same, where whoever writes down states and topics is to know.
    pub fn change(&self, connector: &str, change: impl FnOnce(&mut Standing)) {
        self.update(connector, change);
        self.changed.send_replace(());
    }

    /// Sees changes of states and topics.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// One task.
    #[must_use]
    pub fn of(&self, connector: &str) -> Standing {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).get(connector).cloned().unwrap_or_default()
    }

    /// What is counted about one task.
    #[must_use]
    pub fn metrics(&self, connector: &str) -> Arc<TaskMetrics> {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = metrics.get(connector) {
            return Arc::clone(metrics);
        }
        Arc::clone(metrics.entry(connector.to_owned()).or_default())
    }

    /// Nothing of the task is shown any more.
    pub fn forget(&self, connector: &str) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(connector);
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).remove(connector);
    }

    /// Every task.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, Standing> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows progress until it is dropped (the future never ends).
    pub async fn show(telemetry: Telemetry, screen: Screen) {
        if Screen::stderr_is_terminal() {
            let mut rate = Rate::default();
            loop {
                tokio::time::sleep(DRAW_INTERVAL).await;
                let tasks = telemetry.progress.snapshot();
                let per_second = rate.after(records(&tasks), Instant::now());
                screen.draw(&line(&tasks, per_second, now_ms(), COLUMNS));
            }
        }
        let mut last = telemetry.progress.snapshot();
        loop {
            tokio::time::sleep(LINE_INTERVAL).await;
            let tasks = telemetry.progress.snapshot();
            if tasks != last {
                let new = records(&tasks).saturating_sub(records(&last));
                let text = line(&tasks, per_second(new, LINE_INTERVAL), now_ms(), usize::MAX);
                telemetry.emit("", &Event::Progressed { text });
                last = tasks;
            }
        }
    }
}

fn records(tasks: &BTreeMap<String, Standing>) -> u64 {
    tasks.values().map(|standing| standing.records).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(records: u64, within: Duration) -> f64 {
    if within.is_zero() { 0.0 } else { records as f64 / within.as_secs_f64() }
}

/// The rate over the last few seconds.
#[derive(Debug, Default)]
struct Rate {
    seen: std::collections::VecDeque<(Instant, u64)>,
}

impl Rate {
    fn after(&mut self, records: u64, now: Instant) -> f64 {
        self.seen.push_back((now, records));
        while self.seen.len() > 2 && now.duration_since(self.seen[0].0) > RATE_WINDOW {
            self.seen.pop_front();
        }
        let (since, before) = self.seen[0];
        per_second(records.saturating_sub(before), now.duration_since(since))
    }
}

fn line(tasks: &BTreeMap<String, Standing>, per_second: f64, now_ms: i64, columns: usize) -> String {
    let mut parts = vec![format!("{} records", grouped(records(tasks))), format!("{per_second:.1}/s")];
    let newest = tasks.values().filter_map(|standing| standing.newest_timestamp_ms).max();
    match tasks.values().next() {
        Some(standing) if tasks.len() == 1 => {
            if let Some(offset) = &standing.offset {
                parts.push(offset_text(offset));
            }
            if !standing.state.is_empty() && standing.state != "RUNNING" {
                parts.push(standing.state.to_owned());
            }
        }
        _ => {
            let mut states: BTreeMap<&str, usize> = BTreeMap::new();
            for standing in tasks.values() {
                *states.entry(standing.state).or_default() += 1;
            }
            parts.extend(states.into_iter().map(|(state, count)| format!("{count} {state}")));
        }
    }
    if let Some(newest) = newest {
        parts.push(format!("last event {} ago", age(now_ms.saturating_sub(newest))));
    }
    parts.join(" · ").chars().take(columns).collect()
}

/// Milliseconds as people say them.
fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        0..=9 => format!("{:.1} s", Duration::from_millis(ms.max(0).unsigned_abs()).as_secs_f64()),
        10..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds since the epoch.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Scalar;

    fn standing(records: u64, state: &'static str) -> Standing {
        let offset = SourceOffset(vec![("replayId".to_owned(), Scalar::Integer(7))]);
        Standing { records, offset: Some(offset), newest_timestamp_ms: Some(1_000), state, ..Standing::default() }
    }

    #[test]
    fn the_line_tells_where_the_tasks_stand() {
        let progress = Progress::default();
        progress.update("a", |s| *s = standing(12_345, "RUNNING"));
        let show = |columns| line(&progress.snapshot(), 2.0, 2_500, columns);
        assert_eq!(show(100), "12,345 records · 2.0/s · {\"replayId\":7} · last event 1.5 s ago");
        assert_eq!(show(6), "12,345");
        progress.update("b", |s| *s = standing(1, "FAILED"));
        progress.update("c", |s| *s = standing(1, "FAILED"));
        assert_eq!(
            line(&progress.snapshot(), 0.0, 2_500, 100),
            "12,347 records · 0.0/s · 2 FAILED · 1 RUNNING · last event 1.5 s ago"
        );
    }

    #[test]
    fn ages_and_numbers_read_well() {
        for (ms, text) in [
            (-5, "0.0 s"),
            (1500, "1.5 s"),
            (59_000, "59 s"),
            (600_000, "10 min"),
            (7_200_000, "2 h"),
            (864_000_000, "10 d"),
        ] {
            assert_eq!(age(ms), text);
        }
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let (start, mut rate) = (Instant::now(), Rate::default());
        let at = |s| start + Duration::from_secs(s);
        assert!(rate.after(0, at(0)).abs() < f64::EPSILON);
        assert!((rate.after(10, at(1)) - 10.0).abs() < 0.01);
        for second in 2..20 {
            rate.after(10, at(second));
        }
        assert!(rate.after(10, at(20)).abs() < f64::EPSILON);
    }
}
