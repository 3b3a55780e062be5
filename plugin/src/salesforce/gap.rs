//! A gap: a stored position that the org no longer honours, and the record that tells of it, so that whoever reads the
//! topic knows that events may be missing (Streaming API Developer Guide, "Message Durability": 24 hours).

use serde_json::json;

use crate::time::{WallMs, iso};

/// Why a position is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Salesforce refused the replay id; its words.
    Refused(String),
    /// The PushTopic is another one than that of the position: the ids of the old and of the new.
    Recreated {
        /// The id with which the position was stored.
        was: String,
        /// The id now.
        is: String,
    },
}

impl Reason {
    /// A short stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "REPLAY_ID_REFUSED",
            Self::Recreated { .. } => "PUSH_TOPIC_RECREATED",
        }
    }

    /// A sentence without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(said) => said.clone(),
            Self::Recreated { was, is } => format!(
                "The PushTopic was deleted and made anew since the position was stored (its id was {was} and is {is}), so that the position \
                 means nothing any more"
            ),
        }
    }
}

/// What is known about a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap<'a> {
    /// The connector's name; empty when the runtime does not tell it.
    pub connector: &'a str,
    /// The PushTopic's name.
    pub push_topic: &'a str,
    /// The position that is lost.
    pub from_replay_id: i64,
    /// When the last event before the gap was created, to the minute.
    pub last_event_ms: Option<WallMs>,
    /// When the loss was noticed.
    pub detected_ms: WallMs,
    /// Why.
    pub reason: &'a Reason,
    /// What is done about it.
    pub policy: &'a str,
}

impl Gap<'_> {
    /// The record's key.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        json!({"pushTopic": self.push_topic}).to_string().into_bytes()
    }

    /// The record's value.
    #[must_use]
    pub fn value(&self) -> Vec<u8> {
        let text = |text: &str| if text.is_empty() { serde_json::Value::Null } else { text.into() };
        json!({
            "connector": text(self.connector),
            "pushTopic": self.push_topic,
            "fromReplayId": self.from_replay_id,
            "lastEventCreatedDate": self.last_event_ms.map(iso),
            "detectedAt": iso(self.detected_ms),
            "reason": self.reason.code(),
            "message": self.reason.sentence(),
            "policy": self.policy,
        })
        .to_string()
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_told_in_json() {
        let reason = Reason::Recreated { was: "0IF1".into(), is: "0IF2".into() };
        let gap = Gap {
            connector: "leads",
            push_topic: "Leads",
            from_replay_id: 7,
            last_event_ms: Some(1_539_874_380_000),
            detected_ms: 1_539_874_413_777,
            reason: &reason,
            policy: "earliest",
        };
        let value: serde_json::Value = serde_json::from_slice(&gap.value()).expect("JSON");
        assert_eq!(
            value,
            json!({
                "connector": "leads", "pushTopic": "Leads", "fromReplayId": 7,
                "lastEventCreatedDate": "2018-10-18T14:53:00.000Z", "detectedAt": "2018-10-18T14:53:33.777Z",
                "reason": "PUSH_TOPIC_RECREATED", "message": reason.sentence(), "policy": "earliest"
            })
        );
        assert_eq!(gap.key(), br#"{"pushTopic":"Leads"}"#);
        let unnamed = Gap { connector: "", last_event_ms: None, ..gap };
        assert!(String::from_utf8_lossy(&unnamed.value()).contains(r#""connector":null"#));
    }
}
