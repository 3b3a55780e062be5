//! The source offset, `{"replayId": 3826}`, and the source partition, `{}`: exactly the shapes that Confluent's connector
//! stores, so that positions can be carried from one to the other.

/// The only key of a source offset.
pub const REPLAY_ID: &str = "replayId";

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
