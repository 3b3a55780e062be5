//! The import `telemetry`: a component's log lines and metrics. The host adds the connector's name, hides the values of
//! password settings, and bounds length and rate.

use std::{borrow::Cow, sync::Arc, time::Instant};

use tracing::Level;

use crate::{
    bindings::telemetry::{Host, Level as GuestLevel},
    bucket::Bucket,
    engine::HostState,
    telemetry::{Event, Telemetry, log},
};

/// Log lines that an instance may write at once.
const LINES_BURST: u32 = 200;
/// Log lines that it may write in the long run.
const LINES_PER_SECOND: u32 = 20;
/// Fields of one line.
const FIELDS_MAX: usize = 32;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 64;
/// Characters of a message or a value.
const TEXT_CHARS_MAX: usize = 4096;
/// A shorter password is not hidden: its characters would be torn out of every line.
const SECRET_CHARS_MIN: usize = 4;
/// What stands in place of a secret; as Kafka writes it.
const HIDDEN: &str = "[hidden]";

/// What stands behind the import for one instance.
pub(crate) struct Voice {
    connector: Arc<str>,
    telemetry: Telemetry,
    mask: Mask,
    bucket: Bucket,
    /// Lines that were dropped since the last one.
    dropped: u64,
}

impl Voice {
    pub(crate) fn new(connector: Arc<str>, telemetry: Telemetry, mask: Mask) -> Self {
        let bucket = Bucket::full(LINES_PER_SECOND, LINES_BURST, Instant::now());
        Self { connector, telemetry, mask, bucket, dropped: 0 }
    }

    fn log(&mut self, level: Level, event: &str, message: &str, fields: &[(String, String)]) {
        if !log::is_wanted(level, &self.connector) {
            return;
        }
        if !self.bucket.take(Instant::now()) {
            self.dropped += 1;
            return;
        }
        if self.dropped > 0 {
            self.telemetry.emit(&self.connector, &Event::LinesDropped { count: std::mem::take(&mut self.dropped) });
        }
        let text = |text: &str| cut(&self.mask.hide(text), TEXT_CHARS_MAX);
        let names: Vec<String> = fields.iter().take(FIELDS_MAX).map(|(name, _)| cut(name, NAME_CHARS_MAX)).collect();
        let fields: Vec<(&str, String)> =
            names.iter().zip(fields).map(|(name, (_, value))| (name.as_str(), text(value))).collect();
        log::write(level, &self.connector, &cut(event, NAME_CHARS_MAX), &text(message), &fields);
    }

    /// Hides secrets in a text that a component wrote, for the places where it becomes the host's.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.mask.hide(text).into_owned()
    }

    fn labels<'a>(&'a self, labels: &'a [(String, String)]) -> Vec<(&'a str, &'a str)> {
        let own =
            labels.iter().filter(|(name, _)| name != "connector").map(|(name, value)| (name.as_str(), value.as_str()));
        own.chain([("connector", &*self.connector)]).collect()
    }
}

/// The secrets of one connector.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    /// Longest first, so that a secret that holds another is hidden whole.
    secrets: Vec<String>,
}

impl Mask {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let long = |secret: &String| secret.chars().count() >= SECRET_CHARS_MIN;
        // A setting may be named like a secret and be a switch; its value stands in many sentences.
        let switch = |secret: &String| matches!(secret.as_str(), "true" | "false" | "null" | "none");
        let mut secrets: Vec<String> = secrets.into_iter().filter(|secret| long(secret) && !switch(secret)).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut shown = Cow::Borrowed(text);
        for secret in &self.secrets {
            if shown.contains(secret.as_str()) {
                shown = Cow::Owned(shown.replace(secret.as_str(), HIDDEN));
            }
        }
        shown
    }
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

impl Host for HostState {
    fn log(
        &mut self,
        level: GuestLevel,
        event: String,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let level = match level {
            GuestLevel::Error => Level::ERROR,
            GuestLevel::Warn => Level::WARN,
            GuestLevel::Info => Level::INFO,
            GuestLevel::Debug => Level::DEBUG,
            GuestLevel::Trace => Level::TRACE,
        };
        self.voice_mut().log(level, &event, &message, &fields);
        Ok(())
    }

    fn counter_add(&mut self, name: String, labels: Vec<(String, String)>, delta: u64) -> wasmtime::Result<()> {
        let voice = self.voice_mut();
        voice.telemetry.metrics.add(&name, &voice.labels(&labels), delta);
        Ok(())
    }

    fn gauge_set(&mut self, name: String, labels: Vec<(String, String)>, value: f64) -> wasmtime::Result<()> {
        let voice = self.voice_mut();
        voice.telemetry.metrics.set(&name, &voice.labels(&labels), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let mask = Mask::new(["s3cret".to_owned(), "s3cret-and-more".to_owned(), "abc".to_owned(), String::new()]);
        for (text, shown) in [
            ("nothing here", "nothing here"),
            ("password s3cret was refused", "password [hidden] was refused"),
            ("s3crets3cret", "[hidden][hidden]"),
            ("token s3cret-and-more", "token [hidden]"),
            ("abc is too short to hide", "abc is too short to hide"),
        ] {
            assert_eq!(mask.hide(text), shown);
        }
    }

    #[test]
    fn lines_beyond_the_rate_are_dropped_and_counted() {
        let telemetry = Telemetry::default();
        let mut voice = Voice::new(Arc::from("a"), telemetry.clone(), Mask::default());
        for _ in 0..LINES_BURST + 2 {
            voice.log(Level::INFO, "e", "m", &[]);
        }
        let dropped = voice.dropped;
        assert!((1..=2).contains(&dropped), "{dropped}");
        voice.bucket = Bucket::full(LINES_PER_SECOND, LINES_BURST, Instant::now());
        voice.log(Level::INFO, "e", "m", &[]);
        let lines = telemetry.metrics.snapshot();
        let told = lines.iter().any(|sample| sample.labels.iter().any(|(_, value)| value == "lines-dropped"));
        assert!(told && voice.dropped == 0);
    }

    #[test]
    fn texts_are_cut_by_characters() {
        assert_eq!(cut("größe", 4), "größ");
    }
}
