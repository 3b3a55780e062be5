//! PushTopics as REST documents: what may be written to one, and how one reads.
//!
//! Implements the field table and the create errors of section 2.3 of the Salesforce facts page.

use serde_json::{Map, Value, json};

use super::check::compile;
use super::{Compiled, NotifyForFields, NotifyForOperations, PushTopic};
use crate::date;
use crate::objects::{Record, Store};
use crate::rest::RestError;

/// The values of a PushTopic that is about to be created or changed, checked.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) query: String,
    pub(crate) api_version: f64,
    pub(crate) is_active: bool,
    pub(crate) description: Option<String>,
    pub(crate) fields: NotifyForFields,
    pub(crate) operations: NotifyForOperations,
    pub(crate) compiled: Compiled,
}

impl Draft {
    /// Checks the body of a create or, with the topic as it is, of an update.
    pub(crate) fn read(store: &Store, body: &Record, present: Option<&PushTopic>) -> Result<Self, RestError> {
        check_members(store, body)?;
        let mut record = present.map(PushTopic::record).unwrap_or_default();
        record.extend(body.clone());
        let missing: Vec<_> = ["Name", "Query", "ApiVersion"]
            .into_iter()
            .filter(|name| record.get(*name).is_none_or(|value| value.is_null() || value == ""))
            .collect();
        if !missing.is_empty() {
            let text = format!("Required fields are missing: [{}]", missing.join(", "));
            return Err(RestError::bad("REQUIRED_FIELD_MISSING", text).fields(&missing));
        }
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let flag = |name: &str| record.get(name).and_then(Value::as_bool).unwrap_or(true);
        let fields = match record.get("NotifyForFields").and_then(Value::as_str) {
            None => NotifyForFields::default(),
            Some(name) => NotifyForFields::parse(name).ok_or_else(|| {
                let text = format!("Notify For Fields: bad value for restricted picklist field: {name}");
                RestError::bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text).field("NotifyForFields")
            })?,
        };
        let api_version = record.get("ApiVersion").and_then(Value::as_f64).unwrap_or_default();
        if api_version <= 20.0 || api_version.fract() != 0.0 || api_version > crate::rest::LATEST_VERSION {
            let text = format!("API Version: {api_version:.1} is not a supported version");
            return Err(RestError::bad("FIELD_INTEGRITY_EXCEPTION", text).field("ApiVersion"));
        }
        Ok(Self {
            name: text("Name").to_owned(),
            query: text("Query").to_owned(),
            api_version,
            is_active: flag("IsActive"),
            description: record.get("Description").and_then(Value::as_str).map(str::to_owned),
            fields,
            operations: NotifyForOperations {
                create: flag("NotifyForOperationCreate"),
                update: flag("NotifyForOperationUpdate"),
                delete: flag("NotifyForOperationDelete"),
                undelete: flag("NotifyForOperationUndelete"),
            },
            compiled: compile(store, text("Query"), fields)?,
        })
    }
}

fn check_members(store: &Store, body: &Record) -> Result<(), RestError> {
    let Some(object) = store.object("PushTopic") else { return Ok(()) };
    for (name, value) in body {
        let field = object.fields.iter().find(|field| field.name == name).ok_or_else(|| {
            RestError::bad("INVALID_FIELD", format!("No such column '{name}' on sobject of type PushTopic"))
        })?;
        if !field.is_writable() {
            let text = format!(
                "Unable to create/update fields: {name}. Please check the security settings of this field and verify \
                 that it is read/write for your profile or permission set."
            );
            return Err(RestError::bad("INVALID_FIELD_FOR_INSERT_UPDATE", text).field(field.name));
        }
        // A missing value is found later, all of them at once.
        if !value.is_null()
            && let Some((code, text)) = field.refuses(value)
        {
            return Err(RestError::bad(code, text).field(field.name));
        }
    }
    Ok(())
}

impl PushTopic {
    /// The topic's fields as REST and queries see them (datetimes in their stored form).
    pub(crate) fn record(&self) -> Record {
        let mut record = self.writable();
        record.insert("Id".to_owned(), json!(*self.id));
        record.insert("NotifyForOperations".to_owned(), json!(self.operations.name()));
        for (name, at) in [
            ("CreatedDate", self.created_ms),
            ("LastModifiedDate", self.modified_ms),
            ("SystemModstamp", self.modified_ms),
        ] {
            record.insert(name.to_owned(), json!(date::stream_datetime(at)));
        }
        record
    }

    fn writable(&self) -> Record {
        let fields = [
            ("Name", json!(*self.name)),
            ("Query", json!(self.query)),
            ("ApiVersion", json!(self.api_version)),
            ("IsActive", json!(self.is_active)),
            ("Description", json!(self.description)),
            ("NotifyForFields", json!(self.fields.name())),
            ("NotifyForOperationCreate", json!(self.operations.create)),
            ("NotifyForOperationUpdate", json!(self.operations.update)),
            ("NotifyForOperationDelete", json!(self.operations.delete)),
            ("NotifyForOperationUndelete", json!(self.operations.undelete)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()
    }

    /// Takes over the values of a checked draft.
    pub(crate) fn apply(&mut self, draft: Draft, now_ms: u64) {
        self.name = draft.name.into();
        self.query = draft.query;
        self.api_version = draft.api_version;
        self.is_active = draft.is_active;
        self.description = draft.description;
        self.fields = draft.fields;
        self.operations = draft.operations;
        self.compiled = draft.compiled;
        self.modified_ms = now_ms;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let store = Store::new();
        let query = "SELECT Id, Name FROM Lead";
        for (change, expected) in [
            (json!({}), None),
            (json!({"NotifyForFields": "All", "NotifyForOperationDelete": false}), None),
            (json!({"Name": "ABCDEFGHIJKLMNOPQRSTUVWXY"}), None),
            (json!({"Name": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}), Some("STRING_TOO_LONG")),
            (json!({"Name": null}), Some("REQUIRED_FIELD_MISSING")),
            (json!({"ApiVersion": null}), Some("REQUIRED_FIELD_MISSING")),
            (json!({"ApiVersion": 20.0}), Some("FIELD_INTEGRITY_EXCEPTION")),
            (json!({"ApiVersion": 99.0}), Some("FIELD_INTEGRITY_EXCEPTION")),
            (json!({"ApiVersion": "67.0"}), Some("JSON_PARSER_ERROR")),
            (json!({"NotifyForFields": "Everything"}), Some("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")),
            (json!({"NotifyForOperations": "All"}), Some("INVALID_FIELD_FOR_INSERT_UPDATE")),
            (json!({"Colour": "red"}), Some("INVALID_FIELD")),
            (json!({"Description": "x".repeat(401)}), Some("STRING_TOO_LONG")),
            (json!({"IsActive": "yes"}), Some("JSON_PARSER_ERROR")),
        ] {
            let mut body = json!({"Name": "T", "Query": query, "ApiVersion": 67.0});
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let found = Draft::read(&store, body.as_object().unwrap(), None);
            assert_eq!(found.err().map(|error| error.code).as_deref(), expected, "{change}");
        }
    }
}
