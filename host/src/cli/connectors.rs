//! `tributary connectors`: a running service, asked over its REST API. Works on Kafka Connect's as well.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::{
    Context, Exit,
    service::{Address, Asked, Service, in_path},
};
use crate::config::{ConnectorConfig, WorkerConfig};

/// What `connectors` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    address: Address,
    /// The answers as they are, in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every connector with its state
    List,
    /// One connector, with the reason of a failure
    Status {
        /// Its name
        name: String,
    },
    /// Makes a connector from a file, or gives it that configuration if it is there
    Create {
        /// JSON, flat or with "config", or Java .properties
        #[arg(value_name = "CONNECTOR")]
        file: PathBuf,
    },
    /// Ends its work, and keeps its place
    Pause {
        /// Its name
        name: String,
    },
    /// Goes on where it was paused or stopped
    Resume {
        /// Its name
        name: String,
    },
    /// Leaves nothing of it but its configuration and its offsets
    Stop {
        /// Its name
        name: String,
    },
    /// Starts its task anew
    Restart {
        /// Its name
        name: String,
    },
    /// Removes it; its offsets stay
    Delete {
        /// Its name
        name: String,
    },
}

/// Asks the service.
pub(super) async fn connectors(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let service = Service::new(&arguments.address, arguments.json)?;
    let asked = match &arguments.action {
        Action::List => service.list(context).await,
        Action::Status { name } => service.status(context, name).await,
        Action::Create { file } => service.create(context, file).await,
        Action::Pause { name } => service.tell(context, Method::PUT, name, "/pause", "is paused").await,
        Action::Resume { name } => service.tell(context, Method::PUT, name, "/resume", "goes on").await,
        Action::Stop { name } => service.tell(context, Method::PUT, name, "/stop", "is stopped").await,
        Action::Delete { name } => {
            service.tell(context, Method::DELETE, name, "", "is removed; its offsets stay").await
        }
        Action::Restart { name } => {
            service.tell(context, Method::POST, name, "/restart?includeTasks=true", "starts anew").await
        }
    };
    super::service::exit(context, asked)
}

impl Service {
    async fn list(&self, context: &Context) -> Result<(), Asked> {
        let answer = self.ask(Method::GET, "/connectors?expand=status&expand=info", None).await?;
        self.show(context, &answer, |answer| {
            let rows = answer.as_object().into_iter().flatten();
            table(rows.map(|(name, connector)| row(name, &connector["status"])))
        })
    }

    async fn status(&self, context: &Context, name: &str) -> Result<(), Asked> {
        let answer = self.ask(Method::GET, &format!("/connectors/{}/status", in_path(name)), None).await?;
        self.show(context, &answer, |answer| {
            let mut text = table(std::iter::once(row(name, answer)));
            let traces = [&answer["connector"]["trace"], &answer["tasks"][0]["trace"]];
            for trace in traces.into_iter().filter_map(Value::as_str) {
                text.push_str(trace);
                text.push('\n');
            }
            text
        })
    }

    async fn create(&self, context: &Context, file: &std::path::Path) -> Result<(), Asked> {
        // References stay what they are: the service resolves them where it runs.
        let (connector, _) = ConnectorConfig::read(file, &WorkerConfig::default())?;
        let given = connector.references.unwrap_or(connector.properties);
        if connector.name.is_empty() {
            return Err(anyhow!("{}: the connector has no name", file.display()).into());
        }
        let config: Map<String, Value> = given.into_iter().map(|(name, value)| (name, value.into())).collect();
        let path = format!("/connectors/{}/config", in_path(&connector.name));
        let answer = self.ask(Method::PUT, &path, Some(&Value::Object(config))).await?;
        self.show(context, &answer, |_| format!("{} is there\n", connector.name))
    }

    async fn tell(&self, context: &Context, method: Method, name: &str, path: &str, done: &str) -> Result<(), Asked> {
        self.ask(method, &format!("/connectors/{}{path}", in_path(name)), None).await?;
        self.show(context, &json!({"name": name}), |_| format!("{name} {done}\n"))
    }
}

/// Name, state, task, worker, version.
fn row(name: &str, status: &Value) -> [String; 5] {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let connector = &status["connector"];
    [
        name.to_owned(),
        text(&connector["state"]),
        text(&status["tasks"][0]["state"]),
        text(&connector["worker_id"]),
        text(&connector["version"]),
    ]
}

fn table(rows: impl Iterator<Item = [String; 5]>) -> String {
    let head = ["CONNECTOR", "STATE", "TASK", "WORKER", "VERSION"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    super::pretty::columns(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_its_widest_cell() {
        let status = json!({"connector": {"state": "RUNNING", "worker_id": "w", "version": null}, "tasks": []});
        let text = table([row("a-long-name", &status), row("b", &Value::Null)].into_iter());
        let expected = "CONNECTOR    STATE    TASK  WORKER  VERSION\na-long-name  RUNNING  -     w       -\nb            -        -     -       -\n";
        assert_eq!(text, expected);
    }
}
