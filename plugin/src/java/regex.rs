//! Regular expressions of `java.util.regex` and RE2 on an engine whose time is linear in the text: `matches`,
//! `replaceFirst`. Patterns are translated (`regex_translate`) and refused where they cannot be.
//!
//! `regex.timeout.ms` has its meaning without a clock: the engine takes at most one step for each state of the pattern and
//! character of the text, so that the longest time is known beforehand. A pattern that may take longer than the setting
//! on the longest topic is refused with the configuration; on another text, with that text.

use regex_lite::RegexBuilder;

use super::regex_translate::translate;

/// Whose dialect a pattern is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `java.util.regex.Pattern`.
    Java,
    /// RE2, which RE2/J and Go share.
    Re2,
}

/// A pattern or a replacement that is refused, or a text that is too long for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegexError {
    /// No regular expression.
    #[error("Invalid regex: {0}")]
    Syntax(String),
    /// One that only an engine without a bound on its time can evaluate, or that needs Unicode's tables.
    #[error(
        "{0} is not supported: regular expressions run in bounded time, without Unicode's tables. Write it without"
    )]
    Unsupported(String),
    /// The longest time for a text is above `regex.timeout.ms`.
    #[error("a regular expression may take longer than {timeout_ms} ms (regex.timeout.ms) on {bytes} bytes")]
    TooSlow {
        /// The setting.
        timeout_ms: u64,
        /// The text's length.
        bytes: usize,
    },
    /// A replacement that names a group which is not there, or ends in the middle.
    #[error("Invalid replacement: {0}")]
    Replacement(String),
}

/// Steps in a millisecond, a step being one state and one byte: a fifth of what was measured in a component
/// (docs/transforms.md).
pub const STEPS_PER_MS: u64 = 10_000;
/// The default of `regex.timeout.ms`, in milliseconds.
pub const TIMEOUT_DEFAULT_MS: u64 = 100;
/// Memory of a compiled pattern, in bytes.
const PROGRAM_BYTES_MAX: usize = 1 << 20;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    whole: regex_lite::Regex,
    anywhere: regex_lite::Regex,
    groups: Vec<Option<String>>,
    states: usize,
    timeout_ms: u64,
}

/// What takes a match's place: text and groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

impl Regex {
    /// Compiles a pattern for texts of up to `bytes` bytes.
    ///
    /// # Errors
    /// `RegexError` when the pattern is none, is beyond the engine, or may take longer than `timeout_ms` on such a text.
    pub fn compile(pattern: &str, dialect: Dialect, timeout_ms: u64, bytes: usize) -> Result<Self, RegexError> {
        let translated = translate(pattern, dialect)?;
        let build = |pattern: &str| {
            let mut builder = RegexBuilder::new(pattern);
            let built = builder.size_limit(PROGRAM_BYTES_MAX).build();
            built.map_err(|error| RegexError::Syntax(error.to_string()))
        };
        let regex = Self {
            whole: build(&format!("\\A(?:{})\\z", translated.pattern))?,
            anywhere: build(&translated.pattern)?,
            groups: translated.groups,
            states: translated.states,
            timeout_ms,
        };
        regex.check(bytes)?;
        Ok(regex)
    }

    /// Whether the whole text matches (`Matcher.matches`).
    ///
    /// # Errors
    /// `RegexError::TooSlow` when the text is too long for the pattern.
    pub fn matches(&self, text: &str) -> Result<bool, RegexError> {
        self.check(text.len())?;
        Ok(self.whole.is_match(text))
    }

    /// Whether a part of the text matches (`Matcher.find`).
    ///
    /// # Errors
    /// `RegexError::TooSlow` when the text is too long for the pattern.
    pub fn finds(&self, text: &str) -> Result<bool, RegexError> {
        self.check(text.len())?;
        Ok(self.anywhere.is_match(text))
    }

    /// The text with its first match replaced, when all of it matches, else none. As in Java the first match need not be
    /// the whole: `a|ab` matches `ab`, and then replaces the `a`.
    ///
    /// # Errors
    /// `RegexError::TooSlow` when the text is too long for the pattern.
    pub fn replace(&self, text: &str, replacement: &Replacement) -> Result<Option<String>, RegexError> {
        if !self.matches(text)? {
            return Ok(None);
        }
        let Some(found) = self.anywhere.captures(text) else { return Ok(None) };
        let span = found.get(0).map_or(0..0, |whole| whole.range());
        let mut out = text[..span.start].to_owned();
        for part in &replacement.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(number) => out.push_str(found.get(*number).map_or("", |group| group.as_str())),
            }
        }
        out.push_str(&text[span.end..]);
        Ok(Some(out))
    }

    /// Reads a replacement: `$1`, `${name}`, and `\` before what shall stand for itself.
    ///
    /// # Errors
    /// `RegexError::Replacement` for a group that the pattern has not, and for a text that ends in the middle.
    pub fn replacement(&self, text: &str) -> Result<Replacement, RegexError> {
        let refuse = |problem: String| Err(RegexError::Replacement(problem));
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut chars = text.chars().peekable();
        while let Some(character) = chars.next() {
            let group = match character {
                '\\' => {
                    let Some(next) = chars.next() else { return refuse("nothing follows the last backslash".into()) };
                    plain.push(next);
                    continue;
                }
                '$' if chars.next_if_eq(&'{').is_some() => {
                    let name: String = chars.by_ref().take_while(|&c| c != '}').collect();
                    let found = self.groups.iter().position(|group| group.as_deref() == Some(name.as_str()));
                    let Some(index) = found else { return refuse(format!("there is no group {{{name}}}")) };
                    index + 1
                }
                '$' => {
                    let Some(first) = chars.next_if(char::is_ascii_digit).and_then(|c| c.to_digit(10)) else {
                        return refuse("a $ without a group; write \\$ for the character".into());
                    };
                    let mut number = first as usize;
                    if number > self.groups.len() {
                        return refuse(format!("there is no group {number}"));
                    }
                    // More digits belong to the number as long as there is such a group.
                    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                        let longer = number * 10 + digit as usize;
                        if longer > self.groups.len() {
                            break;
                        }
                        number = longer;
                        chars.next();
                    }
                    number
                }
                other => {
                    plain.push(other);
                    continue;
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Group(group));
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Replacement(parts))
    }

    /// The most steps that a text of so many bytes may take.
    #[must_use]
    pub fn steps(&self, bytes: usize) -> u64 {
        (self.states as u64).saturating_mul(bytes as u64 + 1)
    }

    fn check(&self, bytes: usize) -> Result<(), RegexError> {
        if self.steps(bytes) > self.timeout_ms.saturating_mul(STEPS_PER_MS) {
            return Err(RegexError::TooSlow { timeout_ms: self.timeout_ms, bytes });
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::{super::regex_translate::PATTERN_BYTES_MAX, *};

    fn compile(pattern: &str) -> Result<Regex, RegexError> {
        Regex::compile(pattern, Dialect::Java, TIMEOUT_DEFAULT_MS, 249)
    }

    /// Many more, made by a JVM in the test run: tests/transforms.
    #[test]
    fn matches_and_replaces_as_java_does() {
        let cases = [
            ("soe-(.*)", "soe-Order", "$1", Some("Order")),
            (".*", "Order", "acme_$0", Some("acme_Order")),
            ("a|ab", "ab", "x", Some("xb")),
            ("(?<all>.*)", "t", "${all}\\$1$1", Some("t$1t")),
            ("(a)(b)?", "a", "[$2]$11", Some("[]a1")),
            ("(?i)ORDER", "order", "x", Some("x")),
            ("[a-z&&[^m]]+", "abc", "x", Some("x")),
            ("[a-z&&[^m]]+", "ama", "x", None),
            ("b", "abc", "x", None),
            ("\\Qa.b\\E", "a.b", "x", Some("x")),
            ("\\p{Alpha}+\\d{2,3}", "abc12", "x", Some("x")),
        ];
        for (pattern, text, replacement, expected) in cases {
            let regex = compile(pattern).unwrap();
            let replacement = regex.replacement(replacement).unwrap();
            assert_eq!(regex.replace(text, &replacement).unwrap().as_deref(), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_needs_backtracking_is_refused_by_name() {
        let cases = [
            ("(?=a)", "the lookahead (?=...)"),
            ("(?<!a)b", "the negative lookbehind"),
            ("(a)\\1", "the back reference \\1"),
            ("(?<n>a)\\k<n>", "the back reference \\k"),
            ("a*+", "the possessive quantifier *+"),
            ("(?>a)", "the atomic group"),
            ("\\p{L}", "the Unicode class \\p{L}"),
            ("\\p{IsAlphabetic}", "the Unicode class"),
            ("a{1001}", "more than 1000 times"),
            ("*a", "dangling meta character '*'"),
            ("(a", "unclosed group"),
            ("a)", "closing parenthesis"),
            ("[a", "unclosed class"),
            ("a{,3}", "illegal repetition"),
            ("\\y", "unknown escape"),
            ("[z-a]", "illegal range"),
            ("(?:(?:a{1000}){1000}){1000}", ""),
        ];
        for (pattern, expected) in cases {
            let error = compile(pattern).unwrap_err().to_string();
            assert!(error.contains(expected), "{pattern}: {error}");
        }
        assert!(compile("a{1000}").is_ok());
        let deep = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(compile(&deep(49)).is_ok() && compile(&deep(50)).is_err());
        let long = |bytes: usize| Regex::compile(&"a".repeat(bytes), Dialect::Java, 60_000, 249);
        assert!(long(PATTERN_BYTES_MAX).is_ok() && long(PATTERN_BYTES_MAX + 1).is_err());
        // As large as a pattern may be, but too large once its repetitions are written out.
        let wide = |times: usize| Regex::compile(&format!("(?:a{{1000}}){{{times}}}"), Dialect::Java, 60_000_000, 249);
        assert!(wide(5).is_ok() && wide(1_000).is_err());
    }

    #[test]
    fn the_longest_time_is_known_beforehand() {
        let slow = |timeout_ms| Regex::compile("(?:a{100}b){20}", Dialect::Java, timeout_ms, 249).map(drop);
        assert_eq!(slow(10), Err(RegexError::TooSlow { timeout_ms: 10, bytes: 249 }));
        assert_eq!(slow(1_000), Ok(()));
        let regex = Regex::compile(".*x", Dialect::Java, 1, 249).unwrap();
        assert_eq!(regex.matches(&"a".repeat(1_000)), Ok(false));
        assert!(regex.matches(&"a".repeat(1 << 20)).is_err());
    }

    #[test]
    fn replacements_are_checked() {
        let regex = compile("(a)").unwrap();
        for text in ["$2", "${x}", "$", "\\", "$x"] {
            assert!(regex.replacement(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(pattern in "\\PC{0,20}|[a-c\\[\\]\\^\\-&|()?*+{}0-9,.$\\\\dwpQE:<>!=i]{0,20}", text in "[a-c-]{0,20}") {
            for dialect in [Dialect::Java, Dialect::Re2] {
                if let Ok(regex) = Regex::compile(&pattern, dialect, TIMEOUT_DEFAULT_MS, 249) {
                    let _ = (regex.matches(&text), regex.replacement(&text));
                }
            }
        }
    }
}
