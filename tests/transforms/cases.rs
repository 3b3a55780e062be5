//! Hand-picked edges.

use std::sync::Arc;

use salesforce_pushtopic::data::{Field, Schema, SourceRecord, Struct, Value, logical, record::Header};

use crate::{
    differential::{Differences, Outcome, StageCase, compare},
    java::Java,
};

/// A Lead as the connector makes it: an Address, logical types, nulls.
fn lead() -> SourceRecord {
    let address = Schema::structure(vec![
        Field::new("State", Schema::string().optional().documented("")),
        Field::new("City", Schema::string().optional()),
        Field::new("Latitude", Schema::float64().optional()),
    ]);
    let address = Arc::new(address.named("io.confluent.salesforce.Address").optional());
    let fields = vec![
        Field::new("Id", Schema::string().documented("the id")),
        Field::new("Name", Schema::string().optional()),
        Field::new("AnnualRevenue", Schema::string().optional()),
        Field::new("NumberOfEmployees", Schema::int32().optional()),
        Field::new("CreatedDate", logical::timestamp().optional()),
        Field::new("Birthday", logical::date().optional()),
        Field::new("Opens", logical::time().optional()),
        Field::new("Score", logical::decimal(2).optional()),
        Field::new("Photo", Schema::bytes().optional()),
        Field::new("Default", Schema::string().optional().with_default("d".into())),
        Field::new("Address", Arc::clone(&address)),
        Field::new("Tags", Schema::array(Schema::string()).optional()),
        Field::new("_EventType", Schema::string().optional()),
    ];
    let schema = Arc::new(Schema::structure(fields).named("io.confluent.salesforce.Lead"));
    let values = vec![
        "00Q1".into(),
        "Ada".into(),
        "140672.0".into(),
        Value::Int32(41_244),
        Value::Int64(1_539_874_413_777),
        Value::Int32(17_822),
        Value::Int32(3_600_000),
        Value::Bytes(vec![0x30, 0x39]),
        Value::Bytes(vec![1, 255]),
        Value::Null,
        Struct { schema: address, values: vec!["CA".into(), "San Francisco".into(), Value::Float64(37.7911)] }.into(),
        Value::Array(vec!["a".into()]),
        "deleted".into(),
    ];
    let key_schema = Arc::new(Schema::structure(vec![Field::new("Id", Schema::string())]));
    SourceRecord {
        topic: "salesforce.Lead".into(),
        partition: None,
        key_schema: Some(Arc::clone(&key_schema)),
        key: Struct { schema: key_schema, values: vec!["00Q1".into()] }.into(),
        value_schema: Some(Arc::clone(&schema)),
        value: Struct { schema, values }.into(),
        headers: vec![Header { key: "h".into(), schema: Some(Arc::new(Schema::int32())), value: Value::Int32(5) }],
        timestamp_ms: Some(1_539_874_413_777),
    }
}

fn tombstone() -> SourceRecord {
    SourceRecord { value_schema: None, value: Value::Null, ..lead() }
}

/// A delete: the Id alone.
fn delete() -> SourceRecord {
    let mut record = lead();
    if let Value::Struct(value) = &mut record.value {
        for slot in value.values.iter_mut().skip(1) {
            *slot = Value::Null;
        }
    }
    record
}

/// Class, options, and what comes of three records.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Class, options, and whether a lead, a delete and a tombstone come through (`y`), fail (`n`) or are dropped (`d`).
const CASES: &[Case] = &[
    (
        "Cast$Value",
        &[("spec", "NumberOfEmployees:string,AnnualRevenue:float64,Score:float64,CreatedDate:string")],
        "yyy",
    ),
    ("Cast$Value", &[("spec", "CreatedDate:int64,Birthday:int32,Opens:string,Score:string,Photo:string")], "yyy"),
    ("Cast$Value", &[("spec", "Score:int8,Default:string,Missing:int8")], "yyy"),
    ("Cast$Value", &[("spec", "Name:int32")], "nyy"),
    ("Cast$Value", &[("spec", "Photo:int32")], "nyy"),
    ("Cast$Value", &[("spec", "Address:string")], "nyy"),
    ("Cast$Value", &[("spec", "string")], "nny"),
    ("Cast$Value", &[("spec", "a:b:c")], "nnn"),
    ("Cast$Value", &[("spec", "int8,int16")], "nnn"),
    ("Cast$Value", &[("spec", "Name:decimal")], "nnn"),
    ("ExtractField$Key", &[("field", "Id")], "yyy"),
    ("ExtractField$Value", &[("field", "Address.City"), ("field.syntax.version", "V2")], "yyy"),
    ("ExtractField$Value", &[("field", "Address.City")], "nny"),
    ("ExtractField$Value", &[("field", "Name.City"), ("field.syntax.version", "V2")], "nny"),
    ("ExtractField$Value", &[("field", "Default")], "yyy"),
    ("ExtractField$Value", &[("field", "CreatedDate")], "yyy"),
    ("ExtractField$Value", &[("field", "`Id"), ("field.syntax.version", "V2")], "nnn"),
    ("Filter", &[], "ddd"),
    ("Flatten$Value", &[], "yyy"),
    ("Flatten$Value", &[("delimiter", "")], "yyy"),
    (
        "HeaderFrom$Value",
        &[("fields", "Name,CreatedDate,Score,Address,Tags,Photo"), ("headers", "a,b,c,d,e,f"), ("operation", "move")],
        "yyn",
    ),
    ("HeaderFrom$Value", &[("fields", "Name"), ("headers", "a"), ("operation", "copy")], "yyn"),
    ("HeaderFrom$Value", &[("fields", "Missing"), ("headers", "a"), ("operation", "copy")], "nnn"),
    ("HeaderFrom$Value", &[("fields", "Name"), ("headers", "a,b"), ("operation", "copy")], "nnn"),
    ("HeaderFrom$Value", &[("fields", "Name"), ("headers", "a"), ("operation", "Move")], "nnn"),
    ("HoistField$Value", &[("field", "lead")], "yyy"),
    ("HoistField$Value", &[("field", "")], "nny"),
    (
        "InsertField$Value",
        &[("topic.field", "topic!"), ("timestamp.field", "ts"), ("static.field", "s?"), ("static.value", " x ")],
        "yyy",
    ),
    ("InsertField$Value", &[("partition.field", "p!")], "nny"),
    ("InsertField$Value", &[("partition.field", "p")], "yyy"),
    ("InsertField$Value", &[("topic.field", "Name")], "nny"),
    ("InsertField$Value", &[("static.field", "s")], "nnn"),
    ("InsertField$Value", &[], "nnn"),
    ("InsertHeader", &[("header", "h"), ("value.literal", "[1,2]")], "yyy"),
    ("InsertHeader", &[("header", "h"), ("value.literal", "null")], "yyy"),
    ("DropHeaders", &[("headers", "h,x")], "yyy"),
    ("DropHeaders", &[("headers", "")], "nnn"),
    ("MaskField$Value", &[("fields", "Name,NumberOfEmployees,CreatedDate,Birthday,Opens,Tags,Missing")], "yyn"),
    ("MaskField$Value", &[("fields", "Score")], "nyn"),
    ("MaskField$Value", &[("fields", "Score"), ("replacement", "1.00")], "yyn"),
    ("MaskField$Value", &[("fields", "Address")], "nyn"),
    ("MaskField$Value", &[("fields", "Photo")], "nyn"),
    ("MaskField$Value", &[("fields", "NumberOfEmployees,Name"), ("replacement", "7.9")], "yyn"),
    ("MaskField$Value", &[("fields", "NumberOfEmployees"), ("replacement", "x")], "nyn"),
    ("MaskField$Value", &[("fields", "CreatedDate"), ("replacement", "7")], "nyn"),
    ("MaskField$Value", &[("fields", "Name"), ("replacement", "")], "nnn"),
    ("RegexRouter", &[("regex", "salesforce\\.(.*)"), ("replacement", "sf-$1")], "yyy"),
    ("RegexRouter", &[("regex", "(Lead"), ("replacement", "x")], "nnn"),
    ("ReplaceField$Value", &[("exclude", "Address,Tags"), ("renames", "Id:key,Name:Id")], "yyy"),
    ("ReplaceField$Value", &[("renames", "Id:Name,Name:Id")], "yyy"),
    ("ReplaceField$Value", &[("renames", "Id:Name")], "nny"),
    ("ReplaceField$Value", &[("renames", "Missing:Name")], "nny"),
    ("ReplaceField$Value", &[("renames", "Id")], "nnn"),
    ("ReplaceField$Value", &[("include", "Id,Missing"), ("exclude", "Id")], "yyy"),
    ("SetSchemaMetadata$Value", &[("schema.name", "x.Y"), ("schema.version", "3")], "yyy"),
    ("SetSchemaMetadata$Value", &[], "nnn"),
    (
        "TimestampConverter$Value",
        &[("field", "CreatedDate"), ("target.type", "string"), ("format", "yyyy-MM-dd HH:mm:ss")],
        "yyy",
    ),
    ("TimestampConverter$Value", &[("field", "CreatedDate"), ("target.type", "string")], "nnn"),
    (
        "TimestampConverter$Value",
        &[("field", "CreatedDate"), ("target.type", "unix"), ("unix.precision", "nanoseconds")],
        "yyy",
    ),
    ("TimestampConverter$Value", &[("field", "Birthday"), ("target.type", "Time")], "yyy"),
    ("TimestampConverter$Value", &[("field", "NumberOfEmployees"), ("target.type", "Date")], "nny"),
    ("TimestampConverter$Value", &[("field", "Name"), ("target.type", "Date")], "nyy"),
    ("TimestampConverter$Value", &[("field", "Missing"), ("target.type", "Date")], "yyy"),
    ("TimestampConverter$Value", &[("target.type", "Date")], "nny"),
    ("TimestampConverter$Value", &[("field", "CreatedDate"), ("target.type", "date")], "nnn"),
    ("TimestampRouter", &[], "yyy"),
    ("TimestampRouter", &[("topic.format", "${timestamp}${timestamp}$x")], "yyy"),
    ("ValueToKey", &[("fields", "Name,Default")], "yyn"),
    ("ValueToKey", &[("fields", "Missing")], "nnn"),
    ("ValueToKey", &[("fields", "Name,Name")], "yyn"),
    ("ValueToKey", &[("fields", "Name,,Id")], "nnn"),
];

#[test]
fn hand_picked_edges_come_out_as_from_kafka() {
    let Some(mut java) = Java::start() else { return };
    let mut differences = Differences::default();
    for (class, options, expected) in CASES {
        let mut outcomes = String::new();
        for record in [lead(), delete(), tombstone()] {
            match compare(&mut java, &[StageCase::new(class, options)], &record) {
                Ok(Outcome::Record(_)) => outcomes.push('y'),
                Ok(Outcome::Failed(_)) => outcomes.push('n'),
                Ok(Outcome::Dropped) => outcomes.push('d'),
                Err(difference) => differences.push(difference),
            }
        }
        differences.equal(&outcomes.as_str(), expected, &format!("what was expected of {class} {options:?}"));
    }
    differences.check();
}
