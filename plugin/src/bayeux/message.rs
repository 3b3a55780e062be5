//! `Message` and `Batch`: what a Bayeux answer holds. Parsed leniently where servers differ (a reply may lack `channel`
//! and `id`), strictly where data could be lost: an answer that is not whole and valid JSON is no answer.

use std::{borrow::Cow, ops::Range};

use serde::Deserialize;
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
    /// Not JSON, or cut off.
    #[error("it is not whole JSON ({0})")]
    Json(#[from] serde_json::Error),
    /// Neither an array nor an object.
    #[error("it is neither an array of messages nor a message")]
    Shape,
    /// More than `MESSAGES_MAX`.
    #[error("it holds more than {MESSAGES_MAX} messages")]
    TooMany,
}

/// A whole answer, checked to be complete JSON, and where each message stands in it. Messages are read one at a time, so
/// that a large answer costs its own size and one message.
#[derive(Debug, Default)]
pub struct Batch {
    body: Vec<u8>,
    messages: Vec<Range<u32>>,
}

impl Batch {
    /// Finds the messages of an answer.
    ///
    /// # Errors
    /// See `BatchError`. An answer that is damaged anywhere is refused as a whole.
    pub fn parse(body: Vec<u8>) -> Result<Self, BatchError> {
        let raw: &RawValue = serde_json::from_slice(&body)?;
        let texts: Vec<&RawValue> = match raw.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(raw.get())?,
            Some(b'{') => vec![raw],
            _ => return Err(BatchError::Shape),
        };
        if texts.len() > MESSAGES_MAX {
            return Err(BatchError::TooMany);
        }
        let base = body.as_ptr().addr();
        let messages = texts
            .iter()
            .map(|text| {
                let start = text.get().as_ptr().addr() - base;
                let at = |offset: usize| u32::try_from(offset).map_err(|_| BatchError::TooMany);
                Ok(at(start)?..at(start + text.get().len())?)
            })
            .collect::<Result<_, BatchError>>()?;
        Ok(Self { body, messages })
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The message at `index`.
    ///
    /// # Errors
    /// When it is not of a message's shape, or `index` is out of range.
    pub fn message(&self, index: usize) -> Result<Message<'_>, serde_json::Error> {
        let range = self.messages.get(index).map_or(0..0, |r| r.start as usize..r.end as usize);
        serde_json::from_slice(&self.body[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_replies_and_events_in_any_order() {
        let body = br#" [ {"channel":"/topic/A","data":{"event":{"replayId":5}},"EventType":"x"} ,
            {"error":"403::Unknown client","successful":false,"advice":{"interval":0,"reconnect":"none","x":1},"id":7}] "#;
        let batch = Batch::parse(body.to_vec()).expect("whole");
        assert_eq!(batch.len(), 2);
        let event = batch.message(0).expect("an event");
        assert_eq!((event.channel(), event.data.map(RawValue::get)), ("/topic/A", Some(r#"{"event":{"replayId":5}}"#)));
        let reply = batch.message(1).expect("a reply");
        assert_eq!((reply.channel(), reply.successful), ("", Some(false)));
        assert_eq!(reply.advice.and_then(|a| a.reconnect).as_deref(), Some("none"));
        assert!(batch.message(2).is_err());
    }

    #[test]
    fn a_single_message_needs_no_array() {
        assert_eq!(Batch::parse(br#"{"channel":"/meta/connect"}"#.to_vec()).expect("whole").len(), 1);
    }

    #[test]
    fn what_is_not_whole_is_refused_as_a_whole() {
        let whole = br#"[{"channel":"/topic/A","data":{"a":"b"}},{"channel":"/meta/connect","successful":true}]"#;
        for cut in 0..whole.len() {
            assert!(Batch::parse(whole[..cut].to_vec()).is_err(), "cut at {cut}");
        }
        for body in ["", "<html>", "null", "17", "\"x\"", "[1,]", "[{}] x", "[{\"a\":\"\u{1}\"}]"] {
            assert!(Batch::parse(body.into()).is_err(), "{body}");
        }
        assert!(Batch::parse(b"[{\"channel\":\"\xff\"}]".to_vec()).is_err(), "bad UTF-8");
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_passes_as_a_message() {
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        let batch = Batch::parse(deep.into_bytes());
        assert!(batch.is_err() || batch.is_ok_and(|b| b.message(0).is_err()));
    }

    #[test]
    fn the_number_of_messages_is_bounded() {
        let body = |n: usize| format!("[{}]", vec!["{}"; n].join(",")).into_bytes();
        assert_eq!(Batch::parse(body(MESSAGES_MAX)).expect("at the bound").len(), MESSAGES_MAX);
        assert!(matches!(Batch::parse(body(MESSAGES_MAX + 1)), Err(BatchError::TooMany)));
    }
}
