//! Property tests of validation: whatever a configuration holds, it is answered, about names that exist, without secrets.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    def::Type,
    keys, transforms,
    validate::{parse, validate},
};

/// What no output may hold.
const CANARY: &str = "canary7f3a";

/// Values that are wrong in most places, and right in some.
fn value() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "\t\n",
        "true",
        "FALSE",
        "0",
        "-1",
        "+5",
        "30000",
        "9223372036854775808",
        "1e3",
        "NaN",
        "null",
        "[]",
        "{}",
        "PASSWORD",
        "jwt_bearer",
        "JSON",
        "AVRO",
        "latest",
        "67.0",
        "all",
        "Lead",
        "Lead' OR 1",
        "a.b",
        "${",
        "${}",
        "${_ObjectType}",
        "${Name",
        "https://login.salesforce.com",
        "https://u:p@h",
        "http://[::1]:8",
        "https://",
        "SalesforcePushTopicSource",
        "io.confluent.salesforce.SalesforcePushTopicSourceConnector",
        "ÄÖ\u{1F600}",
        "\0",
        "data:text/plain;base64,AAAA",
    ];
    prop_oneof![
        6 => proptest::sample::select(odd.to_vec()).prop_map(str::to_owned),
        2 => "\\PC{0,40}",
        1 => (0_usize..70_000).prop_map(|length| "x".repeat(length)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let known: Vec<&str> = keys::all().map(|key| key.name).collect();
    prop_oneof![
        8 => proptest::sample::select(known.clone()).prop_map(str::to_owned),
        // A slip of the fingers.
        2 => (proptest::sample::select(known), 0_usize..40).prop_map(|(name, at)| {
            name.chars().enumerate().filter(|(index, _)| *index != at).map(|(_, c)| c).collect()
        }),
        1 => "\\PC{0,30}",
        1 => "(confluent\\.topic|transforms|salesforce)\\.[a-z.]{0,20}",
    ]
}

fn is_password(name: &str) -> bool {
    keys::find(name).is_some_and(|key| key.kind == Type::Password)
}

proptest! {
    // Bounded, so that the whole takes a few seconds on a slow machine.
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_given_is_answered(given in proptest::collection::vec((name(), value()), 0..30)) {
        // Every password holds the canary, and so do the values of names that nobody knows.
        let given: Vec<(String, String)> = given
            .into_iter()
            .map(|(name, value)| match keys::find(&name) {
                Some(_) if !is_password(&name) => (name, value),
                None if transforms::owns(&name) => (name, value),
                _ => (name, format!("{value}{CANARY}")),
            })
            .collect();
        let values = validate(&given);
        let mut names = BTreeSet::new();
        for value in &values {
            prop_assert!(names.insert(value.name.clone()), "{} has two entries", value.name);
            // An alias in `transforms` makes settings of its own.
            let known = keys::find(&value.name).is_some() || transforms::owns(&value.name);
            prop_assert!(known || given.iter().any(|(name, _)| *name == value.name), "{} comes from nowhere", value.name);
            for sentence in value.errors.iter().chain(&value.warnings) {
                prop_assert!(!sentence.is_empty() && !sentence.contains('\n'), "{sentence:?}");
            }
        }
        for key in keys::all().filter(|key| !key.is_family()) {
            prop_assert!(names.contains(key.name), "{} is left out", key.name);
        }
        let parsed = parse(&given);
        let errors = values.iter().map(|value| value.errors.len()).sum::<usize>();
        prop_assert_eq!(parsed.is_err(), errors > 0, "{:?}", parsed);
        let everything = format!("{values:?} {parsed:?}");
        prop_assert!(!everything.contains(CANARY), "{everything}");
    }
}
