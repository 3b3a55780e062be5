//! The org: all its state, and the seam through which it is driven.
//!
//! Implements the sans-io core of the simulator: no clock, no sockets, no randomness but its seed. Requests go in with the
//! time; replies come out at once or, for long polls, later from [`Org::due`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use http::header::{CONTENT_ENCODING, HeaderValue, VARY};
use serde::Serialize;
use serde_json::json;

use crate::changes::{Change, ChangeError, Changed};
use crate::cometd::{Hold, Session};
use crate::config::OrgConfig;
use crate::exchange::{Answer, HoldId, Reply, Request, Response, Transport};
use crate::faults::{FaultRule, Faults, Stage, Subject, gzip};
use crate::generator::Generator;
use crate::ledger::{Delivery, Event, Ledger};
use crate::oauth::{self, Tokens};
use crate::objects::Store;
use crate::prepared::{self, Prepared};
use crate::push_topic::PushTopic;
use crate::replay::TopicLog;
use crate::rest::Cursor;

/// What happened so far, counted. Everything counts from the start unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests by kind: `oauth`, `rest`, `control`, `other`, and Bayeux messages by channel.
    pub requests: BTreeMap<String, u64>,
    /// Tokens given out.
    pub logins: u64,
    /// Logins and revocations refused.
    pub logins_refused: u64,
    /// REST calls that passed authentication.
    pub rest_requests: u64,
    /// Sessions opened.
    pub handshakes: u64,
    /// Subscriptions made.
    pub subscribes: u64,
    /// Bayeux messages refused.
    pub bayeux_refused: u64,
    /// Bayeux clients at present.
    pub open_clients: usize,
    /// The most Bayeux clients at one time.
    pub open_clients_peak: usize,
    /// Long polls that are open at present.
    pub held_polls: usize,
    /// Access tokens that are good at present.
    pub live_tokens: usize,
    /// Notifications produced.
    pub notifications: u64,
    /// Notifications written to clients, every copy counted.
    pub delivered: u64,
    /// The same in the last 24 hours: what the daily limit counts.
    pub delivered_today: u64,
    /// The daily limit.
    pub daily_limit: u64,
    /// Faults that struck.
    pub faults_fired: u64,
}

/// Deliveries in the last 24 hours, by hour.
#[derive(Debug, Default)]
struct Quota {
    hours: VecDeque<(u64, u64)>,
}

impl Quota {
    fn add(&mut self, now_ms: u64, count: u64) {
        let hour = now_ms / 3_600_000;
        match self.hours.back_mut() {
            Some((last, sum)) if *last == hour => *sum += count,
            _ => self.hours.push_back((hour, count)),
        }
    }

    fn forget(&mut self, now_ms: u64) {
        while self.hours.front().is_some_and(|(hour, _)| hour + 24 <= now_ms / 3_600_000) {
            self.hours.pop_front();
        }
    }

    fn sum(&self) -> u64 {
        self.hours.iter().map(|(_, count)| count).sum()
    }
}

/// Who asked, as far as the reply depends on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    pub(crate) subject: Subject,
    pub(crate) gzip: bool,
    /// A proxy in between gives up after so long, ms.
    pub(crate) patience_ms: Option<u64>,
}

/// A simulated Salesforce org.
pub struct Org {
    pub(crate) config: OrgConfig,
    /// The org's time: the driver's, plus what was added by hand. Never goes back.
    pub(crate) now_ms: u64,
    pub(crate) offset_ms: u64,
    pub(crate) rng: fastrand::Rng,
    pub(crate) generator: Generator,
    pub(crate) store: Store,
    pub(crate) topics: BTreeMap<Arc<str>, PushTopic>,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: BTreeMap<Arc<str>, Session>,
    pub(crate) holds: BTreeMap<HoldId, Hold>,
    pub(crate) last_hold: u64,
    pub(crate) released: Vec<(HoldId, Reply)>,
    pub(crate) cursors: VecDeque<Cursor>,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) stats: Stats,
    quota: Quota,
}

impl Org {
    /// A new org with its users and demo records.
    #[must_use]
    pub fn new(config: OrgConfig) -> Self {
        let mut org = Self {
            now_ms: config.start_ms,
            offset_ms: 0,
            rng: fastrand::Rng::with_seed(config.seed),
            generator: Generator::new(config.seed.wrapping_add(1)),
            store: Store::new(),
            topics: BTreeMap::new(),
            tokens: Tokens::default(),
            sessions: BTreeMap::new(),
            holds: BTreeMap::new(),
            last_hold: 0,
            released: Vec::new(),
            cursors: VecDeque::new(),
            faults: Faults::default(),
            ledger: Ledger::new(config.ledger_entries_max, config.deliveries_max),
            stats: Stats::default(),
            quota: Quota::default(),
            config,
        };
        org.settle();
        org
    }

    /// Puts the first records into the org.
    fn settle(&mut self) {
        let organization = json!({
            "Id": oauth::org_id(), "Name": "Tributary Demo", "OrganizationType": "Developer Edition",
            "InstanceName": "SIM1", "IsSandbox": false, "IsDeleted": false,
        });
        let users = self.config.users.iter().enumerate().map(|(number, user)| {
            let id = oauth::user_id(number);
            json!({"Id": id, "Name": user.username, "Username": user.username, "IsActive": true, "IsDeleted": false})
        });
        let records: Vec<_> = users.map(|user| ("User", user)).chain([("Organization", organization)]).collect();
        for (name, record) in records {
            if let (Some(object), Some(record)) = (self.store.object(name).cloned(), record.as_object()) {
                self.store.put(&object, record.clone());
            }
        }
        for object in ["Account", "Lead", "Everything__c"] {
            let changes = (0..self.config.demo_records).map(|_| Change::created(object)).collect();
            let created = self.apply(changes);
            debug_assert!(created.is_ok(), "made-up records fit their fields: {created:?}");
        }
    }

    /// What can be set, for whoever drives the org to look at.
    #[must_use]
    pub fn config(&self) -> &OrgConfig {
        &self.config
    }

    /// Changes a setting of the running org.
    pub fn configure(&mut self, change: impl FnOnce(&mut OrgConfig)) {
        change(&mut self.config);
    }

    /// Takes a request. A held one is answered by [`Org::due`] later, unless it is abandoned before.
    pub fn handle(&mut self, now_ms: u64, request: &Request) -> Answer {
        self.tick(now_ms);
        let path = request.path();
        if path.starts_with("/_control") {
            self.count("control");
            return Answer::Ready(Reply { response: self.control(request), transport: Transport::Whole });
        }
        let is_cometd = path == "/cometd" || path.starts_with("/cometd/");
        let mut asker = Asker { gzip: request.accepts_gzip(), ..Asker::default() };
        asker.subject = Subject { path: path.to_owned(), ..Subject::default() };
        if is_cometd {
            self.look_ahead(request, &mut asker.subject);
        }
        if let Some(fault) = self.faults.take(Stage::Request, &asker.subject, &mut self.rng) {
            if let Some(response) = fault.answer(request) {
                return Answer::Ready(self.finish(&asker, response, None));
            }
            self.upset(&fault, request, &mut asker);
        }
        let is_oauth = path.starts_with("/services/oauth2/");
        let at_login = self.config.login_host.as_ref().map(|host| *host == request.host);
        let response = match at_login {
            Some(at_login) if at_login != is_oauth => {
                self.count("other");
                Response::html(404, "<html><body>URL No Longer Exists</body></html>")
            }
            _ if is_oauth => {
                self.count("oauth");
                self.oauth(request)
            }
            _ if is_cometd => return self.cometd(request, asker),
            _ if path == "/services/data" || path.starts_with("/services/data/") => {
                self.count("rest");
                self.rest(request)
            }
            _ => {
                self.count("other");
                Response::html(404, "<html><body>URL No Longer Exists</body></html>")
            }
        };
        Answer::Ready(self.finish(&asker, response, None))
    }

    /// The replies of held requests that are due by now, in the order in which they were released.
    pub fn due(&mut self, now_ms: u64) -> Vec<(HoldId, Reply)> {
        self.tick(now_ms);
        self.release_due();
        std::mem::take(&mut self.released)
    }

    /// When [`Org::due`] has something to give next, in the driver's time; `None` while no request is held. May lie in the past.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        if !self.released.is_empty() {
            return Some(self.now_ms.saturating_sub(self.offset_ms));
        }
        self.holds.values().map(|hold| self.hold_due_ms(hold)).min().map(|at| at.saturating_sub(self.offset_ms))
    }

    /// The client of a held request hung up.
    pub fn abandon(&mut self, now_ms: u64, id: HoldId) {
        self.tick(now_ms);
        self.abandon_hold(id);
    }

    /// Carries out one change.
    ///
    /// # Errors
    /// [`ChangeError`] says what does not exist or does not fit; nothing is changed then.
    pub fn change(&mut self, now_ms: u64, change: Change) -> Result<Changed, ChangeError> {
        self.transaction(now_ms, vec![change])
    }

    /// Carries out changes as one transaction: their notifications come in reverse order.
    ///
    /// # Errors
    /// [`ChangeError`] says what does not exist or does not fit.
    pub fn transaction(&mut self, now_ms: u64, changes: Vec<Change>) -> Result<Changed, ChangeError> {
        self.tick(now_ms);
        self.apply(changes)
    }

    /// Carries out one made-up change of one of these objects.
    ///
    /// # Errors
    /// [`ChangeError::UnknownObject`] when an object does not exist.
    pub fn make_change(&mut self, now_ms: u64, objects: &[String]) -> Result<Changed, ChangeError> {
        let change = self.make_up_change(objects);
        self.change(now_ms, change)
    }

    /// Creates an active PushTopic without going through REST; its record id.
    ///
    /// # Errors
    /// The text of Salesforce's refusal.
    pub fn create_topic(&mut self, now_ms: u64, name: &str, query: &str) -> Result<String, String> {
        self.tick(now_ms);
        let body = json!({"Name": name, "Query": query, "ApiVersion": crate::rest::LATEST_VERSION});
        let body = body.as_object().cloned().unwrap_or_default();
        self.create_push_topic(&body).map_err(|error| error.to_string())?;
        Ok(self.topic_named(name).map(|topic| topic.id.to_string()).unwrap_or_default())
    }

    /// Creates a PushTopic whose events stand ready as response bodies: `count` of about `event_bytes` bytes, `batch` of them
    /// in a response. They take `count * event_bytes` bytes of memory and never age; ledger and deliveries do not list them.
    ///
    /// # Errors
    /// The text of Salesforce's refusal.
    pub fn prepare(
        &mut self,
        now_ms: u64,
        name: &str,
        count: usize,
        event_bytes: usize,
        batch: usize,
    ) -> Result<(), String> {
        let id = self.create_topic(now_ms, name, prepared::QUERY)?;
        let log = TopicLog::prepared(Arc::new(Prepared::new(
            &format!("/topic/{name}"),
            count,
            event_bytes,
            batch,
            self.now_ms,
        )));
        if let Some(topic) = self.topics.get_mut(&*id) {
            topic.log = log;
        }
        Ok(())
    }

    /// Puts a fault rule in force; its number.
    pub fn inject(&mut self, rule: FaultRule) -> u64 {
        self.faults.add(rule)
    }

    /// Lifts every fault rule.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Every notification that was produced, in order.
    #[must_use]
    pub fn ledger(&self) -> &VecDeque<Arc<Event>> {
        self.ledger.events()
    }

    /// Every notification that was written to a client, in order.
    #[must_use]
    pub fn deliveries(&self) -> &VecDeque<Delivery> {
        self.ledger.deliveries()
    }

    /// What happened so far, counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            open_clients: self.sessions.len(),
            held_polls: self.holds.len(),
            live_tokens: self.tokens.count(),
            notifications: self.ledger.total(),
            delivered_today: self.notifications_today(),
            daily_limit: self.config.daily_notifications_max,
            faults_fired: self.faults.fired(),
            ..self.stats.clone()
        }
    }

    pub(crate) fn topic_named(&self, name: &str) -> Option<&PushTopic> {
        self.topics.values().find(|topic| &*topic.name == name)
    }

    pub(crate) fn notifications_today(&self) -> u64 {
        self.quota.sum()
    }

    pub(crate) fn count_delivered(&mut self, count: u64) {
        self.stats.delivered += count;
        self.quota.add(self.now_ms, count);
    }

    pub(crate) fn count(&mut self, kind: &str) {
        match self.stats.requests.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.stats.requests.insert(kind.to_owned(), 1);
            }
        }
    }

    /// Moves the org's time and lets everything expire that is due to.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms.saturating_add(self.offset_ms));
        self.quota.forget(self.now_ms);
        if let Some(before_ms) = self.now_ms.checked_sub(self.config.retention_ms) {
            self.topics.values_mut().for_each(|topic| topic.log.purge(before_ms));
        }
        self.expire_sessions();
    }

    /// Completes a reply: the faults that strike responses, and compression.
    pub(crate) fn finish(&mut self, asker: &Asker, mut response: Response, number: Option<u64>) -> Reply {
        let fault = self.faults.take(Stage::Reply, &asker.subject, &mut self.rng);
        if let Some(fault) = &fault {
            fault.spoil(&mut response);
            if let Some(number) = number.filter(|_| fault.damages()) {
                self.ledger.mark_damaged(number);
            }
        }
        let plain = !response.headers.contains_key(CONTENT_ENCODING);
        if self.config.gzip && asker.gzip && plain && response.body.len() >= self.config.gzip_bytes_min {
            response.body = gzip(&response.body).into();
            response.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response.headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        let transport = fault.map_or(Transport::Whole, |fault| fault.transport(response.body.len()));
        Reply { response, transport }
    }
}
