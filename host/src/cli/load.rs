//! From files to what runs: the worker's settings, the component, a connector's configuration, each with all that is to
//! be said about it.

use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::Context;
use crate::{
    config::{
        ConfigError, ConnectorConfig, Findings, WorkerConfig, did_you_mean_of,
        keys::{self, KEYS},
    },
    embedded::EmbeddedBackend,
    engine::{Cache, Catalogue, Component, ConfigValue, Description, Engine, Instance, InstanceParts, Limits, Source},
    imports::allow_list::{self, AllowList},
    kafka::KafkaBackend,
    sink::Backend,
    worker::{component_settings, secrets},
};

/// Reads the worker file, if there is one.
pub(super) fn worker(context: &Context) -> anyhow::Result<(WorkerConfig, Findings)> {
    match &context.common.worker {
        None => Ok((WorkerConfig::default(), Findings::new())),
        Some(path) => {
            let loaded = WorkerConfig::load(path)?;
            Ok((loaded.value, loaded.findings))
        }
    }
}

/// Where records and offsets go.
pub(super) fn backend(worker: &WorkerConfig) -> std::sync::Arc<dyn Backend> {
    match KafkaBackend::new(worker) {
        Some(kafka) => std::sync::Arc::new(kafka),
        None => std::sync::Arc::new(EmbeddedBackend::new(&worker.data_dir)),
    }
}

/// Starts the component runtime and loads what the command line or the worker file names.
pub(super) async fn catalogue(
    context: &Context,
    worker: &WorkerConfig,
    connectors: usize,
) -> anyhow::Result<(Engine, Catalogue)> {
    let sources = Source::find(context.common.component.as_deref(), &worker.plugin_path)?;
    let engine = Engine::new(Limits::for_connectors(connectors, worker.instance_memory_max_bytes))?;
    let cache = Cache::of_user(&worker.data_dir);
    let catalogue = Catalogue::load(&engine, &sources, &cache, &context.telemetry).await?;
    Ok((engine, catalogue))
}

/// Reads a connector file and lets its component check it. The findings are the host's and the component's; with an
/// error among them the configuration is not to be used, and there is no component if none knows the class.
pub(super) async fn connector<'a>(
    context: &Context,
    path: &Path,
    worker: &WorkerConfig,
    catalogue: &'a Catalogue,
) -> Result<(ConnectorConfig, Option<&'a (Component, Description)>, Findings), anyhow::Error> {
    let (connector, mut findings) = ConnectorConfig::read(path, worker)?;
    // A class that is missing is a finding already.
    let found = Some(&connector.class).filter(|class| !class.is_empty()).map(|class| catalogue.find(class));
    let Some(Ok(known)) = found else {
        if found.is_some() {
            let reason = format!("is not known; the components at hand have {}", catalogue.classes().join(", "));
            let remedy = "Write one of these, or name another component with --component.";
            findings.error("connector.class", Some(&connector.class), reason, remedy);
        }
        return Ok((connector, None, findings));
    };
    check_proxy(&connector, worker, &known.1, &mut findings)?;
    ask(context, &connector, known, &mut findings).await.with_context(|| path.display().to_string())?;
    Ok((connector, Some(known), findings))
}

/// Where the component may connect: as the worker file says, else as the component declares; and to what the worker file
/// itself gives connectors as a default, such as a schema registry.
pub(super) fn allow_list(worker: &WorkerConfig, description: &Description) -> anyhow::Result<AllowList> {
    let (patterns, named_by) = match &worker.network.allow {
        Some(patterns) => (patterns, "tributary.network.allow"),
        None => (&description.network, "what the component declares"),
    };
    let defaults = allow_list::origins(worker.connector_defaults.iter().map(|(_, value)| value.as_str()));
    AllowList::parse(patterns.iter().chain(&defaults)).context(named_by)
}

/// A proxy that the connector names is an origin like any other.
fn check_proxy(
    connector: &ConnectorConfig,
    worker: &WorkerConfig,
    description: &Description,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let Some(proxy) = connector.proxy() else { return Ok(()) };
    let address = proxy.address();
    if allow_list(worker, description)?.permits_proxy(&address) {
        return Ok(());
    }
    let listed = match &worker.network.allow {
        Some(_) => format!("Add http://{address} to tributary.network.allow in the worker file"),
        // The line replaces what the component declares.
        None => format!(
            "Write tributary.network.allow={},http://{address} in the worker file",
            description.network.join(",")
        ),
    };
    let remedy = format!("{listed}, or set tributary.network.proxy=http://{address} there for every connector.");
    findings.error("http.proxy", Some(&address), "is an address that the worker does not allow", remedy);
    Ok(())
}

/// What the component finds.
async fn ask(
    context: &Context,
    connector: &ConnectorConfig,
    known: &(Component, Description),
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let values = component_values(context, connector, known, findings).await?;
    for value in values {
        let already = findings.iter().any(|finding| finding.property == value.name && finding.is_error());
        if let Some(remedy) = unknown(&known.1, &value.name, value.errors.is_empty()) {
            let reason = "is a setting neither of this connector nor of its host, and has no effect";
            findings.warning(&value.name, None, reason, remedy);
            continue;
        }
        if already {
            continue;
        }
        for error in &value.errors {
            let (shown, reason, remedy) = parts_of(&value.name, error);
            findings.error(&value.name, shown, reason, remedy);
        }
        for warning in &value.warnings {
            let (shown, reason, remedy) = parts_of(&value.name, warning);
            findings.warning(&value.name, shown, reason, remedy);
        }
    }
    Ok(())
}

/// The component's own answer about every setting. Files that cannot be read are noted.
pub(super) async fn component_values(
    context: &Context,
    connector: &ConnectorConfig,
    (component, description): &(Component, Description),
    findings: &mut Findings,
) -> anyhow::Result<Vec<ConfigValue>> {
    let settings = match component_settings(description, connector) {
        Ok(settings) => settings,
        Err(errors) => {
            for error in errors {
                let reason = format!("names a file that cannot be read: {}", error.reason);
                findings.error(&error.property, Some(&error.path), reason, "Name a readable file.");
            }
            connector.component_properties.clone()
        }
    };
    let parts = InstanceParts::for_questions(context.telemetry.clone(), secrets(description, connector));
    let mut instance = Instance::new(component, parts).await.map_err(|(trapped, _)| anyhow!(trapped))?;
    Ok(instance.validate(&settings).await?)
}

/// For a name that neither the component nor the host has in its table: the nearest name of both, as a remedy.
fn unknown(description: &Description, name: &str, sound: bool) -> Option<String> {
    let of_component = || description.config.iter().map(|setting| setting.name.as_str());
    let covered = |known: &str| known == name || known.strip_suffix('*').is_some_and(|stem| name.starts_with(stem));
    if !sound || keys::find(name).is_some() || of_component().any(covered) {
        return None;
    }
    Some(did_you_mean_of(name, of_component().chain(KEYS.iter().map(|key| key.name))))
}

/// A component's text in the parts of a finding: the value, if the text begins in Kafka Connect's way; what is wrong,
/// without the property's name and the full stop that the finding adds; and what follows it.
fn parts_of<'a>(property: &str, text: &'a str) -> (Option<&'a str>, &'a str, &'a str) {
    let text = text.trim();
    let invalid = text
        .strip_prefix("Invalid value ")
        .and_then(|rest| rest.split_once(&format!(" for configuration {property}: ") as &str));
    let (value, text) = invalid.map_or((None, text), |(value, rest)| (Some(value), rest));
    let text = text.strip_prefix(property).and_then(|rest| rest.strip_prefix(' ')).unwrap_or(text);
    match text.split_once(". ") {
        Some((reason, remedy)) => (value, reason, remedy),
        None => (value, text.strip_suffix('.').unwrap_or(text), ""),
    }
}

/// The error for a file with findings.
pub(super) fn invalid(path: &Path, findings: Findings) -> ConfigError {
    ConfigError::Invalid { path: path.to_owned(), findings }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use super::*;
    use crate::imports::allow_list::Origin;

    #[test]
    fn what_the_worker_file_gives_connectors_may_be_reached() {
        let description = Description {
            classes: vec![],
            version: String::new(),
            summary: String::new(),
            network: vec!["https://*.vendor.example".to_owned()],
            config: vec![],
            plugins: vec![],
        };
        let registry = "value.converter.schema.registry.url";
        let url = "https://u:p@10.0.0.7:8081/apis/ccompat/v7";
        let origin = |text: &str| Origin::of(&text.parse().unwrap()).unwrap();
        for allow in [None, Some(vec!["https://*.vendor.example".to_owned()])] {
            let mut worker = WorkerConfig::default();
            worker.network.allow = allow;
            let reached =
                |worker: &WorkerConfig, url| allow_list(worker, &description).unwrap().permit(&origin(url)).is_some();
            assert!(!reached(&worker, "https://10.0.0.7:8081"));
            worker.connector_defaults = vec![(registry.to_owned(), url.to_owned())];
            assert!(reached(&worker, "https://10.0.0.7:8081") && reached(&worker, "https://a.vendor.example"));
            assert!(!reached(&worker, "https://10.0.0.7:8082") && !reached(&worker, "http://10.0.0.7:8081"));
        }
    }

    #[test]
    fn a_text_of_a_component_becomes_a_finding_that_reads_well() {
        for (text, finding) in [
            ("a.b is missing. Write one.", "a.b: is missing. Write one."),
            ("a.b is unknown. Did you mean a.c?", "a.b: is unknown. Did you mean a.c?"),
            ("Invalid value 1.5 for configuration a.b: no.", "a.b = 1.5: no."),
            ("Invalid value 1.5 for configuration a.c: no", "a.b: Invalid value 1.5 for configuration a.c: no."),
            ("a.bc is wrong", "a.b: a.bc is wrong."),
        ] {
            let (value, reason, remedy) = parts_of("a.b", text);
            let mut findings = Findings::new();
            findings.error("a.b", value, reason, remedy);
            assert_eq!(findings.to_string(), finding);
        }
    }
}
