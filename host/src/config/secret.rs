//! `Secret`: text that must not be seen. Nothing but `expose` gives it away; formatting shows a mask.

use std::fmt;

/// What stands in the place of a secret, as Kafka Connect writes it.
pub const MASK: &str = "[hidden]";

/// Words in a property's name that mark its value as secret, whoever owns the property.
const SECRET_WORDS: &[&str] = &[
    "password",
    "secret",
    "token",
    "jaas",
    "credential",
    "user.info",
    "keystore.key",
    "api.key",
    "passphrase",
    "private",
];

/// Characters of a value that a message shows at most.
const SHOWN_CHARS_MAX: usize = 80;

/// Text that is masked wherever it is formatted.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Whether a property of this name is taken to hold a secret.
#[must_use]
pub fn is_secret_name(property: &str) -> bool {
    let name = property.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A property's value as a message may show it: masked when the name says secret or the text carries a password
/// (`http://user:password@host`, a proxy's also without `http://`), cut when long.
#[must_use]
pub fn shown(property: &str, value: &str) -> String {
    let carries_login = value.contains('@') && (value.contains("://") || property.ends_with("proxy"));
    if is_secret_name(property) || carries_login {
        return MASK.to_owned();
    }
    let mut text: String = value.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect();
    if value.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_shows() {
        let long = "x".repeat(200);
        let cases = [
            ("tasks.max", "abc", "abc"),
            ("a.password", "hunter2", MASK),
            ("sasl.jaas.config", "x", MASK),
            ("value.converter.schema.registry.basic.auth.user.info", "a:b", MASK),
            ("tributary.network.proxy", "http://u:p@h:1", MASK),
            ("http.proxy", "u:p@h", MASK),
            ("kafka.api.secret", "x", MASK),
            ("note", "a\nb", "a?b"),
        ];
        for (property, value, expected) in cases {
            assert_eq!(shown(property, value), expected, "{property}");
        }
        assert_eq!(shown("a", &long).chars().count(), SHOWN_CHARS_MAX + 3);
        assert_eq!(format!("{0:?} {0}", Secret::new("hunter2")), format!("{MASK} {MASK}"));
    }
}
