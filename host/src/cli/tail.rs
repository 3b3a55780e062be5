//! `tributary tail`, and `run --tail`: records of the embedded log, as they come.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{anyhow, bail};
use clap::Args;

use super::{Context, Exit, load, pretty};
use crate::{
    embedded::{LogReader, LogRecord, Start},
    telemetry::Screen,
};

/// Records that are read at once.
const BATCH: usize = 500;
/// How long a read waits, and so how soon the end of the wait is noticed.
const WAIT: Duration = Duration::from_millis(200);
/// Between two looks at several topics.
const LOOK: Duration = Duration::from_millis(50);

/// What `tail` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The topic
    #[arg(value_name = "TOPIC")]
    topic: String,
    /// From the oldest record, not only new ones
    #[arg(long)]
    from_beginning: bool,
    /// Ends after so many records
    #[arg(long, value_name = "N")]
    max_messages: Option<usize>,
    /// Ends when no record has come for so many milliseconds
    #[arg(long, value_name = "T")]
    timeout_ms: Option<u64>,
    /// One JSON object for each record
    #[arg(long)]
    json: bool,
}

/// Prints records until it has enough, or for ever.
pub(super) fn tail(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let (worker, _) = load::worker(context)?;
    if worker.kafka.is_some() {
        bail!("tail shows the embedded log, and the worker file names Kafka; use kafka-console-consumer there");
    }
    let start = if arguments.from_beginning { Start::Beginning } else { Start::End };
    let mut reader = LogReader::open(&worker.data_dir, &arguments.topic, start)?;
    if !reader.topic_exists()? {
        let text = note(&mut reader, &arguments.topic, &worker.data_dir)?;
        context.screen.write_people(text.as_bytes())?;
    }
    let look = Look { json: arguments.json, colours: Screen::stdout_has_colours() };
    let (mut left, mut last) = (arguments.max_messages.unwrap_or(usize::MAX), Instant::now());
    let patience = arguments.timeout_ms.map(Duration::from_millis);
    while left > 0 {
        let wait = patience.map_or(WAIT, |patience| WAIT.min(patience.saturating_sub(last.elapsed())));
        let records = reader.poll(BATCH.min(left), wait)?;
        if records.is_empty() {
            if patience.is_some_and(|patience| last.elapsed() >= patience) {
                break;
            }
            continue;
        }
        left -= records.len();
        last = Instant::now();
        look.show(&context.screen, &records)?;
    }
    Ok(Exit::Done)
}

/// What to say about a topic that is not there.
fn note(reader: &mut LogReader, topic: &str, data_dir: &Path) -> anyhow::Result<String> {
    let topics = reader.topics()?;
    let others = if topics.is_empty() { "no topics".to_owned() } else { topics.join(", ") };
    Ok(format!("waiting for topic {topic}; the log in {} holds {others}\n", data_dir.display()))
}

/// How records are shown.
#[derive(Clone, Copy, Debug)]
struct Look {
    json: bool,
    colours: bool,
}

impl Look {
    fn show(self, screen: &Screen, records: &[LogRecord]) -> io::Result<()> {
        let mut text = String::new();
        for record in records {
            text.push_str(&if self.json { pretty::json(record) } else { pretty::text(record, self.colours) });
            text.push('\n');
        }
        screen.write_data(text.as_bytes())
    }
}

/// Shows what is committed to any topic of the log while connectors run.
pub(super) struct Follower {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Follower {
    /// Starts after the records that are there now.
    pub(super) fn start(data_dir: &Path, screen: Screen) -> anyhow::Result<Self> {
        let mut topics = Topics::new(data_dir, screen)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("tail".to_owned()).spawn(move || {
            loop {
                // Read before the last look, so that nothing is missed.
                let last = stopped.load(Ordering::Acquire);
                if topics.look()? == 0 {
                    if last {
                        return Ok(());
                    }
                    std::thread::sleep(LOOK);
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Shows the rest and ends.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow!("the thread that prints records failed"))?
    }
}

struct Topics {
    data_dir: PathBuf,
    screen: Screen,
    /// Any reader can list topics; this one is for nothing else.
    lister: LogReader,
    readers: BTreeMap<String, LogReader>,
}

impl Topics {
    fn new(data_dir: &Path, screen: Screen) -> anyhow::Result<Self> {
        let mut lister = LogReader::open(data_dir, "", Start::End)?;
        let mut readers = BTreeMap::new();
        for topic in lister.topics()? {
            readers.insert(topic.clone(), LogReader::open(data_dir, &topic, Start::End)?);
        }
        Ok(Self { data_dir: data_dir.to_owned(), screen, lister, readers })
    }

    /// Shows what is new; returns how many records that were.
    fn look(&mut self) -> anyhow::Result<usize> {
        for topic in self.lister.topics()? {
            if !self.readers.contains_key(&topic) {
                // It was not there at the start, so all of it is new.
                let reader = LogReader::open(&self.data_dir, &topic, Start::Beginning)?;
                self.readers.insert(topic, reader);
            }
        }
        let look = Look { json: false, colours: Screen::stdout_has_colours() };
        let mut shown = 0;
        for reader in self.readers.values_mut() {
            let records = reader.poll(BATCH, Duration::ZERO)?;
            if !records.is_empty() {
                look.show(&self.screen, &records)?;
                shown += records.len();
            }
        }
        Ok(shown)
    }
}
