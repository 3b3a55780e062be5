//! The world of a simulated task: the org's core, a virtual clock, and the wire between them with its faults.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue as HttpHeaderValue, Method as HttpMethod};
use salesforce_pushtopic::{
    driver::Imports,
    error::Failure,
    http::{HttpError, Method, Request, Response, Timeouts},
    task::ProducerRecord,
    telemetry::Event as Fact,
    time::{Deadline, Now},
};
use salesforce_simulator::{Answer, Event, HoldId, Org, OrgConfig, Reply, Transport};

use crate::faults;

/// A way over the network takes this long, in milliseconds.
const LATENCY_MS: u64 = 20;

/// Fault rules that wait for their moment, at most.
const PENDING_FAULTS_MAX: u64 = 2;

/// Who may log in.
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) security_token: String,
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: String,
}

struct Inner {
    org: Org,
    now_ms: u64,
    random: u64,
    stormy: bool,
    faults: bool,
    next_change_ms: u64,
    next_fault_ms: u64,
    injected: u64,
    ready: Vec<(HoldId, Reply)>,
    sent: Vec<ProducerRecord>,
    /// A planted bug: the answer to a poll that was cut is not told of.
    re_poll: bool,
}

/// The world; clones are the same one.
#[derive(Clone)]
pub(crate) struct World(Rc<RefCell<Inner>>);

/// A request in flight.
pub(crate) struct InFlight {
    world: World,
    held: Option<HoldId>,
    outcome: Option<(u64, Result<Response, HttpError>)>,
    timeouts: Timeouts,
    bytes_max: usize,
    began_ms: u64,
    /// The message's id, of a poll.
    poll: Option<String>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(id) = self.held {
            let mut inner = self.world.0.borrow_mut();
            let now_ms = inner.now_ms;
            inner.org.abandon(now_ms, id);
        }
    }
}

impl Inner {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64: the run depends on nothing but the seed.
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    /// When something happens by itself next.
    fn next_ms(&self) -> u64 {
        let org_ms = self.org.next_deadline_ms().unwrap_or(u64::MAX);
        let own_ms = if self.stormy { self.next_change_ms.min(self.next_fault_ms) } else { u64::MAX };
        org_ms.min(own_ms)
    }

    /// Lets time pass until `until_ms`, or until a held reply is there.
    fn pass(&mut self, until_ms: u64) {
        loop {
            let at_ms = self.next_ms().max(self.now_ms).min(until_ms);
            self.now_ms = at_ms;
            if self.stormy && self.next_change_ms <= at_ms {
                let _ = self.org.make_change(at_ms, &["Lead".to_owned()]);
                let pause_ms = if self.below(10) == 0 { 60_000 } else { 2_000 };
                self.next_change_ms = at_ms + 1 + self.below(pause_ms);
            }
            if self.stormy && self.next_fault_ms <= at_ms {
                // Few at a time: faults that pile up while the task waits for a quota would all strike at one point.
                if self.faults && self.injected < self.org.stats().faults_fired + PENDING_FAULTS_MAX {
                    self.injected += 1;
                    let (n, chance) = (self.below(10_000), self.below(10_000));
                    self.org.inject(faults::rule(n, chance));
                }
                self.next_fault_ms = at_ms + 5_000 + self.below(60_000);
            }
            let replies = self.org.due(at_ms);
            self.ready.extend(replies);
            if at_ms >= until_ms || !self.ready.is_empty() {
                return;
            }
            // Whatever was due at this moment is done; the next moment is a later one.
            self.now_ms += u64::from(self.next_ms() <= at_ms);
        }
    }
}

impl World {
    pub(crate) fn new(config: OrgConfig, seed: u64, faults: bool) -> Self {
        let now_ms = config.start_ms;
        Self(Rc::new(RefCell::new(Inner {
            org: Org::new(config),
            now_ms,
            random: seed,
            stormy: true,
            faults,
            next_change_ms: now_ms + 1_000,
            next_fault_ms: now_ms + 2_000,
            injected: 0,
            ready: Vec::new(),
            sent: Vec::new(),
            re_poll: false,
        })))
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let inner = self.0.borrow();
        let (config, user) = (inner.org.config(), &inner.org.config().users[0]);
        Credentials {
            username: user.username.clone(),
            password: user.password.clone(),
            security_token: user.security_token.clone(),
            consumer_key: config.consumer_key.clone(),
            consumer_secret: config.consumer_secret.clone(),
        }
    }

    /// Plants the bug of a connector that asks again in the same session after a cut answer.
    pub(crate) fn re_poll(&self, planted: bool) {
        self.0.borrow_mut().re_poll = planted;
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.0.borrow().now_ms
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.0.borrow_mut().below(bound)
    }

    pub(crate) fn sleep(&self, ms: u64) {
        let mut inner = self.0.borrow_mut();
        let until_ms = inner.now_ms + ms;
        while inner.now_ms < until_ms {
            let kept = std::mem::take(&mut inner.ready);
            inner.pass(until_ms);
            let new = std::mem::replace(&mut inner.ready, kept);
            inner.ready.extend(new);
        }
    }

    /// No more changes and no more faults.
    pub(crate) fn calm(&self) {
        let mut inner = self.0.borrow_mut();
        inner.stormy = false;
        inner.org.clear_faults();
    }

    pub(crate) fn ledger(&self) -> Vec<Arc<Event>> {
        self.0.borrow().org.ledger().iter().cloned().collect()
    }

    pub(crate) fn take_sent(&self) -> Vec<ProducerRecord> {
        std::mem::take(&mut self.0.borrow_mut().sent)
    }
}

/// The id of a long poll's message.
fn poll_id(request: &Request) -> Option<String> {
    let messages: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    let message = messages.get(0)?;
    let poll = message.get("channel")? == "/meta/connect" && message.pointer("/advice/timeout").is_none();
    poll.then(|| message.get("id").map(ToString::to_string)).flatten()
}

impl World {
    /// With the bug planted, an answer that was cut looks like one without events.
    fn hushed(&self, pending: &InFlight, outcome: Result<Response, HttpError>) -> Result<Response, HttpError> {
        match (&pending.poll, outcome) {
            (Some(id), Err(HttpError::Broken(_))) if self.0.borrow().re_poll => {
                let body = format!(r#"[{{"channel":"/meta/connect","successful":true,"id":{id}}}]"#);
                Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
            }
            (_, outcome) => outcome,
        }
    }
}

fn org_request(request: &Request) -> salesforce_simulator::Request {
    let path = request.url.trim_start_matches("http://simulator.test").to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let value = HttpHeaderValue::from_str(value.expose()).expect("a header value");
        headers.append(HeaderName::from_bytes(name.as_bytes()).expect("a header name"), value);
    }
    salesforce_simulator::Request {
        method: if request.method == Method::Get { HttpMethod::GET } else { HttpMethod::POST },
        host: "simulator.test".into(),
        path_and_query: path,
        headers,
        body: request.body.clone().into(),
    }
}

impl InFlight {
    /// How a reply that leaves the org at `at_ms` reaches the task, and when.
    fn arrive(&mut self, at_ms: u64, reply: Reply) {
        let length = reply.response.body.len();
        let broken = || Err(HttpError::Broken("the connection ended".into()));
        let soon_ms = at_ms + LATENCY_MS;
        let stalled = |after_ms: u64| {
            let at_ms = after_ms + self.timeouts.between_bytes_ms;
            (at_ms, Err(HttpError::Timeout("no more bytes came".into())))
        };
        let outcome = match reply.transport {
            Transport::Whole => (soon_ms, Ok(response(reply))),
            Transport::CutAfter(bytes) if bytes >= length => (soon_ms, Ok(response(reply))),
            Transport::CutAfter(_) | Transport::CutBeforeHead | Transport::Reset => (soon_ms, broken()),
            Transport::StallForever => {
                let at_ms = self.began_ms + self.timeouts.first_byte_ms;
                (at_ms.max(soon_ms), Err(HttpError::Timeout("no head came".into())))
            }
            Transport::StallAfter(_) => stalled(soon_ms),
            Transport::Slow { bytes_per_s } => {
                let takes_ms = length as u64 * 1_000 / u64::from(bytes_per_s.max(1));
                (soon_ms + takes_ms, Ok(response(reply)))
            }
        };
        self.outcome = Some(match outcome {
            (at_ms, Ok(response)) if response.body.len() > self.bytes_max => {
                (at_ms, Err(HttpError::BodyTooLarge { bytes_max: self.bytes_max }))
            }
            outcome => outcome,
        });
    }
}

fn response(reply: Reply) -> Response {
    let headers = reply.response.headers.iter();
    Response {
        status: reply.response.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: reply.response.body.to_vec(),
    }
}

impl Imports for World {
    type Pending = InFlight;

    fn now(&mut self) -> Now {
        let now_ms = self.now_ms();
        Now { monotonic_ms: now_ms, wall_ms: i64::try_from(now_ms).expect("this side of the year 292277026") }
    }

    fn start(&mut self, request: Request) -> Result<InFlight, HttpError> {
        let began_ms = self.now_ms();
        let mut pending = InFlight {
            world: self.clone(),
            held: None,
            outcome: None,
            timeouts: request.timeouts,
            bytes_max: request.response_bytes_max,
            began_ms,
            poll: poll_id(&request),
        };
        self.sleep(LATENCY_MS);
        let (answer, now_ms) = {
            let mut inner = self.0.borrow_mut();
            let now_ms = inner.now_ms;
            (inner.org.handle(now_ms, &org_request(&request)), now_ms)
        };
        match answer {
            Answer::Ready(reply) => pending.arrive(now_ms, reply),
            Answer::Held(id) => pending.held = Some(id),
        }
        Ok(pending)
    }

    fn finish(&mut self, pending: &mut InFlight, until: Deadline) -> Option<Result<Response, HttpError>> {
        loop {
            if let Some(id) = pending.held {
                let mut inner = self.0.borrow_mut();
                let now_ms = inner.now_ms;
                if let Some(index) = inner.ready.iter().position(|(ready, _)| *ready == id) {
                    let (_, reply) = inner.ready.swap_remove(index);
                    pending.held = None;
                    drop(inner);
                    pending.arrive(now_ms, reply);
                }
            }
            let now_ms = self.now_ms();
            let dead_ms = pending.began_ms + pending.timeouts.first_byte_ms;
            match &pending.outcome {
                Some((at_ms, _)) if *at_ms <= now_ms => {
                    let outcome = pending.outcome.take().map(|(_, outcome)| outcome);
                    return outcome.map(|outcome| self.hushed(pending, outcome));
                }
                None if dead_ms <= now_ms => return Some(Err(HttpError::Timeout("no head came".into()))),
                _ if until.0 <= now_ms => return None,
                Some((at_ms, _)) => self.sleep(until.0.min(*at_ms) - now_ms),
                None => {
                    let mut inner = self.0.borrow_mut();
                    // Replies to requests that were given up on are nobody's.
                    inner.ready.clear();
                    inner.pass(until.0.min(dead_ms));
                }
            }
        }
    }

    fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), Failure> {
        self.0.borrow_mut().sent.extend(batch);
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "the trace of a seed that failed, on demand")]
    fn emit(&mut self, event: &Fact) {
        if std::env::var_os("SIM_TRACE").is_some() {
            println!("{} {} {}", self.now_ms(), event.name(), event.message());
        }
    }
}
