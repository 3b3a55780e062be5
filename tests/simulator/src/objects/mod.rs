//! The org's object types and their records.
//!
//! Implements sections 2.4 and 2.6 of the Salesforce facts page: which objects can be streamed, and what their describe
//! says.

mod account;
mod everything;
pub(crate) mod field;
mod lead;
mod platform;
mod store;

use serde::{Deserialize, Serialize};

pub(crate) use field::Access;
pub use field::{Field, FieldType};
pub(crate) use store::{Record, Store, Style, derive, normalised, value as value_of};

/// What happens to a record; the event `type` on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// A new record.
    #[default]
    Created,
    /// A changed record.
    Updated,
    /// A record that went to the recycle bin.
    Deleted,
    /// A record that came back from the recycle bin.
    Undeleted,
}

impl Operation {
    /// The event type on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Undeleted => "undeleted",
        }
    }
}

/// One sObject type.
#[derive(Clone, Debug)]
pub struct ObjectType {
    /// The API name.
    pub name: &'static str,
    /// The label.
    pub label: &'static str,
    /// The label for several.
    pub label_plural: &'static str,
    /// The first three characters of its records' ids.
    pub key_prefix: &'static str,
    /// Whether a PushTopic may query it.
    pub streamable: bool,
    /// The fields, in describe order.
    pub fields: Vec<Field>,
}

impl ObjectType {
    /// The field of that name; SOQL and REST do not care about letter case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Whether it is defined by the org's admin.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// The parts of a compound field, in describe order.
    pub(crate) fn parts<'a>(&'a self, compound: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.compound == Some(compound))
    }
}

/// Every object type of the org.
pub(crate) fn all() -> Vec<ObjectType> {
    vec![
        account::account(),
        everything::everything(),
        lead::lead(),
        platform::organization(),
        platform::push_topic(),
        platform::user(),
    ]
}

/// The fields with which every object begins: Id, IsDeleted and the name.
fn head(name: &'static str, label: &'static str) -> Vec<Field> {
    vec![
        Field::new("Id", "Record ID", FieldType::Id).required().access(Access::System),
        Field::new("IsDeleted", "Deleted", FieldType::Boolean).required().access(Access::System),
        Field { name_field: true, ..Field::new(name, label, FieldType::String).required() },
    ]
}

/// The fields with which every object ends.
fn system() -> Vec<Field> {
    let moment = |name, label| Field::new(name, label, FieldType::Datetime).required().access(Access::System);
    let user =
        |name, label| Field::new(name, label, FieldType::Reference).required().refers(&["User"]).access(Access::System);
    vec![
        moment("CreatedDate", "Created Date"),
        user("CreatedById", "Created By ID"),
        moment("LastModifiedDate", "Last Modified Date"),
        user("LastModifiedById", "Last Modified By ID"),
        moment("SystemModstamp", "System Modstamp"),
    ]
}

/// The names of the members of an address, in the order of its parts.
pub(crate) const ADDRESS_MEMBERS: [&str; 8] =
    ["Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy"];

const ACCURACIES: &[&str] = &["Address", "NearAddress", "Block", "Street", "City", "State", "Unknown"];

/// The parts of an address, in the order of [`ADDRESS_MEMBERS`], and the compound field behind them.
fn address(compound: &'static str, parts: &[&'static str; 8]) -> Vec<Field> {
    let kinds = [
        (FieldType::Textarea, 255, 0),
        (FieldType::String, 40, 0),
        (FieldType::String, 80, 0),
        (FieldType::String, 20, 0),
        (FieldType::String, 80, 0),
        (FieldType::Double, 0, 15),
        (FieldType::Double, 0, 15),
        (FieldType::Picklist, 40, 0),
    ];
    let mut fields: Vec<_> = parts
        .iter()
        .zip(kinds)
        .zip(ADDRESS_MEMBERS)
        .map(|((name, (kind, length, scale)), label)| {
            let field = Field::new(name, label, kind).length(length).part_of(compound);
            match kind {
                FieldType::Double => field.number(18, scale),
                FieldType::Picklist => field.values(ACCURACIES),
                _ => field,
            }
        })
        .collect();
    fields.push(Field::new(compound, "Address", FieldType::Address));
    fields
}
