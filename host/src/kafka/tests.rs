//! The Kafka sink against the client's own fake broker, which speaks Kafka's protocol and fails on demand. The same on a
//! real broker is the business of the integration tests.
#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::time::Duration;

use krafka::{
    error::ErrorCode,
    testing::{ApiKey, Control, FakeBroker},
};

use super::*;
use crate::{
    record::{ProducerRecord, Scalar},
    sink::Sink,
};

pub(super) const OFFSETS: &str = "tributary-offsets";
pub(super) const CREATE: [(&str, &str); 2] =
    [("topic.creation.default.partitions", "2"), ("topic.creation.default.replication.factor", "1")];

pub(super) struct Rig {
    pub(super) broker: FakeBroker,
    pub(super) worker: WorkerConfig,
    pub(super) backend: KafkaBackend,
}

impl Rig {
    pub(super) async fn new(settings: &[(&str, &str)]) -> Self {
        let broker = FakeBroker::start().await.unwrap();
        let worker = worker(&broker.bootstrap_servers(), settings);
        let backend = KafkaBackend::new(&worker).unwrap();
        Self { broker, worker, backend }
    }

    pub(super) fn connector(&self, settings: &[(&str, &str)]) -> ConnectorConfig {
        let all = owned(&[("name", "pt"), ("connector.class", "C")]).into_iter().chain(owned(settings));
        let (connector, findings) = ConnectorConfig::from_properties(all.collect(), &self.worker);
        assert!(!findings.has_errors(), "{findings}");
        connector
    }

    async fn sink(&self, settings: &[(&str, &str)]) -> (KafkaSink, Option<SourceOffset>) {
        let connector = self.connector(settings);
        let host = connector.host_settings(&self.worker).unwrap();
        let cluster = self.backend.cluster().await.unwrap();
        let ways = Ways { records: Arc::clone(&cluster), worker: cluster };
        let interval = self.worker.offset_flush_interval_ms;
        KafkaSink::new(ways, self.worker.kafka.as_ref().unwrap(), interval, &connector, host, &Arc::default())
            .await
            .unwrap()
    }

    /// Key and value of every record of a topic, by partition, then by offset.
    pub(super) fn pairs(&self, topic: &str) -> Vec<(String, Option<String>)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let records = self.broker.all_records(topic).unwrap();
        let pair = |record: &krafka::ConsumerRecord| {
            (record.key.as_deref().map(text).unwrap_or_default(), record.value.as_deref().map(text))
        };
        records.iter().map(pair).collect()
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn worker(servers: &str, settings: &[(&str, &str)]) -> WorkerConfig {
    let mut all = owned(&[
        ("bootstrap.servers", servers),
        ("offset.storage.replication.factor", "1"),
        ("offset.storage.partitions", "3"),
        ("offset.flush.interval.ms", "1"),
    ]);
    all.extend(owned(settings));
    let (worker, findings) = WorkerConfig::from_properties(&all);
    assert!(!findings.has_errors(), "{findings}");
    worker
}

pub(super) fn record(value: &str) -> ProducerRecord {
    ProducerRecord {
        topic: "accounts".to_owned(),
        partition: None,
        key: Some(b"k".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: Vec::new(),
        timestamp_ms: None,
    }
}

pub(super) fn at(n: i64) -> SourceOffset {
    SourceOffset(vec![("replayId".to_owned(), Scalar::Integer(n))])
}

pub(super) fn stored(n: i64) -> (String, Option<String>) {
    (r#"["pt",{}]"#.to_owned(), Some(format!(r#"{{"replayId":{n}}}"#)))
}

/// Turns until the offset is durable; every turn waits for the producer, so that none depends on the clock.
async fn durable(sink: &mut KafkaSink) -> Option<SourceOffset> {
    for _ in 0..100 {
        sink.flush().await;
        if let Some(offset) = sink.commit_due().await.unwrap() {
            return Some(offset);
        }
    }
    None
}

#[tokio::test]
async fn records_then_their_offset() {
    let rig = Rig::new(&[]).await;
    let (mut sink, committed) = rig.sink(&CREATE).await;
    assert_eq!(committed, None);
    assert_eq!(rig.broker.with_state(|state| state.topics[OFFSETS].partitions.len()), 3, "created");
    sink.send(vec![record("a"), record("b")]).await.unwrap();
    sink.end_poll(Some(at(2))).await.unwrap();
    assert_eq!(durable(&mut sink).await, Some(at(2)));
    assert_eq!(rig.pairs(OFFSETS), [stored(2)]);
    sink.send(vec![record("c")]).await.unwrap();
    sink.end_poll(Some(at(3))).await.unwrap();
    assert_eq!(Box::new(sink).close(Duration::from_secs(10)).await.unwrap(), Some(at(3)));
    let values: Vec<_> = rig.pairs("accounts").into_iter().filter_map(|(_, value)| value).collect();
    assert_eq!(values, ["a", "b", "c"], "one key, one partition, one order");
    let (sink, committed) = rig.sink(&CREATE).await;
    assert_eq!(committed, Some(at(3)));
    assert_eq!(Box::new(sink).close(Duration::from_secs(10)).await.unwrap(), None, "nothing new");
}

/// The runtime gives a task a budget for each of its turns; it must not decide what counts as acknowledged.
#[tokio::test]
async fn a_busy_task_sees_every_acknowledgement() {
    let rig = Rig::new(&[]).await;
    let (mut sink, _) = rig.sink(&CREATE).await;
    sink.send((0..2000).map(|n| record(&n.to_string())).collect()).await.unwrap();
    sink.flush().await;
    sink.end_poll(Some(at(2000))).await.unwrap();
    assert_eq!(sink.in_flight(), 0);
    Box::new(sink).close(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn a_refused_record_holds_the_offset_back() {
    let rig = Rig::new(&[]).await;
    let (mut sink, _) = rig.sink(&CREATE).await;
    sink.send(vec![record("a")]).await.unwrap();
    sink.end_poll(Some(at(1))).await.unwrap();
    assert_eq!(durable(&mut sink).await, Some(at(1)));
    rig.broker.on_once(ApiKey::Produce, |_| Control::Error(ErrorCode::MessageTooLarge));
    sink.send(vec![record("too large")]).await.unwrap();
    sink.flush().await;
    sink.send(vec![record("after it")]).await.unwrap_err();
    let error = Box::new(sink).close(Duration::from_secs(10)).await.err();
    assert!(error.is_none(), "what is left in flight is fine, and was not committed: {error:?}");
    assert_eq!(rig.pairs(OFFSETS), [stored(1)]);
    let (mut sink, committed) = rig.sink(&CREATE).await;
    assert_eq!(committed, Some(at(1)));
    rig.broker.on_once(ApiKey::Produce, |_| Control::Error(ErrorCode::MessageTooLarge));
    sink.send(vec![record("too large")]).await.unwrap();
    sink.end_poll(Some(at(2))).await.unwrap();
    let error = Box::new(sink).close(Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(&error, SinkError::Refused(text) if text.contains("max.message.bytes")), "{error}");
    assert_eq!(rig.pairs(OFFSETS), [stored(1)]);
}

#[tokio::test]
async fn what_is_not_acknowledged_in_time_is_not_committed() {
    let rig = Rig::new(&[]).await;
    let (mut sink, _) = rig.sink(&CREATE).await;
    rig.broker.on(ApiKey::Produce, |_| Control::Silence);
    sink.send(vec![record("a")]).await.unwrap();
    sink.end_poll(Some(at(1))).await.unwrap();
    let error = Box::new(sink).close(Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(&error, SinkError::Unavailable(text) if text.contains("1 records")), "{error}");
    assert!(rig.pairs(OFFSETS).is_empty());
}

#[tokio::test]
async fn a_full_window_holds_up_the_component() {
    for (bound, value) in [("tributary.in.flight.records.max", "2"), ("tributary.in.flight.bytes.max", "1024")] {
        let rig = Rig::new(&[(bound, value)]).await;
        let (mut sink, _) = rig.sink(&CREATE).await;
        rig.broker.on(ApiKey::Produce, |_| Control::Silence);
        let large = "x".repeat(512 - record("").size_bytes());
        let batch = |records: usize| (0..records).map(|_| record(&large)).collect::<Vec<_>>();
        sink.send(batch(2)).await.unwrap();
        let blocked = tokio::time::timeout(Duration::from_millis(100), sink.send(batch(1))).await;
        assert!(blocked.is_err(), "{bound}: a third record must wait");
        assert_eq!(sink.in_flight(), 2);
    }
}

#[tokio::test]
async fn a_missing_topic_is_named() {
    let rig = Rig::new(&[]).await;
    let (mut sink, _) = rig.sink(&[]).await;
    let error = sink.send(vec![record("a")]).await.unwrap_err();
    let SinkError::Refused(text) = error else { panic!("{error}") };
    for word in
        ["accounts", "topic.creation.default.partitions", "kafka-topics --bootstrap-server 127.0.0.1", "--create"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    let rig = Rig::new(&[("topic.creation.enable", "false")]).await;
    let (mut sink, _) = rig.sink(&CREATE).await;
    assert!(matches!(sink.send(vec![record("a")]).await, Err(SinkError::Refused(_))));
    rig.broker.create_topic("accounts", 1);
    sink.send(vec![record("a")]).await.unwrap();
}

#[tokio::test]
async fn an_offsets_topic_of_its_own() {
    const OWN: (&str, &str) = ("offsets.storage.topic", "own");
    let rig = Rig::new(&[]).await;
    rig.backend.alter_offset("pt", &SourcePartition::default(), Some(&at(7))).await.unwrap();
    let settings: Vec<_> = CREATE.into_iter().chain([OWN]).collect();
    let (mut sink, committed) = rig.sink(&settings).await;
    assert_eq!(committed, Some(at(7)), "read from the worker's topic while its own holds none");
    sink.send(vec![record("a")]).await.unwrap();
    sink.end_poll(Some(at(8))).await.unwrap();
    Box::new(sink).close(Duration::from_secs(10)).await.unwrap();
    assert_eq!((rig.pairs("own"), rig.pairs(OFFSETS)), (vec![stored(8)], vec![stored(7)]));
    assert_eq!(rig.sink(&settings).await.1, Some(at(8)));
}

#[tokio::test]
async fn offsets_by_hand() {
    let rig = Rig::new(&[]).await;
    let none = SourcePartition::default();
    assert!(rig.backend.offsets("pt").await.unwrap().is_empty());
    assert!(!rig.broker.with_state(|state| state.topics.contains_key(OFFSETS)), "reading creates nothing");
    rig.backend.alter_offset("pt", &none, Some(&at(5))).await.unwrap();
    rig.backend.alter_offset("pt2", &none, Some(&at(6))).await.unwrap();
    assert_eq!(rig.backend.offsets("pt").await.unwrap(), [(none.clone(), at(5))]);
    rig.backend.alter_offset("pt", &none, None).await.unwrap();
    assert!(rig.backend.offsets("pt").await.unwrap().is_empty());
    assert_eq!(rig.backend.offsets("pt2").await.unwrap(), [(none, at(6))]);
    assert_eq!(rig.sink(&[]).await.1, None);
}

#[tokio::test]
async fn what_a_source_keeps_for_itself() {
    let with_own = |n, own: &str| {
        let mut offset = at(n);
        offset.0.push((".id".to_owned(), Scalar::Text(own.to_owned())));
        offset
    };
    let own = |own: &str| (r#"["tributary-state/pt",{}]"#.to_owned(), Some(format!(r#"{{".id":"{own}"}}"#)));
    for exactly_once in ["disabled", "enabled"] {
        let one_partition = ("offset.storage.partitions", "1");
        let rig = Rig::new(&[("exactly.once.source.support", exactly_once), one_partition]).await;
        let mut sink = rig.backend.open(&rig.connector(&CREATE), &Arc::default()).await.unwrap().sink;
        for (n, id) in [(1, "a"), (2, "a"), (3, "b")] {
            sink.send(vec![record("x")]).await.unwrap();
            sink.end_poll(Some(with_own(n, id))).await.unwrap();
            // As long as it takes: an offset is stored before the next one is asked for.
            while sink.commit_due().await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        sink.close(Duration::from_secs(10)).await.unwrap();
        let mut pairs: Vec<_> = rig.pairs(OFFSETS).into_iter().filter(|(key, _)| key.starts_with('[')).collect();
        pairs.sort();
        let mut expected = vec![stored(1), stored(2), stored(3), own("a"), own("b")];
        expected.sort();
        assert_eq!(pairs, expected, "written only when it changes");
        let none = SourcePartition::default();
        assert_eq!(rig.backend.offsets("pt").await.unwrap(), [(none.clone(), at(3))]);
        assert_eq!(
            rig.backend.open(&rig.connector(&CREATE), &Arc::default()).await.unwrap().committed,
            Some(with_own(3, "b"))
        );
        rig.backend.alter_offset("pt", &none, Some(&at(9))).await.unwrap();
        assert_eq!(rig.backend.open(&rig.connector(&CREATE), &Arc::default()).await.unwrap().committed, Some(at(9)));
    }
}

#[tokio::test]
async fn a_cluster_that_is_away_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let backend = KafkaBackend::new(&worker(&free.to_string(), &[])).unwrap();
    let error = backend.offsets("pt").await.unwrap_err();
    assert!(matches!(&error, SinkError::Unavailable(text) if text.contains(&free.to_string())), "{error}");
}
