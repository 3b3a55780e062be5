//! Exactly-once delivery against the client's own fake broker. On a real one it is the kill loop's business.
#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::time::Duration;

use krafka::{
    error::ErrorCode,
    testing::{ApiKey, Control},
};

use super::super::tests::{CREATE, OFFSETS, Rig, at, record, stored};
use crate::{
    record::{SourceOffset, SourcePartition},
    sink::{Backend, Opened, Sink, SinkError},
};

const ID: &str = "tributary-pt-0";
const WITHIN: Duration = Duration::from_secs(10);

/// Both transaction protocols; the older one is that of brokers before 4.0.
const VERSIONS: [i16; 2] = [1, 2];

async fn rig(version: i16, settings: &[(&str, &str)]) -> Rig {
    let settings: Vec<_> = [("exactly.once.source.support", "enabled")].into_iter().chain(settings.to_vec()).collect();
    let rig = Rig::new(&settings).await;
    rig.broker.set_transaction_version(version);
    rig
}

async fn open_with(rig: &Rig, settings: &[(&str, &str)]) -> (Box<dyn Sink>, Option<SourceOffset>) {
    let settings: Vec<_> = CREATE.into_iter().chain(settings.to_vec()).collect();
    let Opened { sink, committed } =
        rig.backend.open(&rig.connector(&settings), &std::sync::Arc::default()).await.unwrap();
    (sink, committed)
}

async fn open(rig: &Rig) -> (Box<dyn Sink>, Option<SourceOffset>) {
    open_with(rig, &[]).await
}

/// Key and value of what a consumer may see.
fn seen(rig: &Rig, topic: &str) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let records = rig.broker.committed_records(topic).unwrap();
    records
        .iter()
        .map(|record| (record.key.as_deref().map(text).unwrap_or_default(), record.value.as_deref().map(text)))
        .collect()
}

fn values(rig: &Rig) -> Vec<String> {
    seen(rig, "accounts").into_iter().filter_map(|(_, value)| value).collect()
}

async fn poll(sink: &mut dyn Sink, values: &[&str], offset: i64) -> Result<Option<SourceOffset>, SinkError> {
    if !values.is_empty() {
        sink.send(values.iter().map(|value| record(value)).collect()).await?;
    }
    sink.end_poll(Some(at(offset))).await
}

/// Turns until a commit has an outcome.
async fn outcome(sink: &mut dyn Sink) -> Result<SourceOffset, SinkError> {
    for _ in 0..2_000 {
        if let Some(offset) = sink.commit_due().await? {
            return Ok(offset);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no commit within 10 s");
}

fn commits(rig: &Rig) -> usize {
    rig.broker.request_count(ApiKey::EndTxn)
}

#[tokio::test]
async fn a_poll_is_a_transaction_and_the_offset_is_in_it() {
    for version in VERSIONS {
        let rig = rig(version, &[]).await;
        let (mut sink, committed) = open(&rig).await;
        assert_eq!(committed, None);
        sink.send(vec![record("a"), record("b")]).await.unwrap();
        assert!(values(&rig).is_empty(), "nothing is seen before the commit");
        sink.end_poll(Some(at(2))).await.unwrap();
        assert_eq!(outcome(&mut *sink).await.unwrap(), at(2));
        assert_eq!((values(&rig), seen(&rig, OFFSETS)), (vec!["a".to_owned(), "b".to_owned()], vec![stored(2)]));
        poll(&mut *sink, &["c"], 3).await.unwrap();
        poll(&mut *sink, &["d"], 4).await.unwrap();
        sink.send(vec![record("never")]).await.unwrap();
        assert_eq!(sink.close(WITHIN).await.unwrap(), Some(at(4)));
        assert_eq!(values(&rig), ["a", "b", "c", "d"]);
        assert_eq!(open(&rig).await.1, Some(at(4)));
    }
}

/// The component is not held up by a commit, and what it sends meanwhile goes out together.
#[tokio::test]
async fn polls_that_come_during_a_commit_are_one_transaction() {
    let rig = rig(2, &[]).await;
    let (mut sink, _) = open(&rig).await;
    let slow = Duration::from_millis(300);
    rig.broker.on_once(ApiKey::EndTxn, move |_| Control::Delay(slow));
    poll(&mut *sink, &["a"], 1).await.unwrap();
    let began = std::time::Instant::now();
    while commits(&rig) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for n in 2..=9 {
        assert_eq!(poll(&mut *sink, &["b", "c"], n).await.unwrap(), None);
    }
    assert!(began.elapsed() < slow, "it was waited for");
    while outcome(&mut *sink).await.unwrap() != at(9) {}
    assert_eq!((commits(&rig), values(&rig).len(), seen(&rig, OFFSETS)), (2, 17, vec![stored(1), stored(9)]));
}

/// Records wait for the brokers up to the bounds, and a poll that is larger than these is a transaction all the same.
#[tokio::test]
async fn what_may_wait_is_bounded() {
    let rig = rig(2, &[("tributary.in.flight.records.max", "4")]).await;
    let (mut sink, _) = open(&rig).await;
    for _ in 0..5 {
        sink.send((0..3).map(|_| record("x")).collect()).await.unwrap();
    }
    assert!(values(&rig).is_empty());
    sink.end_poll(Some(at(15))).await.unwrap();
    outcome(&mut *sink).await.unwrap();
    assert_eq!((commits(&rig), values(&rig).len()), (1, 15));
    rig.broker.on(ApiKey::Produce, |_| Control::Silence);
    poll(&mut *sink, &["a", "b", "c", "d"], 16).await.unwrap();
    let blocked = tokio::time::timeout(Duration::from_millis(200), sink.send(vec![record("e")])).await;
    assert!(blocked.is_err(), "a fifth record must wait");
}

#[tokio::test]
async fn no_transaction_is_empty() {
    let rig = rig(2, &[("offset.flush.interval.ms", "3600000")]).await;
    let (mut sink, _) = open(&rig).await;
    for _ in 0..3 {
        assert_eq!(poll(&mut *sink, &[], 5).await.unwrap(), None);
        assert_eq!(sink.end_poll(None).await.unwrap(), None);
        assert_eq!(sink.commit_due().await.unwrap(), None);
    }
    assert_eq!(commits(&rig), 0);
    // An offset that moved by itself is kept at the end.
    assert_eq!(sink.close(WITHIN).await.unwrap(), Some(at(5)));
    assert_eq!((commits(&rig), seen(&rig, OFFSETS)), (1, vec![stored(5)]));
    let (mut sink, committed) = open(&rig).await;
    assert_eq!(committed, Some(at(5)));
    poll(&mut *sink, &[], 5).await.unwrap();
    assert_eq!(sink.close(WITHIN).await.unwrap(), None);
    assert_eq!(commits(&rig), 1, "nothing new, no transaction");
}

#[tokio::test]
async fn an_interval_holds_many_polls() {
    let rig = rig(2, &[]).await;
    let interval = |ms| [("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", ms)];
    let (mut sink, _) = open_with(&rig, &interval("3600000")[..1]).await;
    drop(sink.end_poll(None).await);
    drop(sink);
    let (mut sink, _) = open_with(&rig, &interval("300000")).await;
    for n in 1..=5 {
        poll(&mut *sink, &["x"], n).await.unwrap();
        assert_eq!(sink.commit_due().await.unwrap(), None);
    }
    assert_eq!((commits(&rig), values(&rig).len()), (0, 0));
    assert_eq!(sink.close(WITHIN).await.unwrap(), Some(at(5)));
    assert_eq!((commits(&rig), values(&rig).len(), seen(&rig, OFFSETS)), (1, 5, vec![stored(5)]));
    let (mut sink, _) = open_with(&rig, &interval("1")).await;
    poll(&mut *sink, &["y"], 6).await.unwrap();
    assert_eq!(outcome(&mut *sink).await.unwrap(), at(6), "the interval ends it without another poll");
}

#[tokio::test]
async fn part_of_a_poll_is_never_committed() {
    for version in VERSIONS {
        let rig = rig(version, &[]).await;
        let (mut sink, _) = open(&rig).await;
        poll(&mut *sink, &["a"], 1).await.unwrap();
        outcome(&mut *sink).await.unwrap();
        sink.send(vec![record("b")]).await.unwrap();
        assert_eq!(sink.close(WITHIN).await.unwrap(), None);
        assert_eq!((values(&rig), open(&rig).await.1), (vec!["a".to_owned()], Some(at(1))));
    }
}

#[tokio::test]
async fn an_older_owner_is_fenced_and_writes_nothing() {
    {
        // In the middle of a transaction, and between two. Between two the fake broker keeps, under the newer protocol, the
        // old owner's last state, which a real one does not: that case is the integration tests'.
        for (version, begun) in [(1, true), (2, true), (1, false)] {
            let rig = rig(version, &[]).await;
            let interval = [("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", "1000")];
            let (mut old, _) = open_with(&rig, if begun { &interval } else { &[] }).await;
            poll(&mut *old, &["a"], 1).await.unwrap();
            outcome(&mut *old).await.unwrap();
            if begun {
                poll(&mut *old, &["zombie"], 2).await.unwrap();
                for _ in 0..900 {
                    if rig.broker.transaction_is_open(ID) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                assert!(rig.broker.transaction_is_open(ID));
            }
            let (mut new, committed) = open(&rig).await;
            assert_eq!(committed, Some(at(1)));
            let late = async {
                if !begun {
                    poll(&mut *old, &["zombie"], 2).await?;
                }
                outcome(&mut *old).await
            };
            let error = late.await.unwrap_err();
            assert!(matches!(&error, SinkError::Fenced(_)), "version {version}, begun {begun}: {error}");
            poll(&mut *new, &["b"], 2).await.unwrap();
            outcome(&mut *new).await.unwrap();
            assert_eq!(values(&rig), ["a", "b"]);
        }
    }
}

#[tokio::test]
async fn a_refused_record_fails_with_its_cause_and_the_offset_stays() {
    for version in VERSIONS {
        let rig = rig(version, &[]).await;
        let (mut sink, _) = open(&rig).await;
        poll(&mut *sink, &["a"], 1).await.unwrap();
        outcome(&mut *sink).await.unwrap();
        rig.broker.on_once(ApiKey::Produce, |_| Control::Error(ErrorCode::MessageTooLarge));
        let late = async {
            poll(&mut *sink, &["too large"], 2).await?;
            outcome(&mut *sink).await
        };
        let error = late.await.unwrap_err();
        assert!(matches!(&error, SinkError::Refused(text) if text.contains("max.message.bytes")), "{error}");
        assert!(!rig.broker.transaction_is_open(ID), "aborted at once, not at the time-out");
        drop(sink);
        assert_eq!((values(&rig), open(&rig).await.1), (vec!["a".to_owned()], Some(at(1))));
    }
}

/// The commit happened, or it did not; the answer is lost. Whoever comes next reads which.
#[tokio::test]
async fn an_unanswered_commit_is_never_guessed() {
    for version in VERSIONS {
        for applied in [true, false] {
            let settings = [("producer.max.block.ms", "500"), ("request.timeout.ms", "1000")];
            let rig = rig(version, &settings).await;
            let (mut sink, _) = open(&rig).await;
            rig.broker.on(ApiKey::EndTxn, move |_| {
                if applied { Control::ApplyThen(Box::new(Control::Silence)) } else { Control::Silence }
            });
            poll(&mut *sink, &["a"], 1).await.unwrap();
            let error = outcome(&mut *sink).await.unwrap_err();
            assert!(matches!(&error, SinkError::Unavailable(_)), "{error}");
            drop(sink);
            rig.broker.clear_hooks();
            let (mut sink, committed) = open(&rig).await;
            assert_eq!(committed, applied.then(|| at(1)));
            if !applied {
                poll(&mut *sink, &["a"], 1).await.unwrap();
                outcome(&mut *sink).await.unwrap();
            }
            assert_eq!((values(&rig), seen(&rig, OFFSETS)), (vec!["a".to_owned()], vec![stored(1)]));
        }
    }
}

/// What this connector committed behind another one's open transaction must be found: the last stable offset is before it.
#[tokio::test]
async fn an_offset_behind_a_foreign_open_transaction_is_found() {
    let rig = rig(2, &[("offset.storage.partitions", "1")]).await;
    let (mut sink, _) = open(&rig).await;
    let foreign = rig.broker.kafka().connect().await.unwrap().producer().build_transactional("another").await.unwrap();
    foreign.begin().unwrap();
    let _sent = foreign.send(krafka::Record::new(OFFSETS, "{}").key("x")).await.unwrap();
    poll(&mut *sink, &["a"], 1).await.unwrap();
    assert_eq!(sink.close(WITHIN).await.unwrap(), Some(at(1)));
    let ended = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        foreign.abort().await.unwrap();
    };
    let ((_, committed), ()) = tokio::join!(open(&rig), ended);
    assert_eq!(committed, Some(at(1)));
}

#[tokio::test]
async fn who_only_asks_does_not_wait_for_an_open_transaction() {
    let rig = rig(2, &[("offset.storage.partitions", "1")]).await;
    let (mut sink, _) = open(&rig).await;
    poll(&mut *sink, &["a"], 1).await.unwrap();
    outcome(&mut *sink).await.unwrap();
    let foreign = rig.broker.kafka().connect().await.unwrap().producer().build_transactional("another").await.unwrap();
    foreign.begin().unwrap();
    let _sent = foreign.send(krafka::Record::new(OFFSETS, "{}").key("x")).await.unwrap();
    let asked = tokio::time::timeout(WITHIN, rig.backend.offsets("pt")).await.unwrap().unwrap();
    assert_eq!(asked, [(SourcePartition::default(), at(1))]);
}

#[tokio::test]
async fn an_offset_by_hand_fences_the_owner() {
    let rig = rig(2, &[]).await;
    let (mut sink, _) = open(&rig).await;
    poll(&mut *sink, &["a"], 1).await.unwrap();
    outcome(&mut *sink).await.unwrap();
    rig.backend.alter_offset("pt", &SourcePartition::default(), Some(&at(9))).await.unwrap();
    let late = async {
        poll(&mut *sink, &["b"], 2).await?;
        outcome(&mut *sink).await
    };
    assert!(matches!(late.await, Err(SinkError::Fenced(_))));
    assert_eq!((open(&rig).await.1, values(&rig)), (Some(at(9)), vec!["a".to_owned()]));
    rig.backend.alter_offset("pt", &SourcePartition::default(), None).await.unwrap();
    assert_eq!(open(&rig).await.1, None);
}

#[tokio::test]
async fn what_a_person_must_see_to_is_named() {
    let rig = rig(2, &[]).await;
    for (code, words) in [
        (ErrorCode::TransactionalIdAuthorizationFailed, [ID, "WRITE and DESCRIBE on the transactional id"]),
        (ErrorCode::InvalidTransactionTimeout, ["transaction.max.timeout.ms", "transaction.boundary.interval.ms"]),
    ] {
        rig.broker.on_once(ApiKey::InitProducerId, move |_| Control::Error(code));
        let error = rig.backend.open(&rig.connector(&CREATE), &std::sync::Arc::default()).await.err().unwrap();
        let SinkError::Refused(text) = error else { panic!("{error}") };
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    // Records among the offsets would destroy them.
    let (mut sink, _) = open(&rig).await;
    let mut stray = record("x");
    stray.topic = OFFSETS.to_owned();
    sink.send(vec![stray]).await.unwrap();
    sink.end_poll(Some(at(1))).await.unwrap();
    let error = outcome(&mut *sink).await.unwrap_err();
    assert!(matches!(&error, SinkError::Refused(text) if text.contains("holds the offsets")), "{error}");
    rig.backend.alter_offset("pt", &SourcePartition::default(), Some(&SourceOffset(vec![]))).await.unwrap();
}
