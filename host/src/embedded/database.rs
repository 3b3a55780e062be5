//! The file of the embedded log: its tables, its lock, and what SQLite's errors mean to a worker. `PRAGMA user_version` is
//! the version of the tables; a file of a newer version is left alone.

use std::{
    fs::{self, File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::sink::SinkError;

/// Version of the tables.
pub(super) const SCHEMA_VERSION: i64 = 1;

/// Log offsets take this many bits of a record's id, the topic's number those above: one tree, in the order of writing.
pub(super) const OFFSET_BITS: u32 = 40;

/// How long a statement waits for another process that holds SQLite's lock.
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// What the WAL file is cut to after a checkpoint.
const WAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// `id` of a record is the topic's number * 2^40 + the log offset. `source_offset` holds Kafka Connect's key and value.
const TABLES: &str = "
    CREATE TABLE topic (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        next_offset INTEGER NOT NULL
    );
    CREATE TABLE record (
        id INTEGER PRIMARY KEY,
        timestamp_ms INTEGER NOT NULL,
        headers INTEGER NOT NULL,
        key BLOB,
        value BLOB
    );
    CREATE TABLE header (
        record_id INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        key TEXT NOT NULL,
        value BLOB,
        PRIMARY KEY (record_id, ordinal)
    ) WITHOUT ROWID;
    CREATE TABLE source_offset (
        key BLOB PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID;";

/// The log's file in a data directory.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("tributary.db")
}

/// Opens the file for writing; makes it, and the directory, when missing.
pub(super) fn open_for_writing(data_dir: &Path) -> Result<Connection, SinkError> {
    let path = path(data_dir);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(|error| refusal(&path, &error))?;
    prepare(&mut connection).map_err(|error| refusal(&path, &error))?;
    check_version(&connection, &path)?;
    Ok(connection)
}

/// Opens the file for reading; `None` when there is none yet.
pub(super) fn open_for_reading(data_dir: &Path) -> Result<Option<Connection>, SinkError> {
    let path = path(data_dir);
    match fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SinkError::Refused(format!("{} cannot be read: {error}.", path.display()))),
        // A writer has made the file and not yet the tables.
        Ok(metadata) if metadata.len() == 0 => return Ok(None),
        Ok(_) => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(|error| refusal(&path, &error))?;
    let timeout = Duration::from_millis(BUSY_TIMEOUT_MS);
    connection.busy_timeout(timeout).map_err(|error| refusal(&path, &error))?;
    if version(&connection, &path)? == 0 {
        return Ok(None);
    }
    check_version(&connection, &path)?;
    Ok(Some(connection))
}

/// WAL with `synchronous=NORMAL`: a transaction that was committed survives the end of the process at any instant. After
/// a power cut the last transactions may be gone, each with its records and its offset together, so that the source
/// is asked for them again.
fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_MAX.to_string(), |_| Ok(()))?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && tables == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()
}

fn version(connection: &Connection, path: &Path) -> Result<i64, SinkError> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| refusal(path, &error))
}

fn check_version(connection: &Connection, path: &Path) -> Result<(), SinkError> {
    let version = version(connection, path)?;
    let path = path.display();
    match version {
        SCHEMA_VERSION => Ok(()),
        0 => Err(SinkError::Refused(format!(
            "{path} is an SQLite file of another program. Set tributary.data.dir to a directory of its own."
        ))),
        newer => Err(SinkError::Refused(format!(
            "{path} was written by a newer Tributary (its tables have version {newer}, this one knows {SCHEMA_VERSION}). \
             Run that version, or set tributary.data.dir to another directory."
        ))),
    }
}

/// What an error of SQLite means to the worker. The one place that decides it.
pub(super) fn refusal(path: &Path, error: &rusqlite::Error) -> SinkError {
    let path = path.display();
    let Some(code) = error.sqlite_error_code() else {
        return SinkError::Refused(format!("the embedded log {path} failed: {error}."));
    };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => SinkError::Unavailable(format!(
            "the embedded log {path} was locked by another program for more than {BUSY_TIMEOUT_MS} ms."
        )),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => SinkError::Refused(format!(
            "{path} is damaged or is no SQLite file. Restore it, or move it away: a new log begins then, without \
             the records and offsets of the old one."
        )),
        ErrorCode::DiskFull => SinkError::Refused(format!(
            "there is no space left for the embedded log {path}. Make room; nothing was lost, the records come again."
        )),
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => SinkError::Refused(format!(
            "the embedded log {path} cannot be opened or written: {error}. Make the directory writable for this user, or set \
             tributary.data.dir to another one."
        )),
        _ => SinkError::Refused(format!("the embedded log {path} failed: {error}. See to the disk, then start again.")),
    }
}

/// Held while a worker writes to a data directory; let go when it is dropped, also by the end of the process.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

/// Takes the directory for this worker alone.
pub(super) fn lock(data_dir: &Path) -> Result<DirectoryLock, SinkError> {
    let refused = |error: std::io::Error| {
        SinkError::Refused(format!(
            "the data directory {} cannot be written: {error}. Make it writable for this user, or set \
             tributary.data.dir to another one.",
            data_dir.display()
        ))
    };
    fs::create_dir_all(data_dir).map_err(refused)?;
    let path = data_dir.join("tributary.lock");
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(refused(error)),
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Only for the message; without the number it is as clear.
            let _ = file.read_to_string(&mut owner);
            let owner = owner.trim().parse::<u32>().map_or_else(|_| String::new(), |id| format!(" (process {id})"));
            return Err(SinkError::Refused(format!(
                "the data directory {} is in use by another worker{owner}. Stop that one, or set tributary.data.dir to \
                 another directory.",
                data_dir.display()
            )));
        }
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(refused)?;
    write!(file, "{}", std::process::id()).map_err(refused)?;
    Ok(DirectoryLock { _file: file })
}
