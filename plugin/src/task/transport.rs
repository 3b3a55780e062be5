//! What it means to a task that a request had no answer.

use super::state::Phase;
use crate::{
    error::{Cause, Failure, FailureKind, Verdict},
    http::HttpError,
};

/// What the lack of an answer means. In the streaming phases an answer that broke off may have held events, which the
/// server now counts as delivered: only a new session with the last position gets them back.
pub(super) fn transport(error: &HttpError, phase: &Phase) -> Verdict {
    let what = match phase {
        Phase::Login => "The login",
        Phase::Prepare(_) | Phase::Repair | Phase::Look => "A REST request",
        _ => "The streaming connection",
    };
    let remedy = match (phase, error) {
        (Phase::Login, HttpError::Dns(_) | HttpError::Connect(_)) => ". Check salesforce.instance",
        _ => "",
    };
    let message = format!("{what} to Salesforce failed: {error}{remedy}");
    match error {
        HttpError::Denied { .. } | HttpError::Tls(_) | HttpError::Invalid(_) => {
            Verdict::Fail(Failure::new(FailureKind::Config, error.code(), message))
        }
        HttpError::Dns(_)
        | HttpError::Connect(_)
        | HttpError::Timeout(_)
        | HttpError::Broken(_)
        | HttpError::BodyTooLarge { .. } => Verdict::Retry(Cause::new(error.code(), message), 0),
    }
}
