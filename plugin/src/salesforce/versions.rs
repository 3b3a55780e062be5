//! The answer to `GET /services/data/` (REST API Developer Guide, "Versions"): the API versions that an org offers.

use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    version: String,
}

/// The versions on offer, the oldest first. They are compared as numbers: as text, 100.0 would come before 99.0. `None`
/// when the answer is something else.
#[must_use]
pub fn parse(body: &[u8]) -> Option<Vec<String>> {
    let entries: Vec<Entry> = serde_json::from_slice(body).ok()?;
    let mut versions: Vec<_> =
        entries.into_iter().filter_map(|entry| Some((number(&entry.version)?, entry.version))).collect();
    versions.sort();
    let versions: Vec<String> = versions.into_iter().map(|(_, version)| version).collect();
    (!versions.is_empty()).then_some(versions)
}

/// A version as numbers, `67.0` as 67 and 0.
#[must_use]
pub fn number(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        let body = br#"[{"version":"100.0","label":"x"},{"version":"99.0"},{"version":"9.0"},{"version":"beta"}]"#;
        assert_eq!(parse(body), Some(["9.0", "99.0", "100.0"].map(str::to_owned).to_vec()));
        for body in [&b"[]"[..], b"{}", b"<html>", br#"[{"version":"x"}]"#] {
            assert_eq!(parse(body), None);
        }
    }
}
