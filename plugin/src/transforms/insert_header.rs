//! `InsertHeader`: a header with a fixed value, typed by how it is written.

use super::{
    chain::{Context, Transform},
    definition::{Form, OptionDef},
    error::Result,
    options::{OptionError, Options},
};
use crate::{
    data::{SourceRecord, record::Header},
    java::literal,
};

pub(super) const OPTIONS: &[OptionDef] = &[
    OptionDef::text("header", "Name of the header.").required(),
    OptionDef::text(
        "value.literal",
        "The value: `true`, `42`, `1.5`, an ISO date or time, a list in `[]`, a map in `{}`; else a text.",
    )
    .required(),
];

#[derive(Clone, Debug)]
struct InsertHeader {
    header: Header,
}

pub(super) fn build(options: &Options<'_>, _form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    let literal = literal::parse(options.text("value.literal"));
    let header = Header { key: options.text("header").into(), schema: literal.schema, value: literal.value };
    Ok(Box::new(InsertHeader { header }))
}

impl Transform for InsertHeader {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        record.headers.push(self.header.clone());
        Ok(Some(record))
    }
}
