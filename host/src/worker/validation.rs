//! What is wrong with a connector's configuration: the host's findings and the component's, together.

use super::settings::{component_settings, secrets};
use crate::{
    config::{
        ConnectorConfig, Findings, WorkerConfig, did_you_mean_of,
        keys::{self, KEYS},
    },
    engine::{Catalogue, Component, ConfigValue, Description, Instance, InstanceParts},
    imports::allow_list::{self, AllowList},
    telemetry::Telemetry,
};

/// Why a configuration could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// The component failed in it.
    #[error("{0}")]
    Trapped(String),
    /// The worker's or the component's list of origins.
    #[error("{named_by}: {reason}")]
    AllowList {
        /// Whose list it is.
        named_by: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// What was found.
pub struct Validation<'a> {
    /// The component that knows the class, if one does.
    pub known: Option<&'a (Component, Description)>,
    /// Everything. With an error among it the configuration is not to be used.
    pub findings: Findings,
    /// The component's answer about every setting.
    pub values: Vec<ConfigValue>,
}

impl<'a> Validation<'a> {
    /// Lets the component check a configuration too, of which the host has found `findings`.
    ///
    /// # Errors
    /// It could not be looked at.
    pub async fn of(
        connector: &ConnectorConfig,
        mut findings: Findings,
        worker: &WorkerConfig,
        catalogue: &'a Catalogue,
        telemetry: &Telemetry,
    ) -> Result<Self, ValidationError> {
        // A class that is missing is a finding already.
        let found = Some(&connector.class).filter(|class| !class.is_empty()).map(|class| catalogue.find(class));
        let Some(Ok(known)) = found else {
            if found.is_some() {
                let reason = format!("is not known; the components at hand have {}", catalogue.classes().join(", "));
                let remedy = "Write one of these, or name another component with --component.";
                findings.error("connector.class", Some(&connector.class), reason, remedy);
            }
            return Ok(Self { known: None, findings, values: Vec::new() });
        };
        check_proxy(connector, worker, &known.1, &mut findings)?;
        let values = ask(connector, known, telemetry, &mut findings).await?;
        Ok(Self { known: Some(known), findings, values })
    }
}

/// Where the component may connect: as the worker file says, else as the component declares; and to what the worker file
/// itself gives connectors as a default, such as a schema registry.
///
/// # Errors
/// A pattern that is none.
pub fn allow_list(worker: &WorkerConfig, description: &Description) -> Result<AllowList, ValidationError> {
    let (patterns, named_by) = match &worker.network.allow {
        Some(patterns) => (patterns, "tributary.network.allow"),
        None => (&description.network, "what the component declares"),
    };
    let defaults = allow_list::origins(worker.connector_defaults.iter().map(|(_, value)| value.as_str()));
    AllowList::parse(patterns.iter().chain(&defaults))
        .map_err(|error| ValidationError::AllowList { named_by, reason: error.to_string() })
}

/// A proxy that the connector names is an origin like any other.
fn check_proxy(
    connector: &ConnectorConfig,
    worker: &WorkerConfig,
    description: &Description,
    findings: &mut Findings,
) -> Result<(), ValidationError> {
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

/// What the component finds, and its own answer about every setting. Files that cannot be read are noted.
async fn ask(
    connector: &ConnectorConfig,
    (component, description): &(Component, Description),
    telemetry: &Telemetry,
    findings: &mut Findings,
) -> Result<Vec<ConfigValue>, ValidationError> {
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
    let trapped = |error: crate::engine::Trapped| ValidationError::Trapped(error.to_string());
    let parts = InstanceParts::for_questions(telemetry.clone(), secrets(description, connector));
    let mut instance = Instance::new(component, parts).await.map_err(|(error, _)| trapped(error))?;
    let values = instance.validate(&settings).await.map_err(trapped)?;
    for value in &values {
        let already = findings.iter().any(|finding| finding.property == value.name && finding.is_error());
        if let Some(remedy) = unknown(description, &value.name, value.errors.is_empty()) {
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
    Ok(values)
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
