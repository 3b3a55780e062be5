//! The platform's own objects: PushTopic, User and Organization. None of them can be streamed.
//!
//! Implements the PushTopic field table (2.3) of the Salesforce facts page.

use super::field::{Access, Field, FieldType};
use super::{ObjectType, head, system};

/// PushTopic.
pub(super) fn push_topic() -> ObjectType {
    use FieldType::{Boolean, Double, Picklist, String, Textarea};
    let mut fields = vec![
        Field::new("Id", "Push Topic ID", FieldType::Id).required().access(Access::System),
        Field { name_field: true, unique: true, ..Field::new("Name", "Topic Name", String).length(25).required() },
        Field::new("Query", "SOQL Query", Textarea).length(1_300).required(),
        Field::new("ApiVersion", "API Version", Double).number(4, 1).required(),
        Field::new("IsActive", "Is Active", Boolean).required(),
        Field::new("NotifyForFields", "Notify For Fields", Picklist).required().values(&[
            "Referenced",
            "All",
            "Select",
            "Where",
        ]),
        Field::new("NotifyForOperations", "Notify For Operations", Picklist)
            .required()
            .access(Access::System)
            .values(&["All", "Create", "Update", "Extended"]),
        Field::new("Description", "Description", Textarea).length(400),
        Field::new("NotifyForOperationCreate", "Create", Boolean).required(),
        Field::new("NotifyForOperationUpdate", "Update", Boolean).required(),
        Field::new("NotifyForOperationDelete", "Delete", Boolean).required(),
        Field::new("NotifyForOperationUndelete", "Undelete", Boolean).required(),
    ];
    fields.extend(system());
    ObjectType {
        name: "PushTopic",
        label: "Push Topic",
        label_plural: "Push Topics",
        key_prefix: "0IF",
        streamable: false,
        fields,
    }
}

/// User.
pub(super) fn user() -> ObjectType {
    let mut fields = head("Name", "Full Name");
    fields.extend([
        Field::new("Username", "Username", FieldType::String).length(80).required(),
        Field::new("Email", "Email", FieldType::Email).length(128),
        Field::new("IsActive", "Active", FieldType::Boolean).required(),
    ]);
    fields.extend(system());
    ObjectType { name: "User", label: "User", label_plural: "Users", key_prefix: "005", streamable: false, fields }
}

/// Organization.
pub(super) fn organization() -> ObjectType {
    let mut fields = head("Name", "Name");
    fields.extend([
        Field::new("OrganizationType", "Edition", FieldType::Picklist).values(&["Developer Edition"]),
        Field::new("InstanceName", "Instance Name", FieldType::String).length(5).access(Access::System),
        Field::new("IsSandbox", "Is Sandbox", FieldType::Boolean).access(Access::System),
    ]);
    fields.extend(system());
    ObjectType {
        name: "Organization",
        label: "Organization",
        label_plural: "Organizations",
        key_prefix: "00D",
        streamable: false,
        fields,
    }
}
