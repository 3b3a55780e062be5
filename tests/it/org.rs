//! The simulated org of a scenario, in this process, and what is planted in it.

use std::collections::{BTreeMap, VecDeque};

use http::{Method, header::AUTHORIZATION};
use salesforce_simulator::{
    Answer, Change, Fault, FaultRule, OrgConfig, Request, Simulator, SimulatorConfig, User, Where,
};
use serde_json::Value;

use crate::{expected, judge::Expected};

pub(crate) const USERNAME: &str = "ada@canary.example";
/// With every character that a form must encode.
pub(crate) const PASSWORD: &str = "Canary+P4ss&word=%41 ü";
pub(crate) const WRONG_PASSWORD: &str = "Canary-Wr0ng-Password";
pub(crate) const SECURITY_TOKEN: &str = "CanarySecurityToken0000001";
pub(crate) const CONSUMER_KEY: &str = "3MVG9.Canary.Consumer.Key.0000001";
pub(crate) const CONSUMER_SECRET: &str = "CANARY0C0N5UMER0SECRET00000000001";
pub(crate) const KAFKA_SECRET: &str = "CanaryKafkaApiSecret0000001";
pub(crate) const WRONG_KAFKA_SECRET: &str = "CanaryWrongKafkaSecret001";
pub(crate) const PROXY_PASSWORD: &str = "CanaryProxyPassw0rd";

/// What no output may show, and a part of the password that stands in every encoding of it.
const SECRETS: [&str; 9] = [
    PASSWORD,
    "Canary+P4ss",
    "Canary%2BP4ss",
    WRONG_PASSWORD,
    SECURITY_TOKEN,
    CONSUMER_SECRET,
    KAFKA_SECRET,
    WRONG_KAFKA_SECRET,
    PROXY_PASSWORD,
];

/// Planted secrets, and access tokens, that a text shows.
pub(crate) fn secrets_in(text: &str) -> VecDeque<&str> {
    let mut found: VecDeque<&str> = SECRETS.into_iter().filter(|secret| text.contains(secret)).collect();
    // An access token begins with the org's id and an exclamation mark.
    found.extend(text.match_indices("00D").map(|(start, _)| &text[start..]).filter_map(|rest| {
        let head: String = rest.chars().take(20).collect();
        head.contains('!').then_some("an access token")
    }));
    found
}

/// See the module.
pub(crate) struct Org {
    simulator: Simulator,
    /// Of each object that scenarios use: the fields in the order of its describe, name and type. Asked for before any
    /// fault is in force.
    fields: BTreeMap<&'static str, Vec<(String, String)>>,
    /// Logins of this module's own.
    logins: u64,
}

impl Org {
    /// An org on http.
    pub(crate) fn start() -> Self {
        Self::start_with(false)
    }

    /// An org on https, with an authority of its own.
    pub(crate) fn start_tls() -> Self {
        Self::start_with(true)
    }

    fn start_with(tls: bool) -> Self {
        let user = User {
            username: USERNAME.to_owned(),
            password: PASSWORD.to_owned(),
            security_token: SECURITY_TOKEN.to_owned(),
        };
        let org = OrgConfig {
            users: vec![user],
            consumer_key: CONSUMER_KEY.to_owned(),
            consumer_secret: CONSUMER_SECRET.to_owned(),
            ..OrgConfig::default()
        };
        let simulator = Simulator::spawn(SimulatorConfig { org, tls, ..SimulatorConfig::default() });
        let simulator = simulator.expect("loopback has free ports");
        let mut org = Self { simulator, fields: BTreeMap::new(), logins: 0 };
        org.fields = ["Lead", "Everything__c"].into_iter().map(|object| (object, org.ask_fields(object))).collect();
        org.logins = org.logins();
        org
    }

    pub(crate) fn url(&self) -> &str {
        self.simulator.url()
    }

    pub(crate) fn ca_pem(&self) -> &str {
        self.simulator.ca_pem().expect("an org on https has an authority")
    }

    /// One change in a transaction of its own.
    #[track_caller]
    pub(crate) fn change(&self, change: Change) -> String {
        let changed = self.simulator.change(change).expect("the change fits");
        changed.records.into_iter().next().expect("one change, one record")
    }

    /// New leads with made-up values; their ids.
    pub(crate) fn create_leads(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.change(Change::created("Lead"))).collect()
    }

    /// A PushTopic made by hand, before the connector asks for it.
    pub(crate) fn create_push_topic(&self, name: &str, query: &str) {
        let now_ms = self.simulator.now_ms();
        self.simulator.org().create_topic(now_ms, name, query).expect("the PushTopic is allowed");
    }

    /// Gives the user another password, and ends the tokens that the old one got.
    pub(crate) fn set_password(&self, password: &str) {
        self.simulator.org().configure(|config| config.users[0].password = password.to_owned());
        self.inject(FaultRule::once(Where::channel("/meta/connect"), Fault::RevokeToken));
    }

    /// Lets so many more REST calls through on this day.
    pub(crate) fn allow_rest_requests(&self, count: u64) {
        let used = self.simulator.org().stats().rest_requests;
        self.simulator.org().configure(|config| config.daily_requests_max = used + count);
    }

    /// PushTopics that there are, asked with a login of its own.
    pub(crate) fn push_topics(&self) -> u64 {
        let path = "/services/data/v67.0/query?q=SELECT+Id+FROM+PushTopic";
        let answer = self.ask(&Request::new(Method::GET, path).with(AUTHORIZATION, &self.bearer()));
        answer["totalSize"].as_u64().expect("a count")
    }

    /// Logins that were refused.
    pub(crate) fn logins_refused(&self) -> u64 {
        self.simulator.org().stats().logins_refused
    }

    pub(crate) fn inject(&self, rule: FaultRule) {
        self.simulator.inject(rule);
    }

    pub(crate) fn faults_fired(&self) -> u64 {
        self.simulator.org().stats().faults_fired
    }

    /// Logins that were tried, but for this module's own.
    pub(crate) fn logins(&self) -> u64 {
        let stats = self.simulator.org().stats();
        stats.logins + stats.logins_refused - self.logins
    }

    /// Fails when somebody left without a goodbye.
    #[track_caller]
    pub(crate) fn expect_no_sessions(&self) {
        assert_eq!(self.simulator.org().stats().open_clients, 0, "sessions were left open");
    }

    /// The fields of an object, in the order of its describe: name and type.
    pub(crate) fn fields(&self, object: &str) -> &[(String, String)] {
        &self.fields[object]
    }

    /// Logs in.
    #[track_caller]
    fn bearer(&self) -> String {
        let form = [
            ("grant_type", "password"),
            ("client_id", CONSUMER_KEY),
            ("client_secret", CONSUMER_SECRET),
            ("username", USERNAME),
            ("password", &format!("{PASSWORD}{SECURITY_TOKEN}")),
        ];
        let form: Vec<String> = form.iter().map(|(key, value)| format!("{key}={}", percent_encoded(value))).collect();
        let login = Request::new(Method::POST, "/services/oauth2/token")
            .with_body("application/x-www-form-urlencoded", form.join("&"));
        let token = self.ask(&login);
        format!("Bearer {}", token["access_token"].as_str().expect("a token"))
    }

    #[track_caller]
    fn ask_fields(&self, object: &str) -> Vec<(String, String)> {
        let bearer = self.bearer();
        let path = format!("/services/data/v67.0/sobjects/{object}/describe");
        let describe = self.ask(&Request::new(Method::GET, &path).with(AUTHORIZATION, &bearer));
        let text = |field: &Value, key: &str| field[key].as_str().expect("fields have text there").to_owned();
        let fields = describe["fields"].as_array().unwrap_or_else(|| panic!("no describe: {describe}"));
        fields.iter().map(|field| (text(field, "name"), text(field, "type"))).collect()
    }

    #[track_caller]
    fn ask(&self, request: &Request) -> Value {
        let now_ms = self.simulator.now_ms();
        let answer = self.simulator.org().handle(now_ms, request);
        let Answer::Ready(reply) = answer else { panic!("only long polls are held") };
        serde_json::from_slice(&reply.response.body).expect("the org answers in JSON")
    }

    /// What must stand in Kafka for all that happened on a PushTopic so far, in order.
    #[track_caller]
    pub(crate) fn expected(&self, push_topic: &str, object: &str) -> Vec<Expected> {
        let fields = self.fields(object);
        let org = self.simulator.org();
        let events = org.ledger().iter().filter(|event| &*event.topic == push_topic);
        events
            .map(|event| {
                let data: Value = serde_json::from_slice(&event.data).expect("events are JSON");
                let created = data["event"]["createdDate"].as_str().expect("every event has a date");
                Expected {
                    replay_id: event.replay_id,
                    timestamp_ms: expected::milliseconds(created),
                    key: expected::key(&data),
                    value: expected::value(object, fields, &data),
                }
            })
            .collect()
    }
}

/// Form encoding that leaves only letters and digits as they are.
fn percent_encoded(text: &str) -> String {
    let encode =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

#[test]
fn secrets_are_found() {
    assert_eq!(secrets_in("logged in as ada@canary.example in 00D000000000001EAA"), VecDeque::<&str>::new());
    for text in
        [&format!("password {PASSWORD}"), "x=Canary%2BP4ss%26word", "Bearer 00D000000000001!AQEAQ", KAFKA_SECRET]
    {
        assert!(!secrets_in(text).is_empty(), "{text}");
    }
}
