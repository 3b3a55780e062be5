//! Faults between the component and the org, struck by the simulator in the middle of a run (fault card F16 to F18, F20,
//! F24, F26 to F28). On the embedded log every count of the judge stays zero.

use salesforce_simulator::{Change, ConnectAdvice, Fault, FaultRule, HandshakeReason, Operation, Where};
use serde_json::Value;

use crate::{
    judge::judge,
    org::{self, Org},
    process::PATIENCE,
    scene::{NAME, PUSH_TOPIC, Scene},
};

const CONNECT: &str = "/meta/connect";
const OAUTH: &str = "/services/oauth2";
const REST: &str = "/services/data";

fn on_connect(fault: Fault) -> FaultRule {
    FaultRule::once(Where::channel(CONNECT), fault)
}

fn on_events(fault: Fault) -> FaultRule {
    FaultRule::once(Where::carrying_events(), fault)
}

fn unknown_client(advice: ConnectAdvice, channel: bool, code_402: bool) -> Fault {
    Fault::UnknownClient { advice, channel, code_402 }
}

fn status(code: u16, retry_after_s: Option<u32>, late: bool) -> Fault {
    Fault::Status { code, retry_after_s, late }
}

/// Forces a new login, so that what is struck on the way to it is met.
fn then_login(rule: FaultRule) -> Vec<FaultRule> {
    vec![rule, on_connect(Fault::RevokeToken)]
}

/// Faults that the connector gets over by itself: what happens, and the rules that make it happen.
fn survived() -> Vec<(&'static str, Vec<FaultRule>)> {
    let handshake_denied = Fault::HandshakeDenied { reason: HandshakeReason::AuthenticationInvalid };
    let unknown = |advice| on_connect(unknown_client(advice, true, false));
    let first_connect = Where { first_connect: true, ..Where::channel(CONNECT) };
    vec![
        ("the token is revoked", vec![on_connect(Fault::RevokeToken)]),
        ("401 on connect", vec![on_connect(Fault::AuthenticationInvalid)]),
        (
            "the handshake is denied for a dead token",
            vec![
                FaultRule::once(Where::channel("/meta/handshake"), handshake_denied),
                unknown(ConnectAdvice::Handshake),
            ],
        ),
        ("403 unknown client, advice handshake", vec![unknown(ConnectAdvice::Handshake)]),
        ("403 unknown client, advice none", vec![unknown(ConnectAdvice::None)]),
        (
            "403 unknown client, no advice, no channel",
            vec![on_connect(unknown_client(ConnectAdvice::Missing, false, false))],
        ),
        ("402 unknown client", vec![on_connect(unknown_client(ConnectAdvice::Handshake, true, true))]),
        (
            "403 on the first connect after a handshake",
            vec![
                FaultRule::once(first_connect, unknown_client(ConnectAdvice::Handshake, true, false)),
                unknown(ConnectAdvice::Handshake),
            ],
        ),
        ("the server forgets the session", vec![on_connect(Fault::ForgetSession)]),
        ("the routing cookie leads elsewhere", vec![on_connect(Fault::MoveServer)]),
        ("the server ends the session", vec![on_connect(Fault::ServerDisconnect)]),
        ("the answer is cut in the middle of the array", vec![on_events(Fault::CutMidArray)]),
        ("the answer is lost", vec![on_events(Fault::LostResponse)]),
        ("the answer ends after its head", vec![on_events(Fault::CutAfterHead)]),
        ("the connection is reset", vec![on_connect(Fault::Reset)]),
        ("503 instead of a poll", vec![on_connect(status(503, None, false))]),
        ("503 with Retry-After", vec![on_connect(status(503, Some(1), false))]),
        ("502 after the events were taken", vec![on_events(status(502, None, true))]),
        ("an HTML page with 200", vec![on_events(Fault::Html200)]),
        ("half of the JSON", vec![on_events(Fault::HalfJson)]),
        ("bytes that are no UTF-8", vec![on_events(Fault::BadUtf8)]),
        ("nothing with 200", vec![on_events(Fault::EmptyBody)]),
        ("JSON that is no array", vec![on_events(Fault::NotAnArray)]),
        ("gzip that ends too early", vec![on_events(Fault::CutGzip)]),
        ("every event twice", vec![on_events(Fault::DuplicateEvents)]),
        ("replies before events", vec![on_events(Fault::RepliesFirst)]),
        ("members that no document names", vec![on_events(Fault::UnknownMembers)]),
        ("numeric ids", vec![on_events(Fault::NumericIds)]),
        ("replies without id", vec![on_events(Fault::NoId)]),
        ("503 on the login", then_login(FaultRule::once(Where::path(OAUTH), status(503, None, false)))),
        (
            "the maintenance page on the login",
            then_login(FaultRule::once(Where::path(OAUTH), Fault::Maintenance { code: 200 })),
        ),
    ]
}

#[test]
fn what_can_be_got_over_costs_nothing() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").with("request.max.retries.time.ms", "60000");
    let run = scene.run_until_subscribed();
    let mut count = 0;
    let mut arrive = |events: usize, fault: &str| {
        org.create_leads(events);
        count += events;
        let records = scene.tail("leads", count);
        let verdict = judge(&org.expected(PUSH_TOPIC, "Lead"), &records);
        assert_eq!(verdict, Default::default(), "{fault}");
    };
    arrive(3, "before the first fault");
    for (name, rules) in survived() {
        let before = org.faults_fired();
        let rules_count = rules.len() as u64;
        for rule in rules {
            org.inject(rule);
        }
        // The first events meet what strikes an answer; the poll behind them meets what strikes a request; that the
        // second ones arrive tells that the way is open again.
        arrive(3, name);
        arrive(2, name);
        assert_eq!(org.faults_fired() - before, rules_count, "{name}: the fault did not strike");
    }
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_exact();
}

#[test]
fn an_outage_at_the_start_is_waited_for() {
    for (path, fault) in
        [(OAUTH, status(503, None, false)), (REST, status(500, None, false)), ("/cometd", status(504, None, false))]
    {
        let org = Org::start();
        org.inject(FaultRule::once(Where::path(path), fault));
        let scene = Scene::new(&org, "leads").with("request.max.retries.time.ms", "60000");
        let run = scene.run_until_subscribed();
        org.create_leads(1);
        scene.tail("leads", 1);
        run.terminate().0.expect_code(0);
        assert_eq!(org.faults_fired(), 1, "{path}");
    }
}

/// Five events, then a subscription whose position the org refuses.
fn with_a_refused_position(org: &Org, policy: &str) -> Scene {
    let scene = Scene::new(org, "leads").with("salesforce.replay.lost.policy", policy);
    let run = scene.run_until_subscribed();
    org.create_leads(5);
    scene.tail("leads", 5);
    run.terminate().0.expect_code(0);
    org.inject(FaultRule::once(Where::channel("/meta/subscribe"), Fault::ReplayInvalid));
    scene
}

/// The records about gaps.
fn gaps(scene: &Scene) -> Vec<Value> {
    let records = scene.log("leads.gaps");
    records
        .iter()
        .map(|record| serde_json::from_str(record.value.as_deref().expect("a value")).expect("JSON"))
        .collect()
}

#[test]
fn a_refused_replay_id_fails_and_the_offset_stays() {
    let org = Org::start();
    let scene = with_a_refused_position(&org, "fail");
    let finished = scene.run().wait(PATIENCE);
    finished.expect_code(1).expect_said(&["FAILED", "replayId", "salesforce.replay.lost.policy", "position-lost"]);
    let told = gaps(&scene);
    assert_eq!(told.len(), 1, "{told:?}");
    let last = org.expected(PUSH_TOPIC, "Lead").last().expect("there are events").replay_id;
    assert_eq!((&told[0]["connector"], &told[0]["fromReplayId"]), (&NAME.into(), &last.into()));

    // Nothing was skipped: what happened meanwhile arrives when the org takes the id again.
    org.create_leads(5);
    let run = scene.run();
    scene.tail("leads", 10);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_exact();
}

#[test]
fn a_lost_position_goes_on_by_policy_and_is_told_of_once() {
    for (policy, arrive) in [("earliest", 5 + 5 + 3), ("latest", 5 + 3)] {
        let org = Org::start();
        let scene = with_a_refused_position(&org, policy);
        let run = scene.run_until_subscribed();
        org.create_leads(3);
        scene.tail("leads", arrive);
        run.terminate().0.expect_code(0);
        // The next start finds the position that follows the gap.
        let run = scene.run_until_subscribed();
        org.create_leads(1);
        scene.tail("leads", arrive + 1);
        run.terminate().0.expect_code(0);
        let told = gaps(&scene);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((&told[0]["policy"], &told[0]["reason"]), (&policy.into(), &"REPLAY_ID_REFUSED".into()));
    }
}

/// What the lost position would have brought is read from the org: the leads as they are, marked as such, then live.
#[test]
fn a_lost_position_is_repaired_from_the_org() {
    let org = Org::start();
    let scene = with_a_refused_position(&org, "repair");
    // While nobody listened: five more, and one of the first is gone.
    let ids = org.create_leads(5);
    org.change(Change::of("Lead", Operation::Deleted, &ids[0]));
    let run = scene.run_until_subscribed();
    org.create_leads(3);
    let line = run.expect_line(&["repaired"]);
    let rows = line.split(' ').zip(line.split(' ').skip(1)).find(|(_, next)| *next == "rows").map(|(number, _)| number);
    let rows: usize =
        rows.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number of rows: {line}"));
    // The first five, the rows, and every event that is retained.
    scene.tail("leads", 5 + rows + org.expected(PUSH_TOPIC, "Lead").len());
    run.terminate().0.expect_code(0);
    let records = scene.log("leads");
    let repaired: Vec<_> = records.iter().filter(|record| record.headers.contains("tributary.repair")).collect();
    // Within the margin before the last event lie also the first five and those that the org was born with.
    let of = |id: &str| repaired.iter().find(|record| record.key.as_deref().is_some_and(|key| key.contains(id)));
    for id in &ids {
        let record = of(id).unwrap_or_else(|| panic!("{id} was not read: {repaired:?}"));
        let kind = if *id == ids[0] { "deleted" } else { "created" };
        assert!(record.value.as_deref().is_some_and(|value| value.contains(kind)), "{record:?}");
    }
    let keys: std::collections::BTreeSet<_> = repaired.iter().map(|record| &record.key).collect();
    assert_eq!((keys.len(), repaired.len()), (rows, rows), "a row was read twice");
    let told = gaps(&scene);
    assert_eq!((told.len(), &told[0]["policy"]), (1, &"repair".into()), "{told:?}");
}

#[test]
fn a_stream_that_is_silent_while_the_org_changes_is_made_anew() {
    let org = Org::start();
    // The org is looked at between two polls.
    org.configure(|config| config.connect_hold_ms = 500);
    let scene = Scene::new(&org, "leads").with("salesforce.stall.detect.ms", "1500");
    let run = scene.run_until_subscribed();
    org.create_leads(3);
    scene.tail("leads", 3);
    org.inject(FaultRule::once(Where::channel("/meta/connect"), Fault::SilenceSession));
    // The poll that brings this one is followed by the one that the fault strikes, if it has not struck before.
    org.create_leads(1);
    scene.tail("leads", 4);
    // Rows are stamped in whole seconds: these are to be later than the last event.
    org.simulator().org().advance(3_000);
    org.create_leads(2);
    run.expect_line(&["No event came for", "the object has changed"]);
    scene.tail("leads", 6);
    run.terminate().0.expect_code(0);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_exact();
}

#[test]
fn a_login_that_is_refused_twice_is_not_tried_a_third_time() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads")
        .with("auto.restart.on.user.error", "true")
        .with("salesforce.password", org::WRONG_PASSWORD);
    let finished = scene.run().wait(PATIENCE);
    finished.expect_code(1).expect_said(&["starts again in", "FAILED", "invalid_grant"]);
    assert_eq!(org.logins(), 2, "the strictest org locks a user after three");
}

#[test]
fn an_outage_that_outlasts_the_retry_time_fails_with_its_cause() {
    let org = Org::start();
    let scene = Scene::new(&org, "leads").with("salesforce.auth.retries.time.ms", "2000");
    org.inject(FaultRule::forever(Where::path(OAUTH), status(503, None, false)));
    let finished = scene.run().wait(PATIENCE);
    finished.expect_code(1).expect_said(&["FAILED", "503", "salesforce.auth.retries.time.ms"]);
}
