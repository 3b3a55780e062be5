//! `Message`: what a Bayeux answer holds. Parsed leniently where servers differ (a reply may lack `channel`
//! and `id`), strictly where data could be lost: an answer that is not whole and valid JSON is no answer.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer as _,
    de::{Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;
use thiserror::Error;

/// `/meta/handshake`
pub const HANDSHAKE: &str = "/meta/handshake";
/// `/meta/connect`
pub const CONNECT: &str = "/meta/connect";
/// `/meta/subscribe`
pub const SUBSCRIBE: &str = "/meta/subscribe";
/// `/meta/unsubscribe`
pub const UNSUBSCRIBE: &str = "/meta/unsubscribe";
/// `/meta/disconnect`
pub const DISCONNECT: &str = "/meta/disconnect";

/// Most messages in one answer.
pub const MESSAGES_MAX: usize = 200_000;

/// Text that borrows from the answer unless it holds escapes.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// One message. Fields that nobody needs are not read, whatever they hold.
#[derive(Debug, Default, Deserialize)]
pub struct Message<'a> {
    /// Channel.
    #[serde(borrow, default)]
    pub channel: Option<Text<'a>>,
    /// The session's id.
    #[serde(rename = "clientId", borrow, default)]
    pub client_id: Option<Text<'a>>,
    /// Replies only.
    #[serde(default)]
    pub successful: Option<bool>,
    /// `code:args:text`
    #[serde(borrow, default)]
    pub error: Option<Text<'a>>,
    /// How to go on.
    #[serde(default)]
    pub advice: Option<Advice>,
    /// Extensions.
    #[serde(borrow, default)]
    pub ext: Option<&'a RawValue>,
    /// Payload of an event.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
}

impl Message<'_> {
    /// The channel, empty when there is none.
    #[must_use]
    pub fn channel(&self) -> &str {
        self.channel.as_ref().map_or("", |text| &text.0)
    }
}

/// A server's advice. Each part may be missing, and keeps its last value then.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Advice {
    /// `retry`, `handshake` or `none`.
    #[serde(default)]
    pub reconnect: Option<String>,
    /// Milliseconds to wait before the next connect.
    #[serde(default)]
    pub interval: Option<i64>,
    /// Milliseconds for which the server holds a connect.
    #[serde(default)]
    pub timeout: Option<i64>,
}

/// Why an answer cannot be read.
#[derive(Debug, Error)]
pub enum BatchError {
    /// Not JSON, cut off, or not of a message's shape.
    #[error("it is not a whole array of messages ({0})")]
    Json(#[from] serde_json::Error),
    /// More than `MESSAGES_MAX`.
    #[error("it holds more than {MESSAGES_MAX} messages")]
    TooMany,
}

/// Reads an answer, message by message and in one pass: `each` gets every message in order. What `each` gathered counts
/// only when this returns `Ok`; an answer that is damaged anywhere is refused as a whole.
///
/// # Errors
/// See `BatchError`.
pub fn for_each<'a>(body: &'a [u8], each: impl FnMut(Message<'a>)) -> Result<(), BatchError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let count = deserializer.deserialize_any(Messages(each))?;
    deserializer.end()?;
    if count > MESSAGES_MAX { Err(BatchError::TooMany) } else { Ok(()) }
}

struct Messages<F>(F);

impl<'a, F: FnMut(Message<'a>)> Visitor<'a> for Messages<F> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of Bayeux messages, or one message")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut messages: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(message) = messages.next_element()? {
            count += 1;
            if count <= MESSAGES_MAX {
                (self.0)(message);
            }
        }
        Ok(count)
    }

    /// Answers are arrays. A lone message is taken for what it says only when it is a refusal: were a lone success taken
    /// for a reply, the events that should have stood beside it would be lost.
    fn visit_map<A: MapAccess<'a>>(mut self, message: A) -> Result<usize, A::Error> {
        let message = Message::deserialize(MapAccessDeserializer::new(message))?;
        if message.successful != Some(false) {
            return Err(A::Error::custom("a lone message that is no refusal"));
        }
        (self.0)(message);
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(body: &[u8]) -> Result<usize, BatchError> {
        let mut count = 0;
        for_each(body, |_| count += 1).map(|()| count)
    }

    #[test]
    fn reads_replies_and_events_in_any_order() {
        let body = br#" [ {"channel":"/topic/A","data":{"event":{"replayId":5}},"EventType":"x"} ,
            {"error":"403::Unknown client","successful":false,"advice":{"interval":0,"reconnect":"none","x":1},"id":7}] "#;
        let mut messages = Vec::new();
        for_each(body, |message| messages.push(message)).expect("whole");
        let [event, reply] = &messages[..] else { panic!("two messages") };
        assert_eq!((event.channel(), event.data.map(RawValue::get)), ("/topic/A", Some(r#"{"event":{"replayId":5}}"#)));
        assert_eq!((reply.channel(), reply.successful), ("", Some(false)));
        assert_eq!(reply.advice.as_ref().and_then(|a| a.reconnect.as_deref()), Some("none"));
    }

    #[test]
    fn only_a_refusal_may_stand_alone() {
        assert_eq!(count(br#"{"error":"403::Unknown client","successful":false}"#).expect("whole"), 1);
        assert!(count(br#"{"channel":"/meta/connect","successful":true}"#).is_err());
        assert!(count(br#"{"errorCode":"X"}"#).is_err());
    }

    #[test]
    fn what_is_not_whole_is_refused_as_a_whole() {
        let whole = br#"[{"channel":"/topic/A","data":{"a":"b"}},{"channel":"/meta/connect","successful":true}]"#;
        for cut in 0..whole.len() {
            assert!(count(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for body in ["", "<html>", "null", "17", "\"x\"", "[1]", "[1,]", "[{}] x", "[{\"data\":\"\u{1}\"}]", "[[{}]]"] {
            assert!(count(body.as_bytes()).is_err(), "{body}");
        }
        assert!(count(b"[{\"channel\":\"\xff\"}]").is_err(), "bad UTF-8");
        assert!(count(b"[{\"data\":\"\xff\"}]").is_err(), "bad UTF-8");
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let deep = |inner: &str| format!(r#"[{{"data":{}{inner}{}}}]"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(count(deep("").as_bytes()).expect("skipped, not built"), 1);
        assert!(count(deep("x").as_bytes()).is_err());
        assert!(count("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn the_number_of_messages_is_bounded() {
        let body = |n: usize| format!("[{}]", vec!["{}"; n].join(",")).into_bytes();
        assert_eq!(count(&body(MESSAGES_MAX)).expect("at the bound"), MESSAGES_MAX);
        assert!(matches!(count(&body(MESSAGES_MAX + 1)), Err(BatchError::TooMany)));
    }
}
