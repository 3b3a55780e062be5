//! The control endpoints. Implements section 7 (the simulator) of the surface page.

use http::Method;
use salesforce_simulator::Request;
use serde_json::{Value, json};

use crate::client::{Client, body, config};

#[test]
fn control_over_http() {
    let mut client = Client::listening(config(), -1);
    let mut control = |method: Method, path: &str, json: Value| {
        let request = Request::new(method, path).with_body("application/json", json.to_string());
        let reply = client.ready(&request);
        (reply.response.status.as_u16(), body(&reply))
    };
    let (status, made) = control(Method::POST, "/_control/changes", json!({"object": "Lead", "count": 3}));
    assert_eq!((status, made["ledger"].as_array().unwrap().len()), (200, 3));
    let transaction = json!({"transaction": [{"object": "Lead"}, {"object": "Lead", "operation": "updated", "same_as": 0,
        "fields": {"Status": "x"}}]});
    assert_eq!(control(Method::POST, "/_control/changes", transaction).1["ledger"], json!([4, 5]));
    let (_, ledger) = control(Method::GET, "/_control/ledger?after=3&limit=1", json!(null));
    assert_eq!(ledger["total"], 5);
    assert_eq!(ledger["events"][0]["type"], "updated", "the last change first");
    for (path, json, status) in [
        ("/_control/changes", json!({"object": "Nope"}), 400),
        ("/_control/changes", json!({"object": "Lead", "colour": 1}), 400),
        ("/_control/faults", json!({"fault": "cut_mid_array", "at": {"carrying_events": true}}), 200),
        ("/_control/faults", json!({"fault": {"name": "status", "code": 503}, "times": null}), 200),
        ("/_control/faults", json!({"fault": "nope"}), 400),
        ("/_control/clock", json!({"advance_ms": 1_000, "revoke_tokens": true}), 200),
        ("/_control/pushtopics", json!({"name": "Leads", "action": "deactivate"}), 200),
        ("/_control/pushtopics", json!({"name": "Nope", "action": "delete"}), 400),
        ("/_control/org", json!({"password_flow": false, "clock_ahead_ms": -1_000}), 200),
        ("/_control/org", json!({"colour": 1}), 400),
        ("/_control/org", json!({"jwt_certificate": "nothing"}), 400),
        ("/_control/nothing", json!({}), 404),
    ] {
        assert_eq!(control(Method::POST, path, json.clone()).0, status, "{path} {json}");
    }
    assert_eq!(control(Method::GET, "/_control/faults", json!(null)).1["rules"].as_array().unwrap().len(), 2);
    control(Method::DELETE, "/_control/faults", json!(null));
    let (_, stats) = control(Method::GET, "/_control/stats", json!(null));
    assert_eq!((&stats["notifications"], &stats["live_tokens"], &stats["logins"]), (&json!(5), &json!(0), &json!(1)));
    let (_, deliveries) = control(Method::GET, "/_control/deliveries?topic=Leads", json!(null));
    assert_eq!(deliveries["deliveries"], json!([]));
}
