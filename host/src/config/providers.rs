//! Values that stand elsewhere: `${env:NAME}`, `${file:/path/file.properties:key}`, `${dir:/path:file}`, in the syntax of
//! Kafka's config providers (KIP-297, KIP-421, KIP-887), within the limits of the worker file (`provider_settings`).
//! `${name}` without a colon is not a reference and stays as it is. What a reference resolves to is not looked at again.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    findings::Findings,
    properties,
    provider_settings::{Kind, Provider, ProviderSettings},
};

/// A file that a reference names is at most this long.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Resolves references. Every file is read once.
pub struct Providers<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    settings: &'a ProviderSettings,
    files: HashMap<PathBuf, Result<HashMap<String, String>, String>>,
}

impl<'a> Providers<'a> {
    /// With the given view of the environment's variables.
    #[must_use]
    pub fn new(environment: &'a dyn Fn(&str) -> Option<String>, settings: &'a ProviderSettings) -> Self {
        Self { environment, settings, files: HashMap::new() }
    }

    /// Resolves every reference in a property's value. What cannot be resolved is noted, naming the reference and never
    /// a value, and is left as it stands.
    pub fn resolve(&mut self, property: &str, value: &str, findings: &mut Findings) -> String {
        let mut out = String::with_capacity(value.len());
        let mut rest = value;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            let reference = &rest[start..=start + length];
            out.push_str(&rest[..start]);
            match self.look_up(&reference[2..reference.len() - 1]) {
                None => out.push_str(reference),
                Some(Ok(found)) => out.push_str(&found),
                Some(Err(reason)) => {
                    out.push_str(reference);
                    let remedy = "References are ${env:NAME}, ${file:/path/file.properties:key} and ${dir:/path:file}.";
                    findings.error(property, None, format!("{reference} cannot be resolved: {reason}"), remedy);
                }
            }
            rest = &rest[start + length + 1..];
        }
        out.push_str(rest);
        out
    }

    /// `None`: not a reference at all.
    fn look_up(&mut self, body: &str) -> Option<Result<String, String>> {
        let (name, rest) = body.split_once(':')?;
        let (path, key) = rest.split_once(':').map_or((None, rest), |(path, key)| (Some(path), key));
        let settings = self.settings;
        let Some(provider) = settings.find(name) else {
            return Some(Err(format!("there is no provider named {name}")));
        };
        Some(match (provider.kind, path) {
            (Kind::Env, None | Some("")) => self.variable(provider, key),
            (Kind::File, Some(path)) => self.file_value(provider, Path::new(path), key),
            (Kind::Dir, Some(path)) => dir_value(provider, Path::new(path), key),
            (Kind::File, None) => Err("it needs a path and a key".to_owned()),
            (Kind::Dir, None) => Err("it needs a path and a file name".to_owned()),
            (Kind::Env, Some(_)) => Err("it takes a name and no path".to_owned()),
        })
    }

    fn variable(&self, provider: &Provider, name: &str) -> Result<String, String> {
        if !provider.admits_variable(name) {
            return Err(format!("config.providers.{}.param.allowlist.pattern does not allow it", provider.name));
        }
        (self.environment)(name).ok_or_else(|| format!("the environment has no variable {name}"))
    }

    fn file_value(&mut self, provider: &Provider, path: &Path, key: &str) -> Result<String, String> {
        let allowed = provider.admit_path(path)?;
        let content = self.files.entry(allowed).or_insert_with_key(|allowed| {
            let entries = properties::parse(&read(allowed)?).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
        });
        let content = content.as_ref().map_err(Clone::clone)?;
        content.get(key).cloned().ok_or_else(|| format!("{} has no key {key}", path.display()))
    }
}

/// The whole content of a file directly inside the directory; names that lead elsewhere are refused.
fn dir_value(provider: &Provider, directory: &Path, file: &str) -> Result<String, String> {
    if file.is_empty() || file == "." || file == ".." || file.contains(['/', '\\']) {
        return Err("the part after the path must be the name of a file in that directory".to_owned());
    }
    let path = directory.join(file);
    String::from_utf8(read(&provider.admit_path(&path)?)?).map_err(|_| format!("{} is not UTF-8 text", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let describe = |error: std::io::Error| format!("{}: {error}", path.display());
    let length = fs::metadata(path).map_err(describe)?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("{} is longer than {FILE_BYTES_MAX} bytes", path.display()));
    }
    fs::read(path).map_err(describe)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display().to_string();
        fs::write(dir.path().join("s.properties"), "password = hunter2\na:b=c\n").unwrap();
        fs::write(dir.path().join("token"), "t0ken\n").unwrap();
        let environment = |name: &str| (name == "USER").then(|| "me".to_owned());
        let check = |value: &str, expected: Result<&str, &str>| {
            let value = value.replace("@", &at);
            let mut findings = Findings::new();
            let got = Providers::new(&environment, &ProviderSettings::default()).resolve("p", &value, &mut findings);
            match expected {
                Ok(expected) => {
                    assert_eq!(got, expected, "{value}");
                    assert!(findings.is_empty(), "{findings}");
                }
                Err(expected) => {
                    let text = findings.to_string();
                    assert!(text.contains(expected) && text.starts_with("p: ${"), "{value}: {text}");
                    assert_eq!(findings.len(), 1);
                    assert!(!text.contains("hunter2"), "{text}");
                }
            }
        };
        check("plain", Ok("plain"));
        check("${env:USER}", Ok("me"));
        check("${env::USER}", Ok("me"));
        check("<${env:USER}-${env:USER}>", Ok("<me-me>"));
        check("${file:@/s.properties:password}", Ok("hunter2"));
        check("${dir:@:token}", Ok("t0ken\n"));
        check("${_ObjectType}/${open", Ok("${_ObjectType}/${open"));
        check("${env:NOBODY}", Err("no variable NOBODY"));
        check("${file:@/s.properties:nothing}", Err("no key nothing"));
        check("${file:@/none.properties:x}", Err("none.properties"));
        check("${file:x}", Err("path and a key"));
        check("${dir:@:../token}", Err("name of a file"));
        check("${dir:@:none}", Err("none"));
        check("${vault:a:b}", Err("no provider named vault"));
    }

    #[test]
    fn a_file_that_is_too_long() {
        let dir = tempfile::tempdir().unwrap();
        let size = usize::try_from(FILE_BYTES_MAX).unwrap();
        for (name, length, fits) in [("fits", size, true), ("long", size + 1, false)] {
            fs::write(dir.path().join(name), vec![b'x'; length]).unwrap();
            let provider = ProviderSettings::default().find("dir").unwrap().clone();
            assert_eq!(dir_value(&provider, dir.path(), name).is_ok(), fits, "{name}");
        }
    }

    #[test]
    fn what_the_worker_file_does_not_allow_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        for folder in [&inside, &outside] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("s.properties"), "password = hunter2\n").unwrap();
        }
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        let worker = [
            ("config.providers.file.param.allowed.paths", inside.display().to_string()),
            ("config.providers.dir.param.allowed.paths", inside.display().to_string()),
            ("config.providers", "vars,env".to_owned()),
            ("config.providers.vars.class", "x.EnvVarConfigProvider".to_owned()),
            ("config.providers.vars.param.allowlist.pattern", "APP_.*".to_owned()),
            ("config.providers.env.class", "x.EnvVarConfigProvider".to_owned()),
        ];
        let worker: Vec<_> = worker.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut noted = Findings::new();
        let settings = ProviderSettings::read(&worker, &mut noted);
        assert!(noted.is_empty(), "{noted}");
        let environment = |name: &str| Some(format!("<{name}>"));
        for (value, expected) in [
            ("${file:@/in/s.properties:password}", Ok("hunter2")),
            ("${dir:@/in:s.properties}", Ok("password = hunter2\n")),
            ("${file:@/out/s.properties:password}", Err("allowed.paths")),
            ("${file:@/in/../out/s.properties:password}", Err("allowed.paths")),
            ("${file:@/in/link/s.properties:password}", Err("allowed.paths")),
            ("${dir:@/in/link:s.properties}", Err("allowed.paths")),
            ("${dir:@/out:s.properties}", Err("allowed.paths")),
            ("${file:@/in/none.properties:x}", Err("No such file")),
            ("${file:@/out/none.properties:x}", Err("allowed.paths")),
            ("${vars:APP_KEY}", Ok("<APP_KEY>")),
            ("${vars:MY_APP_KEY}", Err("allowlist.pattern")),
            ("${env:HOME}", Ok("<HOME>")),
        ] {
            let value = value.replace('@', &dir.path().display().to_string());
            let mut findings = Findings::new();
            let got = Providers::new(&environment, &settings).resolve("p", &value, &mut findings);
            match expected {
                Ok(expected) => assert_eq!((got.as_str(), findings.len()), (expected, 0), "{value}: {findings}"),
                Err(expected) => {
                    let text = findings.to_string();
                    assert!(text.contains(expected) && !text.contains("hunter2") && got == value, "{value}: {text}");
                }
            }
        }
    }
}
