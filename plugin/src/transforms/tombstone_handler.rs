//! Confluent's `TombstoneHandler`: records whose value is null are dropped, or are an error.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::{Result, TransformError},
    options::{OptionError, Options},
};
use crate::data::SourceRecord;

pub(super) const OPTIONS: &[OptionDef] = &[OptionDef::text(
    "behavior",
    "`warn` drops tombstones and says so, `ignore` drops them, `fail` makes them an error.",
)
.default("warn")
.valid(Check::OneOfAnyCase(&["warn", "ignore", "fail"]))];

#[derive(Clone, Copy, Debug)]
enum Behavior {
    Warn,
    Ignore,
    Fail,
}

#[derive(Clone, Debug)]
struct TombstoneHandler {
    behavior: Behavior,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let behavior = match options.text("behavior").to_ascii_lowercase().as_str() {
        "ignore" => Behavior::Ignore,
        "fail" => Behavior::Fail,
        _ => Behavior::Warn,
    };
    Ok(Box::new(TombstoneHandler { behavior }))
}

impl Transform for TombstoneHandler {
    fn apply(&mut self, record: SourceRecord, context: &mut Context) -> Result<Option<SourceRecord>> {
        if !record.value.is_null() {
            return Ok(Some(record));
        }
        match self.behavior {
            Behavior::Ignore => Ok(None),
            Behavior::Warn => {
                context.note(format!("TombstoneHandler dropped tombstones bound for {}", record.topic));
                Ok(None)
            }
            Behavior::Fail => Err(TransformError::new("the record is a tombstone, and behavior is fail")),
        }
    }
}
