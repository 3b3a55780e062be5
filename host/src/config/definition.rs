//! `Key`: the definition of one setting of the host, after Kafka's `ConfigDef.ConfigKey`. Checks, `validate --json` and
//! the README's tables read it.

/// The type of a setting, in Kafka Connect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    String,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// `true` or `false`.
    Boolean,
    /// Texts separated by commas.
    List,
    /// The name of a class.
    Class,
    /// A secret.
    Password,
}

/// How much a setting matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Most people set it.
    High,
    /// Some do.
    Medium,
    /// Few do.
    Low,
}

/// How wide a form shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Not said.
    None,
    /// A word.
    Short,
    /// A name.
    Medium,
    /// A list, a class, an address.
    Long,
}

/// What values are valid, beyond what the type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valid {
    /// Any.
    Any,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
    /// A whole number within these bounds, both included.
    Range(i64, i64),
    /// A text of so many characters, none of them a control character.
    Characters(usize, usize),
}

/// What the host does with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The host acts on it; the component does not see it.
    Used,
    /// The component gets to see it, and acts on it (alone, but for `connector.class`, by which the host finds the
    /// component).
    PassedOn,
    /// Understood and without effect here, for the reason given; the component does not see it.
    Ignored(&'static str),
}

/// One setting, or a family of them when the name ends in `*`.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name; `topic.creation.*` stands for every name with that beginning.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The default, or `None` when there is none.
    pub default: Option<&'static str>,
    /// Whether a connector without it cannot be.
    pub required: bool,
    /// How much it matters.
    pub importance: Importance,
    /// What values are valid.
    pub valid: Valid,
    /// The group in which forms show it, and its place there; `""` and -1 where Kafka Connect gives none.
    pub group: &'static str,
    /// See `group`.
    pub order: i32,
    /// How wide a form shows the value.
    pub width: Width,
    /// What a form calls it; empty for its name.
    pub display_name: &'static str,
    /// What happens with it.
    pub treatment: Treatment,
    /// What it does, in one or two sentences of Markdown, units and ranges included.
    pub doc: &'static str,
}

impl Key {
    /// An entry that is in no group and of low importance, with any value valid.
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        default: Option<&'static str>,
        treatment: Treatment,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            default,
            required: false,
            importance: Importance::Low,
            valid: Valid::Any,
            group: "",
            order: -1,
            width: Width::None,
            display_name: "",
            treatment,
            doc,
        }
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    pub(super) const fn medium(mut self) -> Self {
        self.importance = Importance::Medium;
        self
    }

    pub(super) const fn valid(mut self, valid: Valid) -> Self {
        self.valid = valid;
        self
    }

    pub(super) const fn shown(
        mut self,
        group: &'static str,
        order: i32,
        width: Width,
        display_name: &'static str,
    ) -> Self {
        (self.group, self.order, self.width, self.display_name) = (group, order, width, display_name);
        self
    }

    /// Whether it stands for every name with its beginning.
    #[must_use]
    pub fn is_family(&self) -> bool {
        self.name.ends_with('*')
    }

    /// Whether the text can be read as the type.
    #[must_use]
    pub fn parses(&self, value: &str) -> bool {
        self.kind.parses(value)
    }

    /// Checks a value that is given.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the property, and what to do.
    pub fn check(&self, value: &str) -> Result<(), (String, String)> {
        let text = value.trim();
        match self.valid {
            _ if !self.parses(value) => Err((self.kind.misread().to_owned(), self.valid.remedy(self.kind))),
            Valid::Range(min, max) if !text.parse().is_ok_and(|number| (min..=max).contains(&number)) => {
                Err(("is out of range".to_owned(), self.valid.remedy(self.kind)))
            }
            Valid::OneOf(values) if !values.iter().any(|valid| valid.eq_ignore_ascii_case(text)) => {
                let reason = match values {
                    [one, other] => format!("is neither {one} nor {other}"),
                    more => format!("is none of {}", more.join(", ")),
                };
                Err((reason, self.valid.remedy(self.kind)))
            }
            Valid::Characters(min, _) if text.chars().count() < min => {
                Err(("is empty".to_owned(), self.valid.remedy(self.kind)))
            }
            Valid::Characters(_, max) if value.chars().count() > max => {
                Err((format!("is longer than {max} characters"), "Shorten it.".to_owned()))
            }
            Valid::Characters(..) if value.chars().any(char::is_control) => {
                Err(("contains control characters".to_owned(), "Leave them out.".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

impl Kind {
    /// Its name in Kafka Connect's REST API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Long => "LONG",
            Self::Boolean => "BOOLEAN",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }

    /// Whether the text can be read as this type, blanks around it aside.
    #[must_use]
    pub fn parses(self, value: &str) -> bool {
        let text = value.trim();
        match self {
            Self::Int => text.parse::<i32>().is_ok(),
            Self::Long => text.parse::<i64>().is_ok(),
            Self::Boolean => text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
            Self::String | Self::List | Self::Class | Self::Password => true,
        }
    }

    fn misread(self) -> &'static str {
        match self {
            Self::Int => "is not a whole number of 32 bits",
            Self::Boolean => "is neither true nor false",
            _ => "is not a whole number of 64 bits",
        }
    }
}

impl Valid {
    /// Valid values in words, for tables; empty when any value is.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Any => String::new(),
            Self::OneOf(values) => values.join(", "),
            Self::Range(min, max) if max >= i64::from(i32::MAX) => format!("{min} or more"),
            Self::Range(min, max) => format!("{min} to {max}"),
            Self::Characters(min, max) => format!("{min} to {max} characters"),
        }
    }

    fn remedy(self, kind: Kind) -> String {
        match self {
            Self::Range(min, i64::MAX) => format!("Write a whole number, {min} or more."),
            Self::Range(min, max) => format!("Write a whole number from {min} to {max}."),
            Self::OneOf(values) => format!("Write {}.", values.join(" or ")),
            Self::Characters(min, max) => format!("Write {min} to {max} characters."),
            Self::Any if kind == Kind::Boolean => "Write true or false.".to_owned(),
            Self::Any => "Write a whole number.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn key(kind: Kind, valid: Valid) -> Key {
        Key::new("k", kind, None, Treatment::Used, "A key.").valid(valid)
    }

    #[test]
    fn values_on_both_sides_of_every_bound() {
        let four = "äöüß";
        let cases: &[(Key, &[&str], &[(&str, &str)])] = &[
            (key(Kind::Int, Valid::Range(1, 5)), &["1", " 5 "], &[("0", "out of range"), ("6", "1 to 5")]),
            (key(Kind::Int, Valid::Any), &["-1", "2147483647"], &[("2147483648", "32 bits"), ("", "whole number")]),
            (key(Kind::Long, Valid::Range(-1, i64::MAX)), &["-1", "2147483648"], &[("-2", "-1 or more"), ("x", "64")]),
            (key(Kind::Boolean, Valid::Any), &["true", "FALSE", " True"], &[("yes", "true or false"), ("", "neither")]),
            (
                key(Kind::String, Valid::OneOf(&["a", "b"])),
                &["a", "B "],
                &[("c", "is neither a nor b"), ("", "neither")],
            ),
            (key(Kind::String, Valid::OneOf(&["a", "b", "c"])), &["a"], &[("d", "is none of a, b, c")]),
            (
                key(Kind::String, Valid::Characters(1, 4)),
                &["a", four],
                &[(" ", "is empty"), ("abcde", "longer than 4"), ("a\n", "control")],
            ),
            (key(Kind::Password, Valid::Any), &["", "x"], &[]),
        ];
        for (key, good, bad) in cases {
            for value in *good {
                assert_eq!(key.check(value), Ok(()), "{key:?} {value}");
            }
            for (value, words) in *bad {
                let (reason, remedy) = key.check(value).expect_err(value);
                assert!(format!("{reason}. {remedy}").contains(words), "{value}: {reason}. {remedy}");
            }
        }
    }
}
