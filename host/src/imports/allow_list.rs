//! Where a component may connect: `tributary.network.allow`, or the patterns that the component declares. Pure: the
//! decision on an origin before a request leaves, and the decision on each resolved address before the host dials it.
//!
//! A pattern is an origin. `*` stands for one or more labels at the start of a host name, or for any port:
//! `https://*.my.vendor.example`, `http://127.0.0.1:*`. Without a port the scheme's own is meant.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Characters of one pattern.
const PATTERN_CHARS_MAX: usize = 300;
/// Patterns of one list.
const PATTERNS_MAX: usize = 256;

/// A pattern that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{pattern:?} is not an origin pattern: {reason}; write for example https://*.example.com or http://127.0.0.1:*"
)]
pub struct PatternError {
    /// The pattern, shortened.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The schemes that the host speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum HostPattern {
    Any,
    /// Without the leading `*`: `.my.vendor.example`.
    Under(String),
    Name(String),
    Address(IpAddr),
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pattern {
    scheme: Scheme,
    host: HostPattern,
    /// None: any.
    port: Option<u16>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    /// Lower case, without a trailing dot; IPv6 without brackets.
    host: String,
    port: u16,
}

/// The origins of http and https among the values of settings, in which several may stand with commas between.
#[must_use]
pub fn origins<'a>(values: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let origin = |address: &str| {
        let uri: http::Uri = address.trim().parse().ok()?;
        let scheme = uri.scheme_str().and_then(Scheme::parse)?;
        // Without a login that an address may hold.
        let authority = uri.authority()?.as_str().rsplit('@').next()?.to_owned();
        Some(format!("{}://{authority}", scheme.as_str()))
    };
    values.flat_map(|value| value.split(',')).filter_map(origin).collect()
}

impl Origin {
    /// The origin of a request.
    #[must_use]
    pub fn of(uri: &http::Uri) -> Option<Self> {
        let scheme = Scheme::parse(uri.scheme_str()?)?;
        let host = normal_host(uri.host()?);
        let port = uri.port_u16().unwrap_or(scheme.default_port());
        (!host.is_empty()).then_some(Self { scheme, host, port })
    }

    /// The host, as it is resolved and dialled.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{}://{open}{}{close}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// How an allowed origin is allowed: it decides which addresses the host's name may stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permit {
    /// A pattern names this host in full.
    names_host: bool,
    /// A pattern names this address.
    names_address: bool,
    /// A pattern names `localhost`.
    names_localhost: bool,
}

impl Permit {
    /// Whether the host may dial this address.
    #[must_use]
    pub fn admits(self, address: IpAddr) -> bool {
        match reach(address) {
            Reach::Public => true,
            Reach::Loopback => self.names_host || self.names_address || self.names_localhost,
            Reach::Private => self.names_host || self.names_address,
            Reach::Special => self.names_address,
        }
    }
}

/// A list of patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AllowList {
    patterns: Vec<Pattern>,
}

impl AllowList {
    /// Reads patterns.
    ///
    /// # Errors
    /// The first pattern that cannot be read.
    pub fn parse<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, PatternError> {
        let patterns: Vec<Pattern> =
            patterns.into_iter().map(|pattern| parse_pattern(pattern.as_ref())).collect::<Result<_, _>>()?;
        if patterns.len() > PATTERNS_MAX {
            return Err(PatternError { pattern: String::new(), reason: "more than 256 patterns in one list" });
        }
        Ok(Self { patterns })
    }

    /// Whether the HTTP proxy at `address`, `host:port`, may be used by a connector that names it.
    #[must_use]
    pub fn permits_proxy(&self, address: &str) -> bool {
        let origin = format!("http://{address}").parse().ok().as_ref().and_then(Origin::of);
        origin.is_some_and(|origin| self.permit(&origin).is_some())
    }

    /// Whether a request may go to `origin`, and what that says about its addresses.
    #[must_use]
    pub fn permit(&self, origin: &Origin) -> Option<Permit> {
        let literal = origin.host.parse::<IpAddr>().ok();
        let mut permit = None;
        for pattern in self.patterns.iter().filter(|pattern| pattern.matches(origin, literal)) {
            let permit: &mut Permit = permit.get_or_insert_default();
            match &pattern.host {
                HostPattern::Any | HostPattern::Under(_) => {}
                HostPattern::Name(name) if name == "localhost" => permit.names_localhost = true,
                HostPattern::Name(_) => permit.names_host = true,
                HostPattern::Address(_) => permit.names_address = true,
            }
        }
        permit
    }
}

impl Pattern {
    fn matches(&self, origin: &Origin, literal: Option<IpAddr>) -> bool {
        let host = match &self.host {
            HostPattern::Any => true,
            // The suffix begins with a dot, so that what is left over is at least one whole label.
            HostPattern::Under(suffix) => {
                origin.host.strip_suffix(suffix.as_str()).is_some_and(|rest| !rest.is_empty() && !rest.ends_with('.'))
            }
            HostPattern::Name(name) => origin.host == *name,
            HostPattern::Address(address) => literal == Some(*address),
        };
        host && self.scheme == origin.scheme && self.port.is_none_or(|port| port == origin.port)
    }
}

fn parse_pattern(text: &str) -> Result<Pattern, PatternError> {
    let error = |reason| PatternError { pattern: text.chars().take(PATTERN_CHARS_MAX).collect(), reason };
    if text.chars().count() > PATTERN_CHARS_MAX {
        return Err(error("it is too long"));
    }
    let (scheme, rest) = text.trim().split_once("://").ok_or_else(|| error("it has no scheme"))?;
    let scheme = Scheme::parse(&scheme.to_ascii_lowercase()).ok_or_else(|| error("the scheme is http or https"))?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) {
        return Err(error("an origin has no user, path or query"));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        None => Some(scheme.default_port()),
        Some("*") => None,
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err(error("the port is a number from 1 to 65535, or *")),
        },
    };
    Ok(Pattern { scheme, host: parse_host(host).map_err(error)?, port })
}

fn parse_host(host: &str) -> Result<HostPattern, &'static str> {
    let normal = normal_host(host);
    if let Ok(address) = normal.parse::<IpAddr>() {
        let bracketed = host.starts_with('[') && host.ends_with(']');
        return if address.is_ipv6() == bracketed {
            Ok(HostPattern::Address(address))
        } else {
            Err("an IPv6 address stands in brackets, an IPv4 address does not")
        };
    }
    if normal == "*" && host == "*" {
        return Ok(HostPattern::Any);
    }
    let (wildcard, name) = match normal.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, normal.as_str()),
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.contains('*') {
        Err("* stands for whole labels, and only at the start of the host")
    } else if name.len() > 253 || !name.split('.').all(label) {
        Err("the host is not a host name or an address (write international names in their xn-- form)")
    } else if wildcard {
        Ok(HostPattern::Under(format!(".{name}")))
    } else {
        Ok(HostPattern::Name(name.to_owned()))
    }
}

fn normal_host(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let lower = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
    // One spelling for each address.
    lower.parse::<IpAddr>().map_or(lower, |address| address.to_string())
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Globally reachable.
    Public,
    Loopback,
    /// RFC 1918, unique local, shared and benchmarking space: somebody's inner network.
    Private,
    /// Link-local (where clouds serve credentials), unspecified, multicast, reserved, documentation.
    Special,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// IANA IPv4 Special-Purpose Address Registry.
fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) => Reach::Loopback,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (198, 18..=19, _) => Reach::Private,
        (0 | 224..=255, ..) | (169, 254, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) => {
            Reach::Special
        }
        _ => Reach::Public,
    }
}

/// IANA IPv6 Special-Purpose Address Registry. An address that carries an IPv4 address reaches as far as that one.
fn reach_v6(address: Ipv6Addr) -> Reach {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        reach_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Loopback,
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Special,
        // Mapped, compatible, translated (RFC 2765), and NAT64.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Local NAT64, discard, Teredo and other protocol assignments, documentation, SRv6.
        [0x64, 0xff9b, 1, ..]
        | [0x100, 0, 0, 0, ..]
        | [0x2001, 0..=0x1ff | 0xdb8, ..]
        | [0x3fff, 0..=0xfff, ..]
        | [0x5f00, ..] => Reach::Special,
        // One cloud's metadata service, inside the unique local range.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Reach::Special,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Reach::Private,
        [0xfe80..=0xfebf, ..] | [0xff00..=0xffff, ..] => Reach::Special,
        // Only 2000::/3 is handed out.
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Special,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use super::*;

    fn check(pattern: &str, url: &str, allowed: bool) {
        let list = AllowList::parse([pattern]).unwrap();
        let permit = Origin::of(&url.parse().unwrap()).and_then(|origin| list.permit(&origin));
        assert_eq!(permit.is_some(), allowed, "{pattern} {url}");
    }

    #[test]
    fn the_origins_that_settings_name() {
        let values =
            ["https://a.example", "x", "https://u:p@b.example:8081/path, http://c:1", "ftp://d", "https://a.example"];
        let found: Vec<String> = origins(values.into_iter()).into_iter().collect();
        assert_eq!(found, ["http://c:1", "https://a.example", "https://b.example:8081"]);
    }

    #[test]
    fn an_origin_is_allowed_by_scheme_host_and_port() {
        let vendor = "https://*.my.vendor.example";
        for (url, allowed) in [
            ("https://acme.my.vendor.example/services", true),
            ("https://ACME.my.Vendor.example", true),
            ("https://acme.my.vendor.example.", true),
            ("https://acme.my.vendor.example:443", true),
            ("https://acme--dev.sandbox.my.vendor.example", true),
            ("https://my.vendor.example", false),
            ("https://.my.vendor.example", false),
            ("https://evilmy.vendor.example", false),
            ("https://acme.my.vendor.example.evil.example", false),
            ("https://acme.my.vendor.example@evil.example", false),
            ("http://acme.my.vendor.example", false),
            ("https://acme.my.vendor.example:8443", false),
            ("ftp://acme.my.vendor.example", false),
        ] {
            check(vendor, url, allowed);
        }
        for (pattern, url, allowed) in [
            ("http://127.0.0.1:*", "http://127.0.0.1:18080/x", true),
            ("http://127.0.0.1:*", "http://127.0.0.1", true),
            ("http://127.0.0.1:*", "http://127.0.0.2:18080", false),
            ("http://127.0.0.1:*", "http://localhost:18080", false),
            ("http://127.0.0.1:*", "https://127.0.0.1:18080", false),
            ("http://127.0.0.1", "http://127.0.0.1:80", true),
            ("http://127.0.0.1", "http://127.0.0.1:81", false),
            ("http://[::1]:8080", "http://[::1]:8080", true),
            ("http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080", true),
            ("http://[::1]:*", "http://[::2]:8080", false),
            ("HTTPS://Login.Vendor.example/", "https://login.vendor.example", true),
            ("https://*", "https://anything.example", true),
            ("https://*", "https://anything.example:444", false),
            ("https://*:*", "https://anything.example:444", true),
        ] {
            check(pattern, url, allowed);
        }
    }

    #[test]
    fn a_pattern_that_means_something_else_is_refused() {
        for pattern in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a.*.com",
            "https://a*.com",
            "https://*a.com",
            "https://*.",
            "https://a..b",
            "https://example.com/path",
            "https://u@example.com",
            "https://example.com:0",
            "https://example.com:65536",
            "https://example.com:",
            "https://::1",
            "https://[127.0.0.1]",
            "https://bücher.de",
            "https://exa mple.com",
        ] {
            assert!(AllowList::parse([pattern]).is_err(), "{pattern}");
        }
        assert!(AllowList::parse(vec!["https://a.example"; PATTERNS_MAX]).is_ok());
        assert!(AllowList::parse(vec!["https://a.example"; PATTERNS_MAX + 1]).is_err());
    }

    /// Whether `pattern`, which matches `url`, lets the host dial `address`.
    fn check_address(pattern: &str, url: &str, address: &str, admitted: bool) {
        let list = AllowList::parse([pattern]).unwrap();
        let permit = list.permit(&Origin::of(&url.parse().unwrap()).unwrap()).unwrap();
        assert_eq!(permit.admits(address.parse().unwrap()), admitted, "{pattern} {url} {address}");
    }

    #[test]
    fn a_wildcard_reaches_public_addresses_only() {
        for (address, admitted) in [
            ("13.108.0.1", true),
            ("8.8.8.8", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("100.63.0.1", true),
            ("100.128.0.1", true),
            ("198.17.0.1", true),
            ("198.20.0.1", true),
            ("169.253.0.1", true),
            ("223.255.255.255", true),
            ("2606:4700::1", true),
            ("2a00::1", true),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::808:808", true),
            ("2002:808:808::", true),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("198.18.0.1", false),
            ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("192.0.0.1", false),
            ("192.0.2.1", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::127.0.0.1", false),
            ("::ffff:0:127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b:1::1", false),
            ("2002:7f00:1::", false),
            ("2002:a00:1::", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("100::1", false),
            ("4000::1", false),
        ] {
            check_address("https://*.example.com", "https://a.example.com", address, admitted);
            check_address("https://*", "https://a.example.com", address, admitted);
        }
    }

    #[test]
    fn an_inner_address_must_be_listed_by_name_or_number() {
        for (pattern, url, address, admitted) in [
            ("http://127.0.0.1:*", "http://127.0.0.1:1", "127.0.0.1", true),
            ("http://[::1]:*", "http://[::1]:1", "::1", true),
            ("http://10.1.2.3", "http://10.1.2.3", "10.1.2.3", true),
            ("http://169.254.169.254", "http://169.254.169.254", "169.254.169.254", true),
            ("http://localhost:*", "http://localhost:1", "127.0.0.1", true),
            ("http://localhost:*", "http://localhost:1", "::1", true),
            ("http://localhost:*", "http://localhost:1", "10.0.0.1", false),
            ("http://localhost:*", "http://localhost:1", "169.254.169.254", false),
            ("https://proxy.corp.example", "https://proxy.corp.example", "10.0.0.1", true),
            ("https://proxy.corp.example", "https://proxy.corp.example", "127.0.0.1", true),
            ("https://proxy.corp.example", "https://proxy.corp.example", "169.254.169.254", false),
            ("https://proxy.corp.example", "https://proxy.corp.example", "0.0.0.0", false),
            ("https://*.corp.example", "https://proxy.corp.example", "10.0.0.1", false),
        ] {
            check_address(pattern, url, address, admitted);
        }
    }

    #[test]
    fn an_origin_shows_as_it_is_written_in_the_list() {
        for (url, shown) in [
            ("https://A.example:443/x?y", "https://a.example"),
            ("http://127.0.0.1:18080/", "http://127.0.0.1:18080"),
            ("http://[::1]:80/", "http://[::1]"),
        ] {
            assert_eq!(Origin::of(&url.parse().unwrap()).unwrap().to_string(), shown);
        }
    }
}
