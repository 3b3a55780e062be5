//! `Lane`: a record's keys, or its values, on their way through their converter, with the ids of their schemas.

use std::sync::Arc;

use crate::{
    converters::{
        ConvertError, Converter, Document,
        wire_format::{self, IdForm},
    },
    data::{Schema, Value},
    registry::{
        Registry,
        ids::{Ids, SchemaId},
    },
};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    is_key: bool,
    converter: Converter,
    registry: Option<Arc<Registry>>,
    id_form: IdForm,
    ids: Ids,
}

/// A key or a value, converted.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    /// The bytes, complete unless `missing`.
    pub(super) bytes: Option<Vec<u8>>,
    /// A header that says which schema it has.
    pub(super) header: Option<Header>,
    /// The schema whose id is not known yet.
    pub(super) missing: Option<Arc<Document>>,
}

/// Name and value of a header.
pub(super) type Header = (String, Option<Vec<u8>>);

/// A schema without an id, for records of one topic.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Whether it is the schema of keys.
    pub(super) is_key: bool,
    /// The topic.
    pub(super) topic: String,
    /// The schema.
    pub(super) document: Arc<Document>,
    /// Who gives the id.
    pub(super) registry: Arc<Registry>,
    /// Where the id goes.
    pub(super) id_form: IdForm,
}

impl Lane {
    pub(super) fn new(is_key: bool, converter: Converter, registry: Option<Arc<Registry>>, id_form: IdForm) -> Self {
        Self { is_key, converter, registry, id_form, ids: Ids::default() }
    }

    pub(super) fn is_key(&self) -> bool {
        self.is_key
    }

    /// Converts a key or a value of a record bound for `topic`.
    pub(super) fn convert(
        &mut self,
        topic: &str,
        schema: Option<&Arc<Schema>>,
        value: &Value,
    ) -> Result<Part, ConvertError> {
        let converted = self.converter.convert(topic, schema, value)?;
        let (mut bytes, document) = match (converted.bytes, converted.schema) {
            (Some(bytes), Some(document)) => (bytes, document),
            (bytes, _) => return Ok(Part { bytes, header: None, missing: None }),
        };
        Ok(match self.finish(&mut bytes, topic, &document) {
            Some(header) => Part { bytes: Some(bytes), header, missing: None },
            None => Part { bytes: Some(bytes), header: None, missing: Some(document) },
        })
    }

    /// Puts the id where it belongs, and gives back the header, if it belongs there; `None` when it is not known.
    pub(super) fn finish(&self, bytes: &mut Vec<u8>, topic: &str, document: &Document) -> Option<Option<Header>> {
        let SchemaId { id, guid } = self.ids.get(document.number, topic)?;
        let header = wire_format::finish(bytes, self.id_form, document.schema_type, id, guid);
        let name = if self.is_key { "__key_schema_id" } else { "__value_schema_id" };
        Some(header.map(|value| (name.to_owned(), Some(value))))
    }

    /// What to ask the registry for; `None` without a registry.
    pub(super) fn wanted(&self, topic: &str, document: Arc<Document>) -> Option<Wanted> {
        let registry = Arc::clone(self.registry.as_ref()?);
        Some(Wanted { is_key: self.is_key, topic: topic.to_owned(), document, registry, id_form: self.id_form })
    }

    /// Remembers an id.
    pub(super) fn put(&mut self, document: u64, topic: String, id: SchemaId) {
        self.ids.put(document, topic, id);
    }
}
