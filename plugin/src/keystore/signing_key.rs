//! `SigningKey`: an RSA private key out of PKCS#8 (RFC 5208, RFC 8017), and the one thing that is done with it, RS256.

use std::fmt;

use rsa::{
    BoxedUint, PrivateKey, pkcs1v15,
    sha2::Sha256,
    signature::{SignatureEncoding as _, Signer as _},
    traits::PublicKeyParts as _,
};

use super::{
    KeystoreError,
    der::{Der, INTEGER, OCTET_STRING, OID, SEQUENCE},
    pbe::dotted,
};

/// Smallest modulus, in bits. Smaller ones can be broken.
const BITS_MIN: usize = 2_048;
/// Largest modulus, in bits. Salesforce takes certificates of no larger keys.
const BITS_MAX: usize = 4_096;

/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
/// Other kinds of keys that keytool and openssl make.
const KINDS: &[(&[u8], &str)] = &[
    (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01], "EC"),
    (&[0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01], "DSA"),
    (&[0x2B, 0x65, 0x70], "Ed25519"),
    (&[0x2B, 0x65, 0x71], "Ed448"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A], "RSASSA-PSS"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x03, 0x01], "DH"),
];

/// An RSA private key. `Debug` shows its size alone.
#[derive(Clone)]
pub struct SigningKey {
    key: pkcs1v15::SigningKey<Sha256>,
    bits: usize,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RSA key of {} bits", self.bits)
    }
}

impl SigningKey {
    /// Reads the key of an entry.
    pub(super) fn read(pkcs8: &[u8], alias: &str) -> Result<Self, KeystoreError> {
        let mut info = Der::new(pkcs8).enter(SEQUENCE)?;
        info.take(INTEGER)?;
        let oid = info.enter(SEQUENCE)?.take(OID)?;
        if oid != RSA {
            let kind = KINDS.iter().find(|(known, _)| *known == oid);
            let kind = kind.map_or_else(|| dotted(oid), |(_, name)| (*name).to_owned());
            return Err(KeystoreError::NotRsa { alias: alias.into(), kind });
        }
        let mut numbers = Der::new(info.take(OCTET_STRING)?).enter(SEQUENCE)?;
        numbers.take(INTEGER)?;
        let modulus = numbers.unsigned()?;
        let first_bits = modulus.first().map_or(0, |first| 8 - first.leading_zeros() as usize);
        let bits = modulus.len().saturating_sub(1) * 8 + first_bits;
        // Before anything is calculated with it: the work grows with the third power of the size.
        if !(BITS_MIN..=BITS_MAX).contains(&bits) {
            return Err(KeystoreError::KeySize { alias: alias.into(), bits });
        }
        let mut next = || numbers.unsigned();
        let (exponent, private, p, q) = (next()?, next()?, next()?, next()?);
        if [exponent, private, p, q].iter().any(|number| number.len() > modulus.len()) {
            return Err(KeystoreError::BadKey(alias.into()));
        }
        let number = BoxedUint::from_be_slice_vartime;
        let key =
            PrivateKey::from_components(number(modulus), number(exponent), number(private), vec![number(p), number(q)]);
        let key = key.map_err(|_| KeystoreError::BadKey(alias.into()))?;
        Ok(Self { key: pkcs1v15::SigningKey::new(key), bits })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256. `None` cannot happen with a key that was read.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.key.try_sign(message).ok().map(|signature| signature.to_vec())
    }

    /// The modulus, without leading zeros.
    pub(super) fn modulus(&self) -> Vec<u8> {
        let key: &PrivateKey = self.key.as_ref();
        let bytes = key.n_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes[zeros..].to_vec()
    }
}
