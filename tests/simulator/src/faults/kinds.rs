//! Every fault by name. Implements items 11 and 12 of checklist A, with the texts of sections 1.3, 1.5 and 3.6, of the
//! Salesforce facts page.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// When in the life of a request a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before the request is looked at; it then has no effect, or is looked at in a changed world.
    Request,
    /// Instead of the handling of one Bayeux message.
    Message,
    /// When the response is complete: what it carries counts as delivered.
    Reply,
}

/// The advice that goes with `403::Unknown client`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectAdvice {
    /// `reconnect: handshake`
    #[default]
    Handshake,
    /// `reconnect: none`
    None,
    /// No advice at all.
    Missing,
}

/// The cause of a denied handshake, told in `ext.sfdc.failureReason`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeReason {
    /// The token is not good.
    #[default]
    AuthenticationInvalid,
    /// There is no token.
    RequiresAuthentication,
    /// Too many connections on the server.
    ConnectionLimit,
    /// Too many clients of the org.
    ConcurrentUsers,
    /// The API version is not served.
    UnsupportedVersion,
    /// The path names no API version.
    MissingVersion,
    /// The server is too busy.
    Busy,
}

fn code_500() -> u16 {
    500
}
fn code_503() -> u16 {
    503
}
fn yes() -> bool {
    true
}
fn depth() -> usize {
    100_000
}
fn bytes() -> usize {
    100_000_000
}
fn rate() -> u32 {
    1
}
fn minute() -> u64 {
    60_000
}

/// A fault. In JSON: `{"name": "…", …}`, the name in snake case; members that have a default may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An HTTP error with an HTML page (500, 502, 503, 504, 429, …).
    Status {
        /// The status code.
        #[serde(default = "code_500")]
        code: u16,
        /// The value of `Retry-After`, seconds.
        #[serde(default)]
        retry_after_s: Option<u32>,
        /// Answers so only after the request was handled, so that its events count as delivered.
        #[serde(default)]
        late: bool,
    },
    /// The maintenance page, in HTML.
    Maintenance {
        /// The status code; 200 happens too.
        #[serde(default = "code_503")]
        code: u16,
    },
    /// 307 to another instance.
    Redirect {
        /// The origin of the other instance; the path stays.
        to: String,
    },
    /// A REST error array.
    RestError {
        /// The status code.
        code: u16,
        /// Salesforce's error code.
        error_code: String,
        /// The text.
        message: String,
    },
    /// 403 `REQUEST_LIMIT_EXCEEDED`, as REST and the token endpoint answer it.
    RequestLimit,
    /// 401 that no new login cures.
    SessionNotForRest,
    /// A refusal of the token endpoint.
    OauthError {
        /// `error`
        error: String,
        /// `error_description`
        description: String,
    },
    /// Revokes the request's token and then handles the request.
    RevokeToken,
    /// Forgets the request's Bayeux session and then handles the request.
    ForgetSession,
    /// The request's Bayeux session gets no events from now on, and no error either; then handles the request.
    SilenceSession,
    /// The routing cookie no longer leads to the session's server; then handles the request.
    MoveServer,
    /// A proxy gives up on a long poll with 504; the server does not notice at once.
    ProxyTimeout {
        /// After so long, ms.
        #[serde(default = "minute")]
        after_ms: u64,
    },

    /// `401::Authentication invalid`
    AuthenticationInvalid,
    /// The same with the cause `503::Server is too busy` in `ext.sfdc.failureReason`: no authentication failure.
    AuthenticationInvalidBusy,
    /// `403::Handshake denied`
    HandshakeDenied {
        /// The cause.
        #[serde(default)]
        reason: HandshakeReason,
    },
    /// `403::Unknown client`; the session is gone.
    UnknownClient {
        /// The advice.
        #[serde(default)]
        advice: ConnectAdvice,
        /// Whether the reply names channel and id.
        #[serde(default = "yes")]
        channel: bool,
        /// 402, as older servers say, instead of 403.
        #[serde(default)]
        code_402: bool,
    },
    /// `403:denied_by_security_policy:subscribe_denied` with the cause `503::Server is too busy`.
    SubscribeDeniedBusy,
    /// `403:denied_by_security_policy:create_denied`
    CreateDenied,
    /// `403::Organization total events daily limit exceeded`
    DailyLimit,
    /// `403::Subscription limit exceeded for this topic`
    SubscriptionLimit,
    /// `400::The replayId {n} you provided was invalid.`
    ReplayInvalid,
    /// The server ends the session: `/meta/disconnect` in the response and advice `none` on the connect reply.
    ServerDisconnect,
    /// Any other in-band error.
    BayeuxError {
        /// `error`
        error: String,
        /// `advice`
        #[serde(default)]
        advice: Option<Value>,
        /// `ext.sfdc.failureReason`
        #[serde(default)]
        failure_reason: Option<String>,
    },

    /// Adds members that no document names to advice, replies and events.
    UnknownMembers,
    /// Ids of replies are numbers.
    NumericIds,
    /// Replies name no channel.
    NoChannel,
    /// Replies carry no id.
    NoId,
    /// Every event stands twice in the response.
    DuplicateEvents,
    /// Events stand in reverse order.
    ReorderEvents,
    /// Events have a type that no document names.
    UnknownEventType,
    /// The first event's replay id is replaced.
    ReplayId {
        /// By this.
        value: Value,
    },
    /// Replies stand before events.
    RepliesFirst,
    /// 200 and an HTML page.
    Html200,
    /// 200 and nothing.
    EmptyBody,
    /// 200 and `[]`.
    EmptyArray,
    /// 200 and JSON that is no array.
    NotAnArray,
    /// The first half of the JSON, in a complete response.
    HalfJson,
    /// A byte that is no UTF-8 in the middle.
    BadUtf8,
    /// Arrays in arrays.
    DeepNesting {
        /// So many.
        #[serde(default = "depth")]
        depth: usize,
    },
    /// A body of blanks before the JSON.
    HugeBody {
        /// So many, bytes.
        #[serde(default = "bytes")]
        bytes: usize,
    },
    /// A small gzip body that inflates to much.
    GzipBomb {
        /// To so many bytes.
        #[serde(default = "bytes")]
        bytes: usize,
    },
    /// A gzip body that ends too early, in a complete response.
    CutGzip,
    /// The connection ends before the head.
    CutBeforeHead,
    /// The connection ends after the head.
    CutAfterHead,
    /// The connection ends in the middle of the body.
    CutMidArray,
    /// The connection ends after so many bytes of the body.
    CutAfter {
        /// Bytes.
        bytes: usize,
    },
    /// The response is lost on its way: the connection ends without a byte, what it carried counts as delivered.
    LostResponse,
    /// The connection is reset.
    Reset,
    /// Nothing ever comes.
    NeverAnswer,
    /// The body stops after so many bytes, the connection stays.
    StallAfter {
        /// Bytes.
        #[serde(default)]
        bytes: usize,
    },
    /// The body trickles.
    Slow {
        /// Bytes a second.
        #[serde(default = "rate")]
        bytes_per_s: u32,
    },
}

impl Fault {
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Status { late: false, .. }
            | Self::Maintenance { .. }
            | Self::Redirect { .. }
            | Self::RestError { .. }
            | Self::RequestLimit
            | Self::SessionNotForRest
            | Self::OauthError { .. }
            | Self::RevokeToken
            | Self::ForgetSession
            | Self::SilenceSession
            | Self::MoveServer
            | Self::ProxyTimeout { .. } => Stage::Request,
            Self::AuthenticationInvalid
            | Self::AuthenticationInvalidBusy
            | Self::HandshakeDenied { .. }
            | Self::UnknownClient { .. }
            | Self::SubscribeDeniedBusy
            | Self::CreateDenied
            | Self::DailyLimit
            | Self::SubscriptionLimit
            | Self::ReplayInvalid
            | Self::ServerDisconnect
            | Self::BayeuxError { .. } => Stage::Message,
            _ => Stage::Reply,
        }
    }

    /// Every name that a rule may give.
    pub(crate) const NAMES: &'static str = "status maintenance redirect rest_error request_limit session_not_for_rest \
        oauth_error revoke_token forget_session silence_session move_server proxy_timeout | authentication_invalid \
        authentication_invalid_busy handshake_denied unknown_client subscribe_denied_busy create_denied daily_limit \
        subscription_limit replay_invalid server_disconnect bayeux_error | unknown_members numeric_ids no_channel no_id \
        duplicate_events reorder_events unknown_event_type replay_id replies_first html200 empty_body empty_array \
        not_an_array half_json bad_utf8 deep_nesting huge_body gzip_bomb cut_gzip | cut_before_head cut_after_head \
        cut_mid_array cut_after lost_response reset never_answer stall_after slow";
}
