//! `RecordSchemas`: Kafka Connect schemas of an object's records, made from its describe, and how each field travels.
//! Shapes follow Confluent's connector (namespace, `<Object>Key`, describe's order, all optional but `Id`, `_ObjectType`
//! and `_EventType` last); what it is not known to do is decided here:
//!
//! * `percent` is a float64, as `double` is: Salesforce sends both as JSON numbers of the same kind.
//! * `location` is a struct `Location` with `Latitude` and `Longitude`, spelt as the like members of `Address`.
//! * `base64` stays the text that Salesforce sends, which may be the address of the content instead of the content.
//! * `time` is Connect's Time, `long` an int64, `decimal` a Decimal with describe's scale.
//! * Types that may hold anything (`anyType`, `json`, `complexvalue`) and types that are not known yet are texts; other
//!   JSON than a text is kept as JSON text. No describe type stops a connector; unknown ones are reported.

use std::sync::Arc;

use super::{
    describe::{Describe, DescribeField},
    wire_type::WireType,
};
use crate::data::{Field, Schema};

/// Namespace of every named schema of a record.
pub const NAMESPACE: &str = "io.confluent.salesforce";
/// The field that identifies a record.
pub const ID: &str = "Id";
/// The field that names the object, last but one of the value.
pub const OBJECT_TYPE: &str = "_ObjectType";
/// The field that says what happened, last of the value.
pub const EVENT_TYPE: &str = "_EventType";
/// The system field with the time of the last change of any kind.
pub const SYSTEM_MODSTAMP: &str = "SystemModstamp";

/// Documentation of `Id`.
const ID_DOC: &str = "Salesforce's identifier of the record.";

/// Members of an address, in the order of the schema. Salesforce sends them nested, in an order of its own.
const ADDRESS_MEMBERS: [(&str, WireType); 10] = [
    ("GeocodeAccuracy", WireType::Text),
    ("State", WireType::Text),
    ("Street", WireType::Text),
    ("PostalCode", WireType::Text),
    ("Country", WireType::Text),
    ("Latitude", WireType::Float64),
    ("City", WireType::Text),
    ("Longitude", WireType::Float64),
    ("CountryCode", WireType::Text),
    ("StateCode", WireType::Text),
];

/// Members of a geolocation.
const LOCATION_MEMBERS: [(&str, WireType); 2] = [("Latitude", WireType::Float64), ("Longitude", WireType::Float64)];

/// A describe type that this version does not know. Its values are texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownType {
    /// The field.
    pub field: String,
    /// Its describe type.
    pub field_type: String,
}

/// Everything about an object's records that does not change from event to event.
#[derive(Clone, Debug)]
pub struct RecordSchemas {
    /// The object's API name, as describe spells it.
    pub object: Arc<str>,
    /// Schema of keys.
    pub key: Arc<Schema>,
    /// Schema of values.
    pub value: Arc<Schema>,
    /// Fields whose describe type is not known; for a warning at start.
    pub unknown_types: Vec<UnknownType>,
    /// How the fields of `value` travel, in its order; without the two metadata fields.
    pub(super) wire: Vec<Wire>,
    /// Positions in `value` by field name, sorted by name; without the two metadata fields.
    by_name: Vec<(Arc<str>, usize)>,
}

/// How a field of the object travels.
#[derive(Clone, Debug)]
pub(super) enum Wire {
    /// As one value.
    Plain(WireType),
    /// As a nested object with these members, in the order of the schema's fields.
    Compound(Arc<Schema>, &'static [(&'static str, WireType)]),
}

impl RecordSchemas {
    /// The schemas of the described object's records.
    #[must_use]
    pub fn new(describe: &Describe) -> Self {
        let address = Arc::new(address_schema());
        let location = Arc::new(compound_schema("Location", &LOCATION_MEMBERS));
        let mut unknown_types = Vec::new();
        let mut fields = Vec::with_capacity(describe.fields.len() + 2);
        let mut wire = Vec::with_capacity(describe.fields.len());
        for field in &describe.fields {
            let travels = match field.field_type.as_str() {
                "address" => Wire::Compound(Arc::clone(&address), &ADDRESS_MEMBERS),
                "location" => Wire::Compound(Arc::clone(&location), &LOCATION_MEMBERS),
                _ => Wire::Plain(wire_type(field).unwrap_or_else(|| {
                    let (field, field_type) = (field.name.clone(), field.field_type.clone());
                    unknown_types.push(UnknownType { field, field_type });
                    WireType::AnyText
                })),
            };
            let schema = match &travels {
                Wire::Plain(_) if field.name == ID => Arc::new(id_schema()),
                Wire::Plain(wire) => Arc::new(wire.schema()),
                Wire::Compound(schema, _) => Arc::clone(schema),
            };
            fields.push(Field::new(field.name.as_str(), schema));
            wire.push(travels);
        }
        let mut by_name: Vec<(Arc<str>, usize)> =
            fields.iter().enumerate().map(|(position, field)| (Arc::clone(&field.name), position)).collect();
        by_name.sort_unstable();
        fields.push(Field::new(OBJECT_TYPE, Schema::string().optional()));
        fields.push(Field::new(EVENT_TYPE, Schema::string().optional()));
        let object = describe.name.as_str();
        let key = Schema::structure(vec![Field::new(ID, id_schema())]).named(format!("{NAMESPACE}.{object}Key"));
        let value = Schema::structure(fields).named(format!("{NAMESPACE}.{object}"));
        Self { object: object.into(), key: Arc::new(key), value: Arc::new(value), unknown_types, wire, by_name }
    }

    /// The same as `position`, at less cost when the guess is right: events mostly keep the order of describe.
    pub(super) fn position_guessed(&self, field: &str, guess: usize) -> Option<usize> {
        match self.value.fields().get(guess) {
            Some(guessed) if guess < self.wire.len() && *guessed.name == *field => Some(guess),
            _ => self.position(field),
        }
    }

    /// The position in `value` of a field of the object; the metadata fields are not found.
    pub(super) fn position(&self, field: &str) -> Option<usize> {
        let found = self.by_name.binary_search_by(|(name, _)| (**name).cmp(field)).ok()?;
        Some(self.by_name[found].1)
    }
}

/// The wire type of every describe type but the compounds; `None` for one that is not known.
fn wire_type(field: &DescribeField) -> Option<WireType> {
    if field.name == ID {
        return Some(WireType::Text);
    }
    Some(match field.field_type.as_str() {
        "id"
        | "string"
        | "picklist"
        | "multipicklist"
        | "combobox"
        | "reference"
        | "textarea"
        | "phone"
        | "url"
        | "email"
        | "encryptedstring"
        | "datacategorygroupreference"
        | "base64" => WireType::Text,
        "anyType" | "complexvalue" | "json" | "floatarray" => WireType::AnyText,
        "currency" => WireType::CurrencyText,
        "boolean" => WireType::Boolean,
        "int" => WireType::Int32,
        "long" => WireType::Int64,
        "double" | "percent" => WireType::Float64,
        "decimal" => WireType::Decimal { scale: field.scale },
        "date" => WireType::Date,
        "time" => WireType::Time,
        "datetime" => WireType::Timestamp,
        _ => return None,
    })
}

fn id_schema() -> Schema {
    Schema::string().documented(ID_DOC)
}

fn compound_schema(name: &str, members: &[(&'static str, WireType)]) -> Schema {
    let fields = members.iter().map(|(name, wire)| Field::new(*name, wire.schema())).collect();
    Schema::structure(fields).optional().named(format!("{NAMESPACE}.{name}"))
}

/// Confluent's records carry an empty documentation on `State`; consumers compare schemas, so it stays.
fn address_schema() -> Schema {
    let documented = |(name, wire): &(&'static str, WireType)| {
        let schema = if *name == "State" { wire.schema().documented("") } else { wire.schema() };
        Field::new(*name, schema)
    };
    let fields = ADDRESS_MEMBERS.iter().map(documented).collect();
    Schema::structure(fields).optional().named(format!("{NAMESPACE}.Address"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::logical;

    fn describe(fields: &[(&str, &str)]) -> Describe {
        let field = |(name, field_type): &(&str, &str)| DescribeField {
            name: (*name).to_owned(),
            field_type: (*field_type).to_owned(),
            scale: 3,
            ..DescribeField::default()
        };
        Describe { name: "Lead".into(), fields: fields.iter().map(field).collect() }
    }

    #[test]
    fn every_describe_type_has_a_schema() {
        let text = || Schema::string().optional();
        let cases = [
            ("id", text()),
            ("string", text()),
            ("picklist", text()),
            ("multipicklist", text()),
            ("combobox", text()),
            ("reference", text()),
            ("base64", text()),
            ("boolean", Schema::boolean().optional()),
            ("currency", text()),
            ("textarea", text()),
            ("int", Schema::int32().optional()),
            ("long", Schema::int64().optional()),
            ("double", Schema::float64().optional()),
            ("percent", Schema::float64().optional()),
            ("decimal", logical::decimal(3).optional()),
            ("phone", text()),
            ("date", logical::date().optional()),
            ("datetime", logical::timestamp().optional()),
            ("time", logical::time().optional()),
            ("url", text()),
            ("email", text()),
            ("encryptedstring", text()),
            ("datacategorygroupreference", text()),
            ("anyType", text()),
            ("complexvalue", text()),
            ("json", text()),
            ("floatarray", text()),
        ];
        for (field_type, expected) in cases {
            let schemas = RecordSchemas::new(&describe(&[("Id", "id"), ("F__c", field_type)]));
            assert_eq!(*schemas.value.fields()[1].schema, expected, "{field_type}");
            assert_eq!(schemas.unknown_types, [], "{field_type}");
        }
        let schemas = RecordSchemas::new(&describe(&[("Id", "id"), ("F__c", "hologram"), ("G__c", "")]));
        assert_eq!(*schemas.value.fields()[1].schema, text());
        let unknown =
            |field: &str, field_type: &str| UnknownType { field: field.into(), field_type: field_type.into() };
        assert_eq!(schemas.unknown_types, [unknown("F__c", "hologram"), unknown("G__c", "")]);
    }

    /// Names, order and optionality of a record captured from Confluent's connector (facts: peer connectors, 1.1).
    #[test]
    fn shapes_are_those_of_confluents_connector() {
        let schemas = RecordSchemas::new(&describe(&[
            ("Name", "string"),
            ("Id", "id"),
            ("Address", "address"),
            ("Geo__c", "location"),
        ]));
        assert_eq!(schemas.key.name.as_deref(), Some("io.confluent.salesforce.LeadKey"));
        assert_eq!(schemas.value.name.as_deref(), Some("io.confluent.salesforce.Lead"));
        assert!(!schemas.key.optional && !schemas.value.optional);
        let outline = |schema: &Schema| -> Vec<(String, bool)> {
            schema.fields().iter().map(|field| (field.name.to_string(), field.schema.optional)).collect()
        };
        let expected = [
            ("Name", true),
            ("Id", false),
            ("Address", true),
            ("Geo__c", true),
            ("_ObjectType", true),
            ("_EventType", true),
        ];
        assert_eq!(outline(&schemas.value), expected.map(|(name, optional)| (name.to_owned(), optional)));
        assert_eq!(outline(&schemas.key), [("Id".to_owned(), false)]);
        assert!(schemas.key.fields()[0].schema.doc.as_deref().is_some_and(|doc| !doc.is_empty()));
        let address = &schemas.value.fields()[2].schema;
        assert_eq!(address.name.as_deref(), Some("io.confluent.salesforce.Address"));
        let names = [
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
        assert_eq!(outline(address), names.map(|name| (name.to_owned(), true)));
        let docs: Vec<_> = address.fields().iter().map(|field| field.schema.doc.as_deref()).collect();
        assert_eq!(docs.iter().filter(|doc| doc.is_some()).count(), 1);
        assert_eq!(docs[1], Some(""));
        assert_eq!(address.fields()[5].schema.kind.name(), "float64");
        assert_eq!(schemas.value.fields()[3].schema.name.as_deref(), Some("io.confluent.salesforce.Location"));
        assert_eq!(
            (schemas.position_guessed("Address", 2), schemas.position_guessed("Address", 0)),
            (Some(2), Some(2))
        );
        assert_eq!((schemas.position_guessed("_ObjectType", 4), schemas.position_guessed("Id", 9)), (None, Some(1)));
        assert_eq!(
            (schemas.position("Address"), schemas.position("_EventType"), schemas.position("id")),
            (Some(2), None, None)
        );
    }
}
