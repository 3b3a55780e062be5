//! In-band Bayeux errors on demand. Implements item 11 of checklist A, with the shapes of section 3.6, of the Salesforce
//! facts page.

use serde_json::{Value, json};

use super::{reply, server_disconnect};
use crate::faults::{ConnectAdvice, Fault};
use crate::org::Org;

impl Org {
    /// The replies that a fault puts in the place of a message's handling.
    pub(super) fn injected(&mut self, fault: &Fault, message: &Value) -> Vec<Value> {
        let refusal = |error: &str| reply::refusal(message, error);
        let answer = match fault {
            Fault::AuthenticationInvalid => {
                reply::with_advice(refusal(reply::AUTHENTICATION_INVALID), reply::advice_none())
            }
            Fault::AuthenticationInvalidBusy => {
                let refusal = reply::with_advice(refusal(reply::AUTHENTICATION_INVALID), reply::advice_none());
                reply::with_reason(refusal, reply::BUSY)
            }
            Fault::HandshakeDenied { reason } => reply::handshake_denied(message, reply::handshake_reason(*reason)),
            Fault::UnknownClient { advice, channel, code_402 } => {
                self.forget_of(message);
                let text = if *code_402 { reply::UNKNOWN_CLIENT_402 } else { reply::UNKNOWN_CLIENT };
                let refusal = if *channel { refusal(text) } else { json!({"error": text, "successful": false}) };
                match advice {
                    ConnectAdvice::Handshake => reply::with_advice(refusal, reply::advice_handshake()),
                    ConnectAdvice::None => {
                        let client_id = message["clientId"].as_str().unwrap_or_default();
                        reply::with_client(reply::with_advice(refusal, reply::advice_none()), client_id)
                    }
                    ConnectAdvice::Missing => refusal,
                }
            }
            Fault::SubscribeDeniedBusy => reply::with_reason(refusal(reply::SUBSCRIBE_DENIED), reply::BUSY),
            Fault::CreateDenied => refusal(reply::CREATE_DENIED),
            Fault::DailyLimit => reply::with_advice(refusal(reply::DAILY_LIMIT), reply::advice_none()),
            Fault::SubscriptionLimit => refusal(reply::SUBSCRIPTION_LIMIT),
            Fault::ReplayInvalid => {
                let asked = message["ext"]["replay"].as_object().and_then(|map| map.values().next());
                refusal(&reply::replay_id_invalid(asked.unwrap_or(&Value::Null)))
            }
            Fault::ServerDisconnect => {
                self.forget_of(message);
                return server_disconnect(message);
            }
            Fault::BayeuxError { error, advice, failure_reason } => {
                let mut answer = refusal(error);
                if let Some(advice) = advice {
                    answer = reply::with_advice(answer, advice.clone());
                }
                match failure_reason {
                    Some(reason) => reply::with_reason(answer, reason),
                    None => answer,
                }
            }
            _ => reply::unknown_client(message),
        };
        vec![answer]
    }

    fn forget_of(&mut self, message: &Value) {
        if let Some(client_id) = message["clientId"].as_str() {
            self.forget(client_id);
        }
    }
}
