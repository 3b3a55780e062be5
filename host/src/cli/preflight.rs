//! `tributary validate --online`: asks every service that the connector would need, and changes nothing anywhere. The
//! network and Kafka are the host's part, the far side is the component's.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use serde_json::json;
use tokio::sync::watch;

use super::{Context, Exit, load};
use crate::{
    check::{Check, CheckStatus},
    config::{ConnectorConfig, ProxySettings, WorkerConfig},
    engine::{CallError, Component, Description, Instance, InstanceParts},
    imports::{
        allow_list::{self, AllowList},
        http::Clients,
    },
    worker::{component_settings, secrets},
};

/// How long one call into the component may take.
const STEP: Duration = Duration::from_millis(500);
/// How long the component may take in all.
const COMPONENT_WITHIN: Duration = Duration::from_secs(300);

/// Performs the checks and shows each as it is done, or all of them as JSON.
pub(super) async fn online(
    context: &Context,
    worker: &WorkerConfig,
    connector: &ConnectorConfig,
    (component, description): &(Component, Description),
    as_json: bool,
) -> anyhow::Result<Exit> {
    let mut report = Report { context, as_json, checks: Vec::new() };
    let clients = Clients::new(&worker.network, &context.telemetry)?;
    let way = Way { clients, allow: crate::worker::allow_list(worker, description)?, proxy: connector.proxy() };
    let settings = component_settings(description, connector).map_err(|errors| anyhow!("{errors:?}"))?;
    let parts = InstanceParts::for_questions(context.telemetry.clone(), secrets(description, connector));
    let mut asked = Instance::new(component, parts).await.map_err(|(trapped, _)| anyhow!(trapped))?;
    let values = asked.validate(&settings).await?;
    for origin in allow_list::origins(values.iter().filter_map(|value| value.value.as_deref())) {
        for check in way.clients.probe(&origin, &way.allow, way.proxy.as_ref()).await {
            report.add(check)?;
        }
    }
    let mut topics = Vec::new();
    ask_component(component, description, connector, &settings, &way, &mut topics, &mut report).await?;
    if let Some(check) = kafka_tls(context, worker, connector).await {
        report.add(check)?;
    }
    for check in load::backend(worker).preflight(connector, &topics).await {
        report.add(check)?;
    }
    report.end(&connector.name)
}

/// TLS with the first broker, if it is spoken there. A broker that wants a certificate of ours may end the handshake: what
/// comes of the login tells more then.
async fn kafka_tls(context: &Context, worker: &WorkerConfig, connector: &ConnectorConfig) -> Option<Check> {
    let kafka = worker.kafka.as_ref()?;
    let own = connector.host_settings(worker).ok()?.login.map(|login| login.security);
    let tls = own.or_else(|| worker.security_now())?.tls?;
    let address = kafka.bootstrap_servers.split(',').map(str::trim).find(|server| !server.is_empty())?;
    let check = Clients::probe_server("kafka-tls", address, tls.trust.as_ref(), &context.telemetry).await;
    (check.status != CheckStatus::Fail || tls.identity.is_none()).then_some(check)
}

/// How the component connects.
struct Way {
    clients: Clients,
    allow: AllowList,
    proxy: Option<ProxySettings>,
}

async fn ask_component(
    component: &Component,
    description: &Description,
    connector: &ConnectorConfig,
    settings: &[(String, String)],
    way: &Way,
    topics: &mut Vec<String>,
    report: &mut Report<'_>,
) -> anyhow::Result<()> {
    // Held to the end: an instance whose other end is gone would take that for a stop.
    let (_keep, stop) = watch::channel(false);
    let parts = InstanceParts {
        connector: Arc::from(connector.name.as_str()),
        sink: None,
        stop,
        client: Some(way.clients.with(&way.allow, way.proxy.as_ref())?),
        telemetry: report.context.telemetry.clone(),
        secrets: secrets(description, connector),
    };
    let mut instance = Instance::new(component, parts).await.map_err(|(trapped, _)| anyhow!(trapped))?;
    if let Err(error) = instance.configure(settings, None).await {
        return report.add(Check::fail_text("component", &error.to_string()));
    }
    let until = Instant::now() + COMPONENT_WITHIN;
    loop {
        match instance.preflight(STEP).await {
            Ok(progress) => {
                for check in progress.checks {
                    report.add(check)?;
                }
                topics.extend(progress.topics);
                if progress.done {
                    break;
                }
            }
            Err(CallError::Failure(failure)) => return report.add(Check::fail_text("component", &failure.message)),
            Err(CallError::Trapped(trapped)) => return report.add(Check::fail_text("component", &trapped.to_string())),
        }
        if Instant::now() >= until {
            let message = format!("The component was not done after {} s", COMPONENT_WITHIN.as_secs());
            return report.add(Check::fail("component", message, "Check the network, and try again."));
        }
    }
    instance.close(STEP).await.map_err(|trapped| anyhow!(trapped))
}

/// The checks so far.
struct Report<'a> {
    context: &'a Context,
    as_json: bool,
    checks: Vec<Check>,
}

impl Report<'_> {
    fn add(&mut self, check: Check) -> anyhow::Result<()> {
        if !self.as_json {
            let text = line(&check, super::Screen::stdout_is_terminal() && std::env::var_os("NO_COLOR").is_none());
            self.context.screen.write_data(text.as_bytes())?;
        }
        self.checks.push(check);
        Ok(())
    }

    fn end(self, name: &str) -> anyhow::Result<Exit> {
        let count = |status| self.checks.iter().filter(|check| check.status == status).count();
        let (fails, warnings) = (count(CheckStatus::Fail), count(CheckStatus::Warn));
        let text = if self.as_json {
            format!("{:#}\n", json!({"name": name, "checks": self.checks}))
        } else {
            let verdict = if fails == 0 { "can run" } else { "cannot run" };
            format!("{name} {verdict}: {fails} failed, {warnings} warnings, {} passed\n", count(CheckStatus::Pass))
        };
        self.context.screen.write_data(text.as_bytes())?;
        Ok(if fails == 0 { Exit::Done } else { Exit::Refused })
    }
}

/// One check for people: what it was, how it went, and below it what to do.
fn line(check: &Check, colours: bool) -> String {
    let code = match check.status {
        CheckStatus::Pass => "32",
        CheckStatus::Warn => "33",
        CheckStatus::Fail => "31",
    };
    let word = check.status.as_str();
    let word = if colours { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
    let mut text = format!("{word}  {:<17} {}\n", check.name, check.message);
    if !check.remedy.is_empty() {
        text.push_str(&format!("      {:<17} {}\n", "", check.remedy));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_remedy_below() {
        assert_eq!(line(&Check::pass("dns", "all is well"), false), "pass  dns               all is well\n");
        let text = line(&Check::fail("tls", "no", "Do this."), true);
        assert_eq!(text, "\x1b[31mfail\x1b[0m  tls               no\n                        Do this.\n");
    }
}
