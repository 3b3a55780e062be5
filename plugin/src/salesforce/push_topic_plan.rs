//! `QueryPlan`: the query and the body of a PushTopic that the connector makes (Streaming API Developer Guide, "PushTopic
//! Queries").
//!
//! Selected is every field that PushTopics are known to take. Left out are `textarea`, as Confluent's connector and its
//! ancestor do (Salesforce's documents are silent on long texts), and the types that no document says to be allowed.
//! Compound fields are selected beside their parts: they arrive nested, but only the parts are watched for changes. A
//! field that Salesforce refuses all the same is dropped with `QueryPlan::without`.

use serde_json::json;

use super::{
    describe::Describe,
    push_topic::{API_VERSION_ABOVE, Notify, PushTopicError, QUERY_CHARS_MAX, check_name},
    schema::ID,
    soql,
};

/// `NotifyForFields` of topics made here: Salesforce's default, changes of selected fields.
pub(super) const NOTIFY_FOR_FIELDS: &str = "Referenced";
/// Describe types that are not selected.
const TYPES_LEFT_OUT: [&str; 7] =
    ["textarea", "base64", "encryptedstring", "anyType", "complexvalue", "json", "floatarray"];

/// The query of a PushTopic to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPlan {
    /// The object.
    pub object: String,
    /// Its fields that are selected, `Id` first, then in describe's order.
    pub fields: Vec<String>,
    /// Fields that are not selected for their type, or because Salesforce refused them. They are null in every record.
    pub left_out: Vec<String>,
    /// The query.
    pub query: String,
}

impl QueryPlan {
    /// Plans a query for every field of the described object that PushTopics allow.
    ///
    /// # Errors
    /// `QueryTooLong`, `NothingToSelect` or `Soql`.
    pub fn new(describe: &Describe) -> Result<Self, PushTopicError> {
        let mut fields = vec![ID.to_owned()];
        let mut left_out = Vec::new();
        for field in describe.fields.iter().filter(|field| field.name != ID) {
            let list = if TYPES_LEFT_OUT.contains(&field.field_type.as_str()) { &mut left_out } else { &mut fields };
            list.push(field.name.clone());
        }
        Self::of(describe.name.clone(), fields, left_out)
    }

    /// The same plan without a field that Salesforce refused. `None` when the plan has no such field, or the field is
    /// `Id`.
    ///
    /// # Errors
    /// `NothingToSelect` when nothing but Id is left.
    pub fn without(&self, field: &str) -> Option<Result<Self, PushTopicError>> {
        let position = self.fields.iter().position(|planned| planned.eq_ignore_ascii_case(field))?;
        if position == 0 {
            return None;
        }
        let (mut fields, mut left_out) = (self.fields.clone(), self.left_out.clone());
        left_out.push(fields.remove(position));
        Some(Self::of(self.object.clone(), fields, left_out))
    }

    fn of(object: String, fields: Vec<String>, left_out: Vec<String>) -> Result<Self, PushTopicError> {
        if fields.len() < 2 {
            return Err(PushTopicError::NothingToSelect { object });
        }
        let query = soql::select(fields.iter().map(String::as_str), &object)?;
        // API names are ASCII, so that bytes are characters.
        if query.len() > QUERY_CHARS_MAX {
            return Err(PushTopicError::QueryTooLong { object, fields: fields.len(), chars: query.len() });
        }
        Ok(Self { object, fields, left_out, query })
    }

    /// The JSON body that makes a PushTopic of this plan: `POST /services/data/v<api_version>/sobjects/PushTopic`.
    /// `api_version` is a number as text, `67.0`.
    ///
    /// # Errors
    /// `Name...` or `ApiVersion` when Salesforce would refuse them.
    pub fn create_body(&self, name: &str, api_version: &str, notify: Notify) -> Result<Vec<u8>, PushTopicError> {
        check_name(name)?;
        let version = api_version.parse::<f64>().ok().filter(|version| version.is_finite());
        let Some(version) = version.filter(|&version| version > API_VERSION_ABOVE) else {
            return Err(PushTopicError::ApiVersion { version: api_version.to_owned() });
        };
        let body = json!({
            "Name": name,
            "Query": self.query,
            "ApiVersion": version,
            "NotifyForFields": NOTIFY_FOR_FIELDS,
            "NotifyForOperationCreate": notify.create,
            "NotifyForOperationUpdate": notify.update,
            "NotifyForOperationDelete": notify.delete,
            "NotifyForOperationUndelete": notify.undelete,
        });
        Ok(body.to_string().into_bytes())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::salesforce::describe::DescribeField;

    const ALL: Notify = Notify { create: true, update: true, delete: true, undelete: true };

    fn describe(fields: &[(&str, &str)]) -> Describe {
        let field = |(name, field_type): &(&str, &str)| DescribeField {
            name: (*name).to_owned(),
            field_type: (*field_type).to_owned(),
            ..DescribeField::default()
        };
        Describe { name: "Lead".into(), fields: fields.iter().map(field).collect() }
    }

    #[test]
    fn plans_select_every_field_that_is_allowed() {
        let plan = QueryPlan::new(&describe(&[
            ("Name", "string"),
            ("Id", "id"),
            ("Description", "textarea"),
            ("Address", "address"),
            ("City", "string"),
            ("Geo__c", "location"),
            ("Blob__c", "base64"),
            ("Secret__c", "encryptedstring"),
            ("Any__c", "anyType"),
            ("Complex__c", "complexvalue"),
            ("New__c", "hologram"),
        ]))
        .unwrap();
        assert_eq!(plan.query, "SELECT Id,Name,Address,City,Geo__c,New__c FROM Lead");
        assert_eq!(plan.left_out, ["Description", "Blob__c", "Secret__c", "Any__c", "Complex__c"]);
        let smaller = plan.without("new__c").unwrap().unwrap();
        assert_eq!(smaller.query, "SELECT Id,Name,Address,City,Geo__c FROM Lead");
        assert_eq!(smaller.left_out.last().map(String::as_str), Some("New__c"));
        assert_eq!((plan.without("Id"), plan.without("Nothing")), (None, None));
        let nothing = || PushTopicError::NothingToSelect { object: "Lead".into() };
        assert_eq!(QueryPlan::new(&describe(&[("Id", "id"), ("Text__c", "textarea")])), Err(nothing()));
        let two = QueryPlan::new(&describe(&[("Id", "id"), ("Name", "string")])).unwrap();
        assert_eq!(two.without("Name"), Some(Err(nothing())));
    }

    #[test]
    fn plans_obey_the_bound_on_queries() {
        // Twelve fields of 100 characters, and one that makes up the rest.
        let with_length = |chars: usize| {
            let mut names: Vec<String> = (0..12).map(|n| format!("F{n:099}")).collect();
            let without_filler = "SELECT Id FROM Lead".len() + 12 * 101;
            names.push("G".repeat(chars - without_filler - 1));
            let fields: Vec<(&str, &str)> =
                std::iter::once(("Id", "id")).chain(names.iter().map(|name| (name.as_str(), "string"))).collect();
            QueryPlan::new(&describe(&fields)).map(|plan| plan.query.len())
        };
        assert_eq!(with_length(QUERY_CHARS_MAX), Ok(QUERY_CHARS_MAX));
        let error = with_length(QUERY_CHARS_MAX + 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a PushTopic with the 14 usable fields of Lead would need a query of 1301 characters; Salesforce allows at \
             most 1300: make the PushTopic by hand with the fields wanted and set salesforce.push.topic.create=false"
        );
    }

    #[test]
    fn create_bodies_are_complete_or_refused() {
        let plan = QueryPlan::new(&describe(&[("Id", "id"), ("Name", "string")])).unwrap();
        let body = plan.create_body("Leads", "67.0", Notify { undelete: false, ..ALL }).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "Name": "Leads", "Query": "SELECT Id,Name FROM Lead", "ApiVersion": 67.0, "NotifyForFields": "Referenced",
            "NotifyForOperationCreate": true, "NotifyForOperationUpdate": true, "NotifyForOperationDelete": true,
            "NotifyForOperationUndelete": false,
        });
        assert_eq!(body, expected);
        assert!(plan.create_body("a b", "67.0", ALL).is_err());
        for version in ["20.0", "latest", "NaN", "inf", ""] {
            let expected = PushTopicError::ApiVersion { version: version.into() };
            assert_eq!(plan.create_body("Leads", version, ALL), Err(expected));
        }
    }
}
