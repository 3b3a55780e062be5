//! The records of the org: what they hold, and how their values look in REST answers and in stream events.
//!
//! Implements the value encodings of sections 2.4 and 2.6 of the Salesforce facts page.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ADDRESS_MEMBERS, Access, Field, FieldType, ObjectType};
use crate::date;
use crate::id;

/// The values of one record by field name; an absent field is null.
pub(crate) type Record = Map<String, Value>;

/// Where a value is going to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// In the answer to a query: datetimes end in `+0000`, members of compounds begin in lower case.
    Rest,
    /// In an event: datetimes end in `Z`, members of addresses begin with a capital.
    Stream {
        /// Whether those of geolocations do so too.
        capital_location: bool,
    },
}

/// The records of one object type.
#[derive(Debug, Default)]
struct Table {
    live: BTreeMap<String, Record>,
    bin: BTreeMap<String, Record>,
    last_number: u64,
}

/// The recycle bin keeps so many records of an object; then the oldest ids go for good.
const BIN_RECORDS_MAX: usize = 1_000;

/// Every object type and its records.
#[derive(Debug)]
pub(crate) struct Store {
    types: Vec<ObjectType>,
    tables: BTreeMap<&'static str, Table>,
}

impl Store {
    pub(crate) fn new() -> Self {
        let types = super::all();
        let tables = types.iter().map(|object| (object.name, Table::default())).collect();
        Self { types, tables }
    }

    pub(crate) fn types(&self) -> &[ObjectType] {
        &self.types
    }

    /// The object type of that name, in any letter case.
    pub(crate) fn object(&self, name: &str) -> Option<&ObjectType> {
        self.types.iter().find(|object| object.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn new_id(&mut self, object: &str) -> String {
        let prefix = self.object(object).map_or("000", |object| object.key_prefix);
        let table = self.tables.entry(self.object(object).map_or("", |object| object.name)).or_default();
        table.last_number += 1;
        id::record_id(prefix, table.last_number)
    }

    pub(crate) fn live(&self, object: &str) -> impl Iterator<Item = &Record> {
        self.tables.get(object).into_iter().flat_map(|table| table.live.values())
    }

    /// Records in the recycle bin.
    pub(crate) fn in_bin(&self, object: &str) -> impl Iterator<Item = &Record> {
        self.tables.get(object).into_iter().flat_map(|table| table.bin.values())
    }

    pub(crate) fn live_count(&self, object: &str) -> usize {
        self.tables.get(object).map_or(0, |table| table.live.len())
    }

    pub(crate) fn get(&self, object: &str, id: &str) -> Option<&Record> {
        self.tables.get(object)?.live.get(id)
    }

    pub(crate) fn is_in_bin(&self, object: &str, id: &str) -> bool {
        self.tables.get(object).is_some_and(|table| table.bin.contains_key(id))
    }

    /// Stores a live record under its `Id`.
    pub(crate) fn put(&mut self, object: &ObjectType, record: Record) {
        let Some(id) = record.get("Id").and_then(Value::as_str).map(str::to_owned) else { return };
        self.tables.entry(object.name).or_default().live.insert(id, record);
    }

    /// Moves a live record to the recycle bin at that moment.
    pub(crate) fn delete(&mut self, object: &str, id: &str, now: &str) -> Option<&Record> {
        let table = self.tables.get_mut(object)?;
        let mut record = table.live.remove(id)?;
        record.insert("IsDeleted".to_owned(), Value::Bool(true));
        record.insert("SystemModstamp".to_owned(), Value::String(now.to_owned()));
        if table.bin.len() >= BIN_RECORDS_MAX {
            table.bin.pop_first();
        }
        table.bin.insert(id.to_owned(), record);
        table.bin.get(id)
    }

    /// Takes a record out of the recycle bin.
    pub(crate) fn undelete(&mut self, object: &str, id: &str) -> Option<Record> {
        let mut record = self.tables.get_mut(object)?.bin.remove(id)?;
        record.insert("IsDeleted".to_owned(), Value::Bool(false));
        Some(record)
    }

    /// A live record, chosen by chance.
    pub(crate) fn any_live(&self, object: &str, rng: &mut fastrand::Rng) -> Option<String> {
        let table = self.tables.get(object)?;
        pick(&table.live, self.object(object)?.key_prefix, table.last_number, rng)
    }

    /// A record of the recycle bin, chosen by chance.
    pub(crate) fn any_in_bin(&self, object: &str, rng: &mut fastrand::Rng) -> Option<String> {
        let table = self.tables.get(object)?;
        pick(&table.bin, self.object(object)?.key_prefix, table.last_number, rng)
    }
}

/// The first record at or after a random id, so that a choice costs no walk through the table.
fn pick(records: &BTreeMap<String, Record>, prefix: &str, last: u64, rng: &mut fastrand::Rng) -> Option<String> {
    let from = id::record_id(prefix, rng.u64(0..=last));
    records.range(from..).next().or_else(|| records.iter().next()).map(|(id, _)| id.clone())
}

/// Fills in what the platform computes: the compound name and formulas.
pub(crate) fn derive(object: &ObjectType, record: &mut Record) {
    if object.parts("Name").next().is_some() {
        let part = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{} {}", part("FirstName"), part("LastName")).trim().to_owned();
        record.insert("Name".to_owned(), Value::String(name));
    }
    for field in &object.fields {
        match field.access {
            Access::Formula("UPPER(Text__c)") => {
                let text = record.get("Text__c").and_then(Value::as_str).map(str::to_uppercase);
                record.insert(field.name.to_owned(), text.map_or(Value::Null, Value::String));
            }
            Access::RollUp => {
                record.entry(field.name).or_insert_with(|| json!(0.0));
            }
            _ if field.kind == FieldType::Boolean => {
                record.entry(field.name).or_insert(Value::Bool(false));
            }
            _ => {}
        }
    }
}

/// One field of a record, as it is read in that style.
pub(crate) fn value(object: &ObjectType, field: &Field, record: &Record, style: Style) -> Value {
    let stored = record.get(field.name).unwrap_or(&Value::Null);
    match field.kind {
        FieldType::Address => compound(object, field, record, &ADDRESS_MEMBERS, style != Style::Rest),
        FieldType::Location => {
            let capital = style == Style::Stream { capital_location: true };
            compound(object, field, record, &["Latitude", "Longitude"], capital)
        }
        FieldType::Datetime if style == Style::Rest => {
            stored.as_str().map_or(Value::Null, |text| Value::String(date::rest_datetime(text)))
        }
        FieldType::EncryptedString => {
            stored.as_str().map_or(Value::Null, |text| Value::String("*".repeat(text.chars().count())))
        }
        _ => stored.clone(),
    }
}

/// The nested object of a compound field, null members included; null when every part is.
fn compound(object: &ObjectType, field: &Field, record: &Record, members: &[&str], capital: bool) -> Value {
    let parts: Vec<_> =
        object.parts(field.name).map(|part| record.get(part.name).cloned().unwrap_or(Value::Null)).collect();
    if parts.iter().all(Value::is_null) {
        return Value::Null;
    }
    let name = |member: &str| {
        if capital { member.to_owned() } else { format!("{}{}", member[..1].to_ascii_lowercase(), &member[1..]) }
    };
    Value::Object(members.iter().zip(parts).map(|(member, part)| (name(member), part)).collect())
}

/// Brings a value that somebody wrote to the stored form: datetimes in UTC with `Z`, ids with 18 characters.
pub(crate) fn normalised(field: &Field, value: Value) -> Value {
    let Some(text) = value.as_str() else { return value };
    match field.kind {
        FieldType::Datetime => {
            date::parse_datetime(text).map_or(Value::Null, |at| Value::String(date::stream_datetime(at)))
        }
        FieldType::Reference => id::canonical(text).map_or(value, Value::String),
        _ => value,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn styles() {
        let store = Store::new();
        let object = store.object("everything__C").unwrap();
        let record = json!({
            "Datetime__c": "2024-02-29T10:00:00.000Z", "Location__Latitude__s": 1.5, "Encrypted__c": "abc",
            "Address__City__s": "Graz",
        });
        let record = record.as_object().unwrap();
        let address = json!({"Street": null, "City": "Graz", "State": null, "PostalCode": null, "Country": null,
            "Latitude": null, "Longitude": null, "GeocodeAccuracy": null});
        let stream = Style::Stream { capital_location: true };
        let lower = Style::Stream { capital_location: false };
        for (name, style, expected) in [
            ("Datetime__c", Style::Rest, json!("2024-02-29T10:00:00.000+0000")),
            ("Datetime__c", stream, json!("2024-02-29T10:00:00.000Z")),
            ("Location__c", stream, json!({"Latitude": 1.5, "Longitude": null})),
            ("Location__c", lower, json!({"latitude": 1.5, "longitude": null})),
            ("Location__c", Style::Rest, json!({"latitude": 1.5, "longitude": null})),
            ("Address__c", lower, address),
            ("Encrypted__c", stream, json!("***")),
            ("Text__c", stream, Value::Null),
        ] {
            assert_eq!(value(object, object.field(name).unwrap(), record, style), expected, "{name} {style:?}");
        }
    }

    #[test]
    fn records_come_and_go() {
        let mut store = Store::new();
        let lead = store.object("Lead").unwrap().clone();
        let id = store.new_id("Lead");
        let mut record = json!({"Id": id, "FirstName": "Ada", "LastName": "Byron"}).as_object().unwrap().clone();
        derive(&lead, &mut record);
        assert_eq!(record["Name"], "Ada Byron");
        assert_eq!(record["IsConverted"], false);
        store.put(&lead, record);
        assert!(store.get("Lead", &id).is_some() && !store.is_in_bin("Lead", &id));
        assert_eq!(store.any_live("Lead", &mut fastrand::Rng::with_seed(1)), Some(id.clone()));
        assert!(store.delete("Lead", &id, "2018-10-18T14:53:33.777Z").is_some());
        assert!(store.delete("Lead", &id, "2018-10-18T14:53:33.777Z").is_none(), "gone already");
        assert!(store.undelete("Lead", &id).is_some());
        assert!(store.undelete("Lead", &id).is_none(), "no longer in the bin");
    }
}
