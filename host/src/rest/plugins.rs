//! `/connector-plugins`: what there is to run, which settings it takes, whether a configuration is good.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use serde_json::{Value, json};

use super::{
    app::App,
    body::JsonBody,
    config_infos::{ConfigInfos, ConfigKeyInfo, key_info},
    connectors::{Config, infos},
    error::RestError,
    query::Query,
};
use crate::engine::{ConfigDefinition, Description, PluginKind};

/// The classes of everything else that a configuration may name; of converters the component is the judge.
fn others(description: &Description) -> impl Iterator<Item = Value> {
    let of = |kind: PluginKind| match kind {
        PluginKind::Transformation => "transformation",
        PluginKind::Predicate => "predicate",
    };
    description.plugins.iter().flat_map(move |plugin| {
        plugin.classes.iter().map(move |class| json!({"class": class, "type": of(plugin.kind)}))
    })
}

pub(super) async fn list(State(app): State<App>, RawQuery(query): RawQuery) -> Json<Value> {
    let query = Query::of(query.as_deref());
    let connectors_only = query.first("connectorsOnly").is_none_or(|value| value.eq_ignore_ascii_case("true"));
    let components = app.herder.catalogue().components();
    let mut found: Vec<Value> = components
        .iter()
        .flat_map(|(_, description)| {
            let of = |class: &String| json!({"class": class, "type": "source", "version": description.version});
            description.classes.iter().map(of)
        })
        .collect();
    if !connectors_only {
        found.extend(components.iter().flat_map(|(_, description)| others(description)));
    }
    Json(found.into())
}

/// By its class, by what stands behind the last dot of it, or by that without `Connector`; transforms with a side by class.
fn find<'a>(app: &'a App, plugin: &str) -> Option<(&'a [ConfigDefinition], &'a str, Option<&'a str>)> {
    let named = |class: &str| {
        let simple = class.rsplit('.').next().unwrap_or(class);
        class == plugin
            || (!class.contains('$') && (simple == plugin || simple.strip_suffix("Connector") == Some(plugin)))
    };
    let components = app.herder.catalogue().components();
    let connector = components.iter().find_map(|(_, description)| {
        let class = description.classes.iter().find(|class| named(class))?;
        Some((&description.config[..], class.as_str(), Some(description.version.as_str())))
    });
    connector.or_else(|| {
        components.iter().flat_map(|(_, description)| &description.plugins).find_map(|plugin| {
            let class = plugin.classes.iter().find(|class| named(class))?;
            Some((&plugin.config[..], class.as_str(), None))
        })
    })
}

pub(super) async fn config(
    State(app): State<App>,
    Path(plugin): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ConfigKeyInfo>>, RestError> {
    let unknown = || RestError::not_found(format!("Unknown plugin {plugin}."));
    let (definitions, class, version) = find(&app, &plugin).ok_or_else(unknown)?;
    let query = Query::of(query.as_deref());
    if let (Some(wanted), Some(version)) = (query.first("version"), version)
        && !admits(wanted, version)
    {
        let range = if wanted.starts_with(['[', '(']) { wanted.to_owned() } else { format!("[{wanted},{wanted}]") };
        return Err(RestError::bad_request(format!(
            "Plugin {class} not found that matches the version range {range}, available versions: [{version}]"
        )));
    }
    let single = definitions.iter().filter(|definition| !definition.name.ends_with('*'));
    Ok(Json(single.map(key_info).collect()))
}

/// Whether a version is the one that is wanted, or inside of Maven's notation of a range: `[1.0,2.0)`.
fn admits(wanted: &str, version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> { text.split(['.', '-']).map(|part| part.parse().unwrap_or(0)).collect() };
    let is_range = wanted.starts_with(['[', '(']) && wanted.ends_with([']', ')']);
    let Some((low, high)) = wanted
        .get(1..wanted.len().saturating_sub(1))
        .filter(|_| is_range)
        .and_then(|range| range.split_once(',').or(Some((range, range))))
    else {
        return wanted == version;
    };
    let (version, low, high) = (numbers(version), low.trim(), high.trim());
    let above = low.is_empty() || (wanted.starts_with('[') && numbers(low) <= version) || numbers(low) < version;
    let below = high.is_empty() || (wanted.ends_with(']') && version <= numbers(high)) || version < numbers(high);
    above && below
}

pub(super) async fn validate(
    State(app): State<App>,
    Path(plugin): Path<String>,
    JsonBody(config): JsonBody<Config>,
) -> Result<Json<ConfigInfos>, RestError> {
    let config = config.0;
    let Some(class) = config.get("connector.class").cloned().flatten() else {
        let names: Vec<&str> = config.keys().map(String::as_str).collect();
        let text = format!("Connector config {{{}}} contains no connector type", names.join(", "));
        return Err(RestError::bad_request(text));
    };
    let simple = |name: &str| {
        let name = name.rsplit('.').next().unwrap_or(name);
        name.strip_suffix("Connector").unwrap_or(name).to_owned()
    };
    if class.is_empty() || !simple(&class).ends_with(&simple(&plugin)) {
        let text = format!("Included connector type {class} does not match request type {plugin}");
        return Err(RestError::bad_request(text));
    }
    let given = config.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    Ok(Json(infos(&app, given).await?))
}

#[cfg(test)]
mod tests {
    use super::admits;

    #[test]
    fn versions() {
        for (wanted, version, expected) in [
            ("1.0.0", "1.0.0", true),
            ("9.9", "1.0.0", false),
            ("[1.0,2.0)", "1.0.0", true),
            ("[1.0,2.0)", "2.0", false),
            ("(1.0,2.0]", "2.0", true),
            ("[1.5,)", "1.0", false),
            ("(,2)", "1.0", true),
            ("[1.0]", "1.0", true),
            ("[", "1.0", false),
            ("", "1.0", false),
        ] {
            assert_eq!(admits(wanted, version), expected, "{wanted} {version}");
        }
    }
}
