//! How much each part of the process logs, changeable while it runs: loggers in a hierarchy by dots, as Kafka Connect's
//! `/admin/loggers` has them. `root` is what is above all, `tributary` this program, `tributary.connector.NAME` one connector,
//! and a library has the name of its crate.

use std::{
    collections::BTreeMap,
    sync::{
        PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU8, Ordering},
    },
};

use tracing::{Level, level_filters::LevelFilter};

/// The logger of a connector is this and its name.
const CONNECTOR: &str = "tributary.connector.";
/// What stands above all loggers.
const ROOT: &str = "root";

/// Words of Log4j, and what each lets through.
const WORDS: [(&str, LevelFilter); 8] = [
    ("OFF", LevelFilter::OFF),
    ("FATAL", LevelFilter::ERROR),
    ("ERROR", LevelFilter::ERROR),
    ("WARN", LevelFilter::WARN),
    ("INFO", LevelFilter::INFO),
    ("DEBUG", LevelFilter::DEBUG),
    ("TRACE", LevelFilter::TRACE),
    ("ALL", LevelFilter::TRACE),
];

/// A logger's level, and since when it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerLevel {
    /// `INFO`, ...
    pub word: &'static str,
    /// Milliseconds since the epoch; `None` when it was never changed.
    pub last_modified_ms: Option<i64>,
    filter: LevelFilter,
}

/// Every logger that has a level of its own. There is always `root`.
#[derive(Debug)]
pub struct Levels {
    loggers: RwLock<BTreeMap<String, LoggerLevel>>,
    /// No logger lets more through than this: most lines are of no interest to anybody, and asking costs a load.
    most: AtomicU8,
}

/// Of this process: its lines go to one place.
pub static LEVELS: Levels = Levels::new();

impl Levels {
    const fn new() -> Self {
        Self { loggers: RwLock::new(BTreeMap::new()), most: AtomicU8::new(u8::MAX) }
    }

    fn note_most(&self, loggers: &BTreeMap<String, LoggerLevel>) {
        let most = loggers.values().map(|level| verbosity(level.filter)).max().unwrap_or(u8::MAX);
        self.most.store(most, Ordering::Relaxed);
    }

    /// The levels at the start.
    pub(super) fn begin(&self, loggers: &[(&str, LevelFilter)]) {
        let of = |filter: LevelFilter| {
            let word = WORDS.iter().rev().find(|(_, of_word)| *of_word == filter).map_or("INFO", |(word, _)| word);
            LoggerLevel { word: if word == "ALL" { "TRACE" } else { word }, last_modified_ms: None, filter }
        };
        let loggers = loggers.iter().map(|(name, filter)| ((*name).to_owned(), of(*filter)));
        let loggers = loggers.collect();
        self.note_most(&loggers);
        *self.loggers.write().unwrap_or_else(PoisonError::into_inner) = loggers;
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, LoggerLevel>> {
        self.loggers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every logger.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, LoggerLevel> {
        self.read().clone()
    }

    /// The level of a logger that is known: it has one of its own.
    #[must_use]
    pub fn get(&self, logger: &str) -> Option<LoggerLevel> {
        self.read().get(logger).cloned()
    }

    /// Gives a logger, and every known one below it, a level. Returns those whose level changed; `None` when there is no such
    /// level.
    pub fn set(&self, logger: &str, word: &str, now_ms: i64) -> Option<Vec<String>> {
        let (word, filter) = *WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word))?;
        let mut loggers = self.loggers.write().unwrap_or_else(PoisonError::into_inner);
        if !loggers.contains_key(logger) {
            let last_modified_ms = None;
            loggers.insert(logger.to_owned(), LoggerLevel { word: "", last_modified_ms, filter: LevelFilter::OFF });
        }
        let mut changed = Vec::new();
        for (name, level) in loggers.iter_mut() {
            if is_below(name, logger) && level.word != word {
                *level = LoggerLevel { word, last_modified_ms: Some(now_ms), filter };
                changed.push(name.clone());
            }
        }
        self.note_most(&loggers);
        drop(loggers);
        // Whether a line is wanted is remembered where it is written.
        tracing::callsite::rebuild_interest_cache();
        Some(changed)
    }

    /// Whether a line of this Rust path (`krafka::producer`) is wanted.
    pub(super) fn allows(&self, target: &str, level: Level) -> bool {
        let loggers = self.read();
        let own = filter(&loggers, target, "::");
        level <= own || (target == super::log::TARGET && loggers_of_connectors(&loggers).any(|of| level <= of))
    }

    /// Whether a line about a connector is wanted; of the worker itself when the name is empty.
    pub(crate) fn allows_connector(&self, connector: &str, level: Level) -> bool {
        if verbosity(level.into()) > self.most.load(Ordering::Relaxed) {
            return false;
        }
        let loggers = self.read();
        let own = if connector.is_empty() || loggers_of_connectors(&loggers).next().is_none() {
            filter(&loggers, super::log::TARGET, "::")
        } else {
            filter(&loggers, &format!("{CONNECTOR}{connector}"), ".")
        };
        level <= own
    }
}

/// 0 lets nothing through.
fn verbosity(filter: LevelFilter) -> u8 {
    match filter.into_level() {
        None => 0,
        Some(Level::ERROR) => 1,
        Some(Level::WARN) => 2,
        Some(Level::INFO) => 3,
        Some(Level::DEBUG) => 4,
        Some(_) => 5,
    }
}

fn loggers_of_connectors(loggers: &BTreeMap<String, LoggerLevel>) -> impl Iterator<Item = LevelFilter> {
    let after = loggers.range(CONNECTOR.to_owned()..);
    after.take_while(|(name, _)| name.starts_with(CONNECTOR)).map(|(_, level)| level.filter)
}

/// Of the nearest logger above a name whose parts stand between `separator`s.
fn filter(loggers: &BTreeMap<String, LoggerLevel>, name: &str, separator: &str) -> LevelFilter {
    let dotted = name.replace(separator, ".");
    let mut name = dotted.as_str();
    loop {
        if let Some(level) = loggers.get(name) {
            return level.filter;
        }
        let Some((above, _)) = name.rsplit_once('.') else { break };
        name = above;
    }
    // Before the start of logging nobody asks but tests, which have a subscriber of their own.
    loggers.get(ROOT).map_or(LevelFilter::TRACE, |level| level.filter)
}

fn is_below(name: &str, logger: &str) -> bool {
    logger == ROOT || name.strip_prefix(logger).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels() -> Levels {
        let levels = Levels::new();
        levels.begin(&[(ROOT, LevelFilter::WARN), ("tributary", LevelFilter::INFO)]);
        levels
    }

    #[test]
    fn the_nearest_logger_above_decides() {
        let levels = levels();
        assert!(levels.allows("tributary::rest::server", Level::INFO));
        assert!(!levels.allows("tributary::rest::server", Level::DEBUG));
        assert!(levels.allows("krafka::producer", Level::WARN) && !levels.allows("krafka::producer", Level::INFO));
        assert_eq!(levels.set("krafka", "debug", 7), Some(vec!["krafka".to_owned()]));
        assert!(levels.allows("krafka::producer", Level::DEBUG) && !levels.allows("krafkaesque", Level::DEBUG));
        assert_eq!(levels.get("krafka").and_then(|level| level.last_modified_ms), Some(7));
        assert_eq!(levels.get("krafka.producer"), None);
    }

    #[test]
    fn one_connector_alone_may_be_talkative() {
        let levels = levels();
        levels.set("tributary.connector.a.b", "TRACE", 1);
        for (connector, wanted) in [("a.b", true), ("a", false), ("", false), ("other", false)] {
            assert_eq!(levels.allows_connector(connector, Level::DEBUG), wanted, "{connector}");
            assert!(levels.allows_connector(connector, Level::INFO));
        }
        assert!(levels.allows(super::super::log::TARGET, Level::DEBUG));
        assert!(!levels.allows("tributary::kafka", Level::DEBUG));
    }

    #[test]
    fn a_change_goes_down_and_names_what_changed() {
        let levels = levels();
        levels.set("tributary.connector.a", "DEBUG", 1);
        assert_eq!(levels.set("tributary", "Debug", 2), Some(vec!["tributary".to_owned()]));
        assert_eq!(levels.set("tributary", "OFF", 3).map(|changed| changed.len()), Some(2));
        assert_eq!(levels.set("tributary", "OFF", 4), Some(vec![]));
        assert_eq!(levels.get("tributary").and_then(|level| level.last_modified_ms), Some(3));
        assert!(!levels.allows_connector("a", Level::ERROR));
        assert_eq!(levels.set("root", "LOUD", 5), None);
        assert_eq!(levels.set("root", "INFO", 5).map(|changed| changed.len()), Some(3));
    }
}
