//! `tributary transform`: what a connector's configuration makes of given events, without the far side and without Kafka.
//! The way to try transforms out before production.

use std::{
    fs,
    io::{self, Read as _},
    path::PathBuf,
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;

use super::{Context, Exit, load, pretty};
use crate::{
    embedded::LogRecord,
    engine::{Conversion, Instance, InstanceParts},
    record::ProducerRecord,
    worker::{Validation, component_settings, secrets},
};

/// Most bytes of events: they, and what becomes of them, are in the component's memory at once.
const EVENTS_BYTES_MAX: u64 = 8 << 20;

/// What `transform` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The connector file
    #[arg(long, value_name = "CONNECTOR")]
    config: PathBuf,
    /// The far side's own description of the data; without it, types are guessed from the events
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// One JSON object for each record
    #[arg(long)]
    json: bool,
}

/// Reads events from stdin, one a line, and prints records.
pub(super) async fn transform(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let (worker, _) = load::worker(context)?;
    let (_engine, catalogue) = load::catalogue(context, &worker, 1).await?;
    let (connector, Validation { known, findings, .. }) =
        load::connector(context, &arguments.config, &worker, &catalogue).await?;
    if findings.has_errors() {
        return Err(load::invalid(&arguments.config, findings).into());
    }
    let Some((component, description)) = known else { bail!("no component knows {}", connector.class) };
    let schema = arguments
        .schema
        .as_deref()
        .map(|path| fs::read(path).with_context(|| format!("{} cannot be read; name a readable file", path.display())));
    let schema = schema.transpose()?;
    let events = events(io::stdin().lock())?;
    let settings = component_settings(description, &connector)
        .map_err(|_| anyhow!("{}: a setting names a file that cannot be read", arguments.config.display()))?;
    let parts = InstanceParts::for_questions(context.telemetry.clone(), secrets(description, &connector));
    let mut instance = Instance::new(component, parts).await.map_err(|(trapped, _)| anyhow!(trapped))?;
    let texts: Vec<String> = events.iter().map(|(_, text)| text.clone()).collect();
    let made = instance.convert(&settings, schema.as_deref(), &texts).await?;
    show(context, &events, made, arguments.json)
}

/// The lines that are not blank, with their numbers.
fn events(input: impl io::Read) -> anyhow::Result<Vec<(usize, String)>> {
    let mut text = String::new();
    input.take(EVENTS_BYTES_MAX + 1).read_to_string(&mut text).context("stdin cannot be read as text in UTF-8")?;
    if text.len() as u64 > EVENTS_BYTES_MAX {
        bail!("there are more than {EVENTS_BYTES_MAX} bytes of events; give fewer at once");
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    Ok(lines.map(|(index, line)| (index + 1, line.to_owned())).collect())
}

/// Records are data; what gave none is said to people.
fn show(context: &Context, events: &[(usize, String)], made: Vec<Conversion>, json: bool) -> anyhow::Result<Exit> {
    let colours = super::Screen::stdout_has_colours();
    let (mut count, mut failed) = (0, 0);
    for ((line, _), conversion) in events.iter().zip(made) {
        match conversion {
            Conversion::Made(made) => {
                let record = log_record(made, count);
                count += 1;
                let text = if json { pretty::json(&record) } else { pretty::text(&record, colours) };
                context.screen.write_data(format!("{text}\n").as_bytes())?;
            }
            Conversion::Dropped => context.screen.write_people(format!("line {line}: dropped\n").as_bytes())?,
            Conversion::Failed(reason) => {
                failed += 1;
                context.screen.write_people(format!("line {line}: {reason}\n").as_bytes())?;
            }
        }
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Refused })
}

/// As the embedded log would hold it. A record without a timestamp would get the time of sending.
fn log_record(made: ProducerRecord, offset: i64) -> LogRecord {
    let ProducerRecord { topic, key, value, headers, timestamp_ms, .. } = made;
    LogRecord { topic, offset, timestamp_ms: timestamp_ms.unwrap_or(0), key, value, headers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_up_to_the_bound() {
        let read = events("a\n\n  \nb\n".as_bytes()).expect("text");
        assert_eq!(read, [(1, "a".to_owned()), (4, "b".to_owned())]);
        let bytes = usize::try_from(EVENTS_BYTES_MAX).expect("small");
        assert!(events("a".repeat(bytes).as_bytes()).is_ok());
        assert!(events("a".repeat(bytes + 1).as_bytes()).is_err());
        assert!(events(&[0xff_u8][..]).is_err());
    }
}
