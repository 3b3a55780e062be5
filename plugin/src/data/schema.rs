//! `Schema`: the type of a value, as Kafka Connect describes it (`org.apache.kafka.connect.data.ConnectSchema`).

use std::sync::Arc;

use super::value::Value;

/// The shape of a value, with what hangs on it.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaKind {
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 32-bit IEEE 754 number.
    Float32,
    /// 64-bit IEEE 754 number.
    Float64,
    /// True or false.
    Boolean,
    /// UTF-8 text.
    String,
    /// Octets.
    Bytes,
    /// A sequence of values of one schema.
    Array(Arc<Schema>),
    /// Key schema and value schema.
    Map(Arc<Schema>, Arc<Schema>),
    /// Named fields, in order.
    Struct(Vec<Field>),
}

/// A field of a struct schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The field's name, unique in its struct.
    pub name: Arc<str>,
    /// What the field holds.
    pub schema: Arc<Schema>,
}

/// A schema: kind, optionality and metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The shape.
    pub kind: SchemaKind,
    /// Whether null is allowed.
    pub optional: bool,
    /// Full name, `namespace.Name`; for logical types the owner's class name.
    pub name: Option<Arc<str>>,
    /// Version of a named schema.
    pub version: Option<i32>,
    /// Documentation. An empty text is not the same as none: it is written out.
    pub doc: Option<Arc<str>>,
    /// Parameters in insertion order, `scale` of a Decimal for one.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
    /// Default value.
    pub default: Option<Value>,
}

impl SchemaKind {
    /// The kind's name as Connect spells it (`org.apache.kafka.connect.data.Schema.Type`), in lower case.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Array(_) => "array",
            Self::Map(..) => "map",
            Self::Struct(_) => "struct",
        }
    }
}

impl Field {
    /// A field of that name and schema.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, schema: impl Into<Arc<Schema>>) -> Self {
        Self { name: name.into(), schema: schema.into() }
    }
}

/// Constructors: each gives a required schema without metadata.
impl Schema {
    /// A schema of that kind.
    #[must_use]
    pub fn of(kind: SchemaKind) -> Self {
        Self { kind, optional: false, name: None, version: None, doc: None, parameters: Vec::new(), default: None }
    }

    /// 8-bit signed integer.
    #[must_use]
    pub fn int8() -> Self {
        Self::of(SchemaKind::Int8)
    }

    /// 16-bit signed integer.
    #[must_use]
    pub fn int16() -> Self {
        Self::of(SchemaKind::Int16)
    }

    /// 32-bit signed integer.
    #[must_use]
    pub fn int32() -> Self {
        Self::of(SchemaKind::Int32)
    }

    /// 64-bit signed integer.
    #[must_use]
    pub fn int64() -> Self {
        Self::of(SchemaKind::Int64)
    }

    /// 32-bit IEEE 754 number.
    #[must_use]
    pub fn float32() -> Self {
        Self::of(SchemaKind::Float32)
    }

    /// 64-bit IEEE 754 number.
    #[must_use]
    pub fn float64() -> Self {
        Self::of(SchemaKind::Float64)
    }

    /// True or false.
    #[must_use]
    pub fn boolean() -> Self {
        Self::of(SchemaKind::Boolean)
    }

    /// UTF-8 text.
    #[must_use]
    pub fn string() -> Self {
        Self::of(SchemaKind::String)
    }

    /// Octets.
    #[must_use]
    pub fn bytes() -> Self {
        Self::of(SchemaKind::Bytes)
    }

    /// A sequence.
    #[must_use]
    pub fn array(items: impl Into<Arc<Schema>>) -> Self {
        Self::of(SchemaKind::Array(items.into()))
    }

    /// A map.
    #[must_use]
    pub fn map(keys: impl Into<Arc<Schema>>, values: impl Into<Arc<Schema>>) -> Self {
        Self::of(SchemaKind::Map(keys.into(), values.into()))
    }

    /// A struct of these fields, in this order. The names must be unique.
    #[must_use]
    pub fn structure(fields: Vec<Field>) -> Self {
        Self::of(SchemaKind::Struct(fields))
    }
}

/// Builders: each takes a schema and gives it back changed.
impl Schema {
    /// Allows null.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Sets the full name, `namespace.Name`.
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sets the version.
    #[must_use]
    pub fn versioned(self, version: i32) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Sets the documentation; an empty text counts as documentation.
    #[must_use]
    pub fn documented(self, doc: impl Into<Arc<str>>) -> Self {
        Self { doc: Some(doc.into()), ..self }
    }

    /// Adds a parameter, after those that are there.
    #[must_use]
    pub fn with_parameter(mut self, key: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        self.parameters.push((key.into(), value.into()));
        self
    }

    /// Sets the default value, which must fit the schema.
    #[must_use]
    pub fn with_default(self, value: Value) -> Self {
        Self { default: Some(value), ..self }
    }
}

/// Accessors.
impl Schema {
    /// The fields of a struct schema, in order; empty for every other kind.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            SchemaKind::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// The position of the field of that name, in a struct schema.
    #[must_use]
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| &*field.name == name)
    }

    /// The field of that name, in a struct schema.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields().iter().find(|field| &*field.name == name)
    }

    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| &**name == key).map(|(_, value)| &**value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_set_what_they_name_and_nothing_else() {
        let schema = Schema::structure(vec![
            Field::new("a", Schema::string()),
            Field::new("b", Schema::int32().optional().documented("").with_parameter("k", "v")),
        ])
        .named("x.Y")
        .versioned(3);
        assert_eq!((schema.name.as_deref(), schema.version, schema.optional), (Some("x.Y"), Some(3), false));
        assert_eq!((schema.field_index("b"), schema.field_index("c")), (Some(1), None));
        let b = &schema.field("b").expect("the field is there").schema;
        assert_eq!(
            (b.optional, b.doc.as_deref(), b.parameter("k"), b.parameter("v")),
            (true, Some(""), Some("v"), None)
        );
        assert_eq!(Schema::string().fields().len(), 0);
        assert_eq!(Schema::map(Schema::string(), Schema::int8()).kind.name(), "map");
    }
}
