//! `Task`: phases, and how verdicts move it from one to the next. No I/O, no clock, no randomness of its own.

use std::mem;

use serde_json::json;

use super::{
    ProducerRecord, Step,
    delivery::{Delivery, Next},
    lost::{Lost, Then},
    pipeline::{Pipeline, Skipped},
    registration::{self, Registration},
    repair::{self, Repair},
    transport::transport,
};
use crate::{
    backoff::{Backoff, Jitter},
    bayeux::{
        Session, error,
        message::{CONNECT, HANDSHAKE, SUBSCRIBE},
        session::Reading,
    },
    config::{LostPolicy, SourceConfig},
    connector::{Plan, Prepared},
    error::{Cause, Failure, FailureKind, Verdict},
    exchange::Exchange,
    http::{HeaderValue, HttpError, Method, Request, Response, Timeouts},
    oauth::{GrantKind, ServerClock, Token, token},
    offset::Checkpoint,
    registry::requests::REGISTRY_RESPONSE_BYTES_MAX,
    salesforce::{gap::Reason, repair::RepairQuery, replay::Position, rest, schema::RecordSchemas},
    telemetry::Event,
    time::{Deadline, Now, WallMs, parse_http_date},
};

/// The first wait when a quota is used up, in milliseconds. Longer than the 40 s for which the org keeps the seat of a
/// client that died.
pub(super) const THROTTLE_FIRST_WAIT_MS: u64 = 45_000;
/// The longest wait when a quota is used up, in milliseconds.
pub(super) const THROTTLE_WAIT_MAX_MS: u64 = 900_000;
/// A connect that lived at least this long, in milliseconds, shows that the session worked: a failure after it starts a
/// new run of failures.
const SOUND_CONNECT_MS: u64 = 10_000;
/// After so many tokens that were refused in a row another login would not help either.
const TOKENS_REFUSED_MAX: u32 = 3;
/// How long the goodbye to a session may take, in milliseconds.
const GOODBYE_MS: u64 = 5_000;

/// What the task is at. A phase makes a request when it is entered and is left when the answer is in.
#[derive(Debug)]
pub(super) enum Phase {
    /// Get a token.
    Login,
    /// API version, describe, PushTopic: one request after the other.
    Prepare(Plan),
    /// Read over REST what the lost position would have brought.
    Repair,
    /// A streaming session.
    Handshake,
    /// The first connect of a session, answered at once.
    FirstConnect,
    /// The subscription, with the position to go on from.
    Subscribe,
    /// The long poll.
    Connect,
    /// Free the seat of a session whose answers were lost. Its own outcome does not matter.
    Goodbye,
    /// Nothing until then.
    Wait(Deadline, Box<Phase>),
    /// The end.
    Failed(Failure),
}

/// One task of the connector.
#[derive(Debug)]
pub struct Task {
    config: SourceConfig,
    channel: String,
    phase: Phase,
    /// Since when the phase's request has been in flight.
    asked: Option<Now>,
    /// That request, with `curl.logging`.
    exchange: Option<Exchange>,
    token: Option<Token>,
    /// Tokens that were refused in a row, with none accepted in between.
    tokens_refused: u32,
    prepared: Option<Prepared>,
    pipeline: Option<Pipeline>,
    session: Session,
    position: Position,
    /// The id of the PushTopic with which the position was made.
    push_topic_id: Option<String>,
    /// When the last event that was sent was created.
    last_event_ms: Option<WallMs>,
    /// The position is lost, and that is being told.
    lost: Option<Lost>,
    /// What the lost position would have brought is being read.
    repair: Option<Repair>,
    delivery: Option<Delivery>,
    /// A batch that waits for the ids of its schemas.
    held: Option<Held>,
    /// Of the last event of the batch that is being sent: its id, and when it was created.
    sending: Option<(i64, Option<WallMs>)>,
    /// Where to go on when the object has been described again; no event goes out before.
    resume: Option<Box<Phase>>,
    /// When it was described last.
    described: Option<Now>,
    /// Where to go when the delivery is done.
    after_delivery: Option<Verdict>,
    backoff: Backoff,
    /// The same for logins that are not answered: they have a retry time of their own.
    login_backoff: Backoff,
    clock: ServerClock,
    /// A refused login was tried again with the org's time, with no token since.
    clock_corrected: bool,
    certificate_checked: bool,
    throttled: u32,
    jitter: Jitter,
    repeats: u64,
    events: Vec<Event>,
}

/// A batch that waits for the ids of its schemas, and the replay id and the date of its last event, if it is of events.
#[derive(Debug)]
struct Held {
    batch: Vec<ProducerRecord>,
    last: Option<(i64, Option<WallMs>)>,
    registration: Registration,
}

impl Task {
    /// A task that goes on from the committed position. `seed` sets its jitter apart from other tasks'.
    #[must_use]
    pub fn new(config: SourceConfig, committed: Option<Checkpoint>, seed: u64) -> Self {
        let replay_id = committed.as_ref().map(|checkpoint| checkpoint.replay_id);
        let (push_topic_id, last_event_ms) =
            committed.map_or((None, None), |checkpoint| (checkpoint.push_topic_id, checkpoint.last_event_ms));
        Self {
            channel: format!("/topic/{}", config.push_topic_name),
            position: Position::new(config.initial_start, replay_id),
            push_topic_id,
            last_event_ms,
            lost: None,
            repair: None,
            backoff: Backoff::new(config.retries_time_ms),
            login_backoff: Backoff::new(config.auth_retries_time_ms),
            clock: ServerClock::default(),
            clock_corrected: false,
            certificate_checked: false,
            config,
            phase: Phase::Login,
            asked: None,
            exchange: None,
            token: None,
            tokens_refused: 0,
            prepared: None,
            pipeline: None,
            session: Session::default(),
            delivery: None,
            held: None,
            sending: None,
            resume: None,
            described: None,
            after_delivery: None,
            throttled: 0,
            jitter: Jitter::new(seed),
            repeats: 0,
            events: Vec::new(),
        }
    }

    /// The replay id after the last event that was sent, or the committed one.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        self.position.stored()
    }

    /// Where the task stands, as it is to be stored.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let (push_topic_id, last_event_ms) = (self.push_topic_id.clone(), self.last_event_ms);
        self.position.stored().map(|replay_id| Checkpoint { replay_id, push_topic_id, last_event_ms })
    }

    /// What it was configured with.
    #[must_use]
    pub fn config(&self) -> &SourceConfig {
        &self.config
    }

    /// Facts since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    /// What to do next.
    pub fn step(&mut self, now: Now) -> Step {
        if self.held.is_none()
            && self.resume.is_none()
            && let Some(batch) = self.next_batch(now).or_else(|| self.next_rows())
        {
            return Step::Send(batch);
        }
        if let Some(step) = self.register(now) {
            return step;
        }
        if let Some(lost) = &self.lost {
            return Step::Send(vec![lost.record.clone()]);
        }
        if let Phase::Wait(until, next) = &mut self.phase {
            if !until.passed(now) {
                return Step::Wait(*until);
            }
            let next = mem::replace(&mut **next, Phase::Handshake);
            self.phase = next;
        }
        if let Phase::Failed(failure) = &self.phase {
            return Step::Fail(failure.clone());
        }
        if self.asked.is_some() {
            return Step::Await;
        }
        if matches!(self.phase, Phase::Connect) && self.describe_is_due(now) {
            self.describe_again();
        }
        let request = self.request(now);
        self.asked = Some(now);
        self.events.push(Event::Requesting { request: format!("{request:?}") });
        self.exchange = self.config.log_requests.then(|| Exchange::begin(&request));
        Step::Request(request)
    }

    /// The batch of the last `Step::Send` is with the host.
    pub fn sent(&mut self) {
        if let Some(lost) = self.lost.take() {
            self.after_loss(lost.then);
        } else if let Some((replay_id, created_ms)) = self.sending.take() {
            self.position.advance(replay_id);
            self.last_event_ms = created_ms.or(self.last_event_ms);
            self.push_topic_id = self.prepared.as_ref().map(|prepared| prepared.push_topic_id.clone());
        }
    }

    /// The outcome of the request in flight.
    pub fn answered(&mut self, now: Now, outcome: Result<Response, HttpError>) {
        let Some(asked) = self.asked.take() else { return };
        self.log_exchange(asked, now, &outcome);
        if let Some(held) = &mut self.held {
            let outcome = outcome.and_then(|response| response.decoded(REGISTRY_RESPONSE_BYTES_MAX));
            if let Err(failure) = held.registration.answered(now, outcome, &mut self.jitter, &mut self.events) {
                self.follow(now, Verdict::Fail(failure));
            }
            return;
        }
        if matches!(self.phase, Phase::Goodbye) {
            self.phase = Phase::Handshake;
            return;
        }
        let bytes_max = self.response_bytes_max();
        let result = match outcome.and_then(|response| response.decoded(bytes_max)) {
            Ok(response) => self.read(now, response),
            Err(error) => Err(transport(&error, &self.phase)),
        };
        if let Err(verdict) = result {
            let lived_ms = now.monotonic_ms.saturating_sub(asked.monotonic_ms);
            if matches!(self.phase, Phase::Connect) && lived_ms >= SOUND_CONNECT_MS {
                self.backoff.reset();
            }
            self.follow(now, verdict);
        }
    }

    /// Ends the task. Returns the request that tells the org, when there is something to tell. The request in flight is to
    /// be dropped.
    pub fn close(&mut self, now: Now) -> Option<Request> {
        self.asked = None;
        self.delivery = None;
        self.held = None;
        self.repair = None;
        let open = self.session.is_open() && self.token.is_some();
        self.phase = Phase::Failed(Failure::new(FailureKind::Fatal, "CLOSED", "The task was closed"));
        let request = open.then(|| self.goodbye(now))?;
        self.exchange = self.config.log_requests.then(|| Exchange::begin(&request));
        Some(request)
    }

    /// The outcome of the request that `close` returned at `asked`, for the log.
    pub fn closed(&mut self, asked: Now, now: Now, outcome: &Result<Response, HttpError>) {
        self.log_exchange(asked, now, outcome);
    }

    fn log_exchange(&mut self, asked: Now, now: Now, outcome: &Result<Response, HttpError>) {
        if let Some(exchange) = self.exchange.take() {
            let took_ms = now.monotonic_ms.saturating_sub(asked.monotonic_ms);
            self.events.push(Event::Exchanged(exchange.end(outcome, took_ms)));
        }
    }

    fn timeouts(&self) -> Timeouts {
        Timeouts::each(self.config.connection_timeout_ms)
    }

    fn response_bytes_max(&self) -> usize {
        match self.phase {
            Phase::Login => crate::oauth::TOKEN_RESPONSE_BYTES_MAX,
            Phase::Prepare(_) => rest::REST_RESPONSE_BYTES_MAX,
            _ => self.config.response_bytes_max,
        }
    }

    fn request(&mut self, now: Now) -> Request {
        let timeouts = self.timeouts();
        match (&self.phase, &self.token, &self.repair) {
            (Phase::Prepare(plan), Some(token), _) => return plan.request(&self.config, token, timeouts),
            (Phase::Repair, Some(token), Some(repair)) => {
                return repair.request(token, timeouts, self.config.response_bytes_max);
            }
            _ => {}
        }
        let channel = self.channel.clone();
        let (body, timeouts) = match self.phase {
            Phase::Handshake => (self.session.handshake(json!({"replay": true})), timeouts),
            Phase::FirstConnect => (self.session.connect(true), timeouts),
            Phase::Subscribe => {
                let replay = json!({"replay": {channel.as_str(): self.position.replay_from()}});
                (self.session.subscribe(&channel, replay), timeouts)
            }
            Phase::Connect => {
                let hold_ms = self.session.hold_ms();
                (self.session.connect(false), Timeouts::long_poll(self.config.connection_timeout_ms, hold_ms))
            }
            Phase::Goodbye => return self.goodbye(now),
            Phase::Login | Phase::Prepare(_) | Phase::Repair | Phase::Wait(..) | Phase::Failed(_) => {
                return self.login(now, timeouts);
            }
        };
        self.streaming(body, timeouts, now)
    }

    fn login(&mut self, now: Now, timeouts: Timeouts) -> Request {
        let wall_ms = self.clock.now(now.wall_ms);
        if !mem::replace(&mut self.certificate_checked, true) {
            let warning = self.config.grant.certificate_warning(wall_ms);
            self.events.extend(warning.map(|warning| Event::Certificate { warning }));
        }
        self.config.grant.request(&self.config.login_origin, wall_ms, timeouts)
    }

    fn goodbye(&mut self, now: Now) -> Request {
        let body = self.session.goodbye(&self.channel);
        self.streaming(body, Timeouts { total_ms: GOODBYE_MS, ..Timeouts::each(GOODBYE_MS) }, now)
    }

    fn cometd_path(&self) -> String {
        format!("/cometd/{}", self.prepared.as_ref().map_or("", |prepared| &prepared.version))
    }

    fn streaming(&self, body: Vec<u8>, timeouts: Timeouts, now: Now) -> Request {
        let path = self.cometd_path();
        let plain = |text: &str| HeaderValue::Plain(text.into());
        let mut headers = vec![("content-type", plain("application/json")), ("accept-encoding", plain("gzip"))];
        headers.extend(self.token.as_ref().map(|token| ("authorization", rest::authorization(token))));
        let cookie = self.session.cookie(&path, now.wall_ms);
        headers.extend(cookie.map(|cookie| ("cookie", HeaderValue::Secret(crate::secret::Secret::new(cookie)))));
        let instance = self.token.as_ref().map_or("", |token| &token.instance_url);
        Request {
            method: Method::Post,
            url: format!("{instance}{path}"),
            headers,
            body,
            timeouts,
            response_bytes_max: self.config.response_bytes_max,
        }
    }

    /// Reads a whole answer and moves to the next phase; `Err` is a verdict to follow.
    fn read(&mut self, now: Now, response: Response) -> Result<(), Verdict> {
        match mem::replace(&mut self.phase, Phase::Handshake) {
            Phase::Login => {
                self.phase = Phase::Login;
                self.logged_in(now, &response)
            }
            Phase::Prepare(plan) => self.prepare(now, plan, &response),
            Phase::Repair => {
                self.phase = Phase::Repair;
                if let Some(repair) = &mut self.repair {
                    repair.answered(&response)?;
                }
                self.tokens_refused = 0;
                self.backoff.reset();
                Ok(())
            }
            streaming => {
                self.phase = streaming;
                self.stream(now, response)
            }
        }
    }

    fn logged_in(&mut self, now: Now, response: &Response) -> Result<(), Verdict> {
        let ahead_ms = self.clock.observe(response, now.wall_ms);
        let grant = &mut self.config.grant;
        let token = match token::read(response, &self.config.login_origin, grant.kind()) {
            Ok(token) => token,
            // An assertion from a wrong time is refused like one with a wrong signature. Once with the right time, no more:
            // a refused login is final.
            Err(Verdict::Fail(failure)) if grant.kind() == GrantKind::JwtBearer && !self.clock_corrected => {
                let Some(ahead_ms) = ahead_ms else { return Err(Verdict::Fail(failure)) };
                self.clock_corrected = true;
                self.events.push(Event::ClockOff { ahead_ms });
                return Ok(());
            }
            Err(verdict) => return Err(verdict),
        };
        if grant.rotated(token.refresh_token.as_ref()) {
            self.events.push(Event::RefreshTokenRotated);
        }
        self.clock_corrected = false;
        self.login_backoff.reset();
        self.events.push(Event::LoggedIn { instance: token.instance_url.clone() });
        self.token = Some(token);
        self.phase = match &self.prepared {
            None => Phase::Prepare(Plan::new(&self.config)),
            Some(_) if self.repair.is_some() => Phase::Repair,
            Some(prepared) if self.resume.is_some() => {
                self.resume = Some(Box::new(Phase::Handshake));
                Phase::Prepare(Plan::refresh(prepared))
            }
            Some(_) => Phase::Handshake,
        };
        Ok(())
    }

    fn begin(&mut self, now: Now, prepared: Prepared, schemas: RecordSchemas) {
        self.pipeline = Some(Pipeline::new(&self.config, &prepared.object, schemas));
        self.phase = Phase::Handshake;
        let is = prepared.push_topic_id.clone();
        self.prepared = Some(prepared);
        if let (Some(from), Some(was)) = (self.position.after(), self.push_topic_id.clone())
            && was != is
        {
            self.lose(now, from, &Reason::Recreated { was, is });
        }
    }

    /// Whether `salesforce.describe.refresh.ms` has passed since the last describe.
    fn describe_is_due(&self, now: Now) -> bool {
        let every_ms = self.config.describe_refresh_ms;
        let is_past = |last: Now| now.monotonic_ms.saturating_sub(last.monotonic_ms) >= every_ms;
        every_ms > 0 && self.described.is_some_and(is_past)
    }

    /// Describes the object, then goes on with what was next.
    fn describe_again(&mut self) {
        let Some(prepared) = &self.prepared else { return };
        let plan = Plan::refresh(prepared);
        self.resume = Some(Box::new(mem::replace(&mut self.phase, Phase::Prepare(plan))));
    }

    fn described_again(&mut self, resume: Phase, prepared: Prepared, schemas: RecordSchemas) {
        self.phase = resume;
        let changed = self.prepared.as_ref().is_none_or(|before| before.describe != prepared.describe);
        if let Some(pipeline) = self.pipeline.as_mut().filter(|_| changed) {
            pipeline.renew(schemas);
        }
        self.prepared = Some(prepared);
    }

    fn prepare(&mut self, now: Now, mut plan: Plan, response: &Response) -> Result<(), Verdict> {
        let needed_token = plan.needs_token();
        let result = plan.answered(&self.config, response, &mut self.events);
        self.phase = Phase::Prepare(plan);
        if let Some((prepared, schemas)) = result? {
            self.described = Some(now);
            self.backoff.reset();
            match self.resume.take() {
                Some(resume) => self.described_again(*resume, prepared, schemas),
                None => self.begin(now, prepared, schemas),
            }
        }
        if needed_token {
            self.tokens_refused = 0;
        }
        Ok(())
    }

    fn stream(&mut self, now: Now, response: Response) -> Result<(), Verdict> {
        let asked = match self.phase {
            Phase::Handshake => HANDSHAKE,
            Phase::Subscribe => SUBSCRIBE,
            _ => CONNECT,
        };
        let path = self.cometd_path();
        self.session.take_cookies(&response, &path, now.wall_ms);
        let Ok(reading) = self.session.read(&response.body, asked, &self.channel) else {
            // Not Bayeux: an error page, or a cut answer. Its status may say more than its body.
            rest::check(&response, "a streaming request")?;
            return Err(rest::not_json(&response, "a streaming request"));
        };
        if reading.refusal.is_none() {
            rest::check(&response, "a streaming request")?;
        }
        let verdict = self.verdict(&reading, asked);
        if reading.strays > 0 {
            self.events.push(Event::Strays { count: reading.strays as u64 });
        }
        if verdict.is_none() {
            self.succeeded(now, &response);
        }
        // Whatever the reply says, the events that came with it are good: they go out first.
        if reading.events.is_empty() {
            return verdict.map_or(Ok(()), Err);
        }
        let (delivery, disordered) = Delivery::new(response.body, reading.events);
        if disordered > 0 {
            self.events.push(Event::Disordered { count: disordered as u64 });
        }
        self.delivery = Some(delivery);
        self.after_delivery = verdict;
        Ok(())
    }

    fn verdict(&self, reading: &Reading, asked: &str) -> Option<Verdict> {
        if let Some(refusal) = &reading.refusal {
            return Some(error::verdict(refusal));
        }
        if reading.ended {
            return Some(Verdict::Rehandshake(Cause::new("DISCONNECTED", "Salesforce ended the streaming session")));
        }
        if !reading.replied {
            return Some(Verdict::Retry(
                Cause::new("NO_REPLY", format!("Salesforce's answer holds no reply on {asked}")),
                0,
            ));
        }
        if asked == HANDSHAKE && !reading.replay {
            return Some(Verdict::Fail(Failure::new(
                FailureKind::Config,
                "REPLAY_NOT_OFFERED",
                "The org's streaming endpoint does not offer replay, without which events would be lost. Set salesforce.version to latest, or to 37.0 or later",
            )));
        }
        None
    }

    /// The reply was a success: on to the next phase.
    fn succeeded(&mut self, now: Now, response: &Response) {
        self.tokens_refused = 0;
        self.phase = match self.phase {
            Phase::Handshake => Phase::FirstConnect,
            Phase::FirstConnect => Phase::Subscribe,
            Phase::Subscribe => {
                self.events.push(Event::Subscribed {
                    channel: self.channel.clone(),
                    replay_from: self.position.replay_from(),
                });
                let at_ms = response.header("date").and_then(parse_http_date).unwrap_or(now.wall_ms);
                self.position.subscribed(at_ms);
                Phase::Connect
            }
            _ => {
                self.backoff.reset();
                self.throttled = 0;
                Phase::Connect
            }
        };
        let interval_ms = self.session.interval_ms();
        if interval_ms > 0 && matches!(self.phase, Phase::Connect) {
            self.phase = Phase::Wait(now.deadline(interval_ms), Box::new(Phase::Connect));
        }
    }

    fn next_batch(&mut self, now: Now) -> Option<Vec<ProducerRecord>> {
        let (Some(delivery), Some(pipeline)) = (&mut self.delivery, &mut self.pipeline) else { return None };
        pipeline.set_time(now.wall_ms);
        let repeats = self.repeats;
        let next = delivery.next(pipeline, &self.position, &mut self.repeats);
        if pipeline.take_unasked() {
            // What is new in the object has its place in the records before they go out.
            delivery.again();
            pipeline.forget();
            self.repeats = repeats;
            self.describe_again();
            return None;
        }
        self.events.extend(pipeline.take_notes().into_iter().map(|message| Event::TransformNote { message }));
        let Skipped { count, reasons } = pipeline.take_skipped();
        if count > 0 {
            self.events.push(Event::EventsSkipped { count, reasons });
        }
        let fields = pipeline.take_unknown_fields();
        if !fields.is_empty() {
            self.events.push(Event::UnknownFields { fields });
        }
        match next {
            Next::Batch(batch, last) => match pipeline.registration(&batch) {
                None => {
                    self.sending = Some(last);
                    if batch.is_empty() {
                        // Nothing to hand over: the position moves on at once.
                        self.sent();
                        return self.next_batch(now);
                    }
                    return Some(batch);
                }
                Some(registration) => self.held = Some(Held { batch, last: Some(last), registration }),
            },
            Next::Failed(failure) => {
                self.delivery = None;
                self.after_delivery = None;
                self.follow(now, Verdict::Fail(failure));
            }
            Next::Done => {
                self.delivery = None;
                if let Some(verdict) = self.after_delivery.take() {
                    self.follow(now, verdict);
                }
            }
        }
        if self.repeats > 0 {
            self.events.push(Event::RepeatsDropped { count: mem::take(&mut self.repeats) });
        }
        None
    }

    /// Gets the batch that waits its ids, and then sends it; `None` when none waits.
    fn register(&mut self, now: Now) -> Option<Step> {
        let held = self.held.as_mut()?;
        if self.asked.is_some() {
            return Some(Step::Await);
        }
        match held.registration.step(now, self.config.connection_timeout_ms) {
            registration::Next::Ask(request) => {
                self.asked = Some(now);
                self.events.push(Event::Requesting { request: format!("{request:?}") });
                self.exchange = self.config.log_requests.then(|| Exchange::begin(&request));
                return Some(Step::Request(request));
            }
            registration::Next::Wait(until) => return Some(Step::Wait(until)),
            registration::Next::Failed(failure) => self.follow(now, Verdict::Fail(failure)),
            registration::Next::Done(ids) => {
                let Held { mut batch, last, .. } = self.held.take()?;
                let pipeline = self.pipeline.as_mut()?;
                for (wanted, id) in ids {
                    pipeline.registered(wanted, id);
                }
                if pipeline.finish(&mut batch) {
                    self.sending = last;
                    return Some(Step::Send(batch));
                }
                let message = "A record's schema has no id after its registration";
                self.follow(now, Verdict::Fail(Failure::new(FailureKind::Fatal, "SCHEMA_ID_MISSING", message)));
            }
        }
        None
    }

    /// Does what a verdict asks for.
    fn follow(&mut self, now: Now, verdict: Verdict) {
        match verdict {
            Verdict::Rehandshake(cause) => self.again(now, cause, 0, Phase::Handshake),
            Verdict::Reauthenticate(cause) if self.tokens_refused + 1 >= TOKENS_REFUSED_MAX => {
                let message = format!(
                    "{}, as it did with {TOKENS_REFUSED_MAX} tokens in a row, each just issued. Check that the user and the connected app may use the API",
                    cause.message
                );
                self.fail(Failure::new(FailureKind::Auth, cause.code, message));
            }
            Verdict::Reauthenticate(cause) => {
                self.tokens_refused += 1;
                self.token = None;
                self.again(now, cause, 0, Phase::Login);
            }
            Verdict::Retry(cause, at_least_ms) => {
                let next = match mem::replace(&mut self.phase, Phase::Handshake) {
                    Phase::Login => return self.log_in_again(now, cause, at_least_ms),
                    same @ (Phase::Prepare(_) | Phase::Repair) => same,
                    _ if self.session.is_open() => Phase::Goodbye,
                    _ => Phase::Handshake,
                };
                self.again(now, cause, at_least_ms, next);
            }
            Verdict::Throttled(cause) => {
                let wait_ms =
                    THROTTLE_FIRST_WAIT_MS.saturating_mul(1 << self.throttled.min(8)).min(THROTTLE_WAIT_MAX_MS);
                self.throttled = self.throttled.saturating_add(1);
                let wait_ms = self.jitter.spread(wait_ms.saturating_mul(2)).min(THROTTLE_WAIT_MAX_MS);
                let next = match mem::replace(&mut self.phase, Phase::Handshake) {
                    same @ (Phase::Login | Phase::Prepare(_) | Phase::Repair) => same,
                    _ => Phase::Handshake,
                };
                self.events.push(Event::Throttled { cause, wait_ms });
                self.phase = Phase::Wait(now.deadline(wait_ms), Box::new(next));
            }
            Verdict::CheckPushTopic(cause) => {
                let version = self.prepared.as_ref().map(|prepared| prepared.version.clone()).unwrap_or_default();
                self.phase = Phase::Prepare(Plan::check(version, cause));
            }
            Verdict::Fail(failure) => match self.position.after() {
                Some(from) if failure.kind == FailureKind::OffsetLost => {
                    self.lose(now, from, &Reason::Refused(failure.message));
                }
                _ => self.fail(failure),
            },
        }
    }

    /// The position is lost: that is told first, then the policy decides.
    fn lose(&mut self, now: Now, from: i64, reason: &Reason) {
        let (lost, event) = Lost::new(&self.config, from, self.last_event_ms, now, reason);
        self.events.push(event);
        let query = match (self.config.gap.policy, self.last_event_ms, &self.prepared) {
            (LostPolicy::Repair, Some(last_ms), Some(prepared)) => {
                RepairQuery::new(&prepared.push_topic_query, last_ms).map(|query| (&prepared.version, query))
            }
            _ => None,
        };
        match query {
            Some((version, query)) => {
                self.repair = Some(Repair::new(version, query, from, lost));
                self.phase = Phase::Repair;
            }
            None => self.lost = Some(lost),
        }
    }

    /// Rows of a repair, a batch at a time. When all are sent, the loss is told of.
    fn next_rows(&mut self) -> Option<Vec<ProducerRecord>> {
        if self.asked.is_some() {
            return None;
        }
        let pipeline = self.pipeline.as_mut()?;
        let (next, repair) = self.repair.take()?.next(pipeline);
        self.repair = repair;
        match next {
            repair::Next::Batch(batch) => match pipeline.registration(&batch) {
                None => return Some(batch),
                Some(registration) => self.held = Some(Held { batch, last: None, registration }),
            },
            repair::Next::Ask => {}
            repair::Next::Done(rows, lost) => {
                self.events.push(Event::Repaired { rows });
                self.lost = Some(lost);
            }
            repair::Next::Failed(failure) => self.fail(failure),
        }
        None
    }

    fn after_loss(&mut self, then: Then) {
        match then {
            Then::Fail(failure) => self.fail(failure),
            Then::GoOn(start) => {
                self.position.restart(start);
                self.push_topic_id = self.prepared.as_ref().map(|prepared| prepared.push_topic_id.clone());
                self.last_event_ms = None;
                self.phase = if self.session.is_open() { Phase::Goodbye } else { Phase::Handshake };
            }
        }
    }

    /// Waits, then goes on with `next`, or gives up.
    fn again(&mut self, now: Now, cause: Cause, at_least_ms: u64, next: Phase) {
        match self.backoff.failed(now, at_least_ms, &mut self.jitter) {
            Some(wait_ms) => self.pause(now, cause, wait_ms, self.backoff.attempts(), next),
            None => self.give_up(cause, at_least_ms, "request.max.retries.time.ms", self.config.retries_time_ms),
        }
    }

    /// The same for a login that was not answered.
    fn log_in_again(&mut self, now: Now, cause: Cause, at_least_ms: u64) {
        match self.login_backoff.failed(now, at_least_ms, &mut self.jitter) {
            Some(wait_ms) => self.pause(now, cause, wait_ms, self.login_backoff.attempts(), Phase::Login),
            None => {
                self.give_up(cause, at_least_ms, "salesforce.auth.retries.time.ms", self.config.auth_retries_time_ms);
            }
        }
    }

    fn pause(&mut self, now: Now, cause: Cause, wait_ms: u64, attempts: u32, next: Phase) {
        self.events.push(Event::SessionLost { cause, wait_ms, attempts });
        self.phase = Phase::Wait(now.deadline(wait_ms), Box::new(next));
    }

    fn give_up(&mut self, cause: Cause, at_least_ms: u64, setting: &str, tried_ms: u64) {
        let message = format!("{}. Tried for {} s ({setting}) without success", cause.message, tried_ms / 1_000);
        let kind = if at_least_ms > 0 { FailureKind::Throttled } else { FailureKind::Transient };
        let mut failure = Failure::new(kind, cause.code, message);
        failure.retry_after_ms = (at_least_ms > 0).then_some(at_least_ms);
        self.fail(failure);
    }

    fn fail(&mut self, failure: Failure) {
        self.held = None;
        self.delivery = None;
        self.events.push(Event::Failed { code: failure.code.clone(), message: failure.message.clone() });
        self.phase = Phase::Failed(failure);
    }
}
