//! Which change makes which event. Implements sections 2.4, 2.5 and 3.5 of the Salesforce facts page.

use http::Method;
use salesforce_simulator::{Change, ChangeError, Operation, OrgConfig, Via};
use serde_json::{Value, json};

use crate::client::{Client, body, config};

fn lead() -> Change {
    Change::created("Lead")
        .set("FirstName", "Ada")
        .set("LastName", "Byron")
        .set("Company", "Engines")
        .set("Status", "Open")
}

/// A client whose org has one more PushTopic, and a lead.
fn with_topic(topic: Value) -> (Client, String) {
    let mut client = Client::new(config());
    let mut document = json!({"Name": "T", "Query": "SELECT Id, Status FROM Lead", "ApiVersion": 67.0});
    document.as_object_mut().unwrap().extend(topic.as_object().unwrap().clone());
    let reply = client.rest(Method::POST, "/services/data/v67.0/sobjects/PushTopic", Some(document));
    assert_eq!(reply.response.status, 201, "{}", body(&reply));
    let id = client.org.change(client.now_ms, lead()).unwrap().records[0].clone();
    (client, id)
}

fn types(client: &Client, topic: &str) -> Vec<&'static str> {
    client.org.ledger().iter().filter(|event| &*event.topic == topic).map(|event| event.operation.name()).collect()
}

#[test]
fn notify_for_fields() {
    let query = "SELECT Id, Status FROM Lead WHERE Company = 'Engines'";
    let update = |field: &str| Change { operation: Operation::Updated, ..Change::created("Lead") }.set(field, "X");
    for (fields, change, notifies) in [
        ("Referenced", update("Status"), true),
        ("Referenced", update("Title"), false),
        ("Select", update("Status"), true),
        ("Where", update("Status"), false),
        ("All", update("Title"), true),
        ("All", update("Company"), false),
        ("Referenced", update("Status").set("Company", "engines"), true),
        ("Where", update("Status").set("Company", "ENGINES"), true),
    ] {
        let (mut client, id) = with_topic(json!({"Query": query, "NotifyForFields": fields}));
        let shown = format!("{fields} {:?}", change.fields);
        client.org.change(client.now_ms, Change { id: Some(id), ..change }).unwrap();
        let expected = if notifies { vec!["created", "updated"] } else { vec!["created"] };
        assert_eq!(types(&client, "T"), expected, "{shown}");
    }
}

#[test]
fn compound_fields() {
    let update = |field: &str| Change { operation: Operation::Updated, ..Change::created("Lead") }.set(field, "X");
    for (query, fields, change, notifies) in [
        ("SELECT Id, Name FROM Lead", "Referenced", update("FirstName"), true),
        ("SELECT Id, FirstName FROM Lead", "Referenced", update("FirstName"), false),
        ("SELECT Id, FirstName FROM Lead", "All", update("FirstName"), true),
        ("SELECT Id, Address FROM Lead", "Referenced", update("City"), false),
        ("SELECT Id, City FROM Lead", "Referenced", update("City"), true),
        ("SELECT Id, Address FROM Lead", "All", update("City"), true),
    ] {
        let (mut client, id) = with_topic(json!({"Query": query, "NotifyForFields": fields}));
        client.org.change(client.now_ms, Change { id: Some(id), ..change }).unwrap();
        assert_eq!(types(&client, "T").len() == 2, notifies, "{query} {fields}");
    }
}

#[test]
fn operations_and_flags() {
    for (flags, expected) in [
        (json!({}), vec!["created", "updated", "deleted", "undeleted"]),
        (json!({"NotifyForOperationCreate": false}), vec!["updated", "deleted", "undeleted"]),
        (json!({"NotifyForOperationUpdate": false}), vec!["created", "deleted", "undeleted"]),
        (json!({"NotifyForOperationDelete": false}), vec!["created", "updated", "undeleted"]),
        (json!({"NotifyForOperationUndelete": false}), vec!["created", "updated", "deleted"]),
        (json!({"IsActive": false}), vec![]),
    ] {
        let (mut client, id) = with_topic(flags.clone());
        for operation in [Operation::Updated, Operation::Deleted, Operation::Undeleted] {
            let change = Change::of("Lead", operation, &id);
            let change = if operation == Operation::Updated { change.set("Status", "Closed") } else { change };
            client.org.change(client.now_ms, change).unwrap();
        }
        assert_eq!(types(&client, "T"), expected, "{flags}");
        for event in client.org.ledger().iter().filter(|event| event.operation == Operation::Deleted) {
            let data: Value = serde_json::from_slice(&event.data).unwrap();
            assert_eq!(data["sobject"], json!({"Id": id}), "a delete carries the id only");
        }
    }
}

#[test]
fn what_never_notifies() {
    let (mut client, id) = with_topic(json!({}));
    let change = || Change::of("Lead", Operation::Updated, &id);
    for (what, change, notifies) in [
        ("bulk", Change { via: Via::Bulk, ..change().set("Status", "A") }, false),
        ("cascade", Change { via: Via::Cascade, ..change().set("Status", "B") }, false),
        ("the same value", change().set("Status", "B"), false),
        ("a repeated save", Change { notify_anyway: true, ..change().set("Status", "B") }, true),
        ("another value", change().set("Status", "C"), true),
    ] {
        let before = types(&client, "T").len();
        client.org.change(client.now_ms, change).unwrap();
        assert_eq!(types(&client, "T").len() > before, notifies, "{what}");
    }
}

#[test]
fn the_last_change_of_a_transaction_comes_first() {
    let (mut client, _) = with_topic(json!({}));
    let update = Change { operation: Operation::Updated, same_as: Some(0), ..Change::created("Lead") };
    let changed = client.org.transaction(client.now_ms, vec![lead(), update.set("Status", "Closed")]).unwrap();
    assert_eq!(changed.records[0], changed.records[1]);
    assert_eq!(types(&client, "T"), ["created", "updated", "created"]);
    let ids: Vec<_> =
        client.org.ledger().iter().filter(|event| &*event.topic == "T").map(|event| event.replay_id).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn refused_changes() {
    let mut client = Client::new(config());
    let unknown = |id: &str| Change::of("Lead", Operation::Updated, id).set("Status", "x");
    for (change, expected) in [
        (Change::created("Nope__c"), "sObject type 'Nope__c' is not supported."),
        (Change::created("PushTopic"), "sObject type 'PushTopic' is not supported."),
        (lead().set("Colour", "red"), "No such column 'Colour' on sobject of type Lead"),
        (lead().set("NumberOfEmployees", "many"), "JSON_PARSER_ERROR: Cannot deserialize"),
        (unknown("00Q000000000001AAA"), "no Lead record 00Q000000000001AAA that can be updated"),
    ] {
        let error: ChangeError = client.org.change(client.now_ms, change).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    assert!(client.org.ledger().is_empty());
}

#[test]
fn values_keep_their_types() {
    let mut client = Client::new(config());
    let query = "SELECT Id, Currency__c, Percent__c, Double__c, Int__c, Long__c, Checkbox__c, Date__c, Datetime__c, Time__c, \
                 Multipicklist__c, Location__c, Address__c, Account__c, Text__c, Formula__c FROM Everything__c";
    client.org.create_topic(client.now_ms, "All", query).unwrap();
    let change = Change::created("Everything__c")
        .set("Currency__c", 12.5)
        .set("Percent__c", 99.1234)
        .set("Double__c", 0.000_001)
        .set("Int__c", -5)
        .set("Long__c", 9_007_199_254_740_993_i64)
        .set("Date__c", "2024-02-29")
        .set("Datetime__c", "2024-02-29T10:00:00.000+0100")
        .set("Time__c", "13:37:00.000Z")
        .set("Multipicklist__c", "North;West")
        .set("Location__Latitude__s", 47.1)
        .set("Account__c", "001A0000006Vm9r")
        .set("Text__c", "a \"b\"\n\u{1f600}");
    client.org.change(client.now_ms, change).unwrap();
    let event = client.org.ledger().back().unwrap();
    let data: Value = serde_json::from_slice(&event.data).unwrap();
    let mut sobject = data["sobject"].clone();
    let id = sobject.as_object_mut().unwrap().remove("Id").unwrap();
    assert_eq!(id.as_str().unwrap().len(), 18);
    let expected = json!({
        "Currency__c": 12.5, "Percent__c": 99.1234, "Double__c": 0.000_001, "Int__c": -5,
        "Long__c": 9_007_199_254_740_993_i64, "Checkbox__c": false, "Date__c": "2024-02-29",
        "Datetime__c": "2024-02-29T09:00:00.000Z", "Time__c": "13:37:00.000Z", "Multipicklist__c": "North;West",
        "Location__c": {"Latitude": 47.1, "Longitude": null}, "Address__c": null, "Account__c": "001A0000006Vm9rIAC",
        "Text__c": "a \"b\"\n\u{1f600}", "Formula__c": "A \"B\"\n\u{1f600}",
    });
    assert_eq!(sobject, expected);
    assert_eq!(data["event"], json!({"createdDate": "2023-11-14T22:13:20.000Z", "replayId": 1, "type": "created"}));
}

#[test]
fn the_same_seed_makes_the_same_course_of_business() {
    let course = |seed: u64| {
        let mut client = Client::new(OrgConfig { seed, replay_gap_per_mille: 100, ..config() });
        let objects = ["Lead".to_owned(), "Account".to_owned()];
        for step in 0..500 {
            client.org.make_change(client.now_ms + step * 10, &objects).unwrap();
        }
        client.org.ledger().iter().map(|event| event.data.clone()).collect::<Vec<_>>()
    };
    let first = course(7);
    assert!(first.len() > 100, "{}", first.len());
    assert_eq!(first, course(7));
    assert_ne!(first, course(8));
}
