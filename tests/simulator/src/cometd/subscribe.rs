//! `/meta/subscribe` and `/meta/unsubscribe`. Implements the replay extension (3.4), filtered subscriptions (3.5) and the
//! subscribe errors (3.6) of the Salesforce facts page.

use std::sync::Arc;

use serde_json::Value;

use super::session::Subscription;
use super::{Outcome, Written, reply};
use crate::org::Org;

impl Org {
    pub(super) fn subscribe(&mut self, message: &Value, client_id: &Arc<str>) -> Outcome {
        let refused = |error: String| Outcome::Reply(reply::with_client(reply::refusal(message, error), client_id));
        let asked: Vec<&str> = match &message["subscription"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if asked.is_empty() {
            return refused(reply::NO_CHANNEL_NAME.to_owned());
        }
        let mut subscriptions = Vec::with_capacity(asked.len());
        for subscription in asked {
            match self.subscription(message, client_id, subscription) {
                Ok(subscription) => subscriptions.push(subscription),
                Err(error) => return refused(error),
            }
        }
        let Some(session) = self.sessions.get_mut(client_id) else {
            return Outcome::Reply(reply::unknown_client(message));
        };
        session.subscriptions.extend(subscriptions);
        self.stats.subscribes += 1;
        let mut accepted = reply::with_client(reply::reply(message, true), client_id);
        accepted["subscription"] = message["subscription"].clone();
        if !self.config.events_on_subscribe {
            return Outcome::Reply(accepted);
        }
        let number = self.ledger.next_response();
        let events = self.gather(client_id, number);
        Outcome::Connect(Written { events, replies: vec![accepted], number: Some(number), ..Written::default() })
    }

    /// Checks one channel of a subscribe message.
    fn subscription(&self, message: &Value, client_id: &str, asked: &str) -> Result<(String, Subscription), String> {
        let (channel, filter) =
            asked.split_once('?').map_or((asked, None), |(channel, filter)| (channel, Some(filter)));
        if !channel.starts_with('/') {
            return Err(reply::NO_LEADING_SLASH.to_owned());
        }
        if channel.contains('*') || channel.starts_with("/meta/") || channel.starts_with("/service/") {
            return Err(reply::RESTRICTED_CHANNEL.to_owned());
        }
        let Some(name) = channel.strip_prefix("/topic/") else {
            let known = ["/u/", "/event/", "/data/"].iter().any(|kind| channel.starts_with(kind));
            return Err(if known { reply::no_such_channel(channel) } else { reply::UNKNOWN_CHANNEL.to_owned() });
        };
        let topic = self.topic_named(name).filter(|topic| topic.is_active).ok_or(reply::CREATE_DENIED)?;
        let subscribers = self
            .sessions
            .iter()
            .filter(|(other, session)| &***other != client_id && session.subscriptions.contains_key(channel));
        if subscribers.count() >= self.config.topic_subscribers_max {
            return Err(reply::SUBSCRIPTION_LIMIT.to_owned());
        }
        if self.quota_left() == 0 {
            return Err(reply::DAILY_LIMIT.to_owned());
        }
        let filter = filter.map(parse_filter).unwrap_or_default();
        let unknown: Vec<_> = filter
            .iter()
            .map(|(field, _)| field.as_str())
            .filter(|field| !topic.compiled.select.contains(field))
            .collect();
        if !unknown.is_empty() {
            return Err(reply::no_such_filter_fields(&unknown.join(", ")));
        }
        let replays = self.sessions.get(client_id).is_some_and(|session| session.replays);
        let cursor = match message["ext"]["replay"].as_object().filter(|_| replays) {
            None => topic.log.last_id(),
            Some(map) => {
                let asked = map.get(channel).ok_or_else(|| reply::replay_channel_missing(channel, map))?;
                topic.log.position(asked).ok_or_else(|| reply::replay_id_invalid(asked))?
            }
        };
        Ok((channel.to_owned(), Subscription { topic_id: topic.id.clone(), cursor, filter }))
    }

    pub(super) fn unsubscribe(&mut self, message: &Value, client_id: &Arc<str>) -> Value {
        let channel = message["subscription"].as_str().unwrap_or_default();
        let channel = channel.split('?').next().unwrap_or_default();
        let session = self.sessions.get_mut(client_id);
        let removed = session.and_then(|session| session.subscriptions.remove(channel)).is_some();
        let mut answer = if removed {
            reply::reply(message, true)
        } else if channel.is_empty() {
            reply::refusal(message, reply::NO_CHANNEL_NAME)
        } else {
            reply::refusal(message, reply::UNKNOWN_CHANNEL)
        };
        answer["subscription"] = message["subscription"].clone();
        reply::with_client(answer, client_id)
    }
}

/// Reads `A='x'&B='y'`; one of the pairs has to fit.
fn parse_filter(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(field, value)| (field.trim().to_owned(), value.trim().trim_matches('\'').to_owned()))
        .collect()
}
