//! Prometheus' text format, version 0.0.4.

use std::fmt::Write as _;

use super::page::{Family, Kind, Page, Point};

impl Page {
    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, Family { kind, help, series }) in &self.0 {
            let kind = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for series in series {
                let labels: Vec<String> =
                    series.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
                match &series.point {
                    Point::Number(value) => {
                        let _ = writeln!(text, "{name}{} {value}", braced(&labels, None));
                    }
                    Point::Histogram { bounds, counts, sum } => {
                        let mut total = 0;
                        let bounds = bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
                        for (bound, count) in bounds.zip(counts) {
                            total += count;
                            let _ = writeln!(text, "{name}_bucket{} {total}", braced(&labels, Some(&bound)));
                        }
                        let labels = braced(&labels, None);
                        let _ = writeln!(text, "{name}_sum{labels} {sum}\n{name}_count{labels} {total}");
                    }
                }
            }
        }
        text
    }
}

fn braced(labels: &[String], bound: Option<&str>) -> String {
    let bound = bound.map(|bound| format!("le=\"{bound}\""));
    let all: Vec<&str> = labels.iter().map(String::as_str).chain(bound.as_deref()).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_in_order_and_escaped() {
        let mut page = Page::default();
        page.add("b_total", Kind::Counter, "B.", &[("connector", "a\"b\\c\n")], 2.0);
        page.add("a", Kind::Gauge, "A.", &[], 0.5);
        page.add("b_total", Kind::Counter, "B.", &[("connector", "d")], 3.0);
        let expected = "# HELP a A.\n# TYPE a gauge\na 0.5\n# HELP b_total B.\n# TYPE b_total counter\n\
            b_total{connector=\"a\\\"b\\\\c\\n\"} 2\nb_total{connector=\"d\"} 3\n";
        assert_eq!(page.text(), expected);
    }

    #[test]
    fn a_histogram_adds_up() {
        let mut page = Page::default();
        let point = Point::Histogram { bounds: vec![0.5, 1.0], counts: vec![2, 0, 1], sum: 3.25 };
        page.put("t_seconds", Kind::Histogram, "T.", &[("connector", "a")], point);
        let expected = "# HELP t_seconds T.\n# TYPE t_seconds histogram\n\
            t_seconds_bucket{connector=\"a\",le=\"0.5\"} 2\nt_seconds_bucket{connector=\"a\",le=\"1\"} 2\n\
            t_seconds_bucket{connector=\"a\",le=\"+Inf\"} 3\nt_seconds_sum{connector=\"a\"} 3.25\n\
            t_seconds_count{connector=\"a\"} 3\n";
        assert_eq!(page.text(), expected);
    }
}
