//! One field of an sObject: its describe properties and what values it takes.
//!
//! Implements the field types and keys of the describe section (2.6) of the Salesforce facts page.

use serde_json::Value;

use crate::date;

/// The types that describe names, and their SOAP type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// The record's own id.
    Id,
    /// Plain text.
    String,
    /// One of a list.
    Picklist,
    /// Several of a list, joined by semicolons.
    Multipicklist,
    /// A list that takes other values too.
    Combobox,
    /// The id of another record.
    Reference,
    /// Binary data in base 64.
    Base64,
    /// True or false.
    Boolean,
    /// An amount of money.
    Currency,
    /// Text of several lines.
    Textarea,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A number.
    Double,
    /// A percentage, as a number.
    Percent,
    /// A telephone number.
    Phone,
    /// A day.
    Date,
    /// A moment, with milliseconds.
    Datetime,
    /// A time of day.
    Time,
    /// A web address.
    Url,
    /// A mail address.
    Email,
    /// Text that is stored encrypted and shown masked.
    EncryptedString,
    /// A reference to a data category group.
    DataCategoryGroupReference,
    /// Latitude and longitude.
    Location,
    /// A postal address.
    Address,
    /// Any simple type.
    AnyType,
    /// A structured value.
    ComplexValue,
}

impl FieldType {
    /// The name in describe.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::String => "string",
            Self::Picklist => "picklist",
            Self::Multipicklist => "multipicklist",
            Self::Combobox => "combobox",
            Self::Reference => "reference",
            Self::Base64 => "base64",
            Self::Boolean => "boolean",
            Self::Currency => "currency",
            Self::Textarea => "textarea",
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::Percent => "percent",
            Self::Phone => "phone",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Time => "time",
            Self::Url => "url",
            Self::Email => "email",
            Self::EncryptedString => "encryptedstring",
            Self::DataCategoryGroupReference => "datacategorygroupreference",
            Self::Location => "location",
            Self::Address => "address",
            Self::AnyType => "anyType",
            Self::ComplexValue => "complexvalue",
        }
    }

    pub(crate) fn soap_type(self) -> &'static str {
        match self {
            Self::Id | Self::Reference => "tns:ID",
            Self::Boolean => "xsd:boolean",
            Self::Int => "xsd:int",
            Self::Long => "xsd:long",
            Self::Double | Self::Currency | Self::Percent => "xsd:double",
            Self::Date => "xsd:date",
            Self::Datetime => "xsd:dateTime",
            Self::Time => "xsd:time",
            Self::Base64 => "xsd:base64Binary",
            Self::Location => "tns:location",
            Self::Address => "urn:address",
            Self::AnyType | Self::ComplexValue => "xsd:anyType",
            _ => "xsd:string",
        }
    }

    /// Whether SOQL compares the type with a quoted literal.
    pub(crate) fn is_quoted(self) -> bool {
        self.soap_type() == "xsd:string" || self.soap_type() == "tns:ID"
    }

    /// Whether the value is made of other fields.
    pub(crate) fn is_compound(self) -> bool {
        matches!(self, Self::Address | Self::Location)
    }

    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Self::Long => value.is_i64(),
            Self::Double | Self::Currency | Self::Percent => value.is_number(),
            Self::Date => value.as_str().is_some_and(date::is_date),
            Self::Time => value.as_str().is_some_and(date::is_time),
            Self::Datetime => value.as_str().is_some_and(|text| date::parse_datetime(text).is_some()),
            Self::AnyType | Self::ComplexValue => true,
            Self::Address | Self::Location => false,
            _ => value.is_string(),
        }
    }
}

/// What may be written to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Users set it.
    Writable,
    /// The platform sets it.
    System,
    /// A formula; the platform computes it from other fields.
    Formula(&'static str),
    /// Computed from detail records; never notifies.
    RollUp,
}

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    /// The API name.
    pub name: &'static str,
    /// The label.
    pub label: &'static str,
    /// The type.
    pub kind: FieldType,
    /// Longest text in characters; 0 for what is no text.
    pub length: u32,
    /// All digits of a number.
    pub precision: u32,
    /// Digits behind the point.
    pub scale: u32,
    /// Whether it may be empty.
    pub nillable: bool,
    /// The compound field that it is a part of.
    pub compound: Option<&'static str>,
    pub(crate) access: Access,
    pub(crate) unique: bool,
    pub(crate) external_id: bool,
    pub(crate) name_field: bool,
    pub(crate) auto_number: bool,
    pub(crate) html: bool,
    pub(crate) extra_type: Option<&'static str>,
    pub(crate) values: &'static [&'static str],
    pub(crate) refers: &'static [&'static str],
}

impl Field {
    pub(crate) fn new(name: &'static str, label: &'static str, kind: FieldType) -> Self {
        let (length, precision, scale) = match kind {
            FieldType::Id | FieldType::Reference => (18, 0, 0),
            FieldType::String | FieldType::Picklist | FieldType::Combobox | FieldType::Url => (255, 0, 0),
            FieldType::Textarea => (255, 0, 0),
            FieldType::Multipicklist => (4_099, 0, 0),
            FieldType::Phone => (40, 0, 0),
            FieldType::Email => (80, 0, 0),
            FieldType::EncryptedString => (175, 0, 0),
            FieldType::DataCategoryGroupReference => (80, 0, 0),
            FieldType::Currency | FieldType::Percent | FieldType::Double => (0, 18, 2),
            _ => (0, 0, 0),
        };
        Self {
            name,
            label,
            kind,
            length,
            precision,
            scale,
            nillable: true,
            compound: None,
            access: if kind.is_compound() { Access::System } else { Access::Writable },
            unique: false,
            external_id: false,
            name_field: false,
            auto_number: false,
            html: false,
            extra_type: None,
            values: &[],
            refers: &[],
        }
    }

    pub(crate) fn length(self, length: u32) -> Self {
        Self { length, ..self }
    }

    pub(crate) fn number(self, precision: u32, scale: u32) -> Self {
        Self { precision, scale, ..self }
    }

    pub(crate) fn required(self) -> Self {
        Self { nillable: false, ..self }
    }

    pub(crate) fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    pub(crate) fn part_of(self, compound: &'static str) -> Self {
        Self { compound: Some(compound), ..self }
    }

    pub(crate) fn values(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    pub(crate) fn refers(self, refers: &'static [&'static str]) -> Self {
        Self { refers, ..self }
    }

    /// Whether it is defined by the org's admin.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.name.ends_with("__c") || self.name.ends_with("__s")
    }

    /// Whether the platform computes it.
    pub(crate) fn is_calculated(&self) -> bool {
        matches!(self.access, Access::Formula(_) | Access::RollUp)
    }

    /// Whether users may set it.
    pub(crate) fn is_writable(&self) -> bool {
        self.access == Access::Writable
    }

    /// Says why the field does not take the value: error code and message.
    pub(crate) fn refuses(&self, value: &Value) -> Option<(&'static str, String)> {
        if value.is_null() {
            let text = format!("Required fields are missing: [{}]", self.name);
            return (!self.nillable && self.is_writable()).then_some(("REQUIRED_FIELD_MISSING", text));
        }
        if !self.kind.takes(value) {
            let text =
                format!("Cannot deserialize instance of {} from VALUE for field {}", self.kind.name(), self.name);
            return Some(("JSON_PARSER_ERROR", text));
        }
        let text = value.as_str()?;
        if self.length > 0 && text.chars().count() > self.length as usize {
            let shown: String = text.chars().take(255).collect();
            let text = format!("{}: data value too large: {shown} (max length={})", self.label, self.length);
            return Some(("STRING_TOO_LONG", text));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values() {
        for (kind, good, bad) in [
            (FieldType::String, json!("a"), json!(1)),
            (FieldType::Boolean, json!(true), json!("true")),
            (FieldType::Int, json!(2_147_483_647), json!(2_147_483_648_u64)),
            (FieldType::Long, json!(9_007_199_254_740_993_i64), json!(1.5)),
            (FieldType::Double, json!(1.5), json!("1.5")),
            (FieldType::Date, json!("2024-02-29"), json!("2023-02-29")),
            (FieldType::Time, json!("23:59:59.999Z"), json!("24:00")),
            (FieldType::Datetime, json!("2024-02-29T10:00:00.000+0000"), json!("2024-02-29")),
        ] {
            let field = Field::new("F__c", "F", kind);
            assert_eq!(field.refuses(&good), None, "{kind:?} {good}");
            assert!(field.refuses(&bad).is_some(), "{kind:?} {bad}");
        }
        let name = Field::new("Name", "Topic Name", FieldType::String).length(25);
        assert_eq!(name.refuses(&json!("x".repeat(25))), None);
        let text = "Topic Name: data value too large: ABCDEFGHIJKLMNOPQRSTUVWXYZ (max length=25)".to_owned();
        assert_eq!(name.refuses(&json!("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), Some(("STRING_TOO_LONG", text)));
    }
}
