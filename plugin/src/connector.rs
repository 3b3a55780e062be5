//! `Plan`: what happens between the login and the first handshake. API version, describe of the object, PushTopic found or
//! made: one REST request after the other, each with its reading. No I/O.

use serde::Deserialize;

use crate::{
    config::{SourceConfig, Version},
    error::{Cause, Failure, FailureKind, Verdict, excerpt},
    http::{Request, Response, Timeouts},
    oauth::Token,
    salesforce::{
        describe::{Describe, DescribeField},
        push_topic::{self, PushTopic, PushTopicError},
        push_topic_plan::QueryPlan,
        rest,
        schema::RecordSchemas,
        versions,
    },
    telemetry::Event,
};

/// How often a PushTopic is asked for again without a field that Salesforce refused.
pub const REFUSED_FIELDS_MAX: usize = 20;
/// Most field names in one report.
const NAMED_FIELDS_MAX: usize = 20;

/// Where the plan stands: what to ask next.
#[derive(Debug)]
enum Stage {
    Versions,
    Describe,
    Find,
    Create(QueryPlan),
    /// After a creation: its answer has the id alone.
    Verify(QueryPlan),
    /// The subscription was refused for this cause: is the PushTopic to blame?
    Check(Cause),
    /// While events stream: what has become of the object.
    Refresh(Prepared),
}

/// The start-up plan of a task.
#[derive(Debug)]
pub struct Plan {
    stage: Stage,
    version: String,
    describe: Option<Describe>,
    refused_fields: usize,
}

/// What the plan found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// API version, `67.0`.
    pub version: String,
    /// The object's API name, in Salesforce's own spelling.
    pub object: String,
    /// The PushTopic's id. One that is deleted and made anew has another.
    pub push_topic_id: String,
    /// Its query.
    pub push_topic_query: String,
    /// The object's fields, those that vanished since the task began included.
    pub describe: Describe,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

impl Plan {
    /// The plan of a task that starts.
    #[must_use]
    pub fn new(config: &SourceConfig) -> Self {
        let (stage, version) = match &config.version {
            Version::Latest => (Stage::Versions, String::new()),
            Version::Fixed(version) => (Stage::Describe, version.clone()),
        };
        Self { stage, version, describe: None, refused_fields: 0 }
    }

    /// The plan to find out why a subscription was refused. It ends in a failure in any case.
    #[must_use]
    pub fn check(version: String, cause: Cause) -> Self {
        Self { stage: Stage::Check(cause), version, describe: None, refused_fields: 0 }
    }

    /// The plan to describe the object again, for a task that streams.
    #[must_use]
    pub fn refresh(prepared: &Prepared) -> Self {
        let version = prepared.version.clone();
        Self { stage: Stage::Refresh(prepared.clone()), version, describe: None, refused_fields: 0 }
    }

    /// Whether the next request proves the token good. The list of versions is public.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        !matches!(self.stage, Stage::Versions)
    }

    /// The next request.
    #[must_use]
    pub fn request(&self, config: &SourceConfig, token: &Token, timeouts: Timeouts) -> Request {
        let version = &self.version;
        match &self.stage {
            Stage::Versions => rest::get(token, "/services/data/", timeouts),
            Stage::Describe | Stage::Refresh(_) => {
                let path = format!("/services/data/v{version}/sobjects/{}/describe", config.object);
                rest::get(token, &path, timeouts)
            }
            Stage::Find | Stage::Verify(_) | Stage::Check(_) => {
                let soql = push_topic::find_query(&config.push_topic_name);
                rest::get(token, &rest::query_path(version, &soql), timeouts)
            }
            Stage::Create(plan) => {
                let path = format!("/services/data/v{version}/sobjects/PushTopic");
                // `found_none` has checked that this body can be made.
                let body = plan.create_body(&config.push_topic_name, version, config.notify).unwrap_or_default();
                rest::post(token, &path, body, timeouts)
            }
        }
    }

    /// Takes the answer to the last request. `Some` when the plan is done.
    ///
    /// # Errors
    /// What to do about an answer that does not lead on.
    pub fn answered(
        &mut self,
        config: &SourceConfig,
        response: &Response,
        events: &mut Vec<Event>,
    ) -> Result<Option<(Prepared, RecordSchemas)>, Verdict> {
        match &self.stage {
            Stage::Versions => self.versions(response).map(|()| None),
            Stage::Describe => self.described(config, response, events).map(|()| None),
            Stage::Find => self.found(config, response, events),
            Stage::Create(plan) => {
                let plan = plan.clone();
                self.created(plan, response).map(|()| None)
            }
            Stage::Verify(_) => self.found(config, response, events),
            Stage::Check(cause) => Err(Verdict::Fail(checked(cause, config, response)?)),
            Stage::Refresh(prepared) => {
                let prepared = prepared.clone();
                self.described(config, response, events)?;
                Ok(self.describe.take().map(|describe| refreshed(prepared, describe, events)))
            }
        }
    }

    fn versions(&mut self, response: &Response) -> Result<(), Verdict> {
        rest::check(response, "the question for API versions")?;
        let Some(version) = versions::parse(&response.body).and_then(|versions| versions.into_iter().next_back())
        else {
            return Err(rest::not_json(response, "the question for API versions"));
        };
        self.version = version;
        self.stage = Stage::Describe;
        Ok(())
    }

    fn described(
        &mut self,
        config: &SourceConfig,
        response: &Response,
        events: &mut Vec<Event>,
    ) -> Result<(), Verdict> {
        if response.status == 404 {
            let message = format!(
                "Salesforce knows no object {} in API version {} that this user may see. Check salesforce.object (the API name: a custom \
                 object ends in __c), salesforce.version, and the user's rights",
                config.object, self.version
            );
            return Err(Verdict::Fail(Failure::new(FailureKind::Config, "OBJECT_NOT_FOUND", message)));
        }
        let what = format!("the describe of {}", config.object);
        rest::check(response, &what)?;
        let describe = Describe::parse(&response.body).map_err(|error| {
            let message = format!("Salesforce's answer to {what} cannot be used: {error}");
            Verdict::Retry(Cause::new("RESPONSE_BROKEN", message), 0)
        })?;
        events.push(Event::Described {
            object: describe.name.clone(),
            version: self.version.clone(),
            fields: describe.fields.len(),
        });
        self.describe = Some(describe);
        self.stage = Stage::Find;
        Ok(())
    }

    fn found(
        &mut self,
        config: &SourceConfig,
        response: &Response,
        events: &mut Vec<Event>,
    ) -> Result<Option<(Prepared, RecordSchemas)>, Verdict> {
        let Some(describe) = &self.describe else {
            return Err(Verdict::Fail(Failure::new(FailureKind::Fatal, "PLAN", "the describe is missing")));
        };
        let Some(topic) = find(response, &config.push_topic_name)? else {
            return self.found_none(config).map(|()| None);
        };
        let plan = QueryPlan::new(describe).ok().filter(|_| config.push_topic_create);
        let differences = topic.check(&describe.name, config.notify, plan.as_ref()).map_err(|e| unusable(&e))?;
        let (name, id) = (topic.name.clone(), topic.id.clone());
        match &self.stage {
            Stage::Verify(plan) => events.push(Event::PushTopicCreated {
                name,
                id,
                fields: plan.fields.len(),
                left_out: some(&plan.left_out),
            }),
            _ if differences.is_empty() => events.push(Event::PushTopicFound { name, id }),
            _ => {
                let differences = differences.iter().map(ToString::to_string).collect();
                events.push(Event::PushTopicDrift { name, differences });
            }
        }
        let schemas = schemas(describe, events);
        config.topic.check(&schemas.value).map_err(|error| {
            Verdict::Fail(Failure::new(
                FailureKind::Config,
                "TOPIC_TEMPLATE",
                format!("kafka.topic cannot be used for {}: {error}", describe.name),
            ))
        })?;
        let prepared = Prepared {
            version: self.version.clone(),
            object: describe.name.clone(),
            push_topic_id: topic.id.clone(),
            push_topic_query: topic.query.clone(),
            describe: describe.clone(),
        };
        Ok(Some((prepared, schemas)))
    }

    fn found_none(&mut self, config: &SourceConfig) -> Result<(), Verdict> {
        if matches!(self.stage, Stage::Verify(_)) {
            // Salesforce said that it had been made: its answer to the query lags behind.
            let message = "The PushTopic was created but cannot be found yet";
            return Err(Verdict::Retry(Cause::new("PUSH_TOPIC_NOT_VISIBLE", message), 0));
        }
        if !config.push_topic_create {
            return Err(Verdict::Fail(missing(&config.push_topic_name)));
        }
        let Some(describe) = &self.describe else { return Ok(()) };
        let plan = QueryPlan::new(describe).map_err(|e| unusable(&e))?;
        plan.create_body(&config.push_topic_name, &self.version, config.notify).map_err(|e| unusable(&e))?;
        self.stage = Stage::Create(plan);
        Ok(())
    }

    fn created(&mut self, plan: QueryPlan, response: &Response) -> Result<(), Verdict> {
        let body = String::from_utf8_lossy(&response.body);
        if response.status == 400 && body.contains("INVALID_FIELD") && self.refused_fields < REFUSED_FIELDS_MAX {
            // A field that PushTopics do not take, though no document says so: go on without it.
            let names =
                |field: &&String| body.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == **field);
            if let Some(Ok(smaller)) = plan.fields.iter().find(names).and_then(|field| plan.without(field)) {
                self.refused_fields += 1;
                self.stage = Stage::Create(smaller);
                return Ok(());
            }
        }
        // Somebody else made it since it was looked for: it will be found now.
        if response.status == 400 && body.contains("DUPLICATE_VALUE") {
            self.stage = Stage::Find;
            return Ok(());
        }
        rest::check(response, "the creation of the PushTopic")?;
        serde_json::from_slice::<Created>(&response.body)
            .ok()
            .filter(|created| !created.id.is_empty())
            .ok_or_else(|| rest::not_json(response, "the creation of the PushTopic"))?;
        self.stage = Stage::Verify(plan);
        Ok(())
    }
}

fn schemas(describe: &Describe, events: &mut Vec<Event>) -> RecordSchemas {
    let schemas = RecordSchemas::new(describe);
    if !schemas.unknown_types.is_empty() {
        let fields = schemas.unknown_types.iter().map(|t| format!("{}: {}", t.field, t.field_type));
        events.push(Event::UnknownTypes { fields: fields.take(NAMED_FIELDS_MAX).collect() });
    }
    schemas
}

/// A field that the object has no longer stays, as one that is null: consumers know it.
fn refreshed(prepared: Prepared, mut now: Describe, events: &mut Vec<Event>) -> (Prepared, RecordSchemas) {
    let is_gone = |field: &DescribeField| now.fields.iter().all(|other| other.name != field.name);
    let gone: Vec<DescribeField> = prepared.describe.fields.iter().filter(|field| is_gone(field)).cloned().collect();
    now.fields.extend(gone);
    let schemas = schemas(&now, events);
    (Prepared { describe: now, ..prepared }, schemas)
}

fn find(response: &Response, name: &str) -> Result<Option<PushTopic>, Verdict> {
    rest::check(response, "the query for the PushTopic")?;
    PushTopic::find(&response.body, name).map_err(|error| match error {
        PushTopicError::Unreadable { .. } => Verdict::Retry(Cause::new("RESPONSE_BROKEN", error.to_string()), 0),
        error => unusable(&error),
    })
}

fn unusable(error: &PushTopicError) -> Verdict {
    let code = match error {
        PushTopicError::Inactive { .. } => "PUSH_TOPIC_INACTIVE",
        PushTopicError::OtherObject { .. } => "PUSH_TOPIC_OTHER_OBJECT",
        PushTopicError::QueryTooLong { .. } => "PUSH_TOPIC_QUERY_TOO_LONG",
        _ => "PUSH_TOPIC_UNUSABLE",
    };
    Verdict::Fail(Failure::new(FailureKind::Config, code, capitalised(&error.to_string())))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn missing(name: &str) -> Failure {
    let message = format!(
        "There is no PushTopic {} that this user may see. Check salesforce.push.topic.name, or set salesforce.push.topic.create=true",
        excerpt(name, push_topic::NAME_CHARS_MAX)
    );
    Failure::new(FailureKind::Config, "PUSH_TOPIC_NOT_FOUND", message)
}

/// Why the subscription was refused, after a look at the PushTopic.
fn checked(cause: &Cause, config: &SourceConfig, response: &Response) -> Result<Failure, Verdict> {
    let Some(topic) = find(response, &config.push_topic_name)? else {
        return Ok(missing(&config.push_topic_name));
    };
    if !topic.is_active {
        let error = PushTopicError::Inactive { name: topic.name };
        return Ok(Failure::new(FailureKind::Config, "PUSH_TOPIC_INACTIVE", capitalised(&error.to_string())));
    }
    let message = format!(
        "{}. The PushTopic is there and active; give the user read access to PushTopic and to every field of its query",
        cause.message
    );
    Ok(Failure::new(FailureKind::Auth, cause.code.clone(), message))
}

fn some(names: &[String]) -> Vec<String> {
    names.iter().take(NAMED_FIELDS_MAX).cloned().collect()
}
