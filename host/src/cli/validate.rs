//! `tributary validate`: what the host and the component find in a connector file, all at once. The findings are the
//! data of this command, so they go to stdout: a table on a terminal, a line for each elsewhere, or Kafka Connect's
//! `ConfigInfos`.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Exit, findings_table, load, preflight};
use crate::{
    config::{ConfigError, ConnectorConfig, Findings, Severity},
    rest::config_infos::ConfigInfos,
    worker::Validation,
};

/// What `validate` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The connector file
    #[arg(value_name = "CONNECTOR")]
    connector: PathBuf,
    /// Also asks every service that the connector would need, and changes nothing anywhere
    #[arg(long)]
    online: bool,
    /// As Kafka Connect's REST API answers: every setting with its definition, value and errors; warnings go to stderr. With
    /// --online: every check
    #[arg(long)]
    json: bool,
}

/// Checks a connector file.
pub(super) async fn validate(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let (worker, mut findings) = match load::worker(context) {
        Ok(loaded) => loaded,
        Err(error) => match error.downcast::<ConfigError>() {
            // A worker file that can be read and is wrong is a finding.
            Ok(ConfigError::Invalid { findings, .. }) => {
                let nothing = ConnectorConfig::none();
                let json = arguments.json.then(|| ConfigInfos::new(&nothing, None, &[], &findings));
                return show(context, &findings, &nothing, json);
            }
            Ok(error) => return Err(error.into()),
            Err(error) => return Err(error),
        },
    };
    let (_engine, catalogue) = load::catalogue(context, &worker, 1).await?;
    let (connector, Validation { known, findings: found, values }) =
        load::connector(context, &arguments.connector, &worker, &catalogue).await?;
    findings.extend(found);
    if let (true, false, Some(known)) = (arguments.online, findings.has_errors(), known) {
        if !arguments.json {
            show(context, &findings, &connector, None)?;
        }
        return preflight::online(context, &worker, &connector, known, arguments.json).await;
    }
    let json = match known {
        _ if !arguments.json => None,
        None => Some(ConfigInfos::new(&connector, None, &[], &findings)),
        Some(known) => Some(ConfigInfos::new(&connector, Some(&known.1), &values, &findings)),
    };
    show(context, &findings, &connector, json)
}

fn show(
    context: &Context,
    findings: &Findings,
    connector: &ConnectorConfig,
    json: Option<ConfigInfos>,
) -> anyhow::Result<Exit> {
    if let Some(infos) = json {
        let people = findings_table::lines(findings, |finding| finding.severity != Severity::Error);
        context.screen.write_people(people.as_bytes())?;
        context.screen.write_data(format!("{}\n", serde_json::to_string(&infos)?).as_bytes())?;
    } else {
        let mut text = if super::Screen::stdout_is_terminal() {
            findings_table::table(findings, findings_table::columns(), super::Screen::stdout_has_colours())
        } else {
            findings_table::lines(findings, |_| true)
        };
        if !findings.has_errors() {
            text.push_str(&format!("{} is valid\n", connector.name));
        }
        context.screen.write_data(text.as_bytes())?;
    }
    Ok(if findings.has_errors() { Exit::Refused } else { Exit::Done })
}
