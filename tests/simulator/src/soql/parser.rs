//! From tokens to a query. Implements the SELECT statement of Salesforce's *SOQL and SOSL Reference*, as far as
//! [`super::Query`] can hold it.

use super::lexer::{Kind, Token, malformed, tokens};
use super::{Condition, Literal, Operator, OrderBy, Query, Selected, SoqlError};
use crate::date;

/// Conditions may nest so deep.
const NESTING_MAX: usize = 32;

/// Reads a query.
pub(crate) fn parse(source: &str) -> Result<Query, SoqlError> {
    Parser { source, tokens: tokens(source)?, next: 0, depth: 0 }.query()
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Query, SoqlError> {
        self.keyword("SELECT")?;
        let mut select = vec![self.selected()?];
        while self.takes_mark(",") {
            select.push(self.selected()?);
        }
        self.keyword("FROM")?;
        let object = self.name()?;
        let filter = if self.takes("WHERE") { Some(self.any_of()?) } else { None };
        let mut query =
            Query { select, object, filter, group_by: false, order_by: Vec::new(), limit: None, offset: None };
        if self.takes("GROUP") {
            self.keyword("BY")?;
            self.names()?;
            query.group_by = true;
        }
        if self.takes("ORDER") {
            self.keyword("BY")?;
            query.order_by = self.order_by()?;
        }
        if self.takes("LIMIT") {
            query.limit = Some(self.count()?);
        }
        if self.takes("OFFSET") {
            query.offset = Some(self.count()?);
        }
        match self.peek().kind {
            Kind::End => Ok(query),
            _ => Err(self.unexpected()),
        }
    }

    fn selected(&mut self) -> Result<Selected, SoqlError> {
        if self.takes_mark("(") {
            self.skip_parentheses()?;
            return Ok(Selected::SubSelect);
        }
        if self.takes("TYPEOF") {
            while !self.takes("END") {
                match self.peek().kind {
                    Kind::End => return Err(self.unexpected()),
                    _ => self.next += 1,
                }
            }
            return Ok(Selected::TypeOf);
        }
        let name = self.name()?;
        if self.takes_mark("(") {
            self.skip_parentheses()?;
            if let Kind::Word(alias) = &self.peek().kind
                && !alias.eq_ignore_ascii_case("FROM")
            {
                self.next += 1;
            }
            return Ok(Selected::Aggregate);
        }
        Ok(Selected::Field(name))
    }

    fn order_by(&mut self) -> Result<Vec<OrderBy>, SoqlError> {
        let mut all = Vec::new();
        loop {
            let field = self.name()?;
            let descending = self.takes("DESC");
            if !descending {
                self.takes("ASC");
            }
            if self.takes("NULLS") && !self.takes("FIRST") {
                self.keyword("LAST")?;
            }
            all.push(OrderBy { field, descending });
            if !self.takes_mark(",") {
                return Ok(all);
            }
        }
    }

    /// AND and OR on one level need parentheses, as on the platform.
    fn any_of(&mut self) -> Result<Condition, SoqlError> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(malformed(self.source, self.peek().at, "conditions are nested too deeply"));
        }
        let first = self.condition()?;
        let mut all = vec![first];
        let word = ["AND", "OR"].into_iter().find(|word| self.takes(word));
        if let Some(word) = word {
            all.push(self.condition()?);
            while self.takes(word) {
                all.push(self.condition()?);
            }
        }
        self.depth -= 1;
        Ok(match word {
            Some("AND") => Condition::And(all),
            Some(_) => Condition::Or(all),
            None => all.swap_remove(0),
        })
    }

    fn condition(&mut self) -> Result<Condition, SoqlError> {
        if self.takes("NOT") {
            return Ok(Condition::Not(Box::new(self.condition()?)));
        }
        if self.takes_mark("(") {
            let inner = self.any_of()?;
            self.mark(")")?;
            return Ok(inner);
        }
        let field = self.name()?;
        let negated = self.takes("NOT");
        if negated || self.is_word("IN") {
            self.keyword("IN")?;
            return self.members(field, negated);
        }
        let operator = self.operator()?;
        Ok(Condition::Compare { field, operator, literal: self.literal()? })
    }

    fn members(&mut self, field: String, negated: bool) -> Result<Condition, SoqlError> {
        self.mark("(")?;
        if self.is_word("SELECT") {
            self.skip_parentheses()?;
            return Ok(Condition::SemiJoin { field });
        }
        let mut literals = vec![self.literal()?];
        while self.takes_mark(",") {
            literals.push(self.literal()?);
        }
        self.mark(")")?;
        Ok(Condition::In { field, negated, literals })
    }

    fn operator(&mut self) -> Result<Operator, SoqlError> {
        let operator = match &self.peek().kind {
            Kind::Mark("=") => Operator::Equal,
            Kind::Mark("!=" | "<>") => Operator::NotEqual,
            Kind::Mark("<") => Operator::Less,
            Kind::Mark("<=") => Operator::LessOrEqual,
            Kind::Mark(">") => Operator::Greater,
            Kind::Mark(">=") => Operator::GreaterOrEqual,
            Kind::Word(word) if word.eq_ignore_ascii_case("LIKE") => Operator::Like,
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(operator)
    }

    fn literal(&mut self) -> Result<Literal, SoqlError> {
        let literal = match &self.peek().kind {
            Kind::Text(text) => Literal::Text(text.clone()),
            Kind::Number(text) => match text.parse() {
                Ok(number) => Literal::Number(number),
                Err(_) if date::is_date(text) || date::parse_datetime(text).is_some() => Literal::Moment(text.clone()),
                Err(_) => return Err(self.unexpected()),
            },
            Kind::Word(word) if word.eq_ignore_ascii_case("true") => Literal::Boolean(true),
            Kind::Word(word) if word.eq_ignore_ascii_case("false") => Literal::Boolean(false),
            Kind::Word(word) if word.eq_ignore_ascii_case("null") => Literal::Null,
            Kind::Mark(":") => {
                return Err(malformed(self.source, self.peek().at, "Bind variables only allowed in Apex code"));
            }
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(literal)
    }

    fn names(&mut self) -> Result<(), SoqlError> {
        self.name()?;
        while self.takes_mark(",") {
            self.name()?;
        }
        Ok(())
    }

    fn name(&mut self) -> Result<String, SoqlError> {
        match &self.peek().kind {
            Kind::Word(word) if !RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved)) => {
                let word = word.clone();
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn count(&mut self) -> Result<u64, SoqlError> {
        let count = match &self.peek().kind {
            Kind::Number(text) => text.parse().ok(),
            _ => None,
        };
        let count = count.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(count)
    }

    fn skip_parentheses(&mut self) -> Result<(), SoqlError> {
        let mut open = 1;
        while open > 0 {
            match self.peek().kind {
                Kind::Mark("(") => open += 1,
                Kind::Mark(")") => open -= 1,
                Kind::End => return Err(self.unexpected()),
                _ => {}
            }
            self.next += 1;
        }
        Ok(())
    }

    /// The last token is the end, which nothing moves past.
    fn peek(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn takes(&mut self, word: &str) -> bool {
        let takes = self.is_word(word);
        self.next += usize::from(takes);
        takes
    }

    fn takes_mark(&mut self, mark: &str) -> bool {
        let takes = matches!(self.peek().kind, Kind::Mark(found) if found == mark);
        self.next += usize::from(takes);
        takes
    }

    fn keyword(&mut self, word: &str) -> Result<(), SoqlError> {
        if self.takes(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn mark(&mut self, mark: &str) -> Result<(), SoqlError> {
        if self.takes_mark(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> SoqlError {
        let token = self.peek();
        let shown = match &token.kind {
            Kind::Word(text) | Kind::Number(text) => format!("unexpected token: '{text}'"),
            Kind::Text(text) => format!("unexpected token: ''{text}''"),
            Kind::Mark(mark) => format!("unexpected token: '{mark}'"),
            Kind::End => "unexpected token: '<EOF>'".to_owned(),
        };
        malformed(self.source, token.at, &shown)
    }
}

const RESERVED: [&str; 10] = ["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "GROUP", "LIMIT"];

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let query =
            parse("select Id,Name from PushTopic where Name = 'it\\'s' and (IsActive = true or Name in ('a','b'))");
        let query = query.unwrap();
        assert_eq!(query.object, "PushTopic");
        assert_eq!(query.select.len(), 2);
        let Some(Condition::And(all)) = query.filter else { panic!("no AND") };
        let literal = Literal::Text("it's".to_owned());
        assert_eq!(all[0], Condition::Compare { field: "Name".to_owned(), operator: Operator::Equal, literal });
        assert!(matches!(&all[1], Condition::Or(_)));
        let query = parse("SELECT Id FROM Lead ORDER BY Name DESC NULLS LAST, Id LIMIT 5 OFFSET 2").unwrap();
        assert_eq!((query.order_by.len(), query.limit, query.offset), (2, Some(5), Some(2)));
        assert!(parse("SELECT COUNT(Id) n, (SELECT Id FROM Contacts) FROM Account GROUP BY Name").unwrap().group_by);
    }

    #[test]
    fn refuses() {
        for (source, needle) in [
            ("SELECT Id FROM PushTopic WHERE Name = Foo", "unexpected token: 'Foo'"),
            ("SELECT Id FROM PushTopic WHERE Name = 'it's'", "mismatched character '<EOF>'"),
            ("SELECT Id FROM PushTopic WHERE Name = 'it' s", "unexpected token: 's'"),
            ("SELECT Id FROM PushTopic WHERE Name = 'open", "mismatched character '<EOF>'"),
            ("SELECT Id FROM PushTopic WHERE Name = 'a\\x'", "Invalid string escape"),
            ("SELECT Id FROM PushTopic WHERE Name = \"a\"", "no viable alternative"),
            ("SELECT Id FROM PushTopic WHERE Name = :name", "Bind variables"),
            ("SELECT Id FROM PushTopic WHERE Name = 'a' OR Name = 'b' AND Name = 'c'", "unexpected token: 'AND'"),
            ("SELECT FROM PushTopic", "unexpected token: 'FROM'"),
            ("SELECT * FROM PushTopic", "unexpected token: '*'"),
            ("SELECT Id", "unexpected token: '<EOF>'"),
            ("", "unexpected token: '<EOF>'"),
            ("SELECT Id FROM Lead LIMIT x", "unexpected token: 'x'"),
        ] {
            let error = parse(source).unwrap_err();
            assert_eq!(error.code, "MALFORMED_QUERY", "{source}");
            assert!(error.message.contains(needle), "{source}: {}", error.message);
        }
        assert!(parse(&format!("SELECT Id FROM Lead WHERE {}", "(".repeat(100))).is_err());
    }
}
