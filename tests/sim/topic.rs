//! The topic K and the host's side of delivery, in miniature: records are in flight until they are acknowledged, the
//! offset that is committed is the end of an acknowledged prefix, and a crash keeps any prefix of what was in flight.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use salesforce_pushtopic::task::ProducerRecord;
use salesforce_simulator::Event;
use serde_json::Value;

/// One poll's records, and the offset behind them.
#[derive(Clone, Debug)]
struct Batch {
    records: Vec<ProducerRecord>,
    offset: Option<i64>,
}

/// Everything that reached the topic, and what is on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topic {
    log: Vec<ProducerRecord>,
    in_flight: VecDeque<Batch>,
    committed: Option<i64>,
    /// Records that were in flight at a crash and so may come twice.
    excused: usize,
}

impl Topic {
    pub(crate) fn committed(&self) -> Option<i64> {
        self.committed
    }

    /// What a transaction held.
    pub(crate) fn append(&mut self, records: Vec<ProducerRecord>) {
        self.log.extend(records);
    }

    pub(crate) fn take(&mut self, records: Vec<ProducerRecord>, offset: Option<i64>) {
        if !records.is_empty() {
            self.in_flight.push_back(Batch { records, offset });
        }
    }

    /// Acknowledges the oldest batch in `percent` of the calls, or everything where nothing ever crashes.
    pub(crate) fn acknowledge_some(&mut self, percent: u64, crashes: bool) {
        if !crashes {
            self.acknowledge_all();
        } else if percent < 50
            && let Some(batch) = self.in_flight.pop_front()
        {
            self.log.extend(batch.records);
            self.committed = batch.offset;
        }
    }

    pub(crate) fn acknowledge_all(&mut self) {
        for batch in self.in_flight.drain(..) {
            self.log.extend(batch.records);
            self.committed = batch.offset;
        }
    }

    /// The host dies: `percent` of what was in flight had reached the topic, but the offset knows nothing of it.
    pub(crate) fn crash(&mut self, percent: u64) {
        let records: Vec<ProducerRecord> = self.in_flight.drain(..).flat_map(|batch| batch.records).collect();
        let landed = records.len() * usize::try_from(percent).unwrap_or(0) / 100;
        self.excused += landed;
        self.log.extend(records.into_iter().take(landed));
    }

    /// Whether every event of the ledger has arrived. From the tip, the last one decides: those before the first
    /// subscription are not asked for.
    pub(crate) fn holds_all(&self, ledger: &[Arc<Event>], from_latest: bool) -> bool {
        if from_latest {
            let last = ledger.last().map(|event| identity(&expected(event)));
            return last.is_none_or(|last| self.log.iter().any(|record| identity(&value(record)) == last));
        }
        let distinct: std::collections::BTreeSet<String> = self.log.iter().map(|r| identity(&value(r))).collect();
        distinct.len() >= ledger.len()
    }

    /// Counts lost, dup, foreign, altered and disorder.
    pub(crate) fn judge(&self, ledger: &[Arc<Event>], crashes: bool, from_latest: bool) -> Result<String, String> {
        let ledger: Vec<Value> = ledger.iter().map(|event| expected(event)).collect();
        let places: BTreeMap<String, usize> = ledger.iter().map(identity).zip(0..).collect();
        let mut counts = vec![0_usize; ledger.len()];
        let (mut foreign, mut altered, mut disorder, mut last) = (0, 0, 0, 0);
        for record in &self.log {
            let value = value(record);
            let Some(place) = places.get(&identity(&value)).copied() else {
                foreign += 1;
                continue;
            };
            altered += usize::from(!same(&ledger[place], &value));
            disorder += usize::from(place < last && counts[place] == 0);
            last = place;
            counts[place] += 1;
        }
        let first = if from_latest { counts.iter().position(|count| *count > 0).unwrap_or(ledger.len()) } else { 0 };
        let lost = counts[first..].iter().filter(|count| **count == 0).count();
        let missing = counts.iter().zip(&ledger).skip(first).filter(|(count, _)| **count == 0).take(3);
        let missing: Vec<String> = missing.map(|(_, event)| identity(event)).collect();
        let dup: usize = counts.iter().map(|count| count.saturating_sub(1)).sum();
        let dup_max = if crashes { self.excused } else { 0 };
        let summary = format!(
            "{} events, {} records: lost {lost}, dup {dup} (at most {dup_max}), foreign {foreign}, altered {altered}, disorder {disorder} {missing:?}",
            ledger.len(),
            self.log.len()
        );
        if lost + foreign + altered + disorder == 0 && dup <= dup_max { Ok(summary) } else { Err(summary) }
    }

    /// Does one kind of harm, to try the judge.
    pub(crate) fn harm(&mut self, kind: &str) {
        let edit = |record: &mut ProducerRecord, field: &str, text: &str| {
            let mut json = value(record);
            json[field] = text.into();
            record.value = Some(json.to_string().into_bytes());
        };
        match kind {
            "lost" => drop(self.log.remove(5)),
            "dup" => self.log.insert(6, self.log[5].clone()),
            "foreign" => {
                let mut record = self.log[5].clone();
                edit(&mut record, "Id", "00Q999999999999ZZZ");
                self.log.insert(6, record);
            }
            "altered" => edit(&mut self.log[5], "LastName", "Somebody else"),
            _ => self.log.swap(5, 6),
        }
    }
}

fn value(record: &ProducerRecord) -> Value {
    let mut value: Value = serde_json::from_slice(record.value.as_deref().unwrap_or_default()).expect("a JSON value");
    value["_timestamp"] = record.timestamp_ms.into();
    value
}

/// What tells events apart: the record, what happened, and when. The org's clock is in milliseconds and the simulation
/// makes no two changes to one record in the same one.
fn identity(value: &Value) -> String {
    format!("{} {} {}", value["Id"], value["_EventType"], value["_timestamp"])
}

/// The ledger's event in the shape of a value, with fields as they travel.
fn expected(event: &Event) -> Value {
    let data: Value = serde_json::from_slice(&event.data).expect("the ledger holds JSON");
    let mut value = data["sobject"].clone();
    value["_EventType"] = data["event"]["type"].clone();
    value["_timestamp"] = event.created_ms.into();
    value
}

/// Whether a record holds what its event held. Dates and currency change their form on the way; their values are the
/// business of golden tests, so that here a field counts when it is text, a boolean or null on both sides.
fn same(event: &Value, record: &Value) -> bool {
    let Some(fields) = event.as_object() else { return false };
    fields.iter().all(|(name, sent)| match (sent, &record[name]) {
        (Value::String(sent), Value::String(got)) => sent == got,
        (Value::String(_), Value::Number(_)) | (Value::Number(_), _) | (Value::Object(_), Value::Object(_)) => true,
        (sent, got) => sent == got,
    })
}
