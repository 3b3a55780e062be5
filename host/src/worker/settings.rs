//! What a component gets to see of a configuration: its settings, with the content of files in place of their names,
//! and what of it must never be seen by anybody else.

use std::{fs, io::Read};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    config::{ConnectorConfig, is_secret_name},
    engine::{ConfigType, Description},
};

/// Size of a file that a setting names: a keystore, a key.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file that cannot be handed over.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property}: {path} cannot be read: {reason}")]
pub struct SettingsError {
    /// The setting.
    pub property: String,
    /// The file.
    pub path: String,
    /// The system's reason.
    pub reason: String,
}

/// The settings as the component gets them.
///
/// # Errors
/// Every file that cannot be read.
pub fn component_settings(
    description: &Description,
    connector: &ConnectorConfig,
) -> Result<Vec<(String, String)>, Vec<SettingsError>> {
    let is_file = |name: &str| description.config.iter().any(|setting| setting.is_file && setting.name == name);
    let mut settings = Vec::with_capacity(connector.component_properties.len());
    let mut errors = Vec::new();
    for (name, value) in &connector.component_properties {
        if !is_file(name) || value.is_empty() {
            settings.push((name.clone(), value.clone()));
            continue;
        }
        match read(value) {
            Ok(bytes) => settings.push((name.clone(), STANDARD.encode(bytes))),
            Err(reason) => errors.push(SettingsError { property: name.clone(), path: value.clone(), reason }),
        }
    }
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("it is larger than {FILE_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}

/// Whether a setting's value must never be seen: it is declared a password, or has the name of one.
#[must_use]
pub fn is_secret(description: &Description, name: &str) -> bool {
    let declared =
        description.config.iter().any(|setting| setting.config_type == ConfigType::Password && setting.name == name);
    declared || is_secret_name(name)
}

/// The values of password settings, the host's own among them by their names.
#[must_use]
pub fn secrets(description: &Description, connector: &ConnectorConfig) -> Vec<String> {
    let properties = connector.properties.iter().chain(&connector.component_properties);
    properties.filter(|(name, _)| is_secret(description, name)).map(|(_, value)| value.clone()).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
pub(crate) mod tests {
    use super::*;
    use crate::engine::{ConfigDefinition, Importance, Width};

    pub(crate) fn connector(properties: &[(&str, &str)]) -> ConnectorConfig {
        let properties: Vec<(String, String)> =
            properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ConnectorConfig {
            name: "accounts".to_owned(),
            class: "Test".to_owned(),
            references: None,
            component_properties: properties.clone(),
            properties,
        }
    }

    fn setting(name: &str, config_type: ConfigType, is_file: bool) -> ConfigDefinition {
        ConfigDefinition {
            name: name.to_owned(),
            config_type,
            required: false,
            default_value: None,
            importance: Importance::Low,
            documentation: String::new(),
            valid_values: String::new(),
            group: String::new(),
            order_in_group: 0,
            width: Width::None,
            display_name: String::new(),
            dependents: vec![],
            is_file,
        }
    }

    pub(crate) fn description() -> Description {
        Description {
            plugins: vec![],
            classes: vec!["Test".to_owned()],
            version: "1.0.0".to_owned(),
            summary: String::new(),
            network: vec![],
            config: vec![
                setting("keystore", ConfigType::String, true),
                setting("token", ConfigType::Password, false),
                setting("user", ConfigType::String, false),
            ],
        }
    }

    #[test]
    fn a_file_is_handed_over_by_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.jks");
        fs::write(&path, [0, 1, 254]).unwrap();
        let path = path.display().to_string();
        let connector = connector(&[("keystore", &path), ("user", "me")]);
        let settings = component_settings(&description(), &connector).unwrap();
        assert_eq!(settings, [("keystore".to_owned(), "AAH+".to_owned()), ("user".to_owned(), "me".to_owned())]);
    }

    #[test]
    fn a_file_that_is_missing_or_too_large_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("big");
        let check = |size: Option<u64>, reason: &str| {
            if let Some(size) = size {
                fs::File::create(&path).unwrap().set_len(size).unwrap();
            }
            let connector = connector(&[("keystore", &path.display().to_string())]);
            match component_settings(&description(), &connector) {
                Ok(_) => assert_eq!(reason, ""),
                Err(errors) => {
                    let text = errors[0].to_string();
                    assert!(text.starts_with("keystore: ") && text.contains(reason) && !reason.is_empty(), "{text}");
                }
            }
        };
        check(None, "No such file");
        check(Some(FILE_BYTES_MAX), "");
        check(Some(FILE_BYTES_MAX + 1), "larger than");
    }

    #[test]
    fn secrets_are_found_by_type_and_by_name() {
        let connector = connector(&[("token", "t1"), ("user", "me"), ("kafka.api.secret", "s2"), ("X.Password", "p3")]);
        let mut found = secrets(&description(), &connector);
        found.dedup();
        found.sort();
        found.dedup();
        assert_eq!(found, ["p3", "s2", "t1"]);
    }
}
