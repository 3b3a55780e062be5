//! Random records and random configurations for every one of Apache's transforms.

use std::sync::Arc;

use fastrand::Rng;
use salesforce_pushtopic::{
    data::{Field, Schema, SchemaKind, SourceRecord, Struct, Value, logical, record::Header},
    java::hash_map,
};

use crate::{
    differential::{Differences, Outcome, PredicateCase, StageCase, compare},
    java::Java,
};

const NAMES: [&str; 12] =
    ["Id", "Name", "a", "b", "c", "a.b", "Amount", "Created", "Address", "Größe", "City", "_EventType"];
const TEXTS: [&str; 16] = [
    "",
    "abc",
    "Ada \"q\" \\ \u{1f600}",
    "42",
    "-7",
    "300",
    "1.5",
    "1e3",
    "true",
    "TRUE",
    " 5 ",
    "2018-10-18",
    "2018-10-18T14:53:33.777Z",
    "99999999999",
    "+3",
    "NaN",
];
const DOUBLES: [f64; 15] =
    [0.0, 0.1, 1.0, 1.5, -1.9, 127.5, 300.0, 1e7, 1e21, -1e21, 1.23456789123e8, 2.5e-5, 1e300, 4e9, -4e9];
const INSTANTS: [i64; 12] = [
    0,
    1,
    -1,
    86_399_999,
    86_400_000,
    86_400_001,
    1_539_874_413_777,
    1_539_820_800_000,
    -86_400_000,
    253_402_300_799_999,
    -12_219_292_800_000,
    -62_135_596_800_001,
];

/// Where random data comes from.
pub(crate) struct Generator {
    rng: Rng,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed) }
    }

    fn one_of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.rng.usize(..items.len())].clone()
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    pub(crate) fn record(&mut self) -> SourceRecord {
        let (key_schema, key) = self.side(40);
        let (value_schema, value) = self.side(75);
        let headers = (0..self.rng.usize(..3)).map(|_| {
            let schema = self.primitive();
            let value = self.value(&schema, 0);
            Header { key: self.one_of(&["h1", "h2", "Name"]).to_owned(), schema: Some(Arc::new(schema)), value }
        });
        let headers = headers.collect();
        SourceRecord {
            topic: self.one_of(&["leads", "salesforce.Lead", "a", "dev-orders-7"]).to_owned(),
            partition: self.chance(30).then(|| self.rng.i32(0..5)),
            key_schema,
            key,
            value_schema,
            value,
            headers,
            timestamp_ms: self.chance(85).then(|| self.one_of(&INSTANTS).max(0)),
        }
    }

    fn side(&mut self, structs: u32) -> (Option<Arc<Schema>>, Value) {
        let dice = self.rng.u32(..100);
        if dice < structs {
            let schema = self.structure(0);
            let value = self.value(&schema, 0);
            let Value::Struct(value) = value else { return (Some(Arc::new(schema)), value) };
            return (Some(Arc::clone(&value.schema)), value.into());
        }
        match dice % 4 {
            0 => (None, Value::Null),
            1 => (None, self.schemaless_map(0)),
            2 => {
                let schema = self.primitive();
                let value = self.value(&schema, 0);
                (Some(Arc::new(schema)), value)
            }
            _ => (Some(Arc::new(self.structure(0).optional())), Value::Null),
        }
    }

    fn primitive(&mut self) -> Schema {
        let schema = match self.rng.u32(..14) {
            0 => Schema::int8(),
            1 => Schema::int16(),
            2 => Schema::int32(),
            3 => Schema::int64(),
            4 => Schema::float32(),
            5 => Schema::float64(),
            6 => Schema::boolean(),
            7 => Schema::bytes(),
            8 => logical::date(),
            9 => logical::time(),
            10 => logical::timestamp(),
            11 => logical::decimal(self.rng.i32(0..4)),
            _ => Schema::string(),
        };
        self.dressed(schema)
    }

    /// With optionality, default and metadata at random.
    fn dressed(&mut self, schema: Schema) -> Schema {
        let mut schema = schema;
        schema.optional = self.chance(50);
        if schema.name.is_none() && self.chance(15) {
            schema = schema.named("io.example.Thing").versioned(self.rng.i32(1..4));
        }
        if self.chance(15) {
            schema = schema.documented(self.one_of(&["", "words"]));
        }
        if self.chance(10) {
            schema = schema.with_parameter("k", "v");
        }
        if self.chance(20) && !matches!(schema.kind, SchemaKind::Struct(_) | SchemaKind::Array(_) | SchemaKind::Map(..))
        {
            let default = self.some(&schema, 0);
            schema = schema.with_default(default);
        }
        schema
    }

    fn structure(&mut self, depth: usize) -> Schema {
        let mut names = NAMES.to_vec();
        self.rng.shuffle(&mut names);
        let count = self.rng.usize(..7);
        let fields = names.into_iter().take(count).map(|name| {
            let schema = match self.rng.u32(..10) {
                0 if depth < 2 => self.structure(depth + 1),
                1 => {
                    let items = self.primitive();
                    let schema = Schema::array(items);
                    self.dressed(schema)
                }
                2 if self.chance(30) => {
                    let values = self.primitive();
                    let schema = Schema::map(Schema::string(), values);
                    self.dressed(schema)
                }
                _ => self.primitive(),
            };
            Field::new(name, schema)
        });
        let schema = Schema::structure(fields.collect());
        self.dressed(schema)
    }

    fn value(&mut self, schema: &Schema, depth: usize) -> Value {
        if schema.optional && self.chance(30) { Value::Null } else { self.some(schema, depth) }
    }

    /// Never null.
    fn some(&mut self, schema: &Schema, depth: usize) -> Value {
        let instant = self.one_of(&INSTANTS);
        match (logical::LogicalType::of(schema), &schema.kind) {
            (Some(logical::LogicalType::Date), _) => Value::Int32(instant.div_euclid(86_400_000) as i32),
            (Some(logical::LogicalType::Time), _) => Value::Int32(instant.rem_euclid(86_400_000) as i32),
            (Some(logical::LogicalType::Timestamp), _) => Value::Int64(instant),
            (Some(logical::LogicalType::Decimal { .. }), _) => {
                Value::Bytes(self.one_of(&[vec![0], vec![48, 57], vec![0xff], vec![0x7f; 10], vec![0, 0x80]]))
            }
            (None, kind) => match kind {
                SchemaKind::Int8 => Value::Int8(self.rng.i8(..)),
                SchemaKind::Int16 => Value::Int16(self.rng.i16(..)),
                SchemaKind::Int32 => Value::Int32(self.one_of(&[0, 1, -1, 300, 70_000, i32::MAX, i32::MIN])),
                SchemaKind::Int64 => {
                    let number = self.one_of(&[0, 1, 300, i64::MAX, i64::MIN, 1_539_874_413]);
                    Value::Int64(self.one_of(&[number, instant]))
                }
                SchemaKind::Float32 => Value::Float32(self.one_of(&[0.0, 0.5, -1.9, 300.25, 1e10, -2.5e9])),
                SchemaKind::Float64 => Value::Float64(self.one_of(&DOUBLES)),
                SchemaKind::Boolean => Value::Boolean(self.rng.bool()),
                SchemaKind::String => self.one_of(&TEXTS).into(),
                SchemaKind::Bytes => Value::Bytes(self.one_of(&[vec![], vec![1, 2, 255], b"text".to_vec()])),
                SchemaKind::Array(items) => {
                    Value::Array((0..self.rng.usize(..3)).map(|_| self.value(items, depth + 1)).collect())
                }
                // One entry: the order of more is the JVM's.
                SchemaKind::Map(_, values) => {
                    Value::Map((0..self.rng.usize(..2)).map(|_| ("k".into(), self.value(values, depth + 1))).collect())
                }
                SchemaKind::Struct(fields) => {
                    let values = fields.iter().map(|field| self.value(&field.schema, depth + 1)).collect();
                    Struct { schema: Arc::new(schema.clone()), values }.into()
                }
            },
        }
    }

    /// What JsonConverter makes of JSON without a schema: longs, doubles, texts, booleans, lists, HashMaps.
    fn schemaless(&mut self, depth: usize) -> Value {
        match self.rng.u32(..9) {
            0 => Value::Null,
            1 => Value::Int64(self.one_of(&[0, 5, -300, 1_539_874_413_777])),
            2 => Value::Float64(self.one_of(&DOUBLES)),
            3 => Value::Boolean(self.rng.bool()),
            4 if depth < 3 => Value::Array((0..self.rng.usize(..3)).map(|_| self.schemaless(depth + 1)).collect()),
            5 if depth < 3 => self.schemaless_map(depth + 1),
            _ => self.one_of(&TEXTS).into(),
        }
    }

    fn schemaless_map(&mut self, depth: usize) -> Value {
        let mut names = NAMES.to_vec();
        self.rng.shuffle(&mut names);
        let count = self.rng.usize(..7);
        let mut entries: Vec<_> = names.into_iter().take(count).map(|name| (name, self.schemaless(depth))).collect();
        // The request has its members in alphabetical order, which is that in which JsonConverter fills its map.
        entries.sort_by_key(|(name, _)| *name);
        hash_map::sort(&mut entries, hash_map::NEW, |(name, _)| name);
        Value::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// A field, mostly one that is there.
    fn field(&mut self, record: &SourceRecord) -> String {
        let names = |value: &Value| -> Vec<String> {
            match value {
                Value::Struct(value) => value.iter().map(|(field, _)| field.name.to_string()).collect(),
                Value::Map(entries) => entries.iter().filter_map(|(key, _)| Some(key.as_str()?.to_owned())).collect(),
                _ => Vec::new(),
            }
        };
        let known: Vec<String> = names(&record.value).into_iter().chain(names(&record.key)).collect();
        if known.is_empty() || self.chance(15) { self.one_of(&NAMES).to_owned() } else { self.one_of(&known) }
    }

    fn fields(&mut self, record: &SourceRecord) -> String {
        let count = self.rng.usize(1..4);
        let mut fields: Vec<String> = (0..count).map(|_| self.field(record)).collect();
        fields.dedup();
        fields.join(",")
    }

    fn stage(&mut self, record: &SourceRecord, class: &str) -> StageCase {
        let side = self.one_of(&["$Value", "$Value", "$Value", "$Key"]);
        let mut options: Vec<(&str, String)> = Vec::new();
        let sided = match self.options_of_shape(record, class, &mut options) {
            Some(sided) => sided,
            None => self.options_of_content(record, class, &mut options),
        };
        if sided && !["Flatten", "HoistField"].contains(&class) && self.chance(30) {
            options.push(("replace.null.with.default", "false".into()));
        }
        let options: Vec<(&str, &str)> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
        StageCase::new(&format!("{class}{}", if sided { side } else { "" }), &options)
    }

    /// Options of transforms that change the shape; whether they come as `$Key` and `$Value`.
    fn options_of_shape(
        &mut self,
        record: &SourceRecord,
        class: &str,
        options: &mut Vec<(&str, String)>,
    ) -> Option<bool> {
        Some(match class {
            "Cast" => {
                let kinds = ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "STRING"];
                let spec = if self.chance(15) {
                    self.one_of(&kinds).to_owned()
                } else {
                    let fields = self.fields(record);
                    let specs = fields.split(',').map(|field| format!("{field}:{}", self.one_of(&kinds)));
                    specs.collect::<Vec<_>>().join(", ")
                };
                options.push(("spec", spec));
                true
            }
            "DropHeaders" => {
                options.push(("headers", self.one_of(&["h1", "h1,h2", "x"]).into()));
                false
            }
            "ExtractField" => {
                let version = self.one_of(&["V1", "V2", "v2"]);
                let mut field = self.field(record);
                if version != "V1" && self.chance(50) {
                    field = format!("{field}.{}", self.one_of(&NAMES));
                }
                options.extend([("field", field), ("field.syntax.version", version.into())]);
                true
            }
            "Filter" => false,
            "Flatten" => {
                options.extend(self.chance(50).then(|| ("delimiter", "_".into())));
                true
            }
            "HeaderFrom" => {
                let fields = self.fields(record);
                let headers: Vec<_> = fields.split(',').map(|_| self.one_of(&["h1", "n1", "n2"])).collect();
                options.extend([("headers", headers.join(",")), ("fields", fields)]);
                options.push(("operation", self.one_of(&["move", "copy"]).into()));
                true
            }
            "HoistField" => {
                options.push(("field", self.one_of(&["line", "a.b"]).into()));
                true
            }
            "InsertField" => {
                let mark = self.one_of(&["", "?", "!"]);
                options.extend(self.chance(50).then(|| ("topic.field", format!("topic{mark}"))));
                options.extend(self.chance(40).then(|| ("partition.field", "partition".into())));
                options.extend(self.chance(40).then(|| ("timestamp.field", "ts?".into())));
                if self.chance(50) || options.is_empty() {
                    let field = if self.chance(20) { self.field(record) } else { format!("fixed{mark}") };
                    options.extend([("static.field", field), ("static.value", "x".into())]);
                }
                true
            }
            "InsertHeader" => {
                let literal = self.one_of(&["42", "300", "1.5", "true", "abc", "[1,2]", "{\"a\":1}", "2019-01-02"]);
                options.extend([("header", "h1".into()), ("value.literal", literal.into())]);
                false
            }
            _ => return None,
        })
    }

    /// Options of the others.
    fn options_of_content(&mut self, record: &SourceRecord, class: &str, options: &mut Vec<(&str, String)>) -> bool {
        match class {
            "MaskField" => {
                options.push(("fields", self.fields(record)));
                let replacements = ["x", "7", "300", "1.50", "-1e2", "1e400"];
                options.extend(self.chance(50).then(|| ("replacement", self.one_of(&replacements).into())));
                true
            }
            "RegexRouter" => {
                let regex = self.one_of(&[".*", "(\\w+)\\.(.*)", "a|ab", "lead[s]?", "([a-z]+)-(.*)-(\\d)", "x"]);
                let replacement = self.one_of(&["$0", "new", "p-$0-$0", "\\$a"]);
                options.extend([("regex", regex.into()), ("replacement", replacement.into())]);
                false
            }
            "ReplaceField" => {
                options.extend(self.chance(40).then(|| ("exclude", self.fields(record))));
                options.extend(self.chance(30).then(|| ("include", self.fields(record))));
                if self.chance(60) {
                    let fields = self.fields(record);
                    let renames = fields.split(',').map(|field| format!("{field}:{}", self.one_of(&NAMES)));
                    options.push(("renames", renames.collect::<Vec<_>>().join(",")));
                }
                true
            }
            "SetSchemaMetadata" => {
                options.extend(self.chance(60).then(|| ("schema.name", "io.example.New".into())));
                if self.chance(50) || options.is_empty() {
                    options.push(("schema.version", "7".into()));
                }
                true
            }
            "TimestampConverter" => {
                let targets = ["string", "unix", "Date", "Time", "Timestamp"];
                options.push(("target.type", self.one_of(&targets).into()));
                let formats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyMMdd HH", "EEE d MMM yyyy G"];
                options.extend(self.chance(80).then(|| ("format", self.one_of(&formats).into())));
                options.extend(self.chance(85).then(|| ("field", self.field(record))));
                let units = ["seconds", "milliseconds", "microseconds", "nanoseconds"];
                options.extend(self.chance(40).then(|| ("unix.precision", self.one_of(&units).into())));
                true
            }
            "TimestampRouter" => {
                let formats = ["yyyyMMdd", "YYYY-'W'ww", "yyyy.MM.dd.HH"];
                options.extend(self.chance(60).then(|| ("timestamp.format", self.one_of(&formats).into())));
                options.extend(self.chance(40).then(|| ("topic.format", "x-${topic}-${timestamp}".into())));
                false
            }
            _ => {
                options.push(("fields", self.fields(record)));
                false
            }
        }
    }

    fn predicate(&mut self) -> PredicateCase {
        let (class, options): (&str, Vec<(&str, &str)>) = match self.rng.u32(..3) {
            0 => ("TopicNameMatches", vec![("pattern", self.one_of(&["leads", "salesforce\\..*", ".*-\\d"]))]),
            1 => ("HasHeaderKey", vec![("name", self.one_of(&["h1", "Name"]))]),
            _ => ("RecordIsTombstone", vec![]),
        };
        let options = options.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let class = format!("org.apache.kafka.connect.transforms.predicates.{class}");
        PredicateCase { class, options, negate: self.rng.bool() }
    }

    fn chain(&mut self, record: &SourceRecord, classes: &[&str]) -> Vec<StageCase> {
        classes
            .iter()
            .map(|class| {
                let mut stage = self.stage(record, class);
                stage.predicate = (self.chance(20) || *class == "Filter").then(|| self.predicate());
                stage
            })
            .collect()
    }
}

/// Every one of Apache's transforms.
pub(crate) const CLASSES: [&str; 16] = [
    "Cast",
    "DropHeaders",
    "ExtractField",
    "Filter",
    "Flatten",
    "HeaderFrom",
    "HoistField",
    "InsertField",
    "InsertHeader",
    "MaskField",
    "RegexRouter",
    "ReplaceField",
    "SetSchemaMetadata",
    "TimestampConverter",
    "TimestampRouter",
    "ValueToKey",
];

/// What comes out of a transform that only a converter refuses, in Kafka, is refused by the transform here: in a chain the
/// record might be dropped or mended on the way.
const LAST_ONLY: [&str; 3] = ["Cast", "MaskField", "TimestampConverter"];

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn generated_records_and_chains_come_out_as_from_kafka() {
    let Some(mut java) = Java::start() else { return };
    let seed = number("TRANSFORMS_SEED", 0).max(1);
    let seed = if seed == 1 { fastrand::u64(..) } else { seed };
    let cases = number("TRANSFORMS_CASES", 4_000);
    println!("transforms: {cases} cases with TRANSFORMS_SEED={seed}");
    let mut generator = Generator::new(seed);
    let (mut records, mut dropped, mut failed) = (0, 0, 0);
    let mut differences = Differences::default();
    for case in 0..cases {
        let record = generator.record();
        // One transform alone, every class in turn; every third time a chain.
        let mut classes = vec![CLASSES[usize::try_from(case).expect("small") % CLASSES.len()]];
        if case % 3 == 0 {
            for _ in 0..generator.rng.usize(1..3) {
                let class = generator.one_of(&CLASSES);
                if !LAST_ONLY.contains(&class) {
                    classes.insert(0, class);
                }
            }
        }
        let chain = generator.chain(&record, &classes);
        match compare(&mut java, &chain, &record) {
            Ok(Outcome::Record(_)) => records += 1,
            Ok(Outcome::Dropped) => dropped += 1,
            Ok(Outcome::Failed(_)) => failed += 1,
            Err(difference) => differences.push(format!("case {case} of TRANSFORMS_SEED={seed}\n{difference}")),
        }
    }
    differences.check();
    println!("transforms: {records} records, {dropped} dropped, {failed} failed in both");
    // A comparison in which nearly everything fails would compare nothing.
    assert!(records * 2 > cases, "{records} of {cases} cases gave a record");
}
