//! `SetMaximumPrecision` of the community's transforms: a smaller precision in the schemas of Decimals, for databases that
//! cannot take the Avro converter's 64 digits.

use std::sync::Arc;

use super::{
    chain::{Context, Transform},
    definition::{Check, Form, Kind, OptionDef},
    error::Result,
    options::{OptionError, Options},
    schema_cache::SchemaCache,
    side::Side,
};
use crate::data::{
    Field, Schema, SchemaKind, SourceRecord, Value,
    logical::{DECIMAL, LogicalType},
};

pub(super) const OPTIONS: &[OptionDef] = &[OptionDef {
    kind: Kind::Int,
    ..OptionDef::text("precision.max", "The largest precision, in digits.").required().valid(Check::Range(1, 64))
}];

/// The parameter in which the Avro converter looks for the precision.
const PRECISION: &str = "connect.decimal.precision";
/// The precision without that parameter.
const PRECISION_DEFAULT: i32 = 64;

#[derive(Clone, Debug)]
struct SetMaximumPrecision {
    side: Side,
    precision_max: i32,
    schemas: SchemaCache<Arc<Schema>>,
}

pub(super) fn build(options: &Options<'_>, form: Form) -> std::result::Result<Box<dyn Transform>, OptionError> {
    Ok(Box::new(SetMaximumPrecision {
        side: form.side(),
        precision_max: options.int("precision.max").unwrap_or(PRECISION_DEFAULT),
        schemas: SchemaCache::default(),
    }))
}

impl Transform for SetMaximumPrecision {
    fn apply(&mut self, mut record: SourceRecord, _context: &mut Context) -> Result<Option<SourceRecord>> {
        let (schema, mut value) = self.side.take(&mut record);
        let schema = match (schema, &mut value) {
            (Some(schema), Value::Struct(value)) => {
                let most = self.precision_max;
                let limited = Arc::clone(self.schemas.get(&schema, || Ok(limited(&schema, most)))?);
                value.schema = Arc::clone(&limited);
                Some(limited)
            }
            (schema, _) => schema,
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

fn limited(schema: &Arc<Schema>, most: i32) -> Arc<Schema> {
    let precision = |schema: &Schema| {
        let given = schema.parameter(PRECISION).and_then(|digits| digits.parse().ok());
        given.unwrap_or(PRECISION_DEFAULT)
    };
    let too_wide = |field: &Field| {
        let is_decimal = field.schema.name.as_deref() == Some(DECIMAL);
        is_decimal && LogicalType::of(&field.schema).is_some() && precision(&field.schema) > most
    };
    if !schema.fields().iter().any(too_wide) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().map(|field| {
        if !too_wide(field) {
            return field.clone();
        }
        let mut narrow = (*field.schema).clone();
        narrow.parameters.retain(|(name, _)| &**name != PRECISION);
        Field::new(Arc::clone(&field.name), narrow.with_parameter(PRECISION, most.to_string()))
    });
    Arc::new(Schema { kind: SchemaKind::Struct(fields.collect()), ..(**schema).clone() })
}
