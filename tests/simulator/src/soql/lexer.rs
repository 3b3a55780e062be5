//! Words, literals and marks of a SOQL query. Implements the quoting and escaping rules of Salesforce's *SOQL and SOSL
//! Reference*, "Quoted String Escape Sequences".

use super::SoqlError;

/// One token and where it begins (byte offset).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or keyword, dots included.
    Word(String),
    /// A quoted text, unescaped.
    Text(String),
    /// Anything that begins with a digit: a number, a date, a datetime.
    Number(String),
    /// A mark: `, ( ) = != < <= > >= :`
    Mark(&'static str),
    /// The end of the query.
    End,
}

const MARKS: [&str; 12] = ["<=", ">=", "!=", "<>", "=", "<", ">", ",", "(", ")", ":", "*"];

/// An error at a place, with the two lines of context that the platform gives.
pub(super) fn malformed(source: &str, at: usize, message: &str) -> SoqlError {
    let column = source[..at].chars().count();
    let caret = " ".repeat(column);
    let text = format!("\n{source}\n{caret}^\nERROR at Row:1:Column:{}\n{message}", column + 1);
    SoqlError::new("MALFORMED_QUERY", text)
}

/// Splits a query into tokens; the last one is always [`Kind::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, SoqlError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let start = at;
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let kind = if first == '\'' {
            let (text, end) = quoted(source, at)?;
            at = end;
            Kind::Text(text)
        } else if first.is_ascii_digit() || (matches!(first, '-' | '+') && digit_follows(source, at)) {
            at += run(source, at, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | ':'));
            Kind::Number(source[start..at].to_owned())
        } else if first.is_ascii_alphabetic() || first == '_' {
            at += run(source, at, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
            Kind::Word(source[start..at].to_owned())
        } else if let Some(mark) = MARKS.iter().find(|mark| source[at..].starts_with(**mark)) {
            at += mark.len();
            Kind::Mark(mark)
        } else {
            return Err(malformed(source, at, &format!("line 1:{at} no viable alternative at character '{first}'")));
        };
        tokens.push(Token { kind, at: start });
    }
    tokens.push(Token { kind: Kind::End, at: source.len() });
    Ok(tokens)
}

fn digit_follows(source: &str, at: usize) -> bool {
    source.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit)
}

fn run(source: &str, at: usize, takes: impl Fn(char) -> bool) -> usize {
    source[at..].find(|c| !takes(c)).unwrap_or(source.len() - at)
}

/// Reads the quoted text that begins there; its value and where it ends.
fn quoted(source: &str, at: usize) -> Result<(String, usize), SoqlError> {
    let mut text = String::new();
    let mut chars = source[at + 1..].char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            '\'' => return Ok((text, at + 1 + place + 1)),
            '\\' => {
                let (_, escaped) = chars.next().ok_or_else(|| unclosed(source))?;
                text.push(match escaped {
                    'n' | 'N' => '\n',
                    'r' | 'R' => '\r',
                    't' | 'T' => '\t',
                    'b' | 'B' => '\u{8}',
                    'f' | 'F' => '\u{c}',
                    '\'' | '"' | '\\' | '_' | '%' => escaped,
                    _ => return Err(malformed(source, at + 1 + place, "Invalid string escape sequence")),
                });
            }
            _ => text.push(c),
        }
    }
    Err(unclosed(source))
}

fn unclosed(source: &str) -> SoqlError {
    let at = source.chars().count();
    malformed(source, source.len(), &format!("line 1:{at} mismatched character '<EOF>' expecting '''"))
}
