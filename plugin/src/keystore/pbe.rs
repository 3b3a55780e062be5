//! Password-based encryption inside PKCS#12: the old schemes with SHA-1 and 3DES or RC2 (RFC 7292, appendices B and C) and
//! PBES2 (RFC 8018).

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::{BlockModeDecrypt as _, InnerIvInit as _, KeyInit, block_padding::Pkcs7};
use des::TdesEde3;
use hmac::{EagerHash, Hmac};
use rc2::Rc2;
use rsa::sha2::{Sha224, Sha256, Sha384, Sha512};
use sha1::{Digest, Sha1};

use super::{
    KeystoreError,
    der::{Der, OCTET_STRING, OID, SEQUENCE},
};

/// Most rounds of key derivation: about a second of work in a component.
const ITERATIONS_MAX: u32 = 1_000_000;

/// 1.2.840.113549.1.12.1, the old schemes; a number follows.
const PKCS12_PBE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x01];
/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D];
/// 1.2.840.113549.1.5.12
const PBKDF2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C];
/// 1.2.840.113549.2, a number follows: HMAC with SHA-1 is 7, with SHA-2 it is 8 to 11.
const HMAC: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02];
/// 1.2.840.113549.3.7
const DES_EDE3_CBC: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x03, 0x07];
/// 2.16.840.1.101.3.4.1, a number follows: AES-CBC with 128 bits is 2, with 192 it is 22, with 256 it is 42.
const AES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];

/// What the derived bytes are for (RFC 7292, B.3).
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// Decrypts what an AlgorithmIdentifier says how. `None` when the password is another one.
pub(super) fn decrypt(algorithm: Der<'_>, password: &str, data: &[u8]) -> Result<Option<Vec<u8>>, KeystoreError> {
    let mut algorithm = algorithm;
    let oid = algorithm.take(OID)?;
    if oid == PBES2 {
        return pbes2(algorithm.enter(SEQUENCE)?, password, data);
    }
    let scheme = match oid.split_last() {
        Some((scheme, PKCS12_PBE)) => *scheme,
        _ => return Err(unknown(oid)),
    };
    let mut parameters = algorithm.enter(SEQUENCE)?;
    let salt = parameters.take(OCTET_STRING)?;
    let rounds = rounds(&mut parameters)?;
    let derive = |purpose, bytes| pkcs12_kdf::<Sha1>(&bmp(password), salt, rounds, purpose, bytes);
    let (key_bytes, bits) = match scheme {
        3 => (24, None),
        4 => (16, None),
        5 => (16, Some(128)),
        6 => (5, Some(40)),
        _ => return Err(unknown(oid)),
    };
    let mut key = derive(Purpose::Key, key_bytes);
    let iv = derive(Purpose::Iv, 8);
    if let Some(bits) = bits {
        return Ok(cbc(Rc2::new_with_eff_key_len(&key, bits), &iv, data));
    }
    if scheme == 4 {
        key.extend_from_within(..8);
    }
    Ok(block_cipher::<TdesEde3>(&key, &iv, data))
}

fn pbes2(mut parameters: Der<'_>, password: &str, data: &[u8]) -> Result<Option<Vec<u8>>, KeystoreError> {
    let mut derivation = parameters.enter(SEQUENCE)?;
    let mut encryption = parameters.enter(SEQUENCE)?;
    let function = derivation.take(OID)?;
    if function != PBKDF2 {
        return Err(unknown(function));
    }
    let mut derivation = derivation.enter(SEQUENCE)?;
    let salt = derivation.take(OCTET_STRING)?;
    let rounds = rounds(&mut derivation)?;
    if derivation.peek() == Some(super::der::INTEGER) {
        derivation.small()?;
    }
    let prf = match derivation.take_if(SEQUENCE)? {
        None => 7,
        Some(prf) => {
            let oid = Der::new(prf).take(OID)?;
            oid.strip_prefix(HMAC).and_then(<[u8]>::first).copied().ok_or_else(|| unknown(oid))?
        }
    };
    let cipher = encryption.take(OID)?;
    let iv = encryption.take(OCTET_STRING)?;
    let key_bytes = match cipher.split_last() {
        _ if cipher == DES_EDE3_CBC => 24,
        Some((2, AES)) => 16,
        Some((22, AES)) => 24,
        Some((42, AES)) => 32,
        _ => return Err(unknown(cipher)),
    };
    let mut key = vec![0; key_bytes];
    let password = password.as_bytes();
    match prf {
        7 => pbkdf2::<Sha1>(password, salt, rounds, &mut key),
        8 => pbkdf2::<Sha224>(password, salt, rounds, &mut key),
        9 => pbkdf2::<Sha256>(password, salt, rounds, &mut key),
        10 => pbkdf2::<Sha384>(password, salt, rounds, &mut key),
        11 => pbkdf2::<Sha512>(password, salt, rounds, &mut key),
        _ => return Err(unknown(HMAC)),
    }
    Ok(match key_bytes {
        _ if cipher == DES_EDE3_CBC => block_cipher::<TdesEde3>(&key, iv, data),
        16 => block_cipher::<Aes128>(&key, iv, data),
        24 => block_cipher::<Aes192>(&key, iv, data),
        _ => block_cipher::<Aes256>(&key, iv, data),
    })
}

fn pbkdf2<D: EagerHash>(password: &[u8], salt: &[u8], rounds: u32, key: &mut [u8])
where
    Hmac<D>: KeyInit,
{
    pbkdf2::pbkdf2_hmac::<D>(password, salt, rounds, key);
}

/// The number of rounds, which comes next, within its bound.
pub(super) fn rounds(from: &mut Der<'_>) -> Result<u32, KeystoreError> {
    match from.small()? {
        0 => Err(KeystoreError::Malformed),
        rounds if rounds > ITERATIONS_MAX => Err(KeystoreError::Iterations(rounds)),
        rounds => Ok(rounds),
    }
}

/// A password as PKCS#12's own key derivation takes it: UTF-16, big end first, and a NUL.
pub(super) fn bmp(password: &str) -> Vec<u8> {
    password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect()
}

/// PKCS#12's own key derivation (RFC 7292, B.2).
pub(super) fn pkcs12_kdf<D: Digest>(
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    purpose: Purpose,
    bytes: usize,
) -> Vec<u8> {
    // The hash's block: SHA-384 and SHA-512 have the larger one.
    let block = if <D as Digest>::output_size() > 32 { 128 } else { 64 };
    let fill =
        |text: &[u8]| -> Vec<u8> { text.iter().copied().cycle().take(text.len().div_ceil(block) * block).collect() };
    let diversifier = vec![purpose as u8; block];
    let mut input = [fill(salt), fill(password)].concat();
    let mut out = Vec::new();
    loop {
        let mut hash = D::new().chain_update(&diversifier).chain_update(&input).finalize();
        for _ in 1..rounds {
            hash = D::digest(&hash);
        }
        out.extend_from_slice(&hash);
        if out.len() >= bytes {
            out.truncate(bytes);
            return out;
        }
        // Every block of the input, a number of that many bytes, grows by the hash and one.
        let added: Vec<u8> = hash.iter().copied().cycle().take(block).collect();
        for part in input.chunks_mut(block) {
            let mut carry = 1;
            for (byte, add) in part.iter_mut().zip(&added).rev() {
                carry += u16::from(*byte) + u16::from(*add);
                *byte = (carry & 0xFF) as u8;
                carry >>= 8;
            }
        }
    }
}

/// That algorithm is not known here.
pub(super) fn unknown(oid: &[u8]) -> KeystoreError {
    KeystoreError::Algorithm(format!("the algorithm {}", dotted(oid)))
}

/// An object identifier in dots.
pub(super) fn dotted(oid: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0u64;
    for byte in oid {
        number = (number << 7) | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

fn block_cipher<C>(key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>>
where
    C: KeyInit + cbc::cipher::BlockCipherDecrypt,
{
    cbc(C::new_from_slice(key).ok()?, iv, data)
}

/// Without the padding; `None` when it is none, which is what a wrong key gives.
fn cbc<C: cbc::cipher::BlockCipherDecrypt>(cipher: C, iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let iv = cbc::cipher::Iv::<cbc::Decryptor<C>>::try_from(iv).ok()?;
    cbc::Decryptor::inner_iv_init(cipher, &iv).decrypt_padded_vec::<Pkcs7>(data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_in_dots() {
        let cases: &[(&[u8], &str)] = &[
            (PBES2, "1.2.840.113549.1.5.13"),
            (AES, "2.16.840.1.101.3.4.1"),
            (&[0x2B, 0x65, 0x70], "1.3.101.112"),
            (&[], ""),
        ];
        for (oid, expected) in cases {
            assert_eq!(dotted(oid), *expected);
        }
    }

    #[test]
    fn rounds_are_bounded_on_both_sides() {
        for (number, expected) in [(0u32, false), (1, true), (ITERATIONS_MAX, true), (ITERATIONS_MAX + 1, false)] {
            let bytes = [&[2, 5, 0], &number.to_be_bytes()[..]].concat();
            assert_eq!(rounds(&mut Der::new(&bytes)).is_ok(), expected, "{number}");
        }
    }
}
