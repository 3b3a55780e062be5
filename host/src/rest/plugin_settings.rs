//! The settings that a connector gets by naming transformations and predicates, as Kafka Connect lists them: a group for
//! each alias, the class first, then what the class takes (`ConnectorConfig.enrich`).

use crate::engine::{ConfigDefinition, ConfigType, Description, Importance, Plugin, PluginKind, Width};

/// Kafka Connect's words for one of the two kinds.
struct Words {
    property: &'static str,
    group: &'static str,
    interface: &'static str,
    noun: &'static str,
}

const TRANSFORMATIONS: Words =
    Words { property: "transforms", group: "Transforms", interface: "Transformation", noun: "transformation" };
const PREDICATES: Words =
    Words { property: "predicates", group: "Predicates", interface: "Predicate", noun: "predicate" };

/// The definitions of every alias that the properties list.
pub(super) fn definitions(properties: &[(String, String)], description: &Description) -> Vec<ConfigDefinition> {
    let given = |name: &str| properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    let mut definitions: Vec<ConfigDefinition> = Vec::new();
    for (kind, words) in [(PluginKind::Transformation, TRANSFORMATIONS), (PluginKind::Predicate, PREDICATES)] {
        let mut seen: Vec<&str> = Vec::new();
        for alias in given(words.property).unwrap_or_default().split(',').map(str::trim) {
            if alias.is_empty() || seen.contains(&alias) {
                continue;
            }
            seen.push(alias);
            let prefix = format!("{}.{alias}.", words.property);
            let class = given(&format!("{prefix}type")).unwrap_or_default();
            let plugin = description.plugins.iter().filter(|plugin| plugin.kind == kind).find(|p| is_named(p, class));
            let group = format!("{}: {alias}", words.group);
            for (order, mut definition) in of_alias(kind, &words, alias, plugin).into_iter().enumerate() {
                definition.name = format!("{prefix}{}", definition.name);
                definition.group.clone_from(&group);
                definition.order_in_group = i32::try_from(order).unwrap_or(i32::MAX);
                definitions.push(definition);
            }
        }
    }
    definitions
}

/// The classes that may stand behind `….type`, for one of its names.
pub(super) fn classes(description: &Description, name: &str) -> Vec<String> {
    let kind = if name.starts_with(PREDICATES.property) { PluginKind::Predicate } else { PluginKind::Transformation };
    let plugins = description.plugins.iter().filter(|plugin| plugin.kind == kind);
    plugins.flat_map(|plugin| plugin.classes.iter().cloned()).collect()
}

/// By its class, or by what stands behind the last dot of it.
fn is_named(plugin: &Plugin, class: &str) -> bool {
    let named = |known: &String| known == class || known.rsplit('.').next() == Some(class);
    !class.is_empty() && plugin.classes.iter().any(named)
}

/// In Kafka's order: required ones first, then by importance, then by name.
fn of_alias(kind: PluginKind, words: &Words, alias: &str, plugin: Option<&Plugin>) -> Vec<ConfigDefinition> {
    let class = ConfigDefinition {
        config_type: ConfigType::Class,
        required: true,
        importance: Importance::High,
        width: Width::Long,
        display_name: format!("{} type for {alias}", words.interface),
        ..option("type", format!("Class for the '{alias}' {}.", words.noun))
    };
    let Some(plugin) = plugin else { return vec![class] };
    let mut options = plugin.config.clone();
    if kind == PluginKind::Transformation {
        options.push(option("predicate", "The alias of the predicate that says whether it is applied.".to_owned()));
        options.push(ConfigDefinition {
            config_type: ConfigType::Boolean,
            default_value: Some("false".to_owned()),
            ..option("negate", "Whether it is applied when the predicate does not hold.".to_owned())
        });
    }
    let rank = |importance| match importance {
        Importance::High => 0,
        Importance::Medium => 1,
        Importance::Low => 2,
    };
    options.sort_by(|one, other| {
        let key = |option: &ConfigDefinition| (!option.required, rank(option.importance), option.name.clone());
        key(one).cmp(&key(other))
    });
    options.insert(0, class);
    options
}

fn option(name: &str, documentation: String) -> ConfigDefinition {
    ConfigDefinition {
        name: name.to_owned(),
        config_type: ConfigType::String,
        required: false,
        default_value: None,
        importance: Importance::Medium,
        documentation,
        valid_values: String::new(),
        group: String::new(),
        order_in_group: 0,
        width: Width::None,
        display_name: name.to_owned(),
        dependents: vec![],
        is_file: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_has_its_group_in_kafkas_order() {
        let plugin = |classes: &[&str], kind, config| Plugin {
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
            kind,
            documentation: String::new(),
            config,
        };
        let required = ConfigDefinition { required: true, ..option("target.type", String::new()) };
        let high = ConfigDefinition { importance: Importance::High, ..option("field", String::new()) };
        let low = ConfigDefinition { importance: Importance::Low, ..option("unit", String::new()) };
        let converter = vec![low, high, required, option("format", String::new())];
        let description = Description {
            classes: vec![],
            version: String::new(),
            summary: String::new(),
            network: vec![],
            config: vec![],
            plugins: vec![
                plugin(&["x.Converter$Key", "x.Converter$Value"], PluginKind::Transformation, converter),
                plugin(&["x.Tombstone"], PluginKind::Predicate, vec![]),
            ],
        };
        let properties = [
            ("transforms", "a, b,a"),
            ("transforms.a.type", "x.Converter$Value"),
            ("transforms.b.type", "x.Nothing"),
            ("predicates", "p"),
            ("predicates.p.type", "Tombstone"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let found = definitions(&properties, &description);
        let lines: Vec<String> = found.iter().map(|d| format!("{} {} {}", d.group, d.order_in_group, d.name)).collect();
        assert_eq!(
            lines,
            [
                "Transforms: a 0 transforms.a.type",
                "Transforms: a 1 transforms.a.target.type",
                "Transforms: a 2 transforms.a.field",
                "Transforms: a 3 transforms.a.format",
                "Transforms: a 4 transforms.a.negate",
                "Transforms: a 5 transforms.a.predicate",
                "Transforms: a 6 transforms.a.unit",
                "Transforms: b 0 transforms.b.type",
                "Predicates: p 0 predicates.p.type",
            ]
        );
        assert_eq!(classes(&description, "transforms.a.type"), ["x.Converter$Key", "x.Converter$Value"]);
        assert_eq!(classes(&description, "predicates.p.type"), ["x.Tombstone"]);
    }
}
