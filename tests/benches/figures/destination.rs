//! Where records go: the embedded log, or a topic on a real broker, and how much of it a reader can see.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, anyhow};
use krafka::{
    Kafka, Record,
    admin::{CreateTopicsOptions, NewTopic},
    consumer::{AutoOffsetReset, Consumer, IsolationLevel},
    producer::Acks,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::broker::Broker;

/// How long a read from the broker waits for a record.
const READ_WAIT: Duration = Duration::from_millis(500);

/// A broker, and a client of it that shares no process with what is measured.
pub(crate) struct Cluster {
    runtime: Runtime,
    kafka: Kafka,
    broker: Broker,
}

/// Both destinations, or the embedded log alone where there is no Kafka.
pub(crate) struct Destinations(Option<Cluster>);

/// One destination.
#[derive(Clone, Copy)]
pub(crate) enum Destination<'a> {
    Embedded,
    Kafka(&'a Cluster),
}

impl Destinations {
    /// Starts the broker; says so aloud when there is none.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let Some(broker) = Broker::start() else { return Ok(Self(None)) };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let kafka = runtime.block_on(Kafka::builder(broker.address()).client_id("figures").connect())?;
        Ok(Self(Some(Cluster { runtime, kafka, broker })))
    }

    /// Those that there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = Destination<'_>> {
        [Destination::Embedded].into_iter().chain(self.0.as_ref().map(Destination::Kafka))
    }
}

impl<'a> Destination<'a> {
    /// For a table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded log",
            Self::Kafka(_) => "Kafka",
        }
    }

    /// Makes the offsets topic of that outlet's worker and puts so many offsets of other connectors into it.
    pub(crate) fn fill_offsets(self, topic: &str, records: usize, connectors: usize) -> anyhow::Result<()> {
        let Self::Kafka(cluster) = self else { return Ok(()) };
        let offsets = format!("{topic}-offsets");
        cluster.runtime.block_on(async {
            let options = CreateTopicsOptions::default().timeout(Duration::from_secs(30));
            let new = NewTopic::new(&offsets, 1, 1)?.with_config("cleanup.policy", "compact");
            let mut answer = cluster.kafka.admin().create_topics([new], options).await?;
            answer.remove(&offsets).context("the broker did not answer for the topic")??;
            let producer = cluster.kafka.producer().acks(Acks::All).build().await?;
            let mut handles = Vec::with_capacity(records);
            for number in 0..records {
                let key = format!("[\"connector-{}\",{{}}]", number % connectors);
                let value = format!("{{\"replayId\":{number}}}");
                handles.push(producer.enqueue(Record::new(&offsets, value.into_bytes()).key(key.into_bytes())).await?);
            }
            producer.flush().await?;
            for handle in handles {
                let _written = handle.await?;
            }
            producer.close().await?;
            anyhow::Ok(())
        })
    }

    /// A new, empty outlet.
    pub(crate) fn outlet(self, topic: &str) -> anyhow::Result<Outlet<'a>> {
        let folder = tempfile::tempdir()?;
        let reader = match self {
            Self::Embedded => Reader::Embedded { file: folder.path().join("data/tributary.db"), connection: None },
            Self::Kafka(cluster) => Reader::Kafka { cluster, consumer: Box::new(cluster.consumer(topic)?) },
        };
        Ok(Outlet { topic: topic.to_owned(), folder, reader, seen: 0 })
    }
}

impl Cluster {
    /// Makes the topic and a reader of it.
    fn consumer(&self, topic: &str) -> anyhow::Result<Consumer> {
        self.runtime.block_on(async {
            let options = CreateTopicsOptions::default().timeout(Duration::from_secs(30));
            let mut answer = self.kafka.admin().create_topics([NewTopic::new(topic, 1, 1)?], options).await?;
            answer.remove(topic).context("the broker did not answer for the topic")??;
            let consumer = self
                .kafka
                .consumer_without_group()
                .auto_offset_reset(AutoOffsetReset::Earliest)
                .isolation_level(IsolationLevel::ReadCommitted)
                .fetch_max_wait(READ_WAIT)
                .metrics_push(false)
                .build()
                .await?;
            consumer.assign(topic, vec![0]).await?;
            Ok(consumer)
        })
    }
}

enum Reader<'a> {
    Embedded { file: PathBuf, connection: Option<Connection> },
    Kafka { cluster: &'a Cluster, consumer: Box<Consumer> },
}

/// A topic for one run, and a folder for its files.
pub(crate) struct Outlet<'a> {
    pub(crate) topic: String,
    pub(crate) folder: TempDir,
    reader: Reader<'a>,
    /// The newest record that was read, as the embedded log numbers them.
    seen: i64,
}

impl Outlet<'_> {
    /// What the worker file has to say about it.
    pub(crate) fn worker_lines(&self) -> String {
        match &self.reader {
            Reader::Embedded { .. } => format!("tributary.data.dir={}\n", self.folder.path().join("data").display()),
            Reader::Kafka { cluster, .. } => format!(
                "bootstrap.servers={}\ngroup.id={topic}\noffset.storage.topic={topic}-offsets\n\
                 offset.storage.partitions=1\noffset.storage.replication.factor=1\n",
                cluster.broker.address(),
                topic = self.topic,
            ),
        }
    }

    /// How many records a reader can see.
    pub(crate) fn count(&mut self) -> anyhow::Result<usize> {
        match &mut self.reader {
            Reader::Embedded { file, connection } => {
                let Some(connection) = open(file, connection) else { return Ok(0) };
                let sql = "SELECT next_offset FROM topic WHERE name = ?1";
                let count: Option<i64> = connection.query_row(sql, [&self.topic], |row| row.get(0)).optional()?;
                Ok(count.unwrap_or(0).try_into()?)
            }
            Reader::Kafka { cluster, consumer } => {
                let (_, end) = cluster.runtime.block_on(consumer.fetch_watermarks(&self.topic, 0))?;
                Ok(end.try_into()?)
            }
        }
    }

    /// Timestamps of the records that came since the last call, milliseconds since the epoch. Waits for one on Kafka, and
    /// not at all on the embedded log.
    pub(crate) fn read(&mut self) -> anyhow::Result<Vec<i64>> {
        match &mut self.reader {
            Reader::Embedded { file, connection } => {
                let Some(connection) = open(file, connection) else { return Ok(Vec::new()) };
                let sql = "SELECT id, timestamp_ms FROM record WHERE id > ?1 ORDER BY id";
                let mut statement = connection.prepare_cached(sql)?;
                let rows = statement.query_map([self.seen], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let rows = rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
                self.seen = rows.last().map_or(self.seen, |(id, _)| *id);
                Ok(rows.into_iter().map(|(_, timestamp_ms)| timestamp_ms).collect())
            }
            Reader::Kafka { cluster, consumer } => {
                let records = cluster.runtime.block_on(consumer.poll(READ_WAIT)).map_err(|error| anyhow!(error))?;
                Ok(records.iter().map(|record| record.timestamp).collect())
            }
        }
    }
}

/// The log's file once it has tables; nothing is written through this.
fn open<'a>(file: &PathBuf, connection: &'a mut Option<Connection>) -> Option<&'a Connection> {
    if connection.is_none() && file.is_file() {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        *connection = Connection::open_with_flags(file, flags).ok().filter(|connection| {
            let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
            tables.is_ok_and(|tables| tables > 0)
        });
    }
    connection.as_ref()
}
