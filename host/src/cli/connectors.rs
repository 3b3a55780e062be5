//! `tributary connectors`: a running service, asked over its REST API. Works on Kafka Connect's as well.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{Method, Request, StatusCode, Uri, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Map, Value, json};

use super::{Context, Exit};
use crate::{
    config::{ConnectorConfig, WorkerConfig},
    rest::encoded,
};

/// How long an answer may take; the service itself gives a request 90 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(95);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// What `connectors` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the service answers
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8083", global = true)]
    url: String,
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
    let service = Service { url: arguments.url.trim_end_matches('/').to_owned(), json: arguments.json };
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
    match asked {
        Ok(()) => Ok(Exit::Done),
        Err(Asked::Refused(reason)) => {
            context.screen.write_people(format!("refused: {reason}\n").as_bytes())?;
            Ok(Exit::Refused)
        }
        Err(Asked::Failed(error)) => Err(error),
    }
}

/// Why there is no answer that was hoped for.
enum Asked {
    /// The service says no.
    Refused(String),
    /// Nobody says anything, or nothing that could be understood.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Asked {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Service {
    url: String,
    json: bool,
}

impl Service {
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Asked> {
        let uri: Uri = format!("{}{path}", self.url).parse().with_context(|| format!("--url {}", self.url))?;
        if uri.scheme_str() != Some("http") {
            return Err(anyhow!("--url {}: only http:// is spoken here", self.url).into());
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder().method(method).uri(uri).header(CONTENT_TYPE, "application/json");
        let request = request.body(Full::new(Bytes::from(body)))?;
        let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let answer = async {
            let answer = client.request(request).await.with_context(|| format!("nobody answers at {}", self.url))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow!("the answer breaks off: {error}"))?.to_bytes();
            anyhow::Ok((status, body))
        };
        let (status, body) = tokio::time::timeout(ANSWER_WITHIN, answer)
            .await
            .map_err(|_| anyhow!("{} does not answer within {} s", self.url, ANSWER_WITHIN.as_secs()))??;
        understood(status, &body)
    }

    fn show(&self, context: &Context, answer: &Value, text: impl FnOnce(&Value) -> String) -> Result<(), Asked> {
        let shown = if self.json { format!("{answer}\n") } else { text(answer) };
        Ok(context.screen.write_data(shown.as_bytes())?)
    }

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

/// A name as one part of a path.
fn in_path(name: &str) -> String {
    encoded(name).replace('/', "%2F")
}

/// The body of a good answer, or the service's own words.
fn understood(status: StatusCode, body: &[u8]) -> Result<Value, Asked> {
    let value = if body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(body).ok() };
    match value {
        Some(value) if status.is_success() => Ok(value),
        Some(value) => {
            let message = value["message"].as_str().map_or_else(|| status.to_string(), str::to_owned);
            Err(Asked::Refused(message))
        }
        None => Err(anyhow!("the answer ({status}) is not that of a Kafka Connect worker").into()),
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

/// Columns as wide as what is in them.
fn table(rows: impl Iterator<Item = [String; 5]>) -> String {
    let head = ["CONNECTOR", "STATE", "TASK", "WORKER", "VERSION"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
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

    #[test]
    fn answers() {
        let of = |status: u16, body: &str| match understood(
            StatusCode::from_u16(status).unwrap_or_default(),
            body.as_bytes(),
        ) {
            Ok(value) => value.to_string(),
            Err(Asked::Refused(reason)) => format!("refused {reason}"),
            Err(Asked::Failed(error)) => format!("failed {error}"),
        };
        assert_eq!(of(204, ""), "null");
        assert_eq!(of(200, "[]"), "[]");
        assert_eq!(of(404, r#"{"error_code":404,"message":"Connector x not found"}"#), "refused Connector x not found");
        assert_eq!(of(500, "{}"), "refused 500 Internal Server Error");
        assert!(of(200, "<html>").starts_with("failed the answer (200 OK)"));
    }
}
