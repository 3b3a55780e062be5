//! The subject of a schema: the name strategies of Confluent's serializers, and schema contexts (`:.context:subject`).

/// `*.subject.name.strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// `<topic>-key` or `<topic>-value`.
    #[default]
    TopicName,
    /// The record's full name.
    RecordName,
    /// `<topic>-<the record's full name>`.
    TopicRecordName,
}

/// How the subjects of a converter are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects {
    /// The strategy.
    pub strategy: Strategy,
    /// `schema.context.name`; none for the default context.
    pub context: Option<String>,
}

/// A strategy that goes by the record's name, and a record without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the subject name strategy goes by the record's name, and this schema is no record with a name")]
pub struct Nameless;

impl Subjects {
    /// The subject of a schema of the records of `topic`.
    ///
    /// # Errors
    /// `Nameless`.
    pub fn of(&self, topic: &str, is_key: bool, record_name: Option<&str>) -> Result<String, Nameless> {
        let name = match self.strategy {
            Strategy::TopicName => format!("{topic}-{}", if is_key { "key" } else { "value" }),
            Strategy::RecordName => record_name.ok_or(Nameless)?.to_owned(),
            Strategy::TopicRecordName => format!("{topic}-{}", record_name.ok_or(Nameless)?),
        };
        Ok(match &self.context {
            Some(context) => format!(":.{context}:{name}"),
            None => name,
        })
    }
}

/// The context of a setting: `staging`, `.staging` and `:.staging:` are the same, `default`, `.` and nothing are the
/// default context.
#[must_use]
pub fn context(setting: &str) -> Option<String> {
    let name = setting.trim().trim_matches(':').trim_start_matches('.');
    (!name.is_empty() && name != "default").then(|| name.to_owned())
}

impl Strategy {
    /// The strategy of a class name, with or without its package.
    #[must_use]
    pub fn parse(class: &str) -> Option<Self> {
        match class.rsplit('.').next()? {
            // Without an association in the registry, the associated name is the topic's.
            "TopicNameStrategy" | "AssociatedNameStrategy" => Some(Self::TopicName),
            "RecordNameStrategy" => Some(Self::RecordName),
            "TopicRecordNameStrategy" => Some(Self::TopicRecordName),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        let cases = [
            (Strategy::TopicName, None, false, Some("leads-value")),
            (Strategy::TopicName, Some("x.Lead"), true, Some("leads-key")),
            (Strategy::RecordName, Some("x.Lead"), false, Some("x.Lead")),
            (Strategy::TopicRecordName, Some("x.Lead"), false, Some("leads-x.Lead")),
            (Strategy::RecordName, None, false, None),
        ];
        for (strategy, record, is_key, subject) in cases {
            let subjects = Subjects { strategy, context: None };
            assert_eq!(subjects.of("leads", is_key, record).ok().as_deref(), subject);
            let subjects = Subjects { strategy, context: context(":.staging:") };
            let expected = subject.map(|subject| format!(":.staging:{subject}"));
            assert_eq!(subjects.of("leads", is_key, record).ok(), expected);
        }
    }

    #[test]
    fn contexts_and_strategies_of_settings() {
        for (setting, expected) in [
            ("staging", Some("staging")),
            (".staging", Some("staging")),
            (":.staging:", Some("staging")),
            ("default", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(context(setting).as_deref(), expected, "{setting}");
        }
        let package = "io.confluent.kafka.serializers.subject.";
        assert_eq!(Strategy::parse(&format!("{package}RecordNameStrategy")), Some(Strategy::RecordName));
        assert_eq!(Strategy::parse("TopicRecordNameStrategy"), Some(Strategy::TopicRecordName));
        assert_eq!(Strategy::parse("MyStrategy"), None);
    }
}
