//! The settings of a converter's schema registry, and the `Registry` they make.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    output::Side,
    settings::Settings,
    validate::{ConfigValue, entry},
};
use crate::{
    registry::{
        Endpoint, Registry, Rules,
        subject::{self, Strategy, Subjects},
    },
    secret::Secret,
};

/// What the registry needs beyond each setting's own rules.
pub(super) fn check(settings: &Settings<'_>, side: Side, values: &mut Vec<ConfigValue>) {
    let option = |option: &str| side.option(option);
    let url_name = option("schema.registry.url");
    let urls = settings.text(&url_name);
    let found = entry(values, &url_name);
    if urls.is_empty() {
        found.errors.push(format!(
            "{url_name} is missing; the format keeps its schemas in a schema registry. Write where it answers, here or in the worker file"
        ));
    }
    for url in urls.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        if let Err(reason) = endpoint(url) {
            found.errors.push(format!("Invalid value for configuration {url_name}: {reason}"));
        }
    }
    let user_info = user_info(settings, side);
    let user_info_name = option("basic.auth.user.info");
    if settings.text(&option("basic.auth.credentials.source")).eq_ignore_ascii_case("USER_INFO") && user_info.is_empty()
    {
        let message =
            format!("{user_info_name} is missing; {} needs it", option("basic.auth.credentials.source=USER_INFO"));
        entry(values, &user_info_name).errors.push(message);
    } else if !user_info.is_empty() && !user_info.contains(':') {
        entry(values, &user_info_name).errors.push(format!("{user_info_name} must have the form user:password"));
    }
    if !settings.text(&option("bearer.auth.credentials.source")).is_empty()
        && settings.text(&option("bearer.auth.token")).is_empty()
    {
        let name = option("bearer.auth.token");
        entry(values, &name).errors.push(format!("{name} is missing; bearer.auth.credentials.source needs it"));
    }
}

/// What is shown of the registry's addresses: a URL may hold a password.
pub(super) fn show_urls(settings: &Settings<'_>, side: Side, values: &mut Vec<ConfigValue>) {
    let name = side.option("schema.registry.url");
    let urls = settings.text(&name).split(',').map(|url| endpoint(url.trim()).map_or("...".to_owned(), |(url, _)| url));
    let shown = urls.collect::<Vec<_>>().join(",");
    if settings.given(&name).is_some() {
        entry(values, &name).value = Some(shown);
    }
}

/// The registry of settings in which `check` found nothing.
pub(super) fn registry(settings: &Settings<'_>, side: Side) -> Option<Registry> {
    let text = |option: &str| settings.text(&side.option(option));
    let flag = |option: &str| settings.flag(&side.option(option));
    let bearer = Some(text("bearer.auth.token")).filter(|token| !token.is_empty());
    let user_info = Some(user_info(settings, side)).filter(|info| !info.is_empty());
    let authorization = match (bearer, user_info) {
        (Some(token), _) => Some(Secret::new(format!("Bearer {token}"))),
        (None, Some(info)) => Some(basic(info)),
        (None, None) => None,
    };
    let endpoints: Vec<Endpoint> = text("schema.registry.url")
        .split(',')
        .filter_map(|url| endpoint(url.trim()).ok())
        .map(|(url, user_info)| Endpoint {
            url,
            authorization: authorization.clone().or_else(|| user_info.as_deref().map(basic)),
        })
        .collect();
    let named = |name, option: &str| Some((name, text(option).to_owned())).filter(|(_, value)| !value.is_empty());
    let headers = bearer.map_or_else(Vec::new, |_| {
        [
            named("target-sr-cluster", "bearer.auth.logical.cluster"),
            named("confluent-identity-pool-id", "bearer.auth.identity.pool.id"),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    (!endpoints.is_empty()).then(|| Registry {
        endpoints,
        headers,
        rules: Rules {
            auto_register: flag("auto.register.schemas"),
            use_latest_version: flag("use.latest.version"),
            latest_compatibility_strict: flag("latest.compatibility.strict"),
            normalize: flag("normalize.schemas"),
        },
        subjects: Subjects {
            strategy: Strategy::parse(settings.text(&side.own_option("subject.name.strategy"))).unwrap_or_default(),
            context: subject::context(settings.text("schema.context.name")),
        },
        retries_max: settings.number(&side.option("max.retries")),
        retry_wait_ms: settings.number(&side.option("retries.wait.ms")),
        retry_wait_max_ms: settings.number(&side.option("retries.max.wait.ms")),
    })
}

fn user_info<'a>(settings: &Settings<'a>, side: Side) -> &'a str {
    match settings.text(&side.option("schema.registry.basic.auth.user.info")) {
        "" => settings.text(&side.option("basic.auth.user.info")),
        info => info,
    }
}

fn basic(user_info: &str) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(user_info)))
}

/// The URL of a registry without user and password and without a slash at its end; and those.
fn endpoint(url: &str) -> Result<(String, Option<String>), String> {
    let (scheme, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => ("https://", rest),
        (None, Some(rest)) => ("http://", rest),
        (None, None) => return Err("it must begin with https:// (or http://)".into()),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user_info, host) = match authority.rsplit_once('@') {
        Some((user_info, host)) => (Some(percent_decode(user_info)), host),
        None => (None, authority),
    };
    crate::http::origin(&format!("{scheme}{host}"))?;
    if path.contains(['?', '#', ' ']) {
        return Err("it must end with the path: no query or fragment".into());
    }
    Ok((format!("{scheme}{host}{}", path.trim_end_matches('/')), user_info))
}

/// Undoes percent-encoding, as far as it is one.
fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (byte, behind) {
            (b'%', [high, low, more @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                out.push(hex(*high).unwrap_or_default() << 4 | hex(*low).unwrap_or_default());
                rest = more;
            }
            _ => {
                out.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let cases = [
            ("https://r.example", Some(("https://r.example", None))),
            ("https://r.example/apis/ccompat/v7/", Some(("https://r.example/apis/ccompat/v7", None))),
            ("http://u%40x:p%3A@127.0.0.1:8081/", Some(("http://127.0.0.1:8081", Some("u@x:p:")))),
            ("https://r.example/?x=1", None),
            ("ftp://r.example", None),
            ("https://u:p@", None),
        ];
        for (url, expected) in cases {
            let found = endpoint(url).ok();
            let found = found.as_ref().map(|(url, user)| (url.as_str(), user.as_deref()));
            assert_eq!(found, expected, "{url}");
        }
    }
}
