//! A proxy between a client and the broker that knows Kafka's frames: it withholds the answers to commits, or the commits
//! themselves, and lets them go later (KAFKA-17754).

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    broker::{Broker, ProxyPorts},
    process::PATIENCE,
};

/// `EndTxn` of Kafka's protocol.
const END_TXN: i16 = 26;

/// What happens to the next commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Strike {
    /// They pass.
    #[default]
    Nothing,
    /// The next one reaches the broker; its answer, and that to every later one on any connection, does not come back.
    WithholdAnswers,
    /// The next one does not reach the broker until `release`, whatever becomes of its sender. Those behind it pass.
    DelayRequest,
}

#[derive(Default)]
struct State {
    strike: Strike,
    /// Commits that were struck.
    struck: usize,
    released: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    closed: AtomicBool,
}

/// See the module.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
}

impl Proxy {
    /// One in the way to the broker, and the `bootstrap.servers` that lead through it.
    pub(crate) fn before(broker: &Broker) -> (Self, String) {
        let ProxyPorts { advertised, upstream } = broker.proxy_ports();
        (Self::start(advertised, upstream), format!("127.0.0.1:{advertised}"))
    }

    /// Between `port` and the broker's listener on `upstream`, both on loopback.
    fn start(port: u16, upstream: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port was kept free");
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.closed.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                let Ok(broker) = TcpStream::connect(("127.0.0.1", upstream)) else { continue };
                connection(client, broker, &accepting);
            }
        });
        Self { shared }
    }

    /// From now on commits are struck.
    pub(crate) fn strike(&self, strike: Strike) {
        let mut state = self.shared.lock();
        *state = State { strike, ..State::default() };
    }

    /// Waits until a commit was struck.
    #[track_caller]
    pub(crate) fn expect_struck(&self) {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, |state| state.struck == 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(state.struck > 0, "no commit came by");
    }

    /// Lets go of what was delayed; commits pass again.
    pub(crate) fn release(&self) {
        let mut state = self.shared.lock();
        state.released = true;
        state.strike = Strike::Nothing;
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.release();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A commit comes by: whether its answer is withheld. One that is delayed waits here.
    fn end_txn(&self) -> bool {
        let mut state = self.lock();
        match state.strike {
            Strike::Nothing => return false,
            Strike::WithholdAnswers => {
                state.struck += 1;
                self.changed.notify_all();
                return true;
            }
            Strike::DelayRequest => {
                state.struck += 1;
                state.strike = Strike::Nothing;
                self.changed.notify_all();
            }
        }
        // Longer than any test waits before it releases.
        let limit = Duration::from_secs(600);
        let waited = self.changed.wait_timeout_while(state, limit, |state| !state.released);
        drop(waited);
        false
    }
}

/// Two threads that carry frames. That towards the broker goes on after the client has left, until it has delivered what it
/// read: so a delayed commit arrives although nobody waits for it any more.
fn connection(client: TcpStream, broker: TcpStream, shared: &Arc<Shared>) {
    let withheld: Arc<Mutex<Vec<i32>>> = Arc::default();
    let both = || -> io::Result<(TcpStream, TcpStream)> { Ok((client.try_clone()?, broker.try_clone()?)) };
    let Ok((mut from_client, mut to_broker)) = both() else { return };
    let (requests, marked) = (Arc::clone(shared), Arc::clone(&withheld));
    thread::spawn(move || {
        while let Ok(frame) = read_frame(&mut from_client) {
            if frame.len() >= 12 && i16::from_be_bytes([frame[4], frame[5]]) == END_TXN && requests.end_txn() {
                let correlation = i32::from_be_bytes([frame[8], frame[9], frame[10], frame[11]]);
                marked.lock().unwrap_or_else(PoisonError::into_inner).push(correlation);
            }
            if to_broker.write_all(&frame).is_err() {
                break;
            }
        }
        let _ = to_broker.shutdown(Shutdown::Write);
    });
    let (mut from_broker, mut to_client) = (broker, client);
    thread::spawn(move || {
        while let Ok(frame) = read_frame(&mut from_broker) {
            let correlation = i32::from_be_bytes([frame[4], frame[5], frame[6], frame[7]]);
            if withheld.lock().unwrap_or_else(PoisonError::into_inner).contains(&correlation) {
                continue;
            }
            if to_client.write_all(&frame).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

/// A frame with its length in front.
fn read_frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let size = usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)?;
    if !(4..=256 * 1024 * 1024).contains(&size) {
        return Err(io::Error::other("no frame of Kafka's"));
    }
    let mut frame = vec![0; 4 + size];
    frame[..4].copy_from_slice(&length);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}
