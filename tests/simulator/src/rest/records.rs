//! Single records: read, create, update, delete. A write notifies PushTopics as any other change does. Implements
//! sections 1.5 and 2.6 of the Salesforce facts page.

use serde_json::{Value, json};

use super::RestError;
use super::query::row;
use crate::changes::{Change, ChangeError};
use crate::exchange::Response;
use crate::id;
use crate::objects::{ObjectType, Operation, Record};
use crate::org::Org;

impl Org {
    pub(super) fn read_record(&self, version: &str, object: &ObjectType, id: &str) -> Result<Response, RestError> {
        let id = id::canonical(id).ok_or_else(RestError::not_found)?;
        let record = if object.name == "PushTopic" {
            self.topics.get(&*id).map(crate::push_topic::PushTopic::record)
        } else {
            self.store.get(object.name, &id).cloned()
        };
        let record = record.ok_or_else(RestError::not_found)?;
        let fields: Vec<_> = object.fields.iter().map(|field| field.name).collect();
        Ok(Response::json(200, &row(version, object, &fields, &record)))
    }

    pub(super) fn create_record(&mut self, object: &ObjectType, body: Record) -> Result<Response, RestError> {
        check(object, &body)?;
        let missing: Vec<_> = object
            .fields
            .iter()
            .filter(|field| !field.nillable && field.is_writable() && field.kind != crate::objects::FieldType::Boolean)
            .filter(|field| field.values.is_empty() && body.get(field.name).is_none_or(Value::is_null))
            .map(|field| field.name)
            .collect();
        if !missing.is_empty() {
            let text = format!("Required fields are missing: [{}]", missing.join(", "));
            return Err(RestError::bad("REQUIRED_FIELD_MISSING", text).fields(&missing));
        }
        let changed = self.apply(vec![change(object, Operation::Created, None, body)])?;
        let id = changed.records.first().cloned().unwrap_or_default();
        Ok(Response::json(201, &json!({"id": id, "success": true, "errors": []})))
    }

    pub(super) fn update_record(&mut self, object: &ObjectType, id: &str, body: Record) -> Result<Response, RestError> {
        check(object, &body)?;
        self.apply(vec![change(object, Operation::Updated, Some(id), body)])?;
        Ok(Response::empty(204))
    }

    pub(super) fn delete_record(&mut self, object: &ObjectType, id: &str) -> Result<Response, RestError> {
        self.apply(vec![change(object, Operation::Deleted, Some(id), Record::new())])?;
        Ok(Response::empty(204))
    }
}

fn change(object: &ObjectType, operation: Operation, id: Option<&str>, mut fields: Record) -> Change {
    if operation == Operation::Created && fields.is_empty() {
        // An empty change asks for a made-up record; a client that sends nothing wants an empty one.
        fields.insert("Description".to_owned(), Value::Null);
    }
    Change { object: object.name.to_owned(), operation, id: id.map(str::to_owned), fields, ..Change::default() }
}

fn check(object: &ObjectType, body: &Record) -> Result<(), RestError> {
    for name in body.keys() {
        let field = object.field(name).ok_or_else(|| {
            RestError::bad("INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", object.name))
        })?;
        if !field.is_writable() {
            let text =
                format!("Unable to create/update fields: {name}. Please check the security settings of this field");
            return Err(RestError::bad("INVALID_FIELD_FOR_INSERT_UPDATE", text).field(field.name));
        }
    }
    Ok(())
}

impl From<ChangeError> for RestError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::UnknownRecord { .. } => Self::not_found(),
            ChangeError::UnknownObject(_) | ChangeError::UnknownField { .. } => {
                Self::bad("INVALID_FIELD", error.to_string())
            }
            ChangeError::Value { code, message, field } => Self::bad(code, message).field(field),
        }
    }
}
