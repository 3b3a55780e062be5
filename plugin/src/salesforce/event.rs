//! `Event`: the envelope of a PushTopic notification, the `data` member of a message on `/topic/<name>` (Streaming API
//! Developer Guide, "Receiving Notifications"):
//! `{"event":{"createdDate":"2018-10-18T14:53:33.777Z","replayId":5,"type":"created"},"sobject":{"Id":...}}`.
//!
//! Members that are not known are ignored, and of a member that comes twice the last one counts, as in JavaScript.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::wire_type::{FieldProblem, JsonKind, WireType};
use crate::data::{Value, decimal};

/// The longest event type, in bytes. Salesforce's own have at most nine.
pub const EVENT_TYPE_BYTES_MAX: usize = 255;

/// A notification whose fields have not been read yet.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// The event's position in its channel. Opaque: compared, never computed with.
    pub replay_id: i64,
    /// When the change happened, in milliseconds since the epoch; `None` when absent or unreadable.
    pub created_date_ms: Option<i64>,
    /// Whether there is a `createdDate` that was not understood; for a warning.
    pub created_date_unreadable: bool,
    /// `created`, `updated`, `deleted`, `undeleted`, or a type that Salesforce may yet invent.
    pub event_type: Cow<'a, str>,
    /// The record, as the text of a JSON object; a delete carries the Id alone.
    pub sobject: &'a str,
}

/// A notification whose envelope cannot be used. Names what is wrong, never the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A part of the envelope is no JSON object.
    #[error("the notification's {part} is not a JSON object")]
    NotAnObject {
        /// Which part.
        part: &'static str,
    },
    /// A member that must be there is not.
    #[error("the notification has no {member}")]
    Missing {
        /// Its place in the notification.
        member: &'static str,
    },
    /// `replayId` is neither a whole number nor a text of one.
    #[error("the notification's replayId is not a whole number: {problem}")]
    ReplayId {
        /// What is there instead.
        problem: String,
    },
    /// `replayId` is below 0, where Salesforce keeps its special positions.
    #[error("the notification's replayId is negative")]
    ReplayIdNegative,
    /// `replayId` does not fit into 64 bits.
    #[error("the notification's replayId is outside the range of 64-bit integers")]
    ReplayIdRange,
    /// `type` is no text, or too long a text.
    #[error("the notification's event.type is unusable: {0}")]
    Type(FieldProblem),
}

impl<'a> Event<'a> {
    /// Reads the envelope.
    ///
    /// # Errors
    /// `EventError` when there is no usable replay id, type or record. The event cannot become a record then, and must
    /// not be passed over.
    pub fn parse(data: &'a str) -> Result<Self, EventError> {
        let (mut event, mut sobject) = (None, None);
        members(data, |name, value| match &*name {
            "event" => event = Some(value),
            "sobject" => sobject = Some(value),
            _ => {}
        })
        .map_err(|_| EventError::NotAnObject { part: "data" })?;
        let event: &RawValue = event.ok_or(EventError::Missing { member: "event" })?;
        let sobject: &RawValue = sobject.ok_or(EventError::Missing { member: "sobject" })?;
        if JsonKind::of(sobject.get()) != JsonKind::Object {
            return Err(EventError::NotAnObject { part: "sobject" });
        }
        let (mut replay_id, mut created_date, mut event_type) = (None, None, None);
        members(event.get(), |name, value| match &*name {
            "replayId" => replay_id = Some(value),
            "createdDate" => created_date = Some(value),
            "type" => event_type = Some(value),
            _ => {}
        })
        .map_err(|_| EventError::NotAnObject { part: "event" })?;
        let replay_id = read_replay_id(replay_id.ok_or(EventError::Missing { member: "event.replayId" })?)?;
        let event_type = read_type(event_type.ok_or(EventError::Missing { member: "event.type" })?)?;
        let created_date = created_date.map_or(Ok(Value::Null), |raw: &RawValue| WireType::Timestamp.read(raw));
        Ok(Self {
            replay_id,
            created_date_unreadable: created_date.is_err(),
            created_date_ms: created_date.ok().and_then(|value| value.as_i64()),
            event_type,
            sobject: sobject.get(),
        })
    }
}

fn read_replay_id(raw: &RawValue) -> Result<i64, EventError> {
    let json = raw.get();
    let digits = match JsonKind::of(json) {
        JsonKind::Number => json,
        // A text of digits needs no escapes, so that what is between the quotes is the text.
        JsonKind::Text => &json[1..json.len() - 1],
        kind => return Err(EventError::ReplayId { problem: format!("found {}", kind.name()) }),
    };
    match decimal::whole(digits) {
        Ok(number) if number < 0 => Err(EventError::ReplayIdNegative),
        Ok(number) => Ok(number),
        Err(decimal::DecimalError::Range | decimal::DecimalError::TooLong) => Err(EventError::ReplayIdRange),
        Err(problem) => Err(EventError::ReplayId { problem: problem.to_string() }),
    }
}

fn read_type(raw: &RawValue) -> Result<Cow<'_, str>, EventError> {
    let json = raw.get();
    if JsonKind::of(json) != JsonKind::Text {
        let found = JsonKind::of(json).name();
        return Err(EventError::Type(FieldProblem::Kind { expected: "a text", found }));
    }
    let Name(text) = serde_json::from_str(json).map_err(|_| {
        let reason = "half a surrogate pair".to_owned();
        EventError::Type(FieldProblem::Form { expected: "a text", reason })
    })?;
    if text.len() > EVENT_TYPE_BYTES_MAX {
        let reason = format!("{} bytes, at most {EVENT_TYPE_BYTES_MAX} are supported", text.len());
        return Err(EventError::Type(FieldProblem::Form { expected: "a short text", reason }));
    }
    Ok(text)
}

/// The text is not a JSON object. The content is left out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAnObject;

/// Hands over every member of a JSON object, in order, values unread. Duplicates are handed over as they come.
pub(super) fn members<'a>(json: &'a str, each: impl FnMut(Cow<'a, str>, &'a RawValue)) -> Result<(), NotAnObject> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Members(each)).and_then(|()| reader.end()).map_err(|_| NotAnObject)
}

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

/// A text that is borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(json: &str) -> Result<(i64, Option<i64>, String, String), String> {
        let data: &RawValue = serde_json::from_str(json).expect("the case is JSON");
        Event::parse(data.get())
            .map(|event| {
                let sobject = event.sobject.to_owned();
                (event.replay_id, event.created_date_ms, event.event_type.into_owned(), sobject)
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn envelopes() {
        let captured = r#"{"event":{"createdDate":"2018-10-18T14:53:33.777Z","replayId":5,"type":"created"},"sobject":{"Id":"001"}}"#;
        let ok = |replay_id: i64, ms: Option<i64>, event_type: &str| {
            Ok((replay_id, ms, event_type.to_owned(), r#"{"Id":"001"}"#.to_owned()))
        };
        let with = |event: &str| format!(r#"{{"x":[],"event":{event},"sobject":{{"Id":"001"}},"EventType":"new"}}"#);
        let err = |text: &str| Err(text.to_owned());
        let no_replay_id = |problem: &str| Err(format!("the notification's replayId is not a whole number: {problem}"));
        let long = "t".repeat(EVENT_TYPE_BYTES_MAX);
        let cases = [
            (captured.to_owned(), ok(5, Some(1_539_874_413_777), "created")),
            (with(r#"{"replayId":5,"type":"gapped","more":{}}"#), ok(5, None, "gapped")),
            (
                with(r#"{"replayId":"9007199254740993","type":"\u0074","createdDate":null}"#),
                ok(9_007_199_254_740_993, None, "t"),
            ),
            (with(r#"{"replayId":1,"replayId":9223372036854775807,"type":1,"type":"x"}"#), ok(i64::MAX, None, "x")),
            (with(r#"{"replayId":0,"type":"x","createdDate":"yesterday"}"#), ok(0, None, "x")),
            (with(r#"{"replayId":5.0,"type":"x"}"#), ok(5, None, "x")),
            (with(&format!(r#"{{"replayId":5,"type":"{long}"}}"#)), ok(5, None, &long)),
            (
                with(&format!(r#"{{"replayId":5,"type":"{long}t"}}"#)),
                err(
                    "the notification's event.type is unusable: expected a short text: 256 bytes, at most 255 are supported",
                ),
            ),
            (with(r#"{"replayId":-1,"type":"x"}"#), err("the notification's replayId is negative")),
            (with(r#"{"replayId":"-2","type":"x"}"#), err("the notification's replayId is negative")),
            (with(r#"{"replayId":5.5,"type":"x"}"#), no_replay_id("not a whole number")),
            (with(r#"{"replayId":"five","type":"x"}"#), no_replay_id("not a decimal number")),
            (with(r#"{"replayId":"","type":"x"}"#), no_replay_id("not a decimal number")),
            (with(r#"{"replayId":null,"type":"x"}"#), no_replay_id("found null")),
            (with(r#"{"replayId":[5],"type":"x"}"#), no_replay_id("found an array")),
            (
                with(r#"{"replayId":9223372036854775808,"type":"x"}"#),
                err("the notification's replayId is outside the range of 64-bit integers"),
            ),
            (
                with(r#"{"replayId":1e99999,"type":"x"}"#),
                err("the notification's replayId is outside the range of 64-bit integers"),
            ),
            (with(r#"{"type":"x"}"#), err("the notification has no event.replayId")),
            (with(r#"{"replayId":5}"#), err("the notification has no event.type")),
            (
                with(r#"{"replayId":5,"type":7}"#),
                err("the notification's event.type is unusable: expected a text, found a number"),
            ),
            (
                with(r#"{"replayId":5,"type":"\ud800"}"#),
                err("the notification's event.type is unusable: expected a text: half a surrogate pair"),
            ),
            (with("[]"), err("the notification's event is not a JSON object")),
            ("[]".to_owned(), err("the notification's data is not a JSON object")),
            ("{}".to_owned(), err("the notification has no event")),
            (r#"{"event":{}}"#.to_owned(), err("the notification has no sobject")),
            (r#"{"event":{},"sobject":null}"#.to_owned(), err("the notification's sobject is not a JSON object")),
        ];
        for (json, expected) in cases {
            assert_eq!(parse(&json), expected, "{json}");
        }
    }

    #[test]
    fn an_unreadable_created_date_is_said() {
        for (date, unreadable) in
            [(r#""2018-10-18T14:53:33.777Z""#, false), ("null", false), (r#""soon""#, true), ("5", true)]
        {
            let json = format!(r#"{{"event":{{"replayId":1,"type":"x","createdDate":{date}}},"sobject":{{}}}}"#);
            let data: &RawValue = serde_json::from_str(&json).expect("the case is JSON");
            assert_eq!(Event::parse(data.get()).map(|event| event.created_date_unreadable), Ok(unreadable), "{date}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            if let Ok(data) = serde_json::from_slice::<&RawValue>(&bytes) {
                let _ = Event::parse(data.get()).map(|event| event.replay_id);
            }
        }

        #[test]
        fn never_panics_on_what_looks_like_an_event(
            replay_id in "-?[0-9]{0,25}(\\.[0-9])?(e[0-9]{1,20})?|\"\\PC*\"|null|\\[\\]",
            event_type in "\"\\PC*\"|[0-9]{1,3}|\"\\\\ud8[0-9]{2}\"",
            date in "\"[-0-9T:.Z+]{0,30}\"|null|true",
        ) {
            let event = format!(r#"{{"replayId":{replay_id},"type":{event_type},"createdDate":{date}}}"#);
            let json = format!(r#"{{"event":{event},"sobject":{{}}}}"#);
            if let Ok(data) = serde_json::from_str::<&RawValue>(&json) {
                let _ = Event::parse(data.get()).map(|event| event.replay_id);
            }
        }
    }
}
