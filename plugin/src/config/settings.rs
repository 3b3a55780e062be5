//! `Settings`: the given texts with the table's defaults behind them.

use super::{
    def::{Key, Type},
    keys::{self, CLASS_MANAGED},
};
use crate::secret::Secret;

/// The given settings with the table's defaults behind them.
pub(super) struct Settings<'a> {
    given: &'a [(String, String)],
    self_managed: bool,
}

impl<'a> Settings<'a> {
    pub(super) fn new(given: &'a [(String, String)]) -> Self {
        let class = given.iter().find(|(name, _)| name == "connector.class").map_or(CLASS_MANAGED, |(_, v)| v.trim());
        Self { given, self_managed: class.starts_with("io.confluent.salesforce.") }
    }

    pub(super) fn given(&self, name: &str) -> Option<&'a str> {
        self.given.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The value in effect. Blanks around it never matter, as in Kafka's `ConfigDef`, but for passwords.
    pub(super) fn get(&self, key: &Key) -> Option<&'a str> {
        match self.given(key.name) {
            Some(value) if key.kind == Type::Password => Some(value),
            Some(value) => Some(value.trim()),
            None if self.self_managed => key.default_self_managed.or(key.default),
            None => key.default,
        }
    }

    /// The value in effect, empty when there is none.
    pub(super) fn text(&self, name: &str) -> &'a str {
        keys::find(name).and_then(|key| self.get(key)).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).eq_ignore_ascii_case("true")
    }

    /// A number that `validate` has found valid.
    pub(super) fn number<T: std::str::FromStr + Default>(&self, name: &str) -> T {
        self.text(name).parse().unwrap_or_default()
    }

    pub(super) fn secret(&self, name: &str) -> Secret {
        Secret::new(self.text(name))
    }
}
