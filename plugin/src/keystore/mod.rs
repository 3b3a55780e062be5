//! Keystores: the bytes of a JKS or PKCS#12 file in, the RSA key that signs out. Nothing is written, no file is opened.

mod base64_form;
mod certificate;
mod der;
mod jks;
mod keystore_error;
mod pbe;
mod pkcs12;
mod signing_key;

pub use keystore_error::KeystoreError;
pub use signing_key::SigningKey;

use crate::{secret::Secret, time::WallMs};

const PEM: &str =
    "it is a PEM file. Put key and certificate into a keystore: openssl pkcs12 -export -inkey KEY -in CERTIFICATE";

/// How to open a keystore.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The keystore's password.
    pub password: &'a Secret,
    /// The key's own, where it differs.
    pub key_password: Option<&'a Secret>,
    /// Which private key to take, when there are several.
    pub alias: Option<&'a str>,
}

/// The key that a keystore was opened for.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The entry's name; empty where the file gives none.
    pub alias: String,
    /// The key.
    pub key: SigningKey,
    /// From when to when the key's certificate is valid, where the file has it.
    pub valid: Option<(WallMs, WallMs)>,
}

/// One entry of a keystore, the key still protected.
struct Entry {
    alias: String,
    key: Option<Protected>,
    certificates: Vec<Vec<u8>>,
}

enum Protected {
    Plain(Vec<u8>),
    Jks(Vec<u8>),
    Pkcs12(Vec<u8>),
}

impl Entry {
    fn of_key(alias: String, key: Protected) -> Self {
        Self { alias, key: Some(key), certificates: Vec::new() }
    }
}

/// Opens the keystore that stands in a configuration as base64, or in a `data:` URI.
///
/// # Errors
/// A sentence that goes on after the setting's name.
pub fn open_text(text: &str, opening: Opening<'_>) -> Result<Opened, KeystoreError> {
    open(&base64_form::decode(text)?, opening)
}

/// Opens a keystore and takes a key out of it.
///
/// # Errors
/// A sentence that goes on after the setting's name.
pub fn open(bytes: &[u8], opening: Opening<'_>) -> Result<Opened, KeystoreError> {
    let entries = if bytes.starts_with(&jks::MAGIC) {
        jks::read(bytes, opening.password)?
    } else if pkcs12::looks_alike(bytes) {
        pkcs12::read(bytes, opening.password)?
    } else {
        return Err(foreign(bytes));
    };
    let (entry, protected) = choose(&entries, opening.alias)?;
    let passwords = opening.key_password.into_iter().chain([opening.password]);
    let mut pkcs8 = None;
    for password in passwords {
        pkcs8 = match protected {
            Protected::Plain(key) => Some(key.clone()),
            Protected::Jks(sealed) => jks::unprotect(sealed, password)?,
            Protected::Pkcs12(sealed) => pkcs12::unprotect(sealed, password)?,
        };
        if pkcs8.is_some() {
            break;
        }
    }
    let name = shown(&entry.alias);
    let pkcs8 = pkcs8.ok_or_else(|| KeystoreError::WrongKeyPassword(name.clone()))?;
    let key = SigningKey::read(&pkcs8, &name)?;
    let modulus = key.modulus();
    let all = entries.iter().flat_map(|entry| &entry.certificates);
    let own = all.filter_map(|bytes| certificate::Certificate::read(bytes).ok()).find(|read| read.modulus == modulus);
    Ok(Opened { alias: entry.alias.clone(), key, valid: own.map(|read| (read.not_before_ms, read.not_after_ms)) })
}

/// The entry to take: the one named, else the only one with a private key. Case does not matter in Java's aliases.
fn choose<'a>(entries: &'a [Entry], alias: Option<&str>) -> Result<(&'a Entry, &'a Protected), KeystoreError> {
    let keys: Vec<_> = entries.iter().filter_map(|entry| entry.key.as_ref().map(|key| (entry, key))).collect();
    let names = || keys.iter().map(|(entry, _)| shown(&entry.alias)).collect::<Vec<_>>().join(", ");
    match (keys.as_slice(), alias) {
        ([], _) => Err(KeystoreError::NoKey(match entries.len() {
            0 => "nothing".into(),
            1 => "a certificate".into(),
            count => format!("{count} certificates"),
        })),
        (_, Some(alias)) => {
            let wanted = alias.to_lowercase();
            let found = keys.iter().find(|(entry, _)| entry.alias.to_lowercase() == wanted);
            found.copied().ok_or_else(|| KeystoreError::NoSuchAlias { alias: shown(alias), others: names() })
        }
        ([only], None) => Ok(*only),
        (_, None) => Err(KeystoreError::SeveralKeys(names())),
    }
}

/// An alias, fit for a sentence.
fn shown(alias: &str) -> String {
    /// Longest part of an alias that is shown, in characters.
    const SHOWN_CHARS_MAX: usize = 60;
    if alias.is_empty() { "(without a name)".into() } else { crate::error::excerpt(alias, SHOWN_CHARS_MAX) }
}

/// What a file is that is no keystore of ours.
fn foreign(bytes: &[u8]) -> KeystoreError {
    const JCEKS: [u8; 4] = [0xCE, 0xCE, 0xCE, 0xCE];
    if bytes.is_empty() {
        return KeystoreError::Empty;
    }
    if bytes.starts_with(b"-----BEGIN") || bytes.starts_with(b"Bag Attributes") {
        return KeystoreError::Foreign(PEM);
    }
    if bytes.starts_with(&JCEKS) {
        return KeystoreError::Foreign(
            "it is a JCEKS keystore. Convert it: keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype pkcs12",
        );
    }
    if certificate::Certificate::read(bytes).is_ok() {
        return KeystoreError::Foreign(
            "it is a certificate, without the private key that signs. Put both into a keystore: openssl pkcs12 -export -inkey KEY -in CERTIFICATE",
        );
    }
    if jks::MAGIC.starts_with(bytes) {
        return KeystoreError::Truncated;
    }
    KeystoreError::Unknown
}
