//! Reading of JSON paths (Jayway's dialect, https://github.com/json-path/JsonPath).

use super::json_path::{Comparison, Condition, JsonPath, JsonPathError, Literal, Operand, Step};
use crate::java::regex::{Dialect, Regex};

/// How deep conditions and paths may be nested.
const NESTING_MAX: usize = 20;
/// Steps of a path.
const STEPS_MAX: usize = 100;

type Result<T> = std::result::Result<T, JsonPathError>;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    regex_timeout_ms: u64,
}

/// Reads a path; without `$` it begins at the root.
pub(super) fn parse(text: &str, regex_timeout_ms: u64) -> Result<JsonPath> {
    let mut parser = Parser { text: text.trim(), at: 0, depth: 0, regex_timeout_ms };
    if !parser.takes("$") && !parser.rest().starts_with(['.', '[']) {
        // A name alone is a path too.
        let name = parser.name()?;
        let mut path = parser.path()?;
        path.steps.insert(0, Step::Members(vec![name]));
        return parser.end(path);
    }
    let path = parser.path()?;
    parser.end(path)
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn takes(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn error<T>(&self, problem: &'static str) -> Result<T> {
        let position = self.text[..self.at].chars().count() + 1;
        Err(JsonPathError::Syntax { problem, position })
    }

    fn expect(&mut self, expected: &str, problem: &'static str) -> Result<()> {
        self.blanks();
        if self.takes(expected) { Ok(()) } else { self.error(problem) }
    }

    fn end<T>(&self, value: T) -> Result<T> {
        if self.rest().is_empty() { Ok(value) } else { self.error("something unexpected") }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == NESTING_MAX {
            return self.error("too many parts within parts");
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Steps, as many as there are.
    fn path(&mut self) -> Result<JsonPath> {
        let mut steps = Vec::new();
        loop {
            if steps.len() >= STEPS_MAX {
                return self.error("too many steps");
            }
            if self.takes("..") {
                steps.push(Step::Deep);
                if self.rest().starts_with('[') {
                    continue;
                }
                steps.push(if self.takes("*") { Step::All } else { Step::Members(vec![self.name()?]) });
            } else if self.takes(".") {
                if self.rest().starts_with('[') {
                    continue;
                }
                steps.push(if self.takes("*") { Step::All } else { Step::Members(vec![self.name()?]) });
                if self.rest().starts_with('(') {
                    return Err(JsonPathError::Unsupported("a function".into()));
                }
            } else if self.takes("[") {
                steps.push(self.nested(Self::bracket)?);
            } else {
                return Ok(JsonPath { steps });
            }
        }
    }

    fn name(&mut self) -> Result<String> {
        let ends = |c: char| c.is_whitespace() || ".[]()=!<>&|,'\"~@$?*+/".contains(c);
        let length = self.rest().find(ends).unwrap_or(self.rest().len());
        if length == 0 {
            return self.error("a name is missing");
        }
        let name = &self.rest()[..length];
        self.at += length;
        Ok(name.to_owned())
    }

    fn bracket(&mut self) -> Result<Step> {
        self.blanks();
        if self.takes("?") {
            self.expect("(", "a condition stands in parentheses")?;
            let condition = self.nested(Self::or)?;
            self.expect(")", "a closing parenthesis is missing")?;
            self.expect("]", "a closing bracket is missing")?;
            return Ok(Step::Filter(condition));
        }
        let step = match self.rest().chars().next() {
            Some('*') => {
                self.at += 1;
                Step::All
            }
            Some('\'' | '"') => {
                let mut names = vec![self.quoted()?];
                self.blanks();
                while self.takes(",") {
                    self.blanks();
                    names.push(self.quoted()?);
                    self.blanks();
                }
                Step::Members(names)
            }
            Some('(') => return Err(JsonPathError::Unsupported("a script".into())),
            _ => self.indexes()?,
        };
        self.expect("]", "a closing bracket is missing")?;
        Ok(step)
    }

    fn indexes(&mut self) -> Result<Step> {
        let first = self.integer();
        self.blanks();
        if self.takes(":") {
            self.blanks();
            let last = self.integer();
            self.blanks();
            if self.rest().starts_with(':') {
                return Err(JsonPathError::Unsupported("a slice with a step".into()));
            }
            return Ok(Step::Slice(first, last));
        }
        let Some(first) = first else { return self.error("a name in quotes or a number is missing") };
        let mut indexes = vec![first];
        while self.takes(",") {
            self.blanks();
            let Some(index) = self.integer() else { return self.error("a number is missing") };
            indexes.push(index);
            self.blanks();
        }
        Ok(Step::Indexes(indexes))
    }

    fn integer(&mut self) -> Option<i64> {
        let sign = usize::from(self.rest().starts_with('-'));
        let digits = self.rest()[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest()[..sign + digits].parse().ok()?;
        self.at += sign + digits;
        Some(number)
    }

    /// A text in single or double quotes; a backslash lets the next character stand for itself.
    fn quoted(&mut self) -> Result<String> {
        let mut chars = self.rest().char_indices();
        let Some((_, quote @ ('\'' | '"'))) = chars.next() else { return self.error("a quote is missing") };
        let mut text = String::new();
        while let Some((at, character)) = chars.next() {
            if character == quote {
                self.at += at + 1;
                return Ok(text);
            }
            match character {
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, other)) => text.push(other),
                    None => break,
                },
                other => text.push(other),
            }
        }
        self.error("a closing quote is missing")
    }

    fn or(&mut self) -> Result<Condition> {
        let mut parts = vec![self.and()?];
        self.blanks();
        while self.takes("||") {
            parts.push(self.and()?);
            self.blanks();
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
    }

    fn and(&mut self) -> Result<Condition> {
        let mut parts = vec![self.condition()?];
        self.blanks();
        while self.takes("&&") {
            parts.push(self.condition()?);
            self.blanks();
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
    }

    fn condition(&mut self) -> Result<Condition> {
        self.blanks();
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            return Ok(Condition::Not(Box::new(self.nested(Self::condition)?)));
        }
        if self.takes("(") {
            let inner = self.nested(Self::or)?;
            self.expect(")", "a closing parenthesis is missing")?;
            return Ok(inner);
        }
        let left = self.operand()?;
        self.blanks();
        for (sign, comparison) in [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.takes(sign) {
                self.blanks();
                return Ok(Condition::Compare(left, comparison, self.operand()?));
            }
        }
        if self.takes("=~") {
            self.blanks();
            return Ok(Condition::Matches(left, Box::new(self.regex()?)));
        }
        let word = self.rest().bytes().take_while(u8::is_ascii_alphabetic).count();
        match &self.rest()[..word] {
            "" => Ok(Condition::Exists(left)),
            word @ ("in" | "nin") => {
                let wanted = word == "in";
                self.at += word.len();
                Ok(Condition::Among(left, self.literals()?, wanted))
            }
            other => Err(JsonPathError::Unsupported(format!("the operator {other}"))),
        }
    }

    fn operand(&mut self) -> Result<Operand> {
        if self.takes("@") {
            return self.nested(Self::path).map(Operand::Current);
        }
        if self.takes("$") {
            return self.nested(Self::path).map(Operand::Root);
        }
        self.literal().map(Operand::Literal)
    }

    fn literal(&mut self) -> Result<Literal> {
        self.blanks();
        for (word, literal) in
            [("null", Literal::Null), ("true", Literal::Boolean(true)), ("false", Literal::Boolean(false))]
        {
            if self.takes(word) {
                return Ok(literal);
            }
        }
        if self.rest().starts_with(['\'', '"']) {
            return self.quoted().map(Literal::Text);
        }
        let length = self.rest().bytes().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count();
        let Ok(number) = self.rest()[..length].parse() else { return self.error("a value is missing") };
        self.at += length;
        Ok(Literal::Number(number))
    }

    fn literals(&mut self) -> Result<Vec<Literal>> {
        self.expect("[", "a list in brackets is missing")?;
        let mut literals = Vec::new();
        self.blanks();
        while !self.takes("]") {
            literals.push(self.literal()?);
            self.blanks();
            if !self.takes(",") && !self.rest().starts_with(']') {
                return self.error("a comma is missing");
            }
            self.blanks();
        }
        Ok(literals)
    }

    /// `/pattern/i`.
    fn regex(&mut self) -> Result<Regex> {
        if !self.takes("/") {
            return self.error("a regular expression between slashes is missing");
        }
        let (mut pattern, mut escaped, mut length) = (String::new(), false, None);
        for (at, character) in self.rest().char_indices() {
            if character == '/' && !escaped {
                length = Some(at);
                break;
            }
            escaped = character == '\\' && !escaped;
            pattern.push(character);
        }
        let Some(length) = length else { return self.error("a closing slash is missing") };
        self.at += length + 1;
        let flags = self.rest().bytes().take_while(u8::is_ascii_alphabetic).count();
        let flags = &self.rest()[..flags];
        self.at += flags.len();
        let pattern = if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") };
        Ok(Regex::compile(&pattern, Dialect::Java, self.regex_timeout_ms, 0)?)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{Field, Schema, Struct, Value};

    fn value() -> Value {
        let address = Arc::new(Schema::structure(vec![Field::new("City", Schema::string().optional())]).optional());
        let schema = Schema::structure(vec![
            Field::new("Name", Schema::string()),
            Field::new("Amount", Schema::float64().optional()),
            Field::new("Active", Schema::boolean()),
            Field::new("Address", Arc::clone(&address)),
            Field::new("Tags", Schema::array(Schema::string())),
            Field::new("Nothing", Schema::string().optional()),
        ]);
        let address = Struct { schema: address, values: vec!["Rome".into()] };
        let tags = Value::Array(vec!["a".into(), "b".into(), "c".into()]);
        let values =
            vec!["Ada's".into(), Value::Float64(10.5), Value::Boolean(true), address.into(), tags, Value::Null];
        Struct { schema: Arc::new(schema), values }.into()
    }

    #[test]
    fn paths_find_what_they_say() {
        let value = value();
        let cases = [
            ("$.Name", 1),
            ("Name", 1),
            ("$['Name','Active']", 2),
            ("$.Address.City", 1),
            ("$..City", 1),
            ("$.Tags[0]", 1),
            ("$.Tags[-1]", 1),
            ("$.Tags[0,2]", 2),
            ("$.Tags[1:]", 2),
            ("$.Tags[*]", 3),
            ("$.*", 6),
            ("$.Other", 0),
            ("$.Nothing", 1),
            ("$[?(@.Amount > 10)]", 1),
            ("$[?(@.Amount > 10.5)]", 0),
            ("$[?(@.Amount >= 10.5 && @.Active == true)]", 1),
            ("$[?(@.Name == 'x' || @['Name'] == \"Ada's\")]", 1),
            ("$[?(@.Name == 'Ada\\'s')]", 1),
            ("$[?(!(@.Name == 'x'))]", 1),
            ("$[?(@.Name =~ /ada.*/i)]", 1),
            ("$[?(@.Name =~ /ada.*/)]", 0),
            ("$[?(@.Name in ['x', \"Ada's\"])]", 1),
            ("$[?(@.Name nin ['x'])]", 1),
            ("$[?(@.Nothing == null)]", 1),
            ("$[?(@.Nothing)]", 1),
            ("$[?(@.Other)]", 0),
            ("$.Address[?(@.City == 'Rome')]", 1),
            ("$.Tags[?(@ == 'b')]", 1),
            ("$[?(@.Address.City == $.Address.City)]", 1),
            ("$[?(@.Name == 5)]", 0),
            ("$[?(@.Name != 5)]", 1),
        ];
        for (path, expected) in cases {
            let parsed = JsonPath::parse(path, 100).unwrap();
            assert_eq!(parsed.select(&value).unwrap().len(), expected, "{path}");
        }
        for (path, missing) in [
            ("$.Nothing", true),
            ("$.Other", true),
            ("$.Name", false),
            ("$.Address.X[?(@.a)]", true),
            ("$[?(@.X)]", false),
        ] {
            assert_eq!(JsonPath::parse(path, 100).unwrap().is_missing(&value), missing, "{path}");
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let cases = [
            ("$.Tags.length()", "a function"),
            ("$.Tags[(@.length-1)]", "a script"),
            ("$.Tags[0:3:2]", "a slice with a step"),
            ("$[?(@.a subsetof ['x'])]", "the operator subsetof"),
            ("$[?(@.a =~ /(?=x)/)]", "lookahead"),
            ("$[?(@.a == )]", "a value is missing near position 12"),
            ("$[?(@.a == 1]", "closing parenthesis"),
            ("$.a b", "something unexpected"),
            ("", "a name is missing"),
        ];
        for (path, expected) in cases {
            let error = JsonPath::parse(path, 100).unwrap_err().to_string();
            assert!(error.contains(expected), "{path}: {error}");
        }
        let deep = |depth: usize| format!("$[?({}@.a{})]", "(".repeat(depth), ")".repeat(depth));
        assert!(JsonPath::parse(&deep(NESTING_MAX - 3), 100).is_ok());
        assert!(JsonPath::parse(&deep(NESTING_MAX), 100).is_err());
        assert!(JsonPath::parse(&format!("${}", ".a".repeat(STEPS_MAX - 1)), 100).is_ok());
        assert!(JsonPath::parse(&format!("${}", ".a".repeat(STEPS_MAX)), 100).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}|[$@.\\[\\]?()'a-c0-9=!<>&|~/, *:-]{0,40}") {
            if let Ok(path) = JsonPath::parse(&text, 100) {
                let _ = path.select(&value());
            }
        }
    }
}
