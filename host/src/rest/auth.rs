//! Who asks: users of a file, `name=password` or `name=$argon2id$...` on each line, in HTTP's basic authentication. The file
//! is that of Kafka Connect's `PropertyFileLoginModule`.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use argon2::{Argon2, PasswordVerifier as _, password_hash::phc::PasswordHash};
use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use crate::config::properties;

/// How long a header that was good needs no second look: hashing is slow by design.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// Headers that are remembered.
const REMEMBERED_MAX: usize = 256;

type Digest = [u8; 32];

/// See the module.
#[derive(Default)]
pub(super) struct Users {
    passwords: BTreeMap<String, Password>,
    good: Mutex<BTreeMap<Digest, (Instant, String)>>,
}

/// A password as it is kept in memory.
enum Password {
    Hash(String),
    /// Of a plain one, its digest.
    Plain(Digest),
}

fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

impl Users {
    /// Of the file.
    ///
    /// # Errors
    /// A sentence; it holds nothing of a password.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let of_file = |reason: String| format!("tributary.rest.auth.file = {}: {reason}", path.display());
        let bytes = std::fs::read(path).map_err(|error| of_file(format!("it cannot be read: {error}")))?;
        let users = Self::parse(&bytes).map_err(of_file)?;
        Ok(users)
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let entries = properties::parse(bytes).map_err(|error| format!("it is no properties file: {error}"))?;
        let mut passwords = BTreeMap::new();
        for properties::Entry { key: name, value: password, .. } in entries {
            let password = if password.starts_with("$argon2") {
                PasswordHash::new(&password).map_err(|_| format!("the hash of {name} is no Argon2 hash"))?;
                Password::Hash(password)
            } else if password.is_empty() {
                return Err(format!("{name} has no password"));
            } else {
                Password::Plain(digest(password.as_bytes()))
            };
            passwords.insert(name, password);
        }
        if passwords.is_empty() {
            return Err("it names no user, so that nobody could ask; write name=password".to_owned());
        }
        Ok(Self { passwords, good: Mutex::default() })
    }

    /// Whose `Authorization` this is; `None` when nobody's. Slow for a hash that is met for the first time.
    pub(super) fn user(&self, header: Option<&HeaderValue>) -> Option<String> {
        let header = header?;
        let key = digest(header.as_bytes());
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.retain(|_, (since, _)| since.elapsed() < GOOD_FOR);
        if let Some((_, user)) = good.get(&key) {
            return Some(user.clone());
        }
        drop(good);
        let text = header.to_str().ok()?;
        let (scheme, credentials) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = STANDARD.decode(credentials.trim()).ok()?;
        let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        let matches = match self.passwords.get(user) {
            Some(Password::Plain(expected)) => digest(password.as_bytes()) == *expected,
            Some(Password::Hash(hash)) => PasswordHash::new(hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
            None => false,
        };
        if !matches {
            return None;
        }
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() < REMEMBERED_MAX {
            good.insert(key, (Instant::now(), user.to_owned()));
        }
        Some(user.to_owned())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;

    /// Of `password`, made by the reference implementation (argon2-cffi).
    const HASH: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    fn header(text: &str) -> HeaderValue {
        HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(text))).unwrap()
    }

    #[test]
    fn who_asks() {
        let users = Users::parse(format!("# people\nada=p w:1\nbob={HASH}\n").as_bytes()).unwrap();
        for (text, user) in [
            ("ada:p w:1", Some("ada")),
            ("ada:p w", None),
            ("ada", None),
            ("", None),
            ("eve:p w:1", None),
            ("bob:password", Some("bob")),
            ("bob:secret", None),
            ("bob:password", Some("bob")),
        ] {
            assert_eq!(users.user(Some(&header(text))).as_deref(), user, "{text}");
        }
        assert_eq!(users.user(None), None);
        for text in ["Bearer x", "Basic ???", "Basic", ""] {
            assert_eq!(users.user(Some(&HeaderValue::from_str(text).unwrap())), None, "{text}");
        }
    }

    #[test]
    fn files_that_are_none() {
        for (text, word) in [("", "no user"), ("ada=", "no password"), ("ada=$argon2id$x", "Argon2")] {
            let error = Users::parse(text.as_bytes()).err().unwrap();
            assert!(error.contains(word), "{error}");
        }
    }
}
