//! `Registered`: a converter to a format whose schemas are in a registry. It makes each schema's document once, and writes
//! values with room for the id that the registry gives the document.

use std::sync::Arc;

use super::{
    ConvertError, ConvertProblem, Converted,
    avro::{self, AvroOptions},
    avro_schema,
    json_schema::{self, JsonSchemaOptions},
    protobuf::{self, ProtobufOptions},
    protobuf_schema, wire_format,
};
use crate::data::{Schema, Value};

/// Room made at first for a value, which saves the growing of most records.
const CAPACITY_BYTES: usize = 1_024;

/// The registry's `schemaType` of Protobuf.
pub(super) const PROTOBUF: &str = "PROTOBUF";

/// A format, with its options.
#[derive(Clone, Debug)]
pub enum Format {
    /// Avro, `io.confluent.connect.avro.AvroConverter`.
    Avro(AvroOptions),
    /// JSON with a JSON Schema, `io.confluent.connect.json.JsonSchemaConverter`.
    JsonSchema(JsonSchemaOptions),
    /// Protocol buffers, `io.confluent.connect.protobuf.ProtobufConverter`.
    Protobuf(ProtobufOptions),
}

impl Format {
    /// The registry's `schemaType`.
    #[must_use]
    pub fn schema_type(&self) -> &'static str {
        match self {
            Self::Avro(_) => "AVRO",
            Self::JsonSchema(_) => "JSON",
            Self::Protobuf(_) => PROTOBUF,
        }
    }
}

/// A schema as the registry gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Unique among the documents of one converter.
    pub number: u64,
    /// The registry's `schemaType`.
    pub schema_type: &'static str,
    /// The text.
    pub text: String,
    /// Full name of the record, for the subject name strategies that go by it.
    pub record_name: Option<String>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Registered {
    format: Format,
    /// `schemas.cache.config`: most documents that are remembered.
    documents_max: usize,
    documents: Vec<(Arc<Schema>, Arc<Document>)>,
    next_number: u64,
}

impl Registered {
    /// A converter that has made no document yet.
    #[must_use]
    pub fn new(format: Format, documents_max: usize) -> Self {
        Self { format, documents_max, documents: Vec::new(), next_number: 0 }
    }

    /// See `Converter::convert`.
    ///
    /// # Errors
    /// As there.
    pub fn convert(&mut self, schema: Option<&Arc<Schema>>, value: &Value) -> Result<Converted, ConvertError> {
        let Some(schema) = schema else {
            let problem = ConvertProblem::Schemaless { format: self.format.schema_type() };
            return if value.is_null() { Ok(None.into()) } else { Err(ConvertError::new(problem)) };
        };
        // Where JSON has a text for null, null is no tombstone.
        if value.is_null() && !(schema.optional && matches!(self.format, Format::JsonSchema(_))) {
            return Ok(None.into());
        }
        let document = self.document(schema)?;
        let mut out = wire_format::start(&self.format, CAPACITY_BYTES);
        match &self.format {
            Format::Avro(options) => avro::write_root(&mut out, *options, schema, value)?,
            Format::JsonSchema(options) => json_schema::write_root(&mut out, *options, schema, value)?,
            Format::Protobuf(options) => protobuf::write_root(&mut out, *options, schema, value)?,
        }
        Ok(Converted { bytes: Some(out), schema: Some(document) })
    }

    fn document(&mut self, schema: &Arc<Schema>) -> Result<Arc<Document>, ConvertError> {
        // Nearly always the very same schema; comparing them is for callers who built it twice.
        let same = self.documents.iter().find(|(known, _)| Arc::ptr_eq(known, schema));
        if let Some((_, document)) = same.or_else(|| self.documents.iter().find(|(known, _)| known == schema)) {
            return Ok(Arc::clone(document));
        }
        let (text, record_name) = match &self.format {
            Format::Avro(options) => avro_schema::text(*options, schema)?,
            Format::JsonSchema(options) => json_schema::text(*options, schema)?,
            Format::Protobuf(options) => protobuf_schema::text(*options, schema)?,
        };
        let (number, schema_type) = (self.next_number, self.format.schema_type());
        let document = Arc::new(Document { number, schema_type, text, record_name });
        self.next_number += 1;
        if self.documents.len() >= self.documents_max.max(1) {
            self.documents.remove(0);
        }
        self.documents.push((Arc::clone(schema), Arc::clone(&document)));
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_made_once_and_forgotten_beyond_the_bound() {
        let mut converter = Registered::new(Format::Avro(AvroOptions::default()), 2);
        let number = |converter: &mut Registered, schema: Schema| {
            let made = converter.convert(Some(&Arc::new(schema)), &Value::from("x")).expect("it fits");
            made.schema.expect("a document").number
        };
        let named = |name: &str| Schema::string().named(name);
        assert_eq!(number(&mut converter, named("a")), 0);
        assert_eq!(number(&mut converter, named("a")), 0, "an equal schema is the same one");
        assert_eq!(number(&mut converter, named("b")), 1);
        assert_eq!(number(&mut converter, named("a")), 0, "two are remembered");
        assert_eq!(number(&mut converter, named("c")), 2);
        assert_eq!(number(&mut converter, named("a")), 3, "and not three");
    }

    #[test]
    fn nulls() {
        let optional = Arc::new(Schema::string().optional());
        let mut avro = Registered::new(Format::Avro(AvroOptions::default()), 9);
        let mut json = Registered::new(Format::JsonSchema(JsonSchemaOptions::default()), 9);
        assert_eq!(avro.convert(Some(&optional), &Value::Null), Ok(None.into()));
        let written = json.convert(Some(&optional), &Value::Null).expect("it fits");
        assert_eq!(written.bytes.as_deref(), Some(&b"\0\0\0\0\0null"[..]));
        for converter in [&mut avro, &mut json] {
            assert_eq!(converter.convert(None, &Value::Null), Ok(None.into()));
            assert_eq!(converter.convert(Some(&Arc::new(Schema::string())), &Value::Null), Ok(None.into()));
            assert!(converter.convert(None, &Value::from("x")).is_err());
        }
    }
}
