//! `Page`: families of metrics at one moment.

use std::collections::BTreeMap;

/// What the numbers of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often values of each size came.
    Histogram,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// Of a counter or a gauge.
    Number(f64),
    /// Of a histogram: upper bounds, and for each of them and for what is above them how many values there were.
    Histogram {
        /// Ascending.
        bounds: Vec<f64>,
        /// One more than bounds; not added up.
        counts: Vec<u64>,
        /// Of all values.
        sum: f64,
    },
}

/// Values under one set of labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Names and values.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub point: Point,
}

/// Everything under one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// What it is.
    pub kind: Kind,
    /// What it tells, in a sentence.
    pub help: &'static str,
    /// Its values.
    pub series: Vec<Series>,
}

/// Families by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page(pub BTreeMap<String, Family>);

impl Page {
    /// Adds a number.
    pub fn add(&mut self, name: &str, kind: Kind, help: &'static str, labels: &[(&str, &str)], value: f64) {
        self.put(name, kind, help, labels, Point::Number(value));
    }

    /// Adds a value of any kind.
    pub fn put(&mut self, name: &str, kind: Kind, help: &'static str, labels: &[(&str, &str)], point: Point) {
        let family = self.0.entry(name.to_owned()).or_insert_with(|| Family { kind, help, series: Vec::new() });
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        family.series.push(Series { labels, point });
    }
}
