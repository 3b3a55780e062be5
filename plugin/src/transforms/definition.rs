//! What a transform or a predicate is, and what options it takes: the one declaration from which parsing, validation and
//! documentation come.

use super::{
    options::{OptionError, Options},
    predicates::Predicate,
    side::Side,
};
use crate::transforms::chain::Transform;

/// Kafka's `ConfigDef.Type`, as far as transforms need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// Texts with commas between.
    List,
    /// `true` or `false`, in any case.
    Boolean,
    /// 32-bit integer.
    Int,
}

/// Kafka's `ConfigDef.Importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Most people set it.
    High,
    /// Some do.
    Medium,
    /// Few do.
    Low,
}

/// What values are valid, beyond the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Any.
    Any,
    /// One of these, exactly.
    OneOf(&'static [&'static str]),
    /// One of these, in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// At least one character, or one item.
    NonEmpty,
    /// Items that are not empty; of the same ones the first counts.
    Distinct,
    /// The same, at least one.
    DistinctNonEmpty,
    /// A number within these bounds, both included.
    Range(i32, i32),
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionDef {
    /// Its name behind the prefix.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Default, or none.
    pub default: Option<&'static str>,
    /// Whether it must be given.
    pub required: bool,
    /// Importance.
    pub importance: Importance,
    /// Valid values.
    pub check: Check,
    /// Documentation in Markdown, one paragraph.
    pub documentation: &'static str,
}

/// What a class comes as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// The class by itself.
    Plain,
    /// `$Key` and `$Value`.
    KeyValue,
    /// `$Key`, `$Value` and `$Header`.
    KeyValueHeader,
}

/// The form that a configuration names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The class by itself.
    Plain,
    /// `$Key` or `$Value`.
    Side(Side),
    /// `$Header`
    Header,
}

/// Makes a transformation of its options.
pub type BuildTransform = fn(&Options<'_>, Form) -> Result<Box<dyn Transform>, OptionError>;
/// Makes a predicate of its options.
pub type BuildPredicate = fn(&Options<'_>) -> Result<Predicate, OptionError>;

/// How a class is made.
#[derive(Clone, Copy)]
pub enum Build {
    /// A transformation.
    Transform(BuildTransform),
    /// A predicate.
    Predicate(BuildPredicate),
}

/// A transform or a predicate.
#[derive(Clone, Copy)]
pub struct Class {
    /// The class in Java.
    pub name: &'static str,
    /// What it comes as.
    pub forms: Forms,
    /// Its options, in the order in which tables show them.
    pub options: &'static [OptionDef],
    /// What it does, in Markdown, one paragraph.
    pub documentation: &'static str,
    /// How it is made.
    pub build: Build,
}

impl std::fmt::Debug for Class {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Form {
    /// The side of a class that comes as `$Key` and `$Value`.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Self::Side(side) => side,
            Self::Plain | Self::Header => Side::Value,
        }
    }
}

impl Forms {
    /// The endings of the class's name.
    #[must_use]
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[""],
            Self::KeyValue => &["$Key", "$Value"],
            Self::KeyValueHeader => &["$Key", "$Value", "$Header"],
        }
    }
}

impl Check {
    /// Valid values in words; empty when any value is.
    #[must_use]
    pub fn valid_values(self) -> String {
        match self {
            Self::Any | Self::Distinct => String::new(),
            Self::OneOf(values) | Self::OneOfAnyCase(values) => values.join(", "),
            Self::NonEmpty | Self::DistinctNonEmpty => "not empty".into(),
            Self::Range(least, most) => format!("{least} to {most}"),
        }
    }
}

/// Constructors of options.
impl OptionDef {
    /// A text without a default.
    #[must_use]
    pub const fn text(name: &'static str, documentation: &'static str) -> Self {
        Self {
            name,
            kind: Kind::String,
            default: None,
            required: false,
            importance: Importance::Medium,
            check: Check::Any,
            documentation,
        }
    }

    /// A list, empty by default.
    #[must_use]
    pub const fn list(name: &'static str, documentation: &'static str) -> Self {
        Self { kind: Kind::List, default: Some(""), ..Self::text(name, documentation) }
    }

    /// True or false.
    #[must_use]
    pub const fn flag(name: &'static str, default: &'static str, documentation: &'static str) -> Self {
        Self { kind: Kind::Boolean, default: Some(default), ..Self::text(name, documentation) }
    }

    /// The same, but it must be given.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, default: None, importance: Importance::High, ..self }
    }

    /// The same with a default.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// The same with fewer valid values.
    #[must_use]
    pub const fn valid(self, check: Check) -> Self {
        Self { check, ..self }
    }
}
