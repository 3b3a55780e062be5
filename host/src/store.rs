//! `ConnectorStore`: where the connectors of a service stand when the process does not. Two kinds: SQLite beside the
//! embedded log, and Kafka Connect's config topic.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::sink::SinkError;

/// A connector's configuration as it was given: references unresolved, null where null was given.
pub type GivenConfig = BTreeMap<String, Option<String>>;

/// A record of Kafka Connect's status topic: a key, and its value or that it is gone.
pub type StatusRecord = (String, Option<String>);

/// `connector.class` of a configuration; empty when there is none.
#[must_use]
pub fn class_of(config: &GivenConfig) -> &str {
    config.get("connector.class").and_then(Option::as_deref).unwrap_or_default()
}

/// What is wanted of a connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetState {
    /// It runs.
    #[default]
    Started,
    /// It keeps its place and does nothing.
    Paused,
    /// Nothing of it is there but its configuration and its offsets.
    Stopped,
}

impl TargetState {
    /// The word in Kafka Connect's config topic.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    /// Of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Started, Self::Paused, Self::Stopped].into_iter().find(|target| target.as_str() == word)
    }

    /// Of `initial_state` in a request: `RUNNING`, `PAUSED` or `STOPPED`, in any case.
    #[must_use]
    pub fn of_initial(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("RUNNING") {
            return Some(Self::Started);
        }
        [Self::Paused, Self::Stopped].into_iter().find(|target| target.as_str().eq_ignore_ascii_case(word))
    }
}

/// A connector as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConnector {
    /// Its name.
    pub name: String,
    /// Its configuration.
    pub config: GivenConfig,
    /// What is wanted of it.
    pub target: TargetState,
}

/// What a worker does for as long as it is the active one of those that share a store.
#[async_trait]
pub trait Duty: Send + Sync {
    /// It is the active one from now on.
    ///
    /// # Errors
    /// It cannot do what the active one has to.
    async fn take_up(&self) -> Result<(), SinkError>;

    /// Another one is active.
    fn stand_by(&self);

    /// It is not the active one any more; when this returns, nothing of what it did goes on. If the duty was `lost`, another
    /// one may have it already. Called as often as it may be true.
    async fn let_go(&self, lost: bool);
}

/// One kind of store. Each call is one change: it happened as a whole, or not at all.
#[async_trait]
pub trait ConnectorStore: Send + Sync {
    /// Whether other workers can open it too.
    fn is_shared(&self) -> bool {
        false
    }

    /// Takes part among the workers that share the store, one of which has the duty at a time, until `stop` becomes true. This
    /// one is for a store that no other worker can open.
    ///
    /// # Errors
    /// What `duty` says when it is taken up, or why there is no taking part.
    async fn take_part(&self, duty: Arc<dyn Duty>, mut stop: watch::Receiver<bool>) -> Result<(), SinkError> {
        duty.take_up().await?;
        // An error means that nobody can ask for a stop any more, which is asking for one.
        let _ = stop.wait_for(|stop| *stop).await;
        duty.let_go(false).await;
        Ok(())
    }

    /// Every connector.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn load(&self) -> Result<Vec<StoredConnector>, SinkError>;

    /// Whether it answers. Cheap: probes ask it.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn ready(&self) -> Result<(), SinkError>;

    /// A new connector, or a new configuration; of an old one what is wanted stays.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn put(&self, connector: &StoredConnector) -> Result<(), SinkError>;

    /// What is wanted of a connector from now on.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn put_target(&self, connector: &str, target: TargetState) -> Result<(), SinkError>;

    /// Removes a connector; its offsets stay, as in Kafka Connect.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn delete(&self, connector: &str) -> Result<(), SinkError>;

    /// Where connectors stood, by the keys of Kafka Connect's status topic.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn load_status(&self) -> Result<BTreeMap<String, String>, SinkError>;

    /// Notes where connectors stand.
    ///
    /// # Errors
    /// See `SinkError`.
    async fn put_status(&self, records: &[StatusRecord]) -> Result<(), SinkError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (word, target, initial) in [
            ("STARTED", Some(TargetState::Started), None),
            ("RUNNING", None, Some(TargetState::Started)),
            ("paused", None, Some(TargetState::Paused)),
            ("STOPPED", Some(TargetState::Stopped), Some(TargetState::Stopped)),
            ("", None, None),
        ] {
            assert_eq!((TargetState::of(word), TargetState::of_initial(word)), (target, initial), "{word}");
        }
    }
}
