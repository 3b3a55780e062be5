//! Which queries a PushTopic may have. Implements the list "Unsupported PushTopic Queries" with its texts (section 2.3)
//! and the rules of section 2.4 of the Salesforce facts page.

use super::{Compiled, NotifyForFields};
use crate::objects::{Field, FieldType, ObjectType, Store};
use crate::rest::RestError;
use crate::soql::{self, Condition, Query, Selected, SoqlError};

/// The longest query, in characters.
pub(super) const QUERY_CHARS_MAX: usize = 1_300;

/// The types that no event can carry. The vendor's documents name none; these four have no value that a message could hold.
const REFUSED_TYPES: [FieldType; 4] =
    [FieldType::Base64, FieldType::EncryptedString, FieldType::AnyType, FieldType::ComplexValue];

/// Checks a query and ties it to its object.
pub(super) fn compile(store: &Store, text: &str, fields: NotifyForFields) -> Result<Compiled, RestError> {
    if text.chars().count() > QUERY_CHARS_MAX {
        let shown: String = text.chars().take(255).collect();
        let text = format!("Query: data value too large: {shown} (max length={QUERY_CHARS_MAX})");
        return Err(RestError::bad("STRING_TOO_LONG", text).field("Query"));
    }
    let query = soql::parse(text)?;
    clauses(&query)?;
    let object = store
        .object(&query.object)
        .ok_or_else(|| RestError::bad("INVALID_TYPE", format!("sObject type '{}' is not supported.", query.object)))?;
    if !object.streamable {
        return Err(invalid(format!("entity '{}' is not supported by PushTopic queries", object.name)));
    }
    let select = select(object, &query)?;
    let mut filter_fields = Vec::new();
    if let Some(filter) = &query.filter {
        soql::check_filter(object, filter)?;
        filter.fields(&mut |name| filter_fields.extend(object.field(name).map(|field| field.name)));
        if let Some(field) =
            filter_fields.iter().filter_map(|name| object.field(name)).find(|field| field.is_calculated())
        {
            return Err(invalid(format!("field '{}' can not be filtered in a PushTopic query", field.name)));
        }
    }
    let referenced = select.iter().chain(&filter_fields).any(|name| *name != "Id");
    if fields == NotifyForFields::Referenced && !referenced {
        let text = "at least one field other than Id must be referenced when NotifyForFields is Referenced";
        return Err(invalid(text.to_owned()));
    }
    Ok(Compiled { object: object.name, select, filter: query.filter, filter_fields })
}

fn invalid(message: String) -> RestError {
    RestError::bad("INVALID_FIELD", message).field("Query")
}

fn clauses(query: &Query) -> Result<(), RestError> {
    let filter_has = |is: &dyn Fn(&Condition) -> bool| query.filter.as_ref().is_some_and(|filter| filter.any(&is));
    let selects = |kind: &Selected| query.select.contains(kind);
    let mut dotted = query.select.iter().any(|item| matches!(item, Selected::Field(name) if name.contains('.')));
    if let Some(filter) = &query.filter {
        filter.fields(&mut |name| dotted |= name.contains('.'));
    }
    let refusal = if filter_has(&|part| matches!(part, Condition::SemiJoin { .. })) {
        "semi/anti join sub-selects are not supported"
    } else if selects(&Selected::Aggregate) || query.group_by {
        "Aggregate queries are not supported"
    } else if selects(&Selected::TypeOf) {
        "'TYPEOF' clause is not allowed"
    } else if query.limit.is_some() {
        "'LIMIT' is not allowed"
    } else if selects(&Selected::SubSelect) || dotted {
        "relationships are not supported"
    } else if !query.order_by.is_empty() {
        "'ORDER BY' clause is not allowed"
    } else if query.offset.is_some() {
        "'OFFSET' clause is not allowed"
    } else if filter_has(&|part| matches!(part, Condition::Not(_))) {
        "'NOT' is not supported"
    } else {
        return Ok(());
    };
    Err(invalid(refusal.to_owned()))
}

fn select(object: &ObjectType, query: &Query) -> Result<Vec<&'static str>, RestError> {
    let mut names: Vec<&'static str> = Vec::with_capacity(query.select.len());
    for item in &query.select {
        let Selected::Field(name) = item else { continue };
        let field: &Field = object.field(name).ok_or_else(|| SoqlError::no_such_column(name, object.name))?;
        if REFUSED_TYPES.contains(&field.kind) {
            let (name, kind) = (field.name, field.kind.name());
            return Err(invalid(format!("field '{name}' of type {kind} is not supported in PushTopic queries")));
        }
        if names.contains(&field.name) {
            return Err(invalid(format!("duplicate field selected: {}", field.name)));
        }
        names.push(field.name);
    }
    if !names.contains(&"Id") {
        return Err(invalid("field 'Id' must be selected".to_owned()));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of selected fields, or code and part of the message.
    type Expected<'a> = Result<usize, (&'a str, &'a str)>;

    #[test]
    fn queries() {
        let store = Store::new();
        let long = format!("SELECT Id, Name FROM Lead WHERE LastName = '{}'", "x".repeat(1_300));
        let nearly = format!("SELECT Id FROM Lead WHERE Company = '{}'", "x".repeat(1_300 - 37 - 1));
        let cases: &[(&str, Expected<'_>)] = &[
            ("SELECT Id, Name, Address FROM Lead", Ok(3)),
            ("SELECT id, formula__c, longtext__c, location__c FROM everything__c WHERE Text__c = 'x'", Ok(4)),
            ("SELECT Id FROM Lead WHERE Status NOT IN ('a')", Ok(1)),
            (&nearly, Ok(1)),
            (&long, Err(("STRING_TOO_LONG", "Query: data value too large"))),
            ("SELECT Id FROM Lead", Err(("INVALID_FIELD", "other than Id"))),
            ("SELECT Name FROM Lead", Err(("INVALID_FIELD", "'Id' must be selected"))),
            ("SELECT Id, Nope FROM Lead", Err(("INVALID_FIELD", "No such column 'Nope' on sobject of type Lead"))),
            ("SELECT Id, Name FROM User", Err(("INVALID_FIELD", "'User'"))),
            ("SELECT Id, Name FROM Nope__c", Err(("INVALID_TYPE", "'Nope__c' is not supported"))),
            ("SELECT Id, Name, Name FROM Lead", Err(("INVALID_FIELD", "duplicate field selected: Name"))),
            ("SELECT Id, Owner.Name FROM Lead", Err(("INVALID_FIELD", "relationships are not supported"))),
            ("SELECT Id, Name FROM Lead LIMIT 1", Err(("INVALID_FIELD", "'LIMIT' is not allowed"))),
            ("SELECT Id, Name FROM Lead OFFSET 1", Err(("INVALID_FIELD", "'OFFSET' clause is not allowed"))),
            ("SELECT Id, Name FROM Lead ORDER BY Name", Err(("INVALID_FIELD", "'ORDER BY' clause is not allowed"))),
            ("SELECT Id, Name FROM Lead WHERE NOT Name = 'a'", Err(("INVALID_FIELD", "'NOT' is not supported"))),
            ("SELECT COUNT(Id) FROM Lead", Err(("INVALID_FIELD", "Aggregate queries are not supported"))),
            ("SELECT Id, Name FROM Lead GROUP BY Name", Err(("INVALID_FIELD", "Aggregate queries are not supported"))),
            ("SELECT Id, TYPEOF What WHEN Account THEN Id END FROM Lead", Err(("INVALID_FIELD", "'TYPEOF' clause"))),
            (
                "SELECT Id, Name FROM Lead WHERE Id IN (SELECT Id FROM Account)",
                Err(("INVALID_FIELD", "semi/anti join sub-selects are not supported")),
            ),
            ("SELECT Id, Attachment__c FROM Everything__c", Err(("INVALID_FIELD", "of type base64"))),
            ("SELECT Id FROM Everything__c WHERE Formula__c = 'X'", Err(("INVALID_FIELD", "can not be filtered"))),
            ("SELECT Id FROM Everything__c WHERE TextArea__c = 'X'", Err(("INVALID_FIELD", "can not be filtered"))),
            ("SELECT Id, Name FROM Lead WHERE Name = Ada", Err(("MALFORMED_QUERY", "unexpected token: 'Ada'"))),
        ];
        for (query, expected) in cases {
            match (compile(&store, query, NotifyForFields::Referenced), expected) {
                (Ok(compiled), Ok(count)) => assert_eq!(compiled.select.len(), *count, "{query}"),
                (Err(error), Err((code, needle))) => {
                    assert_eq!(error.code, *code, "{query}");
                    assert!(error.message.contains(needle), "{query}: {}", error.message);
                }
                (found, _) => panic!("{query}: {found:?}"),
            }
        }
        assert!(compile(&store, "SELECT Id FROM Lead", NotifyForFields::All).is_ok());
    }
}
