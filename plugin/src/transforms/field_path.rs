//! `FieldPath`: the name of a field, or a path to a nested one (KIP-821): names with dots between, a name that has dots
//! itself in backticks, a backtick in it behind a backslash.

use std::sync::Arc;

use super::{
    definition::{Check, Importance, OptionDef},
    error::{Result, TransformError, not_a_map, not_a_struct},
    shape::entry,
};
use crate::data::{Schema, SchemaKind, Struct, Value};

/// The option that chooses between names and paths.
pub(super) const SYNTAX: OptionDef = OptionDef {
    importance: Importance::High,
    ..OptionDef::text(
        "field.syntax.version",
        "`V1`: a field's name. `V2`: a path to a nested field, names with dots between; a name with dots in it stands in backticks.",
    )
    .default("V1")
    .valid(Check::OneOfAnyCase(&["V1", "V2"]))
};

const PURPOSE: &str = "nested field access";

/// A path; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldPath {
    steps: Vec<String>,
}

impl FieldPath {
    /// Reads a path in one of the two syntaxes.
    pub(super) fn parse(text: &str, version: &str) -> std::result::Result<Self, String> {
        if !version.eq_ignore_ascii_case("V2") {
            return Ok(Self { steps: vec![text.into()] });
        }
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let step;
            (step, rest) = match rest.strip_prefix('`') {
                None => rest.split_once('.').map_or((rest.to_owned(), ""), |(step, rest)| (step.to_owned(), rest)),
                Some(quoted) => quoted_step(quoted).ok_or_else(|| {
                    let at = text.len() - rest.len();
                    format!("Incomplete backtick pair in path: [{text}], consider adding a backslash before backtick at position {at} to escape it")
                })?,
            };
            steps.push(step);
        }
        if text.ends_with('.') {
            steps.push(String::new());
        }
        if steps.is_empty() { Err("the path to the field is empty".into()) } else { Ok(Self { steps }) }
    }

    fn split(&self) -> (&[String], &str) {
        self.steps.split_last().map_or((&[], ""), |(last, steps)| (steps, last.as_str()))
    }

    /// The schema of the field; none when there is no such field.
    pub(super) fn schema<'a>(&self, schema: &'a Schema) -> Result<Option<&'a Arc<Schema>>> {
        let (mut current, mut found) = (schema, None);
        for step in &self.steps {
            if !matches!(current.kind, SchemaKind::Struct(_)) {
                return Err(TransformError::new("Cannot look up fields on non-struct type"));
            }
            let Some(field) = current.field(step) else { return Ok(None) };
            current = &field.schema;
            found = Some(&field.schema);
        }
        Ok(found)
    }

    /// The field's value in a struct; null when it or a struct on the way is null or not there.
    pub(super) fn in_struct(&self, value: &Struct, with_default: bool) -> Result<Value> {
        let read = |value: &Struct, step: &str, with_default: bool| {
            let Some(index) = value.schema.field_index(step) else { return Value::Null };
            let found = value.values.get(index).cloned().unwrap_or(Value::Null);
            super::shape::or_default(found, &value.schema.fields()[index].schema, with_default)
        };
        let (steps, last) = self.split();
        let mut current = None;
        for step in steps {
            match read(current.as_ref().unwrap_or(value), step, true) {
                Value::Null => return Ok(Value::Null),
                Value::Struct(next) => current = Some(next),
                other => return Err(not_a_struct(PURPOSE, &other)),
            }
        }
        Ok(read(current.as_ref().unwrap_or(value), last, with_default))
    }

    /// The field's value in a schemaless map; null when it or a map on the way is null or not there.
    pub(super) fn in_map(&self, entries: &[(Value, Value)]) -> Result<Value> {
        let (steps, last) = self.split();
        let mut current = entries;
        for step in steps {
            match entry(current, step) {
                None | Some(Value::Null) => return Ok(Value::Null),
                Some(Value::Map(next)) => current = next,
                Some(other) => return Err(not_a_map(PURPOSE, other)),
            }
        }
        Ok(entry(current, last).cloned().unwrap_or(Value::Null))
    }
}

/// A step up to its closing backtick, which a dot or the end follows, and what is behind it.
fn quoted_step(text: &str) -> Option<(String, &str)> {
    let mut step = String::new();
    let mut start = 0;
    for (at, _) in text.match_indices('`') {
        let behind = &text[at + 1..];
        let escaped = text[..at].ends_with('\\');
        if behind.is_empty() {
            if escaped {
                return None;
            }
            step.push_str(text.get(start..at)?);
            return Some((step, ""));
        }
        // A backtick in the middle of a name is a part of it.
        let Some(rest) = behind.strip_prefix('.') else { continue };
        if escaped {
            step.push_str(text.get(start..at - 1)?);
            step.push('`');
            start = at + 1;
            continue;
        }
        step.push_str(text.get(start..at)?);
        return Some((step, rest));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of KIP-821, and its edges.
    #[test]
    fn paths_are_taken_apart() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("a", Some(&["a"])),
            ("a.b", Some(&["a", "b"])),
            ("a..b.", Some(&["a", "", "b", ""])),
            ("`a.b`.c", Some(&["a.b", "c"])),
            ("a.`b.c`", Some(&["a", "b.c"])),
            ("`a\\`.b`.c", Some(&["a`.b", "c"])),
            ("`a`b`.c", Some(&["a`b", "c"])),
            ("`a", None),
            ("`a\\`", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let steps = FieldPath::parse(text, "v2").ok().map(|path| path.steps);
            assert_eq!(
                steps.as_deref(),
                expected.map(|e| e.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).as_deref()
            );
        }
        assert_eq!(FieldPath::parse("a.b", "V1").map(|path| path.steps), Ok(vec!["a.b".to_owned()]));
    }
}
