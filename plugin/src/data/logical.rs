//! Connect's logical types: `Date`, `Time`, `Timestamp` and `Decimal` of `org.apache.kafka.connect.data`, version 1.
//! How their values are held is said in `value`.

use super::schema::{Schema, SchemaKind};

/// Name of the Date schema: days since the epoch, `Int32`.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Name of the Time schema: milliseconds of the day, `Int32`.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Name of the Timestamp schema: milliseconds since the epoch, `Int64`.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
/// Name of the Decimal schema: unscaled value, big-endian two's complement, `Bytes`.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// The parameter of a Decimal schema that holds its scale.
pub const SCALE_PARAMETER: &str = "scale";

/// The version that Connect gives all of them.
const VERSION: i32 = 1;

/// Which logical type a schema is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogicalType {
    /// Days since the epoch.
    Date,
    /// Milliseconds of the day.
    Time,
    /// Milliseconds since the epoch.
    Timestamp,
    /// A decimal number.
    Decimal {
        /// Digits after the decimal point.
        scale: i32,
    },
}

impl LogicalType {
    /// The logical type of a schema, by its name. `None` also for a Decimal whose scale is missing or unreadable.
    #[must_use]
    pub fn of(schema: &Schema) -> Option<Self> {
        match (schema.name.as_deref()?, &schema.kind) {
            (DATE, SchemaKind::Int32) => Some(Self::Date),
            (TIME, SchemaKind::Int32) => Some(Self::Time),
            (TIMESTAMP, SchemaKind::Int64) => Some(Self::Timestamp),
            (DECIMAL, SchemaKind::Bytes) => {
                let scale = schema.parameter(SCALE_PARAMETER)?.parse().ok()?;
                Some(Self::Decimal { scale })
            }
            _ => None,
        }
    }
}

/// A required Date schema.
#[must_use]
pub fn date() -> Schema {
    Schema::int32().named(DATE).versioned(VERSION)
}

/// A required Time schema.
#[must_use]
pub fn time() -> Schema {
    Schema::int32().named(TIME).versioned(VERSION)
}

/// A required Timestamp schema.
#[must_use]
pub fn timestamp() -> Schema {
    Schema::int64().named(TIMESTAMP).versioned(VERSION)
}

/// A required Decimal schema with `scale` digits after the decimal point.
#[must_use]
pub fn decimal(scale: i32) -> Schema {
    Schema::bytes().named(DECIMAL).versioned(VERSION).with_parameter(SCALE_PARAMETER, scale.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logical_types_are_known_by_name_and_kind() {
        let cases = [
            (date(), Some(LogicalType::Date)),
            (time().optional(), Some(LogicalType::Time)),
            (timestamp(), Some(LogicalType::Timestamp)),
            (decimal(-2), Some(LogicalType::Decimal { scale: -2 })),
            (Schema::bytes().named(DECIMAL), None),
            (Schema::string().named(DATE), None),
            (Schema::int32(), None),
        ];
        for (schema, expected) in cases {
            assert_eq!(LogicalType::of(&schema), expected, "{schema:?}");
        }
        assert_eq!(decimal(2).version, Some(1));
    }
}
