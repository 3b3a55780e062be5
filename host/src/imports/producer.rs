//! The import `producer`: records of the component into the task's sink.

use tokio::sync::watch;

use crate::{
    bindings::{
        producer::{Host, SendError},
        types,
    },
    convert,
    engine::HostState,
    labels,
    record::ProducerRecord,
    sink::{Sink, SinkError},
};

/// Kafka's bound on the length of a topic's name.
const TOPIC_CHARS_MAX: usize = 249;

/// What stands behind the import for one instance.
pub(crate) struct Producer {
    sink: Option<Box<dyn Sink>>,
    stop: watch::Receiver<bool>,
    /// `poll` is running: the only time at which the contract allows `send`.
    open: bool,
    error: Option<SinkError>,
    newest_timestamp_ms: Option<i64>,
    /// Topics that were written to; few, mostly one.
    topics: Vec<String>,
}

impl Producer {
    pub(crate) fn new(sink: Option<Box<dyn Sink>>, stop: watch::Receiver<bool>) -> Self {
        Self { sink, stop, open: false, error: None, newest_timestamp_ms: None, topics: Vec::new() }
    }

    /// Allows or forbids `send`.
    pub(crate) fn set_open(&mut self, open: bool) {
        self.open = open;
    }

    /// The sink, for what the worker does with it between calls.
    pub(crate) fn sink_mut(&mut self) -> Option<&mut Box<dyn Sink>> {
        self.sink.as_mut()
    }

    /// Takes the sink away; the instance can send nothing any more.
    pub(crate) fn take_sink(&mut self) -> Option<Box<dyn Sink>> {
        self.sink.take()
    }

    /// The error that a `send` met. It outweighs whatever the component says afterwards.
    pub(crate) fn take_error(&mut self) -> Option<SinkError> {
        self.error.take()
    }

    /// The newest timestamp among the records sent, milliseconds since the epoch.
    pub(crate) fn newest_timestamp_ms(&self) -> Option<i64> {
        self.newest_timestamp_ms
    }

    /// Topics that were written to so far, in the order of their first records.
    pub(crate) fn topics(&self) -> &[String] {
        &self.topics
    }

    async fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), SinkError> {
        if !self.open {
            return Err(SinkError::Refused(
                "the component sent records outside of a poll, which its contract forbids".to_owned(),
            ));
        }
        if let Some(record) = batch.iter().find(|record| !is_topic_name(&record.topic)) {
            return Err(SinkError::Refused(format!(
                "{:?} is no topic name: Kafka allows 1 to {TOPIC_CHARS_MAX} of the characters a-z A-Z 0-9 . _ -; \
                 correct the connector's topic setting",
                record.topic.chars().take(TOPIC_CHARS_MAX).collect::<String>()
            )));
        }
        labels::reach("received");
        let newest = batch.iter().filter_map(|record| record.timestamp_ms).max();
        for record in &batch {
            if !self.topics.contains(&record.topic) {
                self.topics.push(record.topic.clone());
            }
        }
        let Some(sink) = self.sink.as_mut() else { return Err(SinkError::Stopping) };
        tokio::select! {
            biased;
            // An error means that the worker, which holds the other end, is gone.
            _ = self.stop.wait_for(|stop| *stop) => Err(SinkError::Stopping),
            sent = sink.send(batch) => sent.inspect(|()| self.newest_timestamp_ms = self.newest_timestamp_ms.max(newest)),
        }
    }
}

impl Host for HostState {
    async fn send(&mut self, batch: Vec<types::ProducerRecord>) -> wasmtime::Result<Result<(), SendError>> {
        let batch = batch.into_iter().map(convert::record).collect();
        let producer = self.producer_mut();
        Ok(match producer.send(batch).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let told = match &error {
                    SinkError::Stopping => SendError::Stopping,
                    error => SendError::Failed(error.to_string()),
                };
                // The first error is the cause; what follows are its echoes.
                producer.error.get_or_insert(error);
                Err(told)
            }
        })
    }
}

impl types::Host for HostState {}

fn is_topic_name(topic: &str) -> bool {
    (1..=TOPIC_CHARS_MAX).contains(&topic.len())
        && topic != "."
        && topic != ".."
        && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_name_is_what_kafka_allows() {
        let longest = "a".repeat(TOPIC_CHARS_MAX);
        for name in ["a", "Account", "sf.Account_v2-x", "...", longest.as_str()] {
            assert!(is_topic_name(name), "{name}");
        }
        let too_long = "a".repeat(TOPIC_CHARS_MAX + 1);
        for name in ["", ".", "..", "a b", "a/b", "ä", "a\n", too_long.as_str()] {
            assert!(!is_topic_name(name), "{name}");
        }
    }
}
