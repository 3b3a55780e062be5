//! `tributary validate`: what the host and the component find in a connector file, all at once. The findings are the
//! data of this command, so they go to stdout.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Exit, load, preflight};
use crate::config::{ConfigError, Findings, Severity};

/// What `validate` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The connector file
    #[arg(value_name = "CONNECTOR")]
    connector: PathBuf,
    /// Also asks every service that the connector would need, and changes nothing anywhere
    #[arg(long)]
    online: bool,
    /// Prints what --online finds as JSON
    #[arg(long, requires = "online")]
    json: bool,
}

/// Checks a connector file.
pub(super) async fn validate(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let (worker, mut findings) = match load::worker(context) {
        Ok(loaded) => loaded,
        Err(error) => match error.downcast::<ConfigError>() {
            // A worker file that can be read and is wrong is a finding.
            Ok(ConfigError::Invalid { findings, .. }) => return show(context, &findings, ""),
            Ok(error) => return Err(error.into()),
            Err(error) => return Err(error),
        },
    };
    let (_engine, catalogue) = load::catalogue(context, &worker, 1).await?;
    let (connector, known, found) = load::connector(context, &arguments.connector, &worker, &catalogue).await?;
    findings.extend(found);
    if let (true, false, Some(known)) = (arguments.online, findings.has_errors(), known) {
        if !arguments.json {
            show(context, &findings, &connector.name)?;
        }
        return preflight::online(context, &worker, &connector, known, arguments.json).await;
    }
    show(context, &findings, &connector.name)
}

fn show(context: &Context, findings: &Findings, name: &str) -> anyhow::Result<Exit> {
    let colours = super::Screen::stdout_is_terminal();
    let mut text = String::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Ignored] {
        let (word, code) = match severity {
            Severity::Error => ("error", "31"),
            Severity::Warning => ("warning", "33"),
            Severity::Ignored => ("ignored", "2"),
        };
        let word = if colours { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
        for finding in findings.iter().filter(|finding| finding.severity == severity) {
            text.push_str(&format!("{word}: {finding}\n"));
        }
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors == 0 {
        text.push_str(&format!("{name} is valid\n"));
    }
    context.screen.write_data(text.as_bytes())?;
    Ok(if errors == 0 { Exit::Done } else { Exit::Refused })
}
