//! `Der`: reads the definite-length ASN.1 (X.690) of which keys, certificates and PKCS#12 files are made. Only borrows.

use super::KeystoreError;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OID: u8 = 0x06;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const BMP_STRING: u8 = 0x1E;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xA0;
/// `[0]`, primitive.
pub(super) const CONTEXT_0_PRIMITIVE: u8 = 0x80;

/// A run of elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element.
    pub(super) fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element: its tag and its content.
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8]), KeystoreError> {
        /// More bytes of length than any file here needs.
        const LENGTH_BYTES_MAX: usize = 4;
        let (&tag, rest) = self.0.split_first().ok_or(KeystoreError::Truncated)?;
        let (&first, mut rest) = rest.split_first().ok_or(KeystoreError::Truncated)?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7F);
            if count == 0 || count > LENGTH_BYTES_MAX {
                return Err(KeystoreError::Malformed);
            }
            let (bytes, behind) = rest.split_at_checked(count).ok_or(KeystoreError::Truncated)?;
            length = bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(length).ok_or(KeystoreError::Truncated)?;
        self.0 = behind;
        Ok((tag, content))
    }

    /// The content of the next element, which has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Result<&'a [u8], KeystoreError> {
        match self.next()? {
            (found, content) if found == tag => Ok(content),
            _ => Err(KeystoreError::Malformed),
        }
    }

    /// The same, as a run of elements.
    pub(super) fn enter(&mut self, tag: u8) -> Result<Self, KeystoreError> {
        self.take(tag).map(Self)
    }

    /// The next element when it has this tag.
    pub(super) fn take_if(&mut self, tag: u8) -> Result<Option<&'a [u8]>, KeystoreError> {
        if self.peek() == Some(tag) { self.take(tag).map(Some) } else { Ok(None) }
    }

    /// A whole number that is not negative, without leading zeros.
    pub(super) fn unsigned(&mut self) -> Result<&'a [u8], KeystoreError> {
        let bytes = self.take(INTEGER)?;
        match bytes {
            [] => Err(KeystoreError::Malformed),
            [first, ..] if *first >= 0x80 => Err(KeystoreError::Malformed),
            [0, rest @ ..] => Ok(rest),
            bytes => Ok(bytes),
        }
    }

    /// A small whole number.
    pub(super) fn small(&mut self) -> Result<u32, KeystoreError> {
        let bytes = self.unsigned()?;
        if bytes.len() > 4 {
            return Err(KeystoreError::Malformed);
        }
        Ok(bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_lengths_and_their_ends() {
        let cases: &[(&[u8], Result<usize, &str>)] = &[
            (&[4, 0], Ok(0)),
            (&[4, 2, 7, 7], Ok(2)),
            (&[4, 0x81, 2, 7, 7], Ok(2)),
            (&[4, 0x82, 0, 2, 7, 7], Ok(2)),
            (&[4, 3, 7, 7], Err("Truncated")),
            (&[4], Err("Truncated")),
            (&[], Err("Truncated")),
            (&[4, 0x82, 0], Err("Truncated")),
            (&[4, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], Err("Truncated")),
            (&[4, 0x80, 0, 0], Err("Malformed")),
            (&[4, 0x85, 0, 0, 0, 0, 0], Err("Malformed")),
            (&[5, 0], Err("Malformed")),
        ];
        for (bytes, expected) in cases {
            let found = Der::new(bytes).take(OCTET_STRING).map(<[u8]>::len);
            assert_eq!(found.map_err(|error| format!("{error:?}")), expected.map_err(str::to_owned), "{bytes:?}");
        }
    }

    #[test]
    fn numbers() {
        let cases: &[(&[u8], Option<u32>)] = &[
            (&[2, 1, 0], Some(0)),
            (&[2, 2, 0x08, 0], Some(2_048)),
            (&[2, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF], Some(u32::MAX)),
            (&[2, 5, 1, 0, 0, 0, 0], None),
            (&[2, 1, 0x80], None),
            (&[2, 0], None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Der::new(bytes).small().ok(), *expected, "{bytes:?}");
        }
    }
}
