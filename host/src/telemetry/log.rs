//! Log lines on stderr: `--log-format text` for people, `json` for machines, one line for each event.
//!
//! The host's facts and those of components look alike: `connector`, `event` (a short stable name), a sentence, and the
//! same facts as fields. `tracing` has no fields whose names are known only at run time, so they travel as one JSON object
//! in the field `fields`, and are taken apart again here.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::{
    Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    subscriber::Interest,
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::{Context, Filter},
    registry::LookupSpan,
};

use super::{LEVELS, Screen};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Starts logging for the process. A second call has no effect.
pub fn start(format: LogFormat, level: LogLevel, screen: Screen) {
    use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};
    let format = Lines { format, colours: format == LogFormat::Text && Screen::stderr_has_colours() };
    // Libraries speak about their inner life; at the usual levels only their warnings matter.
    let ours = LevelFilter::from(level);
    let others = if level == LogLevel::Trace { ours } else { ours.min(LevelFilter::WARN) };
    // Of groups of workers our own lines tell; the client's are about its interface.
    let groups = if level == LogLevel::Trace { ours } else { ours.min(LevelFilter::ERROR) };
    LEVELS.begin(&[("root", others), (TARGET, ours), ("krafka.consumer", groups)]);
    let layer = tracing_subscriber::fmt::layer().event_format(format).with_writer(screen).with_filter(Wanted);
    // An error means that somebody (a test) has started logging before.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

/// The target of every line that this crate writes.
pub(super) const TARGET: &str = "tributary";

/// Lets through what `LEVELS` has. The answer is remembered at each place that writes, until a level changes.
struct Wanted;

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        LEVELS.allows(metadata.target(), *metadata.level())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if LEVELS.allows(metadata.target(), *metadata.level()) { Interest::always() } else { Interest::never() }
    }
}

/// Whether a line about a connector would be written; of the worker itself when the name is empty.
pub(crate) fn is_wanted(level: Level, connector: &str) -> bool {
    LEVELS.allows_connector(connector, level)
}

/// Writes one line. The connector is empty for facts about the worker.
pub(crate) fn write(level: Level, connector: &str, event: &str, message: &str, fields: &[(&str, String)]) {
    if !is_wanted(level, connector) {
        return;
    }
    macro_rules! at {
        ($level:expr) => {{
            if !tracing::enabled!(target: TARGET, $level) {
                return;
            }
            let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
            let fields = Value::Object(fields.collect()).to_string();
            tracing::event!(target: TARGET, $level, connector, event, fields, "{message}");
        }};
    }
    match level {
        Level::ERROR => at!(Level::ERROR),
        Level::WARN => at!(Level::WARN),
        Level::INFO => at!(Level::INFO),
        Level::DEBUG => at!(Level::DEBUG),
        _ => at!(Level::TRACE),
    }
}

struct Lines {
    format: LogFormat,
    colours: bool,
}

/// The parts of one event.
#[derive(Debug, Default)]
struct Parts {
    message: String,
    connector: String,
    event: String,
    fields: Map<String, Value>,
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "connector" => value.clone_into(&mut self.connector),
            "event" => value.clone_into(&mut self.event),
            "fields" => match serde_json::from_str(value) {
                Ok(Value::Object(fields)) => self.fields.extend(fields),
                _ => self.put("fields", value.into()),
            },
            name => self.put(name, value.into()),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.put(field.name(), format!("{value:?}").into());
        }
    }
}

impl Parts {
    fn put(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    fn json(self, time: &str, level: Level, target: &str) -> String {
        let mut line = Map::new();
        let mut put = |name: &str, value: String| {
            if !value.is_empty() {
                line.insert(name.to_owned(), value.into());
            }
        };
        put("timestamp", time.to_owned());
        put("level", level.to_string());
        if target != TARGET {
            put("target", target.to_owned());
        }
        put("connector", self.connector);
        put("event", self.event);
        put("message", self.message);
        if !self.fields.is_empty() {
            line.insert("fields".to_owned(), Value::Object(self.fields));
        }
        Value::Object(line).to_string()
    }

    fn text(self, time: &str, level: Level, target: &str, colours: bool) -> String {
        let paint = |code: &str, text: &str| {
            if colours && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
        };
        let level_colour = match level {
            Level::ERROR => "31",
            Level::WARN => "33",
            Level::INFO => "32",
            _ => "34",
        };
        let mut line = format!("{} {}", paint("2", time), paint(level_colour, &format!("{level:5}")));
        let source = if target == TARGET { self.connector.as_str() } else { target };
        for (code, part) in [("1", source), ("36", self.event.as_str())] {
            if !part.is_empty() {
                let _ = write!(line, " {}", paint(code, &printable(part)));
            }
        }
        let _ = write!(line, " {}", printable(&self.message));
        for (name, value) in &self.fields {
            let value = value.as_str().map_or_else(|| value.to_string(), printable);
            let quoted = value.is_empty() || value.contains([' ', '=']);
            let value = if quoted { format!("{value:?}") } else { value };
            let _ = write!(line, " {}{value}", paint("2", &format!("{}=", printable(name))));
        }
        line
    }
}

/// A text that cannot move the cursor, forge a line or recolour the terminal.
fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
    } else {
        text.to_owned()
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &tracing::Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut parts = Parts::default();
        event.record(&mut parts);
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let line = match self.format {
            LogFormat::Json => parts.json(&time, level, target),
            LogFormat::Text => parts.text(&time, level, target, self.colours),
        };
        writeln!(to, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        let mut parts = Parts {
            message: "reads \"on\"\nfrom there".to_owned(),
            connector: "accounts".to_owned(),
            event: "subscribed".to_owned(),
            fields: Map::new(),
        };
        parts.put("replayId", 3826.into());
        parts.put("reason", "a b".into());
        parts
    }

    #[test]
    fn a_line_of_text_is_one_line_and_harmless() {
        let time = "2024-05-01T10:00:00.000000Z";
        assert_eq!(
            parts().text(time, Level::INFO, TARGET, false),
            "2024-05-01T10:00:00.000000Z INFO  accounts subscribed reads \"on\"\\nfrom there reason=\"a b\" replayId=3826"
        );
        let mut evil = parts();
        evil.message = "\x1b[2Jgone\rnew".to_owned();
        let line = evil.text(time, Level::WARN, "hyper::x", false);
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.contains("hyper::x"), "{line}");
        assert!(parts().text(time, Level::ERROR, TARGET, true).contains("\x1b[31mERROR"), "colours");
    }

    #[test]
    fn a_line_of_json_is_one_object() {
        let line = parts().json("t", Level::INFO, TARGET);
        assert!(!line.contains('\n'), "{line}");
        let object: Value = serde_json::from_str(&line).unwrap_or_default();
        assert_eq!(object["event"], "subscribed");
        assert_eq!(object["fields"]["replayId"], 3826);
        assert_eq!(object["message"], "reads \"on\"\nfrom there");
    }
}
