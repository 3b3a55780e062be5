//! `TopicTemplate`: the setting `kafka.topic`, a topic's name with placeholders `${Field}` for fields of the record's
//! value, `salesforce.${_ObjectType}.${_EventType}`; and Kafka's rules for topic names
//! (`org.apache.kafka.common.internals.Topic`).

use crate::data::{Schema, SchemaKind, Struct, Value, java_number, logical};

/// The longest name of a topic, in characters.
pub const TOPIC_CHARS_MAX: usize = 249;

/// A template that can never give a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `${` without its `}`.
    #[error("the placeholder that begins at character {position} is not closed with a brace")]
    Unclosed {
        /// Where it begins; 1 for the first character.
        position: usize,
    },
    /// Something other than a field's name between the braces.
    #[error("the placeholder that begins at character {position} holds no field name")]
    Placeholder {
        /// Where it begins; 1 for the first character.
        position: usize,
    },
    /// The text around the placeholders has a character that no topic may have, or the topic without placeholders is
    /// none.
    #[error(transparent)]
    Name(#[from] TopicNameError),
    /// The value has no such field.
    #[error("the placeholder ${{{field}}} names no field of the record's value")]
    UnknownField {
        /// The field's name.
        field: String,
    },
    /// The field is not of a type that can be a part of a name.
    #[error(
        "the placeholder ${{{field}}} names a field of type {kind}; only texts, numbers and booleans can be part of a topic's name"
    )]
    Kind {
        /// The field's name.
        field: String,
        /// Its type.
        kind: String,
    },
}

/// A name that Kafka does not allow. Holds no part of the name but one character.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// No characters.
    #[error("a topic's name must not be empty")]
    Empty,
    /// `.` or `..`.
    #[error("a topic's name must not be \".\" or \"..\"")]
    Dots,
    /// Longer than `TOPIC_CHARS_MAX`.
    #[error("a topic's name has at most {TOPIC_CHARS_MAX} characters, this one has {chars}")]
    TooLong {
        /// How many it has.
        chars: usize,
    },
    /// A character other than those that Kafka allows.
    #[error("a topic's name consists of letters a-z and A-Z, digits, '.', '_' and '-'; {character:?} is none of them")]
    Character {
        /// The first such character.
        character: char,
    },
}

/// A record whose topic cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// A field of the template is null or missing in this record.
    #[error("the topic cannot be told: field {field} of kafka.topic is null in this record")]
    Null {
        /// The field's name.
        field: String,
    },
    /// A field of the template is of a type that cannot be a part of a name.
    #[error("the topic cannot be told: field {field} of kafka.topic is of type {kind}")]
    Kind {
        /// The field's name.
        field: String,
        /// Its type.
        kind: &'static str,
    },
    /// The name that comes out is not one that Kafka allows.
    #[error("kafka.topic gives a name for this record that Kafka does not allow: {0}")]
    Name(#[from] TopicNameError),
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicTemplate {
    parts: Vec<Part>,
    lowercase: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

impl TopicTemplate {
    /// Reads a template. With `lowercase`, the whole name is written in lower case (`kafka.topic.lowercase`).
    ///
    /// # Errors
    /// `TemplateError` when it can never give a topic. Whether its fields exist is asked of `check`.
    pub fn parse(template: &str, lowercase: bool) -> Result<Self, TemplateError> {
        let position = |rest: &str| template[..template.len() - rest.len()].chars().count() + 1;
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some(start) = rest.find("${") {
            let (text, placeholder) = rest.split_at(start);
            push_text(&mut parts, text, lowercase)?;
            let end =
                placeholder.find('}').ok_or_else(|| TemplateError::Unclosed { position: position(placeholder) })?;
            let field = &placeholder[2..end];
            if !is_field_name(field) {
                return Err(TemplateError::Placeholder { position: position(placeholder) });
            }
            parts.push(Part::Field(field.to_owned()));
            rest = &placeholder[end + 1..];
        }
        push_text(&mut parts, rest, lowercase)?;
        match &parts[..] {
            [] => check_topic_name("")?,
            [Part::Text(name)] => check_topic_name(name)?,
            _ => {}
        }
        Ok(Self { parts, lowercase })
    }

    /// Checks that every placeholder names a field of `schema`, a struct, that can be part of a name.
    ///
    /// # Errors
    /// `TemplateError` names the first that does not.
    pub fn check(&self, schema: &Schema) -> Result<(), TemplateError> {
        for part in &self.parts {
            let Part::Field(name) = part else { continue };
            let Some(field) = schema.field(name) else {
                return Err(TemplateError::UnknownField { field: name.clone() });
            };
            if !can_be_part_of_a_name(&field.schema) {
                let kind = field.schema.name.as_deref().unwrap_or(field.schema.kind.name()).to_owned();
                return Err(TemplateError::Kind { field: name.clone(), kind });
            }
        }
        Ok(())
    }

    /// Every topic that can come out, where `values` tells all that a field can hold; `None` when there is a field of which
    /// that is not known.
    #[must_use]
    pub fn topics(&self, values: impl Fn(&str) -> Option<Vec<String>>) -> Option<Vec<String>> {
        let mut topics = vec![String::new()];
        for part in &self.parts {
            let ends = match part {
                Part::Text(text) => vec![text.clone()],
                Part::Field(field) => values(field)?,
            };
            topics = topics.iter().flat_map(|topic| ends.iter().map(move |end| format!("{topic}{end}"))).collect();
        }
        if self.lowercase {
            topics.iter_mut().for_each(|topic| topic.make_ascii_lowercase());
        }
        Some(topics)
    }

    /// A topic beside those of the records: the template with the object's name in place of `${_ObjectType}`, without other
    /// placeholders, and `.suffix` behind it.
    #[must_use]
    pub fn beside(&self, object: &str, suffix: &str) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field) if field == "_ObjectType" => name.push_str(object),
                Part::Field(_) => {}
            }
        }
        while name.contains("..") {
            name = name.replace("..", ".");
        }
        let name = name.trim_matches('.');
        let room = TOPIC_CHARS_MAX.saturating_sub(suffix.len() + 1);
        let name: String = name.chars().take(room).collect();
        let name = if name.is_empty() { suffix.to_owned() } else { format!("{name}.{suffix}") };
        if self.lowercase { name.to_ascii_lowercase() } else { name }
    }

    /// The topic of a record with this value.
    ///
    /// # Errors
    /// `TopicError` when a field is null, missing or unfit, or when what comes out is no topic's name.
    pub fn render(&self, value: &Struct) -> Result<String, TopicError> {
        if let [Part::Text(name)] = &self.parts[..] {
            return Ok(name.clone());
        }
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field) => push_field(&mut name, field, value)?,
            }
        }
        if self.lowercase {
            name.make_ascii_lowercase();
        }
        check_topic_name(&name)?;
        Ok(name)
    }
}

/// Checks a name against Kafka's rules.
///
/// # Errors
/// `TopicNameError` says which rule it breaks.
pub fn check_topic_name(name: &str) -> Result<(), TopicNameError> {
    if name.is_empty() {
        return Err(TopicNameError::Empty);
    }
    if name == "." || name == ".." {
        return Err(TopicNameError::Dots);
    }
    check_characters(name)?;
    if name.len() > TOPIC_CHARS_MAX {
        return Err(TopicNameError::TooLong { chars: name.len() });
    }
    Ok(())
}

fn check_characters(text: &str) -> Result<(), TopicNameError> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    match text.chars().find(|&character| !allowed(character)) {
        Some(character) => Err(TopicNameError::Character { character }),
        None => Ok(()),
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str, lowercase: bool) -> Result<(), TopicNameError> {
    check_characters(text)?;
    if !text.is_empty() {
        parts.push(Part::Text(if lowercase { text.to_ascii_lowercase() } else { text.to_owned() }));
    }
    Ok(())
}

fn push_field(name: &mut String, field: &str, value: &Struct) -> Result<(), TopicError> {
    match value.get(field).unwrap_or(&Value::Null) {
        Value::Null => return Err(TopicError::Null { field: field.to_owned() }),
        Value::String(text) => name.push_str(text),
        Value::Boolean(yes) => name.push_str(if *yes { "true" } else { "false" }),
        Value::Float64(number) => java_number::push_double(name, *number),
        Value::Float32(number) => java_number::push_float(name, *number),
        other => match other.as_i64() {
            Some(number) => name.push_str(&number.to_string()),
            None => return Err(TopicError::Kind { field: field.to_owned(), kind: other.kind_name() }),
        },
    }
    Ok(())
}

fn is_field_name(name: &str) -> bool {
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Dates and times are refused: as numbers they would mean nothing in a name, and as texts they hold colons.
fn can_be_part_of_a_name(schema: &Schema) -> bool {
    let composite =
        matches!(schema.kind, SchemaKind::Bytes | SchemaKind::Array(_) | SchemaKind::Map(..) | SchemaKind::Struct(_));
    !composite && logical::LogicalType::of(schema).is_none()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Field;

    fn lead() -> Struct {
        let schema = Schema::structure(vec![
            Field::new("Name", Schema::string().optional()),
            Field::new("Count", Schema::int32()),
            Field::new("Big", Schema::int64()),
            Field::new("Score", Schema::float64()),
            Field::new("Open", Schema::boolean()),
            Field::new("Blob", Schema::bytes().optional()),
            Field::new("Day", logical::date().optional()),
            Field::new("_ObjectType", Schema::string()),
            Field::new("_EventType", Schema::string().optional()),
        ]);
        let values = vec![
            "a b".into(),
            Value::Int32(-5),
            Value::Int64(i64::MAX),
            Value::Float64(1.5),
            Value::Boolean(true),
            Value::Bytes(vec![]),
            Value::Int32(1),
            "Lead".into(),
            Value::Null,
        ];
        Struct { schema: Arc::new(schema), values }
    }

    #[test]
    fn templates_give_topics_or_say_why_not() {
        let name = |error: TopicNameError| Err(error.to_string());
        let not_allowed = |error: TopicNameError| Err(TopicError::Name(error).to_string());
        let longest = "x".repeat(TOPIC_CHARS_MAX);
        let err = |text: &str| Err(text.to_owned());
        let cases = [
            ("Leads_1.a-b", true, Ok("leads_1.a-b".to_owned())),
            ("Leads_1.a-b", false, Ok("Leads_1.a-b".to_owned())),
            ("salesforce.${_ObjectType}.X", true, Ok("salesforce.lead.x".to_owned())),
            ("${_ObjectType}", false, Ok("Lead".to_owned())),
            ("${Count}_${Big}_${Score}_${Open}", false, Ok("-5_9223372036854775807_1.5_true".to_owned())),
            (&longest, true, Ok(longest.clone())),
            (&format!("{longest}x"), true, name(TopicNameError::TooLong { chars: 250 })),
            (&format!("${{_ObjectType}}{}", &longest[4..]), true, Ok(format!("lead{}", &longest[4..]))),
            (&format!("${{_ObjectType}}{}", &longest[3..]), true, not_allowed(TopicNameError::TooLong { chars: 250 })),
            ("", true, name(TopicNameError::Empty)),
            (".", true, name(TopicNameError::Dots)),
            ("..", true, name(TopicNameError::Dots)),
            ("...", true, Ok("...".to_owned())),
            ("a b", true, name(TopicNameError::Character { character: ' ' })),
            ("a$b", true, name(TopicNameError::Character { character: '$' })),
            ("é${_ObjectType}", true, name(TopicNameError::Character { character: 'é' })),
            ("a${_ObjectType", true, err("the placeholder that begins at character 2 is not closed with a brace")),
            ("${}", true, err("the placeholder that begins at character 1 holds no field name")),
            ("a.${a b}", true, err("the placeholder that begins at character 3 holds no field name")),
            ("${${Name}}", true, err("the placeholder that begins at character 1 holds no field name")),
            ("x${Nme}", true, err("the placeholder ${Nme} names no field of the record's value")),
            (
                "${Blob}",
                true,
                err(
                    "the placeholder ${Blob} names a field of type bytes; only texts, numbers and booleans can be part of a topic's name",
                ),
            ),
            (
                "${Day}",
                true,
                err(
                    "the placeholder ${Day} names a field of type org.apache.kafka.connect.data.Date; only texts, numbers and booleans can be part of a topic's name",
                ),
            ),
            (
                "${_EventType}",
                true,
                err("the topic cannot be told: field _EventType of kafka.topic is null in this record"),
            ),
            ("${Name}", true, not_allowed(TopicNameError::Character { character: ' ' })),
        ];
        let value = lead();
        for (template, lowercase, expected) in cases {
            let found = TopicTemplate::parse(template, lowercase)
                .and_then(|template| template.check(&value.schema).map(|()| template))
                .map_err(|error| error.to_string())
                .and_then(|template| template.render(&value).map_err(|error| error.to_string()));
            assert_eq!(found, expected, "{template}");
        }
    }

    #[test]
    fn rendering_does_not_rely_on_the_check() {
        let render = |template: &str| TopicTemplate::parse(template, true).map(|template| template.render(&lead()));
        assert_eq!(render("${Nme}"), Ok(Err(TopicError::Null { field: "Nme".into() })));
        assert_eq!(render("${Blob}"), Ok(Err(TopicError::Kind { field: "Blob".into(), kind: "bytes" })));
    }

    #[test]
    fn a_topic_beside() {
        for (template, lowercase, expected) in [
            ("leads", false, "leads.gaps"),
            ("sf.${_ObjectType}.${_EventType}", false, "sf.Lead.gaps"),
            ("sf.${_ObjectType}.${_EventType}", true, "sf.lead.gaps"),
            ("${Company}", false, "gaps"),
            ("a.${Company}.b", false, "a.b.gaps"),
        ] {
            let template = TopicTemplate::parse(template, lowercase).expect("a template");
            assert_eq!(template.beside("Lead", "gaps"), expected);
        }
        let long = TopicTemplate::parse(&"x".repeat(TOPIC_CHARS_MAX), false).expect("a template");
        assert_eq!(long.beside("Lead", "gaps").len(), TOPIC_CHARS_MAX);
    }
}
