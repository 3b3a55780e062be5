//! `Seal`: configurations of connectors at rest, encrypted with keys of a file (`tributary.data.key.file`): AES-256-GCM, with
//! the connector's name bound to its text, so that no row can stand in for another.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};

/// What begins a sealed text; JSON begins otherwise.
const PREFIX: &str = "sealed:v1:";
/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// The keys: the first one seals, all of them open.
pub(super) struct Seal {
    keys: Vec<LessSafeKey>,
}

impl Seal {
    /// Of the file: on each line a key of 32 bytes in base64, the newest first; `#` begins a comment.
    ///
    /// # Errors
    /// A sentence; it holds nothing of a key.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let named = |reason: String| format!("tributary.data.key.file = {}: {reason}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(format!("it cannot be read: {error}")))?;
        Self::parse(&text).map_err(named)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines =
            text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let key = |(index, line): (usize, &str)| {
            let bytes = STANDARD.decode(line).ok().filter(|bytes| bytes.len() == KEY_BYTES);
            let key = bytes.and_then(|bytes| UnboundKey::new(&AES_256_GCM, &bytes).ok()).map(LessSafeKey::new);
            key.ok_or_else(|| {
                format!(
                    "line {} is no key of {KEY_BYTES} bytes in base64; `openssl rand -base64 32` makes one",
                    index + 1
                )
            })
        };
        let keys = lines.map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            Err("it holds no key; `openssl rand -base64 32` makes one".to_owned())
        } else {
            Ok(Self { keys })
        }
    }

    /// Seals a connector's text. `None` when the machine has no random numbers.
    pub(super) fn seal(&self, name: &str, text: &str) -> Option<String> {
        let mut sealed = [0; NONCE_LEN].to_vec();
        SystemRandom::new().fill(&mut sealed).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(&sealed).ok()?;
        let mut body = text.as_bytes().to_vec();
        self.keys.first()?.seal_in_place_append_tag(nonce, Aad::from(name.as_bytes()), &mut body).ok()?;
        sealed.extend(body);
        Some(format!("{PREFIX}{}", STANDARD.encode(sealed)))
    }

    /// Opens a sealed text; the second value tells whether the newest key sealed it.
    pub(super) fn open(&self, name: &str, sealed: &str) -> Option<(String, bool)> {
        let sealed = STANDARD.decode(sealed.strip_prefix(PREFIX)?).ok()?;
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        self.keys.iter().enumerate().find_map(|(index, key)| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut body = body.to_vec();
            let text = key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut body).ok()?;
            Some((String::from_utf8(text.to_vec()).ok()?, index == 0))
        })
    }
}

/// Whether a text is sealed.
pub(super) fn is_sealed(text: &str) -> bool {
    text.starts_with(PREFIX)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;

    const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NEW: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn only_its_key_and_its_name_open_a_text() {
        let (old, new) = (Seal::parse(OLD).unwrap(), Seal::parse(NEW).unwrap());
        let both = Seal::parse(&format!("# newest first\n{NEW}\n\n{OLD}\n")).unwrap();
        let sealed = old.seal("a", "{\"password\":\"ü\"}").unwrap();
        assert!(is_sealed(&sealed) && !sealed.contains("password") && sealed != old.seal("a", "{}").unwrap());
        let text = "{\"password\":\"ü\"}".to_owned();
        assert_eq!(old.open("a", &sealed), Some((text.clone(), true)));
        assert_eq!(both.open("a", &sealed), Some((text, false)));
        assert_eq!(new.open("a", &sealed), None);
        assert_eq!(old.open("b", &sealed), None);
        for broken in ["", "sealed:v1:", "sealed:v1:AAAA", "sealed:v2:AAAA", &sealed[..sealed.len() - 4]] {
            assert_eq!(old.open("a", broken), None, "{broken}");
        }
    }

    #[test]
    fn files_that_are_none() {
        for (text, word) in
            [("", "no key"), ("# x\n", "no key"), ("AAAA", "line 1"), (&format!("{OLD}\n?\n"), "line 2")]
        {
            let error = Seal::parse(text).err().unwrap();
            assert!(error.contains(word) && !error.contains("AAAA"), "{error}");
        }
    }
}
