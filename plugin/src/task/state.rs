//! `Task`: phases, and how verdicts move it from one to the next. No I/O, no clock, no randomness of its own.

use std::mem;

use serde_json::json;

use super::{
    ProducerRecord, Step,
    delivery::{Delivery, Next},
    lost::Lost,
    pipeline::{Pipeline, Skipped},
    registration::{self, Registration},
    repair::Repair,
    silence::Silence,
    transport::transport,
};
use crate::{
    backoff::{Backoff, Jitter},
    bayeux::{
        Session, error,
        message::{CONNECT, HANDSHAKE, SUBSCRIBE},
        session::Reading,
    },
    config::SourceConfig,
    connector::{Plan, Prepared},
    error::{Cause, Failure, FailureKind, Verdict},
    exchange::Exchange,
    http::{HeaderValue, HttpError, Method, Request, Response, Timeouts},
    oauth::{GrantKind, ServerClock, Token, token},
    offset::Checkpoint,
    registry::requests::REGISTRY_RESPONSE_BYTES_MAX,
    salesforce::{replay::Position, rest, silence},
    telemetry::Event,
    time::{Deadline, Now, WallMs, parse_http_date},
};

/// A connect that lived at least this long, in milliseconds, shows that the session worked: a failure after it starts a
/// new run of failures.
const SOUND_CONNECT_MS: u64 = 10_000;
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
    /// Ask the org whether it changes, since nothing comes.
    Look,
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
    pub(super) config: SourceConfig,
    pub(super) channel: String,
    pub(super) phase: Phase,
    /// Since when the phase's request has been in flight.
    pub(super) asked: Option<Now>,
    /// That request, with `curl.logging`.
    pub(super) exchange: Option<Exchange>,
    pub(super) token: Option<Token>,
    /// Tokens that were refused in a row, with none accepted in between.
    pub(super) tokens_refused: u32,
    pub(super) prepared: Option<Prepared>,
    pub(super) pipeline: Option<Pipeline>,
    pub(super) session: Session,
    pub(super) position: Position,
    /// The id of the PushTopic with which the position was made.
    pub(super) push_topic_id: Option<String>,
    /// When the last event that was sent was created.
    pub(super) last_event_ms: Option<WallMs>,
    /// The position is lost, and that is being told.
    pub(super) lost: Option<Lost>,
    /// What the lost position would have brought is being read.
    pub(super) repair: Option<Repair>,
    pub(super) delivery: Option<Delivery>,
    /// A batch that waits for the ids of its schemas.
    pub(super) held: Option<Held>,
    /// Of the last event of the batch that is being sent: its id, and when it was created.
    pub(super) sending: Option<(i64, Option<WallMs>)>,
    /// Where to go on when the object has been described again; no event goes out before.
    pub(super) resume: Option<Box<Phase>>,
    /// When it was described last.
    pub(super) described: Option<Now>,
    /// How long nothing has come.
    pub(super) silence: Silence,
    /// Where to go when the delivery is done.
    pub(super) after_delivery: Option<Verdict>,
    pub(super) backoff: Backoff,
    /// The same for logins that are not answered: they have a retry time of their own.
    pub(super) login_backoff: Backoff,
    pub(super) clock: ServerClock,
    /// A refused login was tried again with the org's time, with no token since.
    pub(super) clock_corrected: bool,
    pub(super) certificate_checked: bool,
    pub(super) throttled: u32,
    pub(super) jitter: Jitter,
    pub(super) repeats: u64,
    pub(super) events: Vec<Event>,
}

/// A batch that waits for the ids of its schemas, and the replay id and the date of its last event, if it is of events.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) batch: Vec<ProducerRecord>,
    pub(super) last: Option<(i64, Option<WallMs>)>,
    pub(super) registration: Registration,
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
            silence: Silence::new(config.stall_detect_ms),
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
        if matches!(self.phase, Phase::Connect) {
            self.look_when_due(now);
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
        if let Some((used, max)) = outcome.as_ref().ok().and_then(silence::api_usage) {
            self.events.push(Event::ApiUsage { used, max });
        }
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
        if matches!(self.phase, Phase::Look) {
            return self.looked(now, outcome.and_then(|response| response.decoded(bytes_max)));
        }
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

    pub(super) fn timeouts(&self) -> Timeouts {
        Timeouts::each(self.config.connection_timeout_ms)
    }

    fn response_bytes_max(&self) -> usize {
        match self.phase {
            Phase::Login => crate::oauth::TOKEN_RESPONSE_BYTES_MAX,
            Phase::Prepare(_) | Phase::Look => rest::REST_RESPONSE_BYTES_MAX,
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
            (Phase::Look, Some(token), _) => match self.look(now, token) {
                Some(request) => return request,
                None => self.phase = Phase::Connect,
            },
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
            Phase::Login | Phase::Prepare(_) | Phase::Repair | Phase::Look | Phase::Wait(..) | Phase::Failed(_) => {
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
        self.silence.heard(now);
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
                let at_ms = response.header("date").and_then(parse_http_date).unwrap_or(now.wall_ms);
                self.events.push(Event::Subscribed {
                    channel: self.channel.clone(),
                    replay_from: self.position.replay_from(),
                    at_ms,
                });
                self.position.subscribed(at_ms);
                self.silence.subscribed(now, at_ms, self.last_event_ms);
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
        let count = delivery.taken();
        if count > 0 {
            self.events.push(Event::EventsRead { count });
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
}
