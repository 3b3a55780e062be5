//! The connectors of a service, in a table of their own beside the log.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{
    EmbeddedBackend, blocking,
    seal::{Seal, is_sealed},
    store::Store,
};
use crate::{
    sink::SinkError,
    store::{ConnectorStore, StatusRecord, StoredConnector, TargetState},
};

/// Made when a service first needs it, so that the file's version, and with it an older program, need not know of it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS connector (
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    target_state TEXT NOT NULL
) WITHOUT ROWID";
/// The same for where they stand, with the keys and values of Kafka Connect's status topic.
const STATUS_TABLE: &str = "CREATE TABLE IF NOT EXISTS status (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID";

impl EmbeddedBackend {
    fn seal(&self) -> Result<Option<Seal>, SinkError> {
        self.key_file.as_deref().map(Seal::read).transpose().map_err(SinkError::Refused)
    }

    /// A configuration as it stands in the table, in clear, and whether it stands there as it would be written now.
    fn opened(&self, seal: Option<&Seal>, name: &str, config: String) -> Result<(String, bool), SinkError> {
        let refused = |why: &str| {
            let place = self.data_dir().display();
            SinkError::Refused(format!("the configuration of the connector {name} in {place} is encrypted: {why}"))
        };
        match (seal, is_sealed(&config)) {
            (None, false) => Ok((config, true)),
            (Some(_), false) => Ok((config, false)),
            (None, true) => Err(refused("name the file with its key in tributary.data.key.file.")),
            (Some(seal), true) => seal.open(name, &config).ok_or_else(|| {
                refused("no key of tributary.data.key.file opens it. Keep older keys below the newest one.")
            }),
        }
    }

    async fn with_connectors<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SinkError> {
        let store = self.store().await?;
        blocking(move || {
            Store::with_connection(&store, |connection| {
                connection.execute(TABLE, [])?;
                connection.execute(STATUS_TABLE, [])?;
                work(connection)
            })
        })
        .await
    }
}

/// Sealed where there is a key.
fn sealed(seal: Option<&Seal>, name: &str, config: String) -> Result<String, SinkError> {
    let Some(seal) = seal else { return Ok(config) };
    let none = || SinkError::Unavailable("this machine gives no random numbers to encrypt with".to_owned());
    seal.seal(name, &config).ok_or_else(none)
}

#[async_trait]
impl ConnectorStore for EmbeddedBackend {
    async fn load(&self) -> Result<Vec<StoredConnector>, SinkError> {
        let rows = self.with_connectors(|connection| {
            let mut statement = connection.prepare("SELECT name, config, target_state FROM connector ORDER BY name")?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        let rows = rows.await?;
        let seal = self.seal()?;
        let mut to_seal = Vec::new();
        let mut parse = |(name, config, target): (String, String, String)| {
            let (config, is_current) = self.opened(seal.as_ref(), &name, config)?;
            if !is_current {
                to_seal.push((name.clone(), config.clone()));
            }
            let config = serde_json::from_str(&config).ok();
            match (config, TargetState::of(&target)) {
                (Some(config), Some(target)) => Ok(StoredConnector { name, config, target }),
                _ => Err(SinkError::Refused(format!(
                    "the connector {name} in {} cannot be read: it was written by another program, or a newer one.",
                    self.data_dir().display()
                ))),
            }
        };
        let found: Vec<StoredConnector> = rows.into_iter().map(&mut parse).collect::<Result<_, _>>()?;
        for (name, config) in to_seal {
            let config = sealed(seal.as_ref(), &name, config)?;
            self.with_connectors(move |connection| {
                connection.execute("UPDATE connector SET config = ?2 WHERE name = ?1", [name, config]).map(|_| ())
            })
            .await?;
        }
        Ok(found)
    }

    async fn ready(&self) -> Result<(), SinkError> {
        self.with_connectors(|_| Ok(())).await
    }

    async fn put(&self, connector: &StoredConnector) -> Result<(), SinkError> {
        let StoredConnector { name, config, target } = connector.clone();
        // A map of texts can always be written.
        let config = serde_json::to_string(&config).unwrap_or_default();
        let config = sealed(self.seal()?.as_ref(), &name, config)?;
        self.with_connectors(move |connection| {
            let sql = "INSERT INTO connector (name, config, target_state) VALUES (?1, ?2, ?3)
                ON CONFLICT (name) DO UPDATE SET config = ?2, target_state = ?3";
            connection.execute(sql, params![name, config, target.as_str()]).map(|_| ())
        })
        .await
    }

    async fn put_target(&self, connector: &str, target: TargetState) -> Result<(), SinkError> {
        let name = connector.to_owned();
        self.with_connectors(move |connection| {
            let sql = "UPDATE connector SET target_state = ?2 WHERE name = ?1";
            connection.execute(sql, params![name, target.as_str()]).map(|_| ())
        })
        .await
    }

    async fn delete(&self, connector: &str) -> Result<(), SinkError> {
        let name = connector.to_owned();
        self.with_connectors(move |connection| {
            connection.execute("DELETE FROM connector WHERE name = ?1", [name]).map(|_| ())
        })
        .await
    }

    async fn load_status(&self) -> Result<BTreeMap<String, String>, SinkError> {
        self.with_connectors(|connection| {
            let mut statement = connection.prepare("SELECT key, value FROM status")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
        .await
    }

    async fn put_status(&self, records: &[StatusRecord]) -> Result<(), SinkError> {
        let records = records.to_vec();
        self.with_connectors(move |connection| {
            let transaction = connection.unchecked_transaction()?;
            for (key, value) in records {
                match value {
                    Some(value) => transaction.execute(
                        "INSERT INTO status VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
                        [key, value],
                    )?,
                    None => transaction.execute("DELETE FROM status WHERE key = ?1", [key])?,
                };
            }
            transaction.commit()
        })
        .await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_put_is_there_after_a_new_start() {
        let directory = tempfile::tempdir().unwrap();
        let connector = |name: &str, value: Option<&str>, target| StoredConnector {
            name: name.to_owned(),
            config: [("a".to_owned(), value.map(str::to_owned))].into(),
            target,
        };
        let first = EmbeddedBackend::new(directory.path());
        assert_eq!(first.load().await.unwrap(), []);
        first.put(&connector("b", Some("ü\"'"), TargetState::Started)).await.unwrap();
        first.put(&connector("a", None, TargetState::Paused)).await.unwrap();
        first.put(&connector("c", None, TargetState::Paused)).await.unwrap();
        first.put(&connector("b", Some("2"), TargetState::Started)).await.unwrap();
        first.put_target("b", TargetState::Stopped).await.unwrap();
        first.put_target("nobody", TargetState::Stopped).await.unwrap();
        first.delete("c").await.unwrap();
        let of = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        first.put_status(&[of("a", Some("1")), of("b", Some("2"))]).await.unwrap();
        first.put_status(&[of("a", Some("3")), of("b", None)]).await.unwrap();
        drop(first);
        let rows = |word: &str| {
            let connection = Connection::open(directory.path().join("tributary.db")).unwrap();
            let sql = format!("SELECT count(*) FROM connector WHERE config LIKE '{word}%'");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        let again = EmbeddedBackend::new(directory.path());
        let expected = [connector("a", None, TargetState::Paused), connector("b", Some("2"), TargetState::Stopped)];
        assert_eq!(again.load().await.unwrap(), expected);
        assert_eq!(again.load_status().await.unwrap(), [("a".to_owned(), "3".to_owned())].into());
        drop(again);
        // With a key, what stood there in clear is encrypted at the next start; without it nobody reads it.
        let keys = directory.path().join("keys");
        let with_keys = || EmbeddedBackend::new(directory.path()).sealed(Some(keys.clone()));
        let key = |byte: &str| format!("{}=\n", byte.repeat(43));
        std::fs::write(&keys, key("A")).unwrap();
        assert_eq!(rows("sealed:"), 0);
        assert_eq!(with_keys().load().await.unwrap(), expected);
        assert_eq!((rows("sealed:"), rows("{")), (2, 0));
        let refused = EmbeddedBackend::new(directory.path()).load().await.unwrap_err().to_string();
        assert!(refused.contains("tributary.data.key.file"), "{refused}");
        std::fs::write(&keys, "Q".repeat(42) + "E=\n").unwrap();
        let refused = with_keys().load().await.unwrap_err().to_string();
        assert!(refused.contains("no key of tributary.data.key.file opens"), "{refused}");
        std::fs::write(&keys, "Q".repeat(42) + "E=\n" + &key("A")).unwrap();
        assert_eq!(with_keys().load().await.unwrap(), expected);
        std::fs::write(&keys, "Q".repeat(42) + "E=\n").unwrap();
        assert_eq!(with_keys().load().await.unwrap(), expected, "the newest key has sealed them by now");
    }
}
