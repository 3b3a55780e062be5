//! The HTTP server around an [`Org`]: reads requests, waits for held replies, and applies transport faults for real.
//!
//! Implements HTTP/1.1 and, over TLS, HTTP/2; the behaviour behind it is the core's.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::HOST;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use crate::exchange::{Answer, HoldId, Reply, Request, Response, Transport};
use crate::org::Org;

/// The largest request body that is read at all, bytes.
const BODY_BYTES_MAX: usize = 16 << 20;
/// Bytes before a cut are given so long to leave.
const FLUSH_TIME: Duration = Duration::from_millis(20);

/// The org, and the requests that wait for it.
pub(crate) struct State {
    pub(crate) org: Org,
    waiting: BTreeMap<HoldId, oneshot::Sender<Reply>>,
}

/// What all connections share.
pub(crate) struct Shell {
    state: Mutex<State>,
    wake: Notify,
}

/// The wall clock, ms since the epoch.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Shell {
    pub(crate) fn new(org: Org) -> Self {
        Self { state: Mutex::new(State { org, waiting: BTreeMap::new() }), wake: Notify::new() }
    }

    /// A test that panicked while it held the lock leaves an org that still serves.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Hands out the replies of held requests as they fall due.
    pub(crate) async fn pump(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let deadline_ms = {
                let state = &mut *self.lock();
                for (id, reply) in state.org.due(now_ms()) {
                    if let Some(waiting) = state.waiting.remove(&id) {
                        // Nobody is there any more when the client hung up just now.
                        let _ = waiting.send(reply);
                    }
                }
                state.org.next_deadline_ms()
            };
            let pause = deadline_ms.map(|at| Duration::from_millis(at.saturating_sub(now_ms())));
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or(Duration::from_secs(3_600))) => {}
                _ = stop.changed() => return,
            }
        }
    }

    async fn answer(self: &Arc<Self>, request: &Request) -> Reply {
        let (waiting, id) = {
            let state = &mut *self.lock();
            match state.org.handle(now_ms(), request) {
                Answer::Ready(reply) => {
                    self.wake();
                    return reply;
                }
                Answer::Held(id) => {
                    let (send, receive) = oneshot::channel();
                    state.waiting.insert(id, send);
                    (receive, id)
                }
            }
        };
        self.wake();
        let mut held = Held { shell: self.clone(), id: Some(id) };
        let reply = waiting.await;
        held.id = None;
        reply.unwrap_or(Reply { response: Response::empty(500), transport: Transport::CutBeforeHead })
    }
}

/// A held request; when its client hangs up it is dropped unanswered, and the org hears of it.
struct Held {
    shell: Arc<Shell>,
    id: Option<HoldId>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let state = &mut *self.shell.lock();
            state.waiting.remove(&id);
            state.org.abandon(now_ms(), id);
        }
    }
}

/// What a request can do to its connection.
#[derive(Default)]
struct Line {
    reset: AtomicBool,
    kill: Notify,
}

/// A connection that can be made to end with a reset.
struct Wire {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.reset.load(Ordering::Relaxed) {
            // Without it the connection ends in the ordinary way, which the client survives as well.
            let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// How the rest of a body goes out.
enum Pace {
    Whole,
    ThenCut,
    ThenStall,
    Slow { bytes: usize, every: Duration },
}

/// A response body, with the transport fault applied to it.
struct Outgoing {
    left: Bytes,
    pace: Pace,
    /// The length that the head announces; without one the body is chunked.
    announced: Option<u64>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Outgoing {
    fn new(body: Bytes, transport: Transport, chunked: bool) -> Self {
        let announced = (!chunked).then_some(body.len() as u64);
        let part = |bytes: usize| body.slice(..bytes.min(body.len()));
        let (left, pace) = match transport {
            Transport::CutAfter(bytes) => (part(bytes), Pace::ThenCut),
            Transport::StallAfter(bytes) => (part(bytes), Pace::ThenStall),
            Transport::Slow { bytes_per_s } => {
                let ticks = bytes_per_s.clamp(1, 10);
                let bytes = (bytes_per_s / ticks) as usize;
                (body, Pace::Slow { bytes, every: Duration::from_secs(1) / ticks })
            }
            _ => (body, Pace::Whole),
        };
        Self { left, pace, announced, pause: None }
    }

    fn pause(&mut self, cx: &mut Context<'_>, time: Duration) -> Poll<()> {
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        ready!(pause.as_mut().poll(cx));
        self.pause = None;
        Poll::Ready(())
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if let Pace::Slow { bytes, every } = this.pace {
            if this.left.is_empty() {
                return Poll::Ready(None);
            }
            ready!(this.pause(cx, every));
            let part = this.left.split_to(bytes.min(this.left.len()));
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if !this.left.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.left)))));
        }
        match this.pace {
            Pace::ThenCut => {
                ready!(this.pause(cx, FLUSH_TIME));
                Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection is cut here"))))
            }
            Pace::ThenStall => Poll::Pending,
            Pace::Whole | Pace::Slow { .. } => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && matches!(self.pace, Pace::Whole | Pace::Slow { .. })
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Accepts connections until it is told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shell: Arc<Shell>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                // A connection that cannot be made quick is still one.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection(stream, tls.clone(), shell.clone(), stop.clone()));
            }
            // Out of descriptors: wait until some connection ends.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, shell: Arc<Shell>, mut stop: watch::Receiver<bool>) {
    let line = Arc::new(Line::default());
    let wire = Wire { stream, line: line.clone() };
    let service = {
        let line = line.clone();
        service_fn(move |request| exchange(shell.clone(), line.clone(), request))
    };
    let builder = auto::Builder::new(TokioExecutor::new());
    let served = async {
        match tls {
            // A client that does not trust the certificate ends the handshake; that is its right.
            Some(tls) => match tls.accept(wire).await {
                Ok(secured) => builder.serve_connection(TokioIo::new(secured), service).await.is_ok(),
                Err(_) => false,
            },
            None => builder.serve_connection(TokioIo::new(wire), service).await.is_ok(),
        }
    };
    tokio::select! {
        _ = served => {}
        () = line.kill.notified() => {}
        _ = stop.changed() => {}
    }
}

async fn exchange(
    shell: Arc<Shell>,
    line: Arc<Line>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Outgoing>, io::Error> {
    let (head, body) = request.into_parts();
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.or_else(|| head.uri.authority().map(ToString::to_string)).unwrap_or_default();
    let path_and_query = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let reply = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            let request = Request { method: head.method, host, path_and_query, headers: head.headers, body };
            shell.answer(&request).await
        }
        Err(_) => Reply { response: Response::text(413, "Maximum Request Size Exceeded"), transport: Transport::Whole },
    };
    match reply.transport {
        Transport::StallForever => std::future::pending::<()>().await,
        Transport::CutBeforeHead | Transport::Reset => {
            line.reset.store(reply.transport == Transport::Reset, Ordering::Relaxed);
            line.kill.notify_one();
            std::future::pending::<()>().await;
        }
        _ => {}
    }
    let chunked = reply.response.headers.contains_key(http::header::SET_COOKIE) || reply.response.body.len() > 16_384;
    let mut response = http::Response::new(Outgoing::new(reply.response.body, reply.transport, chunked));
    *response.status_mut() = reply.response.status;
    *response.headers_mut() = reply.response.headers;
    Ok(response)
}
