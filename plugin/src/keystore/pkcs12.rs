//! PKCS#12 (RFC 7292): the keystore that keytool writes since Java 9, and `openssl pkcs12 -export`.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use rsa::sha2::{Sha224, Sha256, Sha384, Sha512};
use sha1::Sha1;

use super::{
    Entry, KeystoreError, Protected,
    der::{BMP_STRING, CONTEXT_0, CONTEXT_0_PRIMITIVE, Der, INTEGER, OCTET_STRING, OID, SEQUENCE, SET},
    pbe::{self, Purpose},
};
use crate::secret::Secret;

/// 1.2.840.113549.1.7, a number follows: data is 1, encrypted data 6.
const PKCS7: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07];
/// 1.2.840.113549.1.12.10.1, a number follows: key 1, shrouded key 2, certificate 3, CRL 4, secret 5, nested bags 6.
const BAG: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x0A, 0x01];
/// 1.2.840.113549.1.9.20
const FRIENDLY_NAME: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x14];
/// 1.3.14.3.2.26
const SHA1: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];
/// 2.16.840.1.101.3.4.2, a number follows: SHA-256 is 1, SHA-384 2, SHA-512 3, SHA-224 4.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// Whether the bytes begin as a PKCS#12 file does: a sequence with the version, 3.
pub(super) fn looks_alike(bytes: &[u8]) -> bool {
    let version = Der::new(bytes).next().map(|(tag, content)| (tag, content.get(..3)));
    match version {
        Ok((SEQUENCE, Some([INTEGER, 1, 3]))) => true,
        // Cut off: the length of the first element says so before anything else is known.
        Err(KeystoreError::Truncated) => {
            bytes.first() == Some(&SEQUENCE) && bytes.windows(3).take(6).any(|three| three == [INTEGER, 1, 3])
        }
        _ => false,
    }
}

/// Reads every entry of a file that its password opens.
pub(super) fn read(bytes: &[u8], password: &Secret) -> Result<Vec<Entry>, KeystoreError> {
    let mut file = Der::new(bytes);
    let mut pfx = file.enter(SEQUENCE)?;
    pfx.take(INTEGER)?;
    let mut content = pfx.enter(SEQUENCE)?;
    if content.take(OID)?.split_last() != Some((&1, PKCS7)) {
        return Err(KeystoreError::Algorithm("a public key instead of a password".into()));
    }
    let safe = content.enter(CONTEXT_0)?.take(OCTET_STRING)?;
    let password = password.expose();
    let verified = match pfx.take_if(SEQUENCE)? {
        Some(mac) => verify(Der::new(mac), password, safe)?,
        // Nothing says whether the password is right, until something is to be decrypted with it.
        None => true,
    };
    if !verified {
        return Err(KeystoreError::WrongPassword);
    }
    let mut entries = Vec::new();
    let mut contents = Der::new(safe).enter(SEQUENCE)?;
    while !contents.is_empty() {
        let mut content = contents.enter(SEQUENCE)?;
        match content.take(OID)?.split_last() {
            Some((1, PKCS7)) => bags(content.enter(CONTEXT_0)?.take(OCTET_STRING)?, &mut entries, 0)?,
            Some((6, PKCS7)) => {
                let decrypted = encrypted(content.enter(CONTEXT_0)?, password)?;
                bags(&decrypted.ok_or(KeystoreError::WrongPassword)?, &mut entries, 0)?;
            }
            _ => return Err(KeystoreError::Algorithm("a public key instead of a password".into())),
        }
    }
    Ok(entries)
}

/// Opens a shrouded key; `None` when the password is another one.
pub(super) fn unprotect(protected: &[u8], password: &Secret) -> Result<Option<Vec<u8>>, KeystoreError> {
    let mut info = Der::new(protected);
    let algorithm = info.enter(SEQUENCE)?;
    pbe::decrypt(algorithm, password.expose(), info.take(OCTET_STRING)?)
}

fn verify(mut mac: Der<'_>, password: &str, safe: &[u8]) -> Result<bool, KeystoreError> {
    let mut digest = mac.enter(SEQUENCE)?;
    let oid = digest.enter(SEQUENCE)?.take(OID)?;
    let expected = digest.take(OCTET_STRING)?;
    let salt = mac.take(OCTET_STRING)?;
    let rounds = if mac.is_empty() { 1 } else { pbe::rounds(&mut mac)? };
    let password = pbe::bmp(password);
    Ok(match oid.split_last() {
        _ if oid == SHA1 => verified::<Sha1>(&password, salt, rounds, safe, expected),
        Some((1, SHA2)) => verified::<Sha256>(&password, salt, rounds, safe, expected),
        Some((2, SHA2)) => verified::<Sha384>(&password, salt, rounds, safe, expected),
        Some((3, SHA2)) => verified::<Sha512>(&password, salt, rounds, safe, expected),
        Some((4, SHA2)) => verified::<Sha224>(&password, salt, rounds, safe, expected),
        _ => return Err(pbe::unknown(oid)),
    })
}

fn verified<D: EagerHash + sha1::Digest>(
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    safe: &[u8],
    expected: &[u8],
) -> bool
where
    Hmac<D>: Mac + KeyInit,
{
    let bytes = <D as sha1::Digest>::output_size();
    let key = pbe::pkcs12_kdf::<D>(password, salt, rounds, Purpose::Mac, bytes);
    <Hmac<D> as KeyInit>::new_from_slice(&key).is_ok_and(|mac| mac.chain_update(safe).verify_slice(expected).is_ok())
}

fn encrypted(mut from: Der<'_>, password: &str) -> Result<Option<Vec<u8>>, KeystoreError> {
    let mut data = from.enter(SEQUENCE)?;
    data.take(INTEGER)?;
    let mut info = data.enter(SEQUENCE)?;
    info.take(OID)?;
    let algorithm = info.enter(SEQUENCE)?;
    let content = info.take(CONTEXT_0_PRIMITIVE)?;
    pbe::decrypt(algorithm, password, content)
}

fn bags(bytes: &[u8], entries: &mut Vec<Entry>, depth: usize) -> Result<(), KeystoreError> {
    /// Nobody nests bags; the bound keeps a made-up file from using up the stack.
    const DEPTH_MAX: usize = 4;
    if depth > DEPTH_MAX {
        return Err(KeystoreError::Malformed);
    }
    let mut bags = Der::new(bytes).enter(SEQUENCE)?;
    while !bags.is_empty() {
        let mut bag = bags.enter(SEQUENCE)?;
        let kind = bag.take(OID)?.split_last();
        let mut value = bag.enter(CONTEXT_0)?;
        let alias = match bag.take_if(SET)? {
            Some(attributes) => friendly_name(Der::new(attributes))?,
            None => String::new(),
        };
        match kind {
            Some((1, BAG)) => {
                let (_, key) = value.next()?;
                entries.push(Entry::of_key(alias, Protected::Plain(sequence(key))));
            }
            Some((2, BAG)) => {
                let key = value.take(SEQUENCE)?.to_vec();
                entries.push(Entry::of_key(alias, Protected::Pkcs12(key)));
            }
            Some((3, BAG)) => {
                let mut certificate = value.enter(SEQUENCE)?;
                certificate.take(OID)?;
                let bytes = certificate.enter(CONTEXT_0)?.take(OCTET_STRING)?.to_vec();
                entries.push(Entry { alias, key: None, certificates: vec![bytes] });
            }
            Some((6, BAG)) => {
                let (_, nested) = value.next()?;
                self::bags(&sequence(nested), entries, depth + 1)?;
            }
            // Revocation lists, secrets, and what may come.
            _ => {}
        }
    }
    Ok(())
}

/// A sequence with this content.
fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[SEQUENCE, 0x84], &length[..], content].concat()
}

fn friendly_name(mut attributes: Der<'_>) -> Result<String, KeystoreError> {
    while !attributes.is_empty() {
        let mut attribute = attributes.enter(SEQUENCE)?;
        if attribute.take(OID)? == FRIENDLY_NAME {
            let name = attribute.enter(SET)?.take(BMP_STRING)?;
            let units: Vec<u16> = name.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            return Ok(String::from_utf16_lossy(&units));
        }
    }
    Ok(String::new())
}
