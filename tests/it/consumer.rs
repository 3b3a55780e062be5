//! An independent consumer: Kafka's own `ConsoleConsumer`, which shares no code with what is tested.

use std::time::Duration;

use crate::broker::{Broker, java};

/// How long the consumer waits for one more record before it takes the topic's end for reached.
const QUIET: Duration = Duration::from_secs(5);

/// A record as a consumer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Consumed {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    /// `NO_HEADERS`, or what the console prints of them.
    pub(crate) headers: String,
    /// None is a null key.
    pub(crate) key: Option<String>,
    /// None is a tombstone.
    pub(crate) value: Option<String>,
}

/// What the console prints for null: nothing that JSON could be.
const NULL: &str = "<null>";

/// Everything that stands in a topic, in the order of its partitions' offsets.
#[track_caller]
pub(crate) fn read_all(broker: &Broker, topic: &str) -> Vec<Consumed> {
    let mut consumer = java("org.apache.kafka.tools.consumer.ConsoleConsumer");
    consumer.args(["--bootstrap-server", &broker.address(), "--topic", topic, "--from-beginning"]);
    consumer.args(["--isolation-level", "read_committed", "--timeout-ms", &QUIET.as_millis().to_string()]);
    let parts = ["timestamp", "partition", "offset", "headers", "key", "value"];
    for property in parts.iter().map(|part| format!("print.{part}=true")).chain([format!("null.literal={NULL}")]) {
        consumer.args(["--formatter-property", &property]);
    }
    let output = consumer.output().expect("java starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    // Its way to say that the end is reached: a time-out, then how many there were.
    assert!(stderr.contains("Processed a total of"), "the consumer failed: {stderr}");
    parse_all(&String::from_utf8(output.stdout).expect("the records are text"))
}

/// The records of such lines, in the order of their partitions' offsets.
#[track_caller]
pub(crate) fn parse_all(text: &str) -> Vec<Consumed> {
    let mut records: Vec<Consumed> = text.lines().map(parse).collect();
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

/// One line: six columns, a tab between two. JSON holds no bare tab.
#[track_caller]
fn parse(line: &str) -> Consumed {
    let columns: Vec<&str> = line.split('\t').collect();
    let [timestamp, partition, offset, headers, key, value] = columns[..] else { panic!("not six columns: {line:?}") };
    let number = |column: &str, name: &str| -> i64 {
        let digits = column.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
        digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{column:?} is no {name}: {line:?}"))
    };
    let text = |column: &str| (column != NULL).then(|| column.to_owned());
    Consumed {
        partition: i32::try_from(number(partition, "Partition")).expect("partitions are small"),
        offset: number(offset, "Offset"),
        timestamp_ms: number(timestamp, "CreateTime"),
        headers: headers.to_owned(),
        key: text(key),
        value: text(value),
    }
}
