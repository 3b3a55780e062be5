//! The server on real sockets: long polls, hang-ups, transport faults, TLS. Implements item 12 of checklist A of the Salesforce
//! facts page.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use salesforce_simulator::{Change, Fault, FaultRule, Simulator, SimulatorConfig, Where};
use serde_json::{Value, json};

use crate::client::{TOPIC, config, form, replay_ids};

type Body = Full<bytes::Bytes>;

struct Peer<C> {
    http: HttpClient<C, Body>,
    url: String,
    token: String,
    cookies: Vec<String>,
    client_id: String,
}

#[derive(Debug)]
struct Failed;

impl<C: Connect + Clone + Send + Sync + 'static> Peer<C> {
    async fn post(&mut self, path: &str, content_type: &str, body: String) -> Result<Value, Failed> {
        let request = http::Request::post(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, content_type)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(COOKIE, self.cookies.join("; "))
            .body(Full::from(body))
            .unwrap();
        let response = self.http.request(request).await.map_err(|_| Failed)?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookies.push(pair);
        }
        let body = response.into_body().collect().await.map_err(|_| Failed)?.to_bytes();
        serde_json::from_slice(&body).map_err(|_| Failed)
    }

    async fn bayeux(&mut self, message: Value) -> Result<Vec<Value>, Failed> {
        let reply = self.post("/cometd/67.0", "application/json", json!([message]).to_string()).await?;
        Ok(reply.as_array().cloned().unwrap())
    }

    async fn poll(&mut self) -> Result<Vec<Value>, Failed> {
        let client_id = self.client_id.clone();
        self.bayeux(json!({"channel": "/meta/connect", "connectionType": "long-polling", "clientId": client_id})).await
    }

    /// Logged in, connected and listening.
    async fn listening(http: HttpClient<C, Body>, simulator: &Simulator) -> Self {
        let created = simulator.org().create_topic(simulator.now_ms(), "Leads", crate::client::QUERY);
        // Only the first peer of a simulator creates it.
        assert!(created.is_ok() || created.unwrap_err().contains("DUPLICATE_VALUE"));
        let credentials = simulator.credentials();
        let mut peer = Self {
            http,
            url: simulator.login_url().to_owned(),
            token: String::new(),
            cookies: vec![],
            client_id: String::new(),
        };
        let login = form(&[
            ("grant_type", "password"),
            ("client_id", &credentials.consumer_key),
            ("client_secret", &credentials.consumer_secret),
            ("username", &credentials.username),
            ("password", &format!("{}{}", credentials.password, credentials.security_token)),
        ]);
        let login = peer.post("/services/oauth2/token", "application/x-www-form-urlencoded", login).await.unwrap();
        peer.token = login["access_token"].as_str().unwrap().to_owned();
        peer.url = login["instance_url"].as_str().unwrap().to_owned();
        let message = json!({"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"],
            "ext": {"replay": true}});
        let reply = peer.bayeux(message).await.unwrap();
        peer.client_id = reply[0]["clientId"].as_str().unwrap().to_owned();
        peer.poll().await.unwrap();
        let message = json!({"channel": "/meta/subscribe", "clientId": peer.client_id, "subscription": TOPIC,
            "ext": {"replay": {TOPIC: -1}}});
        assert_eq!(peer.bayeux(message).await.unwrap()[0]["successful"], true);
        peer
    }
}

fn simulator() -> Simulator {
    Simulator::spawn(SimulatorConfig { org: config(), ..SimulatorConfig::default() }).unwrap()
}

fn plain() -> HttpClient<HttpConnector, Body> {
    HttpClient::builder(TokioExecutor::new()).build_http()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Waits until something holds; fails after 10 s.
async fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "waited in vain");
        ticks.tick().await;
    }
}

#[test]
fn a_held_poll_is_woken_by_a_change() {
    let simulator = simulator();
    block_on(async {
        let mut peer = Peer::listening(plain(), &simulator).await;
        let poll = tokio::spawn(async move {
            let reply = peer.poll().await;
            (peer, reply)
        });
        until(|| simulator.org().stats().held_polls == 1).await;
        simulator.change(Change::created("Lead")).unwrap();
        let (mut peer, reply) = poll.await.unwrap();
        assert_eq!(replay_ids(&reply.unwrap()), [1]);

        let hung_up = tokio::time::timeout(Duration::from_millis(50), peer.poll()).await;
        assert!(hung_up.is_err(), "held");
        until(|| simulator.org().stats().held_polls == 0).await;
        simulator.change(Change::created("Lead")).unwrap();
        assert_eq!(replay_ids(&peer.poll().await.unwrap()), [2], "the hang-up was noticed");
    });
    simulator.shutdown();
}

#[test]
fn transport_faults_are_real() {
    let simulator = simulator();
    block_on(async {
        for (fault, stalls) in [
            (Fault::CutBeforeHead, false),
            (Fault::CutAfterHead, false),
            (Fault::CutMidArray, false),
            (Fault::LostResponse, false),
            (Fault::Reset, false),
            (Fault::HalfJson, false),
            (Fault::NeverAnswer, true),
            (Fault::StallAfter { bytes: 5 }, true),
            (Fault::Slow { bytes_per_s: 1 }, true),
        ] {
            let mut peer = Peer::listening(plain(), &simulator).await;
            simulator.change(Change::created("Lead")).unwrap();
            simulator.inject(FaultRule::once(Where::carrying_events(), fault.clone()));
            // What stalls never ends, however short the wait; what is cut ends, however slow the machine.
            let patience = Duration::from_millis(if stalls { 100 } else { 10_000 });
            let reply = tokio::time::timeout(patience, peer.poll()).await;
            match (reply, stalls) {
                (Err(_), true) | (Ok(Err(Failed)), false) => {}
                (reply, _) => panic!("{fault:?}: {reply:?}"),
            }
            simulator.change(Change::created("Lead")).unwrap();
            assert_eq!(peer.poll().await.unwrap().len(), 2, "{fault:?}: the next request is served");
        }
    });
}

/// What comes back for one raw request, and how the connection ends.
fn raw(simulator: &Simulator) -> (Vec<u8>, std::io::Result<()>) {
    let host = simulator.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET /services/data/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let (mut received, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        match stream.read(&mut part) {
            Ok(0) => return (received, Ok(())),
            Ok(count) => received.extend_from_slice(&part[..count]),
            Err(error) => return (received, Err(error)),
        }
    }
}

#[test]
fn bytes_on_the_wire() {
    let simulator = simulator();
    let (whole, end) = raw(&simulator);
    assert!(whole.starts_with(b"HTTP/1.1 200 OK\r\n") && whole.ends_with(b"]") && end.is_ok());
    let body_of = |received: &[u8]| {
        let head = received.windows(4).position(|window| window == b"\r\n\r\n");
        head.map(|head| received.len() - head - 4)
    };
    for (fault, body, reset) in [
        (Fault::CutAfter { bytes: 100 }, Some(100), false),
        (Fault::CutAfterHead, Some(0), false),
        (Fault::CutBeforeHead, None, false),
        (Fault::Reset, None, true),
    ] {
        simulator.inject(FaultRule::once(Where::path("/services/data"), fault.clone()));
        let (received, end) = raw(&simulator);
        assert_eq!(body_of(&received), body, "{fault:?}");
        let was_reset = end.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
        assert_eq!(was_reset, reset, "{fault:?}");
    }
}

#[test]
fn https_with_both_versions_of_http_and_a_login_host_of_its_own() {
    for h2 in [false, true] {
        let config = SimulatorConfig { org: config(), tls: true, separate_login: true, ..SimulatorConfig::default() };
        let simulator = Simulator::spawn(config).unwrap();
        assert_ne!(simulator.url(), simulator.login_url());
        block_on(async {
            let mut roots = rustls::RootCertStore::empty();
            let pem = simulator.ca_pem().unwrap().as_bytes();
            let authority =
                <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(pem);
            roots.add(authority.unwrap()).unwrap();
            let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
            let tls = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
            let connector = if h2 { connector.enable_http2().build() } else { connector.enable_http1().build() };
            let http = HttpClient::builder(TokioExecutor::new()).http2_only(h2).build(connector);
            let mut peer = Peer::listening(http, &simulator).await;
            simulator.change(Change::created("Lead")).unwrap();
            simulator.inject(FaultRule::once(Where::carrying_events(), Fault::CutMidArray));
            assert!(peer.poll().await.is_err(), "h2: {h2}");
            simulator.change(Change::created("Lead")).unwrap();
            assert_eq!(replay_ids(&peer.poll().await.unwrap()), [2], "h2: {h2}");
        });
    }
}

#[test]
fn a_taken_port_is_named() {
    let simulator = simulator();
    let port = simulator.url().rsplit(':').next().unwrap().parse().unwrap();
    let error = Simulator::spawn(SimulatorConfig { port, ..SimulatorConfig::default() }).unwrap_err();
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[test]
fn changes_come_at_a_rate() {
    let simulator =
        Simulator::spawn(SimulatorConfig { org: config(), changes_per_s: 500.0, ..SimulatorConfig::default() })
            .unwrap();
    simulator.org().create_topic(simulator.now_ms(), "Leads", crate::client::QUERY).unwrap();
    block_on(until(|| simulator.org().ledger().len() > 20));
}
