//! Every fact that the host reports, as a type. `emit` is the only place where it becomes a log line and a metric, so
//! the two always agree. Payloads and secrets are no part of any of these types.

use std::{net::IpAddr, time::Duration};

use tracing::Level;

use super::{Telemetry, log};
use crate::{offsets::connect_format, record::SourceOffset};

/// A fact.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the log line in `line` says what each means")]
pub enum Event {
    ComponentLoaded { origin: String, digest: String, from_cache: bool, took: Duration },
    CacheNotWritten { reason: String },
    RootsMissing { reason: String },
    Listening { url: String },
    OtherWorker { worker_id: String },
    StatusNotRead { reason: String },
    StatusNotWritten { reason: String },
    MetricsNotSent { endpoint: String, reason: String },
    Changed { who: String, request: String, status: u16 },
    NotKnown { who: String, request: String },
    WorkerStarted { backend: String, connectors: usize },
    StandingBy,
    DutyLost,
    ConfigWarning { property: String, text: String },
    ConfigIgnored { property: String, text: String },
    Started { class: String, version: String, offset: Option<SourceOffset> },
    Committed { offset: SourceOffset, first: bool },
    Progressed { text: String },
    Restarting { reason: String, after: Duration },
    SecretsAwaited { refusal: String, within: Duration },
    SecretsChanged,
    Failed { kind: &'static str, code: String, reason: String },
    Fenced { reason: String },
    Stopping,
    Paused,
    Stopped { offset: Option<SourceOffset>, records: u64 },
    CloseIncomplete { reason: String },
    OriginDenied { origin: String },
    AddressDenied { origin: String, address: IpAddr },
    TlsFailed { origin: String, reason: String },
    RequestFailed { origin: String, reason: String },
    LinesDropped { count: u64 },
}

/// The text of a line: level, sentence, fields.
struct Line {
    level: Level,
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Event {
    /// The stable name, for searches and alerts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ComponentLoaded { .. } => "component-loaded",
            Self::CacheNotWritten { .. } => "cache-not-written",
            Self::RootsMissing { .. } => "roots-missing",
            Self::WorkerStarted { .. } => "worker-started",
            Self::StandingBy => "standing-by",
            Self::DutyLost => "duty-lost",
            Self::Listening { .. } => "listening",
            Self::OtherWorker { .. } => "other-worker",
            Self::StatusNotRead { .. } => "status-not-read",
            Self::StatusNotWritten { .. } => "status-not-written",
            Self::MetricsNotSent { .. } => "metrics-not-sent",
            Self::Changed { .. } => "changed",
            Self::NotKnown { .. } => "not-known",
            Self::ConfigWarning { .. } => "config-warning",
            Self::ConfigIgnored { .. } => "config-ignored",
            Self::Started { .. } => "started",
            Self::Committed { .. } => "committed",
            Self::Progressed { .. } => "progress",
            Self::Restarting { .. } => "restarting",
            Self::SecretsAwaited { .. } => "secrets-awaited",
            Self::SecretsChanged => "secrets-changed",
            Self::Failed { .. } => "failed",
            Self::Fenced { .. } => "fenced",
            Self::Stopping => "stopping",
            Self::Paused => "paused",
            Self::Stopped { .. } => "stopped",
            Self::CloseIncomplete { .. } => "close-incomplete",
            Self::OriginDenied { .. } => "origin-denied",
            Self::AddressDenied { .. } => "address-denied",
            Self::TlsFailed { .. } => "tls-failed",
            Self::RequestFailed { .. } => "request-failed",
            Self::LinesDropped { .. } => "lines-dropped",
        }
    }

    pub(super) fn emit(&self, connector: &str, telemetry: &Telemetry) {
        let metrics = &telemetry.metrics;
        metrics.add("events_total", &[("connector", connector), ("event", self.name())], 1);
        if let Self::Failed { kind, .. } = self {
            metrics.add("failures_total", &[("connector", connector), ("kind", kind)], 1);
        }
        let line = self.line();
        log::write(line.level, connector, self.name(), &line.message, &line.fields);
    }

    fn line(&self) -> Line {
        self.life_line().or_else(|| self.network_line()).unwrap_or_else(|| self.worker_line())
    }

    /// The lines that tell the life of a connector.
    fn life_line(&self) -> Option<Line> {
        let line = match self {
            Self::Started { class, version, offset } => Line {
                level: Level::INFO,
                message: match offset {
                    Some(offset) => {
                        format!("{class} {version} goes on from {}", offset_text(offset))
                    }
                    None => format!("{class} {version} starts without a stored offset"),
                },
                fields: offset.iter().map(|offset| ("offset", offset_text(offset))).collect(),
            },
            Self::Committed { offset, first } => Line {
                // The first one tells that the way is open to its end; the progress line counts the others.
                level: if *first { Level::INFO } else { Level::DEBUG },
                message: format!("committed {}", offset_text(offset)),
                fields: vec![("offset", offset_text(offset))],
            },
            Self::Progressed { text } => Line { level: Level::INFO, message: text.clone(), fields: vec![] },
            Self::Restarting { reason, after } => Line {
                level: Level::WARN,
                message: format!("starts again in {:.1} s: {reason}", after.as_secs_f64()),
                fields: vec![("after_ms", after.as_millis().to_string())],
            },
            Self::SecretsAwaited { refusal, within } => Line {
                level: Level::WARN,
                message: format!(
                    "was refused, after a login that had worked; waits up to {} s for a secret that it references to change: \
                     {refusal}",
                    within.as_secs()
                ),
                fields: vec![],
            },
            Self::SecretsChanged => Line {
                level: Level::INFO,
                message: "a secret that it references has changed; starts again with the new one".to_owned(),
                fields: vec![],
            },
            Self::Failed { kind, code, reason } => Line {
                level: Level::ERROR,
                message: format!("FAILED: {reason}"),
                fields: vec![("kind", (*kind).to_owned()), ("code", code.clone())],
            },
            Self::Fenced { reason } => Line {
                level: Level::ERROR,
                message: format!("FENCED, another owner took over: {reason}"),
                fields: vec![],
            },
            Self::Paused => Line {
                level: Level::WARN,
                message: "is paused; what the source does not keep for as long is lost".to_owned(),
                fields: vec![],
            },
            Self::Stopping => Line { level: Level::INFO, message: "is asked to stop".to_owned(), fields: vec![] },
            Self::Stopped { offset, records } => Line {
                level: Level::INFO,
                message: match offset {
                    Some(offset) => format!("stopped after {records} records, committed {}", offset_text(offset)),
                    None => format!("stopped after {records} records"),
                },
                fields: vec![("records", records.to_string())],
            },
            Self::CloseIncomplete { reason } => Line {
                level: Level::WARN,
                message: format!("did not end cleanly: {reason}; the next start goes on from the stored offset"),
                fields: vec![],
            },
            _ => return None,
        };
        Some(line)
    }

    /// The lines about what a component may reach.
    fn network_line(&self) -> Option<Line> {
        let line = match self {
            Self::OriginDenied { origin } => Line {
                level: Level::WARN,
                message: format!("may not connect to {origin}; add it to tributary.network.allow if it should"),
                fields: vec![("origin", origin.clone())],
            },
            Self::AddressDenied { origin, address } => Line {
                level: Level::WARN,
                message: format!(
                    "may not connect to {origin}, because its name stands for {address}, an address inside a network; \
                     add exactly {origin} (no *) to tributary.network.allow if it should"
                ),
                fields: vec![("origin", origin.clone()), ("address", address.to_string())],
            },
            Self::TlsFailed { origin, reason } => Line {
                level: Level::WARN,
                message: format!(
                    "no TLS with {origin}: {reason}; if its certificate is from an authority of your own, name that in \
                     tributary.network.ca.file"
                ),
                fields: vec![("origin", origin.clone())],
            },
            Self::RequestFailed { origin, reason } => Line {
                level: Level::DEBUG,
                message: format!("a request to {origin} failed: {reason}"),
                fields: vec![("origin", origin.clone())],
            },
            Self::LinesDropped { count } => Line {
                level: Level::WARN,
                message: format!("{count} log lines of the component were dropped, because it writes too many"),
                fields: vec![("count", count.to_string())],
            },
            _ => return None,
        };
        Some(line)
    }

    /// The lines about the worker; also the last resort, for a fact without a line of its own.
    fn worker_line(&self) -> Line {
        match self {
            Self::ComponentLoaded { origin, digest, from_cache, took } => Line {
                level: Level::INFO,
                message: format!(
                    "{origin} {} in {} ms",
                    if *from_cache { "was loaded from the cache" } else { "was compiled" },
                    took.as_millis()
                ),
                fields: vec![("sha256", digest.clone())],
            },
            Self::CacheNotWritten { reason } => Line {
                level: Level::DEBUG,
                message: format!("the compiled component is not kept: {reason}"),
                fields: vec![],
            },
            Self::RootsMissing { reason } => Line {
                level: Level::WARN,
                message: format!(
                    "no trusted roots, so no https: install your system's ca-certificates or set \
                     tributary.network.ca.file{}{reason}",
                    if reason.is_empty() { "" } else { ": " }
                ),
                fields: vec![],
            },
            Self::WorkerStarted { backend, connectors } => Line {
                level: Level::INFO,
                message: format!("{connectors} connector{} into {backend}", if *connectors == 1 { "" } else { "s" }),
                fields: vec![],
            },
            Self::StandingBy => Line {
                level: Level::INFO,
                message: "another worker of the group runs the connectors; takes over when that one ends".to_owned(),
                fields: vec![],
            },
            Self::DutyLost => Line {
                level: Level::WARN,
                message:
                    "was left out of the group, as it sent no heartbeat in time; ends the connectors, which another \
                          worker may run already"
                        .to_owned(),
                fields: vec![],
            },
            Self::Listening { url } => Line {
                level: Level::INFO,
                message: format!("the REST API answers at {url}"),
                fields: vec![("url", url.clone())],
            },
            Self::MetricsNotSent { endpoint, reason } => Line {
                level: Level::WARN,
                message: format!("metrics are not sent to {endpoint} for now: {reason}"),
                fields: vec![("endpoint", endpoint.clone())],
            },
            Self::OtherWorker { worker_id } => Line {
                level: Level::WARN,
                message: format!(
                    "takes over connectors that the worker {worker_id} has not let go: it was killed, or it has another group.id and \
                     still runs them"
                ),
                fields: vec![("worker_id", worker_id.clone())],
            },
            Self::StatusNotRead { reason } => Line {
                level: Level::WARN,
                message: format!("which topics the connectors used before is not known: {reason}"),
                fields: vec![],
            },
            Self::StatusNotWritten { reason } => Line {
                level: Level::WARN,
                message: format!("the states of the connectors are not written down for now: {reason}"),
                fields: vec![],
            },
            Self::NotKnown { who, request } => Line {
                level: Level::WARN,
                message: format!("somebody at {who} asked {request} and is nobody who may, answered 401"),
                fields: vec![("who", who.clone()), ("request", request.clone())],
            },
            Self::Changed { who, request, status } => Line {
                level: Level::INFO,
                message: format!("{who} asked {request}, answered {status}"),
                fields: vec![("who", who.clone()), ("request", request.clone()), ("status", status.to_string())],
            },
            Self::ConfigWarning { property, text } => {
                Line { level: Level::WARN, message: text.clone(), fields: vec![("property", property.clone())] }
            }
            Self::ConfigIgnored { property, text } => Line {
                level: Level::INFO,
                message: format!("without effect: {text}"),
                fields: vec![("property", property.clone())],
            },
            other => Line { level: Level::INFO, message: other.name().to_owned(), fields: vec![] },
        }
    }
}

/// An offset as people and Kafka Connect write it: `{"replayId":3826}`.
#[must_use]
pub fn offset_text(offset: &SourceOffset) -> String {
    String::from_utf8_lossy(&connect_format::value(offset)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::Scalar, telemetry::Value};

    #[test]
    fn a_fact_is_counted_and_its_line_names_the_remedy() {
        let telemetry = Telemetry::default();
        let denied = Event::OriginDenied { origin: "https://x.example".to_owned() };
        telemetry.emit("accounts", &denied);
        let counted = telemetry.metrics.snapshot();
        assert_eq!(counted[0].name, "events_total");
        assert_eq!(counted[0].value, Value::Counter(1));
        let line = denied.line();
        assert!(line.message.contains("https://x.example") && line.message.contains("tributary.network.allow"));
        let failed = Event::Failed { kind: "auth", code: "invalid_grant".to_owned(), reason: "r".to_owned() };
        telemetry.emit("accounts", &failed);
        assert!(telemetry.metrics.snapshot().iter().any(|sample| sample.name == "failures_total"));
        assert_eq!(failed.line().level, Level::ERROR);
    }

    #[test]
    fn an_offset_is_written_as_json() {
        let offset = SourceOffset(vec![
            ("replayId".to_owned(), Scalar::Integer(3826)),
            ("a\"b".to_owned(), Scalar::Text("ü".to_owned())),
            ("n".to_owned(), Scalar::Null),
        ]);
        assert_eq!(offset_text(&offset), r#"{"replayId":3826,"a\"b":"ü","n":null}"#);
        assert_eq!(offset_text(&SourceOffset::default()), "{}");
    }
}
