//! The HTTP proxy for what components ask: `tributary.network.proxy` of the worker file, `http.proxy` with
//! `http.proxy.user` and `http.proxy.password` of a connector, which wins over the worker's.

use super::{findings::Findings, secret::Secret, values::last};

const WORKER: &str = "tributary.network.proxy";
const CONNECTOR: &str = "http.proxy";
const USER: &str = "http.proxy.user";
const PASSWORD: &str = "http.proxy.password";

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// The property that names it, for messages.
    pub property: &'static str,
}

impl ProxySettings {
    /// Reads `host:port`, `http://host:port` or `http://user:password@host:port`, the last two parts percent-encoded.
    ///
    /// # Errors
    /// What is wrong with it, without any of it.
    pub fn parse(property: &'static str, text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let rest = text.strip_prefix("http://").unwrap_or(text);
        if rest.contains("://") {
            return Err("is no HTTP proxy");
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, rest),
        };
        let (host, port) = address.rsplit_once(':').ok_or("has no port")?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or("has no port")?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || (bare.is_some() && c == ':');
        let host = bare.unwrap_or(host);
        if host.is_empty() || !host.chars().all(allowed) {
            return Err("has no host that can be read");
        }
        let login = match login {
            None => None,
            Some(login) => {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                Some((percent_decoded(user)?, Secret::new(percent_decoded(password)?)))
            }
        };
        Ok(Self { host: host.to_owned(), port, login, property })
    }

    /// The worker's.
    pub(super) fn of_worker(text: &str, findings: &mut Findings) -> Option<Self> {
        let remedy = "Write http://host:port or http://user:password@host:port.";
        Self::parse(WORKER, text).map_err(|reason| findings.error(WORKER, Some(text), reason, remedy)).ok()
    }

    /// A connector's own; `None` when it names none, or none that can be used, which is noted.
    pub(super) fn of_connector(properties: &[(String, String)], findings: &mut Findings) -> Option<Self> {
        let given = |name: &str| last(properties, name).filter(|text| !text.trim().is_empty());
        let Some(text) = given(CONNECTOR) else {
            for property in [USER, PASSWORD].into_iter().filter(|name| given(name).is_some()) {
                findings.warning(property, None, "has no effect without http.proxy", "Set http.proxy to host:port.");
            }
            return None;
        };
        let remedy = "Write host:port, and the login in http.proxy.user and http.proxy.password.";
        let parsed = Self::parse(CONNECTOR, text);
        let proxy = parsed.map_err(|reason| findings.error(CONNECTOR, Some(text), reason, remedy)).ok()?;
        match (given(USER), given(PASSWORD)) {
            (None, None) => Some(proxy),
            (Some(user), password) if !user.contains(':') => {
                Some(Self { login: Some((user.to_owned(), Secret::new(password.unwrap_or_default()))), ..proxy })
            }
            (Some(user), _) => {
                let reason = "holds a colon, which ends the user's name in the proxy's eyes";
                findings.error(USER, Some(user), reason, "Write the name alone.");
                None
            }
            (None, Some(_)) => {
                findings.error(USER, None, "is missing, and http.proxy.password is there", "Write the user's name.");
                None
            }
        }
    }

    /// `host:port`, as it is written in an origin.
    #[must_use]
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn percent_decoded(text: &str) -> Result<String, &'static str> {
    const ERROR: &str = "has a % in its user or password that is not followed by two hex digits of UTF-8 text";
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(ERROR);
            u8::try_from(digit()? * 16 + digit()?).map_err(|_| ERROR)?
        } else {
            byte
        });
    }
    String::from_utf8(decoded).map_err(|_| ERROR)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse fails the test")]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let login = |user: &str, password: &str| Some((user.to_owned(), Secret::new(password)));
        for (text, address, expected) in [
            ("proxy.example:3128", "proxy.example:3128", None),
            (" http://proxy.example:3128/ ", "proxy.example:3128", None),
            ("http://[::1]:3128", "[::1]:3128", None),
            ("http://me:p%40ss@p:1", "p:1", login("me", "p@ss")),
            ("me@p:1", "p:1", login("me", "")),
        ] {
            let proxy = ProxySettings::parse(CONNECTOR, text).unwrap();
            assert_eq!((proxy.address().as_str(), &proxy.login), (address, &expected), "{text}");
            assert!(!format!("{proxy:?}").contains("p@ss"));
        }
        for text in
            ["https://a:1", "socks5://a:1", "a", "http://:3128", "a:0", "a:70000", "a b:1", "x%4:y@c:1", "u@a/b:1"]
        {
            assert!(ProxySettings::parse(CONNECTOR, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_connectors_own() {
        let check = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let mut findings = Findings::new();
            let proxy = ProxySettings::of_connector(&pairs, &mut findings);
            (proxy.map(|proxy| (proxy.address(), proxy.login)), findings.to_string())
        };
        let login = Some(("me".to_owned(), Secret::new("s3cret")));
        let own = (CONNECTOR, "p:1");
        assert_eq!(check(&[]), (None, String::new()));
        assert_eq!(check(&[own]), (Some(("p:1".to_owned(), None)), String::new()));
        assert_eq!(check(&[own, (USER, "me"), (PASSWORD, "s3cret")]), (Some(("p:1".to_owned(), login)), String::new()));
        for (pairs, expected) in [
            (&[(USER, "me")][..], "has no effect without http.proxy"),
            (&[own, (PASSWORD, "s3cret")], "http.proxy.user: is missing"),
            (&[own, (USER, "a:b")], "holds a colon"),
            (&[(CONNECTOR, "https://p:1")], "http.proxy = https://p:1: is no HTTP proxy"),
            (&[(CONNECTOR, "http://u:s3cret@p")], "http.proxy = [hidden]: has no port"),
        ] {
            let (proxy, noted) = check(pairs);
            assert!(proxy.is_none() && noted.contains(expected) && !noted.contains("s3cret"), "{noted}");
        }
    }
}
