//! Records and offsets as the host handles them: the contract's `types` interface in plain Rust, so that sinks and
//! offset stores do not depend on the component runtime.

/// One header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The header's key.
    pub key: String,
    /// The value; `None` is Kafka's null.
    pub value: Option<Vec<u8>>,
}

/// A record ready for Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerRecord {
    /// Destination topic.
    pub topic: String,
    /// Destination partition, or `None` for the default partitioner.
    pub partition: Option<i32>,
    /// Serialised key.
    pub key: Option<Vec<u8>>,
    /// Serialised value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<Header>,
    /// CreateTime in milliseconds since the Unix epoch.
    pub timestamp_ms: Option<i64>,
}

impl ProducerRecord {
    /// Bytes that this record holds in memory: payload plus a flat charge for the bookkeeping. This is the unit of every
    /// byte bound on records in flight.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        const BOOKKEEPING_BYTES: usize = 128;
        let part = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers: usize = self.headers.iter().map(|h| h.key.len() + part(&h.value)).sum();
        BOOKKEEPING_BYTES + self.topic.len() + part(&self.key) + part(&self.value) + headers
    }
}

/// A primitive value in a source partition or source offset.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// JSON null.
    Null,
    /// JSON true or false.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
}

/// A source partition or a source offset: a map with string keys, in the order in which it is written.
pub type ScalarMap = Vec<(String, Scalar)>;

/// Where a connector's source stands, `{"replayId": 3826}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceOffset(pub ScalarMap);

/// Which part of a source an offset belongs to; `{}` for a source with one part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourcePartition(pub ScalarMap);
