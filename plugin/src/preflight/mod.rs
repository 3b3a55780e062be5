//! `Preflight`: could the configured connector run? It logs in and looks at everything that a start-up needs, one request
//! after the other, and changes nothing: no PushTopic is made, no session opened. The contract's `preflight`
//! (`wit/source.wit`). No I/O, no clock: it is told, and says what to ask next; `driver` does the asking.

mod check;
mod readings;

use std::mem;

pub use check::{Check, Status};

use crate::{
    config::{SourceConfig, Version},
    http::{HttpError, Request, Response, Timeouts},
    oauth::{TOKEN_RESPONSE_BYTES_MAX, Token},
    salesforce::{describe::Describe, push_topic, rest},
    telemetry::Event,
    time::Now,
};

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Make this request, and report its outcome with `Preflight::answered`. Never more than one at a time.
    Request(Request),
    /// The outcome of the request in flight is awaited.
    Await,
    /// Everything has been looked at.
    Done,
}

/// What is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Login,
    Versions,
    Describe,
    PushTopic,
    /// There is none: may this user make one?
    PushTopicRights,
    Limits,
    Done,
}

impl Stage {
    /// The name of its check.
    fn check(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Versions => "api-version",
            Self::Describe => "object",
            Self::PushTopic | Self::PushTopicRights => "push-topic",
            Self::Limits | Self::Done => "limits",
        }
    }

    /// What is asked, for people.
    fn request(self) -> &'static str {
        match self {
            Self::Login => "The login",
            Self::Versions => "The question for API versions",
            Self::Describe => "The describe of the object",
            Self::PushTopic => "The query for the PushTopic",
            Self::PushTopicRights => "The describe of PushTopic",
            Self::Limits | Self::Done => "The question for the org's limits",
        }
    }
}

/// The preflight of one configuration.
#[derive(Debug)]
pub struct Preflight {
    config: SourceConfig,
    stage: Stage,
    /// Since when the stage's request has been in flight.
    asked: Option<Now>,
    token: Option<Token>,
    version: String,
    describe: Option<Describe>,
    checks: Vec<Check>,
    topics: Vec<String>,
    events: Vec<Event>,
}

impl Preflight {
    /// Of this configuration.
    #[must_use]
    pub fn new(config: SourceConfig) -> Self {
        let version = match &config.version {
            Version::Latest => String::new(),
            Version::Fixed(version) => version.clone(),
        };
        Self {
            config,
            stage: Stage::Login,
            asked: None,
            token: None,
            version,
            describe: None,
            checks: Vec::new(),
            topics: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Checks since the last call.
    pub fn take_checks(&mut self) -> Vec<Check> {
        mem::take(&mut self.checks)
    }

    /// Topics that became known since the last call.
    pub fn take_topics(&mut self) -> Vec<String> {
        mem::take(&mut self.topics)
    }

    /// Facts since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    /// What to do next.
    pub fn step(&mut self, now: Now) -> Step {
        if self.asked.is_some() {
            return Step::Await;
        }
        let Some(request) = self.request() else { return Step::Done };
        self.asked = Some(now);
        self.events.push(Event::Requesting { request: format!("{request:?}") });
        Step::Request(request)
    }

    /// The outcome of the request in flight.
    pub fn answered(&mut self, now: Now, outcome: Result<Response, HttpError>) {
        let Some(asked) = self.asked.take() else { return };
        let stage = self.stage;
        let bytes_max = if stage == Stage::Login { TOKEN_RESPONSE_BYTES_MAX } else { rest::REST_RESPONSE_BYTES_MAX };
        // Unless a reading finds that it makes sense to go on, this was the last question.
        self.stage = Stage::Done;
        match outcome.and_then(|response| response.decoded(bytes_max)) {
            Err(error) => self.checks.push(Check::of_http_error(stage.check(), stage.request(), &error)),
            Ok(response) => {
                if stage == Stage::Login {
                    self.checks.extend(readings::clock(asked, now, &response));
                }
                if let Err(check) = self.read(stage, &response) {
                    self.checks.push(check);
                }
            }
        }
    }

    fn request(&self) -> Option<Request> {
        let timeouts = Timeouts::each(self.config.connection_timeout_ms);
        let token = match (self.stage, &self.token) {
            (Stage::Done, _) => return None,
            (Stage::Login, _) | (_, None) => {
                return Some(self.config.grant.request(&self.config.login_origin, timeouts));
            }
            (_, Some(token)) => token,
        };
        let data = format!("/services/data/v{}", self.version);
        let path = match self.stage {
            Stage::Versions => "/services/data/".to_owned(),
            Stage::Describe => format!("{data}/sobjects/{}/describe", self.config.object),
            Stage::PushTopicRights => format!("{data}/sobjects/PushTopic/describe"),
            Stage::Limits => format!("{data}/limits"),
            Stage::PushTopic | Stage::Login | Stage::Done => {
                rest::query_path(&self.version, &push_topic::find_query(&self.config.push_topic_name))
            }
        };
        Some(rest::get(token, &path, timeouts))
    }
}

#[cfg(test)]
mod tests;
