//! The answer to `GET /services/data/vXX.0/limits` (REST API Developer Guide, "Limits"), as far as streaming needs it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An allowance of the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Limit {
    /// How much there is in all.
    pub max: u64,
    /// How much is left.
    pub remaining: u64,
}

/// The allowances that a connector lives on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// REST calls in 24 hours.
    pub api_requests: Option<Limit>,
    /// Events delivered to CometD clients in 24 hours.
    pub events: Option<Limit>,
    /// CometD clients at a time.
    pub clients: Option<Limit>,
}

/// Reads the answer. API versions from 37.0 on count against the allowances that are called durable; where an org has
/// only the others, they are taken. `None` when the answer is something else.
#[must_use]
pub fn parse(body: &[u8]) -> Option<Limits> {
    let all: BTreeMap<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let limit =
        |name: &str| all.get(name).and_then(|value| Limit::deserialize(value).ok()).filter(|limit| limit.max > 0);
    Some(Limits {
        api_requests: limit("DailyApiRequests"),
        events: limit("DailyDurableStreamingApiEvents").or_else(|| limit("DailyStreamingApiEvents")),
        clients: limit("DurableStreamingApiConcurrentClients").or_else(|| limit("StreamingApiConcurrentClients")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_durable_allowances_come_first() {
        let body =
            br#"{"DailyApiRequests":{"Max":15000,"Remaining":14998,"Ant Migration Tool":{"Max":0,"Remaining":0}},
            "DailyStreamingApiEvents":{"Max":10000,"Remaining":10000},
            "DailyDurableStreamingApiEvents":{"Max":10000,"Remaining":7},
            "StreamingApiConcurrentClients":{"Max":20,"Remaining":20},"Odd":3}"#;
        let limits = parse(body).expect("a limits answer");
        assert_eq!(limits.api_requests, Some(Limit { max: 15_000, remaining: 14_998 }));
        assert_eq!(limits.events, Some(Limit { max: 10_000, remaining: 7 }));
        assert_eq!(limits.clients, Some(Limit { max: 20, remaining: 20 }));
        assert_eq!(parse(b"{}"), Some(Limits::default()));
        assert_eq!(parse(b"<html>"), None);
    }
}
