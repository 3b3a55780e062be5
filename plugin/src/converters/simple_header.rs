//! Kafka Connect's SimpleHeaderConverter (`org.apache.kafka.connect.storage.SimpleHeaderConverter`): headers as text, UTF-8,
//! null as null.

use crate::{data::record::Header, java::text::to_text};

/// Name and bytes of a header as Kafka gets it.
#[must_use]
pub fn convert(header: &Header) -> (String, Option<Vec<u8>>) {
    (header.key.clone(), to_text(header.schema.as_deref(), &header.value).map(String::into_bytes))
}
