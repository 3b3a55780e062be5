//! The source offset, `{"replayId": 3826}`, and the source partition, `{}`: exactly the shapes that Confluent's connector
//! stores, so that positions can be carried from one to the other.

/// The only key of a source offset that a person sees.
pub const REPLAY_ID: &str = "replayId";

/// What the connector itself wants to find again: the id of the PushTopic with which the position was made, and when its
/// last event was created, milliseconds to the minute. Names that begin with a dot are stored apart from the offset by
/// hosts that keep its documented shape.
const PUSH_TOPIC_ID: &str = ".pushTopicId";
const LAST_EVENT_MS: &str = ".lastEventMs";

/// How exactly the last event's time is kept: so it changes seldom, and is not written with every offset.
const LAST_EVENT_STEP_MS: i64 = 60_000;

/// A primitive, as Kafka Connect allows it in offsets.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// JSON null.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
}

/// Where a task stands, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The replay id, or one of the two that stand for a place to begin.
    pub replay_id: i64,
    /// The PushTopic's id.
    pub push_topic_id: Option<String>,
    /// When the last event was created.
    pub last_event_ms: Option<i64>,
}

impl Checkpoint {
    /// A position of which nothing else is known.
    #[must_use]
    pub fn at(replay_id: i64) -> Self {
        Self { replay_id, ..Self::default() }
    }

    /// Reads a source offset.
    ///
    /// # Errors
    /// A sentence for a person.
    pub fn read(offset: &[(String, Scalar)]) -> Result<Self, String> {
        let shown: Vec<_> = offset.iter().filter(|(name, _)| !name.starts_with('.')).cloned().collect();
        let mut checkpoint = Self::at(replay_id(&shown)?);
        for (name, value) in offset {
            match (name.as_str(), value) {
                (PUSH_TOPIC_ID, Scalar::Text(id)) => checkpoint.push_topic_id = Some(id.clone()),
                (LAST_EVENT_MS, Scalar::Integer(ms)) => checkpoint.last_event_ms = Some(*ms),
                // Another version's.
                _ => {}
            }
        }
        Ok(checkpoint)
    }

    /// The source offset.
    #[must_use]
    pub fn write(&self) -> Vec<(String, Scalar)> {
        let mut offset = vec![(REPLAY_ID.to_owned(), Scalar::Integer(self.replay_id))];
        offset.extend(self.push_topic_id.clone().map(|id| (PUSH_TOPIC_ID.to_owned(), Scalar::Text(id))));
        let last = self.last_event_ms.map(|ms| ms - ms.rem_euclid(LAST_EVENT_STEP_MS));
        offset.extend(last.map(|ms| (LAST_EVENT_MS.to_owned(), Scalar::Integer(ms))));
        offset
    }
}

/// The replay id of a source offset.
///
/// # Errors
/// A sentence for the person who gave it.
pub fn replay_id(offset: &[(String, Scalar)]) -> Result<i64, String> {
    match offset {
        [(key, Scalar::Integer(id))] if key == REPLAY_ID && *id >= crate::salesforce::replay::RETAINED => Ok(*id),
        [(key, Scalar::Integer(_))] if key == REPLAY_ID => {
            Err("replayId must be the id of an event, or -1 for new events only, or -2 for all that are retained"
                .into())
        }
        [(key, _)] if key == REPLAY_ID => Err("replayId must be a whole number".into()),
        _ => Err("The offset must be {\"replayId\": n} and nothing else".into()),
    }
}

/// Checks a source partition and offset that a person gave; `None` resets.
///
/// # Errors
/// A sentence for that person.
pub fn validate(partition: &[(String, Scalar)], offset: Option<&[(String, Scalar)]>) -> Result<(), String> {
    if !partition.is_empty() {
        return Err("The partition must be {}; this connector's source has no parts".into());
    }
    offset.map_or(Ok(()), |offset| replay_id(offset).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let full = Checkpoint { replay_id: 7, push_topic_id: Some("0IF1".into()), last_event_ms: Some(120_000) };
        for checkpoint in [full.clone(), Checkpoint::at(-2)] {
            assert_eq!(Checkpoint::read(&checkpoint.write()), Ok(checkpoint));
        }
        assert_eq!(Checkpoint { last_event_ms: Some(179_999), ..full.clone() }.write(), full.write());
        let mut foreign = full.write();
        foreign.push((".another".into(), Scalar::Null));
        assert_eq!(Checkpoint::read(&foreign), Ok(full));
        assert!(Checkpoint::read(&[("x".into(), Scalar::Integer(1))]).is_err());
    }

    #[test]
    fn shapes() {
        let pair = |key: &str, value| vec![(key.to_owned(), value)];
        let cases = [
            (vec![], Some(pair("replayId", Scalar::Integer(3826))), None),
            (vec![], Some(pair("replayId", Scalar::Integer(-2))), None),
            (vec![], None, None),
            (vec![], Some(pair("replayId", Scalar::Integer(-3))), Some("-1 for new")),
            (vec![], Some(pair("replayId", Scalar::Text("7".into()))), Some("whole number")),
            (vec![], Some(pair("replayId", Scalar::Float(7.5))), Some("whole number")),
            (vec![], Some(pair("replayid", Scalar::Integer(7))), Some("nothing else")),
            (vec![], Some(vec![]), Some("nothing else")),
            (pair("channel", Scalar::Text("x".into())), None, Some("must be {}")),
        ];
        for (partition, offset, error) in cases {
            match (validate(&partition, offset.as_deref()), error) {
                (Ok(()), None) => {}
                (Err(found), Some(wanted)) if found.contains(wanted) => {}
                (found, _) => panic!("{partition:?} {offset:?}: {found:?}"),
            }
        }
    }
}
