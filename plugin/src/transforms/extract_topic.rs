//! Confluent's `ExtractTopic`: a text in the key, the value or a header is the topic.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    json_path::{JsonPath, member},
    options::{OptionError, Options},
    side::Side,
};
use crate::data::SourceRecord;

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text(
        "field",
        "Name of the field, or of the header, which `$Header` needs. Empty: the whole key or value, a text.",
    )
    .default(""),
    OptionDef::text("field.format", "`PLAIN`: a field's name. `JSON_PATH`: a JSON path, for nested fields.")
        .default("PLAIN")
        .valid(Check::OneOfAnyCase(&["PLAIN", "JSON_PATH"])),
    OptionDef::flag(
        "skip.missing.or.null",
        "false",
        "Whether a record without such a value keeps its topic; otherwise it is an error.",
    ),
];

#[derive(Clone, Debug)]
enum From {
    Whole(Side),
    Field(Side, String),
    Path(Side, JsonPath),
    Header(String),
}

#[derive(Clone, Debug)]
struct ExtractTopic {
    from: From,
    skip: bool,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let field = options.text("field");
    let plain = options.text("field.format").eq_ignore_ascii_case("PLAIN");
    let from = match form {
        Form::Header if field.is_empty() => {
            return Err(OptionError::of("field", "{property} is missing: it names the header"));
        }
        Form::Header if !plain => {
            return Err(OptionError::of("field.format", "{property} must be PLAIN for a header"));
        }
        Form::Header => From::Header(field.into()),
        _ if field.is_empty() => From::Whole(form.side()),
        _ if plain => From::Field(form.side(), field.into()),
        _ => {
            let path = JsonPath::parse(field, options.regex_timeout_ms()).map_err(|error| {
                OptionError::of("field", format!("Invalid value {field} for configuration {{property}}: {error}"))
            })?;
            From::Path(form.side(), path)
        }
    };
    Ok(Box::new(ExtractTopic { from, skip: options.flag("skip.missing.or.null") }))
}

impl Transform for ExtractTopic {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let found = match &self.from {
            From::Whole(side) => Some(side.value(&record)),
            From::Field(side, field) => member(side.value(&record), field),
            From::Path(side, path) => match path.select(side.value(&record))?[..] {
                [] => None,
                [value] => Some(value),
                _ => return Err(TransformError::new("the JSON path finds more than one value")),
            },
            From::Header(name) => record.headers.iter().rfind(|header| header.key == *name).map(|h| &h.value),
        };
        let found = found.filter(|value| !value.is_null());
        let topic = match found {
            Some(value) => match value.as_str() {
                Some(text) if !text.is_empty() => Some(text.to_owned()),
                Some(_) => return Err(TransformError::new("the text that is to be the topic is empty")),
                None => {
                    let kind = value.kind_name();
                    return Err(TransformError::new(format!("a topic must be a text, found {kind}")));
                }
            },
            None if self.skip => None,
            None => {
                return Err(TransformError::new(
                    "what is to be the topic is missing or null; skip.missing.or.null=true keeps the topic then",
                ));
            }
        };
        if let Some(topic) = topic {
            record.topic = topic;
        }
        Ok(Some(record))
    }
}
