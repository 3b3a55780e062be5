//! Nanoseconds for each transform and record, beside the conversion of the record to JSON:
//! `cargo bench -p salesforce-pushtopic`. A chain of five must cost less than the conversion.

use std::{
    hint::black_box,
    io::{self, Write as _},
    sync::Arc,
    time::Instant,
};

use salesforce_pushtopic::{
    converters::JsonConverter,
    data::{Field, Schema, SourceRecord, Struct, Value, logical},
    java::regex::{Dialect, Regex},
    transforms::{
        Chain, Stage,
        chain::{Context, Transform},
        classes,
        definition::Build,
        options::Options,
    },
};

/// Records of a round, few enough for the caches of a processor.
const RECORDS: usize = 64;
/// Rounds of a figure.
const ROUNDS: usize = 500;

/// A record of 45 fields as the demo's Lead has them, an address among them.
fn lead() -> SourceRecord {
    let members = ["State", "Street", "PostalCode", "Country", "City"];
    let address = Schema::structure(members.map(|name| Field::new(name, Schema::string().optional())).to_vec());
    let address = Arc::new(address.optional());
    let mut fields = vec![
        Field::new("Id", Schema::string()),
        Field::new("Address", Arc::clone(&address)),
        Field::new("CreatedDate", logical::timestamp().optional()),
        Field::new("AnnualRevenue", Schema::string().optional()),
        Field::new("NumberOfEmployees", Schema::int32().optional()),
        Field::new("Latitude", Schema::float64().optional()),
        Field::new("_EventType", Schema::string().optional()),
    ];
    let mut values = vec![
        "00Q5g0000000003EAA".into(),
        Struct { schema: address, values: members.map(|name| name.into()).to_vec() }.into(),
        Value::Int64(1_539_874_413_777),
        "140672.0".into(),
        Value::Int32(41_244),
        Value::Float64(37.7911),
        "updated".into(),
    ];
    for number in 0..38 {
        fields.push(Field::new(format!("Field{number}"), Schema::string().optional()));
        values.push(if number % 3 == 0 { Value::Null } else { "a text of usual length".into() });
    }
    let schema = Arc::new(Schema::structure(fields));
    let key_schema = Arc::new(Schema::structure(vec![Field::new("Id", Schema::string())]));
    SourceRecord {
        topic: "salesforce.Lead".into(),
        partition: None,
        key_schema: Some(Arc::clone(&key_schema)),
        key: Struct { schema: key_schema, values: vec!["00Q5g0000000003EAA".into()] }.into(),
        value_schema: Some(Arc::clone(&schema)),
        value: Struct { schema, values }.into(),
        headers: Vec::new(),
        timestamp_ms: Some(1_539_874_413_777),
    }
}

/// What is measured.
const CASES: &[(&str, &[(&str, &str)])] = &[
    ("Cast$Value", &[("spec", "AnnualRevenue:float64,NumberOfEmployees:string")]),
    ("DropHeaders", &[("headers", "a")]),
    ("ExtractField$Key", &[("field", "Id")]),
    ("Flatten$Value", &[]),
    ("HeaderFrom$Value", &[("fields", "_EventType"), ("headers", "event"), ("operation", "copy")]),
    ("HoistField$Value", &[("field", "lead")]),
    ("InsertField$Value", &[("static.field", "source"), ("static.value", "crm"), ("timestamp.field", "at")]),
    ("InsertHeader", &[("header", "source"), ("value.literal", "crm")]),
    ("MaskField$Value", &[("fields", "Field1,Field2")]),
    ("RegexRouter", &[("regex", "salesforce\\.(.*)"), ("replacement", "crm.$1")]),
    ("ReplaceField$Value", &[("exclude", "Field3,Field4"), ("renames", "Field5:Five")]),
    ("SetSchemaMetadata$Value", &[("schema.name", "crm.Lead")]),
    (
        "TimestampConverter$Value",
        &[("field", "CreatedDate"), ("target.type", "string"), ("format", "yyyy-MM-dd HH:mm:ss")],
    ),
    ("TimestampRouter", &[]),
    ("ValueToKey", &[("fields", "Id")]),
    ("Filter$Value", &[("filter.condition", "$[?(@._EventType == 'updated')]"), ("filter.type", "include")]),
    ("ExtractTopic$Value", &[("field", "_EventType")]),
    ("tributary.transforms.Tombstone", &[]),
];

/// A chain as people write it.
const FIVE: [&str; 5] =
    ["RegexRouter", "InsertField$Value", "ReplaceField$Value", "TimestampConverter$Value", "ValueToKey"];

fn stage(class: &str, options: &[(&str, &str)]) -> Stage {
    let given: Vec<_> = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (found, form) = classes::find(class, false).expect("a transform");
    let Build::Transform(build) = found.build else { panic!("a transform") };
    let transform: Box<dyn Transform> = build(&Options::new(found.options, &given, 100), form).expect("sound options");
    Stage { alias: class.into(), class: class.into(), transform, predicate: None, negate: false }
}

/// Nanoseconds for one record, the best of many rounds. Making the records and dropping the results is not counted.
fn measure<T>(mut work: impl FnMut(SourceRecord) -> T) -> u128 {
    let record = lead();
    let mut best = u128::MAX;
    for _ in 0..ROUNDS {
        let records = vec![record.clone(); RECORDS];
        let mut results = Vec::with_capacity(RECORDS);
        let start = Instant::now();
        results.extend(records.into_iter().map(&mut work));
        best = best.min(start.elapsed().as_nanos() / RECORDS as u128);
        drop(black_box(results));
    }
    best
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let converter = JsonConverter::default();
    let json = measure(|record| {
        let bytes = converter.convert("t", record.value_schema.as_deref(), &record.value);
        // The record goes back with its bytes, so that neither is dropped here.
        (record, bytes)
    });
    writeln!(out, "{:<34} {json:>7} ns", "JSON of the value")?;
    let nothing = measure(|record| record);
    writeln!(out, "{:<34} {nothing:>7} ns", "moving the record")?;
    let mut chain_of = |name: &str, stages: Vec<Stage>| -> io::Result<u128> {
        let mut chain = Chain::new(stages);
        let mut context = Context::default();
        let figure = measure(|record| chain.apply(record, &mut context));
        writeln!(out, "{name:<34} {figure:>7} ns")?;
        Ok(figure)
    };
    for (class, options) in CASES {
        chain_of(class, vec![stage(class, options)])?;
    }
    let five = FIVE.iter().filter_map(|class| CASES.iter().find(|(name, _)| name == class));
    let five = chain_of("a chain of five", five.map(|(class, options)| stage(class, options)).collect())?;
    assert!(five < json, "a chain of five costs {five} ns, the conversion {json} ns");

    // The slowest pattern that the engine takes, on the longest name of a topic.
    let pattern = "(?:a?b?c?d?e?f?g?h?){60}z";
    let regex = Regex::compile(pattern, Dialect::Java, 60_000, 0).expect("a pattern");
    let topic = "abcdefgh".repeat(31);
    let start = Instant::now();
    for _ in 0..20 {
        let _ = black_box(regex.matches(&topic));
    }
    let nanos = start.elapsed().as_nanos() / 20;
    let steps = u128::from(regex.steps(topic.len()));
    writeln!(out, "{:<34} {:>7} steps in a millisecond, native", "regular expressions", steps * 1_000_000 / nanos)?;
    Ok(())
}
