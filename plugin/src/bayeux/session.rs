//! `Session`: one Bayeux session, from handshake to disconnect. It writes the bodies of requests and reads answers; it
//! decides nothing and waits for nothing.

use std::ops::Range;

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    cookies::Cookies,
    message::{Advice, BatchError, CONNECT, DISCONNECT, HANDSHAKE, Message, SUBSCRIBE, UNSUBSCRIBE, for_each},
};
use crate::{http::Response, time::WallMs};

/// How long a server may hold a connect when it does not say, in milliseconds (Streaming API, "Clients and Timeouts").
pub const HOLD_DEFAULT_MS: u64 = 110_000;
/// The longest hold that is believed, in milliseconds.
pub const HOLD_MAX_MS: u64 = 300_000;
/// The longest interval between connects that is believed, in milliseconds. The server forgets a client after 40 s.
pub const INTERVAL_MAX_MS: u64 = 30_000;
/// Longest client id, in bytes.
pub const CLIENT_ID_BYTES_MAX: usize = 256;

/// What an answer held.
#[derive(Debug, Default)]
pub struct Reading {
    /// Where in the answer's body the `data` of each message on the subscribed channel stands, in the order in which they
    /// came.
    pub events: Vec<Range<usize>>,
    /// Messages on other channels that are neither replies nor ours.
    pub strays: usize,
    /// Whether there was a reply to what was asked.
    pub replied: bool,
    /// The first refusal.
    pub refusal: Option<Refusal>,
    /// Whether the server ended the session (`/meta/disconnect`, or an advice other than `retry` in a reply that succeeded).
    pub ended: bool,
    /// Whether the handshake's reply carried `ext.replay: true`.
    pub replay: bool,
}

/// A reply with `successful: false`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `error`, as sent.
    pub error: String,
    /// `ext.sfdc.failureReason`, the true cause where there is one.
    pub failure_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct ReplyExt {
    #[serde(default)]
    replay: Option<Value>,
    #[serde(default)]
    sfdc: Option<Sfdc>,
}

#[derive(Deserialize)]
struct Sfdc {
    #[serde(rename = "failureReason", default)]
    failure_reason: Option<String>,
}

/// A session.
#[derive(Debug, Default)]
pub struct Session {
    client_id: Option<String>,
    last_id: u64,
    cookies: Cookies,
    hold_ms: Option<u64>,
    interval_ms: u64,
}

impl Session {
    /// Whether the server knows this session, as far as we know.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.client_id.is_some()
    }

    /// Milliseconds for which the server may hold a connect.
    #[must_use]
    pub fn hold_ms(&self) -> u64 {
        self.hold_ms.unwrap_or(HOLD_DEFAULT_MS)
    }

    /// Milliseconds to wait before the next connect.
    #[must_use]
    pub fn interval_ms(&self) -> u64 {
        self.interval_ms
    }

    /// The `Cookie` header.
    #[must_use]
    pub fn cookie(&self, path: &str, now_ms: WallMs) -> Option<String> {
        self.cookies.header(path, now_ms)
    }

    fn message(&mut self, channel: &str) -> Value {
        self.last_id += 1;
        let mut message = json!({"channel": channel, "id": self.last_id.to_string()});
        if let Some(client_id) = &self.client_id {
            message["clientId"] = client_id.as_str().into();
        }
        message
    }

    /// Body of a handshake; forgets the session before, cookies included.
    #[must_use]
    pub fn handshake(&mut self, ext: Value) -> Vec<u8> {
        *self = Self::default();
        let mut message = self.message(HANDSHAKE);
        message["version"] = "1.0".into();
        message["minimumVersion"] = "1.0".into();
        message["supportedConnectionTypes"] = json!(["long-polling"]);
        message["ext"] = ext;
        array(&[message])
    }

    /// Body of a connect, always alone in its array, else the server would not hold it. The first one of a session is
    /// answered at once.
    #[must_use]
    pub fn connect(&mut self, first: bool) -> Vec<u8> {
        let mut message = self.message(CONNECT);
        message["connectionType"] = "long-polling".into();
        if first {
            message["advice"] = json!({"timeout": 0});
        }
        array(&[message])
    }

    /// Body of a subscribe.
    #[must_use]
    pub fn subscribe(&mut self, channel: &str, ext: Value) -> Vec<u8> {
        let mut message = self.message(SUBSCRIBE);
        message["subscription"] = channel.into();
        message["ext"] = ext;
        array(&[message])
    }

    /// Body of a goodbye: unsubscribe and disconnect together. The session counts as closed.
    #[must_use]
    pub fn goodbye(&mut self, channel: &str) -> Vec<u8> {
        let mut unsubscribe = self.message(UNSUBSCRIBE);
        unsubscribe["subscription"] = channel.into();
        let disconnect = self.message(DISCONNECT);
        self.client_id = None;
        array(&[unsubscribe, disconnect])
    }

    /// Takes the cookies of a response to a request of `path`.
    pub fn take_cookies(&mut self, response: &Response, path: &str, now_ms: WallMs) {
        for (name, value) in &response.headers {
            if name == "set-cookie" {
                self.cookies.set(value, path, now_ms);
            }
        }
    }

    /// Reads the answer to a request on the meta channel `asked`. Every message is looked at before anything follows from
    /// one of them: events may stand before or after the reply.
    ///
    /// # Errors
    /// When the answer is not whole: it is then no answer, and what it may have held is not known.
    pub fn read(&mut self, body: &[u8], asked: &str, subscribed: &str) -> Result<Reading, BatchError> {
        let mut reading = Reading::default();
        let base = body.as_ptr().addr();
        for_each(body, |message| match (message.channel(), message.data) {
            (channel, Some(data)) if channel == subscribed => {
                let start = data.get().as_ptr().addr() - base;
                reading.events.push(start..start + data.get().len());
            }
            // A reply without a channel is one to what was asked; no request holds two messages with replies of
            // consequence.
            (channel, _) if channel == asked || (channel.is_empty() && message.successful.is_some()) => {
                reading.replied = true;
                self.reply(&message, asked, &mut reading);
            }
            (DISCONNECT, _) => reading.ended = true,
            (channel, _) if channel.starts_with("/meta/") && message.successful == Some(false) => {
                self.reply(&message, asked, &mut reading);
            }
            (channel, _) if channel.starts_with("/meta/") => {}
            _ => reading.strays += 1,
        })?;
        Ok(reading)
    }

    fn reply(&mut self, message: &Message<'_>, asked: &str, reading: &mut Reading) {
        let ext: ReplyExt =
            message.ext.map(RawValue::get).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if let Some(advice) = &message.advice {
            self.advise(advice);
        }
        if message.successful == Some(true) {
            let reconnect = message.advice.as_ref().and_then(|advice| advice.reconnect.as_deref());
            reading.ended |= asked == CONNECT && matches!(reconnect, Some("none" | "handshake"));
            if asked == HANDSHAKE {
                reading.replay = ext.replay == Some(Value::Bool(true));
                self.client_id = message.client_id.as_ref().map(|text| text.0.clone().into_owned());
                let usable = |id: &str| (1..=CLIENT_ID_BYTES_MAX).contains(&id.len());
                if !self.client_id.as_deref().is_some_and(usable) {
                    self.client_id = None;
                    reading.refusal =
                        Some(Refusal { error: "the handshake's reply holds no clientId".into(), failure_reason: None });
                }
            }
        } else if reading.refusal.is_none() {
            reading.refusal = Some(Refusal {
                error: message.error.as_ref().map_or_else(String::new, |text| text.0.clone().into_owned()),
                failure_reason: ext.sfdc.and_then(|sfdc| sfdc.failure_reason),
            });
        }
    }

    fn advise(&mut self, advice: &Advice) {
        let bounded = |ms: i64, max: u64| u64::try_from(ms).unwrap_or(0).min(max);
        if let Some(timeout) = advice.timeout.filter(|timeout| *timeout > 0) {
            self.hold_ms = Some(bounded(timeout, HOLD_MAX_MS));
        }
        if let Some(interval) = advice.interval {
            self.interval_ms = bounded(interval, INTERVAL_MAX_MS);
        }
    }
}

fn array(messages: &[Value]) -> Vec<u8> {
    let mut out = vec![b'['];
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(message.to_string().as_bytes());
    }
    out.push(b']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "/topic/T";

    fn open() -> Session {
        let mut session = Session::default();
        let _ = session.handshake(json!({"replay": true}));
        let reading = read(
            &mut session,
            HANDSHAKE,
            r#"[{"channel":"/meta/handshake","id":"1","clientId":"c1","ext":{"replay":true,"payload.format":true},"successful":true}]"#,
        );
        assert!(reading.replay && reading.refusal.is_none());
        session
    }

    fn read(session: &mut Session, asked: &str, body: &str) -> Reading {
        session.read(body.as_bytes(), asked, TOPIC).expect("whole")
    }

    fn json_of(body: &[u8]) -> Value {
        serde_json::from_slice(body).expect("JSON")
    }

    /// The messages as the Streaming API Developer Guide shows them.
    #[test]
    fn writes_the_documented_messages() {
        let mut session = Session::default();
        let handshake = json_of(&session.handshake(json!({"replay": true})));
        assert_eq!(
            handshake,
            json!([{"channel":"/meta/handshake","version":"1.0","minimumVersion":"1.0","supportedConnectionTypes":["long-polling"],"id":"1","ext":{"replay":true}}])
        );
        let mut session = open();
        assert_eq!(
            json_of(&session.connect(true)),
            json!([{"channel":"/meta/connect","clientId":"c1","connectionType":"long-polling","id":"2","advice":{"timeout":0}}])
        );
        assert_eq!(
            json_of(&session.subscribe(TOPIC, json!({"replay": {TOPIC: -1}}))),
            json!([{"channel":"/meta/subscribe","clientId":"c1","subscription":"/topic/T","id":"3","ext":{"replay":{"/topic/T":-1}}}])
        );
        assert_eq!(
            json_of(&session.goodbye(TOPIC)),
            json!([{"channel":"/meta/unsubscribe","clientId":"c1","subscription":"/topic/T","id":"4"},{"channel":"/meta/disconnect","clientId":"c1","id":"5"}])
        );
        assert!(!session.is_open());
    }

    #[test]
    fn events_count_wherever_they_stand() {
        let event = r#"{"channel":"/topic/T","clientId":"c1","data":{"event":{}}}"#;
        let reply = r#"{"channel":"/meta/connect","clientId":"c1","id":"4","successful":true}"#;
        for (body, count) in [
            (format!("[{event},{event},{reply}]"), 2),
            (format!("[{reply},{event}]"), 1),
            (format!("[{event},{reply},{event}]"), 2),
            (format!("[{reply}]"), 0),
        ] {
            let reading = read(&mut open(), CONNECT, &body);
            assert_eq!((reading.events.len(), reading.refusal), (count, None), "{body}");
            assert!(reading.events.into_iter().all(|range| &body[range] == r#"{"event":{}}"#));
        }
    }

    #[test]
    fn refusals_are_found_in_any_shape() {
        let cases = [
            (
                r#"[{"error":"403::Unknown client","successful":false,"advice":{"reconnect":"none"}}]"#,
                "403::Unknown client",
                None,
            ),
            (
                r#"[{"channel":"/meta/connect","error":"401::Authentication invalid","successful":false,"ext":{"sfdc":{"failureReason":"503::Server is too busy"}}}]"#,
                "401::Authentication invalid",
                Some("503::Server is too busy"),
            ),
            (r#"[{"channel":"/meta/handshake","successful":false,"error":"403::x"}]"#, "403::x", None),
        ];
        for (body, error, reason) in cases {
            let refusal = read(&mut open(), CONNECT, body).refusal.expect("a refusal");
            assert_eq!((&*refusal.error, refusal.failure_reason.as_deref()), (error, reason), "{body}");
        }
    }

    #[test]
    fn a_missing_reply_is_noticed() {
        for body in ["[]", r#"[{"channel":"/topic/T","data":{}}]"#, r#"[{"errorCode":"X","message":"y"}]"#] {
            let reading = read(&mut open(), CONNECT, body);
            assert!(!reading.replied && reading.refusal.is_none(), "{body}");
        }
        assert!(read(&mut open(), CONNECT, r#"[{"successful":true}]"#).replied);
    }

    #[test]
    fn a_session_can_be_ended_by_the_server() {
        for body in [
            r#"[{"channel":"/meta/disconnect","successful":true},{"channel":"/meta/connect","successful":true,"advice":{"reconnect":"none"}}]"#,
            r#"[{"channel":"/meta/disconnect"}]"#,
            r#"[{"channel":"/meta/connect","successful":true,"advice":{"reconnect":"handshake","interval":0}}]"#,
        ] {
            assert!(read(&mut open(), CONNECT, body).ended, "{body}");
        }
    }

    #[test]
    fn advice_is_kept_within_bounds() {
        let cases = [
            (r#"{"reconnect":"retry","interval":0,"timeout":110000}"#, 110_000, 0),
            (r#"{"interval":2000}"#, HOLD_DEFAULT_MS, 2_000),
            (r#"{"interval":-5,"timeout":-1}"#, HOLD_DEFAULT_MS, 0),
            (r#"{"interval":99999999999,"timeout":99999999999}"#, HOLD_MAX_MS, INTERVAL_MAX_MS),
            (r#"{"multiple-clients":true}"#, HOLD_DEFAULT_MS, 0),
        ];
        for (advice, hold_ms, interval_ms) in cases {
            let mut session = open();
            let body = format!(r#"[{{"channel":"/meta/connect","successful":true,"advice":{advice}}}]"#);
            read(&mut session, CONNECT, &body);
            assert_eq!((session.hold_ms(), session.interval_ms()), (hold_ms, interval_ms), "{advice}");
        }
    }

    #[test]
    fn a_handshake_without_a_usable_client_id_is_refused() {
        let long = "x".repeat(CLIENT_ID_BYTES_MAX + 1);
        for id in [String::new(), r#","clientId":"""#.into(), format!(r#","clientId":"{long}""#)] {
            let mut session = Session::default();
            let _ = session.handshake(json!({}));
            let body = format!(r#"[{{"channel":"/meta/handshake","successful":true{id}}}]"#);
            assert!(read(&mut session, HANDSHAKE, &body).refusal.is_some() && !session.is_open(), "{id}");
        }
    }

    #[test]
    fn a_new_handshake_forgets_the_cookies() {
        let mut session = open();
        let response =
            Response { status: 200, headers: vec![("set-cookie".into(), "a=1; path=/".into())], body: Vec::new() };
        session.take_cookies(&response, "/cometd/67.0", 0);
        assert_eq!(session.cookie("/cometd/67.0", 0).as_deref(), Some("a=1"));
        let _ = session.handshake(json!({}));
        assert_eq!(session.cookie("/cometd/67.0", 0), None);
    }
}
