//! `tributary describe`: what the components at hand are, and every property that they take.

use std::fmt::Write as _;

use clap::Args;

use super::{Context, Exit, load, markdown};
use crate::engine::{ConfigDefinition, ConfigType, Description};

/// Columns of the text.
const COLUMNS: usize = 100;
const INDENT: &str = "      ";

/// What `describe` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON, one object for each component
    #[arg(long)]
    json: bool,
    /// As Markdown tables, with the settings that are the host's own: the README's are made so
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// The transformations and predicates with their options, as Markdown: docs/transforms.md is made so
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    transforms: bool,
}

/// Describes every component.
pub(super) async fn describe(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let (worker, _) = load::worker(context)?;
    let (_engine, catalogue) = load::catalogue(context, &worker, 1).await?;
    let mut text = String::new();
    for (_, description) in catalogue.components() {
        if arguments.json {
            text.push_str(&serde_json::to_string_pretty(description)?);
            text.push('\n');
        } else if arguments.transforms {
            text.push_str(&markdown::plugins(description));
        } else if arguments.markdown {
            text.push_str(&markdown::component(description));
        } else {
            text.push_str(&page(description, super::Screen::stdout_has_colours()));
        }
    }
    if arguments.markdown {
        text.push_str(&markdown::host());
    }
    context.screen.write_data(text.as_bytes())?;
    Ok(Exit::Done)
}

/// One component as a page.
fn page(description: &Description, colours: bool) -> String {
    let bold = |text: &str| {
        if colours { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    };
    let mut page = String::new();
    let class = description.classes.first().map_or("", String::as_str);
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{} {}\n{}", bold(class), description.version, description.summary);
    if description.classes.len() > 1 {
        let _ = writeln!(page, "\nconnector.class may be {}", description.classes.join(" or "));
    }
    if !description.network.is_empty() {
        let _ = writeln!(page, "\nConnects to {}", description.network.join(", "));
    }
    let mut group = None;
    for setting in &description.config {
        if group != Some(&setting.group) {
            group = Some(&setting.group);
            let _ = writeln!(page, "\n{}", bold(if setting.group.is_empty() { "Settings" } else { &setting.group }));
        }
        let _ = writeln!(page, "\n  {}  {}", bold(&setting.name), facts(setting));
        page.push_str(&wrapped(&setting.documentation));
        if !setting.valid_values.is_empty() {
            page.push_str(&wrapped(&format!("Valid: {}", setting.valid_values)));
        }
    }
    page
}

fn facts(setting: &ConfigDefinition) -> String {
    let mut facts = vec![format!("{:?}", setting.config_type).to_lowercase()];
    match &setting.default_value {
        _ if setting.required => facts.push("required".to_owned()),
        Some(_) if setting.config_type == ConfigType::Password => facts.push("default [hidden]".to_owned()),
        Some(default) if !default.is_empty() => facts.push(format!("default {default}")),
        _ => facts.push("optional".to_owned()),
    }
    facts.push(format!("{:?} importance", setting.importance).to_lowercase());
    facts.join(", ")
}

/// Text in lines of a readable length, indented.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && INDENT.len() + line.chars().count() + 1 + word.chars().count() > COLUMNS {
                let _ = writeln!(lines, "{INDENT}{line}");
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            let _ = writeln!(lines, "{INDENT}{line}");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Importance, Width};

    #[test]
    fn a_page_shows_every_setting_and_no_password() {
        let setting = |name: &str, config_type, default: Option<&str>, required| ConfigDefinition {
            name: name.to_owned(),
            config_type,
            required,
            default_value: default.map(str::to_owned),
            importance: Importance::High,
            documentation: "word ".repeat(60),
            valid_values: "any".to_owned(),
            group: "Login".to_owned(),
            order_in_group: 1,
            width: Width::Long,
            display_name: String::new(),
            dependents: vec![],
            is_file: false,
        };
        let description = Description {
            plugins: vec![],
            classes: vec!["A".to_owned(), "org.example.A".to_owned()],
            version: "1.2.3".to_owned(),
            summary: "Reads.".to_owned(),
            network: vec!["https://*.example.com".to_owned()],
            config: vec![
                setting("user", ConfigType::String, None, true),
                setting("password", ConfigType::Password, Some("s3cret"), false),
                setting("retries", ConfigType::Int, Some("5"), false),
                setting("note", ConfigType::String, Some(""), false),
            ],
        };
        let page = page(&description, false);
        for part in [
            "A 1.2.3\nReads.",
            "A or org.example.A",
            "https://*.example.com",
            "\nLogin\n",
            "user  string, required, high",
            "password  password, default [hidden]",
            "retries  int, default 5",
            "note  string, optional",
            "Valid: any",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("s3cret"));
        assert!(page.lines().all(|line| line.chars().count() <= COLUMNS), "{page}");
        assert_eq!(page.matches("\nLogin\n").count(), 1);
    }
}
