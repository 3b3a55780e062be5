//! The kill loop (fault card F1, F2): the host is ended with SIGKILL again and again, at named places in its code, at
//! moments of its talk with the org and the broker, and at random, while the org goes on changing. Then Kafka's own
//! consumer reads what is committed, and the judge compares it with the org's ledger.
//!
//! `KILLS=10000 make soak` goes on for longer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use salesforce_simulator::{Fault, FaultRule, Where};

use crate::{
    broker::Broker,
    consumer::read_all,
    exactly_once::{exactly_once, until_committed},
    judge::judge,
    kafka,
    org::Org,
    process::{PATIENCE, Tributary},
    proxy::{Proxy, Strike},
    scene::{NAME, PUSH_TOPIC, Scene},
};

/// Kills without `KILLS`.
const KILLS: usize = 300;
/// Of them, those of at-least-once delivery: one in this many.
const AT_LEAST_ONCE_SHARE: usize = 6;
/// Changes of the org in a second.
const CHANGES_PER_S: u64 = 150;
/// A run that is killed at random lives at most this long.
const LIFE_MAX_MS: u64 = 1_200;
/// Records that may come again after one kill at-least-once: those of a flush interval and of what the org then held back.
const REPEATED_PER_KILL_MAX: usize = 1_000;

/// Where a run ends.
#[derive(Clone, Copy, Debug)]
enum At {
    /// At a place in the host's code, when it comes there for the n-th time.
    Label(&'static str, u64),
    /// When the broker has a commit, and its answer is on the way.
    CommitSent,
    /// When the org has this request and has not answered.
    Request(&'static str),
    /// When the token was refused and a new one is asked for.
    TokenRefresh,
    /// While a person moves the offset to where it stands.
    OffsetAlter(&'static str),
    /// After so many milliseconds.
    Random(u64),
}

/// The labels of the host's code, with how often a run may pass before it ends.
const LABELS: [(&str, u64); 8] = [
    ("received", 5),
    ("before-begin", 5),
    ("mid-produce", 5),
    ("after-produce", 5),
    ("before-commit", 5),
    ("after-commit", 5),
    ("fenced", 1),
    ("offset-read", 1),
];

fn kills() -> usize {
    std::env::var("KILLS").map_or(KILLS, |kills| kills.parse().expect("KILLS is a number"))
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// The places take turns; every other kill is at random.
    fn place(&mut self, round: usize, exactly_once: bool) -> At {
        if round.is_multiple_of(2) {
            return At::Random(self.below(LIFE_MAX_MS));
        }
        if !exactly_once {
            return At::Label("received", 1 + self.below(8));
        }
        let turn = round / 2 % (LABELS.len() + 5);
        match turn.checked_sub(LABELS.len()) {
            None => At::Label(LABELS[turn].0, 1 + self.below(LABELS[turn].1)),
            Some(0) => At::CommitSent,
            Some(1) => At::Request("/meta/subscribe"),
            Some(2) => At::TokenRefresh,
            Some(3) => At::OffsetAlter("offset-alter"),
            Some(_) => At::OffsetAlter("offset-altered"),
        }
    }
}

/// Makes changes until it is dropped.
struct Traffic {
    stop: Arc<AtomicBool>,
}

impl Traffic {
    fn run<T>(org: &Org, work: impl FnOnce() -> T) -> T {
        let traffic = Self { stop: Arc::default() };
        thread::scope(|scope| {
            let stop = Arc::clone(&traffic.stop);
            scope.spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    org.create_leads(3);
                    thread::sleep(Duration::from_millis(3_000 / CHANGES_PER_S));
                }
            });
            // Dropped also when the work panics, so that the scope can end.
            let _traffic = traffic;
            work()
        })
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Runs the host until it is killed there.
fn kill_once(scene: &Scene, org: &Org, proxy: Option<&Proxy>, at: At) {
    match at {
        At::Label(name, n) => scene.run_labelled(&format!("{name}:{n}:kill")).expect_killed(PATIENCE),
        At::Random(after_ms) => {
            let run = scene.run();
            thread::sleep(Duration::from_millis(after_ms));
            run.kill();
        }
        At::CommitSent => {
            let proxy = proxy.expect("exactly-once goes through the proxy");
            proxy.strike(Strike::WithholdAnswers);
            let run = scene.run();
            proxy.expect_struck();
            run.kill();
            proxy.strike(Strike::Nothing);
        }
        At::Request(channel) => {
            struck(scene, org, vec![FaultRule::once(Where::channel(channel), Fault::NeverAnswer)]);
        }
        At::TokenRefresh => {
            let refused = FaultRule::once(Where::channel("/meta/connect"), Fault::RevokeToken);
            let login = FaultRule { after: 1, ..FaultRule::once(Where::path("/services/oauth2"), Fault::NeverAnswer) };
            struck(scene, org, vec![refused, login]);
        }
        At::OffsetAlter(label) => alter(scene, label),
    }
}

/// Kills when every one of the rules has struck.
fn struck(scene: &Scene, org: &Org, rules: Vec<FaultRule>) {
    let before = org.faults_fired();
    let wanted = before + rules.len() as u64;
    for rule in rules {
        org.inject(rule);
    }
    let run = scene.run();
    let deadline = Instant::now() + PATIENCE;
    while org.faults_fired() < wanted {
        assert!(Instant::now() < deadline, "the org was not asked");
        thread::sleep(Duration::from_millis(5));
    }
    run.kill();
}

/// Writes the offset that stands there, and dies before or after it.
fn alter(scene: &Scene, label: &str) {
    let finished = scene.offsets_labelled(&["get", NAME], "").wait(PATIENCE);
    finished.expect_code(0);
    let offset = finished.stdout.find("{\"replayId\":").map(|start| {
        let rest = &finished.stdout[start..];
        &rest[..=rest.find('}').expect("it is an object")]
    });
    // Before the first commit there is none.
    if let Some(offset) = offset {
        scene.offsets_labelled(&["alter", NAME, offset], &format!("{label}:1:kill")).expect_killed(PATIENCE);
    }
}

/// Kills `count` times under traffic, lets the last run carry everything, and gives back how long the kills took.
fn kill_loop(scene: &Scene, org: &Org, proxy: Option<&Proxy>, count: usize) -> Duration {
    let mut dice = Dice(7);
    let began = Instant::now();
    Traffic::run(org, || {
        for round in 0..count {
            kill_once(scene, org, proxy, dice.place(round, proxy.is_some()));
        }
    });
    let took = began.elapsed();
    let run: Tributary = scene.run_with(&["--log-level", "debug"]);
    until_committed(&run, org);
    run.terminate().0.expect_code(0);
    took
}

#[expect(clippy::print_stdout, reason = "the figure of the proof")]
fn report(delivery: &str, kills: usize, took: Duration, events: usize, dup: usize) {
    println!(
        "kill loop, {delivery}: {kills} kills in {} s, {events} events: lost 0, dup {dup}, foreign 0, altered 0, disorder 0",
        took.as_secs()
    );
}

#[test]
fn killed_anywhere_exactly_once() {
    let Some(broker) = Broker::start() else { return };
    let org = Org::start();
    broker.create_topic("kill-exactly");
    let (proxy, through) = Proxy::before(&broker);
    let scene = exactly_once(&org, &broker, "kill-exactly").worker("bootstrap.servers", &through);
    let count = kills() - kills() / AT_LEAST_ONCE_SHARE;
    let took = kill_loop(&scene, &org, Some(&proxy), count);
    let events = org.expected(PUSH_TOPIC, "Lead");
    judge(&events, &read_all(&broker, "kill-exactly")).expect_exact();
    report("exactly once", count, took, events.len(), 0);
}

#[test]
fn killed_anywhere_at_least_once() {
    let Some(broker) = Broker::shared() else { return };
    let org = Org::start();
    broker.create_topic("kill-least");
    let scene = kafka::scene(&org, broker, "kill-least").worker("offset.flush.interval.ms", "100");
    let count = kills() / AT_LEAST_ONCE_SHARE;
    let took = kill_loop(&scene, &org, None, count);
    let events = org.expected(PUSH_TOPIC, "Lead");
    let dup = judge(&events, &read_all(broker, "kill-least")).expect_at_least_once();
    assert!(dup.len() <= count * REPEATED_PER_KILL_MAX, "{} repeated after {count} kills", dup.len());
    report("at least once", count, took, events.len(), dup.len());
}
