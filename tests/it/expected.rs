//! What a PushTopic event must become in Kafka, written down a second time from the record shapes that Confluent's
//! connector is known for: every field of the object's describe in its order, then `_ObjectType` and `_EventType`, as
//! Kafka Connect's schemaless JSON. Shares no code with the connector.

use std::fmt::Write as _;

use serde_json::Value;

/// Members of an address, in the order in which Confluent's connector writes them.
const ADDRESS: [&str; 10] = [
    "GeocodeAccuracy",
    "State",
    "Street",
    "PostalCode",
    "Country",
    "Latitude",
    "City",
    "Longitude",
    "CountryCode",
    "StateCode",
];

/// The record's value for an event: `data` is the event as the org sent it, `fields` the describe's (name, type) pairs.
pub(crate) fn value(object: &str, fields: &[(String, String)], data: &Value) -> String {
    let sobject = &data["sobject"];
    let mut text = String::from("{");
    for (name, kind) in fields {
        member(&mut text, name, &field(kind, &sobject[name.as_str()]));
    }
    member(&mut text, "_ObjectType", &quoted(object));
    member(&mut text, "_EventType", &quoted(data["event"]["type"].as_str().expect("every event has a type")));
    text.push('}');
    text
}

/// The record's key.
pub(crate) fn key(data: &Value) -> String {
    format!(r#"{{"Id":{}}}"#, quoted(data["sobject"]["Id"].as_str().expect("every event has an Id")))
}

fn member(text: &mut String, name: &str, value: &str) {
    let comma = if text.len() > 1 { "," } else { "" };
    let _ = write!(text, "{comma}{}:{value}", quoted(name));
}

fn field(kind: &str, value: &Value) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    match kind {
        "boolean" | "int" | "long" => value.to_string(),
        "double" | "percent" => double(value),
        // A string: whole numbers with the digits as they came, others as Java writes a double.
        "currency" if value.is_f64() => quoted(&double(value)),
        "currency" => quoted(&value.to_string()),
        "date" => days(value.as_str().expect("dates are text")).to_string(),
        "datetime" => milliseconds(value.as_str().expect("datetimes are text")).to_string(),
        "address" => address(value),
        _ => quoted(value.as_str().unwrap_or_else(|| panic!("{kind} is text: {value}"))),
    }
}

fn address(value: &Value) -> String {
    let mut text = String::from("{");
    for name in ADDRESS {
        let kind = if matches!(name, "Latitude" | "Longitude") { "double" } else { "string" };
        member(&mut text, name, &field(kind, &value[name]));
    }
    text.push('}');
    text
}

/// Java's `Double.toString`: plain decimals in the middle, an exponent outside.
fn double(value: &Value) -> String {
    let number = value.as_f64().expect("doubles are numbers");
    if number == 0.0 || (1e-3..1e7).contains(&number.abs()) {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    let (mantissa, exponent) = text.split_once('E').expect("it was asked for");
    if mantissa.contains('.') { text } else { format!("{mantissa}.0E{exponent}") }
}

/// Kafka Connect's JSON text: raw inside the basic plane, surrogate escapes outside.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            other if u32::from(other) < 0x20 => {
                let _ = write!(out, "\\u{:04X}", u32::from(other));
            }
            other if u32::from(other) > 0xFFFF => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Days from 1970-01-01 to `YYYY-MM-DD`.
fn days(date: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| -> i64 { date[range].parse().expect("a date has digits") };
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    // Years that begin in March put the leap day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// Milliseconds since the epoch of `YYYY-MM-DDThh:mm:ss.mmmZ`.
pub(crate) fn milliseconds(moment: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| -> i64 { moment[range].parse().expect("a moment has digits") };
    assert!(moment.len() == 24 && moment.ends_with('Z'), "{moment} is not in the form of the Streaming API");
    let seconds = days(&moment[..10]) * 86_400 + part(11..13) * 3_600 + part(14..16) * 60 + part(17..19);
    seconds * 1_000 + part(20..23)
}

/// Dates by GNU date, doubles by Java; the long line is a fragment of a Lead by hand.
#[test]
fn the_second_writing_is_right() {
    for (date, expected) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("2018-10-18", 17_822), ("1900-03-01", -25_508)]
    {
        assert_eq!(days(date), expected, "{date}");
    }
    assert_eq!(milliseconds("2018-10-18T14:53:33.777Z"), 1_539_874_413_777);
    let fields =
        [("Id", "id"), ("AnnualRevenue", "currency"), ("Address", "address"), ("Born", "date"), ("Open", "boolean")];
    let fields: Vec<(String, String)> = fields.iter().map(|(name, kind)| ((*name).into(), (*kind).into())).collect();
    let data = serde_json::json!({
        "event": {"type": "created"},
        "sobject": {"Id": "00Q\u{1F600}\u{1f}/", "AnnualRevenue": 100, "Open": false, "Born": null,
                    "Address": {"City": "Köln", "Latitude": 50, "Longitude": 6.95}},
    });
    assert_eq!(
        value("Lead", &fields, &data),
        concat!(
            r#"{"Id":"00Q\uD83D\uDE00\u001F/","AnnualRevenue":"100","Address":{"GeocodeAccuracy":null,"State":null,"#,
            r#""Street":null,"PostalCode":null,"Country":null,"Latitude":50.0,"City":"Köln","Longitude":6.95,"#,
            r#""CountryCode":null,"StateCode":null},"Born":null,"Open":false,"_ObjectType":"Lead","_EventType":"created"}"#
        )
    );
}
