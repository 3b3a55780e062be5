//! Rows in place of events that are lost: the SOQL query for what changed since the last event that arrived, and its
//! answer row by row (REST API Developer Guide, "QueryAll", "Execute a SOQL Query"). Deleted rows are among them for as
//! long as the recycle bin keeps them. What happened to a row in between cannot be told, only how it ended.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::push_topic_query::ParsedQuery;
use crate::{
    data::calendar,
    time::{WallMs, iso},
};

/// How far before the last event's minute changes are read, in milliseconds: an event's date is that of its transaction's
/// beginning, and a row may have been stamped earlier by a transaction that ended later.
pub const MARGIN_MS: i64 = 120_000;

/// What is asked besides the PushTopic's own fields, to tell what happened to a row.
const EXTRA: [&str; 4] = ["Id", "IsDeleted", "CreatedDate", "SystemModstamp"];

/// The query, and what of its rows becomes a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairQuery {
    /// The SOQL text.
    pub soql: String,
    /// Rows changed from here on are read.
    since_ms: WallMs,
    /// Fields of the PushTopic, in lower case.
    fields: Vec<String>,
}

/// A row as the event that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `created`, `updated`, `deleted`.
    pub event_type: &'static str,
    /// When it was changed last.
    pub modified_ms: Option<WallMs>,
    /// The fields, as an event has them; of a deleted row the Id alone.
    pub sobject: String,
}

/// One page of rows.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// Each a JSON object.
    pub records: Vec<Box<RawValue>>,
    /// Where the next page is.
    #[serde(rename = "nextRecordsUrl", default)]
    pub next: Option<String>,
}

impl RepairQuery {
    /// Of a PushTopic's query, for what changed since its last event. `None` when the query cannot be taken apart.
    #[must_use]
    pub fn new(push_topic_query: &str, last_event_ms: WallMs) -> Option<Self> {
        let parsed = ParsedQuery::parse(push_topic_query)?;
        let since_ms = last_event_ms - MARGIN_MS;
        let own: Vec<&str> = parsed.fields.iter().copied().filter(|field| !field.contains('(')).collect();
        let is_own = |extra: &&str| !own.iter().any(|field| field.eq_ignore_ascii_case(extra));
        let all: Vec<&str> = own.iter().copied().chain(EXTRA.into_iter().filter(is_own)).collect();
        let condition = parsed.condition_and();
        let soql = format!(
            "SELECT {} FROM {} WHERE {condition}SystemModstamp >= {} ORDER BY SystemModstamp",
            all.join(","),
            parsed.object,
            iso(since_ms)
        );
        Some(Self { soql, since_ms, fields: own.iter().map(|field| field.to_ascii_lowercase()).collect() })
    }

    /// Reads a row.
    ///
    /// # Errors
    /// A sentence that holds nothing of the row.
    pub fn row(&self, raw: &RawValue) -> Result<Row, String> {
        let members: BTreeMap<&str, &RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| "a row of the repair query is no JSON object".to_owned())?;
        let text = |name: &str| members.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        let ms = |name: &str| text(name).and_then(|text| calendar::datetime_ms(&text).ok());
        let id = members.get("Id").ok_or("a row of the repair query has no Id")?;
        let deleted = members.get("IsDeleted").is_some_and(|raw| raw.get() == "true");
        let event_type = match (deleted, ms("CreatedDate")) {
            (true, _) => "deleted",
            (false, Some(created)) if created >= self.since_ms => "created",
            (false, _) => "updated",
        };
        let sobject = if deleted {
            format!(r#"{{"Id":{}}}"#, id.get())
        } else {
            let own = members.iter().filter(|(name, _)| self.fields.contains(&name.to_ascii_lowercase()));
            let own: Vec<String> = own.map(|(name, raw)| format!("{name:?}:{}", raw.get())).collect();
            format!("{{{}}}", own.join(","))
        };
        Ok(Row { event_type, modified_ms: ms("SystemModstamp"), sobject })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2018-10-18T14:53:00Z.
    const LAST_MS: WallMs = 1_539_874_380_000;

    #[test]
    fn queries() {
        let cases = [
            (
                "SELECT Id, Name FROM Lead",
                "SELECT Id,Name,IsDeleted,CreatedDate,SystemModstamp FROM Lead WHERE SystemModstamp >= 2018-10-18T14:51:00.000Z ORDER BY SystemModstamp",
            ),
            (
                "select Name, toLabel(Status), createddate from Lead where Name = 'a' OR Name = 'b'",
                "SELECT Name,createddate,Id,IsDeleted,SystemModstamp FROM Lead WHERE (Name = 'a' OR Name = 'b') AND SystemModstamp >= 2018-10-18T14:51:00.000Z ORDER BY SystemModstamp",
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(RepairQuery::new(query, LAST_MS).map(|query| query.soql).as_deref(), Some(expected));
        }
        assert_eq!(RepairQuery::new("Lead", LAST_MS), None);
    }

    #[test]
    fn rows() {
        let query = RepairQuery::new("SELECT Id, Name, Revenue FROM Lead", LAST_MS).expect("a query");
        let row = |created: &str, deleted: bool| {
            let text = format!(
                r#"{{"attributes":{{"type":"Lead"}},"Id":"00Q1","Name":"a","Revenue":100.0,"IsDeleted":{deleted},"CreatedDate":"{created}","SystemModstamp":"2018-10-18T14:53:33.000+0000"}}"#
            );
            let raw = RawValue::from_string(text).expect("JSON");
            query.row(&raw).expect("a row")
        };
        let full = r#"{"Id":"00Q1","Name":"a","Revenue":100.0}"#;
        for (created, deleted, event_type, sobject) in [
            ("2018-10-18T14:52:00.000+0000", false, "created", full),
            ("2017-10-18T14:52:00.000+0000", false, "updated", full),
            ("2018-10-18T14:52:00.000+0000", true, "deleted", r#"{"Id":"00Q1"}"#),
        ] {
            let expected = Row { event_type, modified_ms: Some(1_539_874_413_000), sobject: sobject.into() };
            assert_eq!(row(created, deleted), expected);
        }
        for bad in ["[]", r#"{"Name":"a"}"#, "1"] {
            assert!(query.row(&RawValue::from_string(bad.to_owned()).expect("JSON")).is_err(), "{bad}");
        }
    }
}
