//! Connect's reading of a literal (`Values.parseString`), which makes header values of `InsertHeader`: `true`, `42` (the
//! smallest integer that holds it), `1.5`, ISO dates and times, lists and maps; everything else is a text.

use std::sync::Arc;

use super::{
    date_format::{DAY_MS, DateFormat},
    number,
};
use crate::data::{Schema, SchemaKind, Value, decimal, logical};

/// How deep lists and maps may be nested in a literal; deeper ones are texts.
pub const DEPTH_MAX: usize = 32;

/// A typed value. Lists and maps of nothing but nulls, or of values without a common type, have no schema here: Connect
/// gives them one without a type for what is inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// The schema.
    pub schema: Option<Arc<Schema>>,
    /// The value.
    pub value: Value,
}

/// Reads a literal. Never fails: what is nothing else is a text.
#[must_use]
pub fn parse(text: &str) -> Literal {
    if text.is_empty() {
        return string(text);
    }
    let mut parser = Parser { text, at: 0, next: None, depth: 0 };
    // Outside of lists and maps every failure has a text to fall back to.
    parser.value(false).unwrap_or_else(|Unreadable| string(text))
}

/// A literal that is none: it becomes a text, or spoils the list or map around it.
struct Unreadable;

struct Parser<'a> {
    text: &'a str,
    /// Behind the token that was taken last.
    at: usize,
    /// A token that was looked at, and not taken.
    next: Option<&'a str>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn mark(&self) -> usize {
        self.at - self.next.map_or(0, str::len)
    }

    fn rewind(&mut self, mark: usize) {
        self.at = mark;
        self.next = None;
    }

    fn has_next(&self) -> bool {
        self.next.is_some() || self.at < self.text.len()
    }

    /// A delimiter, or everything up to the next one. A backslash takes a delimiter's meaning away.
    fn read(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let mut escaped = false;
        let mut end = rest.len();
        for (position, character) in rest.char_indices() {
            match character {
                '\\' => escaped = !escaped,
                ':' | ',' | '{' | '}' | '[' | ']' | '"' if !escaped => {
                    end = position.max(1);
                    break;
                }
                _ => escaped = false,
            }
        }
        self.at += end;
        &rest[..end]
    }

    fn take(&mut self) -> &'a str {
        self.next.take().unwrap_or_else(|| self.read())
    }

    /// Takes the next token if it is this one; blank tokens before it are passed over either way.
    fn takes(&mut self, expected: &str) -> bool {
        if !self.has_next() {
            return false;
        }
        let mut token = self.take();
        while is_blank(token) && self.at < self.text.len() {
            token = self.read();
        }
        let found = trim(token) == expected;
        self.next = if found { None } else { Some(token) };
        found
    }

    /// A word that is a value only when nothing else stands beside it.
    fn takes_word(&mut self, word: &str, inside: bool) -> bool {
        let mark = self.mark();
        if self.takes(word) && (inside || !self.has_next()) {
            return true;
        }
        self.rewind(mark);
        false
    }

    fn value(&mut self, inside: bool) -> Result<Literal, Unreadable> {
        if !self.has_next() {
            return Ok(null());
        }
        if inside && self.takes("\"") {
            return Ok(self.quoted());
        }
        if self.takes_word("null", inside) {
            return Ok(null());
        }
        for (word, yes) in [("true", true), ("false", false)] {
            if self.takes_word(word, inside) {
                return Ok(typed(Schema::boolean(), Value::Boolean(yes)));
            }
        }
        let mark = self.mark();
        let compound = if self.takes("[") {
            Some(self.nested(Self::list))
        } else if self.takes("{") {
            Some(self.nested(Self::map))
        } else {
            None
        };
        match compound {
            Some(Ok(literal)) => return Ok(literal),
            // Blanks before the bracket are a token of their own now: Connect takes them for the value.
            Some(Err(Unreadable)) => self.rewind(mark),
            None => {}
        }
        let token = self.take();
        if is_blank(token) { Ok(string(token)) } else { self.plain(trim(token), inside) }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Literal, Unreadable>) -> Result<Literal, Unreadable> {
        if self.depth == DEPTH_MAX {
            return Err(Unreadable);
        }
        self.depth += 1;
        let literal = read(self);
        self.depth -= 1;
        literal
    }

    fn plain(&mut self, token: &str, inside: bool) -> Result<Literal, Unreadable> {
        let digit = token.starts_with(|c: char| c.is_ascii_digit());
        if digit && let Some(instant) = self.instant_of_tokens(token) {
            return Ok(instant);
        }
        if (digit || token.starts_with(['+', '-']))
            && let Some(number) = number_of(token)
        {
            return Ok(number);
        }
        if inside { Err(Unreadable) } else { Ok(string(self.text)) }
    }

    /// The colons of a time split it into five tokens.
    fn instant_of_tokens(&mut self, token: &str) -> Option<Literal> {
        let mark = self.mark();
        let complete = (0..4).all(|_| {
            let more = self.has_next();
            if more {
                self.take();
            }
            more
        });
        if complete {
            let instant = instant(&format!("{token}{}", &self.text[mark..self.at]));
            if instant.is_some() {
                return instant;
            }
        }
        self.rewind(mark);
        instant(token)
    }

    fn quoted(&mut self) -> Literal {
        let mut content = String::new();
        while self.has_next() && !self.takes("\"") {
            content.push_str(self.take());
        }
        instant(&content).unwrap_or_else(|| string(&content))
    }

    fn list(&mut self) -> Result<Literal, Unreadable> {
        let (mut items, mut common) = (Vec::new(), Common::default());
        while self.has_next() {
            if self.takes("]") {
                let Some(schema) = common.schema() else {
                    let values = items.into_iter().map(|item: Literal| item.value).collect();
                    return Ok(Literal { schema: None, value: Value::Array(values) });
                };
                let values = items.into_iter().map(|item| aligned(&schema, item)).collect::<Result<_, _>>()?;
                return Ok(typed(Schema::array(schema), Value::Array(values)));
            }
            if self.takes(",") {
                return Err(Unreadable);
            }
            let item = self.value(true)?;
            common.merge(&item);
            items.push(item);
            let mark = self.mark();
            if self.takes("]") {
                self.rewind(mark);
            } else if !self.takes(",") {
                return Err(Unreadable);
            }
        }
        Err(Unreadable)
    }

    fn map(&mut self) -> Result<Literal, Unreadable> {
        let mut entries: Vec<(Literal, Literal)> = Vec::new();
        let (mut keys, mut values) = (Common::default(), Common::default());
        while self.has_next() {
            if self.takes("}") {
                return map_of(entries, &keys, &values);
            }
            if self.takes(",") {
                return Err(Unreadable);
            }
            let key = self.value(true)?;
            if key.value.is_null() || !self.takes(":") {
                return Err(Unreadable);
            }
            let value = self.value(true)?;
            self.takes(",");
            keys.merge(&key);
            values.merge(&value);
            match entries.iter_mut().find(|(other, _)| other.value == key.value) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
        }
        Err(Unreadable)
    }
}

fn map_of(entries: Vec<(Literal, Literal)>, keys: &Common, values: &Common) -> Result<Literal, Unreadable> {
    let (key_schema, value_schema) = (keys.schema(), values.schema());
    let mut aligned_entries = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let key = match &key_schema {
            Some(schema) => aligned(schema, key)?,
            None => key.value,
        };
        let value = match (&key_schema, &value_schema) {
            (Some(_), Some(schema)) => aligned(schema, value)?,
            _ => value.value,
        };
        aligned_entries.push((key, value));
    }
    let value = Value::Map(aligned_entries);
    Ok(match (key_schema, value_schema) {
        (Some(keys), Some(values)) => typed(Schema::map(keys, values), value),
        _ => Literal { schema: None, value },
    })
}

/// The schema that all values so far have in common.
#[derive(Default)]
struct Common {
    schema: Option<Arc<Schema>>,
    mixed: bool,
}

impl Common {
    fn merge(&mut self, literal: &Literal) {
        let Some(new) = literal.schema.as_ref().filter(|_| !self.mixed) else { return };
        self.schema = match self.schema.take() {
            None => Some(Arc::clone(new)),
            Some(old) => merged(&old, new),
        };
        self.mixed = self.schema.is_none();
    }

    fn schema(&self) -> Option<Arc<Schema>> {
        self.schema.clone()
    }
}

/// Of two kinds of numbers the wider; of others, the same.
fn merged(old: &Arc<Schema>, new: &Arc<Schema>) -> Option<Arc<Schema>> {
    let rank = |schema: &Schema| match schema.kind {
        SchemaKind::Int8 => Some(0),
        SchemaKind::Int16 => Some(1),
        SchemaKind::Int32 => Some(2),
        SchemaKind::Int64 => Some(3),
        SchemaKind::Float32 => Some(4),
        SchemaKind::Float64 => Some(5),
        _ => None,
    };
    if old.kind.name() == new.kind.name() {
        return Some(Arc::clone(new));
    }
    match (rank(old)?, rank(new)?) {
        (old_rank, new_rank) if old_rank > new_rank => Some(Arc::clone(old)),
        _ => Some(Arc::clone(new)),
    }
}

/// A list's item or a map's part in the kind of all of them. Null spoils it: the common schema is never optional.
fn aligned(schema: &Schema, item: Literal) -> Result<Value, Unreadable> {
    let whole = item.value.as_i64();
    let float = match item.value {
        Value::Float32(number) => Some(f64::from(number)),
        Value::Float64(number) => Some(number),
        _ => whole.map(|number| number as f64),
    };
    match (&schema.kind, whole, float) {
        _ if item.value.is_null() => Err(Unreadable),
        (SchemaKind::Int8, Some(number), _) => Ok(Value::Int8(number as i8)),
        (SchemaKind::Int16, Some(number), _) => Ok(Value::Int16(number as i16)),
        (SchemaKind::Int32, Some(number), _) => Ok(Value::Int32(number as i32)),
        (SchemaKind::Int64, Some(number), _) => Ok(Value::Int64(number)),
        (SchemaKind::Float32, _, Some(number)) => Ok(Value::Float32(number as f32)),
        (SchemaKind::Float64, _, Some(number)) => Ok(Value::Float64(number)),
        _ => Ok(item.value),
    }
}

fn null() -> Literal {
    Literal { schema: None, value: Value::Null }
}

fn typed(schema: Schema, value: Value) -> Literal {
    Literal { schema: Some(Arc::new(schema)), value }
}

fn string(text: &str) -> Literal {
    typed(Schema::string(), text.into())
}

fn is_blank(token: &str) -> bool {
    trim(token).is_empty()
}

fn trim(token: &str) -> &str {
    token.trim_matches(|c: char| c <= ' ')
}

/// A date, a time of day or both, by length.
fn instant(token: &str) -> Option<Literal> {
    let token = token.replace("\\:", ":");
    let read = |pattern: &str| DateFormat::compile(pattern).ok()?.parse(&token, 0);
    match token.encode_utf16().count() {
        10 => {
            let days = read("yyyy-MM-dd")? / DAY_MS;
            Some(typed(logical::date(), Value::Int32(i32::try_from(days).ok()?)))
        }
        13 => {
            let ms = read("HH:mm:ss.SSS'Z'")?;
            Some(typed(logical::time(), Value::Int32(i32::try_from(ms).ok()?)))
        }
        24 => Some(typed(logical::timestamp(), Value::Int64(read("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")?))),
        _ => None,
    }
}

/// The smallest integer that holds it, else a float that can, else a double, else a Decimal.
fn number_of(token: &str) -> Option<Literal> {
    let (digits, scale) = number::parse_decimal(token)?;
    let text = number::decimal_to_scientific(&digits, scale);
    if let Ok(whole) = decimal::whole(&text) {
        return Some(if let Ok(number) = i8::try_from(whole) {
            typed(Schema::int8(), Value::Int8(number))
        } else if let Ok(number) = i16::try_from(whole) {
            typed(Schema::int16(), Value::Int16(number))
        } else if let Ok(number) = i32::try_from(whole) {
            typed(Schema::int32(), Value::Int32(number))
        } else {
            typed(Schema::int64(), Value::Int64(whole))
        });
    }
    let (float, double) = (text.parse::<f32>().ok()?, text.parse::<f64>().ok()?);
    if scale != 0 && float.is_finite() {
        return Some(typed(Schema::float32(), Value::Float32(float)));
    }
    if scale != 0 && double.is_finite() {
        return Some(typed(Schema::float64(), Value::Float64(double)));
    }
    let unscaled = decimal::unscaled(&digits, 0).ok()?;
    Some(typed(logical::decimal(i32::try_from(scale).ok()?), Value::Bytes(unscaled)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::java::text::to_text;

    /// Many more, made by a JVM in the test run: tests/transforms.
    #[test]
    fn literals_have_connects_types() {
        let cases = [
            ("42", "int8", "42"),
            ("300", "int16", "300"),
            ("1.50", "float32", "1.5"),
            ("1e40", "float64", "1.0E40"),
            ("true", "boolean", "true"),
            ("abc", "string", "abc"),
            ("\"quoted\"", "string", "\"quoted\""),
            ("[1, 300]", "array", "[1,300]"),
            ("{\"a\": 1}", "map", "{\"a\":1}"),
            ("{a:1}", "string", "{a:1}"),
            ("2019-01-02", "int32", "2019-01-02"),
            ("2019-01-02T03:04:05.678Z", "int64", "2019-01-02T03:04:05.678Z"),
        ];
        for (text, kind, written) in cases {
            let literal = parse(text);
            let schema = literal.schema.as_deref();
            assert_eq!(schema.map(|schema| schema.kind.name()), Some(kind), "{text}");
            assert_eq!(to_text(schema, &literal.value).as_deref(), Some(written), "{text}");
        }
        assert_eq!(parse("null"), null());
        for (depth, kind) in [(DEPTH_MAX, "array"), (DEPTH_MAX + 1, "string")] {
            let nested = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(parse(&nested).schema.map(|schema| schema.kind.name()), Some(kind), "{depth}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}|[\\[\\]{}:,\"\\\\0-9a .-]{0,30}") {
            let _ = parse(&text);
        }
    }
}
