//! `Registration`: a batch whose schemas have no ids yet waits while the registry is asked for them, one request after the
//! other: add (`auto.register.schemas`), look up, or take the latest version. Nothing of the batch goes out before all of
//! them are known. The same serves the first batch of a task and a schema that changes while it runs.
//!
//! Each round asks the registry's addresses in turn until one answers; between rounds it waits (`retries.wait.ms`,
//! `max.retries`). What the registry refuses is final: it ends the task with the registry's words, before the offset moves.

use std::{collections::VecDeque, mem};

use super::lane::Wanted;
use crate::{
    backoff::Jitter,
    converters::wire_format::IdForm,
    error::{Cause, Failure, FailureKind},
    http::{HttpError, Request, Response, Timeouts},
    registry::{
        ids::SchemaId,
        requests::{self, Refusal, Schema},
    },
    telemetry::Event,
    time::{Deadline, Now},
};

/// Most numbers of versions in a message.
const VERSIONS_NAMED_MAX: usize = 10;

/// What is asked about a schema.
#[derive(Clone, Debug)]
enum Question {
    /// Add it, or find it.
    Register,
    /// Find it.
    LookUp,
    /// The subject's latest version.
    Latest,
    /// Whether the schema goes with that version.
    Compatible(SchemaId),
    /// It was refused as incompatible: with which versions?
    Versions(Refusal),
}

/// The schema that is being asked about.
#[derive(Debug)]
struct Current {
    wanted: Wanted,
    subject: String,
    question: Question,
    /// The address in use.
    endpoint: usize,
    /// Rounds that failed.
    rounds_failed: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Registration {
    waiting: VecDeque<Wanted>,
    current: Option<Current>,
    until: Option<Deadline>,
    done: Vec<(Wanted, SchemaId)>,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Make this request.
    Ask(Request),
    /// Nothing until then.
    Wait(Deadline),
    /// Every schema has its id.
    Done(Vec<(Wanted, SchemaId)>),
    /// A schema cannot have one.
    Failed(Failure),
}

impl Registration {
    pub(super) fn new(wanted: Vec<Wanted>) -> Self {
        Self { waiting: wanted.into(), current: None, until: None, done: Vec::new() }
    }

    /// What to do next. After `Ask` an answer is due (`answered`).
    pub(super) fn step(&mut self, now: Now, timeout_ms: u64) -> Next {
        if let Some(until) = self.until {
            if !until.passed(now) {
                return Next::Wait(until);
            }
            self.until = None;
        }
        if self.current.is_none() {
            let Some(wanted) = self.waiting.pop_front() else { return Next::Done(mem::take(&mut self.done)) };
            match Current::new(wanted) {
                Ok(current) => self.current = Some(current),
                Err(failure) => return Next::Failed(failure),
            }
        }
        match &self.current {
            Some(current) => Next::Ask(current.request(Timeouts::each(timeout_ms))),
            None => Next::Done(mem::take(&mut self.done)),
        }
    }

    /// The outcome of the request. `Err` is final.
    pub(super) fn answered(
        &mut self,
        now: Now,
        outcome: Result<Response, HttpError>,
        jitter: &mut Jitter,
        events: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        match current.answered(outcome) {
            Ok(Some(id)) => {
                let Current { wanted, subject, .. } = current;
                events.push(Event::SchemaIdKnown { subject, id: id.id, schema_type: wanted.document.schema_type });
                self.done.push((wanted, id));
            }
            Ok(None) => self.current = Some(current),
            Err(Trouble::Final(failure)) => return Err(failure),
            Err(Trouble::Temporary(cause, at_least_ms)) => {
                let wait_ms = current.again(cause, at_least_ms, jitter, events)?;
                self.until = (wait_ms > 0).then(|| now.deadline(wait_ms));
                self.current = Some(current);
            }
        }
        Ok(())
    }
}

/// Why there is no answer.
enum Trouble {
    /// Worth another try, after that many milliseconds at least.
    Temporary(Cause, u64),
    /// Not worth another try.
    Final(Failure),
}

impl Current {
    fn new(wanted: Wanted) -> Result<Self, Failure> {
        let registry = &wanted.registry;
        let subject = registry.subjects.of(&wanted.topic, wanted.is_key, wanted.document.record_name.as_deref());
        let subject = subject.map_err(|error| {
            let message = format!("The {} of topic {} has no subject: {error}", part(wanted.is_key), wanted.topic);
            Failure::new(FailureKind::Config, "SUBJECT_NAMELESS", message)
        })?;
        let question = match registry.rules {
            rules if rules.auto_register => Question::Register,
            rules if rules.use_latest_version => Question::Latest,
            _ => Question::LookUp,
        };
        Ok(Self { wanted, subject, question, endpoint: 0, rounds_failed: 0 })
    }

    fn request(&self, timeouts: Timeouts) -> Request {
        let (registry, subject) = (&*self.wanted.registry, self.subject.as_str());
        let document = &self.wanted.document;
        let schema = Schema { schema_type: document.schema_type, schema: &document.text };
        // There is at least one, and `endpoint` counts round.
        let endpoint = &registry.endpoints[self.endpoint % registry.endpoints.len()];
        match &self.question {
            Question::Register => requests::register(registry, endpoint, subject, schema, timeouts),
            Question::LookUp => requests::look_up(registry, endpoint, subject, schema, timeouts),
            Question::Latest => requests::latest(registry, endpoint, subject, timeouts),
            Question::Compatible(_) => requests::compatible(registry, endpoint, subject, schema, timeouts),
            Question::Versions(_) => requests::versions(registry, endpoint, subject, timeouts),
        }
    }

    /// Reads an answer: the id, or `None` when there is more to ask.
    fn answered(&mut self, outcome: Result<Response, HttpError>) -> Result<Option<SchemaId>, Trouble> {
        // That the registry refused is known; with which versions is said where it can be found out.
        if let Question::Versions(refusal) = &self.question {
            let versions = outcome.ok().and_then(|response| requests::read_versions(&response).ok());
            return Err(Trouble::Final(self.incompatible(refusal, &versions.unwrap_or_default())));
        }
        let response = outcome.map_err(|error| self.no_answer(&error))?;
        let refused = |refusal: Refusal| self.refused(&refusal);
        let id = match &self.question {
            Question::Latest => {
                let version = requests::read_version(&response).map_err(refused)?;
                self.latest(version)?
            }
            Question::Compatible(id) => match requests::read_compatible(&response).map_err(refused)? {
                None => Some(*id),
                Some(words) => {
                    let refusal = Refusal { status: 409, code: 409, words, retry_after_ms: 0 };
                    return Err(Trouble::Final(self.incompatible(&refusal, &[])));
                }
            },
            _ => match requests::read_id(&response) {
                Ok(id) => Some(id),
                Err(refusal) if refusal.status == 409 => {
                    self.question = Question::Versions(refusal);
                    None
                }
                Err(refusal) => return Err(self.refused(&refusal)),
            },
        };
        match id {
            Some(SchemaId { guid: None, .. }) if self.wanted.id_form == IdForm::Header => {
                let message = format!(
                    "The registry gave the schema of {} no GUID, which {}.schema.id.serializer needs; take the prefix form",
                    self.subject,
                    part(self.wanted.is_key)
                );
                Err(Trouble::Final(Failure::new(FailureKind::Config, "SCHEMA_GUID_MISSING", message)))
            }
            id => Ok(id),
        }
    }

    /// What follows from the latest version of the subject.
    fn latest(&mut self, version: requests::Version) -> Result<Option<SchemaId>, Trouble> {
        let document = &self.wanted.document;
        // The bytes follow the connector's own schema: Avro's and Protobuf's cannot be read with another one.
        let same = same_text(&version.text, &document.text);
        if !same && document.schema_type != "JSON" {
            let message = format!(
                "The latest version of {} is another schema than the connector's, in which its records are written. Register the connector's schema there, or set auto.register.schemas=true. The connector's schema: {}",
                self.subject, document.text
            );
            return Err(Trouble::Final(Failure::new(FailureKind::Config, "SCHEMA_NOT_THE_LATEST", message)));
        }
        if same || !self.wanted.registry.rules.latest_compatibility_strict {
            return Ok(Some(version.id));
        }
        self.question = Question::Compatible(version.id);
        Ok(None)
    }

    /// Another try: at the next address, or in the next round. Returns the milliseconds until then.
    fn again(
        &mut self,
        cause: Cause,
        at_least_ms: u64,
        jitter: &mut Jitter,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let registry = &self.wanted.registry;
        self.endpoint += 1;
        if !self.endpoint.is_multiple_of(registry.endpoints.len()) {
            return Ok(0);
        }
        if self.rounds_failed >= registry.retries_max {
            let message = format!(
                "{}. Tried {} time(s) (max.retries) without success; the offset stays before the events that wait",
                cause.message,
                self.rounds_failed + 1
            );
            let kind = if at_least_ms > 0 { FailureKind::Throttled } else { FailureKind::Transient };
            let mut failure = Failure::new(kind, cause.code, message);
            failure.retry_after_ms = (at_least_ms > 0).then_some(at_least_ms);
            return Err(failure);
        }
        let wait_ms = registry.retry_wait_ms.saturating_mul(1 << self.rounds_failed.min(16));
        self.rounds_failed += 1;
        let wait_ms = jitter.spread(wait_ms.min(registry.retry_wait_max_ms)).max(at_least_ms).max(1);
        events.push(Event::RegistryAway { cause, wait_ms });
        Ok(wait_ms)
    }

    fn no_answer(&self, error: &HttpError) -> Trouble {
        let message = format!("The schema registry did not answer about {}: {error}", self.subject);
        match error {
            HttpError::Denied { .. } | HttpError::Tls(_) | HttpError::Invalid(_) | HttpError::BodyTooLarge { .. } => {
                Trouble::Final(Failure::new(FailureKind::Config, error.code(), message))
            }
            HttpError::Dns(_) | HttpError::Connect(_) | HttpError::Timeout(_) | HttpError::Broken(_) => {
                Trouble::Temporary(Cause::new(error.code(), message), 0)
            }
        }
    }

    fn refused(&self, refusal: &Refusal) -> Trouble {
        let Refusal { status, code, words, .. } = refusal;
        let subject = &self.subject;
        let said = format!("The schema registry said about {subject}: {words} ({code})");
        if refusal.is_temporary() {
            return Trouble::Temporary(Cause::new(format!("REGISTRY_{code}"), said), refusal.retry_after_ms);
        }
        let converter = if self.wanted.is_key { "key.converter" } else { "value.converter" };
        let (kind, code, remedy) = match (*status, *code) {
            (401 | 403, _) => (
                FailureKind::Auth,
                "REGISTRY_AUTH".to_owned(),
                format!("Check {converter}.basic.auth.user.info (or bearer.auth.token) and the rights behind it"),
            ),
            (404, _) if matches!(self.question, Question::LookUp | Question::Latest) => (
                FailureKind::Config,
                "SCHEMA_NOT_REGISTERED".to_owned(),
                format!("Register the schema there, or set {converter}.auto.register.schemas=true"),
            ),
            (404, _) => (
                FailureKind::Config,
                "REGISTRY_NOT_FOUND".to_owned(),
                format!("Check {converter}.schema.registry.url: it ends where the paths of Confluent's API begin"),
            ),
            (422, 42_205) => (
                FailureKind::Config,
                "REGISTRY_READ_ONLY".to_owned(),
                format!(
                    "Set the subject's mode to READWRITE, or register the schema by other means and set {converter}.auto.register.schemas=false"
                ),
            ),
            _ => (
                FailureKind::Config,
                format!("REGISTRY_{code}"),
                "The registry's words say what it asks for".to_owned(),
            ),
        };
        Trouble::Final(Failure::new(kind, code, format!("{said}. {remedy}")))
    }

    fn incompatible(&self, refusal: &Refusal, versions: &[i64]) -> Failure {
        let with = match versions {
            [] => String::new(),
            [one] => format!(" with version {one}"),
            [.., last] if versions.len() > VERSIONS_NAMED_MAX => format!(" with versions 1 to {last}"),
            more => format!(" with versions {}", more.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")),
        };
        let message = format!(
            "The schema is not compatible{with} of {}. The schema registry's words: {}. Change the subject's compatibility, or write to another topic; the offset stays before the events that wait",
            self.subject, refusal.words
        );
        Failure::new(FailureKind::Config, "SCHEMA_INCOMPATIBLE", message)
    }
}

/// Whether two schemas are the same but for blanks.
fn same_text(one: &str, other: &str) -> bool {
    let characters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    one == other || characters(one) == characters(other)
}

fn part(is_key: bool) -> &'static str {
    if is_key { "key" } else { "value" }
}
