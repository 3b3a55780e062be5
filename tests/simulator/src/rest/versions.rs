//! API versions: the list, and which ones there are. Implements section 2.1 of the Salesforce facts page.

use serde_json::{Value, json};

use crate::config::OrgConfig;

/// The newest version that PushTopics may name.
pub(crate) const LATEST_VERSION: f64 = 67.0;

const OLDEST: u32 = 31;
const NEWEST: u32 = 67;

/// Whether `/services/data/v{version}` exists.
pub(crate) fn is_offered(version: &str, with_100: bool) -> bool {
    version
        .strip_suffix(".0")
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| (OLDEST..=NEWEST).contains(&major) || (with_100 && major == 100))
}

/// The versions, in an order that shows who does not sort.
pub(super) fn list(config: &OrgConfig) -> Value {
    let (low, high) = (OLDEST..=NEWEST).partition::<Vec<_>, _>(|major| major % 3 != 1);
    let hundred = config.offer_version_100.then_some(100);
    high.into_iter().chain(hundred).chain(low).map(entry).collect()
}

fn entry(major: u32) -> Value {
    let season = ["Spring", "Summer", "Winter"][major as usize % 3];
    // Version 67 is Summer '26; three versions make a year.
    let year = if season == "Winter" { (major + 13) / 3 } else { (major + 12) / 3 } % 100;
    json!({"label": format!("{season} '{year:02}"), "url": format!("/services/data/v{major}.0"), "version": format!("{major}.0")})
}

/// What a version offers.
pub(super) fn resources(version: &str) -> Value {
    let url = |name: &str| format!("/services/data/v{version}/{name}");
    json!({"limits": url("limits"), "query": url("query"), "sobjects": url("sobjects")})
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        for (with_100, newest) in [(false, "67.0"), (true, "100.0")] {
            let list = list(&OrgConfig { offer_version_100: with_100, ..OrgConfig::default() });
            let versions: Vec<_> =
                list.as_array().unwrap().iter().map(|entry| entry["version"].as_str().unwrap().to_owned()).collect();
            assert_ne!(versions.last().unwrap(), newest, "out of order");
            assert_eq!(
                versions.iter().max_by_key(|text| text[..text.len() - 2].parse::<u32>().unwrap()).unwrap(),
                newest
            );
        }
        // From the vendor's release calendar.
        for (major, label) in
            [(67, "Summer '26"), (66, "Spring '26"), (65, "Winter '26"), (58, "Summer '23"), (44, "Winter '19")]
        {
            assert_eq!(entry(major)["label"], label);
        }
        for (version, offered) in [("67.0", true), ("68.0", false), ("67", false), ("100.0", false), ("30.0", false)] {
            assert_eq!(is_offered(version, false), offered, "{version}");
        }
    }
}
