//! Connections through an HTTP proxy: one of the worker's, one that the connector names. The proxy is a real one, as small
//! as `CONNECT` allows. It alone knows the name under which the connector looks for the org, so that whatever arrives there
//! has come through it.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    judge::judge,
    org::{self, Org},
    process::PATIENCE,
    scene::{PUSH_TOPIC, Scene},
};

/// A name that no name server knows; the proxy takes it for this machine.
const HIDDEN: &str = "org.hidden.test";
const USER: &str = "ada";

/// A proxy on a free port of loopback.
pub(crate) struct Proxy {
    port: u16,
    tunnels: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts one; with a login it lets nobody else through.
    pub(crate) fn start(login: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let wanted = login.map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        let tunnels = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tunnels);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (wanted, count) = (wanted.clone(), Arc::clone(&count));
                // A connection that ends early is the client's affair.
                thread::spawn(move || drop(serve(stream, wanted.as_deref(), &count)));
            }
        });
        Self { port, tunnels }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Tunnels that were opened.
    pub(crate) fn tunnels(&self) -> usize {
        self.tunnels.load(Ordering::SeqCst)
    }
}

fn serve(client: TcpStream, wanted: Option<&str>, tunnels: &AtomicUsize) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let mut client = client;
    let given = head.iter().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
    if wanted.is_some() && given != wanted {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
    }
    let target = head.first().and_then(|line| line.strip_prefix("CONNECT ")?.split(' ').next());
    let Some(target) = target else { return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n") };
    let upstream = TcpStream::connect(target.replace(HIDDEN, "127.0.0.1"))?;
    tunnels.fetch_add(1, Ordering::SeqCst);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut back, mut to_client) = (upstream.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || {
        let _ = io::copy(&mut back, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut upstream = upstream;
    let _ = io::copy(&mut reader, &mut upstream);
    let _ = upstream.shutdown(Shutdown::Both);
    let _ = answers.join();
    Ok(())
}

/// A scenario whose org can be found through the proxy alone.
fn scene(org: &Org) -> Scene {
    let hidden = org.url().replace("127.0.0.1", HIDDEN);
    Scene::new(org, "leads")
        .with("salesforce.instance", &hidden)
        .with("request.max.retries.time.ms", "1000")
        .worker("tributary.network.allow", &format!("http://{HIDDEN}:*,http://127.0.0.1:*"))
}

/// Carries a few events.
fn carries(org: &Org, scene: &Scene) {
    let run = scene.run_until_subscribed();
    org.create_leads(3);
    scene.tail("leads", 3);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_exact();
}

#[test]
fn without_the_proxy_the_org_is_not_found() {
    let org = Org::start();
    scene(&org).run().wait(PATIENCE).expect_code(1).expect_said(&[HIDDEN, "cannot be resolved"]);
}

#[test]
fn a_connectors_own_proxy_carries_its_connections() {
    let org = Org::start();
    let proxy = Proxy::start(Some((USER, org::PROXY_PASSWORD)));
    let scene = scene(&org)
        .with("http.proxy", &proxy.address())
        .with("http.proxy.user", USER)
        .with("http.proxy.password", org::PROXY_PASSWORD)
        // Nobody is there: the connector's own wins.
        .worker("tributary.network.proxy", "http://127.0.0.1:9");
    carries(&org, &scene);
    assert!(proxy.tunnels() > 0);
}

#[test]
fn the_workers_proxy_carries_what_names_none() {
    let org = Org::start();
    let proxy = Proxy::start(Some((USER, org::PROXY_PASSWORD)));
    let address = format!("http://{USER}:{}@{}", org::PROXY_PASSWORD, proxy.address());
    carries(&org, &scene(&org).worker("tributary.network.proxy", &address));
    assert!(proxy.tunnels() > 0);
}

#[test]
fn tls_goes_through_the_tunnel() {
    let org = Org::start_tls();
    let proxy = Proxy::start(None);
    let scene = Scene::new(&org, "leads").worker("tributary.network.allow", "https://127.0.0.1:*,http://127.0.0.1:*");
    let roots = scene.path("roots.pem");
    std::fs::write(&roots, org.ca_pem()).expect("the folder is ours");
    let scene = scene
        .worker("tributary.network.ca.file", &roots.to_string_lossy())
        .with("http.proxy", &format!("http://{}", proxy.address()));
    carries(&org, &scene);
    assert!(proxy.tunnels() > 0);
}

#[test]
fn a_proxy_that_refuses_or_is_not_allowed_is_named() {
    let org = Org::start();
    let proxy = Proxy::start(Some((USER, org::PROXY_PASSWORD)));
    let refused = scene(&org).with("http.proxy", &proxy.address());
    refused.run().wait(PATIENCE).expect_code(1).expect_said(&["http.proxy", "407"]);
    let denied = refused.worker("tributary.network.allow", &format!("http://{HIDDEN}:*"));
    denied.run().wait(PATIENCE).expect_code(2).expect_said(&[
        "http.proxy",
        &proxy.address(),
        "tributary.network.allow",
    ]);
    assert_eq!(proxy.tunnels(), 0);
}
