//! Confluent's `Filter`: keeps or drops records by a condition, a JSON path that finds something or does not.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    json_path::JsonPath,
    options::{OptionError, Options},
    side::Side,
};
use crate::data::SourceRecord;

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text(
        "filter.condition",
        "A JSON path, such as `$[?(@.Status == 'Open')]`; it holds when it finds something.",
    )
    .required()
    .valid(Check::NonEmpty),
    OptionDef::text("filter.type", "`include` keeps the records for which it holds, `exclude` drops them.")
        .required()
        .valid(Check::OneOfAnyCase(&["include", "exclude"])),
    OptionDef::text(
        "missing.or.null.behavior",
        "What becomes of a record without the field, or with null in it: `fail`, `include` or `exclude`.",
    )
    .default("fail")
    .valid(Check::OneOfAnyCase(&["fail", "include", "exclude"])),
];

#[derive(Clone, Copy, Debug)]
enum Missing {
    Fail,
    Include,
    Exclude,
}

#[derive(Clone, Debug)]
struct JsonPathFilter {
    side: Side,
    condition: JsonPath,
    include: bool,
    missing: Missing,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let text = options.text("filter.condition");
    let condition = JsonPath::parse(text, options.regex_timeout_ms()).map_err(|error| {
        OptionError::of("filter.condition", format!("Invalid value {text} for configuration {{property}}: {error}"))
    })?;
    Ok(Box::new(JsonPathFilter {
        side: form.side(),
        condition,
        include: options.text("filter.type").eq_ignore_ascii_case("include"),
        missing: match options.text("missing.or.null.behavior").to_ascii_lowercase().as_str() {
            "include" => Missing::Include,
            "exclude" => Missing::Exclude,
            _ => Missing::Fail,
        },
    }))
}

impl Transform for JsonPathFilter {
    fn apply(&mut self, record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let value = self.side.value(&record);
        let keep = if self.condition.is_missing(value) {
            match self.missing {
                Missing::Include => true,
                Missing::Exclude => false,
                Missing::Fail => {
                    return Err(TransformError::new(
                        "a field of filter.condition is missing or null; missing.or.null.behavior says what becomes of such records",
                    ));
                }
            }
        } else {
            self.condition.select(value)?.is_empty() != self.include
        };
        Ok(keep.then_some(record))
    }
}
