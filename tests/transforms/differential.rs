//! One case: a chain and a record, through ours and theirs.

use salesforce_pushtopic::{
    config::validate,
    converters::{JsonConverter, simple_header},
    data::{SourceRecord, Value},
    transforms::{Chain, chain::Context},
};
use serde_json::{Value as Json, json};

use crate::{
    envelope::{self, envelope},
    java::Java,
};

/// A transform of a chain, with its predicate.
#[derive(Clone, Debug)]
pub(crate) struct StageCase {
    /// The class in Java.
    pub(crate) class: String,
    pub(crate) options: Vec<(String, String)>,
    pub(crate) predicate: Option<PredicateCase>,
}

#[derive(Clone, Debug)]
pub(crate) struct PredicateCase {
    pub(crate) class: String,
    pub(crate) options: Vec<(String, String)>,
    pub(crate) negate: bool,
}

impl StageCase {
    pub(crate) fn new(class: &str, options: &[(&str, &str)]) -> Self {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { class: format!("org.apache.kafka.connect.transforms.{class}"), options, predicate: None }
    }
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Record(Json),
    Dropped,
    Failed(String),
}

/// Compares; gives back what both made of it, or in what they differ.
pub(crate) fn compare(java: &mut Java, stages: &[StageCase], record: &SourceRecord) -> Result<Outcome, String> {
    let mut ours = ours(stages, record.clone());
    let mut theirs = theirs(java, stages, record);
    if !java.writes_like_ours() {
        forget_spelling(&mut ours);
        forget_spelling(&mut theirs);
    }
    match (&ours, &theirs) {
        (Outcome::Failed(_), Outcome::Failed(_)) => Ok(ours),
        (one, other) if one == other => Ok(ours),
        _ => {
            let record = envelope::record(record);
            Err(format!("chain  {stages:?}\nrecord {record}\nours   {ours:?}\ntheirs {theirs:?}\n"))
        }
    }
}

/// Takes away what an older JDK writes in another way: the order of copied maps, and digits of floating-point numbers that
/// read back alike.
fn forget_spelling(outcome: &mut Outcome) {
    fn rounded(json: &mut Json) {
        let number = match json {
            Json::Array(items) => return items.iter_mut().for_each(rounded),
            Json::Object(members) => return members.values_mut().for_each(rounded),
            Json::String(text) if text.contains('.') => text.parse::<f32>().ok(),
            Json::Number(number) if number.is_f64() => number.as_f64().map(|number| number as f32),
            _ => None,
        };
        if let Some(number) = number {
            *json = number.to_string().into();
        }
    }
    if let Outcome::Record(record) = outcome {
        record["keyJson"] = Json::Null;
        record["valueJson"] = Json::Null;
        rounded(record);
    }
}

/// Differences, the first of which are shown together.
#[derive(Default)]
pub(crate) struct Differences(Vec<String>);

impl Differences {
    /// Differences that are shown; a test with so many need not go on.
    const SHOWN_MAX: usize = 8;

    pub(crate) fn push(&mut self, difference: String) {
        self.0.push(difference);
        if self.0.len() == Self::SHOWN_MAX {
            self.check();
        }
    }

    /// Equality of one thing.
    pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(&mut self, ours: &T, theirs: &T, what: &str) {
        if ours != theirs {
            self.push(format!("{what}\nours   {ours:?}\ntheirs {theirs:?}\n"));
        }
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        assert!(self.0.is_empty(), "ours and theirs differ:\n{}", self.0.join("\n"));
    }
}

fn theirs(java: &mut Java, stages: &[StageCase], record: &SourceRecord) -> Outcome {
    let config = |options: &[(String, String)]| -> Json {
        Json::Object(options.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect())
    };
    let stages: Vec<Json> = stages
        .iter()
        .map(|stage| {
            let predicate = stage.predicate.as_ref();
            json!({
                "type": stage.class,
                "config": config(&stage.options),
                "predicate": predicate.map(|p| json!({"type": p.class, "config": config(&p.options)})),
                "negate": predicate.is_some_and(|predicate| predicate.negate),
            })
        })
        .collect();
    let mut answer = java.ask(&json!({"op": "apply", "stages": stages, "record": envelope::record(record)}));
    if let Some(error) = answer.get("error") {
        return Outcome::Failed(error.as_str().unwrap_or_default().to_owned());
    }
    if answer.get("dropped").is_some() {
        return Outcome::Dropped;
    }
    Outcome::Record(answer["record"].take())
}

/// The chain that a configuration makes.
pub(crate) fn chain(stages: &[StageCase]) -> Result<Chain, String> {
    let mut config: Vec<(String, String)> = [
        ("kafka.topic", "leads"),
        ("salesforce.username", "u"),
        ("salesforce.password", "p"),
        ("salesforce.consumer.key", "k"),
        ("salesforce.object", "Lead"),
        ("salesforce.push.topic.name", "Leads"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let mut put = |name: String, value: &str| config.push((name, value.to_owned()));
    let aliases: Vec<String> = (0..stages.len()).map(|n| format!("t{n}")).collect();
    put("transforms".into(), &aliases.join(","));
    let mut predicates = Vec::new();
    for (alias, stage) in aliases.iter().zip(stages) {
        put(format!("transforms.{alias}.type"), &stage.class);
        for (name, value) in &stage.options {
            put(format!("transforms.{alias}.{name}"), value);
        }
        if let Some(predicate) = &stage.predicate {
            put(format!("transforms.{alias}.predicate"), alias);
            put(format!("transforms.{alias}.negate"), if predicate.negate { "true" } else { "false" });
            put(format!("predicates.{alias}.type"), &predicate.class);
            for (name, value) in &predicate.options {
                put(format!("predicates.{alias}.{name}"), value);
            }
            predicates.push(alias.clone());
        }
    }
    put("predicates".into(), &predicates.join(","));
    validate::parse(&config).map(|config| config.chain).map_err(|failure| failure.message)
}

fn ours(stages: &[StageCase], record: SourceRecord) -> Outcome {
    let failed = |error: &dyn std::fmt::Display| Outcome::Failed(error.to_string());
    let mut chain = match chain(stages) {
        Ok(chain) => chain,
        Err(error) => return failed(&error),
    };
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let mut context = Context { now_ms: now_ms.as_millis() as i64, notes: Vec::new() };
    let record = match chain.apply(record, &mut context) {
        Ok(Some(record)) => record,
        Ok(None) => return Outcome::Dropped,
        Err(error) => return failed(&error),
    };
    let sides = [(&record.key_schema, &record.key), (&record.value_schema, &record.value)];
    let mut written = Vec::new();
    for (schema, value) in sides {
        if let Some(schema) = schema
            && let Err(misfit) = schema.check(value)
        {
            return failed(&misfit);
        }
        match JsonConverter::default().convert(&record.topic, schema.as_deref(), value) {
            Ok(bytes) => written.push(bytes.map(|bytes| String::from_utf8(bytes).expect("JSON is UTF-8"))),
            Err(error) => return failed(&error),
        }
    }
    let tombstone = |schema: &Option<_>, value: &Value| schema.is_none() && value.is_null();
    let side = |(schema, value): (&Option<std::sync::Arc<_>>, &Value)| {
        if tombstone(schema, value) { Json::Null } else { envelope(schema.as_deref(), value) }
    };
    let headers = record.headers.iter().map(|header| {
        let (key, text) = simple_header::convert(header);
        json!({"key": key, "text": text.map(|text| String::from_utf8(text).expect("headers are UTF-8"))})
    });
    Outcome::Record(json!({
        "topic": record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp_ms,
        "key": side(sides[0]),
        "value": side(sides[1]),
        "keyJson": written[0],
        "valueJson": written[1],
        "headers": headers.collect::<Vec<_>>(),
    }))
}
