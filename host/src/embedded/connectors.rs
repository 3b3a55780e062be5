//! The connectors of a service, in a table of their own beside the log.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{EmbeddedBackend, blocking, store::Store};
use crate::{
    sink::SinkError,
    store::{ConnectorStore, StoredConnector, TargetState},
};

/// Made when a service first needs it, so that the file's version, and with it an older program, need not know of it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS connector (
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    target_state TEXT NOT NULL
) WITHOUT ROWID";

impl EmbeddedBackend {
    async fn with_connectors<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SinkError> {
        let store = self.store().await?;
        blocking(move || {
            Store::with_connection(&store, |connection| {
                connection.execute(TABLE, [])?;
                work(connection)
            })
        })
        .await
    }
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
        let parse = |(name, config, target): (String, String, String)| {
            let config = serde_json::from_str(&config).ok();
            match (config, TargetState::of(&target)) {
                (Some(config), Some(target)) => Ok(StoredConnector { name, config, target }),
                _ => Err(SinkError::Refused(format!(
                    "the connector {name} in {} cannot be read: it was written by another program, or a newer one.",
                    self.data_dir().display()
                ))),
            }
        };
        rows.await?.into_iter().map(parse).collect()
    }

    async fn ready(&self) -> Result<(), SinkError> {
        self.with_connectors(|_| Ok(())).await
    }

    async fn put(&self, connector: &StoredConnector) -> Result<(), SinkError> {
        let StoredConnector { name, config, target } = connector.clone();
        self.with_connectors(move |connection| {
            let sql = "INSERT INTO connector (name, config, target_state) VALUES (?1, ?2, ?3)
                ON CONFLICT (name) DO UPDATE SET config = ?2, target_state = ?3";
            // A map of texts can always be written.
            let config = serde_json::to_string(&config).unwrap_or_default();
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
        drop(first);
        let again = EmbeddedBackend::new(directory.path());
        let expected = [connector("a", None, TargetState::Paused), connector("b", Some("2"), TargetState::Stopped)];
        assert_eq!(again.load().await.unwrap(), expected);
    }
}
