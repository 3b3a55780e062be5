//! Nonsense goes in; an answer comes out. Every path, document and query is taken from a good request and then damaged by chance,
//! from a fixed seed. Implements no document: whatever a client sends, the org must not panic and must still serve the next one.

use http::Method;
use salesforce_simulator::{Answer, Request};
use serde_json::json;

use crate::client::{Client, TOPIC, config};

const ROUNDS: u64 = 4_000;
const PATHS: &[&str] = &[
    "/services/oauth2/token",
    "/services/data/v67.0/sobjects/Lead/00Q5g0000000001EAA",
    "/services/data/v67.0/sobjects/PushTopic",
    "/services/data/v67.0/query?q=SELECT+Id,Name+FROM+Lead+WHERE+Name+LIKE+'%25a_%25'+AND+(NumberOfEmployees+>+5)+LIMIT+3",
    "/services/data/v67.0/query?q=SELECT+Id+FROM+PushTopic+WHERE+Name+IN+('a\\'b','Gr\u{fc}\u{df}e')",
    "/cometd/67.0",
    "/_control/changes",
    "/_control/faults",
    "/_control/pushtopics",
];

/// Damages a text in a few places.
fn damaged(text: &str, rng: &mut fastrand::Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..rng.usize(..4) {
        let at = rng.usize(..=chars.len());
        match rng.u8(..4) {
            0 => chars.insert(
                at,
                *rng.choice(&['\'', '"', '\\', '(', '{', ']', ',', ' ', '%', '\u{fc}', '\u{1f600}', '\0']).unwrap(),
            ),
            1 if at < chars.len() => drop(chars.remove(at)),
            2 => chars.truncate(at),
            _ => {
                let copy: Vec<_> = chars[..at].to_vec();
                chars.extend(copy);
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn is_answered() {
    let mut rng = fastrand::Rng::with_seed(42);
    let mut client = Client::listening(config(), -1);
    let mut statuses = std::collections::BTreeSet::new();
    for round in 0..ROUNDS {
        let documents = [
            json!({"Name": "T", "Query": "SELECT Id, Name FROM Lead WHERE Status = 'x'", "ApiVersion": 67.0}),
            json!([{"channel": "/meta/subscribe", "subscription": format!("{TOPIC}?Status='x'"), "clientId": client.client_id,
                "ext": {"replay": {TOPIC: -2}}}]),
            json!([{"channel": "/meta/connect", "connectionType": "long-polling", "clientId": client.client_id}]),
            json!({"object": "Lead", "operation": "updated", "fields": {"Status": "x", "NumberOfEmployees": 5}}),
            json!({"at": {"path": "/never"}, "fault": {"name": "slow", "bytes_per_s": 1}}),
        ];
        let method = rng.choice([Method::GET, Method::POST, Method::PATCH, Method::DELETE]).unwrap();
        let path = damaged(rng.choice(PATHS).unwrap(), &mut rng);
        let document = damaged(&rng.choice(&documents).unwrap().to_string(), &mut rng);
        let mut request: Request = client.bayeux(json!([]));
        request.method = method;
        request.path_and_query = path.clone();
        request.body = document.into();
        match client.handle(&request) {
            Answer::Ready(reply) => drop(statuses.insert(reply.response.status.as_u16())),
            Answer::Held(id) if round % 2 == 0 => client.org.abandon(client.now_ms, id),
            Answer::Held(_) => {}
        }
        client.now_ms += 5;
        client.org.due(client.now_ms);
    }
    for status in [200, 400, 404, 405] {
        assert!(statuses.contains(&status), "{statuses:?}");
    }
    assert!(statuses.iter().all(|status| *status <= 500), "{statuses:?}");
    client.log_in();
    assert_eq!(client.shake_hands()["successful"], true, "and the next client is served");
}
