//! The simulator as a library: an org behind a real HTTP or HTTPS port, in this process.
//!
//! Implements section 7 of the surface page for tests: asynchronous ([`Simulator::start`]) and on a thread of its own
//! ([`Simulator::spawn`]).

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::changes::{Change, ChangeError, Changed};
use crate::config::OrgConfig;
use crate::faults::FaultRule;
use crate::org::Org;
use crate::server::{self, Shell, State, now_ms};
use crate::tls::{self, TlsError};

/// How a simulator is set up.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// The org. Its `instance_url`, `login_host`, `secure_cookies` and `start_ms` are set by the server.
    pub org: OrgConfig,
    /// The address to listen on. Whoever reaches it controls the org.
    pub address: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Serves https with a certificate of an authority made at the start.
    pub tls: bool,
    /// Serves the token endpoint on a port of its own, and only there, as `login.salesforce.com` does.
    pub separate_login: bool,
    /// What the token endpoint gives as `instance_url`; without one, the server's own.
    pub instance_url: Option<String>,
    /// So many made-up changes a second.
    pub changes_per_s: f64,
    /// The objects that they change.
    pub change_objects: Vec<String>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            org: OrgConfig::default(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            tls: false,
            separate_login: false,
            instance_url: None,
            changes_per_s: 0.0,
            change_objects: vec!["Lead".to_owned(), "Account".to_owned()],
        }
    }
}

/// What the simulator accepts at login.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The login name.
    pub username: String,
    /// The password, without the security token.
    pub password: String,
    /// The security token.
    pub security_token: String,
    /// The connected app's consumer key.
    pub consumer_key: String,
    /// The connected app's consumer secret.
    pub consumer_secret: String,
    /// The refresh token of the first user.
    pub refresh_token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("cannot listen on {address}: {source}; choose another port or end what uses it")]
    Listen {
        /// The address and port.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No thread or runtime for the server.
    #[error("cannot start the server's thread: {0}")]
    Thread(io::Error),
}

/// A running simulator. It ends when it is dropped.
pub struct Simulator {
    shell: Arc<Shell>,
    url: String,
    login_url: String,
    ca_pem: Option<String>,
    credentials: Credentials,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The org of a running simulator, locked. When the guard goes, open polls see what was changed.
pub struct OrgGuard<'a> {
    state: MutexGuard<'a, State>,
    shell: &'a Shell,
}

impl Deref for OrgGuard<'_> {
    type Target = Org;

    fn deref(&self) -> &Org {
        &self.state.org
    }
}

impl DerefMut for OrgGuard<'_> {
    fn deref_mut(&mut self) -> &mut Org {
        &mut self.state.org
    }
}

impl Drop for OrgGuard<'_> {
    fn drop(&mut self) {
        self.shell.wake();
    }
}

impl Simulator {
    /// Starts a simulator on the current Tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] when the port is taken or no certificate can be made.
    pub async fn start(config: SimulatorConfig) -> Result<Self, StartError> {
        let (listener, port) = listen(config.address, config.port).await?;
        let login = if config.separate_login { Some(listen(config.address, 0).await?) } else { None };
        let (acceptor, ca_pem) = if config.tls {
            let (acceptor, pem) = tls::acceptor(config.address)?;
            (Some(acceptor), Some(pem))
        } else {
            (None, None)
        };
        let scheme = if config.tls { "https" } else { "http" };
        let host = |port: u16| SocketAddr::new(config.address, port).to_string();
        let url = format!("{scheme}://{}", host(port));
        let login_host = login.as_ref().map(|(_, port)| host(*port));
        let login_url = login_host.as_ref().map_or_else(|| url.clone(), |host| format!("{scheme}://{host}"));

        let mut org = config.org;
        org.instance_url = config.instance_url.unwrap_or_else(|| url.clone());
        org.login_host = login_host;
        org.secure_cookies = config.tls;
        org.start_ms = now_ms();
        let credentials = credentials(&org);
        let shell = Arc::new(Shell::new(Org::new(org)));
        let (stop, stopped) = watch::channel(false);
        for listener in [Some(listener), login.map(|(listener, _)| listener)].into_iter().flatten() {
            tokio::spawn(server::serve(listener, acceptor.clone(), shell.clone(), stopped.clone()));
        }
        tokio::spawn(shell.clone().pump(stopped.clone()));
        if config.changes_per_s > 0.0 {
            tokio::spawn(business(shell.clone(), config.changes_per_s, config.change_objects, stopped));
        }
        Ok(Self { shell, url, login_url, ca_pem, credentials, stop, thread: None })
    }

    /// Starts a simulator on a thread of its own, for callers without a runtime.
    ///
    /// # Errors
    /// As [`Simulator::start`], and when no thread can be had.
    pub fn spawn(config: SimulatorConfig) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let mut simulator = runtime.block_on(Self::start(config))?;
        let mut stopped = simulator.stop.subscribe();
        let serve = move || {
            runtime.block_on(async {
                // The sender is gone when the simulator was dropped; that too is the end.
                let _ = stopped.changed().await;
            });
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("salesforce-simulator".to_owned()).spawn(serve);
        simulator.thread = Some(thread.map_err(StartError::Thread)?);
        Ok(simulator)
    }

    /// The origin of the org, for example `http://127.0.0.1:18080`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The origin of the token endpoint; the same as [`Simulator::url`] unless it was separated.
    #[must_use]
    pub fn login_url(&self) -> &str {
        &self.login_url
    }

    /// The authority to trust, in PEM; `None` on plain http.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// What to log in with.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The org, locked. Requests wait meanwhile; open polls see the changes when the guard goes.
    #[must_use]
    pub fn org(&self) -> OrgGuard<'_> {
        OrgGuard { state: self.shell.lock(), shell: &self.shell }
    }

    /// The time that the server passes to the org, ms since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        now_ms()
    }

    /// Carries out one change now.
    ///
    /// # Errors
    /// As [`Org::change`].
    pub fn change(&self, change: Change) -> Result<Changed, ChangeError> {
        self.org().change(now_ms(), change)
    }

    /// Puts a fault rule in force; its number.
    pub fn inject(&self, rule: FaultRule) -> u64 {
        self.org().inject(rule)
    }

    /// Ends the server: connections are closed, the thread, if it has one, is waited for.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A server thread that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}

async fn listen(address: IpAddr, port: u16) -> Result<(TcpListener, u16), StartError> {
    let address = SocketAddr::new(address, port);
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}

fn credentials(org: &OrgConfig) -> Credentials {
    let user = org.users.first();
    let of = |part: fn(&crate::config::User) -> &String| user.map(part).cloned().unwrap_or_default();
    Credentials {
        username: of(|user| &user.username),
        password: of(|user| &user.password),
        security_token: of(|user| &user.security_token),
        consumer_key: org.consumer_key.clone(),
        consumer_secret: org.consumer_secret.clone(),
        refresh_token: org.refresh_token.clone(),
    }
}

/// Makes so many changes a second, in steps of at least 5 ms.
async fn business(shell: Arc<Shell>, changes_per_s: f64, objects: Vec<String>, mut stop: watch::Receiver<bool>) {
    let step = Duration::from_secs_f64((1.0 / changes_per_s).clamp(0.005, 60.0));
    let mut ticks = tokio::time::interval(step);
    let mut owed = 0.0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.changed() => return,
        }
        owed += changes_per_s * step.as_secs_f64();
        let state = &mut *shell.lock();
        while owed >= 1.0 {
            owed -= 1.0;
            // The objects were checked at the start; a deletion that finds no record is no business.
            let _ = state.org.make_change(now_ms(), &objects);
        }
        shell.wake();
    }
}
