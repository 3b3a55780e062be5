//! The registry's wire format: magic byte, the schema's id in four bytes, for Protobuf the indexes of the message, then the
//! payload. Newer registries also give a schema a GUID, which may travel in a header instead
//! (`*.schema.id.serializer`); the value then is the payload alone.

use super::{Format, registered::PROTOBUF};

/// Before the id.
const MAGIC: u8 = 0;
/// Before the GUID in a header.
const HEADER_MAGIC: u8 = 1;
/// Bytes of magic and id.
const PREFIX_BYTES: usize = 5;
/// The path of the first message of a file, in its short form. The messages of this connector are always the first.
const FIRST_MESSAGE: u8 = 0;

/// Where a record says which schema it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdForm {
    /// In front of the payload.
    #[default]
    Prefix,
    /// In a header.
    Header,
}

/// Room for magic and id, and what follows them before the payload.
#[must_use]
pub fn start(format: &Format, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(&[MAGIC; PREFIX_BYTES]);
    if matches!(format, Format::Protobuf(_)) {
        out.push(FIRST_MESSAGE);
    }
    out
}

/// Writes the id into bytes that began with `start`. In the header form the bytes lose what stood for it, and the value of
/// the header comes back; `None` when the registry gave no GUID to put there.
#[must_use]
pub fn finish(
    bytes: &mut Vec<u8>,
    form: IdForm,
    schema_type: &str,
    id: i32,
    guid: Option<[u8; 16]>,
) -> Option<Vec<u8>> {
    let protobuf = schema_type == PROTOBUF;
    match form {
        IdForm::Prefix => {
            if let Some(place) = bytes.get_mut(1..PREFIX_BYTES) {
                place.copy_from_slice(&id.to_be_bytes());
            }
            None
        }
        IdForm::Header => {
            let guid = guid?;
            let prefix_bytes = if protobuf { PREFIX_BYTES + 1 } else { PREFIX_BYTES };
            bytes.drain(..prefix_bytes.min(bytes.len()));
            let mut header = vec![HEADER_MAGIC];
            header.extend_from_slice(&guid);
            if protobuf {
                header.push(FIRST_MESSAGE);
            }
            Some(header)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converters::{avro::AvroOptions, protobuf::ProtobufOptions};

    #[test]
    fn the_id_stands_in_front_or_in_a_header() {
        let avro = Format::Avro(AvroOptions::default());
        let protobuf = Format::Protobuf(ProtobufOptions::default());
        let (id, guid) = (0x0102_0304, Some([7; 16]));
        for (format, prefixed) in [(&avro, vec![0, 1, 2, 3, 4, 9]), (&protobuf, vec![0, 1, 2, 3, 4, 0, 9])] {
            let mut bytes = start(format, 16);
            bytes.push(9);
            let mut in_header = bytes.clone();
            assert_eq!(finish(&mut bytes, IdForm::Prefix, format.schema_type(), id, guid), None);
            assert_eq!(bytes, prefixed);
            let header = finish(&mut in_header, IdForm::Header, format.schema_type(), id, guid).expect("a header");
            assert_eq!(in_header, [9]);
            assert_eq!(header[..17], [&[1][..], &[7; 16]].concat());
            assert_eq!(header.len(), if format.schema_type() == PROTOBUF { 18 } else { 17 });
        }
    }
}
