//! The writing side of the embedded log: one connection, one transaction at a time, for every connector of a worker.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::database::{self, DirectoryLock, OFFSET_BITS, refusal};
use crate::{
    offsets::connect_format,
    record::{ProducerRecord, SourceOffset, SourcePartition},
    sink::SinkError,
};

/// The file, open for writing and locked against other workers.
pub(super) struct Store {
    path: PathBuf,
    inner: Mutex<Inner>,
    _lock: DirectoryLock,
}

struct Inner {
    connection: Connection,
    /// The newest sink of each offset key. A transaction of an older one, still under way when its task was restarted,
    /// must not come after the newer one has read the offset.
    owners: HashMap<Vec<u8>, u64>,
}

/// What one transaction writes.
pub(super) struct Write {
    pub(super) records: Vec<ProducerRecord>,
    /// The stored form of the offset after the records.
    pub(super) offset: Option<Vec<u8>>,
    /// Key and stored form of what the source keeps beside it.
    pub(super) state: Option<(Vec<u8>, Vec<u8>)>,
}

impl Store {
    pub(super) fn open(data_dir: &Path) -> Result<Self, SinkError> {
        let lock = database::lock(data_dir)?;
        let connection = database::open_for_writing(data_dir)?;
        let inner = Inner { connection, owners: HashMap::new() };
        Ok(Self { path: database::path(data_dir), inner: Mutex::new(inner), _lock: lock })
    }

    /// Does something else with the file.
    pub(super) fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SinkError> {
        work(&self.lock().connection).map_err(|error| refusal(&self.path, &error))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in the middle of a transaction rolls it back; the connection itself stays sound.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the caller the owner of an offset key, ending the ownership of any older one. Returns the proof of it and
    /// the committed offset.
    pub(super) fn own(&self, key: &[u8], state_key: &[u8]) -> Result<(u64, Option<SourceOffset>), SinkError> {
        let mut inner = self.lock();
        let owner = inner.owners.get(key).map_or(1, |owner| owner + 1);
        inner.owners.insert(key.to_owned(), owner);
        let read = |key: &[u8]| {
            let value = read_offset(&inner.connection, key).map_err(|error| refusal(&self.path, &error))?;
            connect_format::parse_value(value.as_deref())
                .map_err(|error| SinkError::Refused(format!("{}: {error}", self.path.display())))
        };
        let state = read(state_key)?;
        Ok((owner, read(key)?.map(|offset| connect_format::joined(offset, state))))
    }

    /// Writes records and offset in one transaction.
    pub(super) fn write(&self, key: &[u8], owner: u64, write: &Write) -> Result<(), SinkError> {
        let mut inner = self.lock();
        if inner.owners.get(key) != Some(&owner) {
            return Err(SinkError::Fenced("a newer task of this connector writes to the embedded log.".to_owned()));
        }
        write_all(&mut inner.connection, key, write).map_err(|error| refusal(&self.path, &error))
    }

    /// Sets one of SQLite's own switches.
    #[cfg(test)]
    pub(super) fn with_pragma(&self, pragma: &str, value: i64) {
        let set = self.lock().connection.pragma_update_and_check(None, pragma, value, |_| Ok(()));
        assert!(matches!(set, Ok(()) | Err(rusqlite::Error::QueryReturnedNoRows)), "{set:?}");
    }

    /// Sets or removes an offset by hand.
    pub(super) fn alter(&self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), SinkError> {
        let inner = self.lock();
        let done = match value {
            Some(value) => put_offset(&inner.connection, &key, &value),
            None => inner.connection.execute("DELETE FROM source_offset WHERE key = ?1", [&key]).map(|_| ()),
        };
        done.map_err(|error| refusal(&self.path, &error))
    }
}

/// Every offset of a connector. Opens the file by itself and takes no lock, so that it works beside a running worker.
pub(super) fn offsets(data_dir: &Path, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>, SinkError> {
    let path = database::path(data_dir);
    let Some(connection) = database::open_for_reading(data_dir)? else { return Ok(Vec::new()) };
    let rows = || -> rusqlite::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut statement = connection.prepare("SELECT key, value FROM source_offset ORDER BY key")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let rows = rows().map_err(|error| refusal(&path, &error))?;
    let mut found = Vec::new();
    for (key, value) in rows {
        let ours = |(name, _): &(String, SourcePartition)| name == connector;
        let Some((_, partition)) = connect_format::parse_key(&key).filter(ours) else { continue };
        let offset = connect_format::parse_value(Some(&value))
            .map_err(|error| SinkError::Refused(format!("{}: {error}", path.display())))?;
        found.extend(offset.map(|offset| (partition, offset)));
    }
    Ok(found)
}

fn read_offset(connection: &Connection, key: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.query_row("SELECT value FROM source_offset WHERE key = ?1", [key], |row| row.get(0)).optional()
}

fn put_offset(connection: &Connection, key: &[u8], value: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO source_offset (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
    connection.prepare_cached(sql)?.execute([key, value]).map(|_| ())
}

fn write_all(connection: &mut Connection, key: &[u8], write: &Write) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    write_records(&transaction, &write.records)?;
    if let Some(value) = &write.offset {
        put_offset(&transaction, key, value)?;
    }
    if let Some((key, value)) = &write.state {
        put_offset(&transaction, key, value)?;
    }
    transaction.commit()
}

struct Topic<'a> {
    name: &'a str,
    id: i64,
    next_offset: i64,
}

fn write_records(transaction: &Transaction<'_>, records: &[ProducerRecord]) -> rusqlite::Result<()> {
    let mut topics: Vec<Topic<'_>> = Vec::new();
    let mut insert = transaction
        .prepare_cached("INSERT INTO record (id, timestamp_ms, headers, key, value) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for record in records {
        // Polls reach few topics, mostly one.
        let index = match topics.iter().position(|topic| topic.name == record.topic) {
            Some(index) => index,
            None => {
                topics.push(topic(transaction, &record.topic)?);
                topics.len() - 1
            }
        };
        let topic = &mut topics[index];
        let id = (topic.id << OFFSET_BITS) | topic.next_offset;
        topic.next_offset += 1;
        let timestamp = record.timestamp_ms.unwrap_or_else(now_ms);
        let headers = i64::try_from(record.headers.len()).unwrap_or(i64::MAX);
        insert.execute(params![id, timestamp, headers, record.key, record.value])?;
        for (ordinal, header) in (0_i64..).zip(&record.headers) {
            let sql = "INSERT INTO header (record_id, ordinal, key, value) VALUES (?1, ?2, ?3, ?4)";
            transaction.prepare_cached(sql)?.execute(params![id, ordinal, header.key, header.value])?;
        }
    }
    for topic in topics {
        let sql = "UPDATE topic SET next_offset = ?2 WHERE id = ?1";
        transaction.prepare_cached(sql)?.execute([topic.id, topic.next_offset])?;
    }
    Ok(())
}

/// The topic of that name; made when it is new.
fn topic<'a>(transaction: &Transaction<'_>, name: &'a str) -> rusqlite::Result<Topic<'a>> {
    let mut select = transaction.prepare_cached("SELECT id, next_offset FROM topic WHERE name = ?1")?;
    let found = select.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (id, next_offset) = match found {
        Some(found) => found,
        None => {
            transaction.execute("INSERT INTO topic (name, next_offset) VALUES (?1, 0)", [name])?;
            (transaction.last_insert_rowid(), 0)
        }
    };
    Ok(Topic { name, id, next_offset })
}

/// The wall clock, for records that bring no timestamp.
fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
