//! The embedded log through its own trait: what is durable after a kill, what is refused and how it is said.
#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::{fs, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::{
    config::WorkerConfig,
    record::{Header, ProducerRecord, Scalar},
    sink::Sink,
};

fn connector(name: &str) -> ConnectorConfig {
    let properties = [("name", name), ("connector.class", "C")];
    let properties = properties.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    ConnectorConfig::from_properties(properties, &WorkerConfig::default()).0
}

fn record(topic: &str, value: &str) -> ProducerRecord {
    ProducerRecord {
        topic: topic.to_owned(),
        partition: None,
        key: Some(b"k".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: Vec::new(),
        timestamp_ms: Some(7),
    }
}

fn at(n: i64) -> SourceOffset {
    SourceOffset(vec![("replayId".to_owned(), Scalar::Integer(n))])
}

fn values(data_dir: &Path, topic: &str) -> Vec<String> {
    let mut reader = LogReader::open(data_dir, topic, Start::Beginning).unwrap();
    let records = reader.poll(1000, Duration::ZERO).unwrap();
    for (expected, record) in (0..).zip(&records) {
        assert_eq!(record.offset, expected, "log offsets are dense");
    }
    records.into_iter().map(|record| String::from_utf8(record.value.unwrap()).unwrap()).collect()
}

async fn open(backend: &EmbeddedBackend) -> (Box<dyn Sink>, Option<SourceOffset>) {
    let opened = backend.open(&connector("pt"), &Arc::default()).await.unwrap();
    (opened.sink, opened.committed)
}

#[tokio::test]
async fn records_and_offset_stand_or_fall_together() {
    let dir = TempDir::new().unwrap();
    {
        let backend = EmbeddedBackend::new(dir.path());
        let (mut sink, committed) = open(&backend).await;
        assert_eq!(committed, None);
        assert_eq!(sink.end_poll(None).await.unwrap(), None);
        sink.send(vec![record("t", "a"), record("u", "x")]).await.unwrap();
        sink.send(vec![record("t", "b")]).await.unwrap();
        assert_eq!(sink.end_poll(Some(at(2))).await.unwrap(), Some(at(2)));
        assert_eq!(sink.end_poll(Some(at(2))).await.unwrap(), None, "nothing changed");
        assert_eq!(sink.end_poll(Some(at(3))).await.unwrap(), Some(at(3)), "an offset may move without records");
        sink.send(vec![record("t", "lost with the process")]).await.unwrap();
        assert_eq!(sink.commit_due().await.unwrap(), None);
        // Dropped without `close`, as a kill leaves it.
    }
    assert_eq!(values(dir.path(), "t"), ["a", "b"]);
    let backend = EmbeddedBackend::new(dir.path());
    let (mut sink, committed) = open(&backend).await;
    assert_eq!(committed, Some(at(3)));
    sink.send(vec![record("t", "c")]).await.unwrap();
    sink.end_poll(Some(at(4))).await.unwrap();
    assert_eq!(sink.close(Duration::from_secs(1)).await.unwrap(), None);
    assert_eq!(values(dir.path(), "t"), ["a", "b", "c"]);
    assert_eq!(values(dir.path(), "u"), ["x"]);
    assert_eq!(backend.offsets("pt").await.unwrap(), [(SourcePartition::default(), at(4))]);
}

/// What a source keeps beside its offset comes back with it, is not shown, and goes when a person moves the offset.
#[tokio::test]
async fn what_a_source_keeps_for_itself() {
    let dir = TempDir::new().unwrap();
    let backend = EmbeddedBackend::new(dir.path());
    let with_own = |n| {
        let mut offset = at(n);
        offset.0.push((".id".to_owned(), Scalar::Text("0IF".to_owned())));
        offset
    };
    let (mut sink, _) = open(&backend).await;
    sink.end_poll(Some(with_own(1))).await.unwrap();
    assert_eq!(open(&backend).await.1, Some(with_own(1)));
    assert_eq!(backend.offsets("pt").await.unwrap(), [(SourcePartition::default(), at(1))]);
    backend.alter_offset("pt", &SourcePartition::default(), Some(&at(2))).await.unwrap();
    assert_eq!(open(&backend).await.1, Some(at(2)));
}

/// The files as another process would find them after a kill: copied while the writer is still open.
#[tokio::test]
async fn a_copy_made_in_mid_flight_is_whole() {
    let (dir, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let backend = EmbeddedBackend::new(dir.path());
    let (mut sink, _) = open(&backend).await;
    sink.send(vec![record("t", "a")]).await.unwrap();
    sink.end_poll(Some(at(1))).await.unwrap();
    sink.send(vec![record("t", "b")]).await.unwrap();
    for file in ["tributary.db", "tributary.db-wal"] {
        fs::copy(dir.path().join(file), copy.path().join(file)).unwrap();
    }
    let (_, committed) = open(&EmbeddedBackend::new(copy.path())).await;
    assert_eq!(committed, Some(at(1)));
    assert_eq!(values(copy.path(), "t"), ["a"]);
    // A torn write at the end of the WAL: back to the transaction before it.
    sink.end_poll(Some(at(2))).await.unwrap();
    let torn = TempDir::new().unwrap();
    fs::copy(dir.path().join("tributary.db"), torn.path().join("tributary.db")).unwrap();
    let mut wal = fs::read(dir.path().join("tributary.db-wal")).unwrap();
    wal.truncate(wal.len() - 100);
    fs::write(torn.path().join("tributary.db-wal"), wal).unwrap();
    let (_, committed) = open(&EmbeddedBackend::new(torn.path())).await;
    assert_eq!(committed, Some(at(1)));
    assert_eq!(values(torn.path(), "t"), ["a"]);
}

#[tokio::test]
async fn a_restarted_task_fences_its_predecessor() {
    let dir = TempDir::new().unwrap();
    let backend = EmbeddedBackend::new(dir.path());
    let (mut old, _) = open(&backend).await;
    old.send(vec![record("t", "old")]).await.unwrap();
    let (mut new, _) = open(&backend).await;
    assert!(matches!(old.end_poll(Some(at(1))).await, Err(SinkError::Fenced(_))));
    new.send(vec![record("t", "new")]).await.unwrap();
    new.end_poll(Some(at(1))).await.unwrap();
    assert_eq!(values(dir.path(), "t"), ["new"]);
    let other = backend.open(&connector("other"), &Arc::default()).await.unwrap();
    assert_eq!(other.committed, None, "offsets are each connector's own");
}

#[tokio::test]
async fn every_part_of_a_record_comes_back() {
    let dir = TempDir::new().unwrap();
    let backend = EmbeddedBackend::new(dir.path());
    let (mut sink, _) = open(&backend).await;
    let header = |key: &str, value: Option<&[u8]>| Header { key: key.to_owned(), value: value.map(<[u8]>::to_vec) };
    let headers = vec![header("h", Some(b"1")), header("h", None), header("", Some(b""))];
    let tombstone =
        ProducerRecord { key: None, value: None, headers: headers.clone(), timestamp_ms: None, ..record("t", "") };
    sink.send(vec![tombstone, record("t", "")]).await.unwrap();
    sink.end_poll(Some(at(1))).await.unwrap();
    let records = LogReader::open(dir.path(), "t", Start::Beginning).unwrap().poll(10, Duration::ZERO).unwrap();
    assert_eq!((&records[0].key, &records[0].value, &records[0].headers), (&None, &None, &headers));
    assert!(records[0].timestamp_ms > 1_600_000_000_000, "the time of writing");
    assert_eq!((records[1].timestamp_ms, records[1].value.as_deref()), (7, Some(&b""[..])));
}

#[tokio::test]
async fn a_reader_follows_from_where_it_began() {
    let dir = TempDir::new().unwrap();
    let mut early = LogReader::open(dir.path(), "t", Start::End).unwrap();
    assert!(early.poll(10, Duration::ZERO).unwrap().is_empty() && !early.topic_exists().unwrap());
    let backend = EmbeddedBackend::new(dir.path());
    let (mut sink, _) = open(&backend).await;
    sink.send(vec![record("t", "a"), record("t", "b")]).await.unwrap();
    sink.end_poll(Some(at(1))).await.unwrap();
    let of = |records: Vec<LogRecord>| records.into_iter().map(|record| record.offset).collect::<Vec<_>>();
    assert_eq!(of(early.poll(1, Duration::from_secs(10)).unwrap()), [0]);
    assert_eq!(of(early.poll(10, Duration::ZERO).unwrap()), [1]);
    assert_eq!(early.topics().unwrap(), ["t"]);
    let mut late = LogReader::open(dir.path(), "t", Start::End).unwrap();
    let waiting = tokio::task::spawn_blocking(move || late.poll(10, Duration::from_secs(10)).unwrap());
    sink.send(vec![record("u", "elsewhere")]).await.unwrap();
    sink.end_poll(Some(at(2))).await.unwrap();
    sink.send(vec![record("t", "c")]).await.unwrap();
    sink.end_poll(Some(at(3))).await.unwrap();
    assert_eq!(of(waiting.await.unwrap()).last(), Some(&2));
}

#[tokio::test]
async fn offsets_by_hand() {
    let dir = TempDir::new().unwrap();
    let backend = EmbeddedBackend::new(dir.path());
    let none = SourcePartition::default();
    assert!(backend.offsets("pt").await.unwrap().is_empty());
    assert!(!database::path(dir.path()).exists(), "reading makes no file");
    backend.alter_offset("pt", &none, Some(&at(5))).await.unwrap();
    backend.alter_offset("pt2", &none, Some(&at(6))).await.unwrap();
    assert_eq!(backend.offsets("pt").await.unwrap(), [(none.clone(), at(5))]);
    assert_eq!(open(&backend).await.1, Some(at(5)));
    backend.alter_offset("pt", &none, None).await.unwrap();
    assert!(backend.offsets("pt").await.unwrap().is_empty());
    assert_eq!(backend.offsets("pt2").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_poll_is_bounded() {
    let dir = TempDir::new().unwrap();
    let backend = EmbeddedBackend::new(dir.path());
    let (mut sink, _) = open(&backend).await;
    let overhead = record("t", "").size_bytes();
    let sized = |bytes: usize| ProducerRecord { value: Some(vec![b'x'; bytes - overhead]), ..record("t", "") };
    sink.send(vec![sized(POLL_BYTES_MAX - 2 * overhead), record("t", "")]).await.unwrap();
    sink.send(vec![record("t", "")]).await.unwrap();
    let error = sink.send(vec![record("t", "")]).await.unwrap_err();
    assert!(matches!(error, SinkError::Refused(_)), "{error}");
}

/// Every refusal, with a word that its sentence must have.
#[tokio::test]
async fn refusals() {
    async fn check(dir: &Path, word: &str) {
        let error = EmbeddedBackend::new(dir).open(&connector("pt"), &Arc::default()).await.err();
        let text = match error {
            Some(SinkError::Refused(text)) => text,
            other => panic!("{word}: {other:?}"),
        };
        assert!(text.contains(word) && text.contains(&dir.display().to_string()), "{text}");
    }
    let dir = TempDir::new().unwrap();
    let in_use = dir.path().join("in-use");
    let first = EmbeddedBackend::new(&in_use);
    open(&first).await;
    check(&in_use, &format!("in use by another worker (process {})", std::process::id())).await;
    drop(first);
    open(&EmbeddedBackend::new(&in_use)).await;

    let garbage = dir.path().join("garbage");
    fs::create_dir(&garbage).unwrap();
    fs::write(database::path(&garbage), vec![b'x'; 5000]).unwrap();
    check(&garbage, "damaged").await;

    let newer = dir.path().join("newer");
    open(&EmbeddedBackend::new(&newer)).await;
    rusqlite::Connection::open(database::path(&newer)).unwrap().pragma_update(None, "user_version", 2).unwrap();
    check(&newer, "newer Tributary (its tables have version 2").await;
    assert!(LogReader::open(&newer, "t", Start::End).is_err());

    let foreign = dir.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    rusqlite::Connection::open(database::path(&foreign)).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    check(&foreign, "another program").await;

    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    check(&file, "cannot be written").await;

    let bad_offset = dir.path().join("bad-offset");
    open(&EmbeddedBackend::new(&bad_offset)).await;
    rusqlite::Connection::open(database::path(&bad_offset))
        .unwrap()
        .execute("INSERT INTO source_offset VALUES (CAST('[\"pt\",{}]' AS BLOB), CAST('[1]' AS BLOB))", [])
        .unwrap();
    check(&bad_offset, "is not a JSON object").await;
}

/// SQLite's own bound on the file stands for a full disk, its own read-only mode for a read-only directory: they report
/// the same codes, also where the tests run as root.
#[tokio::test]
async fn a_full_and_a_read_only_disk() {
    let dir = TempDir::new().unwrap();
    for (pragma, value, word) in
        [("max_page_count", 1, "no space left"), ("query_only", 1, "cannot be opened or written")]
    {
        let store = Store::open(dir.path()).unwrap();
        let (owner, _) = store.own(b"k", b"s").unwrap();
        store.with_pragma(pragma, value);
        let records = (0..100).map(|_| record("t", &"x".repeat(4096))).collect();
        let write = store::Write { records, offset: Some(b"{}".to_vec()), state: None };
        let error = store.write(b"k", owner, &write).unwrap_err();
        assert!(matches!(&error, SinkError::Refused(text) if text.contains(word)), "{error}");
        drop(store);
        assert!(values(dir.path(), "t").is_empty(), "nothing of the transaction remains");
    }
}
