//! `ChangeTopicCase` of the community's transforms: another case format for the topic's name (Guava's `CaseFormat`).

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::Result,
    options::{OptionError, Options},
};
use crate::data::SourceRecord;

const FORMATS: Check =
    Check::OneOf(&["LOWER_HYPHEN", "LOWER_UNDERSCORE", "LOWER_CAMEL", "UPPER_CAMEL", "UPPER_UNDERSCORE"]);

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text("from", "The format that the topic has.").required().valid(FORMATS),
    OptionDef::text("to", "The format that it gets.").required().valid(FORMATS),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    LowerHyphen,
    LowerUnderscore,
    LowerCamel,
    UpperCamel,
    UpperUnderscore,
}

#[derive(Clone, Debug)]
struct ChangeTopicCase {
    from: Case,
    to: Case,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let case = |option: &str| match options.text(option) {
        "LOWER_HYPHEN" => Case::LowerHyphen,
        "LOWER_UNDERSCORE" => Case::LowerUnderscore,
        "LOWER_CAMEL" => Case::LowerCamel,
        "UPPER_CAMEL" => Case::UpperCamel,
        _ => Case::UpperUnderscore,
    };
    Ok(Box::new(ChangeTopicCase { from: case("from"), to: case("to") }))
}

impl Transform for ChangeTopicCase {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        record.topic = convert(&record.topic, self.from, self.to);
        Ok(Some(record))
    }
}

fn convert(text: &str, from: Case, to: Case) -> String {
    if from == to {
        return text.to_owned();
    }
    let words = match from {
        Case::LowerHyphen => text.split('-').collect(),
        Case::LowerUnderscore | Case::UpperUnderscore => text.split('_').collect(),
        Case::LowerCamel | Case::UpperCamel => camel_words(text),
    };
    let mut out = String::new();
    for (position, word) in words.into_iter().enumerate() {
        match to {
            Case::LowerHyphen | Case::LowerUnderscore | Case::UpperUnderscore if position > 0 => {
                out.push(if to == Case::LowerHyphen { '-' } else { '_' });
            }
            _ => {}
        }
        match to {
            Case::LowerHyphen | Case::LowerUnderscore => out.push_str(&word.to_ascii_lowercase()),
            Case::UpperUnderscore => out.push_str(&word.to_ascii_uppercase()),
            Case::LowerCamel if position == 0 => out.push_str(&word.to_ascii_lowercase()),
            Case::LowerCamel | Case::UpperCamel => {
                let mut chars = word.chars();
                out.extend(chars.next().map(|first| first.to_ascii_uppercase()));
                out.push_str(&chars.as_str().to_ascii_lowercase());
            }
        }
    }
    out
}

/// Words that begin with an upper case letter; the first may begin with a lower case one.
fn camel_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(|c: char| c.is_ascii_uppercase()).filter(|(at, _)| *at > 0) {
        words.push(&text[start..at]);
        start = at;
    }
    words.push(&text[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_case() {
        let cases = [
            ("TOPIC_NAME", Case::UpperUnderscore, Case::LowerCamel, "topicName"),
            ("TOPIC_NAME", Case::UpperUnderscore, Case::LowerUnderscore, "topic_name"),
            ("topicName", Case::LowerCamel, Case::UpperUnderscore, "TOPIC_NAME"),
            ("TopicName", Case::UpperCamel, Case::LowerHyphen, "topic-name"),
            ("topic-name", Case::LowerHyphen, Case::UpperCamel, "TopicName"),
            ("same", Case::LowerCamel, Case::LowerCamel, "same"),
            ("", Case::LowerHyphen, Case::UpperCamel, ""),
        ];
        for (text, from, to, expected) in cases {
            assert_eq!(convert(text, from, to), expected, "{text}");
        }
    }
}
