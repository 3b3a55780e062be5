//! The REST API. Implements sections 1.5 and 2 of the Salesforce facts page.

use http::Method;
use http::header::AUTHORIZATION;
use salesforce_simulator::{OrgConfig, Request};
use serde_json::{Value, json};

use crate::client::{Client, QUERY, body, config};

const DATA: &str = "/services/data/v67.0";

fn query(text: &str) -> String {
    let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    format!("{DATA}/query?q={text}")
}

#[test]
fn refusals() {
    let get = |path: &str| (Method::GET, path.to_owned(), None::<Value>);
    for ((method, path, json), status, code) in [
        (get(&format!("{DATA}/sobjects")), 200, ""),
        (get("/services/data/v67/sobjects"), 404, "NOT_FOUND"),
        (get("/services/data/v100.0/sobjects"), 404, "NOT_FOUND"),
        (get(&format!("{DATA}/sobjects/Nope__c/describe")), 404, "NOT_FOUND"),
        (get(&format!("{DATA}/sobjects/Lead/00Q000000000001")), 404, "NOT_FOUND"),
        (get(&format!("{DATA}/nothing")), 404, "NOT_FOUND"),
        (get(&format!("{DATA}/query")), 400, "MALFORMED_QUERY"),
        (get(&query("SELECT Id FROM PushTopic WHERE Name = Leads")), 400, "MALFORMED_QUERY"),
        (get(&query("SELECT Id FROM PushTopic WHERE Name = 'Leads'")), 200, ""),
        (get(&query("SELECT Id, Nope FROM PushTopic")), 400, "INVALID_FIELD"),
        (get(&query("SELECT Id FROM Nope__c")), 400, "INVALID_TYPE"),
        (get(&format!("{DATA}/query/01g000000000000AAA-200")), 400, "INVALID_QUERY_LOCATOR"),
        ((Method::POST, format!("{DATA}/query"), None), 405, "METHOD_NOT_ALLOWED"),
        ((Method::POST, format!("{DATA}/sobjects/Lead"), None), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ((Method::POST, format!("{DATA}/sobjects/Lead"), Some(json!([]))), 400, "JSON_PARSER_ERROR"),
        (
            (Method::POST, format!("{DATA}/sobjects/Lead"), Some(json!({"LastName": "x"}))),
            400,
            "REQUIRED_FIELD_MISSING",
        ),
        ((Method::POST, format!("{DATA}/sobjects/Lead"), Some(json!({"LastName": "x", "Company": "y"}))), 201, ""),
        (
            (Method::POST, format!("{DATA}/sobjects/Lead"), Some(json!({"Id": "x"}))),
            400,
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
    ] {
        let mut client = Client::new(config());
        let reply = client.rest(method, &path, json);
        assert_eq!(reply.response.status, status, "{path}: {}", body(&reply));
        let found = body(&reply)[0]["errorCode"].as_str().unwrap_or_default().to_owned();
        assert_eq!(found, code, "{path}");
    }
}

#[test]
fn authorization() {
    let mut client = Client::new(config());
    let good = client.token.clone();
    for (header, status, code) in [
        (Some(format!("Bearer {good}")), 200, ""),
        (Some(format!("OAuth {good}")), 200, ""),
        (Some(format!("Authorization: Bearer {good}")), 401, "INVALID_AUTH_HEADER"),
        (Some(good.clone()), 401, "INVALID_AUTH_HEADER"),
        (Some("Bearer 00D!wrong".to_owned()), 401, "INVALID_SESSION_ID"),
        (None, 401, "INVALID_SESSION_ID"),
    ] {
        let request = Request::new(Method::GET, &format!("{DATA}/limits"));
        let request = match &header {
            Some(header) => request.with(AUTHORIZATION, header),
            None => request,
        };
        let reply = client.ready(&request);
        assert_eq!(reply.response.status, status, "{header:?}");
        assert_eq!(body(&reply)[0]["errorCode"].as_str().unwrap_or_default(), code, "{header:?}");
    }
    let list = client.ready(&Request::new(Method::GET, "/services/data/"));
    assert_eq!(list.response.status, 200, "the list of versions is for everybody");
}

#[test]
fn queries_come_in_pages() {
    let mut client = Client::new(OrgConfig { query_page_rows: 8, ..config() });
    let mut page = body(&client.rest(Method::GET, &query("SELECT Id FROM Lead ORDER BY Id DESC"), None));
    let mut ids = Vec::new();
    loop {
        assert_eq!(page["totalSize"], 20);
        let rows = page["records"].as_array().unwrap().clone();
        assert_eq!(rows[0]["attributes"]["type"], "Lead");
        ids.extend(rows.iter().map(|row| row["Id"].as_str().unwrap().to_owned()));
        let Some(next) = page["nextRecordsUrl"].as_str().map(str::to_owned) else { break };
        assert_eq!(page["done"], false);
        page = body(&client.rest(Method::GET, &next, None));
    }
    assert_eq!(page["done"], true);
    assert_eq!(ids.len(), 20);
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]));
}

#[test]
fn quoted_names_are_matched_exactly() {
    let mut client = Client::new(config());
    let topic = json!({"Name": "it's \\ \"odd\"", "Query": QUERY, "ApiVersion": 67.0});
    assert_eq!(client.rest(Method::POST, &format!("{DATA}/sobjects/PushTopic"), Some(topic)).response.status, 201);
    for (literal, count) in [(r#"'it\'s \\ "odd"'"#, 1), (r#"'it\'s \\ \"odd\"'"#, 1), ("'it'", 0)] {
        let text = format!("SELECT Id, Query, IsActive, NotifyForFields FROM PushTopic WHERE Name = {literal}");
        let found = body(&client.rest(Method::GET, &query(&text), None));
        assert_eq!(found["totalSize"], count, "{literal}: {found}");
    }
}

#[test]
fn push_topics_are_created_changed_and_deleted() {
    let mut client = Client::new(OrgConfig { push_topics_max: 2, ..config() });
    let path = format!("{DATA}/sobjects/PushTopic");
    let topic = |name: &str| json!({"Name": name, "Query": QUERY, "ApiVersion": 67.0});
    let created = client.rest(Method::POST, &path, Some(topic("Second")));
    assert_eq!(created.response.status, 201);
    let id = body(&created)["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("0IF") && id.len() == 18, "{id}");
    let one = format!("{path}/{id}");
    for (method, path, json, status, code) in [
        (Method::POST, &path, Some(topic("leads")), 400, "DUPLICATE_VALUE"),
        (Method::POST, &path, Some(topic("Third")), 400, "LIMIT_EXCEEDED"),
        (Method::PATCH, &one, Some(json!({"Name": "Leads"})), 400, "DUPLICATE_VALUE"),
        (Method::PATCH, &one, Some(json!({"Query": "SELECT Id FROM Lead"})), 400, "INVALID_FIELD"),
        (Method::PATCH, &one, Some(json!({"IsActive": false})), 204, ""),
        (Method::POST, &path, Some(topic("Third")), 201, ""),
        (Method::PATCH, &one, Some(json!({"IsActive": true})), 400, "LIMIT_EXCEEDED"),
        (Method::GET, &one, None, 200, ""),
        (Method::DELETE, &one, None, 204, ""),
        (Method::DELETE, &one, None, 404, "NOT_FOUND"),
    ] {
        let shown = format!("{method} {path} {json:?}");
        let reply = client.rest(method, path, json);
        assert_eq!(reply.response.status, status, "{shown}: {}", body(&reply));
        assert_eq!(body(&reply)[0]["errorCode"].as_str().unwrap_or_default(), code, "{shown}");
    }
}

#[test]
fn the_daily_request_limit() {
    let mut client = Client::new(OrgConfig { daily_requests_max: 2, ..config() });
    let path = format!("{DATA}/sobjects");
    let statuses: Vec<_> = (0..3).map(|_| client.rest(Method::GET, &path, None)).collect();
    assert_eq!(statuses[1].response.status, 200);
    assert_eq!(statuses[2].response.status, 403);
    let error = json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]);
    assert_eq!(body(&statuses[2]), error);
}

#[test]
fn versions() {
    let mut client = Client::new(OrgConfig { offer_version_100: true, ..config() });
    let list = body(&client.ready(&Request::new(Method::GET, "/services/data")));
    let entry = json!({"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"});
    assert!(list.as_array().unwrap().contains(&entry));
    assert_eq!(client.rest(Method::GET, "/services/data/v100.0/sobjects", None).response.status, 200);
}
