//! Java's own keystore format, JKS. Its key protector and its digest are those of the JDK's `sun.security.provider`:
//! `JavaKeyStore` and `KeyProtector`; no document describes them.

use sha1::{Digest, Sha1};

use super::{
    Entry, KeystoreError, Protected,
    der::{Der, OCTET_STRING, OID, SEQUENCE},
};
use crate::secret::Secret;

/// How a JKS file begins.
pub(super) const MAGIC: [u8; 4] = [0xFE, 0xED, 0xFE, 0xED];

/// Length of a SHA-1 digest: of the one at the file's end, and of salt and check around a key.
const DIGEST_BYTES: usize = 20;
/// 1.3.6.1.4.1.42.2.17.1.1
const KEY_PROTECTOR: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x2A, 0x02, 0x11, 0x01, 0x01];

/// Reads every entry of a file that its password opens.
pub(super) fn read(bytes: &[u8], password: &Secret) -> Result<Vec<Entry>, KeystoreError> {
    let body_bytes = bytes.len().checked_sub(DIGEST_BYTES).ok_or(KeystoreError::Truncated)?;
    let (body, digest) = bytes.split_at(body_bytes);
    let mut reader = Reader(body);
    reader.take(MAGIC.len())?;
    let version = reader.u32()?;
    if !(1..=2).contains(&version) {
        return Err(KeystoreError::Malformed);
    }
    let count = reader.u32()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(reader.entry(version)?);
    }
    if !reader.0.is_empty() {
        return Err(KeystoreError::Malformed);
    }
    let mut hash = Sha1::new();
    hash.update(utf16(password));
    hash.update(b"Mighty Aphrodite");
    hash.update(body);
    if hash.finalize()[..] != *digest {
        return Err(KeystoreError::WrongPassword);
    }
    Ok(entries)
}

/// Opens a key; `None` when the password is another one.
pub(super) fn unprotect(protected: &[u8], password: &Secret) -> Result<Option<Vec<u8>>, KeystoreError> {
    let mut info = Der::new(protected).enter(SEQUENCE)?;
    let mut algorithm = info.enter(SEQUENCE)?;
    if algorithm.take(OID)? != KEY_PROTECTOR {
        return Err(KeystoreError::Algorithm("an unknown key protector".into()));
    }
    let sealed = info.take(OCTET_STRING)?;
    let (salt, rest) = sealed.split_at_checked(DIGEST_BYTES).ok_or(KeystoreError::Truncated)?;
    let key_bytes = rest.len().checked_sub(DIGEST_BYTES).ok_or(KeystoreError::Truncated)?;
    let (hidden, check) = rest.split_at(key_bytes);
    let password = utf16(password);
    let chained = |with: &[u8]| Sha1::new().chain_update(&password).chain_update(with).finalize();
    let mut key = Vec::with_capacity(hidden.len());
    let mut pad = chained(salt);
    for block in hidden.chunks(DIGEST_BYTES) {
        key.extend(block.iter().zip(&pad).map(|(hidden, pad)| hidden ^ pad));
        pad = chained(&pad);
    }
    Ok((chained(&key)[..] == *check).then_some(key))
}

fn utf16(password: &Secret) -> Vec<u8> {
    password.expose().encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Java's `DataInputStream`, as far as this format needs it.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], KeystoreError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(KeystoreError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, KeystoreError> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    }

    /// Bytes behind their length in four bytes.
    fn long(&mut self) -> Result<&'a [u8], KeystoreError> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| KeystoreError::Truncated)?)
    }

    /// Text behind its length in two bytes. Java's own UTF-8 differs for NUL and beyond the 16-bit characters: such a
    /// character is shown as a question mark.
    fn text(&mut self) -> Result<String, KeystoreError> {
        let length = self.take(2)?.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn certificate(&mut self, version: u32) -> Result<Vec<u8>, KeystoreError> {
        if version == 2 {
            self.text()?;
        }
        Ok(self.long()?.to_vec())
    }

    fn entry(&mut self, version: u32) -> Result<Entry, KeystoreError> {
        const PRIVATE_KEY: u32 = 1;
        const CERTIFICATE: u32 = 2;
        let tag = self.u32()?;
        let alias = self.text()?;
        // When it was made.
        self.take(8)?;
        match tag {
            PRIVATE_KEY => {
                let protected = self.long()?.to_vec();
                let mut certificates = Vec::new();
                for _ in 0..self.u32()? {
                    certificates.push(self.certificate(version)?);
                }
                Ok(Entry { alias, key: Some(Protected::Jks(protected)), certificates })
            }
            CERTIFICATE => Ok(Entry { alias, key: None, certificates: vec![self.certificate(version)?] }),
            _ => Err(KeystoreError::Malformed),
        }
    }
}
