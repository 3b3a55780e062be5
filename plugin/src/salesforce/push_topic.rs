//! The PushTopic document (Streaming API Developer Guide, "PushTopic"): its rules, the query that finds one by name, and
//! the check of one that is there. How one is made is in `push_topic_plan`.

use serde::Deserialize;

use super::{
    push_topic_plan::{NOTIFY_FOR_FIELDS, QueryPlan},
    push_topic_query::ParsedQuery,
    soql::{self, SoqlError},
};

/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 25;
/// The longest query, in characters.
pub const QUERY_CHARS_MAX: usize = 1_300;
/// `ApiVersion` must be above this.
pub(super) const API_VERSION_ABOVE: f64 = 20.0;
/// How many names a list in a message shows.
const NAMES_SHOWN_MAX: usize = 10;

/// Why a PushTopic cannot be used or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushTopicError {
    /// No name.
    #[error("salesforce.push.topic.name is empty")]
    NameEmpty,
    /// A name beyond `NAME_CHARS_MAX`.
    #[error(
        "salesforce.push.topic.name {name:?} has {chars} characters; Salesforce allows at most {NAME_CHARS_MAX}: choose a \
         shorter name"
    )]
    NameTooLong {
        /// The name.
        name: String,
        /// Its length in characters.
        chars: usize,
    },
    /// A character that a channel's name cannot have.
    #[error(
        "salesforce.push.topic.name {name:?} holds {character:?}, which the name of a channel cannot have: use letters, \
         digits, '_' and '-'"
    )]
    NameCharacter {
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
    /// Salesforce has the name in other letters; channels are told apart by case.
    #[error(
        "there is no PushTopic {wanted:?}, but there is {found:?}: set salesforce.push.topic.name to the name exactly as \
         Salesforce has it"
    )]
    NameCase {
        /// The name that was asked for.
        wanted: String,
        /// The name that is there.
        found: String,
    },
    /// The query would pass `QUERY_CHARS_MAX`.
    #[error(
        "a PushTopic with the {fields} usable fields of {object} would need a query of {chars} characters; Salesforce \
         allows at most {QUERY_CHARS_MAX}: make the PushTopic by hand with the fields wanted and set \
         salesforce.push.topic.create=false"
    )]
    QueryTooLong {
        /// The object.
        object: String,
        /// How many fields there are.
        fields: usize,
        /// Characters of the query.
        chars: usize,
    },
    /// No field but Id is left, so that there would be nothing to watch.
    #[error("no field of {object} beside Id can be selected by a PushTopic")]
    NothingToSelect {
        /// The object.
        object: String,
    },
    /// A name that cannot be part of a query.
    #[error(transparent)]
    Soql(#[from] SoqlError),
    /// An API version that PushTopics do not take.
    #[error(
        "API version {version:?} cannot be the version of a PushTopic: it must be a number above {API_VERSION_ABOVE}"
    )]
    ApiVersion {
        /// The version.
        version: String,
    },
    /// The answer to the query cannot be read.
    #[error("Salesforce's answer to the query for the PushTopic is not readable (line {line}, column {column})")]
    Unreadable {
        /// 1 for the first line.
        line: usize,
        /// 1 for the first column.
        column: usize,
    },
    /// The topic is deactivated.
    #[error("the PushTopic {name} is not active, so it sends nothing: set its IsActive to true")]
    Inactive {
        /// The topic's name.
        name: String,
    },
    /// The topic is about another object.
    #[error(
        "the PushTopic {name} is about {found}, but salesforce.object is {wanted}: correct salesforce.object or \
         salesforce.push.topic.name"
    )]
    OtherObject {
        /// The topic's name.
        name: String,
        /// The object of its query.
        found: String,
        /// The configured object.
        wanted: String,
    },
    /// The topic's query is not understood.
    #[error("the query of the PushTopic {name} has no recognisable SELECT ... FROM ...")]
    Query {
        /// The topic's name.
        name: String,
    },
}

/// A PushTopic as a query answers it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PushTopic {
    /// Its record id, `0IF...`. A topic that was deleted and made again has another one, and other replay ids.
    pub id: String,
    /// Its name; the channel is `/topic/<name>`.
    pub name: String,
    /// Its SOQL query.
    pub query: String,
    /// The API version that it was made for.
    pub api_version: f64,
    /// Which fields are watched: `Referenced`, `Select`, `Where`, `All`.
    #[serde(default)]
    pub notify_for_fields: Option<String>,
    /// Which operations are told of.
    #[serde(flatten)]
    pub notify: Notify,
    /// Whether it sends anything.
    #[serde(default = "yes")]
    pub is_active: bool,
}

/// Which operations a PushTopic tells of: `salesforce.push.topic.notify.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Notify {
    /// Records created.
    #[serde(rename = "NotifyForOperationCreate", default = "yes")]
    pub create: bool,
    /// Records changed.
    #[serde(rename = "NotifyForOperationUpdate", default = "yes")]
    pub update: bool,
    /// Records deleted.
    #[serde(rename = "NotifyForOperationDelete", default = "yes")]
    pub delete: bool,
    /// Records brought back.
    #[serde(rename = "NotifyForOperationUndelete", default = "yes")]
    pub undelete: bool,
}

/// The default of all those flags.
fn yes() -> bool {
    true
}

/// Checks a name against Salesforce's bound and the characters of a channel (Bayeux specification, "channel segment").
///
/// # Errors
/// `PushTopicError::Name...` says which rule it breaks.
pub fn check_name(name: &str) -> Result<(), PushTopicError> {
    if name.is_empty() {
        return Err(PushTopicError::NameEmpty);
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_!~()$@".contains(character);
    if let Some(character) = name.chars().find(|&character| !allowed(character)) {
        return Err(PushTopicError::NameCharacter { name: name.to_owned(), character });
    }
    let chars = name.chars().count();
    if chars > NAME_CHARS_MAX {
        return Err(PushTopicError::NameTooLong { name: name.to_owned(), chars });
    }
    Ok(())
}

/// The SOQL query that finds a PushTopic by its name.
#[must_use]
pub fn find_query(name: &str) -> String {
    format!(
        "SELECT Id, Name, Query, ApiVersion, NotifyForFields, NotifyForOperationCreate, NotifyForOperationUpdate, \
         NotifyForOperationDelete, NotifyForOperationUndelete, IsActive FROM PushTopic WHERE Name = {}",
        soql::quote(name)
    )
}

impl PushTopic {
    /// Reads the answer to `find_query`: the topic of exactly that name, or none.
    ///
    /// # Errors
    /// `Unreadable`, or `NameCase` when the only match differs by case (SOQL compares without regard to it).
    pub fn find(body: &[u8], name: &str) -> Result<Option<Self>, PushTopicError> {
        #[derive(Deserialize)]
        struct Answer {
            records: Vec<PushTopic>,
        }
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|error| PushTopicError::Unreadable { line: error.line(), column: error.column() })?;
        let mut other_case = None;
        for topic in answer.records {
            if topic.name == name {
                return Ok(Some(topic));
            }
            if topic.name.eq_ignore_ascii_case(name) {
                other_case = Some(topic.name);
            }
        }
        match other_case {
            Some(found) => Err(PushTopicError::NameCase { wanted: name.to_owned(), found }),
            None => Ok(None),
        }
    }

    /// Checks a topic that is there against what the connector would have made. What differs but works is returned, for
    /// a warning; `plan` is none when the fields are the user's own choice (`salesforce.push.topic.create=false`) or when
    /// there is no plan.
    ///
    /// # Errors
    /// `Inactive`, `OtherObject` or `Query` when the topic cannot serve.
    pub fn check(
        &self,
        object: &str,
        notify: Notify,
        plan: Option<&QueryPlan>,
    ) -> Result<Vec<Difference>, PushTopicError> {
        if !self.is_active {
            return Err(PushTopicError::Inactive { name: self.name.clone() });
        }
        let query = ParsedQuery::parse(&self.query).ok_or_else(|| PushTopicError::Query { name: self.name.clone() })?;
        if !query.object.eq_ignore_ascii_case(object) {
            let (name, found, wanted) = (self.name.clone(), query.object.to_owned(), object.to_owned());
            return Err(PushTopicError::OtherObject { name, found, wanted });
        }
        let mut differences = Vec::new();
        if let Some(plan) = plan {
            compare_query(&query, plan, &mut differences);
            if let Some(found) = self.notify_for_fields.as_ref().filter(|&found| found != NOTIFY_FOR_FIELDS) {
                differences.push(Difference::NotifyForFields(found.clone()));
            }
        }
        let flags = [
            ("create", notify.create, self.notify.create),
            ("update", notify.update, self.notify.update),
            ("delete", notify.delete, self.notify.delete),
            ("undelete", notify.undelete, self.notify.undelete),
        ];
        for (operation, wanted, found) in flags {
            if wanted != found {
                differences.push(Difference::Notify { operation, wanted, found });
            }
        }
        Ok(differences)
    }
}

/// What an existing PushTopic has otherwise than the connector would have made it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Fields that it does not select. They are null in every record.
    #[error("its query does not select {}; they are null in every record", listed(.0))]
    FieldsMissing(Vec<String>),
    /// What it selects and the plan does not.
    #[error("its query also selects {}", listed(.0))]
    FieldsBeyond(Vec<String>),
    /// Its query has a WHERE clause.
    #[error("its query has a WHERE clause, so that records which do not match send nothing")]
    Condition,
    /// It watches other fields than those that it selects.
    #[error("its NotifyForFields is {0}, where the connector would set {NOTIFY_FOR_FIELDS}")]
    NotifyForFields(String),
    /// A notify flag. Such flags take effect only when a topic is made.
    #[error("salesforce.push.topic.notify.{operation} is {wanted}, but the PushTopic has {found}")]
    Notify {
        /// `create`, `update`, `delete` or `undelete`.
        operation: &'static str,
        /// As configured.
        wanted: bool,
        /// As it is.
        found: bool,
    },
}

/// `a, b and 3 more`.
fn listed(names: &[String]) -> String {
    let shown = names.len().min(NAMES_SHOWN_MAX);
    let list = names[..shown].join(", ");
    match names.len() - shown {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

fn compare_query(query: &ParsedQuery<'_>, plan: &QueryPlan, differences: &mut Vec<Difference>) {
    let selects = |field: &str| query.fields.iter().any(|selected| selected.eq_ignore_ascii_case(field));
    let missing: Vec<String> = plan.fields.iter().filter(|field| !selects(field)).cloned().collect();
    if !missing.is_empty() {
        differences.push(Difference::FieldsMissing(missing));
    }
    let planned = |selected: &str| plan.fields.iter().any(|field| field.eq_ignore_ascii_case(selected));
    let beyond: Vec<String> =
        query.fields.iter().filter(|selected| !planned(selected)).map(|&selected| selected.to_owned()).collect();
    if !beyond.is_empty() {
        differences.push(Difference::FieldsBeyond(beyond));
    }
    if query.condition.is_some() {
        differences.push(Difference::Condition);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::describe::Describe;

    const ALL: Notify = Notify { create: true, update: true, delete: true, undelete: true };

    #[test]
    fn names_obey_salesforces_rules() {
        let longest = "a".repeat(NAME_CHARS_MAX);
        for name in ["Leads", "my_Leads-2", longest.as_str()] {
            assert_eq!(check_name(name), Ok(()));
        }
        let too_long = "a".repeat(NAME_CHARS_MAX + 1);
        let character = |name: &str, character| PushTopicError::NameCharacter { name: name.into(), character };
        let cases = [
            ("", PushTopicError::NameEmpty),
            ("a b", character("a b", ' ')),
            ("a/b", character("a/b", '/')),
            ("Zoë", character("Zoë", 'ë')),
            (&too_long, PushTopicError::NameTooLong { name: too_long.clone(), chars: 26 }),
        ];
        for (name, expected) in cases {
            assert_eq!(check_name(name), Err(expected));
        }
        assert!(find_query("o'neil").ends_with(r" FROM PushTopic WHERE Name = 'o\'neil'"));
    }

    fn answer(name: &str, query: &str, more: &str) -> String {
        let record = format!(
            r#"{{"attributes":{{"type":"PushTopic","url":"/services/data/v67.0/sobjects/PushTopic/0IF1"}},"Id":"0IF1",
               "Name":{},"Query":{},"ApiVersion":67.0{more}}}"#,
            json!(name),
            json!(query)
        );
        format!(r#"{{"totalSize":1,"done":true,"records":[{record}]}}"#)
    }

    #[test]
    fn finds_the_topic_of_exactly_that_name() {
        let body = answer(
            "Leads",
            "SELECT Id FROM Lead",
            r#","NotifyForOperationDelete":false,"IsActive":true,"NotifyForFields":"All""#,
        );
        let topic = PushTopic::find(body.as_bytes(), "Leads").unwrap().unwrap();
        assert_eq!((topic.id.as_str(), topic.query.as_str(), topic.is_active), ("0IF1", "SELECT Id FROM Lead", true));
        assert_eq!((topic.notify, topic.notify_for_fields.as_deref()), (Notify { delete: false, ..ALL }, Some("All")));
        assert!((topic.api_version - 67.0).abs() < f64::EPSILON);
        let name_case = PushTopicError::NameCase { wanted: "leads".into(), found: "Leads".into() };
        assert_eq!(PushTopic::find(body.as_bytes(), "leads"), Err(name_case));
        assert_eq!(PushTopic::find(body.as_bytes(), "Other"), Ok(None));
        assert_eq!(PushTopic::find(br#"{"totalSize":0,"done":true,"records":[]}"#, "Leads"), Ok(None));
        assert_eq!(PushTopic::find(b"<html>", "Leads"), Err(PushTopicError::Unreadable { line: 1, column: 1 }));
    }

    #[test]
    fn existing_topics_serve_differ_or_fail() {
        let describe = br#"{"name":"Lead","fields":[{"name":"Id"},{"name":"Name"},{"name":"City"}]}"#;
        let plan = QueryPlan::new(&Describe::parse(describe).unwrap()).unwrap();
        let check = |query: &str, more: &str, notify: Notify, plan: Option<&QueryPlan>| {
            let topic = PushTopic::find(answer("Leads", query, more).as_bytes(), "Leads").unwrap().unwrap();
            topic
                .check("Lead", notify, plan)
                .map_err(|error| error.to_string())
                .map(|differences| differences.iter().map(ToString::to_string).collect::<Vec<String>>())
        };
        let err = |text: &str| Err(text.to_owned());
        let ok = |texts: &[&str]| Ok(texts.iter().map(|&text| text.to_owned()).collect::<Vec<String>>());
        let cases = [
            (check("select name , CITY,id from lead", "", ALL, Some(&plan)), ok(&[])),
            (
                check("SELECT Id, Name, Fax FROM Lead WHERE City = 'Rome'", "", ALL, Some(&plan)),
                ok(&[
                    "its query does not select City; they are null in every record",
                    "its query also selects Fax",
                    "its query has a WHERE clause, so that records which do not match send nothing",
                ]),
            ),
            (check("SELECT Id FROM Lead", r#","NotifyForFields":"All""#, ALL, None), ok(&[])),
            (
                check("SELECT Id,Name,City FROM Lead", r#","NotifyForFields":"Where""#, ALL, Some(&plan)),
                ok(&["its NotifyForFields is Where, where the connector would set Referenced"]),
            ),
            (
                check(
                    "SELECT Id FROM Lead",
                    r#","NotifyForOperationUpdate":false"#,
                    Notify { undelete: false, ..ALL },
                    None,
                ),
                ok(&[
                    "salesforce.push.topic.notify.update is true, but the PushTopic has false",
                    "salesforce.push.topic.notify.undelete is false, but the PushTopic has true",
                ]),
            ),
            (
                check("SELECT Id FROM Account", "", ALL, None),
                err(
                    "the PushTopic Leads is about Account, but salesforce.object is Lead: correct salesforce.object or salesforce.push.topic.name",
                ),
            ),
            (
                check("SELECT Id FROM Lead", r#","IsActive":false"#, ALL, None),
                err("the PushTopic Leads is not active, so it sends nothing: set its IsActive to true"),
            ),
            (
                check("nonsense", "", ALL, None),
                err("the query of the PushTopic Leads has no recognisable SELECT ... FROM ..."),
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
        let many: Vec<String> = (0..12).map(|n| format!("F{n}")).collect();
        let shown = Difference::FieldsBeyond(many).to_string();
        assert!(shown.ends_with("F8, F9 and 2 more"), "{shown}");
    }
}
