//! The token endpoint. Implements sections 1.1, 1.3 and 1.4 of the Salesforce facts page.

use http::Method;
use http::header::CONTENT_TYPE;
use salesforce_simulator::{OrgConfig, Request};
use serde_json::Value;

use crate::client::{Client, START_MS, body, config, form};

const PATH: &str = "/services/oauth2/token";
const FORM: &str = "application/x-www-form-urlencoded";

fn fields(config: &OrgConfig) -> Vec<(&'static str, String)> {
    let user = &config.users[0];
    vec![
        ("grant_type", "password".to_owned()),
        ("client_id", config.consumer_key.clone()),
        ("client_secret", config.consumer_secret.clone()),
        ("username", user.username.clone()),
        ("password", format!("{}{}", user.password, user.security_token)),
    ]
}

fn encode(fields: &[(&'static str, String)]) -> String {
    form(&fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
}

#[test]
fn a_good_login() {
    let mut client = Client::new(config());
    let request = Request::new(Method::POST, PATH).with_body(FORM, encode(&fields(&config())));
    let reply = client.ready(&request);
    let document = body(&reply);
    assert_eq!(reply.response.status, 200);
    assert_eq!(document["instance_url"], "http://simulator.test");
    assert_eq!(document["issued_at"], START_MS.to_string(), "a string of ms");
    assert_eq!(document["token_type"], "Bearer");
    assert!(document.get("expires_in").is_none());
    let token = document["access_token"].as_str().unwrap();
    assert!(token.starts_with("00D") && token.find('!') == Some(15), "{token}");
    let id = document["id"].as_str().unwrap();
    assert!(id.starts_with("http://simulator.test/id/00D"), "{id}");
}

#[test]
fn refusals_of_the_form() {
    let user = config().users[0].clone();
    let swapped = format!("{}{}", user.security_token, user.password);
    for (name, value, error, description) in [
        ("grant_type", Some("authorization_code"), "unsupported_grant_type", "grant type not supported"),
        ("grant_type", Some("Password"), "unsupported_grant_type", "grant type not supported"),
        ("grant_type", None, "unsupported_grant_type", "grant type not supported"),
        ("client_id", Some("3MVG9other"), "invalid_client_id", "client identifier invalid"),
        ("client_id", None, "invalid_client_id", "client identifier invalid"),
        ("client_secret", Some("wrong"), "invalid_client", "invalid client credentials"),
        ("client_secret", None, "invalid_client", "invalid client credentials"),
        ("username", Some("eve@tributary.example"), "invalid_grant", "authentication failure"),
        ("password", Some("wrong"), "invalid_grant", "authentication failure"),
        ("password", Some(user.password.as_str()), "invalid_grant", "authentication failure"),
        ("password", Some(user.security_token.as_str()), "invalid_grant", "authentication failure"),
        ("password", Some(swapped.as_str()), "invalid_grant", "authentication failure"),
        ("password", None, "invalid_grant", "authentication failure"),
    ] {
        let mut client = Client::new(config());
        let mut fields = fields(&config());
        fields.retain(|(key, _)| *key != name);
        fields.extend(value.map(|value| (name, value.to_owned())));
        let reply = client.ready(&Request::new(Method::POST, PATH).with_body(FORM, encode(&fields)));
        assert_eq!(reply.response.status, 400, "{name} {value:?}");
        let document = body(&reply);
        assert_eq!(document["error"], error, "{name} {value:?}");
        assert_eq!(document["error_description"], description, "{name} {value:?}");
        assert_eq!(client.org.stats().logins_refused, 1);
    }
}

#[test]
fn refusals_of_the_request() {
    let good = encode(&fields(&config()));
    let post = |path: &str| Request::new(Method::POST, path);
    for (request, status, error) in [
        (post(PATH).with_body("application/json", good.clone()), 400, "unsupported_grant_type"),
        (post(&format!("{PATH}?{good}")).with(CONTENT_TYPE, FORM), 400, "invalid_request"),
        (post(&format!("{PATH}?password=x")).with_body(FORM, good.clone()), 400, "invalid_request"),
        (Request::new(Method::GET, &format!("{PATH}?{good}")), 400, "invalid_request"),
        (post("/services/oauth2/tokens").with_body(FORM, good.clone()), 404, ""),
        (post("/services/oauth2/revoke").with_body(FORM, "token=nope"), 400, "invalid_token"),
    ] {
        let mut client = Client::new(config());
        let reply = client.ready(&request);
        assert_eq!(reply.response.status, status, "{}", request.path_and_query);
        let found = body(&reply)["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(found, error, "{}", request.path_and_query);
    }
}

#[test]
fn tokens_end() {
    let versions = "/services/data/v67.0/limits";
    for (what, idle_ms, expected) in [("used", 7_199_999, 200), ("idle", 7_200_000, 401)] {
        let mut client = Client::new(config());
        client.now_ms += idle_ms;
        assert_eq!(client.rest(Method::GET, versions, None).response.status, expected, "{what}");
    }
    let mut client = Client::new(config());
    let revoke =
        Request::new(Method::POST, "/services/oauth2/revoke").with_body(FORM, form(&[("token", &client.token)]));
    assert_eq!(client.rest(Method::GET, versions, None).response.status, 200);
    assert_eq!(client.ready(&revoke).response.status, 200);
    let reply = client.rest(Method::GET, versions, None);
    assert_eq!(body(&reply)[0]["errorCode"], "INVALID_SESSION_ID");
}

#[test]
fn the_login_host_is_another_one() {
    let mut config = config();
    config.login_host = Some("login.simulator.test".to_owned());
    let good = encode(&fields(&config));
    let mut client = Client::new(crate::client::config());
    client.org = salesforce_simulator::Org::new(config);
    for (host, path, status) in [
        ("login.simulator.test", PATH, 200),
        ("simulator.test", PATH, 404),
        ("simulator.test", "/services/data/", 405),
        ("login.simulator.test", "/services/data/", 404),
    ] {
        let mut request = Request::new(Method::POST, path).with_body(FORM, good.clone());
        request.host = host.to_owned();
        let reply = client.ready(&request);
        assert_eq!(reply.response.status, status, "{host} {path}");
        if status == 200 {
            let id: Value = body(&reply)["id"].clone();
            assert!(id.as_str().unwrap().starts_with("http://login.simulator.test/id/"), "{id}");
        }
    }
}

/// A configuration change, the other grant's form, and what is answered: an error and its description, or nothing.
type GrantCase = (fn(&mut OrgConfig), &'static [(&'static str, &'static str)], Option<(&'static str, &'static str)>);

#[test]
fn grants_that_need_no_signature() {
    const CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials")];
    const REFRESH: &[(&str, &str)] = &[("grant_type", "refresh_token"), ("refresh_token", "5Aep1")];
    const STALE: &[(&str, &str)] = &[("grant_type", "refresh_token"), ("refresh_token", "5Aep0")];
    let expired = Some(("invalid_grant", "expired access/refresh token"));
    let cases: &[GrantCase] = &[
        (|_| {}, CREDENTIALS, None),
        (|org| org.my_domain = false, CREDENTIALS, Some(("invalid_grant", "request not supported on this domain"))),
        (|org| org.run_as_user = false, CREDENTIALS, Some(("invalid_grant", "no client credentials user enabled"))),
        (|org| org.consumer_secret.clear(), CREDENTIALS, Some(("invalid_client", "invalid client credentials"))),
        (|org| org.consumer_key.clear(), CREDENTIALS, Some(("invalid_client_id", "client identifier invalid"))),
        (|_| {}, REFRESH, None),
        (|_| {}, STALE, expired),
        (|org| org.expired = true, REFRESH, expired),
    ];
    for (change, form_fields, expected) in cases {
        let mut changed = OrgConfig { refresh_token: "5Aep1".to_owned(), ..config() };
        change(&mut changed);
        let mut client = Client::new(config());
        client.org = salesforce_simulator::Org::new(changed);
        let (key, secret) = (config().consumer_key, config().consumer_secret);
        let mut fields = vec![("client_id", key.as_str()), ("client_secret", secret.as_str())];
        fields.extend_from_slice(form_fields);
        let reply = client.ready(&Request::new(Method::POST, PATH).with_body(FORM, form(&fields)));
        let document = body(&reply);
        match expected {
            None => assert!(document["access_token"].is_string(), "{form_fields:?}: {document}"),
            Some((error, description)) => {
                assert_eq!(
                    (&document["error"], &document["error_description"]),
                    (&(*error).into(), &(*description).into())
                );
            }
        }
    }
}

#[test]
fn a_refresh_token_is_rotated_when_the_app_says_so() {
    let mut client = Client::new(config());
    client.org.configure(|config| config.rotate_refresh_tokens = true);
    let (key, secret) = (config().consumer_key, config().consumer_secret);
    let mut token = config().refresh_token;
    for _ in 0..2 {
        let fields = [("grant_type", "refresh_token"), ("client_id", &*key), ("client_secret", &*secret)];
        let with = |token: &str| form(&[&fields[..], &[("refresh_token", token)]].concat());
        let request = Request::new(Method::POST, PATH).with_body(FORM, with(&token));
        let next = body(&client.ready(&request))["refresh_token"].as_str().unwrap().to_owned();
        assert_eq!(client.ready(&request).response.status, 400, "the old one is good no more");
        assert_ne!(next, token);
        token = next;
    }
}
