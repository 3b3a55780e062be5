//! The keystore parsers against files that real keytool and openssl make in the test run, and against damaged ones.
//! Signatures are verified by openssl. A tool that is not there is said aloud as SKIPPED.
//!
//! `corpus/` holds one file of each kind, made by the tools that their names say (`legacy`: as keytool 8 and 11 wrote;
//! `openssl1`: as openssl 1 wrote, by `openssl pkcs12 -legacy`), password `changeit`, key password of the JKS `keypass1`.

mod maker;
mod mutations;
mod opens;
mod refusals;

use salesforce_pushtopic::{
    keystore::{KeystoreError, Opened, Opening, open},
    secret::Secret,
};

/// The password of every store.
const PASSWORD: &str = "changeit";

/// Opens a store with its password, and perhaps an alias.
fn open_with(bytes: &[u8], password: &str, alias: Option<&str>) -> Result<Opened, KeystoreError> {
    let password = Secret::new(password);
    open(bytes, Opening { password: &password, key_password: None, alias })
}
