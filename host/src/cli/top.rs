//! `tributary top`: the connectors of a running service as they work, from its `/metrics`.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use clap::Args;

use super::{
    Context, Exit,
    service::{Address, Asked, Service},
};
use crate::telemetry::{Screen, now_ms};

/// To the upper left corner, and erase what is below.
const HOME: &str = "\x1b[H\x1b[J";

/// What `top` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    address: Address,
    /// Milliseconds between two looks
    #[arg(long, value_name = "T", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    interval_ms: u64,
    /// Rows at most; the busiest connectors come first
    #[arg(long, value_name = "N", default_value_t = 40)]
    rows: usize,
    /// Shows one table of one interval and ends
    #[arg(long)]
    once: bool,
}

/// Shows tables until the end of the process, or one.
pub(super) async fn top(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let service = Service::new(&arguments.address, false)?;
    let shown = show(context, &service, &arguments).await;
    super::service::exit(context, shown)
}

async fn show(context: &Context, service: &Service, arguments: &Arguments) -> Result<(), Asked> {
    let interval = Duration::from_millis(arguments.interval_ms);
    let (mut before, mut at) = (Connectors::parse(&service.text("/metrics").await?), Instant::now());
    loop {
        tokio::time::sleep(interval).await;
        let (now, now_at) = (Connectors::parse(&service.text("/metrics").await?), Instant::now());
        let table = table(&before, &now, now_at.saturating_duration_since(at), now_ms(), arguments.rows);
        if arguments.once || !Screen::stdout_is_terminal() {
            context.screen.write_data(table.as_bytes())?;
        } else {
            context.screen.write_data(format!("{HOME}{table}").as_bytes())?;
        }
        if arguments.once {
            return Ok(());
        }
        (before, at) = (now, now_at);
    }
}

/// What is shown of one connector.
#[derive(Clone, Debug, Default, PartialEq)]
struct Numbers {
    state: String,
    task: String,
    written: f64,
    newest_s: Option<f64>,
    replay_id: Option<f64>,
    memory_bytes: f64,
}

#[derive(Debug, Default, PartialEq)]
struct Connectors {
    of: BTreeMap<String, Numbers>,
    /// The worker that was asked has none, as another one is active.
    elsewhere: bool,
}

impl Connectors {
    /// Of Prometheus' text, as the service writes it.
    fn parse(text: &str) -> Self {
        let mut connectors = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            connectors.elsewhere |= line == "tributary_worker_active 0";
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Some((name, labels)) = series.split_once('{') else { continue };
            let (labels, Ok(value)) = (labels_of(labels), value.parse::<f64>()) else { continue };
            let Some(connector) = labels.get("connector").filter(|connector| !connector.is_empty()) else { continue };
            let numbers = connectors.of.entry(connector.clone()).or_default();
            let word = || labels.get("status").cloned().unwrap_or_default().to_ascii_uppercase();
            match name {
                "kafka_connect_connector_status" => numbers.state = word(),
                "kafka_connect_connector_task_status" => numbers.task = word(),
                "kafka_connect_source_task_source_record_write_total" => numbers.written = value,
                "tributary_newest_event_timestamp_seconds" => numbers.newest_s = Some(value),
                "tributary_committed_offset" => numbers.replay_id = Some(value),
                "tributary_guest_memory_bytes" => numbers.memory_bytes = value,
                _ => {}
            }
        }
        // Counters outlive a connector; its state does not.
        connectors.of.retain(|_, numbers| !numbers.state.is_empty());
        connectors
    }
}

/// `a="b",c="d"}`.
fn labels_of(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while let Some((name, quoted)) = rest.split_once("=\"") {
        let (mut value, mut characters) = (String::new(), quoted.char_indices());
        let mut end = quoted.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => {}
                },
                other => value.push(other),
            }
        }
        labels.insert(name.trim_start_matches(',').to_owned(), value);
        rest = quoted.get(end..).unwrap_or_default();
    }
    labels
}

fn table(before: &Connectors, now: &Connectors, time: Duration, now_ms: i64, rows_max: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch take 41 bits")]
    let now_s = now_ms as f64 / 1_000.0;
    let rate = |name: &str, numbers: &Numbers| {
        let written = before.of.get(name).map_or(numbers.written, |before| before.written);
        (numbers.written - written).max(0.0) / time.as_secs_f64().max(0.001)
    };
    let mut connectors: Vec<(&String, &Numbers, f64)> =
        now.of.iter().map(|(name, numbers)| (name, numbers, rate(name, numbers))).collect();
    connectors.sort_by(|(_, _, a), (_, _, b)| b.total_cmp(a));
    // A sum of nothing is -0.
    let total = connectors.iter().fold(0.0, |total, (_, _, rate)| total + rate);
    let mut rows =
        vec![["CONNECTOR", "STATE", "TASK", "RECORDS/S", "LAST EVENT", "REPLAY ID", "MEMORY"].map(str::to_owned)];
    rows.extend(connectors.iter().take(rows_max).map(|(name, numbers, rate)| {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let age = numbers.newest_s.map(|newest_s| format!("{:.1} s ago", (now_s - newest_s).max(0.0)));
        let word = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        [
            (*name).clone(),
            word(&numbers.state),
            word(&numbers.task),
            format!("{rate:.1}"),
            or_none(age),
            or_none(numbers.replay_id.map(|id| format!("{id:.0}"))),
            format!("{:.1} MiB", numbers.memory_bytes / f64::from(1 << 20)),
        ]
    }));
    let count = connectors.len();
    let more = if count > rows_max { format!(", {} not shown", count - rows_max) } else { String::new() };
    let plural = if count == 1 { "" } else { "s" };
    let elsewhere = if now.elsewhere { "; this worker stands by, ask the active one" } else { "" };
    format!("{count} connector{plural}, {total:.1} records/s{more}{elsewhere}\n{}", super::pretty::columns(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP kafka_connect_connector_status The state.\n\
        kafka_connect_connector_status{connector=\"a\\\"b,=\",status=\"running\"} 1\n\
        kafka_connect_connector_task_status{connector=\"a\\\"b,=\",task=\"0\",status=\"failed\"} 1\n\
        kafka_connect_source_task_source_record_write_total{connector=\"a\\\"b,=\",task=\"0\"} 30\n\
        tributary_newest_event_timestamp_seconds{connector=\"a\\\"b,=\"} 98.5\n\
        tributary_committed_offset{connector=\"a\\\"b,=\",field=\"replayId\"} 3826\n\
        tributary_guest_memory_bytes{connector=\"a\\\"b,=\"} 3145728\n\
        kafka_connect_connector_status{connector=\"idle\",status=\"paused\"} 1\n\
        tributary_guest_memory_bytes{connector=\"gone\"} 1\n\
        kafka_connect_worker_connector_count 2\n";

    #[test]
    fn the_busiest_come_first() {
        let now = Connectors::parse(PAGE);
        let before = Connectors::parse(&PAGE.replace("} 30\n", "} 10\n"));
        let text = table(&before, &now, Duration::from_secs(2), 100_000, 40);
        let expected = "2 connectors, 10.0 records/s\n\
            CONNECTOR  STATE    TASK    RECORDS/S  LAST EVENT  REPLAY ID  MEMORY\n\
            a\"b,=      RUNNING  FAILED  10.0       1.5 s ago   3826       3.0 MiB\n\
            idle       PAUSED   -       0.0        -           -          0.0 MiB\n";
        assert_eq!(text, expected);
        let text = table(&before, &now, Duration::from_secs(2), 100_000, 1);
        assert!(text.starts_with("2 connectors, 10.0 records/s, 1 not shown\n") && !text.contains("idle"), "{text}");
        let standby = Connectors::parse("tributary_worker_active 0\n");
        let text = table(&standby, &standby, Duration::from_secs(2), 100_000, 1);
        assert!(text.starts_with("0 connectors, 0.0 records/s; this worker stands by, ask the active one\n"), "{text}");
        assert_eq!(Connectors::parse("nonsense\n{\nx{y 1\nx{y=\"z 1\n"), Connectors::default());
    }
}
