//! The query of a URL, read as Kafka Connect's server reads it.

/// Names and values, decoded, in order.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// Every value under a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value under a name.
    pub(super) fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// As Java's `Boolean.parseBoolean`: `true` in any case; everything else is false.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.first(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// A name in a path, percent-encoded as Kafka Connect's `UriBuilder` does it: a slash stays.
pub(crate) fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';'
            | b'=' | b':' | b'@' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let query = Query::of(Some("expand=status&expand=info&includeTasks=False&onlyFailed=True&maybe=maybe&x"));
        assert_eq!(query.all("expand").collect::<Vec<_>>(), ["status", "info"]);
        let flags = ["includeTasks", "onlyFailed", "maybe", "x", "absent"].map(|name| query.flag(name));
        assert_eq!(flags, [false, true, false, false, false]);
        assert_eq!(Query::of(None).first("a"), None);
        assert_eq!(encoded("a b/ü-1"), "a%20b/%C3%BC-1");
    }
}
