//! A describe, guessed from events: for people who try a configuration out without an org. Fields in the order in which
//! they first appear, their types by what their values look like.

use super::{
    describe::{Describe, DescribeField},
    event::{Event, members},
    wire_type::JsonKind,
};
use crate::data::calendar;

/// The describe that fits these events about `object`. Fields that are null in all of them are texts.
#[must_use]
pub fn describe(object: &str, events: &[Event<'_>]) -> Describe {
    let mut fields: Vec<(String, Option<&'static str>)> = vec![("Id".into(), Some("id"))];
    for event in events {
        // What is no object is found when the event becomes a record.
        let _ = members(event.sobject, |name, value| {
            let found = type_of(value.get());
            match fields.iter_mut().find(|(known, _)| *known == *name) {
                Some((_, known)) => *known = merged(*known, found),
                None => fields.push((name.into_owned(), found)),
            }
        });
    }
    let fields = fields.into_iter().map(|(name, guessed)| DescribeField {
        name,
        field_type: guessed.unwrap_or("string").into(),
        nillable: true,
        ..DescribeField::default()
    });
    Describe { name: object.into(), fields: fields.collect() }
}

/// The describe type of a value; none for null.
fn type_of(json: &str) -> Option<&'static str> {
    match JsonKind::of(json) {
        JsonKind::Null => None,
        JsonKind::Boolean => Some("boolean"),
        JsonKind::Number => Some("double"),
        JsonKind::Text => {
            let text = json.trim_matches('"');
            if calendar::datetime_ms(text).is_ok() {
                Some("datetime")
            } else if calendar::date_days(text).is_ok() {
                Some("date")
            } else {
                Some("string")
            }
        }
        JsonKind::Object => {
            let mut parts = Vec::new();
            let _ = members(json, |name, _| parts.push(name.to_lowercase()));
            let is = |names: &[&str]| !parts.is_empty() && parts.iter().all(|part| names.contains(&part.as_str()));
            if is(&["latitude", "longitude"]) {
                Some("location")
            } else if is(&ADDRESS_MEMBERS) {
                Some("address")
            } else {
                Some("anyType")
            }
        }
        JsonKind::Array => Some("anyType"),
    }
}

const ADDRESS_MEMBERS: [&str; 10] = [
    "geocodeaccuracy",
    "state",
    "street",
    "postalcode",
    "country",
    "latitude",
    "city",
    "longitude",
    "countrycode",
    "statecode",
];

/// What fits both; a text where two do not agree.
fn merged(known: Option<&'static str>, found: Option<&'static str>) -> Option<&'static str> {
    match (known, found) {
        (None, other) | (other, None) => other,
        (Some(known), Some(found)) if known == found => Some(known),
        (Some("id"), _) => Some("id"),
        (Some("location"), Some("address")) | (Some("address"), Some("location")) => Some("address"),
        (Some("string" | "date" | "datetime"), Some("string" | "date" | "datetime")) => Some("string"),
        _ => Some("anyType"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_guessed_by_looks() {
        let cases = [
            ("null", "null", "string"),
            ("null", "true", "boolean"),
            ("1", "2.5", "double"),
            ("\"a\"", "null", "string"),
            ("\"2018-10-18\"", "\"2018-10-19\"", "date"),
            ("\"2018-10-18\"", "\"soon\"", "string"),
            ("\"2018-10-18T14:53:33.777Z\"", "null", "datetime"),
            ("{\"City\":\"x\"}", "{\"Latitude\":1,\"Longitude\":2}", "address"),
            ("{\"latitude\":1}", "null", "location"),
            ("{\"x\":1}", "null", "anyType"),
            ("[1]", "null", "anyType"),
            ("1", "\"a\"", "anyType"),
        ];
        for (one, other, expected) in cases {
            let data = [one, other].map(|value| {
                format!(r#"{{"event":{{"replayId":1,"type":"created"}},"sobject":{{"Id":"1","F":{value}}}}}"#)
            });
            let events = [Event::parse(&data[0]).expect("an event"), Event::parse(&data[1]).expect("an event")];
            let describe = describe("Lead", &events);
            let types: Vec<_> = describe.fields.iter().map(|f| (f.name.as_str(), f.field_type.as_str())).collect();
            assert_eq!(types, [("Id", "id"), ("F", expected)], "{one} {other}");
        }
    }
}
