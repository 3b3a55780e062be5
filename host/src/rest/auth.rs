//! Who asks: users of a file, `name=password` or `name=$argon2id$...` on each line, in HTTP's basic authentication (the file is
//! that of Kafka Connect's `PropertyFileLoginModule`), and bearer tokens of another, `name=token` or `name=sha256:...`.

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
/// Characters of a token that is no digest.
const TOKEN_CHARS_MIN: usize = 16;
/// Headers that are remembered.
const REMEMBERED_MAX: usize = 256;

type Digest = [u8; 32];

/// See the module.
#[derive(Default)]
pub(super) struct Users {
    passwords: BTreeMap<String, Password>,
    /// Whose the token with this digest is. What is looked up is no secret, so no time tells of one.
    tokens: BTreeMap<Digest, String>,
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
    /// Of the files; `None` when there are none.
    ///
    /// # Errors
    /// A sentence; it holds nothing of a password.
    pub(super) fn read(passwords: Option<&Path>, tokens: Option<&Path>) -> Result<Option<Self>, String> {
        if passwords.is_none() && tokens.is_none() {
            return Ok(None);
        }
        let mut users = match passwords {
            Some(path) => of_file("tributary.rest.auth.file", path, Self::parse)?,
            None => Self::default(),
        };
        if let Some(path) = tokens {
            users.tokens = of_file("tributary.rest.auth.tokens.file", path, parse_tokens)?;
        }
        Ok(Some(users))
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
        Ok(Self { passwords, ..Self::default() })
    }

    /// Whose `Authorization` this is; `None` when nobody's. Slow for a hash that is met for the first time.
    pub(super) fn user(&self, header: Option<&HeaderValue>) -> Option<String> {
        let header = header?;
        if let Some(token) = credentials(header, "bearer") {
            return self.tokens.get(&digest(token.as_bytes())).cloned();
        }
        let key = digest(header.as_bytes());
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.retain(|_, (since, _)| since.elapsed() < GOOD_FOR);
        if let Some((_, user)) = good.get(&key) {
            return Some(user.clone());
        }
        drop(good);
        let decoded = STANDARD.decode(credentials(header, "basic")?).ok()?;
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

/// What follows the name of the scheme.
fn credentials<'a>(header: &'a HeaderValue, scheme: &str) -> Option<&'a str> {
    let (given, credentials) = header.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

fn of_file<T>(setting: &str, path: &Path, parse: fn(&[u8]) -> Result<T, String>) -> Result<T, String> {
    let named = |reason: String| format!("{setting} = {}: {reason}", path.display());
    let bytes = std::fs::read(path).map_err(|error| named(format!("it cannot be read: {error}")))?;
    parse(&bytes).map_err(named)
}

fn parse_tokens(bytes: &[u8]) -> Result<BTreeMap<Digest, String>, String> {
    let entries = properties::parse(bytes).map_err(|error| format!("it is no properties file: {error}"))?;
    let mut tokens = BTreeMap::new();
    for properties::Entry { key: name, value: token, .. } in entries {
        let digest = match token.strip_prefix("sha256:") {
            Some(digits) => {
                hex(digits).ok_or_else(|| format!("what {name} has is no SHA-256 of 64 hexadecimal digits"))?
            }
            None if token.len() < TOKEN_CHARS_MIN => {
                return Err(format!(
                    "the token of {name} has fewer than {TOKEN_CHARS_MIN} characters, and could be guessed"
                ));
            }
            None => digest(token.as_bytes()),
        };
        if let Some(other) = tokens.insert(digest, name.clone()) {
            return Err(format!("{other} and {name} have the same token"));
        }
    }
    if tokens.is_empty() { Err("it names no token; write name=token".to_owned()) } else { Ok(tokens) }
}

fn hex(digits: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    if digits.len() != 2 * digest.len() || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
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
    fn tokens() {
        // `printf %s 0123456789abcdef-of-bob | sha256sum`
        let file = "ada=0123456789abcdef\nbob=sha256:6DIGEST\n";
        let digest: String = digest(b"0123456789abcdef-of-bob").iter().map(|byte| format!("{byte:02x}")).collect();
        let users =
            Users { tokens: parse_tokens(file.replace("6DIGEST", &digest).as_bytes()).unwrap(), ..Users::default() };
        for (text, user) in [
            ("Bearer 0123456789abcdef", Some("ada")),
            ("bearer 0123456789abcdef-of-bob", Some("bob")),
            ("Bearer 0123456789abcde", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic MDEyMzQ1Njc4OWFiY2RlZjo=", None),
        ] {
            assert_eq!(users.user(Some(&HeaderValue::from_str(text).unwrap())).as_deref(), user, "{text}");
        }
        for (text, word) in [
            ("", "no token"),
            ("ada=short", "fewer than 16"),
            ("ada=sha256:zz", "hexadecimal"),
            ("ada=0123456789abcdef\nbob=0123456789abcdef", "same token"),
        ] {
            let error = parse_tokens(text.as_bytes()).unwrap_err();
            assert!(error.contains(word) && !error.contains("0123"), "{error}");
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
