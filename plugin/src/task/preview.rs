//! `convert`: records of events that a person gives, as `poll` would make them, without an org. For trying transforms out.

use serde_json::value::RawValue;

use super::{ProducerRecord, pipeline::Pipeline};
use crate::{
    config::SourceConfig,
    converters::{Converter, JsonConverter, JsonOptions},
    error::{Failure, FailureKind},
    salesforce::{describe::Describe, event::Event, guess, schema::RecordSchemas},
};

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Its record.
    Record(ProducerRecord),
    /// A transform dropped it.
    Dropped,
    /// It cannot be turned into a record.
    Failed(String),
}

/// Converts events. `described` is the org's describe of the object, as the REST API answers; without it, types are
/// guessed from the events.
///
/// # Errors
/// `config` when the describe cannot be used, or does not fit the configuration.
pub fn convert(
    config: &SourceConfig,
    described: Option<&[u8]>,
    events: &[String],
    wall_ms: i64,
) -> Result<Vec<Conversion>, Failure> {
    let refused = |code: &str, message: String| Failure::new(FailureKind::Config, code, message);
    let texts: Vec<&str> = events.iter().map(|event| data(event)).collect();
    let parsed: Vec<_> = texts.iter().map(|text| Event::parse(text)).collect();
    let describe = match described {
        Some(body) => Describe::parse(body).map_err(|error| refused("DESCRIBE_UNUSABLE", error.to_string()))?,
        None => guess::describe(&config.object, &parsed.iter().flatten().cloned().collect::<Vec<_>>()),
    };
    let schemas = RecordSchemas::new(&describe);
    if let Err(error) = config.topic.check(&schemas.value) {
        let message = format!("kafka.topic cannot be used for {}: {error}", describe.name);
        return Err(refused("TOPIC_TEMPLATE", message));
    }
    let config = without_registry(config);
    let mut pipeline = Pipeline::new(&config, &describe.name, schemas);
    pipeline.set_time(wall_ms);
    let conversion = |event: Result<Event<'_>, _>| match event {
        Err(error) => Conversion::Failed(format!("The event cannot be read: {error}")),
        Ok(event) => match pipeline.record(&event) {
            Ok(Some(record)) => Conversion::Record(record),
            Ok(None) => Conversion::Dropped,
            Err(rejected) => Conversion::Failed(rejected.sentence(Some(event.replay_id))),
        },
    };
    Ok(parsed.into_iter().map(conversion).collect())
}

/// What a schema registry is part of is shown as JSON: without asking the registry there is no id, and a person could not
/// read the bytes.
fn without_registry(config: &SourceConfig) -> SourceConfig {
    let mut config = config.clone();
    for side in [&mut config.key, &mut config.value] {
        if side.registry.take().is_some() {
            side.converter = Converter::Json(JsonConverter::new(JsonOptions::default()));
        }
    }
    config
}

/// The `data` of a whole message, or the text itself.
fn data(text: &str) -> &str {
    #[derive(serde::Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    serde_json::from_str::<Message<'_>>(text).map_or(text, |message| message.data.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::validate;

    fn config(more: &[(&str, &str)]) -> SourceConfig {
        let given: Vec<_> = [
            ("kafka.topic", "leads.${Status}"),
            ("salesforce.username", "u"),
            ("salesforce.password", "p"),
            ("salesforce.consumer.key", "k"),
            ("salesforce.object", "Lead"),
            ("salesforce.push.topic.name", "Leads"),
        ]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        validate::parse(&given).expect("valid")
    }

    #[test]
    fn a_format_of_a_registry_is_shown_as_json() {
        let config =
            config(&[("output.data.format", "AVRO"), ("value.converter.schema.registry.url", "http://127.0.0.1:8081")]);
        let event = r#"{"event":{"replayId":1,"type":"created"},"sobject":{"Id":"1","Status":"Open"}}"#;
        let made = convert(&config, None, &[event.to_owned()], 0).expect("it fits");
        let Conversion::Record(record) = &made[0] else { panic!("{made:?}") };
        let value = r#"{"Id":"1","Status":"Open","_ObjectType":"Lead","_EventType":"created"}"#;
        assert_eq!(record.value.as_deref(), Some(value.as_bytes()));
    }

    #[test]
    fn events_become_records_without_an_org() {
        let config = config(&[
            ("transforms", "open"),
            ("transforms.open.type", "Filter$Value"),
            ("transforms.open.filter.type", "include"),
            ("transforms.open.filter.condition", "$[?(@.Amount > 1)]"),
        ]);
        let event = |id: &str, amount: &str| {
            format!(
                r#"{{"event":{{"replayId":1,"type":"created"}},"sobject":{{{id}"Status":"Open","Amount":{amount}}}}}"#
            )
        };
        let events = [
            event(r#""Id":"1","#, "5"),
            format!(r#"{{"channel":"/topic/Leads","data":{}}}"#, event(r#""Id":"2","#, "1")),
            event("", "5"),
            "no JSON".into(),
        ];
        let made = convert(&config, None, &events, 0).expect("it fits");
        let Conversion::Record(record) = &made[0] else { panic!("{made:?}") };
        assert_eq!(record.topic, "leads.Open");
        let value = r#"{"Id":"1","Status":"Open","Amount":5.0,"_ObjectType":"Lead","_EventType":"created"}"#;
        assert_eq!(record.value.as_deref(), Some(value.as_bytes()));
        assert_eq!(made[1], Conversion::Dropped);
        assert!(matches!(&made[2], Conversion::Failed(reason) if reason.contains("no Id")), "{made:?}");
        assert!(matches!(&made[3], Conversion::Failed(reason) if reason.contains("cannot be read")), "{made:?}");
        let describe = br#"{"name":"Lead","fields":[{"name":"Id","type":"id"}]}"#;
        let failure = convert(&config, Some(describe), &events, 0).expect_err("no Status");
        assert!(failure.message.contains("Status"), "{}", failure.message);
    }
}
