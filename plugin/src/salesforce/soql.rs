//! SOQL texts: quoted literals, checked identifiers, plain SELECT statements (SOQL and SOSL Reference, "Quoted String
//! Escape Sequences"; Object Reference, "API field names"). Nothing from outside gets into a query unless it went
//! through here.

use std::fmt::Write as _;

/// A query that was not built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoqlError {
    /// A name that is no API name of an object or field.
    #[error(
        "{name:?} is not an API name of an object or field: it must begin with a letter and consist of at most \
         {IDENTIFIER_CHARS_MAX} letters, digits and underscores"
    )]
    Identifier {
        /// The name, cut to `IDENTIFIER_CHARS_MAX` characters.
        name: String,
    },
    /// A SELECT without fields.
    #[error("a query must select at least one field")]
    NoFields,
}

/// The longest API name that is taken for one, in characters. Salesforce's own bound, with namespace and suffix, is
/// well below it.
pub const IDENTIFIER_CHARS_MAX: usize = 120;

/// Gives the name back when it is an API name of an object or field.
///
/// # Errors
/// `SoqlError::Identifier` when it is not.
pub fn identifier(name: &str) -> Result<&str, SoqlError> {
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let goes_on_well = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if begins_well && goes_on_well && name.len() <= IDENTIFIER_CHARS_MAX {
        Ok(name)
    } else {
        Err(SoqlError::Identifier { name: name.chars().take(IDENTIFIER_CHARS_MAX).collect() })
    }
}

/// The text as a SOQL string literal, quotes included.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            control if control.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(control)).expect("a String takes every write");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// `SELECT a,b FROM Object`; no spaces after commas, since a PushTopic's query is counted by the character.
///
/// # Errors
/// `SoqlError` when a name is not an API name or there are no fields.
pub fn select<'a>(fields: impl IntoIterator<Item = &'a str>, object: &str) -> Result<String, SoqlError> {
    let mut query = String::from("SELECT ");
    let start = query.len();
    for field in fields {
        if query.len() > start {
            query.push(',');
        }
        query.push_str(identifier(field)?);
    }
    if query.len() == start {
        return Err(SoqlError::NoFields);
    }
    query.push_str(" FROM ");
    query.push_str(identifier(object)?);
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_cannot_be_left() {
        let cases = [
            ("Leads", r"'Leads'"),
            ("", "''"),
            ("it's", r"'it\'s'"),
            (r"\' OR Name != '", r"'\\\' OR Name != \''"),
            ("a\"b\n\r\t\u{8}\u{c}", r#"'a\"b\n\r\t\b\f'"#),
            ("\u{0}\u{1b}\u{85}", r"'\u0000\u001B\u0085'"),
            ("Bé😀%_", "'Bé😀%_'"),
        ];
        for (text, expected) in cases {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn only_api_names_get_into_a_query() {
        let longest = "a".repeat(IDENTIFIER_CHARS_MAX);
        for name in ["Id", "My_Field__c", "ns__Thing__c", "loc__latitude__s", "a", longest.as_str()] {
            assert_eq!(identifier(name), Ok(name));
        }
        let too_long = "a".repeat(IDENTIFIER_CHARS_MAX + 1);
        for name in ["", "1a", "_x", "a b", "a,b", "a'", "Owner.Name", "é", "a\n", too_long.as_str()] {
            assert!(matches!(identifier(name), Err(SoqlError::Identifier { .. })), "{name}");
        }
        assert_eq!(select(["Id", "Name"], "Lead"), Ok("SELECT Id,Name FROM Lead".to_owned()));
        assert_eq!(select([], "Lead"), Err(SoqlError::NoFields));
        assert!(select(["Id"], "Lead WHERE x").is_err());
        assert!(select(["Id FROM User"], "Lead").is_err());
    }
}
