//! Kafka Connect's `ConfigInfos`, the answer of `PUT /connector-plugins/{plugin}/config/validate`: every setting with its
//! definition, its value and what is wrong with it.

use serde::Serialize;

use super::plugin_settings;
use crate::{
    config::{
        ConnectorConfig, Finding, Findings, MASK,
        keys::{self, GROUPS, Importance, KEYS, Key, Kind, Width},
    },
    engine::{self, ConfigDefinition, ConfigType, ConfigValue, Description},
};

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigInfos {
    /// The class, as it is given.
    pub name: String,
    /// Errors of all settings together.
    pub error_count: usize,
    /// Groups of settings, in the order in which forms show them.
    pub groups: Vec<String>,
    /// Every setting.
    pub configs: Vec<ConfigInfo>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigInfo {
    /// What it is; null for a name that nothing defines.
    pub definition: Option<ConfigKeyInfo>,
    /// What it has in this configuration.
    pub value: ConfigValueInfo,
}

/// Kafka Connect's `ConfigKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are Kafka Connect's")]
pub struct ConfigKeyInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: &'static str,
    pub documentation: String,
    pub group: Option<String>,
    pub order_in_group: i32,
    pub width: &'static str,
    pub display_name: String,
    pub dependents: Vec<String>,
}

/// Kafka Connect's `ConfigValueInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are Kafka Connect's")]
pub struct ConfigValueInfo {
    pub name: String,
    pub value: Option<String>,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl ConfigInfos {
    /// The answer about a configuration: the host's settings, the component's, then the given members of families and
    /// what else has an error. Warnings have no place in it.
    #[must_use]
    pub fn new(
        connector: &ConnectorConfig,
        description: Option<&Description>,
        values: &[ConfigValue],
        findings: &Findings,
    ) -> Self {
        let given = |name: &str| connector.properties.iter().find(|(key, _)| key == name).map(|(_, v)| v.as_str());
        let single = |key: &&Key| !key.is_family();
        let mut configs: Vec<ConfigInfo> =
            KEYS.iter().filter(single).map(|key| of_host(key, key.name, given(key.name))).collect();
        let known = configs.len();
        for definition in
            description.iter().flat_map(|found| plugin_settings::definitions(&connector.properties, found))
        {
            let value = values.iter().find(|value| value.name == definition.name);
            let mut info = of_component(&definition, value, given(&definition.name));
            if let Some(description) = description.filter(|_| definition.config_type == ConfigType::Class) {
                info.value.recommended_values = plugin_settings::classes(description, &definition.name);
            }
            configs.push(info);
        }
        for definition in description.iter().flat_map(|description| &description.config) {
            let of_both = configs[..known].iter().any(|info| info.value.name == definition.name);
            if !of_both && !definition.name.ends_with('*') {
                let value = values.iter().find(|value| value.name == definition.name);
                configs.push(of_component(definition, value, given(&definition.name)));
            }
        }
        for (name, value) in &connector.properties {
            let family = keys::find(name).filter(|key| key.is_family());
            if let Some(family) = family.filter(|_| configs.iter().all(|info| info.value.name != *name)) {
                configs.push(of_host(family, name, Some(value)));
            }
        }
        for finding in findings.iter().filter(|finding| finding.is_error()) {
            let index = configs.iter().position(|info| info.value.name == finding.property).unwrap_or_else(|| {
                configs.push(ConfigInfo { definition: None, value: value(&finding.property, None) });
                configs.len() - 1
            });
            configs[index].value.errors.push(sentence(finding));
        }
        Self {
            name: given("connector.class").unwrap_or_default().to_owned(),
            error_count: configs.iter().map(|info| info.value.errors.len()).sum(),
            groups: groups(&configs),
            configs,
        }
    }
}

/// The host's groups in their order, then the component's as they come; only those that have a setting.
fn groups(configs: &[ConfigInfo]) -> Vec<String> {
    let used = || configs.iter().filter_map(|info| info.definition.as_ref()?.group.clone());
    let mut groups: Vec<String> =
        GROUPS.iter().filter(|group| used().any(|name| name == **group)).map(|group| (*group).to_owned()).collect();
    for group in used() {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// An error in Kafka Connect's words, with our remedy behind.
fn sentence(finding: &Finding) -> String {
    let Finding { property, value, reason, remedy, .. } = finding;
    let verb = ["is ", "has ", "contains ", "cannot ", "names ", "allows ", "occurs ", "differs "];
    let mut text = match value {
        _ if reason.contains(&**property) => reason.clone(),
        Some(value) if verb.iter().any(|verb| reason.starts_with(verb)) => {
            format!("Invalid value {value} for configuration {property}: it {reason}")
        }
        Some(value) => format!("Invalid value {value} for configuration {property}: {reason}"),
        None => format!("{property} {reason}"),
    };
    if !remedy.is_empty() {
        text.push_str(". ");
        text.push_str(remedy);
    }
    text
}

fn value(name: &str, value: Option<String>) -> ConfigValueInfo {
    ConfigValueInfo { name: name.to_owned(), value, recommended_values: vec![], errors: vec![], visible: true }
}

/// A value as Kafka Connect shows it: null when it cannot be read as its type, a mask for a password.
fn shown(kind: Kind, given: Option<&str>, default: Option<&str>) -> Option<String> {
    let text = given.or(default)?;
    match kind {
        Kind::Password => Some(MASK.to_owned()),
        kind => kind.parses(text).then(|| text.trim().to_owned()),
    }
}

fn of_host(key: &Key, name: &str, given: Option<&str>) -> ConfigInfo {
    // The type of a family is that of its chief member.
    let kind = if key.is_family() { Kind::String } else { key.kind };
    let secret = crate::config::is_secret_name(name);
    let definition = ConfigKeyInfo {
        name: name.to_owned(),
        kind: if secret { Kind::Password } else { kind }.word(),
        required: key.required,
        default_value: key.default.filter(|_| !key.is_family()).map(str::to_owned),
        importance: match key.importance {
            Importance::High => "HIGH",
            Importance::Medium => "MEDIUM",
            Importance::Low => "LOW",
        },
        documentation: key.doc.to_owned(),
        group: Some(key.group).filter(|group| !group.is_empty()).map(str::to_owned),
        order_in_group: if key.is_family() { -1 } else { key.order },
        width: match key.width {
            Width::None => "NONE",
            Width::Short => "SHORT",
            Width::Medium => "MEDIUM",
            Width::Long => "LONG",
        },
        display_name: if key.is_family() || key.display_name.is_empty() { name } else { key.display_name }.to_owned(),
        dependents: Vec::new(),
    };
    let kind = if secret { Kind::Password } else { kind };
    ConfigInfo {
        value: value(name, shown(kind, given, definition.default_value.as_deref())),
        definition: Some(definition),
    }
}

fn kind_of(config_type: ConfigType) -> Kind {
    match config_type {
        ConfigType::Boolean => Kind::Boolean,
        ConfigType::Int | ConfigType::Short => Kind::Int,
        ConfigType::Long => Kind::Long,
        ConfigType::List => Kind::List,
        ConfigType::Class => Kind::Class,
        ConfigType::Password => Kind::Password,
        ConfigType::String | ConfigType::Double => Kind::String,
    }
}

fn of_component(definition: &ConfigDefinition, found: Option<&ConfigValue>, given: Option<&str>) -> ConfigInfo {
    let kind = kind_of(definition.config_type);
    let in_effect = found.and_then(|found| found.value.as_deref());
    let text = if kind == Kind::Password { given } else { in_effect.or(given) };
    ConfigInfo {
        value: ConfigValueInfo {
            name: definition.name.clone(),
            value: shown(kind, text, definition.default_value.as_deref()),
            recommended_values: found.map(|found| found.recommended_values.clone()).unwrap_or_default(),
            errors: Vec::new(),
            visible: found.is_none_or(|found| found.visible),
        },
        definition: Some(key_info(definition)),
    }
}

/// A setting of a component or of a plugin.
pub(super) fn key_info(definition: &ConfigDefinition) -> ConfigKeyInfo {
    let kind = kind_of(definition.config_type);
    ConfigKeyInfo {
        name: definition.name.clone(),
        kind: type_word(definition.config_type),
        required: definition.required,
        default_value: match definition.default_value.as_deref() {
            Some(_) if kind == Kind::Password => Some(MASK.to_owned()),
            default => default.map(str::to_owned),
        },
        importance: match definition.importance {
            engine::Importance::High => "HIGH",
            engine::Importance::Medium => "MEDIUM",
            engine::Importance::Low => "LOW",
        },
        documentation: definition.documentation.clone(),
        group: Some(definition.group.clone()).filter(|group| !group.is_empty()),
        order_in_group: definition.order_in_group,
        width: match definition.width {
            engine::Width::None => "NONE",
            engine::Width::Short => "SHORT",
            engine::Width::Medium => "MEDIUM",
            engine::Width::Long => "LONG",
        },
        display_name: match definition.display_name.as_str() {
            "" => definition.name.clone(),
            name => name.to_owned(),
        },
        dependents: definition.dependents.clone(),
    }
}

fn type_word(kind: ConfigType) -> &'static str {
    match kind {
        ConfigType::Boolean => "BOOLEAN",
        ConfigType::String => "STRING",
        ConfigType::Int => "INT",
        ConfigType::Short => "SHORT",
        ConfigType::Long => "LONG",
        ConfigType::Double => "DOUBLE",
        ConfigType::List => "LIST",
        ConfigType::Class => "CLASS",
        ConfigType::Password => "PASSWORD",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::WorkerConfig;

    fn definition(name: &str, config_type: ConfigType, default: Option<&str>) -> ConfigDefinition {
        ConfigDefinition {
            name: name.to_owned(),
            config_type,
            required: default.is_none(),
            default_value: default.map(str::to_owned),
            importance: engine::Importance::High,
            documentation: "Words.".to_owned(),
            valid_values: String::new(),
            group: "Login".to_owned(),
            order_in_group: 1,
            width: engine::Width::Long,
            display_name: String::new(),
            dependents: vec![],
            is_file: false,
        }
    }

    fn infos(pairs: &[(&str, &str)], component: &[ConfigDefinition]) -> ConfigInfos {
        let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (connector, findings) = ConnectorConfig::from_properties(owned, &WorkerConfig::default());
        let description = Description {
            plugins: vec![],
            classes: vec!["C".to_owned()],
            version: "1".to_owned(),
            summary: String::new(),
            network: vec![],
            config: component.to_vec(),
        };
        ConfigInfos::new(&connector, Some(&description), &[], &findings)
    }

    #[test]
    fn values_errors_and_secrets() {
        let component = [
            definition("a.key", ConfigType::Password, None),
            definition("a.tries", ConfigType::Int, Some("5")),
            definition("a.family.*", ConfigType::String, Some("x")),
            definition("connector.class", ConfigType::Class, Some("C")),
        ];
        let found = infos(
            &[
                ("connector.class", "C"),
                ("tasks.max", "many"),
                ("a.key", "canary-1"),
                ("kafka.api.secret", "canary-2"),
                ("producer.override.linger.ms", "soon"),
                ("producer.override.sasl.jaas.config", "canary-3"),
                ("unknown", "x"),
            ],
            &component,
        );
        let of = |name: &str| found.configs.iter().find(|info| info.value.name == name);
        let value = |name: &str| of(name).and_then(|info| info.value.value.clone());
        assert_eq!(found.name, "C");
        assert_eq!(value("tasks.max"), None, "it cannot be read");
        assert_eq!(value("a.tries").as_deref(), Some("5"));
        assert_eq!(value("a.key").as_deref(), Some(MASK));
        assert_eq!(value("kafka.api.secret").as_deref(), Some(MASK));
        assert_eq!(
            of("name").unwrap().value.errors,
            ["name is missing. Give the connector a name; offsets are stored under it."]
        );
        let error = &of("tasks.max").unwrap().value.errors[0];
        assert!(
            error.starts_with("Invalid value many for configuration tasks.max: it is not a whole number"),
            "{error}"
        );
        assert!(of("producer.override.linger.ms").unwrap().definition.is_some());
        assert!(of("unknown").is_none() && of("a.family.*").is_none() && of("topic.creation.*").is_none());
        assert_eq!(found.configs.iter().filter(|info| info.value.name == "connector.class").count(), 1);
        assert_eq!(found.error_count, found.configs.iter().map(|info| info.value.errors.len()).sum::<usize>());
        assert_eq!(
            (found.groups.first().map(String::as_str), found.groups.last().map(String::as_str)),
            (Some("Common"), Some("Login"))
        );
        let text = serde_json::to_string(&found).unwrap();
        assert!(!text.contains("canary"), "{text}");
    }

    /// The shape that a real worker prints, Kafka 4.3.1: `tests/golden/config-infos.json` holds its answer.
    #[test]
    fn members_and_types_are_those_of_a_real_worker() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/config-infos.json");
        let theirs: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let component = [definition("a.key", ConfigType::Password, None)];
        let ours = infos(&[("connector.class", "C"), ("name", "n")], &component);
        let ours: serde_json::Value = serde_json::from_str(&serde_json::to_string(&ours).unwrap()).unwrap();
        assert_eq!(members(&ours), members(&theirs));
        let of = |document: &serde_json::Value, part: &str, name: &str| {
            let configs = document["configs"].as_array().unwrap();
            configs.iter().find(|info| info["value"]["name"] == name).map(|info| info[part].clone())
        };
        let mut compared = 0;
        for info in theirs["configs"].as_array().unwrap() {
            let name = info["value"]["name"].as_str().unwrap();
            let (Some(mine), Some(their)) = (of(&ours, "definition", name), of(&theirs, "definition", name)) else {
                continue;
            };
            assert_eq!(members(&mine), members(&their), "{name}");
            for member in ["name", "type", "required", "importance", "group", "order_in_group", "width", "display_name"]
            {
                assert_eq!(mine[member], their[member], "{member} of {name}");
            }
            if name != "connector.plugin.version" {
                assert_eq!(mine["default_value"], their["default_value"], "default of {name}");
            }
            let (mine, their) = (of(&ours, "value", name).unwrap(), of(&theirs, "value", name).unwrap());
            assert_eq!(members(&mine), members(&their), "{name}");
            compared += 1;
        }
        assert!(compared >= 15, "{compared} settings are in both");
        let theirs: Vec<&str> = theirs["groups"].as_array().unwrap().iter().filter_map(|g| g.as_str()).collect();
        let ours: Vec<&str> = ours["groups"].as_array().unwrap().iter().filter_map(|g| g.as_str()).collect();
        let shared: Vec<&str> = theirs.iter().copied().filter(|group| ours.contains(group)).collect();
        let mine: Vec<&str> = ours.iter().copied().filter(|group| theirs.contains(group)).collect();
        assert_eq!(mine, shared, "the groups of both come in the same order");
    }

    fn members(value: &serde_json::Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }
}
