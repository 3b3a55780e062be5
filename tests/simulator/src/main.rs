//! `salesforce-simulator`: the simulator as a program. Implements section 7 of the surface page.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use salesforce_simulator::{CONTROL_HELP, OrgConfig, Simulator, SimulatorConfig};

/// A local Salesforce for streaming clients: OAuth, REST, PushTopics and CometD with replay.
///
/// Prints its URL and the credentials that it accepts as key=value lines on stdout, then serves until SIGINT or SIGTERM.
#[derive(Parser)]
#[command(version, after_help = CONTROL_HELP)]
struct Arguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 18080)]
    port: u16,
    /// Address to listen on; whoever reaches it controls the org
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Serve https, with a certificate of an authority made at the start
    #[arg(long)]
    tls: bool,
    /// Write that authority's certificate (PEM) here
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
    /// Serve the token endpoint on a port of its own, as login.salesforce.com does
    #[arg(long)]
    separate_login: bool,
    /// What the token endpoint gives as instance_url, for example under another host name; else the server's own URL
    #[arg(long, value_name = "URL")]
    instance_url: Option<String>,
    /// Accept JWT bearer logins signed by the key of this certificate (PEM); may be repeated
    #[arg(long, value_name = "FILE")]
    jwt_certificate: Vec<PathBuf>,
    /// Seed of everything made up
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Make so many changes a second: creates, updates, deletes, undeletes
    #[arg(long, value_name = "N", default_value_t = 0.0, value_parser = rate)]
    rate: f64,
    /// Objects that --rate changes
    #[arg(long, value_name = "OBJECT,...", value_delimiter = ',', default_value = "Lead,Account",
        value_parser = ["Lead", "Account", "Everything__c"])]
    objects: Vec<String>,
    /// Fill events up to about so many bytes (the long text Description; a PushTopic has to select it)
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    event_bytes: usize,
    /// For benchmarks: N events of --event-bytes bytes stand ready on the PushTopic "Prepared"
    ///
    /// They have the replay ids 1 to N and are joined once, at the start.
    /// Each response is a slice of --batch of them: nothing is done for each event.
    /// Takes N * BYTES of memory. Read them with a replay id of -2.
    /// Uncompressed; not in ledger or deliveries; lifts the daily limit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    prepared: usize,
    /// Events in one response: of --prepared exactly, else at most
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Create this PushTopic at the start; may be repeated
    #[arg(long, value_name = "NAME=SOQL")]
    push_topic: Vec<String>,
    /// How long a connect is held
    #[arg(long, value_name = "MS", default_value_t = 110_000)]
    connect_hold_ms: u64,
    /// From a response to the next request; a session that misses it is forgotten
    #[arg(long, value_name = "MS", default_value_t = 40_000)]
    session_window_ms: u64,
    /// How long events stay replayable
    #[arg(long, value_name = "MS", default_value_t = 86_400_000)]
    retention_ms: u64,
    /// How long after a change its event is delivered
    #[arg(long, value_name = "MS", default_value_t = 0)]
    event_latency_ms: u64,
}

impl Arguments {
    fn org(&self) -> anyhow::Result<OrgConfig> {
        let mut standard = OrgConfig::default();
        for file in &self.jwt_certificate {
            let pem = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let uploaded = standard.upload_certificates(&pem).map_err(anyhow::Error::msg);
            uploaded.with_context(|| format!("--jwt-certificate {}", file.display()))?;
        }
        let prepared = self.prepared > 0;
        Ok(OrgConfig {
            seed: self.seed,
            event_bytes: self.event_bytes,
            connect_hold_ms: self.connect_hold_ms,
            session_window_ms: self.session_window_ms,
            retention_ms: self.retention_ms,
            event_latency_ms: self.event_latency_ms,
            response_events_max: self.batch.unwrap_or(standard.response_events_max),
            gzip: !prepared,
            daily_notifications_max: if prepared { u64::MAX } else { standard.daily_notifications_max },
            // A program that runs for days keeps what a person may want to look at.
            ledger_entries_max: 100_000,
            deliveries_max: 100_000,
            ..standard
        })
    }
}

/// Reads a number of changes a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.0..=100_000.0).contains(rate));
    rate.ok_or_else(|| "give a number of changes a second from 0 to 100000".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads it when stderr is closed.
            let _ = writeln!(std::io::stderr(), "salesforce-simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let simulator = Simulator::start(SimulatorConfig {
        org: arguments.org()?,
        address: arguments.address,
        port: arguments.port,
        tls: arguments.tls,
        separate_login: arguments.separate_login,
        instance_url: arguments.instance_url.clone(),
        changes_per_s: arguments.rate,
        change_objects: arguments.objects.clone(),
    })
    .await?;
    for topic in &arguments.push_topic {
        let (name, query) = topic.split_once('=').context("--push-topic takes NAME=SOQL")?;
        let created = simulator.org().create_topic(simulator.now_ms(), name, query);
        created.map_err(anyhow::Error::msg).with_context(|| format!("--push-topic {name} is refused"))?;
    }
    if arguments.prepared > 0 {
        let (bytes, batch) = (arguments.event_bytes.max(500), arguments.batch.unwrap_or(1_000));
        let prepared = simulator.org().prepare(simulator.now_ms(), "Prepared", arguments.prepared, bytes, batch);
        prepared.map_err(anyhow::Error::msg)?;
    }
    if let (Some(file), Some(pem)) = (&arguments.ca_file, simulator.ca_pem()) {
        std::fs::write(file, pem).with_context(|| format!("cannot write {}", file.display()))?;
    }
    announce(&simulator)?;
    wait().await?;
    simulator.shutdown();
    Ok(())
}

/// Data on stdout, one `key=value` a line; the hint for people on stderr.
fn announce(simulator: &Simulator) -> anyhow::Result<()> {
    let credentials = simulator.credentials();
    let (url, login) = (simulator.url(), simulator.login_url());
    let mut out = std::io::stdout().lock();
    for (key, value) in [
        ("url", url),
        ("login_url", login),
        ("username", &credentials.username),
        ("password", &credentials.password),
        ("security_token", &credentials.security_token),
        ("consumer_key", &credentials.consumer_key),
        ("consumer_secret", &credentials.consumer_secret),
        ("refresh_token", &credentials.refresh_token),
    ] {
        writeln!(out, "{key}={value}")?;
    }
    out.flush()?;
    let mut err = std::io::stderr().lock();
    writeln!(err, "Salesforce simulator on {url} (control: {url}/_control/). Paste into a connector's JSON:")?;
    for (key, value) in [
        ("salesforce.instance", login),
        ("salesforce.username", &credentials.username),
        ("salesforce.password", &credentials.password),
        ("salesforce.password.token", &credentials.security_token),
        ("salesforce.consumer.key", &credentials.consumer_key),
        ("salesforce.consumer.secret", &credentials.consumer_secret),
    ] {
        writeln!(err, "  \"{key}\": \"{value}\",")?;
    }
    Ok(())
}

/// Until SIGINT or SIGTERM.
async fn wait() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
