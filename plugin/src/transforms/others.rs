//! Tests of the transforms that have no original to be held against: Confluent's, whose behaviour is what its documentation
//! says, the community's, and ours.

use std::sync::Arc;

use super::{
    chain::{Chain, Context, Stage},
    classes,
    definition::Build,
    options::Options,
};
use crate::data::{Field, Schema, SourceRecord, Struct, Value, logical, record::Header};

const NOW_MS: i64 = 1_795_000_000_000;

fn record() -> SourceRecord {
    let address = Arc::new(Schema::structure(vec![Field::new("City", Schema::string().optional())]).optional());
    let fields = vec![
        Field::new("Id", Schema::string()),
        Field::new("Status", Schema::string().optional()),
        Field::new("Amount", Schema::float64().optional()),
        Field::new("Created", logical::timestamp().optional()),
        Field::new("Day", Schema::string().optional()),
        Field::new("Score", logical::decimal(2).optional()),
        Field::new("Photo", Schema::bytes().optional()),
        Field::new("Address", Arc::clone(&address)),
        Field::new("_EventType", Schema::string().optional()),
        Field::new("Nothing", Schema::string().optional()),
    ];
    let schema = Arc::new(Schema::structure(fields).named("io.example.Lead"));
    let values = vec![
        "00Q1".into(),
        "Open".into(),
        Value::Float64(10.5),
        Value::Int64(1_539_874_413_777),
        "2019-08-06".into(),
        Value::Bytes(vec![0, 0x96]),
        Value::Bytes(b"text".to_vec()),
        Struct { schema: address, values: vec!["Rome".into()] }.into(),
        "deleted".into(),
        Value::Null,
    ];
    SourceRecord {
        topic: "dev_leads".into(),
        partition: None,
        key_schema: Some(Arc::new(Schema::string())),
        key: "the.key".into(),
        value_schema: Some(Arc::clone(&schema)),
        value: Struct { schema, values }.into(),
        headers: vec![Header { key: "to".into(), schema: None, value: "header-topic".into() }],
        timestamp_ms: Some(1),
    }
}

/// What the transform makes of the record; the notes behind it.
fn apply(
    class: &str,
    options: &[(&str, &str)],
    record: SourceRecord,
) -> (Result<Option<SourceRecord>, String>, Vec<String>) {
    let given: Vec<_> = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (class, form) = classes::find(class, false).expect("a transform");
    let options = Options::new(class.options, &given, 100);
    let mut found = options.check();
    let Build::Transform(build) = class.build else { panic!("a transform") };
    let built = if found.is_empty() { build(&options, form) } else { Err(found.remove(0)) };
    let transform = match built {
        Ok(transform) => transform,
        Err(error) => return (Err(error.message), Vec::new()),
    };
    let stage = Stage { alias: "a".into(), class: class.name.into(), transform, predicate: None, negate: false };
    let mut context = Context { now_ms: NOW_MS, notes: Vec::new() };
    let applied = Chain::new(vec![stage]).apply(record, &mut context).map_err(|error| error.to_string());
    (applied, context.notes)
}

/// A record in one line.
fn line(outcome: Result<Option<SourceRecord>, String>) -> String {
    match outcome {
        Err(error) => format!("error: {error}"),
        Ok(None) => "dropped".into(),
        Ok(Some(record)) => {
            for (schema, value) in [(&record.key_schema, &record.key), (&record.value_schema, &record.value)] {
                if let Some(schema) = schema.as_deref().filter(|schema| !value.is_null() || schema.optional) {
                    assert_eq!(schema.check(value), Ok(()));
                }
            }
            let schema = |schema: &Option<Arc<Schema>>| {
                schema
                    .as_ref()
                    .map_or("none".into(), |s| format!("{}{}", s.kind.name(), if s.optional { "?" } else { "" }))
            };
            format!(
                "{} key {} {} value {} {}",
                record.topic,
                schema(&record.key_schema),
                record.key.kind_name(),
                schema(&record.value_schema),
                record.value.kind_name()
            )
        }
    }
}

/// Class, options, and how the outcome begins.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], String);

const SAME: &str = "dev_leads key string string value struct struct";

#[test]
fn they_do_what_their_documentation_says() {
    let to = |topic: &str| SAME.replace("dev_leads", topic);
    let cases: &[Case<'_>] = &[
        ("Drop$Value", &[], "dev_leads key string string value none null".into()),
        ("Drop$Key", &[], "dev_leads key none null value struct struct".into()),
        ("Drop$Value", &[("schema.behavior", "retain")], "dev_leads key string string value struct null".into()),
        ("Drop$Value", &[("schema.behavior", "force_optional")], "dev_leads key string string value struct? null".into()),
        ("Drop$Value", &[("schema.behavior", "validate")], "error: transform a (io.confluent.connect.transforms.Drop): the schema is not optional".into()),
        ("ExtractTopic$Key", &[], to("the.key")),
        ("ExtractTopic$Value", &[("field", "Status")], to("Open")),
        ("ExtractTopic$Value", &[("field", "$.Address.City"), ("field.format", "JSON_PATH")], to("Rome")),
        ("ExtractTopic$Value", &[("field", "$[\"Address\"][\"City\"]"), ("field.format", "json_path")], to("Rome")),
        ("ExtractTopic$Value", &[("field", "Nothing")], "error: transform a (io.confluent.connect.transforms.ExtractTopic): what is to be the topic is missing or null".into()),
        ("ExtractTopic$Value", &[("field", "Nothing"), ("skip.missing.or.null", "true")], SAME.into()),
        ("ExtractTopic$Value", &[("field", "Missing"), ("skip.missing.or.null", "true")], SAME.into()),
        ("ExtractTopic$Value", &[("field", "Amount")], "error: transform a (io.confluent.connect.transforms.ExtractTopic): a topic must be a text, found float64".into()),
        ("ExtractTopic$Value", &[], "error: transform a (io.confluent.connect.transforms.ExtractTopic): a topic must be a text, found struct".into()),
        ("ExtractTopic$Header", &[("field", "to")], to("header-topic")),
        ("ExtractTopic$Header", &[], "error: {property} is missing".into()),
        ("ExtractTopic$Value", &[("field", "$.a["), ("field.format", "JSON_PATH")], "error: Invalid value $.a[ for configuration {property}: Invalid JSON path".into()),
        ("Filter$Value", &[("filter.condition", "$[?(@.Status == 'Open')]"), ("filter.type", "include")], SAME.into()),
        ("Filter$Value", &[("filter.condition", "$[?(@.Status == 'Open')]"), ("filter.type", "exclude")], "dropped".into()),
        ("Filter$Value", &[("filter.condition", "$[?(@.Status == 'Closed')]"), ("filter.type", "include")], "dropped".into()),
        ("Filter$Value", &[("filter.condition", "$.Address[?(@.City == 'Rome' || @.City == 'Oslo')]"), ("filter.type", "include")], SAME.into()),
        ("Filter$Value", &[("filter.condition", "$[?(@.Nothing == 'x')]"), ("filter.type", "include")], "dropped".into()),
        ("Filter$Value", &[("filter.condition", "$.Nothing"), ("filter.type", "include")], "error: transform a (io.confluent.connect.transforms.Filter): a field of filter.condition".into()),
        ("Filter$Value", &[("filter.condition", "$.Nothing"), ("filter.type", "include"), ("missing.or.null.behavior", "include")], SAME.into()),
        ("Filter$Value", &[("filter.condition", "$.Nothing"), ("filter.type", "include"), ("missing.or.null.behavior", "exclude")], "dropped".into()),
        ("Filter$Value", &[("filter.condition", "$.a"), ("filter.type", "keep")], "error: Invalid value keep".into()),
        ("GzipDecompress$Value", &[], "error: transform a (io.confluent.connect.transforms.GzipDecompress): only a byte array".into()),
        (
            "MessageTimestampRouter",
            &[("topic.format", "foo-${topic}-${timestamp}"), ("message.timestamp.keys", "Missing,Nothing,Day"), ("message.timestamp.format", "yyyy-MM-dd"), ("topic.timestamp.format", "yyyy.MM.dd")],
            to("foo-dev_leads-2019.08.06"),
        ),
        ("MessageTimestampRouter", &[("message.timestamp.keys", "Status"), ("message.timestamp.format", "yyyy")], "error: transform a (io.confluent.connect.transforms.MessageTimestampRouter): the timestamp in the value does not match".into()),
        ("TombstoneHandler", &[], SAME.into()),
        ("TopicRegexRouter", &[("regex", "(?P<stage>dev)_(.*)"), ("replacement", "${stage}.$2")], to("dev.leads")),
        ("TopicRegexRouter", &[("regex", "(?=x)"), ("replacement", "x")], "error: Invalid value (?=x) for configuration {property}: the lookahead".into()),
        ("ChangeTopicCase", &[("from", "LOWER_UNDERSCORE"), ("to", "UPPER_CAMEL")], to("DevLeads")),
        ("ChangeTopicCase", &[("from", "LOWER"), ("to", "UPPER_CAMEL")], "error: Invalid value LOWER".into()),
        ("ExtractTimestamp$Value", &[("field.name", "Created")], SAME.into()),
        ("ExtractTimestamp$Value", &[("field.name", "Status")], "error: transform a (com.github.jcustenborder.kafka.connect.transform.common.ExtractTimestamp): field Status: it is neither".into()),
        ("BytesToString$Value", &[("fields", "Photo")], SAME.into()),
        ("SetMaximumPrecision$Value", &[("precision.max", "18")], SAME.into()),
        ("SetMaximumPrecision$Value", &[("precision.max", "65")], "error: Invalid value 65 for configuration {property}: Value must be between 1 and 64".into()),
        ("TimestampNowField$Value", &[("fields", "Created,At")], SAME.into()),
        ("tributary.transforms.Tombstone", &[], "dev_leads key string string value none null".into()),
        ("tributary.transforms.Tombstone", &[("values", "gone,created")], SAME.into()),
    ];
    for (class, options, expected) in cases {
        let found = line(apply(class, options, record()).0);
        assert!(found.starts_with(expected), "{class} {options:?}: {found}");
    }
}

#[test]
fn values_change_as_they_say() {
    let value = |class: &str, options: &[(&str, &str)]| {
        let changed = apply(class, options, record()).0.expect("it works").expect("it is kept");
        (changed.value.as_struct().cloned().expect("a struct"), changed.timestamp_ms)
    };
    let (_, timestamp) = value("ExtractTimestamp$Value", &[("field.name", "Created")]);
    assert_eq!(timestamp, Some(1_539_874_413_777));
    let (_, timestamp) = value("TimestampNow", &[]);
    assert_eq!(timestamp, Some(NOW_MS));
    let (now, _) = value("TimestampNowField$Value", &[("fields", "Created,At,Status")]);
    for field in ["Created", "At", "Status"] {
        assert_eq!(now.get(field), Some(&Value::Int64(NOW_MS)), "{field}");
    }
    let (text, _) = value("BytesToString$Value", &[("fields", "Photo")]);
    assert_eq!(text.get("Photo"), Some(&"text".into()));
    for (most, expected) in [("18", Some("18")), ("64", None)] {
        let (narrow, _) = value("SetMaximumPrecision$Value", &[("precision.max", most)]);
        let schema = narrow.schema.field("Score").map(|field| Arc::clone(&field.schema)).expect("a field");
        assert_eq!(schema.parameter("connect.decimal.precision"), expected);
    }
}

#[test]
fn tombstones_are_handled_as_asked() {
    let tombstone = || SourceRecord { value_schema: None, value: Value::Null, ..record() };
    for (behavior, expected, notes) in [("warn", "dropped", 1), ("ignore", "dropped", 0), ("fail", "error: ", 0)] {
        let (outcome, noted) = apply("TombstoneHandler", &[("behavior", behavior)], tombstone());
        assert!(line(outcome).starts_with(expected), "{behavior}");
        assert_eq!(noted.len(), notes, "{behavior}");
    }
    let packed = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 75, 4, 0, 67, 190, 183, 232, 1, 0, 0, 0];
    let schema = Some(Arc::new(Schema::bytes()));
    let bytes = SourceRecord { value_schema: schema, value: Value::Bytes(packed.to_vec()), ..record() };
    let unpacked = apply("GzipDecompress$Value", &[], bytes).0.expect("it works").expect("it is kept");
    assert_eq!(unpacked.value, Value::Bytes(b"a".to_vec()));
}

#[test]
fn what_is_remembered_and_nested_is_bounded() {
    let nested = |depth: usize| {
        let value = (0..depth).fold(Value::Int64(1), |inner, _| Value::Map(vec![("a".into(), inner)]));
        let record = SourceRecord { value_schema: None, value, ..record() };
        apply("Flatten$Value", &[], record).0
    };
    assert!(nested(101).is_ok());
    assert!(nested(102).is_err_and(|error| error.contains("deeper than 100")));
    let mut context = Context::default();
    for number in 0..30 {
        context.note(format!("note {}", number % 25));
    }
    assert_eq!(context.notes.len(), 20);
    let given = [("regex".to_owned(), "t(.*)".to_owned()), ("replacement".to_owned(), "u$1".to_owned())];
    let (class, form) = classes::find("RegexRouter", false).expect("a transform");
    let Build::Transform(build) = class.build else { panic!("a transform") };
    let mut router = build(&Options::new(class.options, &given, 100), form).expect("sound");
    // More topics than are remembered, each twice.
    for topic in (0..40).chain(0..40) {
        let record = SourceRecord { topic: format!("t{topic}"), ..record() };
        let routed = router.apply(record, &mut context).expect("it works").expect("it is kept");
        assert_eq!(routed.topic, format!("u{topic}"));
    }
}
