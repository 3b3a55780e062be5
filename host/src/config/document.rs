//! Connector files as pairs of texts: JSON, flat (`{"name": .., "connector.class": .., ..}`) or wrapped (`{"name": ..,
//! "config": {..}}`, the body of Kafka Connect's `POST /connectors`), or Java `.properties`.

use std::{fmt, path::Path};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{findings::Findings, properties};

/// A connector file is at most this long; keystores may stand in it as base64.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Reads a file of bounded size.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("is a directory, not a file".to_owned());
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(format!("is longer than {FILE_BYTES_MAX} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// The properties of a connector file in the file's order; what is wrong with single ones is noted.
///
/// # Errors
/// The text is of neither format.
pub(crate) fn parse(path: &Path, bytes: &[u8], findings: &mut Findings) -> Result<Vec<(String, String)>, String> {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(byte));
    let is_json = match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("properties") => false,
        Some("json") => true,
        _ => first == Some(&b'{'),
    };
    let pairs = if is_json { json(bytes, findings)? } else { java(bytes)? };
    Ok(without_repeats(pairs, findings))
}

fn java(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let entries = properties::parse(bytes).map_err(|error| error.to_string())?;
    Ok(entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
}

/// A JSON object with its members in order, repeated names included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn json(bytes: &[u8], findings: &mut Findings) -> Result<Vec<(String, String)>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    // Where the syntax is wrong, the parser's message holds a position. Where the type is, it would hold the value.
    let Members(outer) = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "is not a JSON object".to_owned(),
        _ => format!("is not a JSON object: {error}"),
    })?;
    let wrapped = outer.iter().find(|(name, value)| name == "config" && value.get().starts_with('{'));
    let Some((_, config)) = wrapped else {
        return Ok(outer.into_iter().filter_map(|(name, value)| scalar(name, value, findings)).collect());
    };
    let Members(inner) = serde_json::from_str(config.get()).map_err(|error| format!("config: {error}"))?;
    let mut pairs: Vec<_> = inner.into_iter().filter_map(|(name, value)| scalar(name, value, findings)).collect();
    for (name, value) in outer {
        match name.as_str() {
            "config" => {}
            "name" => wrapped_name(value, &mut pairs, findings),
            "offsets" => findings.ignored("offsets", "offsets are set with `tributary offsets alter`"),
            other => findings.ignored(other, "it stands beside config, where only name has a meaning"),
        }
    }
    Ok(pairs)
}

fn wrapped_name(value: &RawValue, pairs: &mut Vec<(String, String)>, findings: &mut Findings) {
    let Some((name, outer)) = scalar("name".to_owned(), value, findings) else { return };
    match pairs.iter().find(|(key, _)| *key == name) {
        None => pairs.insert(0, (name, outer)),
        Some((_, inner)) if *inner != outer => {
            let reason = format!("differs from the name beside config, {outer}");
            findings.error("name", Some(inner), reason, "Write the same name in both places, or in one.");
        }
        Some(_) => {}
    }
}

/// A scalar as text; numbers keep the way in which they are written, as in Kafka Connect. `null` counts as absent, so that
/// the default holds, where Kafka Connect hands it on and most connectors then refuse it.
fn scalar(name: String, value: &RawValue, findings: &mut Findings) -> Option<(String, String)> {
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'n') => {
            findings.ignored(&name, "it is null, which counts as absent");
            None
        }
        Some(b'"') => serde_json::from_str(raw).ok().map(|text| (name, text)),
        Some(first @ (b'{' | b'[')) => {
            let reason = if *first == b'[' { "is a list" } else { "is an object" };
            let remedy = "Write one text, number, true or false; the parts of a list in one text, with commas between.";
            findings.error(&name, None, format!("{reason}, and a property has one value"), remedy);
            None
        }
        _ => Some((name, raw.to_owned())),
    }
}

fn without_repeats(pairs: Vec<(String, String)>, findings: &mut Findings) -> Vec<(String, String)> {
    let mut seen: Vec<(String, String)> = Vec::with_capacity(pairs.len());
    let mut names = std::collections::BTreeSet::new();
    let mut reported = std::collections::BTreeSet::new();
    for (name, value) in pairs {
        if names.insert(name.clone()) {
            seen.push((name, value));
        } else if reported.insert(name.clone()) {
            findings.error(&name, None, "occurs more than once", "Keep one of them.");
        }
    }
    seen
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse fails the test")]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(&str, &str, Pairs<'_>)] = &[
            (
                "a.json",
                r#"{"name":"n","b":1.10,"c":true,"e":"x\ny"}"#,
                &[("name", "n"), ("b", "1.10"), ("c", "true"), ("e", "x\ny")],
            ),
            ("a.json", r#"{"name":"n","config":{"a":"1"}}"#, &[("name", "n"), ("a", "1")]),
            ("a.json", r#"{"config":{"a":"1","name":"n"},"name":"n"}"#, &[("a", "1"), ("name", "n")]),
            ("a.json", r#"{"config":"text"}"#, &[("config", "text")]),
            ("a", " \n{\"a\":-0}", &[("a", "-0")]),
            ("a.conf", "a = 1", &[("a", "1")]),
            ("a.properties", "{=1", &[("{", "1")]),
        ];
        for (path, text, expected) in cases {
            let mut findings = Findings::new();
            let pairs = parse(Path::new(path), text.as_bytes(), &mut findings).unwrap();
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(&pairs, expected, "{text}");
            assert!(findings.is_empty(), "{text}: {findings}");
        }
    }

    #[test]
    fn null_counts_as_absent_and_is_said() {
        let mut findings = Findings::new();
        let pairs = parse(Path::new("a.json"), br#"{"a":null,"b":"null","config":null}"#, &mut findings).unwrap();
        assert_eq!(pairs, [("b".to_owned(), "null".to_owned())]);
        let said: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["a: it is null, which counts as absent.", "config: it is null, which counts as absent."]);
        assert!(!findings.has_errors());
    }

    #[test]
    fn a_file_that_is_too_long() {
        let dir = tempfile::tempdir().unwrap();
        let size = usize::try_from(FILE_BYTES_MAX).unwrap();
        for (length, fits) in [(size, true), (size + 1, false)] {
            let path = dir.path().join("a.json");
            std::fs::write(&path, vec![b' '; length]).unwrap();
            assert_eq!(read_file(&path).is_ok(), fits, "{length}");
        }
    }

    #[test]
    fn refusals() {
        let cases = [
            ("a.json", r#"{"a":"1","b":"2","a":"3","a":"4"}"#, "a: occurs more than once"),
            ("a.json", r#"{"config":{"a":"1","a":"2"}}"#, "a: occurs more than once"),
            ("a.properties", "a=1\na=2", "a: occurs more than once"),
            ("a.json", r#"{"a":{"b":1}}"#, "a: is an object"),
            ("a.json", r#"{"a":[1]}"#, "a: is a list"),
            ("a.json", r#"{"name":"x","config":{"name":"y"}}"#, "name = y: differs from the name beside config, x"),
        ];
        for (path, text, expected) in cases {
            let mut findings = Findings::new();
            parse(Path::new(path), text.as_bytes(), &mut findings).unwrap();
            assert!(findings.to_string().contains(expected), "{text}: {findings}");
            assert_eq!(findings.len(), 1, "{findings}");
        }
        for (path, text) in
            [("a.json", "[]"), ("a.json", "{"), ("a.json", ""), ("a.json", "{\"a\":1} x"), ("a.properties", "a=\\u1")]
        {
            assert!(parse(Path::new(path), text.as_bytes(), &mut Findings::new()).is_err(), "{text}");
        }
        let error = parse(Path::new("a.json"), b"\"hunter2\"", &mut Findings::new()).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(parse(Path::new("a.json"), b"{\"a\":\"\xff\"}", &mut Findings::new()).is_err());
    }
}
