//! `Filter` of Apache Kafka: drops every record that it is applied to; a predicate says which.

use super::{
    chain::{Context, Transform},
    definition::Form,
    error::Result,
    options::{OptionError, Options},
};
use crate::data::SourceRecord;

#[derive(Clone, Debug)]
struct Filter;

pub(super) fn build(_options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(Filter))
}

impl Transform for Filter {
    fn apply(&mut self, _record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        Ok(None)
    }
}
