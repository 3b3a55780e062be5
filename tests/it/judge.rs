//! The judge: compares what a consumer read with the ledger of what happened, by the method of the fault card. Lost is
//! what happened and was not read; dup what was read more than once; foreign what never happened; altered what differs
//! from what happened; disorder what stands behind something that happened later.

use std::{collections::HashMap, fmt};

use serde_json::Value;

use crate::consumer::Consumed;

/// One event of the ledger, and the record that it must become.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) replay_id: u64,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// What the comparison found, as replay ids; of foreign and altered records, what is wrong with them.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) lost: Vec<u64>,
    pub(crate) dup: Vec<u64>,
    pub(crate) foreign: Vec<String>,
    pub(crate) altered: Vec<String>,
    pub(crate) disorder: Vec<u64>,
}

/// A failure must be readable: how many, and the first few.
impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn few<T: fmt::Debug>(f: &mut fmt::Formatter<'_>, name: &str, found: &[T]) -> fmt::Result {
            const SHOWN: usize = 3;
            let more = if found.len() > SHOWN { "…" } else { "" };
            writeln!(f, "{name} {}: {:?}{more}", found.len(), &found[..found.len().min(SHOWN)])
        }
        few(f, "lost", &self.lost)?;
        few(f, "dup", &self.dup)?;
        few(f, "foreign", &self.foreign)?;
        few(f, "altered", &self.altered)?;
        few(f, "disorder", &self.disorder)
    }
}

impl Verdict {
    /// Fails unless everything arrived once, unchanged and in order.
    #[track_caller]
    pub(crate) fn expect_exact(&self) {
        assert_eq!(*self, Self::default());
    }

    /// Fails unless everything arrived, unchanged, first arrivals in order; returns what arrived again.
    #[track_caller]
    pub(crate) fn expect_at_least_once(mut self) -> Vec<u64> {
        let dup = std::mem::take(&mut self.dup);
        assert_eq!(self, Self::default(), "repeated: {dup:?}");
        dup
    }
}

/// What makes an event recognisable in its record: which record of the org changed, and how. A scenario changes each
/// record at most once in each way.
fn identity(value: &str) -> Option<String> {
    let value: Value = serde_json::from_str(value).ok()?;
    Some(format!("{} {}", value.get("Id")?.as_str()?, value.get("_EventType")?.as_str()?))
}

/// Where a record differs from what its event must become.
fn difference(event: &Expected, record: &Consumed) -> Option<String> {
    let parts = [
        ("value", event.value.clone(), record.value.clone().unwrap_or_default()),
        ("key", event.key.clone(), record.key.clone().unwrap_or_default()),
        ("timestamp", event.timestamp_ms.to_string(), record.timestamp_ms.to_string()),
        ("headers", "NO_HEADERS".to_owned(), record.headers.clone()),
    ];
    let (part, expected, found) = parts.into_iter().find(|(_, expected, found)| expected != found)?;
    let same = expected.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.chars().skip(same.saturating_sub(30)).take(60).collect::<String>();
    Some(format!("{part} of {}: {} instead of {}", event.replay_id, around(&found), around(&expected)))
}

/// Compares the records of a topic, in their order, with the events of the ledger, in theirs.
#[track_caller]
pub(crate) fn judge(events: &[Expected], records: &[Consumed]) -> Verdict {
    let mut verdict = Verdict::default();
    let mut known: HashMap<String, (&Expected, u32)> = HashMap::new();
    for event in events {
        let identity = identity(&event.value).expect("the ledger's own values have an identity");
        let twice = known.insert(identity, (event, 0));
        assert!(twice.is_none(), "the scenario makes two events that look alike: {event:?}");
    }
    let mut newest = 0;
    for record in records {
        let value = record.value.as_deref().unwrap_or_default();
        let Some((event, seen)) = identity(value).and_then(|identity| known.get_mut(&identity)) else {
            verdict.foreign.push(format!("{record:?}"));
            continue;
        };
        *seen += 1;
        if *seen > 1 {
            verdict.dup.push(event.replay_id);
        } else if event.replay_id < newest {
            verdict.disorder.push(event.replay_id);
        }
        newest = newest.max(event.replay_id);
        verdict.altered.extend(difference(event, record));
    }
    verdict.lost = known.values().filter(|(_, seen)| *seen == 0).map(|(event, _)| event.replay_id).collect();
    verdict.lost.sort_unstable();
    verdict
}

#[test]
fn the_judge_sees_every_kind_of_fault() {
    let event = |replay_id: u64| Expected {
        replay_id,
        timestamp_ms: 1_000,
        key: format!(r#"{{"Id":"{replay_id}"}}"#),
        value: format!(r#"{{"Id":"{replay_id}","_EventType":"created"}}"#),
    };
    let record = |replay_id: u64| Consumed {
        partition: 0,
        offset: 0,
        timestamp_ms: 1_000,
        headers: "NO_HEADERS".to_owned(),
        key: Some(event(replay_id).key),
        value: Some(event(replay_id).value),
    };
    let events = [event(1), event(2), event(4)];
    judge(&events, &[record(1), record(2), record(4)]).expect_exact();

    let late = |field: fn(&mut Consumed)| {
        let mut changed = record(4);
        field(&mut changed);
        judge(&events, &[record(1), record(2), changed]).altered.len()
    };
    assert_eq!(judge(&events, &[record(1), record(4)]).lost, [2]);
    assert_eq!(judge(&events, &[record(1), record(2), record(1), record(2), record(4)]).expect_at_least_once(), [1, 2]);
    assert_eq!(judge(&events, &[record(1), record(2), record(3), record(4)]).foreign.len(), 1);
    assert_eq!(judge(&events, &[record(1), record(4), record(2)]).disorder, [2]);
    assert_eq!(late(|record| record.timestamp_ms += 1), 1);
    assert_eq!(late(|record| record.key = None), 1);
    assert_eq!(late(|record| record.headers = "a:b".to_owned()), 1);
    assert_eq!(late(|record| record.value = record.value.as_ref().map(|value| value.replace(',', ", "))), 1);
}
