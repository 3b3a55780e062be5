//! Which config providers there are and where they may look: `config.providers`, `config.providers.NAME.class` and
//! `config.providers.NAME.param.*` of the worker file, with Kafka's names and meaning (KIP-297, KIP-993 for
//! `allowed.paths`, KIP-887 for `allowlist.pattern`).
//!
//! `env`, `file` and `dir` are there without being asked for. As in Kafka, a provider without `allowed.paths` reads every
//! file that the process may read: set it where connectors come from people who may not see all of them.

use std::path::{Component, Path, PathBuf};

use regex_lite::Regex;

use super::{
    findings::Findings,
    values::{last, list},
};

const PREFIX: &str = "config.providers.";

/// What a provider reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Env,
    File,
    Dir,
}

impl Kind {
    /// By the last part of the class's name.
    fn of_class(class: &str) -> Option<Self> {
        match class.trim().rsplit('.').next()? {
            "EnvVarConfigProvider" => Some(Self::Env),
            "FileConfigProvider" => Some(Self::File),
            "DirectoryConfigProvider" => Some(Self::Dir),
            _ => None,
        }
    }
}

/// One provider.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    /// What stands before the first colon of a reference.
    pub(super) name: String,
    /// What it reads.
    pub(super) kind: Kind,
    /// `allowed.paths`, without symbolic links; `None` for every path.
    allowed_paths: Option<Vec<PathBuf>>,
    /// `allowlist.pattern`; `None` for every variable.
    pattern: Option<Regex>,
}

/// The providers of a worker.
#[derive(Clone, Debug)]
pub struct ProviderSettings(Vec<Provider>);

impl Default for ProviderSettings {
    /// `env`, `file` and `dir`, without limits.
    fn default() -> Self {
        Self::read(&[], &mut Findings::new())
    }
}

impl ProviderSettings {
    /// Reads a worker's properties, whose own references are not resolved yet.
    #[must_use]
    pub fn read(properties: &[(String, String)], findings: &mut Findings) -> Self {
        let mut named: Vec<(String, Kind)> = Vec::new();
        for name in last(properties, "config.providers").map(list).unwrap_or_default() {
            let property = format!("{PREFIX}{name}.class");
            match last(properties, &property).map(|class| (class, Kind::of_class(class))) {
                Some((_, Some(kind))) => named.push((name, kind)),
                Some((class, None)) => {
                    let reason = "is no provider that is known here, so references to it cannot be resolved";
                    let remedy = "There are EnvVarConfigProvider, FileConfigProvider and DirectoryConfigProvider.";
                    findings.warning(&property, Some(class), reason, remedy);
                }
                None => findings.error(&property, None, "is missing", "Write the class of the provider."),
            }
        }
        for (name, kind) in [("env", Kind::Env), ("file", Kind::File), ("dir", Kind::Dir)] {
            if !named.iter().any(|(known, _)| known == name) {
                named.push((name.to_owned(), kind));
            }
        }
        Self(named.into_iter().map(|(name, kind)| provider(name, kind, properties, findings)).collect())
    }

    /// The provider of that name.
    pub(super) fn find(&self, name: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.name == name)
    }
}

impl Provider {
    /// Whether a variable may be read.
    pub(super) fn admits_variable(&self, name: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(name))
    }

    /// The path to read, if it may be read.
    ///
    /// # Errors
    /// Why not, for a person.
    pub(super) fn admit_path(&self, path: &Path) -> Result<PathBuf, String> {
        let Some(allowed) = &self.allowed_paths else { return Ok(path.to_owned()) };
        let outside = || format!("{} is outside config.providers.{}.param.allowed.paths", path.display(), self.name);
        let below = |path: &Path| allowed.iter().any(|directory| path.starts_with(directory));
        match path.canonicalize() {
            Ok(real) if below(&real) => Ok(real),
            Ok(_) => Err(outside()),
            // What is not there is named only where it would be allowed.
            Err(error) => {
                let steps_up = path.components().any(|component| component == Component::ParentDir);
                Err(if below(path) && !steps_up { format!("{}: {error}", path.display()) } else { outside() })
            }
        }
    }
}

fn provider(name: String, kind: Kind, properties: &[(String, String)], findings: &mut Findings) -> Provider {
    let paths = format!("{PREFIX}{name}.param.allowed.paths");
    let given = last(properties, &paths).filter(|value| !value.trim().is_empty());
    let mut directory = |path: &String| match Path::new(path).canonicalize() {
        Ok(real) if Path::new(path).is_absolute() => Some(real),
        Ok(_) => {
            findings.error(&paths, Some(path), "is not an absolute path", "Write the whole path.");
            None
        }
        Err(error) => {
            findings.error(&paths, Some(path), format!("cannot be read: {error}"), "Name directories that exist.");
            None
        }
    };
    let allowed_paths = given.map(|value| list(value).iter().filter_map(&mut directory).collect());
    let pattern = format!("{PREFIX}{name}.param.allowlist.pattern");
    let pattern = last(properties, &pattern).and_then(|text| match Regex::new(&format!("^(?:{text})$")) {
        Ok(regex) => Some(regex),
        Err(error) => {
            findings.error(&pattern, Some(text), format!("is no regular expression: {error}"), "");
            None
        }
    });
    Provider { name, kind, allowed_paths, pattern }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (ProviderSettings, String) {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut findings = Findings::new();
        let settings = ProviderSettings::read(&pairs, &mut findings);
        (settings, findings.to_string())
    }

    #[test]
    fn names_and_classes() {
        let (settings, noted) = read(&[
            ("config.providers", "secrets, file,vault"),
            ("config.providers.secrets.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"),
            ("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
            ("config.providers.vault.class", "com.example.VaultConfigProvider"),
        ]);
        let kind = |name: &str| settings.find(name).map(|provider| provider.kind);
        assert_eq!(
            [kind("secrets"), kind("file"), kind("dir"), kind("env"), kind("vault")],
            [Some(Kind::Dir), Some(Kind::File), Some(Kind::Dir), Some(Kind::Env), None]
        );
        assert!(
            noted.contains("config.providers.vault.class = com.example.VaultConfigProvider: is no provider"),
            "{noted}"
        );
    }

    #[test]
    fn refusals() {
        for (pairs, expected) in [
            (&[("config.providers", "x")][..], "config.providers.x.class: is missing"),
            (&[("config.providers.file.param.allowed.paths", "/no/such/folder")], "cannot be read"),
            (&[("config.providers.dir.param.allowed.paths", "src")], "is not an absolute path"),
            (&[("config.providers.env.param.allowlist.pattern", "(")], "is no regular expression"),
        ] {
            let (_, noted) = read(pairs);
            assert!(noted.contains(expected), "{noted}");
        }
    }
}
