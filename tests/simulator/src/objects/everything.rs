//! A custom object that has a field of every type, so that a client can be tried on each. Implements the type list of
//! the describe section (2.6) of the Salesforce facts page; the types that no admin can create stand here all the same.

use super::field::{Access, Field, FieldType};
use super::{ObjectType, address, head, system};

/// The object's describe data.
pub(super) fn everything() -> ObjectType {
    use FieldType::{
        AnyType, Base64, Boolean, Combobox, ComplexValue, Currency, DataCategoryGroupReference, Date, Datetime, Double,
        Email, EncryptedString, Int, Location, Long, Multipicklist, Percent, Phone, Picklist, Reference, String,
        Textarea, Time, Url,
    };
    let mut fields = head("Name", "Everything Name");
    fields[2].auto_number = true;
    fields[2].access = Access::System;
    fields.extend([
        Field::new("Text__c", "Text", String),
        Field { unique: true, external_id: true, ..Field::new("ExternalKey__c", "External Key", String).length(64) },
        Field::new("Picklist__c", "Picklist", Picklist).values(&["Red", "Green", "Blue"]),
        Field::new("Multipicklist__c", "Multipicklist", Multipicklist).values(&["North", "East", "South", "West"]),
        Field::new("Combobox__c", "Combobox", Combobox).values(&["Call", "Email", "Meeting"]),
        Field::new("Account__c", "Account", Reference).refers(&["Account"]),
        Field::new("Attachment__c", "Attachment", Base64),
        Field::new("Checkbox__c", "Checkbox", Boolean).required(),
        Field::new("Currency__c", "Currency", Currency).number(18, 2),
        Field::new("TextArea__c", "Text Area", Textarea),
        Field { extra_type: Some("plaintextarea"), ..Field::new("LongText__c", "Long Text", Textarea).length(32_768) },
        Field {
            html: true,
            extra_type: Some("richtextarea"),
            ..Field::new("RichText__c", "Rich Text", Textarea).length(32_768)
        },
        Field::new("Int__c", "Int", Int).number(9, 0),
        Field::new("Long__c", "Long", Long).number(19, 0),
        Field::new("Double__c", "Double", Double).number(16, 6),
        Field::new("Percent__c", "Percent", Percent).number(18, 4),
        Field::new("Phone__c", "Phone", Phone),
        Field::new("Date__c", "Date", Date),
        Field::new("Datetime__c", "Datetime", Datetime),
        Field::new("Time__c", "Time", Time),
        Field::new("Url__c", "Url", Url),
        Field::new("Email__c", "Email", Email),
        Field::new("Encrypted__c", "Encrypted", EncryptedString),
        Field::new("CategoryGroup__c", "Category Group", DataCategoryGroupReference),
        Field::new("Location__c", "Location", Location),
        Field::new("Location__Latitude__s", "Location (Latitude)", Double).number(18, 15).part_of("Location__c"),
        Field::new("Location__Longitude__s", "Location (Longitude)", Double).number(18, 15).part_of("Location__c"),
    ]);
    fields.extend(address("Address__c", &PARTS));
    fields.extend([
        Field::new("AnyType__c", "Any Type", AnyType).access(Access::System),
        Field::new("Complex__c", "Complex Value", ComplexValue).access(Access::System),
        Field::new("Formula__c", "Formula", String).length(1_300).access(Access::Formula("UPPER(Text__c)")),
        Field::new("RollUp__c", "Roll-Up", Double).number(18, 0).access(Access::RollUp),
    ]);
    fields.extend(system());
    ObjectType {
        name: "Everything__c",
        label: "Everything",
        label_plural: "Everythings",
        key_prefix: "a01",
        streamable: true,
        fields,
    }
}

const PARTS: [&str; 8] = [
    "Address__Street__s",
    "Address__City__s",
    "Address__StateCode__s",
    "Address__PostalCode__s",
    "Address__CountryCode__s",
    "Address__Latitude__s",
    "Address__Longitude__s",
    "Address__GeocodeAccuracy__s",
];
