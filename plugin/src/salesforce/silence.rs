//! Does the org change while nothing arrives? One row of SOQL tells: the newest change that the PushTopic's own condition
//! lets through (REST API Developer Guide, "QueryAll"; SOQL and SOSL Reference, "ORDER BY").

use serde::Deserialize;

use super::{push_topic_query::ParsedQuery, rest};
use crate::{
    data::calendar,
    error::Verdict,
    http::Response,
    time::{WallMs, iso},
};

/// Names the request for people.
const WHAT: &str = "the query for changes during a silence";

/// The query for the newest row of a PushTopic's object that was changed after one time and not after the other. `None`
/// when the PushTopic's query cannot be taken apart.
#[must_use]
pub fn soql(push_topic_query: &str, after_ms: WallMs, until_ms: WallMs) -> Option<String> {
    let parsed = ParsedQuery::parse(push_topic_query)?;
    let condition = parsed.condition_and();
    Some(format!(
        "SELECT SystemModstamp FROM {} WHERE {condition}SystemModstamp > {} AND SystemModstamp <= {} \
         ORDER BY SystemModstamp DESC LIMIT 1",
        parsed.object,
        iso(after_ms),
        iso(until_ms)
    ))
}

/// When the row was changed; `None` when there is no row.
///
/// # Errors
/// Another answer than rows.
pub fn newest(response: &Response) -> Result<Option<WallMs>, Verdict> {
    #[derive(Deserialize)]
    struct Page {
        records: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "SystemModstamp")]
        modified: String,
    }
    rest::check(response, WHAT)?;
    let page: Page = serde_json::from_slice(&response.body).map_err(|_| rest::not_json(response, WHAT))?;
    match page.records.first() {
        None => Ok(None),
        Some(row) => calendar::datetime_ms(&row.modified).map(Some).map_err(|_| rest::not_json(response, WHAT)),
    }
}

/// The org's daily REST requests, used and allowed: `Sforce-Limit-Info: api-usage=18/5000`.
#[must_use]
pub fn api_usage(response: &Response) -> Option<(u64, u64)> {
    let usage = response.header("sforce-limit-info")?;
    let (used, max) =
        usage.split([',', ';']).find_map(|part| part.trim().strip_prefix("api-usage="))?.split_once('/')?;
    Some((used.trim().parse().ok()?, max.trim().parse().ok()?))
}

/// The part of them that is used up, in per cent.
#[must_use]
pub fn api_usage_percent(response: &Response) -> Option<u64> {
    let (used, max) = api_usage(response)?;
    used.checked_mul(100)?.checked_div(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, usage: &str, body: &str) -> Response {
        let headers = vec![("sforce-limit-info".to_owned(), usage.to_owned())];
        Response { status, headers, body: body.into() }
    }

    #[test]
    fn the_query_keeps_the_condition_of_the_push_topic() {
        // 2018-10-18T14:53:00Z.
        let (after, until) = (1_539_874_380_000, 1_539_874_440_000);
        let when = "SystemModstamp > 2018-10-18T14:53:00.000Z AND SystemModstamp <= 2018-10-18T14:54:00.000Z ORDER BY SystemModstamp DESC LIMIT 1";
        for (query, from) in [
            ("SELECT Id FROM Lead", "Lead WHERE "),
            ("SELECT Id FROM Lead WHERE A = 1 OR B = 2", "Lead WHERE (A = 1 OR B = 2) AND "),
        ] {
            assert_eq!(soql(query, after, until), Some(format!("SELECT SystemModstamp FROM {from}{when}")));
        }
        assert_eq!(soql("Lead", after, until), None);
    }

    #[test]
    fn answers() {
        let row = r#"{"done":true,"records":[{"SystemModstamp":"2018-10-18T14:53:33.000+0000"}]}"#;
        assert_eq!(newest(&answer(200, "", row)).ok(), Some(Some(1_539_874_413_000)));
        assert_eq!(newest(&answer(200, "", r#"{"records":[]}"#)).ok(), Some(None));
        for (status, body) in [(200, "<html>"), (200, r#"{"records":[{"SystemModstamp":"today"}]}"#), (503, "{}")] {
            assert!(newest(&answer(status, "", body)).is_err(), "{body}");
        }
    }

    #[test]
    fn usage() {
        for (header, percent) in [
            ("api-usage=18/5000", Some(0)),
            ("api-usage=4000/5000", Some(80)),
            ("per-app-api-usage=9/250(appName=x); api-usage=75/100", Some(75)),
            ("api-usage=1/0", None),
            ("api-usage=x/5", None),
            ("", None),
        ] {
            assert_eq!(api_usage_percent(&answer(200, header, "")), percent, "{header}");
        }
    }
}
