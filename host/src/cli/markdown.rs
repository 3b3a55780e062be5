//! Settings as Markdown tables: the README's are made by `tributary describe --markdown`, and a test holds them fresh.

use std::fmt::Write as _;

use crate::{
    config::{
        keys::{KEYS, Key, Treatment, Valid},
        worker_keys::WORKER_KEYS,
    },
    engine::{ConfigDefinition, ConfigType, Description, PluginKind},
};

/// The settings of a component, one table for each group.
pub(super) fn component(description: &Description) -> String {
    let class = description.classes.first().map_or("", String::as_str);
    let mut text = format!("#### Of the connector `{class}`\n");
    let mut group = None;
    for setting in &description.config {
        if group != Some(&setting.group) {
            group = Some(&setting.group);
            // Writing to a String cannot fail.
            let _ = write!(text, "\n**{}**\n\n| property | type | default | |\n|---|---|---|---|\n", setting.group);
        }
        let kind = format!("{:?}", setting.config_type).to_lowercase();
        let _ = writeln!(text, "| `{}` | {kind} | {} | {} |", setting.name, default(setting), doc(setting));
    }
    text
}

/// A component's transformations and predicates, one table for each with its options.
pub(super) fn plugins(description: &Description) -> String {
    let mut text = String::new();
    for plugin in &description.plugins {
        let name = plugin.classes.first().map_or("", String::as_str);
        let short = name.rsplit('.').next().unwrap_or(name).split('$').next().unwrap_or(name);
        let kind = match plugin.kind {
            PluginKind::Transformation => "",
            PluginKind::Predicate => "Predicate. ",
        };
        let classes: Vec<String> = plugin.classes.iter().map(|class| format!("`{class}`")).collect();
        let _ = write!(text, "\n#### {short}\n\n{kind}{}\n\n{}\n", plugin.documentation, classes.join(", "));
        if !plugin.config.is_empty() {
            text.push_str("\n| option | type | default | |\n|---|---|---|---|\n");
        }
        for option in &plugin.config {
            let of_type = format!("{:?}", option.config_type).to_lowercase();
            let _ = writeln!(text, "| `{}` | {of_type} | {} | {} |", option.name, default(option), doc(option));
        }
    }
    text
}

/// The host's own settings, of a connector and of the worker.
pub(super) fn host() -> String {
    format!(
        "\n#### Of the host, in a connector's file\n\n{}\n#### Of the worker file\n\n{}",
        table(KEYS),
        table(WORKER_KEYS)
    )
}

fn table(keys: &[Key]) -> String {
    let mut text = "| property | type | default | |\n|---|---|---|---|\n".to_owned();
    for key in keys {
        let default = match key.default {
            _ if key.required => "**required**".to_owned(),
            Some(default) if !default.is_empty() => format!("`{default}`"),
            _ => String::new(),
        };
        // The members of a family have types of their own.
        let kind = if key.is_family() { String::new() } else { key.kind.word().to_lowercase() };
        let mut doc = cell(key.doc);
        if key.valid != Valid::Any {
            let _ = write!(doc, " Valid: {}.", cell(&key.valid.words()));
        }
        let without_effect = match key.treatment {
            Treatment::Used | Treatment::PassedOn => String::new(),
            Treatment::Ignored(reason) => format!(" *Without effect: {reason}.*"),
        };
        let _ = writeln!(text, "| `{}` | {kind} | {default} | {doc}{} |", key.name, cell(&without_effect));
    }
    text
}

fn default(setting: &ConfigDefinition) -> String {
    match &setting.default_value {
        _ if setting.required => "**required**".to_owned(),
        Some(_) if setting.config_type == ConfigType::Password => "hidden".to_owned(),
        Some(default) if !default.is_empty() => format!("`{}`", cell(default)),
        _ => String::new(),
    }
}

fn doc(setting: &ConfigDefinition) -> String {
    let mut text = cell(&setting.documentation);
    if !setting.valid_values.is_empty() {
        let _ = write!(text, " Valid: {}.", cell(&setting.valid_values));
    }
    text
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Importance, Plugin, Width};

    #[test]
    fn a_table_has_a_row_for_every_setting() {
        let setting = |name: &str, required, default: Option<&str>| ConfigDefinition {
            name: name.to_owned(),
            config_type: ConfigType::String,
            required,
            default_value: default.map(str::to_owned),
            importance: Importance::High,
            documentation: "a | b".to_owned(),
            valid_values: "any".to_owned(),
            group: "Login".to_owned(),
            order_in_group: 1,
            width: Width::Long,
            display_name: String::new(),
            dependents: vec![],
            is_file: false,
        };
        let description = Description {
            plugins: vec![Plugin {
                classes: vec!["a.B$Key".to_owned(), "a.B$Value".to_owned()],
                kind: PluginKind::Transformation,
                documentation: "Does it.".to_owned(),
                config: vec![setting("field", true, None)],
            }],
            classes: vec!["A".to_owned()],
            version: "1".to_owned(),
            summary: String::new(),
            network: vec![],
            config: vec![setting("user", true, None), setting("tries", false, Some("5"))],
        };
        let text = component(&description);
        assert!(text.contains("| `user` | string | **required** | a \\| b Valid: any. |"), "{text}");
        assert!(text.contains("| `tries` | string | `5` |"), "{text}");
        let text = plugins(&description);
        assert!(text.contains("#### B\n\nDoes it.\n\n`a.B$Key`, `a.B$Value`\n"), "{text}");
        assert!(text.contains("| `field` | string | **required** |"), "{text}");
        let host = host();
        for key in KEYS.iter().chain(WORKER_KEYS) {
            assert!(host.contains(&format!("| `{}` |", key.name)), "{}", key.name);
        }
    }
}
