//! `ParsedQuery`: what the connector needs to know of the query of a PushTopic that somebody else made: its object, what
//! it selects, whether it has a condition. Not a SOQL parser: Salesforce has accepted the query already.

/// A query taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ParsedQuery<'a> {
    /// The object behind FROM.
    pub(super) object: &'a str,
    /// The items of the SELECT list: fields, now and then a function call.
    pub(super) fields: Vec<&'a str>,
    /// What stands behind WHERE.
    pub(super) condition: Option<&'a str>,
}

impl<'a> ParsedQuery<'a> {
    /// Takes a query apart; `None` when it is no `SELECT ... FROM ...`.
    pub(super) fn parse(query: &'a str) -> Option<Self> {
        let words = words(query);
        let mut words = words.into_iter();
        let (select, select_end) = words.next()?;
        if !select.eq_ignore_ascii_case("select") {
            return None;
        }
        let (from, from_end) = words.find(|(word, _)| word.eq_ignore_ascii_case("from"))?;
        let list = query.get(select_end..from_end - from.len())?;
        let (object, _) = words.next()?;
        let condition = words.find(|(word, _)| word.eq_ignore_ascii_case("where"));
        let condition = condition.and_then(|(_, end)| query.get(end..)).map(str::trim);
        Some(Self { object, fields: items(list), condition })
    }

    /// What stands before another condition, so that both hold.
    pub(super) fn condition_and(&self) -> String {
        self.condition.map(|condition| format!("({condition}) AND ")).unwrap_or_default()
    }
}

/// The words outside parentheses and literals, each with the position behind it.
fn words(query: &str) -> Vec<(&str, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    let (mut depth, mut in_literal, mut escaped) = (0_usize, false, false);
    // The space at the end closes the last word.
    for (position, byte) in query.bytes().chain(std::iter::once(b' ')).enumerate() {
        let in_word = !in_literal && depth == 0 && (byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
        match (start, in_word) {
            (None, true) => start = Some(position),
            (Some(begin), false) => {
                words.push((&query[begin..position], position));
                start = None;
            }
            _ => {}
        }
        if in_literal {
            in_literal = escaped || byte != b'\'';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'\'' => in_literal = true,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    words
}

/// The items of a list, parted by commas outside parentheses.
fn items(list: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    list.split(|character: char| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|item| !item.is_empty())
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn queries_are_taken_apart() {
        let parsed = |object, fields: &[&'static str], condition| {
            Some(ParsedQuery { object, fields: fields.to_vec(), condition })
        };
        let cases = [
            ("SELECT Id, Name FROM Lead", parsed("Lead", &["Id", "Name"], None)),
            (" select Id,Name\n\tfrom My__c where A='x'", parsed("My__c", &["Id", "Name"], Some("A='x'"))),
            ("SELECT Id, toLabel(Status) FROM Lead", parsed("Lead", &["Id", "toLabel(Status)"], None)),
            (
                "SELECT Id, f(a, from) FROM Lead l WHERE Id != null",
                parsed("Lead", &["Id", "f(a, from)"], Some("Id != null")),
            ),
            ("SELECT Id FROM Lead USING SCOPE mine", parsed("Lead", &["Id"], None)),
            (
                r"SELECT From__c FROM Lead WHERE N = 'it\'s from X'",
                parsed("Lead", &["From__c"], Some(r"N = 'it\'s from X'")),
            ),
            (r"SELECT Id FROM Lead LIMIT 'where'", parsed("Lead", &["Id"], None)),
            ("SELECT Id", None),
            ("SELECT Id FROM", None),
            ("FROM Lead", None),
            ("", None),
        ];
        for (query, expected) in cases {
            assert_eq!(ParsedQuery::parse(query), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(query in "\\PC*|SELECT \\PC* FROM \\PC*|[sS]elect [a-z,()' ]* from [a-z'() ]*") {
            let _ = ParsedQuery::parse(&query);
        }
    }
}
