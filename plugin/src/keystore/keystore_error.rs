//! Why a keystore gives no key, each a sentence with its remedy. It follows the name of the setting and a colon.

use thiserror::Error;

/// See the module. None holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeystoreError {
    /// Not base64.
    #[error(
        "the value is not base64{0}. Give the keystore's base64 alone, or behind data:text/plain;base64, (`base64 -w0 keystore.p12` makes it)"
    )]
    NotBase64(&'static str),
    /// Nothing in it.
    #[error("the keystore is empty. Give the base64 of a PKCS#12 or JKS file")]
    Empty,
    /// The file ends too early.
    #[error(
        "the keystore is cut off: it ends in the middle of an entry. Encode the whole file again, `base64 -w0 keystore.p12`"
    )]
    Truncated,
    /// A part that cannot be read.
    #[error(
        "the keystore is damaged, or not of the kind that its beginning says. Make it anew with keytool or openssl"
    )]
    Malformed,
    /// Neither of the two formats.
    #[error(
        "the file is neither a PKCS#12 nor a JKS keystore. Make one with keytool -genkeypair or openssl pkcs12 -export"
    )]
    Unknown,
    /// Another format, with what to do.
    #[error("{0}")]
    Foreign(&'static str),
    /// The store password does not open it.
    #[error("the keystore's password is wrong, or the file was changed. Check salesforce.jwt.keystore.password")]
    WrongPassword,
    /// The key password does not open the entry.
    #[error(
        "the key of the entry {0} has another password than the keystore. Set salesforce.jwt.key.password, or give both the same (keytool -keypasswd)"
    )]
    WrongKeyPassword(String),
    /// No private key.
    #[error(
        "the keystore holds {0} and no private key. Export the key with its certificate: openssl pkcs12 -export -inkey KEY -in CERTIFICATE"
    )]
    NoKey(String),
    /// Several private keys.
    #[error("the keystore holds several private keys: {0}. Name one of them in salesforce.jwt.keystore.alias")]
    SeveralKeys(String),
    /// No entry of that alias.
    #[error(
        "the keystore has no private key under the alias {alias}; it has {others}. Correct salesforce.jwt.keystore.alias"
    )]
    NoSuchAlias {
        /// The alias asked for.
        alias: String,
        /// The aliases that are there.
        others: String,
    },
    /// A key of another kind.
    #[error(
        "the entry {alias} holds a key of the kind {kind}, and Salesforce takes RSA alone (RS256). Make an RSA key of 2048 or 4096 bits"
    )]
    NotRsa {
        /// The entry.
        alias: String,
        /// The key's kind.
        kind: String,
    },
    /// An RSA key of another size.
    #[error(
        "the entry {alias} holds an RSA key of {bits} bits; it must have 2048 to 4096. Make a new one: keytool -genkeypair -keyalg RSA -keysize 2048"
    )]
    KeySize {
        /// The entry.
        alias: String,
        /// The key's size.
        bits: usize,
    },
    /// An RSA key whose numbers do not fit together.
    #[error("the RSA key of the entry {0} is damaged: its numbers do not fit together. Make a new one")]
    BadKey(String),
    /// An algorithm that is not known here.
    #[error(
        "the keystore is protected with {0}, which cannot be read here. Write it anew with openssl pkcs12 -export, or keytool -importkeystore -deststoretype pkcs12"
    )]
    Algorithm(String),
    /// More work than a keystore may ask for.
    #[error("the keystore asks for {0} rounds of key derivation; at most 1000000 are done. Write it anew with fewer")]
    Iterations(u32),
}
