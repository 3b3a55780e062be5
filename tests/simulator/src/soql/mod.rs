//! The part of SOQL that a streaming client needs: reading a query, refusing a malformed one as the platform does, and
//! deciding whether a record matches.
//!
//! Implements the query rules of sections 2.2 and 2.3 of the Salesforce facts page. Not there: aggregates, sub-queries,
//! relationship paths and date literals; a query that uses them is refused, never misread.

mod evaluate;
mod lexer;
mod parser;

pub(crate) use evaluate::{check_filter, compare, matches};
pub(crate) use parser::parse;

/// A query, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) select: Vec<Selected>,
    pub(crate) object: String,
    pub(crate) filter: Option<Condition>,
    pub(crate) group_by: bool,
    pub(crate) order_by: Vec<OrderBy>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

/// One entry of the SELECT list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selected {
    Field(String),
    Aggregate,
    TypeOf,
    SubSelect,
}

/// One entry of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrderBy {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

/// A condition of WHERE.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Compare { field: String, operator: Operator, literal: Literal },
    In { field: String, negated: bool, literals: Vec<Literal> },
    SemiJoin { field: String },
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// A value in a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(f64),
    Boolean(bool),
    Null,
    /// A date or datetime, unquoted, as it stands.
    Moment(String),
}

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct SoqlError {
    /// Salesforce's error code.
    pub(crate) code: &'static str,
    /// The text for people.
    pub(crate) message: String,
}

impl SoqlError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn no_such_column(field: &str, object: &str) -> Self {
        Self::new("INVALID_FIELD", format!("No such column '{field}' on sobject of type {object}"))
    }
}

impl Condition {
    /// Calls `visit` with the name of every field in it.
    pub(crate) fn fields<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::Compare { field, .. } | Self::In { field, .. } | Self::SemiJoin { field } => visit(field),
            Self::Not(inner) => inner.fields(visit),
            Self::And(all) | Self::Or(all) => all.iter().for_each(|condition| condition.fields(visit)),
        }
    }

    /// Whether any part of it is so.
    pub(crate) fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        is(self)
            || match self {
                Self::Not(inner) => inner.any(is),
                Self::And(all) | Self::Or(all) => all.iter().any(|condition| condition.any(is)),
                _ => false,
            }
    }
}
