//! `topic.creation.*`: how missing topics are created (KIP-158, "Kafka Connect should allow source connectors to set
//! topic-specific settings for new topics"). A topic belongs to the first group whose `include` matches its whole name
//! and whose `exclude` does not; `default` takes the rest.

use regex_lite::Regex;

use super::{
    findings::Findings,
    values::{last, list, number},
};

const PREFIX: &str = "topic.creation.";
const DEFAULT: &str = "default";

/// How a topic is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPlan {
    /// Partitions; -1 leaves it to the broker.
    pub partitions: i32,
    /// Replicas of each; -1 leaves it to the broker.
    pub replication_factor: i16,
    /// The topic's own settings, `cleanup.policy` and the like.
    pub configs: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Group {
    include: Vec<Regex>,
    exclude: Vec<Regex>,
    plan: TopicPlan,
}

/// The rules by which missing topics are created; without rules nothing is created.
#[derive(Clone, Debug, Default)]
pub struct TopicCreation {
    groups: Vec<Group>,
}

impl TopicCreation {
    /// Reads the rules from a connector's properties.
    #[must_use]
    pub fn read(properties: &[(String, String)], findings: &mut Findings) -> Self {
        if !properties.iter().any(|(name, _)| name.starts_with(PREFIX)) {
            return Self::default();
        }
        let reader = Reader { properties };
        let Some(default) = reader.plan(DEFAULT, None, findings) else {
            return Self::default();
        };
        let names = last(properties, "topic.creation.groups").map(list).unwrap_or_default();
        let named = names.iter().filter(|name| *name != DEFAULT);
        let mut groups: Vec<Group> = named.clone().filter_map(|name| reader.group(name, &default, findings)).collect();
        groups.push(Group { include: vec![], exclude: vec![], plan: default });
        let known: Vec<&str> = named.map(String::as_str).chain([DEFAULT, "groups"]).collect();
        for (property, value) in properties {
            let Some(rest) = property.strip_prefix(PREFIX) else { continue };
            let group = rest.split('.').next().unwrap_or_default();
            if !known.contains(&group) {
                let reason = "belongs to no group of topic.creation.groups, so it has no effect";
                findings.warning(property, Some(value), reason, format!("Add {group} to topic.creation.groups."));
            }
        }
        Self { groups }
    }

    /// How the topic is to be created, or `None` when missing topics are not.
    #[must_use]
    pub fn plan(&self, topic: &str) -> Option<&TopicPlan> {
        let matches = |regex: &Regex| regex.is_match(topic);
        let takes = |group: &&Group| {
            group.include.is_empty() || (group.include.iter().any(matches) && !group.exclude.iter().any(matches))
        };
        self.groups.iter().find(takes).map(|group| &group.plan)
    }
}

struct Reader<'a> {
    properties: &'a [(String, String)],
}

impl Reader<'_> {
    fn get(&self, group: &str, setting: &str) -> (String, Option<&str>) {
        let property = format!("{PREFIX}{group}.{setting}");
        let value = last(self.properties, &property);
        (property, value)
    }

    fn plan(&self, group: &str, default: Option<&TopicPlan>, findings: &mut Findings) -> Option<TopicPlan> {
        let partitions = self.count(group, "partitions", default.map(|plan| plan.partitions), i32::MAX, findings);
        let fallback = default.map(|plan| i32::from(plan.replication_factor));
        let replicas = self.count(group, "replication.factor", fallback, i32::from(i16::MAX), findings);
        let stem = format!("{PREFIX}{group}.");
        let configs = self.properties.iter().filter_map(|(name, value)| {
            let setting = name.strip_prefix(&stem)?;
            let own = matches!(setting, "partitions" | "replication.factor" | "include" | "exclude");
            (!own).then(|| (setting.to_owned(), value.clone()))
        });
        let replication_factor = i16::try_from(replicas?).ok()?;
        Some(TopicPlan { partitions: partitions?, replication_factor, configs: configs.collect() })
    }

    /// -1 or a positive number; required where there is no default to fall back on.
    fn count(
        &self,
        group: &str,
        setting: &str,
        default: Option<i32>,
        max: i32,
        findings: &mut Findings,
    ) -> Option<i32> {
        let (property, value) = self.get(group, setting);
        let remedy = "Write -1 for the broker's own default, or a number of 1 or more.";
        match (value, default) {
            (None, Some(default)) => Some(default),
            (None, None) => {
                findings.error(&property, None, "is missing, and other topic.creation settings need it", remedy);
                None
            }
            (Some("0"), _) => {
                findings.error(&property, value, "is neither -1 nor positive", remedy);
                None
            }
            (Some(value), _) => number(&property, value, -1..=max, findings),
        }
    }

    fn group(&self, name: &str, default: &TopicPlan, findings: &mut Findings) -> Option<Group> {
        let plan = self.plan(name, Some(default), findings);
        let include = self.patterns(name, "include", findings);
        let exclude = self.patterns(name, "exclude", findings);
        if include.as_ref().is_some_and(Vec::is_empty) {
            let (property, _) = self.get(name, "include");
            let remedy = "Write a comma list of regular expressions that match whole topic names.";
            findings.error(&property, None, "is missing, so the group takes no topic", remedy);
            return None;
        }
        Some(Group { include: include?, exclude: exclude?, plan: plan? })
    }

    fn patterns(&self, group: &str, setting: &str, findings: &mut Findings) -> Option<Vec<Regex>> {
        let (property, value) = self.get(group, setting);
        let mut patterns = Vec::new();
        for text in list(value.unwrap_or_default()) {
            match Regex::new(&format!("^(?:{text})$")) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    findings.error(&property, Some(&text), format!("is no regular expression: {error}"), "");
                    return None;
                }
            }
        }
        Some(patterns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (TopicCreation, Findings) {
        let properties: Vec<_> = pairs.iter().map(|(k, v)| (format!("topic.creation.{k}"), (*v).to_owned())).collect();
        let mut findings = Findings::new();
        (TopicCreation::read(&properties, &mut findings), findings)
    }

    #[test]
    fn the_first_group_that_matches_takes_the_topic() {
        let (rules, findings) = read(&[
            ("groups", "small, big"),
            ("default.partitions", "3"),
            ("default.replication.factor", "-1"),
            ("default.cleanup.policy", "compact"),
            ("small.include", "lead.*,a|b"),
            ("small.exclude", "lead_x"),
            ("small.partitions", "1"),
            ("big.include", ".*x"),
            ("big.retention.ms", "1000"),
        ]);
        assert!(findings.is_empty(), "{findings}");
        let cases = [
            ("leads", 1, vec![]),
            ("b", 1, vec![]),
            ("bb", 3, vec![("cleanup.policy", "compact")]),
            ("lead_x", 3, vec![("retention.ms", "1000")]),
            ("my_lead", 3, vec![("cleanup.policy", "compact")]),
        ];
        for (topic, partitions, configs) in cases {
            let configs = configs.into_iter().map(|(k, v): (&str, &str)| (k.to_owned(), v.to_owned())).collect();
            let expected = TopicPlan { partitions, replication_factor: -1, configs };
            assert_eq!(rules.plan(topic), Some(&expected), "{topic}");
        }
    }

    #[test]
    fn what_is_refused() {
        let d = ("default.partitions", "1");
        let r = ("default.replication.factor", "1");
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[d], "topic.creation.default.replication.factor: is missing"),
            (&[r, ("default.partitions", "0")], "neither -1 nor positive"),
            (&[r, ("default.partitions", "-2")], "out of range"),
            (&[r, ("default.partitions", "x")], "whole number"),
            (&[d, ("default.replication.factor", "40000")], "out of range"),
            (&[d, r, ("groups", "g")], "topic.creation.g.include: is missing"),
            (&[d, r, ("groups", "g"), ("g.include", "(")], "is no regular expression"),
            (&[d, r, ("g.include", "x")], "Add g to topic.creation.groups"),
        ];
        for (pairs, expected) in cases {
            let (_, findings) = read(pairs);
            assert!(findings.to_string().contains(expected), "{pairs:?}: {findings}");
        }
        assert_eq!(read(&[]).0.plan("x"), None);
    }
}
