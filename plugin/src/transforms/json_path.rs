//! `JsonPath`: what Confluent's transforms call a JSON path (Jayway's dialect), evaluated on a record's data. Reading is in
//! `json_path_parse`, which refuses by name what is not here: functions, slices with steps, scripts.
//!
//! Values are compared in the form in which JSON has them: dates as numbers, Decimals and bytes never equal anything.

use std::cmp::Ordering;

use super::{error::Result, json_path_parse};
use crate::{
    data::Value,
    java::regex::{Regex, RegexError},
};

/// A path that is none, or that uses what is not supported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// Not a path.
    #[error("Invalid JSON path: {problem} near position {position}")]
    Syntax {
        /// What is wrong.
        problem: &'static str,
        /// Where, in characters.
        position: usize,
    },
    /// A part of the language that is not supported.
    #[error("{0} in a JSON path is not supported")]
    Unsupported(String),
    /// A regular expression in it.
    #[error(transparent)]
    Regex(#[from] RegexError),
}

/// A parsed path.
#[derive(Clone, Debug)]
pub struct JsonPath {
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// `.name`, `['name']`, `['a','b']`
    Members(Vec<String>),
    /// `[0]`, `[-1]`, `[0,1]`
    Indexes(Vec<i64>),
    /// `[1:3]`
    Slice(Option<i64>, Option<i64>),
    /// `.*`, `[*]`
    All,
    /// `..`: the step behind it, at every depth.
    Deep,
    /// `[?(...)]`
    Filter(Condition),
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
    Matches(Operand, Box<Regex>),
    /// `in` and `nin`.
    Among(Operand, Vec<Literal>, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// `@...`
    Current(JsonPath),
    /// `$...`
    Root(JsonPath),
    Literal(Literal),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
}

/// A struct's field or a map's entry.
#[must_use]
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Struct(value) => value.get(name),
        Value::Map(entries) => super::shape::entry(entries, name),
        _ => None,
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Struct(value) => value.values.iter().collect(),
        Value::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}

impl JsonPath {
    /// Reads a path. Regular expressions in it may take `regex_timeout_ms`.
    ///
    /// # Errors
    /// `JsonPathError` when it is none, or uses what is not supported.
    pub fn parse(text: &str, regex_timeout_ms: u64) -> std::result::Result<Self, JsonPathError> {
        json_path_parse::parse(text, regex_timeout_ms)
    }

    /// Everything that the path finds, in order; null values among it.
    ///
    /// # Errors
    /// When a text is too long for a regular expression.
    pub fn select<'a>(&self, root: &'a Value) -> Result<Vec<&'a Value>> {
        self.from(root, root)
    }

    /// Whether a part of the path that asks for one place finds nothing, or null, up to the first condition or wildcard:
    /// what Confluent's `Filter` calls missing.
    #[must_use]
    pub fn is_missing(&self, root: &Value) -> bool {
        let mut node = root;
        for step in &self.steps {
            let next = match step {
                Step::Members(names) if names.len() == 1 => member(node, &names[0]),
                Step::Indexes(indexes) if indexes.len() == 1 => indexed(node, indexes[0]),
                _ => break,
            };
            match next {
                Some(next) => node = next,
                None => return true,
            }
        }
        node.is_null()
    }

    fn from<'a>(&self, start: &'a Value, root: &'a Value) -> Result<Vec<&'a Value>> {
        let mut nodes = vec![start];
        for step in &self.steps {
            let mut next = Vec::new();
            for node in nodes {
                step.apply(node, root, &mut next)?;
            }
            nodes = next;
        }
        Ok(nodes)
    }
}

fn indexed(node: &Value, index: i64) -> Option<&Value> {
    let Value::Array(items) = node else { return None };
    let length = i64::try_from(items.len()).ok()?;
    let index = if index < 0 { index + length } else { index };
    items.get(usize::try_from(index).ok()?)
}

impl Step {
    fn apply<'a>(&self, node: &'a Value, root: &'a Value, found: &mut Vec<&'a Value>) -> Result<()> {
        match self {
            Self::Members(names) => found.extend(names.iter().filter_map(|name| member(node, name))),
            Self::Indexes(indexes) => found.extend(indexes.iter().filter_map(|&index| indexed(node, index))),
            Self::Slice(from, to) => {
                let items = if matches!(node, Value::Array(_)) { children(node) } else { Vec::new() };
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let place = |index: i64| usize::try_from(if index < 0 { index + length } else { index }.max(0));
                let from = from.map_or(Ok(0), place).unwrap_or(0);
                let to = to.map_or(Ok(items.len()), place).unwrap_or(0).min(items.len());
                found.extend(items.get(from..to).unwrap_or_default());
            }
            Self::All => found.extend(children(node)),
            Self::Deep => {
                found.push(node);
                for child in children(node) {
                    self.apply(child, root, found)?;
                }
            }
            Self::Filter(condition) => {
                // On an object the condition is asked once, on a list for each item.
                let candidates = match node {
                    Value::Array(_) => children(node),
                    Value::Struct(_) | Value::Map(_) => vec![node],
                    _ => Vec::new(),
                };
                for candidate in candidates {
                    if condition.holds(candidate, root)? {
                        found.push(candidate);
                    }
                }
            }
        }
        Ok(())
    }
}

/// An operand's value in the form of JSON.
enum Found<'a> {
    Nothing,
    Null,
    Boolean(bool),
    Number(f64),
    Text(&'a str),
    Other,
}

impl Condition {
    fn holds(&self, node: &Value, root: &Value) -> Result<bool> {
        Ok(match self {
            Self::Or(parts) => {
                for part in parts {
                    if part.holds(node, root)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::And(parts) => {
                for part in parts {
                    if !part.holds(node, root)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Not(part) => !part.holds(node, root)?,
            Self::Exists(operand) => !matches!(operand.find(node, root)?, Found::Nothing),
            Self::Compare(left, comparison, right) => {
                compare(&left.find(node, root)?, *comparison, &right.find(node, root)?)
            }
            Self::Matches(operand, regex) => match operand.find(node, root)? {
                Found::Text(text) => regex.matches(text)?,
                _ => false,
            },
            Self::Among(operand, literals, wanted) => {
                let found = operand.find(node, root)?;
                let among = literals.iter().any(|literal| compare(&found, Comparison::Equal, &literal.found()));
                among == *wanted
            }
        })
    }
}

fn compare(left: &Found<'_>, comparison: Comparison, right: &Found<'_>) -> bool {
    let order = match (left, right) {
        (Found::Number(left), Found::Number(right)) => left.partial_cmp(right),
        (Found::Text(left), Found::Text(right)) => Some(left.cmp(right)),
        (Found::Boolean(left), Found::Boolean(right)) if left == right => Some(Ordering::Equal),
        (Found::Null, Found::Null) => Some(Ordering::Equal),
        _ => None,
    };
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

impl Operand {
    fn find<'a>(&'a self, node: &'a Value, root: &'a Value) -> Result<Found<'a>> {
        let nodes = match self {
            Self::Literal(literal) => return Ok(literal.found()),
            Self::Current(path) => path.from(node, root)?,
            Self::Root(path) => path.from(root, root)?,
        };
        Ok(match nodes[..] {
            [] => Found::Nothing,
            [value] => match value {
                Value::Null => Found::Null,
                Value::Boolean(yes) => Found::Boolean(*yes),
                Value::String(text) => Found::Text(text),
                Value::Float32(number) => Found::Number(f64::from(*number)),
                Value::Float64(number) => Found::Number(*number),
                value => value.as_i64().map_or(Found::Other, |number| Found::Number(number as f64)),
            },
            _ => Found::Other,
        })
    }
}

impl Literal {
    fn found(&self) -> Found<'_> {
        match self {
            Self::Null => Found::Null,
            Self::Boolean(yes) => Found::Boolean(*yes),
            Self::Number(number) => Found::Number(*number),
            Self::Text(text) => Found::Text(text),
        }
    }
}
