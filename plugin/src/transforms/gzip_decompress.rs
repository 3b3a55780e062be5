//! Confluent's `GzipDecompress`: a key or value that is a byte array, unpacked.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::{
    chain::{Context, Transform},
    definition::Form,
    error::{Result, TransformError},
    options::{OptionError, Options},
    side::Side,
};
use crate::data::{SourceRecord, Value};

/// The most that comes out of one record, in bytes: what a few bytes can unpack to knows no bound.
pub(super) const UNPACKED_BYTES_MAX: usize = 16 << 20;

#[derive(Clone, Debug)]
struct GzipDecompress {
    side: Side,
}

pub(super) fn build(_options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(GzipDecompress { side: form.side() }))
}

impl Transform for GzipDecompress {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let value = match value {
            Value::Null => Value::Null,
            Value::Bytes(packed) => Value::Bytes(unpacked(&packed)?),
            other => {
                let kind = other.kind_name();
                return Err(TransformError::new(format!("only a byte array can be unpacked, found {kind}")));
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = UNPACKED_BYTES_MAX as u64 + 1;
    let read = GzDecoder::new(packed).take(limit).read_to_end(&mut bytes);
    if read.is_err() {
        return Err(TransformError::new("the bytes are not in gzip format"));
    }
    if bytes.len() > UNPACKED_BYTES_MAX {
        return Err(TransformError::new(format!("more than {UNPACKED_BYTES_MAX} bytes come out of the packed ones")));
    }
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: usize) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![7; bytes]).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bytes_are_unpacked_up_to_the_bound() {
        assert_eq!(unpacked(&packed(3)).unwrap(), [7, 7, 7]);
        assert_eq!(unpacked(&packed(UNPACKED_BYTES_MAX)).unwrap().len(), UNPACKED_BYTES_MAX);
        assert!(unpacked(&packed(UNPACKED_BYTES_MAX + 1)).is_err());
        assert!(unpacked(b"plain").is_err());
    }
}
