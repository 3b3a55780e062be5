//! `sasl.jaas.config`: one login module with its options, in the grammar of Java's `Configuration` files as Kafka's
//! `JaasConfig` reads it: `module required key="value" key2=value2;`.

use super::secret::Secret;

/// A login module and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Jaas {
    /// The class of the login module.
    pub(super) module: String,
    /// Its options in order.
    pub(super) options: Vec<(String, Secret)>,
}

impl Jaas {
    /// The option of that name.
    #[must_use]
    pub(super) fn option(&self, name: &str) -> Option<&Secret> {
        self.options.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// Reads one entry.
///
/// # Errors
/// What is missing, without any of the text.
pub(super) fn parse(text: &str) -> Result<Jaas, &'static str> {
    let mut tokens = Tokens { rest: text };
    let module = tokens.next()?.filter(|token| token != ";").ok_or("it names no login module")?;
    let flag = tokens.next()?.unwrap_or_default().to_ascii_lowercase();
    if !matches!(flag.as_str(), "required" | "requisite" | "sufficient" | "optional") {
        return Err("the word after the login module must be `required`");
    }
    let mut options = Vec::new();
    loop {
        let name = tokens.next()?.ok_or("it must end with a semicolon")?;
        if name == ";" {
            break;
        }
        if tokens.next()?.as_deref() != Some("=") {
            return Err(
                "an option needs `=` and a value; quote values that hold other characters than letters and digits",
            );
        }
        let value = tokens.next()?.filter(|token| token != ";" && token != "=").ok_or("an option has no value")?;
        options.push((name, Secret::new(value)));
    }
    if tokens.next()?.is_some() {
        return Err("it must hold one login module and nothing after its semicolon");
    }
    Ok(Jaas { module, options })
}

struct Tokens<'a> {
    rest: &'a str,
}

impl Tokens<'_> {
    /// `;`, `=`, a quoted text or a bare word; `None` at the end.
    fn next(&mut self) -> Result<Option<String>, &'static str> {
        let text = self.rest.trim_start();
        let Some(first) = text.chars().next() else { return Ok(None) };
        match first {
            ';' | '=' => {
                self.rest = &text[1..];
                Ok(Some(first.to_string()))
            }
            '"' | '\'' => self.quoted(&text[1..], first).map(Some),
            _ => {
                let end = text.find(|c: char| c.is_whitespace() || matches!(c, ';' | '=' | '"')).unwrap_or(text.len());
                self.rest = &text[end..];
                Ok(Some(text[..end].to_owned()))
            }
        }
    }

    fn quoted(&mut self, text: &str, quote: char) -> Result<String, &'static str>
    where
        Self: Sized,
    {
        let start = self.rest.len() - text.len();
        let mut out = String::new();
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = &self.rest[start + at + c.len_utf8()..];
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, 'r')) => out.push('\r'),
                    Some((_, other)) => out.push(other),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err("a quoted value has no end")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse fails the test")]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
        let cases: &[(&str, &[(&str, &str)])] = &[
            (
                r#"M required username="alice" password="a;\"b=c\\";"#,
                &[("username", "alice"), ("password", "a;\"b=c\\")],
            ),
            ("M required\n  username=alice\n  password='s p';  ", &[("username", "alice"), ("password", "s p")]),
            ("M required;", &[]),
            (r#"M required a = "" ;"#, &[("a", "")]),
        ];
        for (text, expected) in cases {
            let jaas = parse(&text.replacen('M', module, 1)).unwrap();
            assert_eq!(jaas.module, module);
            let options: Vec<(&str, &str)> = jaas.options.iter().map(|(k, v)| (k.as_str(), v.expose())).collect();
            assert_eq!(&options, expected, "{text}");
            assert!(!format!("{jaas:?}").contains("alice"));
        }
    }

    #[test]
    fn refusals() {
        for (text, expected) in [
            ("", "names no login module"),
            ("M", "required"),
            ("M username=a;", "required"),
            ("M required username=a", "semicolon"),
            ("M required username;", "needs `=`"),
            ("M required username=;", "no value"),
            ("M required username=\"a;", "has no end"),
            ("M required a=b; N required;", "nothing after"),
        ] {
            assert!(parse(text).unwrap_err().contains(expected), "{text}");
        }
    }
}
