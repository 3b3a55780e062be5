//! Java `.properties` text, as `java.util.Properties.load` reads it ("Properties", Java SE API): comments, continued
//! lines, the three separators, escapes. Bytes are UTF-8 where they are valid UTF-8, else ISO-8859-1 as in Java.

/// One property of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, escapes resolved.
    pub key: String,
    /// The value, escapes resolved. White space at its end counts, as in Java.
    pub value: String,
    /// The line on which the property begins, from 1.
    pub line: usize,
}

/// Why a text is not `.properties`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct PropertiesError {
    /// The line on which the property begins, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// Reads every property, in the file's order, duplicates included.
///
/// # Errors
/// A `\u` escape without four hexadecimal digits, or half of a surrogate pair.
pub fn parse(bytes: &[u8]) -> Result<Vec<Entry>, PropertiesError> {
    let text = decode(bytes);
    let mut entries = Vec::new();
    let mut lines = natural_lines(&text).enumerate();
    while let Some((index, first)) = lines.next() {
        let start = first.trim_start_matches(is_blank);
        if start.is_empty() || start.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = start.to_owned();
        while ends_in_escape(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start_matches(is_blank));
        }
        entries.push(entry(&logical, index + 1)?);
    }
    Ok(entries)
}

fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Lines end at `\n`, `\r` or `\r\n`.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let skip = if text[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[end + skip..]);
        Some(&text[..end])
    })
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

fn ends_in_escape(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn entry(logical: &str, line: usize) -> Result<Entry, PropertiesError> {
    let mut escaped = false;
    let end = logical
        .char_indices()
        .find(|(_, c)| {
            let ends = !escaped && (is_blank(*c) || matches!(c, '=' | ':'));
            escaped = *c == '\\' && !escaped;
            ends
        })
        .map_or(logical.len(), |(at, _)| at);
    let rest = logical[end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    let unescaped = |text| unescape(text).map_err(|reason| PropertiesError { line, reason });
    Ok(Entry { key: unescaped(&logical[..end])?, value: unescaped(rest.trim_start_matches(is_blank))?, line })
}

fn unescape(text: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => out.push(unicode(&mut chars)?),
            Some(other) => out.push(other),
            None => {}
        }
    }
    Ok(out)
}

/// One character from `XXXX`, or from `XXXX\uXXXX` when the first is the high half of a surrogate pair.
fn unicode(chars: &mut std::str::Chars<'_>) -> Result<char, &'static str> {
    const LONELY: &str = "half of a surrogate pair in a \\u escape";
    let first = code_unit(chars)?;
    let units = if (0xd800..0xdc00).contains(&first) {
        if chars.next() != Some('\\') || chars.next() != Some('u') {
            return Err(LONELY);
        }
        vec![first, code_unit(chars)?]
    } else {
        vec![first]
    };
    char::decode_utf16(units).next().and_then(Result::ok).ok_or(LONELY)
}

fn code_unit(chars: &mut std::str::Chars<'_>) -> Result<u16, &'static str> {
    let digits: String = chars.by_ref().take(4).collect();
    let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = if valid { u16::from_str_radix(&digits, 16).ok() } else { None };
    unit.ok_or("a \\u escape needs four hexadecimal digits")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse fails the test")]
mod tests {
    use super::*;

    /// The examples of the Java API documentation of `Properties.load`, and the corners of its grammar.
    #[test]
    fn as_java_reads_them() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(&[u8], Pairs<'_>)] = &[
            (b"Truth = Beauty", &[("Truth", "Beauty")]),
            (b" Truth:Beauty", &[("Truth", "Beauty")]),
            (b"Truth                    :Beauty", &[("Truth", "Beauty")]),
            (
                b"fruits                           apple, banana, pear, \\\n     cantaloupe, watermelon, \\\r\n  kiwi, mango",
                &[("fruits", "apple, banana, pear, cantaloupe, watermelon, kiwi, mango")],
            ),
            (b"cheeses", &[("cheeses", "")]),
            (b"# comment\n! comment\n\n \t\n  # comment \\\na=1", &[("a", "1")]),
            (b"a\\ b\\=c\\:d=e", &[("a b=c:d", "e")]),
            (b"a = = b", &[("a", "= b")]),
            (b"a=b=c:d", &[("a", "b=c:d")]),
            (b"a= b \t", &[("a", "b \t")]),
            (b"a=\\t\\n\\r\\f\\q\\\\", &[("a", "\t\n\r\u{c}q\\")]),
            (b"a=\\u00e9\\u20AC\\uD83D\\uDE00", &[("a", "\u{e9}\u{20ac}\u{1f600}")]),
            (b"a=\xe9", &[("a", "\u{e9}")]),
            (b"a=\xc3\xa9", &[("a", "\u{e9}")]),
            (b"\xef\xbb\xbfa=1", &[("a", "1")]),
            (b"a=1\rb=2\r\nc=3", &[("a", "1"), ("b", "2"), ("c", "3")]),
            (b"a=1\\\\\nb=2", &[("a", "1\\"), ("b", "2")]),
            (b"a=1\\", &[("a", "1")]),
            (b"a=1\\\n# not a comment", &[("a", "1# not a comment")]),
            (b"a=1\na=2", &[("a", "1"), ("a", "2")]),
            (b"=v", &[("", "v")]),
            (b"", &[]),
        ];
        for (text, expected) in cases {
            let entries = parse(text).unwrap();
            let pairs: Vec<(&str, &str)> = entries.iter().map(|e| (e.key.as_str(), e.value.as_str())).collect();
            assert_eq!(&pairs, expected, "{}", text.escape_ascii());
        }
        assert_eq!(parse(b"a=1\\\n2\n\nb=3").unwrap()[1].line, 4);
    }

    #[test]
    fn what_java_refuses() {
        for (text, line) in [
            (&b"a=1\nb=\\u12"[..], 2),
            (b"a=\\uzzzz", 1),
            (b"a=\\ud83d", 1),
            (b"a=\\ud83d\\u0041", 1),
            (b"a=\\udc00", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{}", text.escape_ascii());
        }
    }
}
