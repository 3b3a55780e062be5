//! What each answer of the preflight says: its checks, and what to ask next. An `Err` is a check after which nothing else
//! can be asked.

use serde::Deserialize;

use super::{Check, Preflight, Stage};
use crate::{
    config::Version,
    error::{Verdict, excerpt},
    http::Response,
    oauth::token,
    salesforce::{
        describe::Describe,
        limits::{self, Limit},
        push_topic::{PushTopic, PushTopicError, QUERY_CHARS_MAX},
        push_topic_plan::QueryPlan,
        rest,
        schema::RecordSchemas,
        supported, versions,
    },
    time::{Now, parse_http_date},
};

/// A clock that is wrong by more than this, in milliseconds, is worth a warning.
pub(super) const CLOCK_SKEW_MAX_MS: i64 = 60_000;
/// An allowance of which less than this share is left, in hundredths, is worth a warning.
const ALLOWANCE_LOW_PERCENT: u64 = 10;
/// The first API version whose streaming endpoint replays events.
const REPLAY_VERSION_MIN: (u32, u32) = (37, 0);

/// Compares this machine's clock with the server's, as far as its seconds and the way there allow.
pub(super) fn clock(asked: Now, now: Now, response: &Response) -> Option<Check> {
    let server_ms = parse_http_date(response.header("date")?)?;
    let ours_ms = asked.wall_ms + (now.wall_ms - asked.wall_ms) / 2;
    // The server cuts its time to seconds: half of one is the best guess.
    let ahead_ms = ours_ms - (server_ms + 500);
    let way = if ahead_ms > 0 { "ahead of" } else { "behind" };
    if ahead_ms.abs() <= CLOCK_SKEW_MAX_MS {
        return Some(Check::pass(
            "clock",
            format!("This machine's clock is within {} s of Salesforce's", CLOCK_SKEW_MAX_MS / 1_000),
        ));
    }
    let message = format!("This machine's clock is {} s {way} Salesforce's", ahead_ms.abs() / 1_000);
    Some(Check::warn(
        "clock",
        message,
        "Set the clock, with NTP for example: certificates and signed logins depend on it.",
    ))
}

#[derive(Deserialize)]
struct Rights {
    #[serde(default)]
    createable: bool,
}

impl Preflight {
    /// Reads the answer to the stage's request.
    pub(super) fn read(&mut self, stage: Stage, response: &Response) -> Result<(), Check> {
        let name = stage.check();
        let of_verdict = |verdict| Check::of_verdict(name, verdict);
        match stage {
            Stage::Login => {
                let token = token::read(response, &self.config.login_origin).map_err(of_verdict)?;
                self.checks.push(Check::pass(name, format!("Logged in; the instance is {}", token.instance_url)));
                self.token = Some(token);
                self.stage = Stage::Versions;
            }
            Stage::Versions => {
                rest::check(response, "the question for API versions").map_err(of_verdict)?;
                let Some(offered) = versions::parse(&response.body) else {
                    return Err(of_verdict(rest::not_json(response, "the question for API versions")));
                };
                self.version(&offered)?;
                self.stage = Stage::Describe;
            }
            Stage::Describe => {
                self.object(response)?;
                self.stage = Stage::PushTopic;
            }
            Stage::PushTopic => self.push_topic(response)?,
            Stage::PushTopicRights => {
                self.stage = Stage::Limits;
                self.push_topic_rights(response);
            }
            Stage::Limits | Stage::Done => self.limits(response),
        }
        Ok(())
    }

    fn version(&mut self, offered: &[String]) -> Result<(), Check> {
        const NAME: &str = "api-version";
        let newest = offered.last().map_or("", String::as_str);
        if self.config.version == Version::Latest {
            newest.clone_into(&mut self.version);
            self.checks.push(Check::pass(NAME, format!("API version {newest}, the newest that the org offers")));
            return Ok(());
        }
        let remedy = format!("Set salesforce.version to latest, or to a version up to {newest}.");
        if !offered.contains(&self.version) {
            return Err(Check::fail(NAME, format!("The org does not offer API version {}", self.version), remedy));
        }
        if versions::number(&self.version).is_some_and(|version| version < REPLAY_VERSION_MIN) {
            let message = format!("API version {} has no replay, without which events would be lost", self.version);
            return Err(Check::fail(NAME, message, remedy));
        }
        self.checks.push(Check::pass(NAME, format!("API version {} of those up to {newest}", self.version)));
        Ok(())
    }

    fn object(&mut self, response: &Response) -> Result<(), Check> {
        const NAME: &str = "object";
        let object = &self.config.object;
        if response.status == 404 {
            let message = format!("There is no object {object} that this user may see");
            let remedy = "Check salesforce.object (the API name: a custom object ends in __c) and the user's rights.";
            return Err(Check::fail(NAME, message, remedy));
        }
        let what = format!("the describe of {object}");
        rest::check(response, &what).map_err(|verdict| Check::of_verdict(NAME, verdict))?;
        let describe = Describe::parse(&response.body)
            .map_err(|error| Check::fail(NAME, format!("Salesforce's answer to {what} cannot be used: {error}"), ""))?;
        let found = format!("{} can be read and has {} fields", describe.name, describe.fields.len());
        self.checks.push(if supported::is_documented(&describe.name) {
            Check::pass(NAME, found)
        } else {
            let message = format!("{found}, but Salesforce's guide does not list it among the objects of PushTopics");
            Check::warn(NAME, message, "A PushTopic on it will most likely be refused.")
        });
        if let Err(error) = self.config.topic.check(&RecordSchemas::new(&describe).value) {
            let message = format!("kafka.topic cannot be used for {}: {error}", describe.name);
            self.checks.push(Check::fail("topic-name", message, "Correct the placeholders in kafka.topic."));
        }
        self.topics(&describe.name);
        self.describe = Some(describe);
        Ok(())
    }

    /// The topics to which records will go, where their names can be told beforehand.
    fn topics(&mut self, object: &str) {
        let notify = self.config.notify;
        let kinds = [
            ("created", notify.create),
            ("updated", notify.update),
            ("deleted", notify.delete),
            ("undeleted", notify.undelete),
        ];
        let kinds: Vec<String> = kinds.iter().filter(|(_, told)| *told).map(|(kind, _)| (*kind).to_owned()).collect();
        let known = self.config.topic.topics(|field| match field {
            "_ObjectType" => Some(vec![object.to_owned()]),
            "_EventType" => Some(kinds.clone()),
            _ => None,
        });
        match known {
            Some(topics) => self.topics.extend(topics),
            None => self.checks.push(Check::warn(
                "topic-name",
                "kafka.topic has placeholders for fields of the records, so its topics cannot be told beforehand",
                "Make sure that every topic that can come out exists or may be created.",
            )),
        }
    }

    fn push_topic(&mut self, response: &Response) -> Result<(), Check> {
        const NAME: &str = "push-topic";
        let name = self.config.push_topic_name.clone();
        if response.status == 400 && String::from_utf8_lossy(&response.body).contains("INVALID_TYPE") {
            let remedy = "Give the user read access to the object PushTopic, in a permission set for example.";
            return Err(Check::fail(NAME, "This user may not see PushTopics", remedy));
        }
        rest::check(response, "the query for the PushTopic").map_err(|verdict| Check::of_verdict(NAME, verdict))?;
        self.stage = Stage::Limits;
        let found = PushTopic::find(&response.body, &name).map_err(|error| unusable(&error));
        match (found, &self.describe) {
            (Err(check), _) => self.checks.push(check),
            (Ok(Some(topic)), Some(describe)) => {
                let plan = QueryPlan::new(describe).ok().filter(|_| self.config.push_topic_create);
                self.checks.push(match topic.check(&describe.name, self.config.notify, plan.as_ref()) {
                    Err(error) => unusable(&error),
                    Ok(differences) if differences.is_empty() => {
                        Check::pass(NAME, format!("The PushTopic {name} ({}) is there and active", topic.id))
                    }
                    Ok(differences) => {
                        let listed: Vec<String> = differences.iter().map(ToString::to_string).collect();
                        let message =
                            format!("The PushTopic {name} differs from the configuration: {}", listed.join("; "));
                        Check::warn(
                            NAME,
                            message,
                            "It is used as it is; change it in the org, or delete it to have it made anew.",
                        )
                    }
                });
            }
            (Ok(_), _) if !self.config.push_topic_create => {
                let remedy = "Check salesforce.push.topic.name, or set salesforce.push.topic.create=true.";
                let message = format!("There is no PushTopic {} that this user may see", excerpt(&name, 25));
                self.checks.push(Check::fail(NAME, message, remedy));
            }
            (Ok(_), _) => self.stage = Stage::PushTopicRights,
        }
        Ok(())
    }

    /// There is no PushTopic, and the connector would make one.
    fn push_topic_rights(&mut self, response: &Response) {
        const NAME: &str = "push-topic";
        let Some(describe) = &self.describe else { return };
        let planned = QueryPlan::new(describe).and_then(|plan| {
            plan.create_body(&self.config.push_topic_name, &self.version, self.config.notify).map(|_| plan)
        });
        let may = rest::check(response, "the describe of PushTopic")
            .map(|()| serde_json::from_slice::<Rights>(&response.body).is_ok_and(|rights| rights.createable));
        self.checks.push(match (planned, may) {
            (Err(error), _) => unusable(&error),
            (_, Err(verdict @ (Verdict::Retry(..) | Verdict::Throttled(_) | Verdict::Reauthenticate(_)))) => {
                Check::of_verdict(NAME, verdict)
            }
            (_, Err(_) | Ok(false)) => Check::fail(
                NAME,
                format!("There is no PushTopic {}, and this user may not create one", self.config.push_topic_name),
                "Give the user the right to create PushTopics, or make it by hand and set salesforce.push.topic.create=false.",
            ),
            (Ok(plan), Ok(true)) => Check::pass(
                NAME,
                format!(
                    "There is no PushTopic {} yet; it will be created with {} fields, a query of {} characters of at most \
                     {QUERY_CHARS_MAX}",
                    self.config.push_topic_name,
                    plan.fields.len(),
                    plan.query.len()
                ),
            ),
        });
    }

    fn limits(&mut self, response: &Response) {
        let limits = rest::check(response, "the question for the org's limits").ok();
        let Some(limits) = limits.and_then(|()| limits::parse(&response.body)) else {
            let message = format!("Salesforce did not tell the org's limits (HTTP {})", response.status);
            let remedy = "Give the user the right View Setup and Configuration to have them checked.";
            self.checks.push(Check::warn("limits", message, remedy));
            return;
        };
        for (name, what, limit) in [
            ("api-requests", "REST calls of today's", limits.api_requests),
            ("events", "event deliveries of today's", limits.events),
            ("streaming-clients", "streaming clients of", limits.clients),
        ] {
            self.checks.extend(limit.map(|limit| allowance(name, what, limit)));
        }
    }
}

fn allowance(name: &'static str, what: &str, Limit { max, remaining }: Limit) -> Check {
    let message = format!("{remaining} {what} {max} are left");
    let remedy = "Find out what uses it up (Setup > Company Information), or ask Salesforce for more.";
    if remaining == 0 {
        Check::fail(name, message, remedy)
    } else if remaining.saturating_mul(100) < max.saturating_mul(ALLOWANCE_LOW_PERCENT) {
        Check::warn(name, message, remedy)
    } else {
        Check::pass(name, message)
    }
}

/// A PushTopic's error says what is wrong and, behind a colon, what to do.
fn unusable(error: &PushTopicError) -> Check {
    let text = error.to_string();
    let (message, remedy) = text.rsplit_once(": ").unwrap_or((&text, ""));
    let capital = |text: &str| {
        let mut chars = text.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect::<String>())
    };
    let remedy = if remedy.is_empty() { String::new() } else { format!("{}.", capital(remedy)) };
    Check::fail("push-topic", capital(message), remedy)
}
