//! `WireType`: how the value of one field travels in a PushTopic event and what it becomes. Two describe types of the
//! same schema may travel differently (`string` as text, `currency` as a number), so that the schema alone does not say.

use serde::Deserialize as _;
use serde_json::value::RawValue;

use crate::data::{Schema, Value, calendar, decimal, java_number, logical};

/// The longest text of one field, in bytes of UTF-8. Salesforce's longest are 131,072 characters, which is 512 KiB at
/// most.
pub const TEXT_BYTES_MAX: usize = 1_048_576;

/// How a field travels. Compounds are in `schema`, which knows their members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireType {
    /// A text.
    Text,
    /// Whatever: a text as it is, anything else as the JSON text that was sent.
    AnyText,
    /// A number that becomes a text, as Confluent's connector has it.
    CurrencyText,
    /// True or false.
    Boolean,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A number.
    Float64,
    /// A number, or a text of one, that becomes an exact decimal.
    Decimal {
        /// Digits after the decimal point.
        scale: i32,
    },
    /// A text `YYYY-MM-DD`.
    Date,
    /// A text `hh:mm:ss.SSSZ`.
    Time,
    /// A text `YYYY-MM-DDThh:mm:ss.SSSZ`.
    Timestamp,
}

/// Why a field's value was refused. Says what kind of value it was, never which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    /// JSON of another type.
    #[error("expected {expected}, found {found}")]
    Kind {
        /// What the describe type travels as.
        expected: &'static str,
        /// The JSON type that came.
        found: &'static str,
    },
    /// The right type, but not readable as what it should be.
    #[error("expected {expected}: {reason}")]
    Form {
        /// What the describe type travels as.
        expected: &'static str,
        /// What is the matter.
        reason: String,
    },
    /// A text longer than `TEXT_BYTES_MAX`.
    #[error("a text of {bytes} bytes; at most {TEXT_BYTES_MAX} are supported")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
}

impl WireType {
    /// The schema of values of this type, optional.
    #[must_use]
    pub fn schema(self) -> Schema {
        let required = match self {
            Self::Text | Self::AnyText | Self::CurrencyText => Schema::string(),
            Self::Boolean => Schema::boolean(),
            Self::Int32 => Schema::int32(),
            Self::Int64 => Schema::int64(),
            Self::Float64 => Schema::float64(),
            Self::Decimal { scale } => logical::decimal(scale),
            Self::Date => logical::date(),
            Self::Time => logical::time(),
            Self::Timestamp => logical::timestamp(),
        };
        required.optional()
    }

    fn expectation(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::AnyText => "anything",
            Self::CurrencyText | Self::Float64 => "a number",
            Self::Boolean => "true or false",
            Self::Int32 => "a whole number of 32 bits",
            Self::Int64 => "a whole number of 64 bits",
            Self::Decimal { .. } => "a decimal number",
            Self::Date => "a date",
            Self::Time => "a time of day",
            Self::Timestamp => "a datetime",
        }
    }

    /// The value that `raw` stands for. JSON's null is `Value::Null` for every type.
    ///
    /// # Errors
    /// `FieldProblem` when the JSON is not what this type travels as.
    pub fn read(self, raw: &RawValue) -> Result<Value, FieldProblem> {
        let json = raw.get();
        let kind = JsonKind::of(json);
        let wrong_kind = || FieldProblem::Kind { expected: self.expectation(), found: kind.name() };
        match (self, kind) {
            (_, JsonKind::Null) => Ok(Value::Null),
            (Self::Text | Self::AnyText | Self::CurrencyText, JsonKind::Text) => self.text(json).map(Value::String),
            (Self::AnyText, _) => within_bound(json).map(|json| Value::String(json.to_owned())),
            (Self::CurrencyText, JsonKind::Number) => within_bound(json).map(|json| Value::String(currency(json))),
            (Self::Boolean, JsonKind::Boolean) => Ok(Value::Boolean(json == "true")),
            (Self::Int32, JsonKind::Number) => self.whole(json).and_then(|number| {
                i32::try_from(number).map(Value::Int32).map_err(|_| self.form(&decimal::DecimalError::Range))
            }),
            (Self::Int64, JsonKind::Number) => self.whole(json).map(Value::Int64),
            (Self::Float64, JsonKind::Number) => match json.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::Float64(number)),
                _ => Err(self.form(&"outside the range of a 64-bit floating-point number")),
            },
            (Self::Decimal { scale }, JsonKind::Number) => self.decimal(json, scale),
            (Self::Decimal { scale }, JsonKind::Text) => self.decimal(&self.text(json)?, scale),
            (Self::Date, JsonKind::Text) => {
                calendar::date_days(&self.text(json)?).map(Value::Int32).map_err(|error| self.form(&error))
            }
            (Self::Time, JsonKind::Text) => {
                calendar::time_ms(&self.text(json)?).map(Value::Int32).map_err(|error| self.form(&error))
            }
            (Self::Timestamp, JsonKind::Text) => {
                calendar::datetime_ms(&self.text(json)?).map(Value::Int64).map_err(|error| self.form(&error))
            }
            _ => Err(wrong_kind()),
        }
    }

    fn form(self, reason: &dyn std::fmt::Display) -> FieldProblem {
        FieldProblem::Form { expected: self.expectation(), reason: reason.to_string() }
    }

    fn whole(self, json: &str) -> Result<i64, FieldProblem> {
        decimal::whole(within_bound(json)?).map_err(|error| self.form(&error))
    }

    fn decimal(self, text: &str, scale: i32) -> Result<Value, FieldProblem> {
        decimal::unscaled(within_bound(text)?, scale).map(Value::Bytes).map_err(|error| self.form(&error))
    }

    fn text(self, json: &str) -> Result<String, FieldProblem> {
        // Escapes only make the JSON longer than the text, so this bounds the work, and the next line the text.
        within_bound_of(json, TEXT_BYTES_MAX * ESCAPE_BYTES_MAX + 2)?;
        let mut reader = serde_json::Deserializer::from_str(json);
        let text = String::deserialize(&mut reader).map_err(|_| self.form(&"half a surrogate pair"))?;
        within_bound(&text)?;
        Ok(text)
    }
}

/// The most bytes of JSON that one byte of text may take, `\u0041`.
const ESCAPE_BYTES_MAX: usize = 6;

fn within_bound(text: &str) -> Result<&str, FieldProblem> {
    within_bound_of(text, TEXT_BYTES_MAX)
}

fn within_bound_of(text: &str, bytes_max: usize) -> Result<&str, FieldProblem> {
    if text.len() > bytes_max { Err(FieldProblem::TooLong { bytes: text.len() }) } else { Ok(text) }
}

/// A currency number as text: whole numbers as they stand, others as Java's `Double.toString` has them, which is what
/// Confluent's connector writes. Where a double would not keep the value, the digits stay as they were sent.
fn currency(json: &str) -> String {
    if !json.contains(['.', 'e', 'E']) {
        return json.to_owned();
    }
    if let Ok(number) = json.parse::<f64>()
        && number.is_finite()
    {
        let mut text = String::new();
        java_number::push_double(&mut text, number);
        if decimal::same_value(&text, json) {
            return text;
        }
    }
    json.to_owned()
}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonKind {
    Null,
    Boolean,
    Number,
    Text,
    Array,
    Object,
}

impl JsonKind {
    /// The type of a JSON text that is known to be well-formed and without space around it.
    pub(super) fn of(json: &str) -> Self {
        match json.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::Text,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            _ => Self::Number,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(wire: WireType, json: &str) -> Result<Value, String> {
        wire.read(&RawValue::from_string(json.to_owned()).unwrap()).map_err(|problem| problem.to_string())
    }

    fn check(wire: WireType, cases: &[(&str, Result<Value, &str>)]) {
        for (json, expected) in cases {
            let found = read(wire, json);
            assert_eq!(found, expected.clone().map_err(str::to_owned), "{wire:?} {json}");
            if let Ok(value) = found {
                wire.schema().check(&value).unwrap();
            }
        }
        assert_eq!(read(wire, "null"), Ok(Value::Null));
    }

    #[test]
    fn texts() {
        check(
            WireType::Text,
            &[
                (r#""a;b""#, Ok("a;b".into())),
                (r#""\u00e9\ud83d\ude00\n\/""#, Ok("é😀\n/".into())),
                (r#""\ud83d""#, Err("expected a text: half a surrogate pair")),
                ("5", Err("expected a text, found a number")),
                ("true", Err("expected a text, found a boolean")),
                ("{}", Err("expected a text, found an object")),
            ],
        );
        check(
            WireType::AnyText,
            &[
                (r#""x""#, Ok("x".into())),
                ("1.50", Ok("1.50".into())),
                ("true", Ok("true".into())),
                (r#"{"a": [1]}"#, Ok(r#"{"a": [1]}"#.into())),
            ],
        );
        check(
            WireType::Boolean,
            &[
                ("true", Ok(Value::Boolean(true))),
                ("false", Ok(Value::Boolean(false))),
                (r#""true""#, Err("expected true or false, found a text")),
            ],
        );
    }

    #[test]
    fn texts_are_bounded() {
        let at = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
        assert!(read(WireType::Text, &at(TEXT_BYTES_MAX)).is_ok());
        assert_eq!(
            read(WireType::Text, &at(TEXT_BYTES_MAX + 1)),
            Err("a text of 1048577 bytes; at most 1048576 are supported".to_owned())
        );
        let escaped = |bytes: usize| format!("\"{}\"", "\\u0041".repeat(bytes));
        assert!(read(WireType::Text, &escaped(TEXT_BYTES_MAX)).is_ok());
        assert!(read(WireType::Text, &escaped(TEXT_BYTES_MAX + 1)).is_err());
        let digits = |count: usize| "1".repeat(count);
        assert!(read(WireType::CurrencyText, &digits(TEXT_BYTES_MAX)).is_ok());
        assert!(read(WireType::CurrencyText, &digits(TEXT_BYTES_MAX + 1)).is_err());
        let array = |bytes: usize| format!("[{}]", " ".repeat(bytes - 2));
        assert!(read(WireType::AnyText, &array(TEXT_BYTES_MAX)).is_ok());
        assert!(read(WireType::AnyText, &array(TEXT_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn numbers() {
        check(
            WireType::Int32,
            &[
                ("2147483647", Ok(Value::Int32(i32::MAX))),
                ("-5.0", Ok(Value::Int32(-5))),
                ("2147483648", Err("expected a whole number of 32 bits: outside the range of the integer type")),
                ("5.5", Err("expected a whole number of 32 bits: not a whole number")),
                (r#""5""#, Err("expected a whole number of 32 bits, found a text")),
            ],
        );
        check(
            WireType::Int64,
            &[
                ("9007199254740993", Ok(Value::Int64(9_007_199_254_740_993))),
                ("1E3", Ok(Value::Int64(1000))),
                (
                    "9223372036854775808",
                    Err("expected a whole number of 64 bits: outside the range of the integer type"),
                ),
            ],
        );
        check(
            WireType::Float64,
            &[
                ("37.7749", Ok(Value::Float64(37.7749))),
                ("5", Ok(Value::Float64(5.0))),
                ("1e400", Err("expected a number: outside the range of a 64-bit floating-point number")),
                (r#""5""#, Err("expected a number, found a text")),
            ],
        );
        check(
            WireType::Decimal { scale: 2 },
            &[
                ("123.45", Ok(Value::Bytes(vec![0x30, 0x39]))),
                (r#""123.450""#, Ok(Value::Bytes(vec![0x30, 0x39]))),
                ("123.456", Err("expected a decimal number: more than 2 digits after the decimal point")),
                ("[]", Err("expected a decimal number, found an array")),
            ],
        );
        // The texts are those of Java's Double.toString (facts: JsonConverter) where a double keeps the value.
        check(
            WireType::CurrencyText,
            &[
                ("120000000", Ok("120000000".into())),
                ("99999999999999999999", Ok("99999999999999999999".into())),
                ("100.0", Ok("100.0".into())),
                ("100.00", Ok("100.0".into())),
                ("123456789.123", Ok("1.23456789123E8".into())),
                ("1.0E21", Ok("1.0E21".into())),
                ("1e3", Ok("1000.0".into())),
                ("1234567890123456.78", Ok("1234567890123456.78".into())),
                ("1e999", Ok("1e999".into())),
                (r#""12.5""#, Ok("12.5".into())),
                ("false", Err("expected a number, found a boolean")),
            ],
        );
    }

    #[test]
    fn dates_and_times() {
        check(
            WireType::Date,
            &[
                (r#""2022-01-08""#, Ok(Value::Int32(19_000))),
                (r#""2022-13-08""#, Err("expected a date: no such date or time")),
                ("19000", Err("expected a date, found a number")),
            ],
        );
        check(
            WireType::Time,
            &[
                (r#""01:00:00.001Z""#, Ok(Value::Int32(3_600_001))),
                (r#""1 o'clock""#, Err("expected a time of day: not of the form hh:mm:ss.SSSZ")),
            ],
        );
        check(
            WireType::Timestamp,
            &[
                (r#""2023-11-14T22:13:20.123Z""#, Ok(Value::Int64(1_700_000_000_123))),
                (r#""2023-11-14T22:13:20.123+0000""#, Ok(Value::Int64(1_700_000_000_123))),
                (r#""2023-11-14""#, Err("expected a datetime: not of the form YYYY-MM-DDThh:mm:ss.SSSZ")),
            ],
        );
    }
}
