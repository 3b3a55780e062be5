//! The control endpoints under `/_control/`: changes, faults, the clock, and what can be read back.
//!
//! Implements section 7 (the simulator) of the surface page. Whoever reaches the port controls the org; the server listens on
//! loopback unless it is told otherwise.

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::changes::Change;
use crate::exchange::{Request, Response};
use crate::faults::{Fault, FaultRule, Where};
use crate::ledger::Event;
use crate::org::Org;

/// What the control endpoints are, for people.
pub const HELP: &str = "\
Control endpoints (JSON in, JSON out):
  POST   /_control/changes     {\"object\":\"Lead\",\"operation\":\"created|updated|deleted|undeleted\",\"id\"?,\"fields\"?,\"count\"?,
                                \"via\":\"api|bulk|cascade\"?,\"notify_anyway\"?}  without fields the values are made up, without
                                an id a record is taken by chance; or {\"transaction\":[change,...]}, where \"same_as\":n means
                                the record of change n; its notifications come last one first
  POST   /_control/faults      {\"at\":{\"path\"?,\"channel\"?,\"carrying_events\"?,\"first_connect\"?},\"fault\":NAME or
                                {\"name\":NAME,...},\"after\":0,\"times\":1 or null,\"per_mille\":1000}
  GET    /_control/faults      the rules in force, and every fault name
  DELETE /_control/faults      lifts them all
  GET    /_control/ledger      ?after=SEQ&limit=N  every notification that was produced
  GET    /_control/deliveries  ?client=ID&topic=NAME  every notification that was written to a client
  GET    /_control/stats       requests by kind, logins, clients, notifications against the daily limit
  POST   /_control/clock       {\"advance_ms\"?,\"revoke_tokens\"?,\"expire_sessions\"?,\"disconnect_clients\"?,
                                \"lapse_routing_cookies\"?,\"purge_events\"?}
  POST   /_control/org         {\"password_flow\"?,\"user_approved\"?,\"run_as_user\"?,\"my_domain\"?,\"expired\"?,
                                \"rotate_refresh_tokens\"?,\"clock_ahead_ms\"?,\"jwt_certificate\":PEM?}  who may log in, and how
  POST   /_control/pushtopics  {\"name\":NAME,\"action\":\"create|activate|deactivate|delete|recreate\",\"query\"?}
";

#[derive(Deserialize)]
#[serde(untagged)]
enum Changes {
    Transaction(Transaction),
    One(One),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transaction {
    transaction: Vec<Change>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default = "one")]
    count: usize,
    #[serde(flatten)]
    change: Value,
}

fn one() -> usize {
    1
}

/// A rule whose fault may be a bare name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    at: Where,
    fault: Value,
    #[serde(default)]
    after: u64,
    #[serde(default = "once")]
    times: Option<u64>,
    #[serde(default = "always")]
    per_mille: u16,
}

fn once() -> Option<u64> {
    Some(1)
}

fn always() -> u16 {
    1_000
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Clock {
    advance_ms: u64,
    revoke_tokens: bool,
    expire_sessions: bool,
    disconnect_clients: bool,
    lapse_routing_cookies: bool,
    purge_events: bool,
}

/// Flags of the org; what is left out stays as it is.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flags {
    password_flow: Option<bool>,
    user_approved: Option<bool>,
    run_as_user: Option<bool>,
    my_domain: Option<bool>,
    expired: Option<bool>,
    rotate_refresh_tokens: Option<bool>,
    clock_ahead_ms: Option<i64>,
    jwt_certificate: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicChange {
    name: String,
    action: TopicAction,
    query: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum TopicAction {
    Create,
    Activate,
    Deactivate,
    Delete,
    Recreate,
}

/// Why a control request is refused: HTTP 400 with this text.
struct Refused(String);

impl<E: std::fmt::Display> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Org {
    pub(crate) fn control(&mut self, request: &Request) -> Response {
        let path = request.path().trim_end_matches('/').trim_start_matches("/_control").trim_start_matches('/');
        let answer = match (&request.method, path) {
            (&Method::GET, "") => return Response::text(200, HELP),
            (&Method::POST, "changes") => self.control_changes(request),
            (&Method::POST, "faults") => self.control_fault(request),
            (&Method::GET, "faults") => Ok(json!({"rules": self.faults.rules(), "names": Fault::NAMES})),
            (&Method::DELETE, "faults") => {
                self.clear_faults();
                Ok(json!({}))
            }
            (&Method::GET, "ledger") => Ok(self.control_ledger(request)),
            (&Method::GET, "deliveries") => Ok(self.control_deliveries(request)),
            (&Method::GET, "stats") => Ok(json!(self.stats())),
            (&Method::POST, "clock") => self.control_clock(request),
            (&Method::POST, "org") => self.control_org(request),
            (&Method::POST, "pushtopics") => self.control_topic(request),
            _ => return Response::text(404, format!("No such control endpoint.\n{HELP}")),
        };
        match answer {
            Ok(value) => Response::json(200, &value),
            Err(Refused(error)) => Response::json(400, &json!({"error": error})),
        }
    }

    fn control_changes(&mut self, request: &Request) -> Result<Value, Refused> {
        let (mut records, mut ledger) = (Vec::new(), Vec::new());
        match body(request)? {
            Changes::Transaction(Transaction { transaction }) => {
                let changed = self.apply(transaction)?;
                records.extend(changed.records);
                ledger.extend(changed.ledger);
            }
            Changes::One(One { count, change }) => {
                let change: Change = serde_json::from_value(change)?;
                for _ in 0..count {
                    let changed = self.apply(vec![change.clone()])?;
                    records.extend(changed.records);
                    ledger.extend(changed.ledger);
                }
            }
        }
        Ok(json!({"records": records, "ledger": ledger}))
    }

    fn control_fault(&mut self, request: &Request) -> Result<Value, Refused> {
        let Rule { at, fault, after, times, per_mille } = body(request)?;
        let fault = if fault.is_string() { json!({"name": fault}) } else { fault };
        let fault = serde_json::from_value(fault)?;
        Ok(json!({"id": self.inject(FaultRule { at, fault, after, times, per_mille })}))
    }

    fn control_ledger(&self, request: &Request) -> Value {
        let number = |name: &str| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
        let after = number("after").unwrap_or(0);
        let limit = number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let events = self.ledger();
        let start = events.partition_point(|event| event.seq <= after);
        let entries: Vec<_> = events.range(start..).take(limit).map(|event| entry(event)).collect();
        json!({"total": self.ledger.total(), "events": entries})
    }

    fn control_deliveries(&self, request: &Request) -> Value {
        let (client, topic) = (request.parameter("client"), request.parameter("topic"));
        let fits = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let deliveries: Vec<_> = self
            .deliveries()
            .iter()
            .filter(|delivery| fits(&client, &delivery.client_id) && fits(&topic, &delivery.topic))
            .map(|delivery| {
                json!({
                    "at_ms": delivery.at_ms, "client_id": *delivery.client_id, "topic": *delivery.topic,
                    "replay_id": delivery.replay_id, "response": delivery.response, "damaged": delivery.damaged,
                })
            })
            .collect();
        json!({"deliveries": deliveries})
    }

    fn control_clock(&mut self, request: &Request) -> Result<Value, Refused> {
        let clock: Clock = body(request)?;
        self.advance(clock.advance_ms);
        if clock.revoke_tokens {
            self.revoke_tokens();
        }
        if clock.expire_sessions {
            self.forget_sessions();
        }
        if clock.disconnect_clients {
            self.disconnect_clients();
        }
        if clock.lapse_routing_cookies {
            self.lapse_routes();
        }
        if clock.purge_events {
            self.purge_events();
        }
        Ok(json!({"now_ms": self.now_ms}))
    }

    fn control_org(&mut self, request: &Request) -> Result<Value, Refused> {
        let flags: Flags = body(request)?;
        let config = &mut self.config;
        for (flag, value) in [
            (&mut config.password_flow, flags.password_flow),
            (&mut config.user_approved, flags.user_approved),
            (&mut config.run_as_user, flags.run_as_user),
            (&mut config.my_domain, flags.my_domain),
            (&mut config.expired, flags.expired),
            (&mut config.rotate_refresh_tokens, flags.rotate_refresh_tokens),
        ] {
            *flag = value.unwrap_or(*flag);
        }
        config.clock_ahead_ms = flags.clock_ahead_ms.unwrap_or(config.clock_ahead_ms);
        if let Some(pem) = flags.jwt_certificate {
            config.upload_certificates(&pem)?;
        }
        Ok(json!({
            "password_flow": config.password_flow, "user_approved": config.user_approved,
            "run_as_user": config.run_as_user, "my_domain": config.my_domain, "expired": config.expired,
            "rotate_refresh_tokens": config.rotate_refresh_tokens, "clock_ahead_ms": config.clock_ahead_ms,
            "jwt_certificates": config.jwt_certificates.len(),
        }))
    }

    fn control_topic(&mut self, request: &Request) -> Result<Value, Refused> {
        let change: TopicChange = body(request)?;
        let now_ms = self.now_ms.saturating_sub(self.offset_ms);
        let id = match change.action {
            TopicAction::Create => {
                let query = change.query.ok_or("query is missing")?;
                self.create_topic(now_ms, &change.name, &query)?
            }
            TopicAction::Activate => self.set_topic_active(&change.name, true)?,
            TopicAction::Deactivate => self.set_topic_active(&change.name, false)?,
            TopicAction::Delete => self.delete_topic(&change.name)?,
            TopicAction::Recreate => self.recreate_topic(&change.name, change.query)?,
        };
        Ok(json!({"id": id}))
    }

    /// Moves the org's time on by so much: sessions, tokens and retained events age.
    pub fn advance(&mut self, by_ms: u64) {
        let driver_ms = self.now_ms.saturating_sub(self.offset_ms);
        self.offset_ms = self.offset_ms.saturating_add(by_ms);
        self.tick(driver_ms);
    }

    /// Revokes every access token; open polls end with `401::Authentication invalid`.
    pub fn revoke_tokens(&mut self) {
        self.tokens.revoke_all();
        self.drop_unauthenticated();
    }

    /// Forgets every Bayeux session; open polls end with `403::Unknown client`.
    pub fn expire_sessions_now(&mut self) {
        self.forget_sessions();
    }

    /// Ends every Bayeux session from the server's side; open polls bring `/meta/disconnect`.
    pub fn disconnect_sessions(&mut self) {
        self.disconnect_clients();
    }

    /// Lets every routing cookie lapse: the next request of each session meets a server that does not know it.
    pub fn lapse_routing_cookies(&mut self) {
        self.lapse_routes();
    }

    /// Drops every retained event, as if the retention time had passed; ids that were given out become invalid.
    pub fn purge_events(&mut self) {
        self.topics.values_mut().for_each(|topic| topic.log.clear());
    }

    /// Activates or deactivates a PushTopic; its record id.
    ///
    /// # Errors
    /// A text when there is none of that name.
    pub fn set_topic_active(&mut self, name: &str, active: bool) -> Result<String, String> {
        let id = self.topic_id(name)?;
        let body = json!({"IsActive": active}).as_object().cloned().unwrap_or_default();
        self.update_push_topic(&id, &body).map_err(|error| error.to_string())?;
        Ok(id)
    }

    /// Deletes a PushTopic with its events; its record id.
    ///
    /// # Errors
    /// A text when there is none of that name.
    pub fn delete_topic(&mut self, name: &str) -> Result<String, String> {
        let id = self.topic_id(name)?;
        self.delete_push_topic(&id).map_err(|error| error.to_string())?;
        Ok(id)
    }

    /// Deletes a PushTopic and creates it again, with the same query or another one: its replay ids begin anew. The new
    /// record id.
    ///
    /// # Errors
    /// A text when there is none of that name or the query is refused.
    pub fn recreate_topic(&mut self, name: &str, query: Option<String>) -> Result<String, String> {
        let present = self.topic_named(name).map(|topic| topic.query.clone());
        let query = query.or(present).ok_or_else(|| format!("no PushTopic named {name}"))?;
        self.delete_topic(name)?;
        self.create_topic(self.now_ms.saturating_sub(self.offset_ms), name, &query)
    }

    fn topic_id(&self, name: &str) -> Result<String, String> {
        self.topic_named(name).map(|topic| topic.id.to_string()).ok_or_else(|| format!("no PushTopic named {name}"))
    }
}

fn entry(event: &Event) -> Value {
    let data: Value = serde_json::from_slice(&event.data).unwrap_or_default();
    json!({
        "seq": event.seq, "topic": *event.topic, "topic_id": *event.topic_id, "replay_id": event.replay_id,
        "type": event.operation.name(), "record_id": event.record_id, "created_ms": event.created_ms, "data": data,
    })
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refused> {
    Ok(serde_json::from_slice(&request.body)?)
}
