//! `tributary offsets`: reads or moves the position of a connector that is not running; with `--url` that of a running
//! service's, which is stopped for that. The data are Kafka Connect's:
//! `{"offsets":[{"partition":{},"offset":{"replayId":3826}}]}`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{
    Context, Exit, load,
    service::{Address, Asked, Service, in_path},
};
use crate::{
    config::{ConnectorConfig, WorkerConfig},
    engine::{Instance, InstanceParts},
    offsets::connect_format,
    record::{SourceOffset, SourcePartition},
    sink::{Backend, SinkError},
};

/// What `offsets` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Asks the service there, in place of the worker file's Kafka or embedded log
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
    /// Roots in PEM for an https URL, in place of the system's
    #[arg(long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Prints the stored offsets
    Get {
        /// The connector's file, or its name
        connector: String,
    },
    /// Stores an offset, from which the connector goes on when it runs again
    Alter {
        /// The connector's file, or its name
        connector: String,
        /// The offset, for example '{"replayId":3826}'
        offset: String,
        /// The source partition
        #[arg(long, default_value = "{}")]
        partition: String,
    },
    /// Removes the stored offsets; the connector begins anew
    Delete {
        /// The connector's file, or its name
        connector: String,
    },
}

/// Reads or moves offsets.
pub(super) async fn offsets(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    if let Some(url) = arguments.url {
        let address = Address { url, ca_file: arguments.ca_file };
        let service = Service::new(&address, true)?;
        return super::service::exit(context, of_service(context, &service, arguments.action).await);
    }
    let (worker, _) = load::worker(context)?;
    let backend = load::backend(&worker);
    let done = match arguments.action {
        Action::Get { connector } => get(context, &*backend, &name_of(&connector, &worker)?.0).await?,
        Action::Alter { connector, offset, partition } => {
            let (name, class) = name_of(&connector, &worker)?;
            let offset = parse(&offset).context("OFFSET")?;
            let partition = SourcePartition(parse(&partition).context("--partition")?.0);
            match check(context, &worker, class.as_deref(), &partition, &offset).await? {
                Ok(()) => backend.alter_offset(&name, &partition, Some(&offset)).await,
                Err(reason) => Err(SinkError::Refused(reason)),
            }
        }
        Action::Delete { connector } => delete(&*backend, &name_of(&connector, &worker)?.0).await,
    };
    match done {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            context.screen.write_people(format!("refused: {error}\n").as_bytes())?;
            Ok(Exit::Refused)
        }
    }
}

/// The same for a connector of a running service.
async fn of_service(context: &Context, service: &Service, action: Action) -> Result<(), Asked> {
    let path = |connector: &str| -> anyhow::Result<String> {
        Ok(format!("/connectors/{}/offsets", in_path(&name_of(connector, &WorkerConfig::default())?.0)))
    };
    let answer = match action {
        Action::Get { connector } => service.ask(Method::GET, &path(&connector)?, None).await?,
        Action::Delete { connector } => service.ask(Method::DELETE, &path(&connector)?, None).await?,
        Action::Alter { connector, offset, partition } => {
            let value = |text: &str, what: &'static str| {
                // Read as an offset first: the service is not asked for what can only be refused.
                parse(text).context(what)?;
                serde_json::from_str::<Value>(text).context(what)
            };
            let entry = json!({"partition": value(&partition, "--partition")?, "offset": value(&offset, "OFFSET")?});
            service.ask(Method::PATCH, &path(&connector)?, Some(&json!({"offsets": [entry]}))).await?
        }
    };
    service.show(context, &answer, Value::to_string)
}

/// The name, and the class where a file tells it.
fn name_of(connector: &str, worker: &WorkerConfig) -> anyhow::Result<(String, Option<String>)> {
    let path = Path::new(connector);
    if !path.is_file() {
        return Ok((connector.to_owned(), None));
    }
    // What else may be wrong in the file is of no matter here.
    let (config, _) = ConnectorConfig::read(path, worker)?;
    if config.name.is_empty() {
        return Err(anyhow!("{connector}: the connector has no name"));
    }
    Ok((config.name, Some(config.class)))
}

async fn get(context: &Context, backend: &dyn Backend, name: &str) -> anyhow::Result<Result<(), SinkError>> {
    let offsets = match backend.offsets(name).await {
        Ok(offsets) => offsets,
        Err(error) => return Ok(Err(error)),
    };
    let entries: Vec<String> = offsets.iter().map(|(partition, offset)| entry(partition, offset)).collect();
    context.screen.write_data(format!("{{\"offsets\":[{}]}}\n", entries.join(",")).as_bytes())?;
    Ok(Ok(()))
}

fn entry(partition: &SourcePartition, offset: &SourceOffset) -> String {
    let text = |offset: &SourceOffset| String::from_utf8_lossy(&connect_format::value(offset)).into_owned();
    let partition = text(&SourceOffset(partition.0.clone()));
    format!("{{\"partition\":{partition},\"offset\":{}}}", text(offset))
}

async fn delete(backend: &dyn Backend, name: &str) -> Result<(), SinkError> {
    for (partition, _) in backend.offsets(name).await? {
        backend.alter_offset(name, &partition, None).await?;
    }
    Ok(())
}

fn parse(text: &str) -> anyhow::Result<SourceOffset> {
    connect_format::parse_value(Some(text.as_bytes()))?
        .ok_or_else(|| anyhow!("null is no offset; `tributary offsets delete` removes it"))
}

/// Asks the component whether the offset is of its shape.
async fn check(
    context: &Context,
    worker: &WorkerConfig,
    class: Option<&str>,
    partition: &SourcePartition,
    offset: &SourceOffset,
) -> anyhow::Result<Result<(), String>> {
    let (_engine, catalogue) = load::catalogue(context, worker, 1).await?;
    let (component, _) = match (class, catalogue.components()) {
        (Some(class), _) => catalogue.find(class)?,
        (None, [only]) => only,
        (None, _) => {
            return Err(anyhow!("there are several components; give the connector's file instead of its name"));
        }
    };
    let parts = InstanceParts::for_questions(context.telemetry.clone(), vec![]);
    let mut instance = Instance::new(component, parts).await.map_err(|(trapped, _)| anyhow!(trapped))?;
    Ok(instance.validate_offset(partition, Some(offset)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_and_written_as_kafka_connect_does() {
        let offset = parse(r#"{"replayId": 3826}"#).ok();
        assert!(offset.is_some());
        let entry = offset.map(|offset| entry(&SourcePartition::default(), &offset));
        assert_eq!(entry.as_deref(), Some(r#"{"partition":{},"offset":{"replayId":3826}}"#));
        for text in ["", "3826", "[]", "null", "{\"replayId\":[1]}", "{"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
