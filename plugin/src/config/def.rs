//! `Key`: the definition of one setting, after Kafka's `ConfigDef.ConfigKey`. Parsing, validation, `describe`, the
//! README's table and redaction all read it.

/// Kafka Connect's `ConfigDef.Type`, as far as this connector needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`, in any case.
    Boolean,
    /// Text.
    String,
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    Long,
    /// Text that is never shown.
    Password,
    /// A class name.
    Class,
    /// Texts separated by commas.
    List,
}

/// Whose configuration knows a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The connector that Confluent hosts.
    Managed,
    /// The connector that people run in a Kafka Connect worker of their own.
    SelfManaged,
    /// This connector alone.
    Ours,
}

/// Kafka Connect's `ConfigDef.Importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Most people set it.
    High,
    /// Some do.
    Medium,
    /// Few do.
    Low,
}

/// Kafka Connect's `ConfigDef.Width`: how long the value is in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A word.
    Short,
    /// A name.
    Medium,
    /// A URL or a key.
    Long,
}

/// What values are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validator {
    /// Any value of the type.
    Any,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
    /// A whole number within these bounds, both included.
    Range(i64, i64),
    /// An origin: `https://host[:port]`.
    Origin,
    /// `latest`, or a version such as `67.0`.
    ApiVersion,
    /// At most this many characters, at least one.
    Length(usize),
    /// An API name: letters, digits and underscores, a letter first.
    ApiName,
    /// A topic name or template.
    TopicTemplate,
}

/// What the connector does with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is used.
    Used,
    /// It is accepted and has no effect, for this reason.
    Ignored(&'static str),
    /// It would change the records and cannot be had: a configuration that sets it to anything but its default is refused,
    /// for this reason.
    Refused(&'static str),
}

/// One setting, or a family of them when the name ends in `*`.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The property's name.
    pub name: &'static str,
    /// Type.
    pub kind: Type,
    /// Default, or `None` where there is none.
    pub default: Option<&'static str>,
    /// The default of the self-managed connector where it differs (`connector.class` tells the dialects apart).
    pub default_self_managed: Option<&'static str>,
    /// Whether it must be given.
    pub required: bool,
    /// Importance.
    pub importance: Importance,
    /// Valid values.
    pub validator: Validator,
    /// Valid values with the managed connector's class, where that connector is stricter.
    pub validator_managed: Option<Validator>,
    /// Group, as forms and tables show it.
    pub group: &'static str,
    /// Width.
    pub width: Width,
    /// Display name.
    pub display_name: &'static str,
    /// Settings that depend on this one.
    pub dependents: &'static [&'static str],
    /// The dialects that know it.
    pub dialects: &'static [Dialect],
    /// The value names a file, whose content (in base64) the runtime hands over in its place: there is no file system here.
    pub is_file: bool,
    /// What the connector does with it.
    pub effect: Effect,
    /// Documentation in Markdown, one paragraph.
    pub documentation: &'static str,
}

impl Key {
    /// Whether this entry covers the name: its own, or one of the family.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.name == name || self.name.strip_suffix('*').is_some_and(|stem| name.starts_with(stem))
    }

    /// Whether it stands for every name with its beginning.
    #[must_use]
    pub fn is_family(&self) -> bool {
        self.name.ends_with('*')
    }

    /// Checks a value that is not blank.
    ///
    /// # Errors
    /// The reason, to follow "Invalid value … for configuration …:".
    pub fn check(&self, value: &str, self_managed: bool) -> Result<(), String> {
        let stricter = self.validator_managed.filter(|_| !self_managed);
        let validator = stricter.unwrap_or(self.validator);
        self.kind.check(value)?;
        match validator {
            // Upper and lower case matter in the names of classes, as in Kafka Connect, and in nothing else.
            Validator::OneOf(classes) if self.kind == Type::Class && !classes.contains(&value) => {
                Err(format!("it must be {}, upper and lower case as here", classes.join(" or ")))
            }
            other => other.check(value),
        }
    }

    /// The documentation with what the other columns of the table add to it.
    #[must_use]
    pub fn full_documentation(&self) -> String {
        let mut text = self.documentation.to_owned();
        if let Some(default) = self.default_self_managed {
            text.push_str(&format!(" With the self-managed class the default is {default}."));
        }
        if let Some(stricter) = self.validator_managed {
            text.push_str(&format!(" With the managed class: {}.", stricter.valid_values()));
        }
        text.push_str(match self.dialects {
            [Dialect::Managed] => " *Of the managed connector alone.*",
            [Dialect::SelfManaged] => " *Of the self-managed connector alone.*",
            [Dialect::Ours] => " *Of this connector alone.*",
            _ => "",
        });
        text
    }
}

impl Validator {
    /// Valid values in words, for tables; empty when any value is.
    #[must_use]
    pub fn valid_values(self) -> String {
        match self {
            Self::Any => String::new(),
            Self::OneOf(values) => values.join(", "),
            Self::Range(min, i64::MAX) => format!("{min} or more"),
            Self::Range(min, max) => format!("{min} to {max}"),
            Self::Origin => "https://host or https://host:port".into(),
            Self::ApiVersion => "latest, or a version such as 67.0".into(),
            Self::Length(max) => format!("1 to {max} characters"),
            Self::ApiName => "an API name: letters, digits, underscores".into(),
            Self::TopicTemplate => "a topic name, with ${_ObjectType}, ${_EventType} or ${Field} where wanted".into(),
        }
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The reason, to follow "Invalid value … for configuration …:".
    pub fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Any => Ok(()),
            Self::OneOf(values) if values.iter().any(|v| v.eq_ignore_ascii_case(value)) => Ok(()),
            Self::OneOf(values) => Err(format!("it must be one of {}", values.join(", "))),
            Self::Range(min, max) => match value.parse::<i64>() {
                Ok(number) if (min..=max).contains(&number) => Ok(()),
                _ if max == i64::MAX => Err(format!("it must be a whole number, {min} or more")),
                Ok(_) => Err(format!("it must lie between {min} and {max}")),
                Err(_) => Err(format!("it must be a whole number between {min} and {max}")),
            },
            Self::Origin => crate::http::origin(value).map(drop),
            Self::ApiVersion => check_version(value),
            Self::Length(max) => match value.chars().count() {
                0 => Err("it must not be empty".into()),
                count if count > max => Err(format!("it has {count} characters; Salesforce allows {max}")),
                _ => Ok(()),
            },
            Self::ApiName => check_api_name(value),
            Self::TopicTemplate => {
                crate::topic_template::TopicTemplate::parse(value, false).map(drop).map_err(|e| e.to_string())
            }
        }
    }
}

fn check_version(value: &str) -> Result<(), String> {
    let digits = |text: &str| !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let version = value.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor));
    if value.eq_ignore_ascii_case("latest") || version {
        Ok(())
    } else {
        Err("it must be latest or a version of the form 67.0".into())
    }
}

fn check_api_name(value: &str) -> Result<(), String> {
    let first = value.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if first && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok(())
    } else {
        Err("it must be the API name of an object, such as Lead or Invoice__c".into())
    }
}

impl Type {
    /// Checks that a value can be read as this type.
    ///
    /// # Errors
    /// The reason, in Kafka Connect's words.
    pub fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Boolean if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") => Ok(()),
            Self::Boolean => Err("Expected value to be either true or false".into()),
            Self::Int if value.parse::<i32>().is_err() => Err("Not a number of type INT".into()),
            Self::Long if value.parse::<i64>().is_err() => Err("Not a number of type LONG".into()),
            Self::String | Self::Int | Self::Long | Self::Password | Self::Class | Self::List => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validators_accept_and_refuse() {
        let cases: &[(Validator, &[&str], &[&str])] = &[
            (Validator::OneOf(&["latest", "all"]), &["latest", "ALL"], &["", "none"]),
            (Validator::Range(5, 10), &["5", "10"], &["4", "11", "x", "", "5.0"]),
            (Validator::Origin, &["https://a.b", "http://127.0.0.1:8/"], &["a.b", "https://a/b", "ftp://a"]),
            (Validator::ApiVersion, &["latest", "Latest", "67.0"], &["", "67", "67.", ".0", "v67.0", "67.0.1"]),
            (Validator::Length(3), &["a", "äöü"], &["", "abcd"]),
            (Validator::ApiName, &["Lead", "Invoice__c"], &["", "1x", "Lead'", "a b"]),
        ];
        for (validator, good, bad) in cases {
            for value in *good {
                assert_eq!(validator.check(value), Ok(()), "{validator:?} {value}");
            }
            for value in *bad {
                assert!(validator.check(value).is_err(), "{validator:?} {value}");
            }
        }
    }
}
