//! `DropHeaders`: drops all headers of certain names.

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, OptionDef},
    error::Result,
    options::{OptionError, Options},
};
use crate::data::SourceRecord;

pub(super) const OPTIONS: &[OptionDef] =
    &[OptionDef::list("headers", "Names of the headers to drop.").required().valid(Check::DistinctNonEmpty)];

#[derive(Clone, Debug)]
struct DropHeaders {
    headers: Vec<String>,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(DropHeaders { headers: options.list("headers") }))
}

impl Transform for DropHeaders {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        record.headers.retain(|header| !self.headers.contains(&header.key));
        Ok(Some(record))
    }
}
