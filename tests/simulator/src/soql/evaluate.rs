//! Whether a condition fits an object, and whether a record matches it. Implements the comparison rules of Salesforce's
//! *SOQL and SOSL Reference*: text without regard to case, null compares equal to null only.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Condition, Literal, Operator, SoqlError};
use crate::date;
use crate::objects::{Field, FieldType, ObjectType, Record};

/// Checks that every field exists and that every literal has its field's type.
pub(crate) fn check_filter(object: &ObjectType, condition: &Condition) -> Result<(), SoqlError> {
    let field = |name: &str| object.field(name).ok_or_else(|| SoqlError::no_such_column(name, object.name));
    match condition {
        Condition::Compare { field: name, literal, .. } => check_literal(field(name)?, literal),
        Condition::In { field: name, literals, .. } => {
            let field = field(name)?;
            literals.iter().try_for_each(|literal| check_literal(field, literal))
        }
        Condition::SemiJoin { field: name } => field(name).map(|_| ()),
        Condition::Not(inner) => check_filter(object, inner),
        Condition::And(all) | Condition::Or(all) => all.iter().try_for_each(|inner| check_filter(object, inner)),
    }
}

fn check_literal(field: &Field, literal: &Literal) -> Result<(), SoqlError> {
    let long_text = field.kind == FieldType::Textarea || field.kind.is_compound();
    if long_text {
        let text = format!("field '{}' can not be filtered in a query call", field.name);
        return Err(SoqlError::new("INVALID_FIELD", text));
    }
    let quoted = matches!(literal, Literal::Text(_));
    let fits = match literal {
        Literal::Null => true,
        Literal::Boolean(_) => field.kind == FieldType::Boolean,
        Literal::Moment(_) => matches!(field.kind, FieldType::Date | FieldType::Datetime | FieldType::Time),
        Literal::Number(_) => {
            field.kind.soap_type() == "xsd:double"
                || field.kind.soap_type() == "xsd:int"
                || field.kind.soap_type() == "xsd:long"
        }
        Literal::Text(_) => field.kind.is_quoted(),
    };
    if fits {
        return Ok(());
    }
    let rule = if quoted { "should not be enclosed in quotes" } else { "should be enclosed in quotes" };
    let (name, kind) = (field.name, field.kind.name());
    let text = format!("value of filter criterion for field '{name}' must be of type {kind} and {rule}");
    Err(SoqlError::new("INVALID_FIELD", text))
}

/// Whether the record matches.
pub(crate) fn matches(object: &ObjectType, record: &Record, condition: &Condition) -> bool {
    match condition {
        Condition::Compare { field, operator, literal } => holds(read(object, record, field), *operator, literal),
        Condition::In { field, negated, literals } => {
            let value = read(object, record, field);
            literals.iter().any(|literal| holds(value, Operator::Equal, literal)) != *negated
        }
        Condition::SemiJoin { .. } => false,
        Condition::Not(inner) => !matches(object, record, inner),
        Condition::And(all) => all.iter().all(|inner| matches(object, record, inner)),
        Condition::Or(all) => all.iter().any(|inner| matches(object, record, inner)),
    }
}

fn read<'a>(object: &ObjectType, record: &'a Record, name: &str) -> &'a Value {
    object.field(name).and_then(|field| record.get(field.name)).unwrap_or(&Value::Null)
}

fn holds(value: &Value, operator: Operator, literal: &Literal) -> bool {
    if operator == Operator::Like {
        let (Value::String(text), Literal::Text(pattern)) = (value, literal) else { return false };
        return like(&text.to_lowercase(), &pattern.to_lowercase());
    }
    let order = order(value, literal);
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Like => false,
    }
}

fn order(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::String(left), Literal::Text(right)) => Some(left.to_lowercase().cmp(&right.to_lowercase())),
        (Value::Number(left), Literal::Number(right)) => left.as_f64()?.partial_cmp(right),
        (Value::Bool(left), Literal::Boolean(right)) => Some(left.cmp(right)),
        (Value::String(left), Literal::Moment(right)) => {
            match (date::parse_datetime(left), date::parse_datetime(right)) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => Some(left.as_str().cmp(right)),
            }
        }
        _ => None,
    }
}

/// `%` stands for any text, `_` for one character.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<_>, Vec<_>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut place, mut back) = (0, 0, None);
    while at < text.len() {
        match pattern.get(place) {
            Some('%') => {
                back = Some((place, at));
                place += 1;
            }
            Some(c) if *c == '_' || *c == text[at] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                place = star + 1;
                at = from + 1;
            }
        }
    }
    pattern[place..].iter().all(|c| *c == '%')
}

/// Orders two values for ORDER BY; nulls come first.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::String(left), Value::String(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects;
    use crate::soql::parse;

    #[test]
    fn conditions() {
        let types = objects::all();
        let lead = types.iter().find(|object| object.name == "Lead").unwrap();
        let record = json!({"LastName": "Byron", "NumberOfEmployees": 12, "IsConverted": false,
            "CreatedDate": "2024-02-29T10:00:00.000Z", "ConvertedDate": "2024-02-29"});
        for (filter, expected) in [
            ("LastName = 'BYRON'", Ok(true)),
            ("LastName != 'Byron'", Ok(false)),
            ("LastName LIKE 'b%n'", Ok(true)),
            ("LastName LIKE '_yr'", Ok(false)),
            ("NumberOfEmployees >= 12", Ok(true)),
            ("NumberOfEmployees > 12", Ok(false)),
            ("NOT IsConverted = true", Ok(true)),
            ("LastName IN ('a', 'byron')", Ok(true)),
            ("LastName NOT IN ('a', 'byron')", Ok(false)),
            ("FirstName = null", Ok(true)),
            ("CreatedDate > 2024-02-29T09:59:59Z", Ok(true)),
            ("ConvertedDate < 2024-03-01", Ok(true)),
            ("LastName = 5", Err("INVALID_FIELD")),
            ("NumberOfEmployees = '5'", Err("INVALID_FIELD")),
            ("Description = 'x'", Err("INVALID_FIELD")),
            ("Nope__c = 'x'", Err("INVALID_FIELD")),
        ] {
            let query = parse(&format!("SELECT Id FROM Lead WHERE {filter}")).unwrap();
            let condition = query.filter.unwrap();
            let found = check_filter(lead, &condition)
                .map(|()| matches(lead, record.as_object().unwrap(), &condition))
                .map_err(|error| error.code);
            assert_eq!(found, expected, "{filter}");
        }
    }
}
