//! The describe documents of the REST API: the list of sObjects and one object with all its fields.
//!
//! Implements the key set of the describe section (2.6) of the Salesforce facts page.

use serde_json::{Value, json};

use crate::objects::{Access, Field, FieldType, ObjectType};

/// The answer of `GET …/sobjects/`.
pub(crate) fn global(types: &[ObjectType], version: &str) -> Value {
    let sobjects: Vec<_> = types.iter().map(|object| summary(object, version)).collect();
    json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects})
}

/// The answer of `GET …/sobjects/X`.
pub(crate) fn basic(object: &ObjectType, version: &str) -> Value {
    json!({"objectDescribe": summary(object, version), "recentItems": []})
}

/// The answer of `GET …/sobjects/X/describe`.
pub(crate) fn full(object: &ObjectType, version: &str) -> Value {
    let mut document = summary(object, version);
    document["fields"] = object.fields.iter().map(|field| describe(object, field)).collect();
    document["childRelationships"] = json!([]);
    document["recordTypeInfos"] = json!([{
        "active": true, "available": true, "defaultRecordTypeMapping": true, "developerName": "Master", "master": true,
        "name": "Master", "recordTypeId": "012000000000000AAA", "urls": {},
    }]);
    document["namedLayoutInfos"] = json!([]);
    document["supportedScopes"] = json!([{"label": "All records", "name": "everything"}]);
    document["compactLayoutable"] = json!(object.streamable);
    document["searchLayoutable"] = json!(object.streamable);
    document
}

fn summary(object: &ObjectType, version: &str) -> Value {
    let url = format!("/services/data/v{version}/sobjects/{}", object.name);
    json!({
        "activateable": false, "createable": true, "custom": object.is_custom(), "customSetting": false,
        "deletable": true, "deprecatedAndHidden": false, "feedEnabled": object.streamable, "hasSubtypes": false,
        "keyPrefix": object.key_prefix, "label": object.label, "labelPlural": object.label_plural, "layoutable": true,
        "mergeable": false, "mruEnabled": object.streamable, "name": object.name, "queryable": true,
        "replicateable": true, "retrieveable": true, "searchable": object.streamable, "triggerable": true,
        "undeletable": object.streamable, "updateable": true,
        "urls": {
            "describe": format!("{url}/describe"), "rowTemplate": format!("{url}/{{ID}}"), "sobject": url,
        },
    })
}

fn describe(object: &ObjectType, field: &Field) -> Value {
    let mut document = shape(object, field);
    if let (Some(document), Value::Object(rest)) = (document.as_object_mut(), behaviour(field)) {
        document.extend(rest);
    }
    document
}

/// What a field is: its type, sizes and texts.
fn shape(object: &ObjectType, field: &Field) -> Value {
    let values: Vec<_> = field
        .values
        .iter()
        .map(|value| json!({"active": true, "defaultValue": false, "label": value, "validFor": null, "value": value}))
        .collect();
    let relationship = match field.kind {
        FieldType::Reference => relationship_name(field.name),
        _ => None,
    };
    let formula = match field.access {
        Access::Formula(text) => json!(text),
        _ => Value::Null,
    };
    let masked = field.kind == FieldType::EncryptedString;
    json!({
        "autoNumber": field.auto_number, "byteLength": byte_length(field), "calculated": field.is_calculated(),
        "calculatedFormula": formula, "compoundFieldName": field.compound, "custom": field.is_custom(),
        "defaultValue": (field.kind == FieldType::Boolean).then_some(false), "defaultValueFormula": null,
        "digits": digits(field), "displayLocationInDecimal": field.kind == FieldType::Location, "encrypted": masked,
        "externalId": field.external_id, "extraTypeInfo": extra_type(object, field), "htmlFormatted": field.html,
        "inlineHelpText": null, "label": field.label, "length": field.length, "mask": masked.then_some("*"),
        "maskType": masked.then_some("all"), "name": field.name, "nameField": field.name_field,
        "nillable": field.nillable, "picklistValues": values, "precision": precision(field),
        "referenceTargetField": null, "referenceTo": field.refers, "relationshipName": relationship,
        "relationshipOrder": null, "scale": scale(field), "soapType": field.kind.soap_type(),
        "type": field.kind.name(), "unique": field.unique,
    })
}

/// What can be done with a field.
fn behaviour(field: &Field) -> Value {
    let is_choice = matches!(field.kind, FieldType::Picklist | FieldType::Multipicklist | FieldType::Combobox);
    let sortable = !field.kind.is_compound() && field.length <= 4_000;
    let polymorphic = field.refers.len() > 1;
    json!({
        "aggregatable": sortable, "aiPredictionField": false, "cascadeDelete": false, "caseSensitive": false,
        "controllerName": null, "createable": field.is_writable(), "dependentPicklist": false,
        "defaultedOnCreate": field.kind == FieldType::Boolean, "deprecatedAndHidden": false, "filterable": sortable,
        "filteredLookupInfo": null, "formulaTreatNullNumberAsZero": false, "groupable": sortable,
        "highScaleNumber": false, "idLookup": field.kind == FieldType::Id || field.external_id,
        "namePointing": polymorphic, "permissionable": field.is_custom() && field.nillable,
        "polymorphicForeignKey": polymorphic, "queryByDistance": field.kind.is_compound(), "restrictedDelete": false,
        "restrictedPicklist": is_choice && field.is_custom(), "searchPrefilterable": false, "sortable": sortable,
        "updateable": field.is_writable(), "writeRequiresMasterRead": false,
    })
}

fn relationship_name(field: &str) -> Option<String> {
    match field.strip_suffix("__c") {
        Some(head) => Some(format!("{head}__r")),
        None => field.strip_suffix("Id").map(str::to_owned),
    }
}

fn extra_type(object: &ObjectType, field: &Field) -> Option<&'static str> {
    match field.compound {
        Some("Name") if object.name == "Lead" => Some("personname"),
        _ if field.kind == FieldType::Textarea && field.extra_type.is_none() => Some("plaintextarea"),
        _ => field.extra_type,
    }
}

fn byte_length(field: &Field) -> u32 {
    match field.kind {
        FieldType::Id | FieldType::Reference => 18,
        _ => field.length * 3,
    }
}

fn is_decimal(field: &Field) -> bool {
    matches!(field.kind, FieldType::Double | FieldType::Currency | FieldType::Percent)
}

fn precision(field: &Field) -> u32 {
    if is_decimal(field) { field.precision } else { 0 }
}

fn scale(field: &Field) -> u32 {
    if is_decimal(field) { field.scale } else { 0 }
}

fn digits(field: &Field) -> u32 {
    if matches!(field.kind, FieldType::Int | FieldType::Long) { field.precision } else { 0 }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::objects;

    #[test]
    fn documents() {
        let types = objects::all();
        let list = global(&types, "67.0");
        let url = list["sobjects"][2]["urls"]["describe"].as_str().unwrap();
        assert_eq!(url, "/services/data/v67.0/sobjects/Lead/describe");
        let lead = full(types.iter().find(|object| object.name == "Lead").unwrap(), "67.0");
        let field =
            |name: &str| lead["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap().clone();
        // Lengths and precisions as in the captured describe of section 2.6.
        for (name, key, expected) in [
            ("Id", "length", json!(18)),
            ("AnnualRevenue", "precision", json!(18)),
            ("AnnualRevenue", "scale", json!(0)),
            ("Latitude", "scale", json!(15)),
            ("Latitude", "compoundFieldName", json!("Address")),
            ("Street", "length", json!(255)),
            ("Description", "length", json!(32_000)),
            ("Address", "type", json!("address")),
            ("OwnerId", "referenceTo", json!(["Group", "User"])),
            ("Name", "createable", json!(false)),
            ("NumberOfEmployees", "digits", json!(8)),
        ] {
            assert_eq!(field(name)[key], expected, "{name}.{key}");
        }
    }

    #[test]
    fn one_object_has_every_type() {
        let types = objects::all();
        let object = types.iter().find(|object| object.name == "Everything__c").unwrap();
        let all = "string picklist multipicklist combobox reference base64 boolean currency textarea int double percent \
                   phone id date datetime time url email encryptedstring datacategorygroupreference location address \
                   anyType complexvalue long";
        for kind in all.split_whitespace() {
            assert!(object.fields.iter().any(|field| field.kind.name() == kind), "{kind}");
        }
    }
}
