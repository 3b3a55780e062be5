//! What faults do to a request or to a complete response. Implements item 12 of checklist A of the Salesforce facts page.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, HeaderValue, LOCATION, RETRY_AFTER};
use serde_json::{Value, json};

use super::Fault;
use crate::exchange::{Request, Response, Transport};
use crate::oauth;
use crate::rest::RestError;

const MAINTENANCE: &str = "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body><h1>We are down for \
    maintenance</h1><p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>\n";

impl Fault {
    /// The response that a fault gives instead of handling the request; `None` when the request is handled all the same.
    pub(crate) fn answer(&self, request: &Request) -> Option<Response> {
        let response = match self {
            Self::Status { code, retry_after_s, .. } => status(*code, *retry_after_s),
            Self::Maintenance { code } => Response::html(*code, MAINTENANCE),
            Self::Redirect { to } => {
                let target = format!("{}{}", to.trim_end_matches('/'), request.path_and_query);
                Response::empty(307).header(LOCATION, &target)
            }
            Self::RestError { code, error_code, message } => RestError::new(*code, error_code, message).response(),
            Self::RequestLimit => {
                RestError::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").response()
            }
            Self::SessionNotForRest => {
                let text = "This session is not valid for use with the REST API";
                RestError::new(401, "INVALID_SESSION_ID", text).response()
            }
            Self::OauthError { error, description } => oauth::refusal(error, description),
            _ => return None,
        };
        Some(response)
    }

    /// Changes a complete response; it is still to be compressed.
    pub(crate) fn spoil(&self, response: &mut Response) {
        match self {
            Self::Status { code, retry_after_s, .. } => *response = status(*code, *retry_after_s),
            Self::Html200 => *response = Response::html(200, MAINTENANCE),
            Self::EmptyBody => response.body = Bytes::new(),
            Self::EmptyArray => response.body = Bytes::from_static(b"[]"),
            Self::NotAnArray => response.body = Bytes::from_static(b"{\"successful\":true}"),
            Self::HalfJson => response.body.truncate(response.body.len() / 2),
            Self::BadUtf8 => {
                let middle = response.body.len() / 2;
                let body = [&response.body[..middle], &[0xff], &response.body[middle..]].concat();
                response.body = body.into();
            }
            Self::DeepNesting { depth } => {
                response.body = format!("{}{}", "[".repeat(*depth), "]".repeat(*depth)).into();
            }
            Self::HugeBody { bytes } => {
                let mut body = vec![b' '; *bytes];
                body.extend_from_slice(&response.body);
                response.body = body.into();
            }
            Self::GzipBomb { bytes } => zip(response, &vec![b' '; *bytes], usize::MAX),
            Self::CutGzip => {
                let body = response.body.clone();
                zip(response, &body, 12);
            }
            _ => self.edit(response),
        }
    }

    /// Changes the messages of a Bayeux response.
    fn edit(&self, response: &mut Response) {
        let Ok(Value::Array(mut messages)) = serde_json::from_slice(&response.body) else { return };
        let is_event = |message: &Value| message.get("data").is_some();
        match self {
            Self::DuplicateEvents => {
                messages = messages
                    .into_iter()
                    .flat_map(|message| {
                        let copies = 1 + usize::from(is_event(&message));
                        std::iter::repeat_n(message, copies)
                    })
                    .collect();
            }
            Self::ReorderEvents => {
                let (mut events, replies): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_event);
                events.reverse();
                events.extend(replies);
                messages = events;
            }
            Self::RepliesFirst => {
                let (events, mut replies): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_event);
                replies.extend(events);
                messages = replies;
            }
            Self::ReplayId { value } => {
                if let Some(event) = messages.iter_mut().find(|message| is_event(message)) {
                    event["data"]["event"]["replayId"] = value.clone();
                }
            }
            _ => messages.iter_mut().for_each(|message| self.edit_message(message)),
        }
        response.body = Value::Array(messages).to_string().into();
    }

    fn edit_message(&self, message: &mut Value) {
        let is_event = message.get("data").is_some();
        match (self, message.as_object_mut()) {
            (Self::UnknownEventType, _) if is_event => message["data"]["event"]["type"] = json!("gapped"),
            (Self::UnknownMembers, Some(members)) => {
                members.insert("x-unknown".to_owned(), json!({"a": [1, null]}));
                if is_event {
                    message["data"]["event"]["x-unknown"] = json!(true);
                } else if let Some(advice) = members.get_mut("advice") {
                    advice["x-unknown"] = json!("y");
                    advice["maxInterval"] = json!(40_000);
                }
            }
            (Self::NumericIds, Some(members)) if !is_event => {
                let number = members.get("id").and_then(Value::as_str).and_then(|id| id.parse::<u64>().ok());
                members.extend(number.map(|id| ("id".to_owned(), json!(id))));
            }
            (Self::NoChannel, Some(members)) if !is_event => {
                members.remove("channel");
            }
            (Self::NoId, Some(members)) if !is_event => {
                members.remove("id");
            }
            _ => {}
        }
    }

    /// How a response of so many bytes goes out.
    pub(crate) fn transport(&self, bytes: usize) -> Transport {
        match self {
            Self::CutBeforeHead | Self::LostResponse => Transport::CutBeforeHead,
            Self::CutAfterHead => Transport::CutAfter(0),
            Self::CutMidArray => Transport::CutAfter(bytes / 2),
            Self::CutAfter { bytes: after } => Transport::CutAfter((*after).min(bytes)),
            Self::Reset => Transport::Reset,
            Self::NeverAnswer => Transport::StallForever,
            Self::StallAfter { bytes: after } => Transport::StallAfter((*after).min(bytes)),
            Self::Slow { bytes_per_s } => Transport::Slow { bytes_per_s: (*bytes_per_s).max(1) },
            _ => Transport::Whole,
        }
    }

    /// Whether the client may not get, or not understand, what the response carried.
    pub(crate) fn damages(&self) -> bool {
        !matches!(
            self,
            Self::UnknownMembers
                | Self::NumericIds
                | Self::NoChannel
                | Self::NoId
                | Self::DuplicateEvents
                | Self::ReorderEvents
                | Self::RepliesFirst
                | Self::UnknownEventType
                | Self::HugeBody { .. }
                | Self::Slow { .. }
        )
    }
}

fn status(code: u16, retry_after_s: Option<u32>) -> Response {
    let page = format!("<html><head><title>{code}</title></head><body><h1>HTTP error {code}</h1></body></html>\n");
    let response = Response::html(code, page);
    match retry_after_s {
        Some(seconds) => response.header(RETRY_AFTER, &seconds.to_string()),
        None => response,
    }
}

/// Compresses a body, whatever the client asked for, and drops so many bytes of its end.
fn zip(response: &mut Response, body: &[u8], keep_back: usize) {
    let mut packed = gzip(body);
    if keep_back < packed.len() {
        packed.truncate(packed.len() - keep_back);
    }
    response.body = packed.into();
    response.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
}

/// Writing into memory does not fail; should it, the body goes out empty.
pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body).is_ok();
    encoder.finish().ok().filter(|_| written).unwrap_or_default()
}
