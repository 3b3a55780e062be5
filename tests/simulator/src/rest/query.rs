//! `GET …/query?q=…`, `GET …/queryAll?q=…`, which finds deleted records too, and their further pages. Implements section 2.2 of the Salesforce facts page.

use serde_json::{Value, json};

use super::RestError;
use crate::exchange::Response;
use crate::id;
use crate::objects::{ObjectType, Record, Style, value_of};
use crate::org::Org;
use crate::soql::{self, Query, Selected, SoqlError};

/// So many unfinished results are kept; then the oldest is forgotten.
const CURSORS_MAX: usize = 10;

/// The rows of a result that were not fetched yet.
pub(crate) struct Cursor {
    name: String,
    total: usize,
    next: usize,
    rows: Vec<Value>,
}

impl Org {
    pub(super) fn query(
        &mut self,
        version: &str,
        text: Option<&str>,
        deleted_too: bool,
    ) -> Result<Response, RestError> {
        let text = text.ok_or_else(|| RestError::bad("MALFORMED_QUERY", "A query string has to be specified"))?;
        let query = soql::parse(text)?;
        let object = self.store.object(&query.object).cloned().ok_or_else(|| {
            let text = format!("sObject type '{}' is not supported.", query.object);
            RestError::bad("INVALID_TYPE", text)
        })?;
        let fields = fields(&object, &query)?;
        let records: Vec<Record> = if object.name == "PushTopic" {
            self.topics.values().map(crate::push_topic::PushTopic::record).collect()
        } else {
            let bin = self.store.in_bin(object.name).filter(|_| deleted_too);
            self.store.live(object.name).chain(bin).cloned().collect()
        };
        let rows = select(&object, &query, records)
            .iter()
            .map(|record| row(version, &object, &fields, record))
            .collect::<Vec<_>>();
        let cursor =
            Cursor { name: format!("01g{}", id::random_base62(&mut self.rng, 15)), total: rows.len(), next: 0, rows };
        Ok(self.page(version, cursor))
    }

    pub(super) fn query_more(&mut self, version: &str, locator: &str) -> Result<Response, RestError> {
        let found = locator.rsplit_once('-').and_then(|(name, next)| {
            let next: usize = next.parse().ok()?;
            self.cursors.iter().position(|cursor| cursor.name == name && cursor.next == next)
        });
        let place = found.ok_or_else(|| RestError::bad("INVALID_QUERY_LOCATOR", "invalid query locator"))?;
        let Some(cursor) = self.cursors.remove(place) else { return Err(RestError::not_found()) };
        Ok(self.page(version, cursor))
    }

    fn page(&mut self, version: &str, mut cursor: Cursor) -> Response {
        let count = cursor.rows.len().min(self.config.query_page_rows.max(1));
        let rest = cursor.rows.split_off(count);
        let mut body = json!({"totalSize": cursor.total, "done": rest.is_empty(), "records": cursor.rows});
        if !rest.is_empty() {
            cursor.next += count;
            cursor.rows = rest;
            let url = format!("/services/data/v{version}/query/{}-{}", cursor.name, cursor.next);
            body["nextRecordsUrl"] = json!(url);
            if self.cursors.len() >= CURSORS_MAX {
                self.cursors.pop_front();
            }
            self.cursors.push_back(cursor);
        }
        Response::json(200, &body)
    }
}

fn fields(object: &ObjectType, query: &Query) -> Result<Vec<&'static str>, RestError> {
    if query.group_by {
        return Err(RestError::bad("MALFORMED_QUERY", "GROUP BY is not supported by this org"));
    }
    let mut fields: Vec<&'static str> = Vec::new();
    for item in &query.select {
        let Selected::Field(name) = item else {
            return Err(RestError::bad("MALFORMED_QUERY", "only plain fields can be selected in this org"));
        };
        let field = object.field(name).ok_or_else(|| SoqlError::no_such_column(name, object.name))?;
        if fields.contains(&field.name) {
            return Err(RestError::bad("INVALID_FIELD", format!("duplicate field selected: {}", field.name)));
        }
        fields.push(field.name);
    }
    if let Some(filter) = &query.filter {
        soql::check_filter(object, filter)?;
    }
    for order in &query.order_by {
        object.field(&order.field).ok_or_else(|| SoqlError::no_such_column(&order.field, object.name))?;
    }
    Ok(fields)
}

fn select(object: &ObjectType, query: &Query, records: Vec<Record>) -> Vec<Record> {
    let mut records: Vec<_> = records
        .into_iter()
        .filter(|record| query.filter.as_ref().is_none_or(|filter| soql::matches(object, record, filter)))
        .collect();
    let value = |record: &Record, name: &str| {
        object.field(name).and_then(|field| record.get(field.name)).cloned().unwrap_or(Value::Null)
    };
    records.sort_by(|left, right| {
        query
            .order_by
            .iter()
            .map(|order| {
                let ordering = soql::compare(&value(left, &order.field), &value(right, &order.field));
                if order.descending { ordering.reverse() } else { ordering }
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let count = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok());
    let skipped = records.into_iter().skip(count(query.offset).unwrap_or(0));
    skipped.take(count(query.limit).unwrap_or(usize::MAX)).collect()
}

/// One record as REST shows it: its attributes and the chosen fields.
pub(super) fn row(version: &str, object: &ObjectType, fields: &[&'static str], record: &Record) -> Value {
    let id = record.get("Id").and_then(Value::as_str).unwrap_or_default();
    let url = format!("/services/data/v{version}/sobjects/{}/{id}", object.name);
    let mut row = Record::new();
    row.insert("attributes".to_owned(), json!({"type": object.name, "url": url}));
    for field in fields.iter().filter_map(|name| object.field(name)) {
        row.insert(field.name.to_owned(), value_of(object, field, record, Style::Rest));
    }
    Value::Object(row)
}
