//! Counters and gauges in memory, by name and labels. Bounded for each connector: a component chooses names and labels, and
//! must neither fill the host's memory with them nor take the place of its neighbours'.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Series of one connector, and of the worker itself, that are kept; what comes later is dropped and counted.
const SERIES_MAX: usize = 200;
/// The label that names a connector.
const CONNECTOR: &str = "connector";
/// Labels of one series.
const LABELS_MAX: usize = 8;
/// Characters of a name or of a label's value.
const TEXT_CHARS_MAX: usize = 128;

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Only grows.
    Counter(u64),
    /// Goes up and down.
    Gauge(f64),
}

/// One series at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// In snake case, with a unit.
    pub name: String,
    /// In the order of their names.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: Value,
}

type Key = (String, Vec<(String, String)>);

/// The registry.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By connector; those of the worker under an empty name.
    series: Mutex<BTreeMap<String, BTreeMap<Key, Value>>>,
}

impl Metrics {
    /// Adds to a counter.
    pub fn add(&self, name: &str, labels: &[(&str, &str)], delta: u64) {
        self.update(name, labels, |value| match value {
            Some(Value::Counter(count)) => Value::Counter(count.saturating_add(delta)),
            _ => Value::Counter(delta),
        });
    }

    /// Sets a gauge.
    pub fn set(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.update(name, labels, |_| Value::Gauge(value));
    }

    /// Every series, ordered by name and labels.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Sample> {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = |((name, labels), value): (&Key, &Value)| Sample {
            name: name.clone(),
            labels: labels.clone(),
            value: *value,
        };
        let mut samples: Vec<Sample> = series.values().flatten().map(sample).collect();
        samples.sort_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
        samples
    }

    /// Nothing is known of a connector any more.
    pub fn forget(&self, connector: &str) {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).remove(connector);
    }

    fn update(&self, name: &str, labels: &[(&str, &str)], change: impl FnOnce(Option<Value>) -> Value) {
        let Some(key) = key(name, labels) else { return };
        let connector = labels.iter().find(|(name, _)| *name == CONNECTOR).map_or("", |(_, connector)| connector);
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = match all.get_mut(connector) {
            Some(series) => series,
            None => all.entry(connector.to_owned()).or_default(),
        };
        if let Some(value) = series.get_mut(&key) {
            *value = change(Some(*value));
        } else if series.len() < SERIES_MAX {
            series.insert(key, change(None));
        } else {
            // One place is always left for this: it is made when the first series is refused, beyond the bound.
            let labels = vec![(CONNECTOR.to_owned(), connector.to_owned())];
            let labels = if connector.is_empty() { vec![] } else { labels };
            let dropped = series.entry(("metric_series_dropped_total".to_owned(), labels)).or_insert(Value::Counter(0));
            if let Value::Counter(count) = dropped {
                *count = count.saturating_add(1);
            }
        }
    }
}

/// None: not a name that a metric can have.
fn key(name: &str, labels: &[(&str, &str)]) -> Option<Key> {
    let identifier = |text: &str| {
        text.len() <= TEXT_CHARS_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if !identifier(name) || labels.len() > LABELS_MAX || !labels.iter().all(|(name, _)| identifier(name)) {
        return None;
    }
    let cut = |text: &str| text.chars().take(TEXT_CHARS_MAX).collect();
    let mut labels: Vec<(String, String)> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), cut(value))).collect();
    labels.sort();
    labels.dedup_by(|a, b| a.0 == b.0);
    Some((name.to_owned(), labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_by_name_and_labels_in_any_order() {
        let metrics = Metrics::default();
        metrics.add("records_sent_total", &[("connector", "a"), ("topic", "t")], 2);
        metrics.add("records_sent_total", &[("topic", "t"), ("connector", "a")], 3);
        metrics.set("lag_ms", &[], 1.5);
        metrics.set("lag_ms", &[], 0.5);
        let values: Vec<(String, Value)> = metrics.snapshot().into_iter().map(|s| (s.name, s.value)).collect();
        assert_eq!(
            values,
            [("lag_ms".to_owned(), Value::Gauge(0.5)), ("records_sent_total".to_owned(), Value::Counter(5))]
        );
    }

    #[test]
    fn names_labels_and_series_are_bounded() {
        let metrics = Metrics::default();
        for name in ["", "Upper", "1st", "a-b", "a b", "ä"] {
            metrics.add(name, &[], 1);
            metrics.add("ok_total", &[(name, "x")], 1);
        }
        metrics.add(&"a".repeat(TEXT_CHARS_MAX + 1), &[], 1);
        metrics.add("ok_total", &[("l", "x"); LABELS_MAX + 1], 1);
        assert_eq!(metrics.snapshot(), []);
        let long = "v".repeat(TEXT_CHARS_MAX + 1);
        metrics.add("ok_total", &[("l", &long)], 1);
        assert_eq!(metrics.snapshot()[0].labels[0].1.len(), TEXT_CHARS_MAX);
        for index in 0..SERIES_MAX + 5 {
            metrics.add("many_total", &[("n", &index.to_string())], 1);
        }
        assert_eq!(metrics.snapshot().len(), SERIES_MAX + 1);
        let dropped = |metrics: &Metrics| {
            let all = metrics.snapshot().into_iter().filter(|sample| sample.name == "metric_series_dropped_total");
            all.map(|sample| sample.value).collect::<Vec<_>>()
        };
        assert_eq!(dropped(&metrics), [Value::Counter(6)]);
        // A neighbour has its own places, and none of them when it is gone.
        for index in 0..SERIES_MAX + 1 {
            metrics.add("many_total", &[("n", &index.to_string()), (CONNECTOR, "a")], 1);
        }
        assert_eq!(dropped(&metrics), [Value::Counter(6), Value::Counter(1)]);
        metrics.forget("a");
        assert_eq!((metrics.snapshot().len(), dropped(&metrics)), (SERIES_MAX + 1, vec![Value::Counter(6)]));
    }
}
