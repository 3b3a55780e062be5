//! Reads a topic of the embedded log, also while a worker in another process writes to it: `tributary tail`. Blocking;
//! not for the threads of an async runtime.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension};

use super::database::{self, OFFSET_BITS, refusal};
use crate::{record::Header, sink::SinkError};

/// Between two looks at `PRAGMA data_version`, SQLite's only sign that another connection has written.
const LOOK_MS: u64 = 20;

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record.
    Beginning,
    /// With the first record that is written after the reader was opened.
    End,
}

/// A record of the embedded log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// The topic.
    pub topic: String,
    /// The position in the topic, from 0.
    pub offset: i64,
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Serialised key.
    pub key: Option<Vec<u8>>,
    /// Serialised value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<Header>,
}

/// Follows one topic.
pub struct LogReader {
    data_dir: PathBuf,
    topic: String,
    connection: Option<Connection>,
    /// The topic's number, once it exists.
    topic_id: Option<i64>,
    next_offset: i64,
}

impl LogReader {
    /// Begins to read a topic, which may not exist yet, as may the log.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub fn open(data_dir: &Path, topic: &str, start: Start) -> Result<Self, SinkError> {
        let mut reader = Self {
            data_dir: data_dir.to_owned(),
            topic: topic.to_owned(),
            connection: None,
            topic_id: None,
            next_offset: 0,
        };
        reader.connect()?;
        if let (Some(connection), Start::End) = (&reader.connection, start) {
            let sql = "SELECT next_offset FROM topic WHERE name = ?1";
            let end = connection.query_row(sql, [topic], |row| row.get(0)).optional();
            reader.next_offset = end.map_err(|error| reader.refusal(&error))?.unwrap_or(0);
        }
        Ok(reader)
    }

    /// Whether the topic exists by now.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub fn topic_exists(&mut self) -> Result<bool, SinkError> {
        self.connect()?;
        Ok(self.topic_id.is_some())
    }

    /// The names of the topics in the log, sorted.
    ///
    /// # Errors
    /// The log is there and cannot be read.
    pub fn topics(&mut self) -> Result<Vec<String>, SinkError> {
        self.connect()?;
        let Some(connection) = &self.connection else { return Ok(Vec::new()) };
        let names = || -> rusqlite::Result<Vec<String>> {
            let mut statement = connection.prepare_cached("SELECT name FROM topic ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?;
            names.collect()
        };
        names().map_err(|error| self.refusal(&error))
    }

    /// The next records, at most `records_max`; waits up to `timeout` for the first of them. Empty when none came.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn poll(&mut self, records_max: usize, timeout: Duration) -> Result<Vec<LogRecord>, SinkError> {
        let deadline = Instant::now() + timeout;
        loop {
            // The version is read first: what is written after it changes it, and is not missed.
            let version = self.data_version()?;
            let records = self.read(records_max)?;
            if !records.is_empty() {
                return Ok(records);
            }
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(Vec::new());
                }
                std::thread::sleep(left.min(Duration::from_millis(LOOK_MS)));
                if version.is_none() || self.data_version()? != version {
                    break;
                }
            }
        }
    }

    /// Looks for what was missing before: the log, then the topic.
    fn connect(&mut self) -> Result<(), SinkError> {
        if self.connection.is_none() {
            self.connection = database::open_for_reading(&self.data_dir)?;
        }
        if let (Some(connection), None) = (&self.connection, self.topic_id) {
            let id = connection.query_row("SELECT id FROM topic WHERE name = ?1", [&self.topic], |row| row.get(0));
            self.topic_id = id.optional().map_err(|error| self.refusal(&error))?;
        }
        Ok(())
    }

    /// `None` while there is no log.
    fn data_version(&mut self) -> Result<Option<i64>, SinkError> {
        self.connect()?;
        let Some(connection) = &self.connection else { return Ok(None) };
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0));
        version.map(Some).map_err(|error| self.refusal(&error))
    }

    fn read(&mut self, records_max: usize) -> Result<Vec<LogRecord>, SinkError> {
        self.connect()?;
        let (Some(connection), Some(topic_id)) = (&self.connection, self.topic_id) else { return Ok(Vec::new()) };
        let records = read_from(connection, topic_id, self.next_offset, records_max, &self.topic);
        let records = records.map_err(|error| self.refusal(&error))?;
        if let Some(last) = records.last() {
            self.next_offset = last.offset + 1;
        }
        Ok(records)
    }

    fn refusal(&self, error: &rusqlite::Error) -> SinkError {
        refusal(&database::path(&self.data_dir), error)
    }
}

fn read_from(
    connection: &Connection,
    topic_id: i64,
    next_offset: i64,
    records_max: usize,
    topic: &str,
) -> rusqlite::Result<Vec<LogRecord>> {
    let first = (topic_id << OFFSET_BITS) | next_offset;
    let end = (topic_id + 1) << OFFSET_BITS;
    let limit = i64::try_from(records_max).unwrap_or(i64::MAX);
    let sql =
        "SELECT id, timestamp_ms, headers, key, value FROM record WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([first, end, limit])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let has_headers = row.get::<_, i64>(2)? > 0;
        records.push(LogRecord {
            topic: topic.to_owned(),
            offset: id - (topic_id << OFFSET_BITS),
            timestamp_ms: row.get(1)?,
            key: row.get(3)?,
            value: row.get(4)?,
            headers: if has_headers { headers(connection, id)? } else { Vec::new() },
        });
    }
    Ok(records)
}

fn headers(connection: &Connection, id: i64) -> rusqlite::Result<Vec<Header>> {
    let mut statement =
        connection.prepare_cached("SELECT key, value FROM header WHERE record_id = ?1 ORDER BY ordinal")?;
    let rows = statement.query_map([id], |row| Ok(Header { key: row.get(0)?, value: row.get(1)? }))?;
    rows.collect()
}
