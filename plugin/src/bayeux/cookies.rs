//! `Cookies`: the jar of one session (RFC 6265, for one host). Salesforce keeps a session alive only for a client that
//! returns its cookies; the load balancer's one decides which server is asked.

use crate::time::{WallMs, parse_http_date};

/// Most cookies in the jar.
pub const COOKIES_MAX: usize = 50;
/// Longest name and value together, in bytes.
pub const COOKIE_BYTES_MAX: usize = 4_096;

#[derive(Clone)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    expires_ms: Option<WallMs>,
}

/// A cookie jar. `Debug` shows no values.
#[derive(Clone, Default)]
pub struct Cookies(Vec<Cookie>);

impl std::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|cookie| &cookie.name)).finish()
    }
}

impl Cookies {
    /// Takes a `Set-Cookie` header of a response to `request_path`. What is malformed or too large is ignored, as in
    /// browsers. Some runtimes join the headers of several cookies with commas; they are taken apart again.
    pub fn set(&mut self, header: &str, request_path: &str, now_ms: WallMs) {
        let mut start = 0;
        for (comma, _) in header.match_indices(',') {
            if begins_a_cookie(&header[comma + 1..]) {
                self.set_one(&header[start..comma], request_path, now_ms);
                start = comma + 1;
            }
        }
        self.set_one(&header[start..], request_path, now_ms);
    }

    fn set_one(&mut self, header: &str, request_path: &str, now_ms: WallMs) {
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        let legal = |text: &str| text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if name.is_empty() || name.len() + value.len() > COOKIE_BYTES_MAX || !legal(name) || !legal(value) {
            return;
        }
        let mut cookie = Cookie {
            name: name.into(),
            value: value.into(),
            path: default_path(request_path).into(),
            expires_ms: None,
        };
        let mut max_age = None;
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let (key, value) = (key.trim(), value.trim());
            if key.eq_ignore_ascii_case("path") && value.starts_with('/') {
                cookie.path = value.into();
            } else if key.eq_ignore_ascii_case("expires") {
                cookie.expires_ms = parse_http_date(value);
            } else if key.eq_ignore_ascii_case("max-age") {
                max_age = value.parse::<i64>().ok();
            }
        }
        if let Some(seconds) = max_age {
            cookie.expires_ms = Some(now_ms.saturating_add(seconds.saturating_mul(1_000)));
        }
        self.0.retain(|other| other.name != cookie.name || other.path != cookie.path);
        let expired = cookie.expires_ms.is_some_and(|at| at <= now_ms);
        if !expired && self.0.len() < COOKIES_MAX {
            self.0.push(cookie);
        }
    }

    /// The `Cookie` header for a request to `path`, or `None` when there is nothing to send.
    #[must_use]
    pub fn header(&self, path: &str, now_ms: WallMs) -> Option<String> {
        let mut out = String::new();
        for cookie in &self.0 {
            if cookie.expires_ms.is_some_and(|at| at <= now_ms) || !path_matches(&cookie.path, path) {
                continue;
            }
            if !out.is_empty() {
                out.push_str("; ");
            }
            out.push_str(&cookie.name);
            out.push('=');
            out.push_str(&cookie.value);
        }
        (!out.is_empty()).then_some(out)
    }
}

/// Whether a cookie begins behind a comma: a name and `=` follow, unlike in a date. No cookie's value holds a comma
/// (RFC 6265, 4.1.1).
fn begins_a_cookie(text: &str) -> bool {
    let pair = text.split([';', ',']).next().unwrap_or_default().trim_start();
    pair.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains(' '))
}

/// RFC 6265, 5.1.4.
fn default_path(request_path: &str) -> &str {
    match request_path.rfind('/') {
        Some(end) if end > 0 => &request_path[..end],
        _ => "/",
    }
}

fn path_matches(cookie_path: &str, request_path: &str) -> bool {
    request_path
        .strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wed, 21 Oct 2015 07:28:00 GMT
    const OCT_2015_MS: WallMs = 1_445_412_480_000;

    fn jar(headers: &[&str]) -> Cookies {
        let mut cookies = Cookies::default();
        for header in headers {
            cookies.set(header, "/cometd/67.0", OCT_2015_MS);
        }
        cookies
    }

    #[test]
    fn keeps_and_returns_cookies_by_path_and_date() {
        let cases: &[(&[&str], &str, WallMs, Option<&str>)] = &[
            (&["BAYEUX_BROWSER=a1; HttpOnly; Secure"], "/cometd/67.0", 0, Some("BAYEUX_BROWSER=a1")),
            (&["a=1; path=/cometd/", "b=2; path=/"], "/cometd/67.0", 0, Some("a=1; b=2")),
            (&["a=1; path=/other"], "/cometd/67.0", 0, None),
            (&["a=1; path=/com"], "/cometd/67.0", 0, None),
            (&["a=1; path=/", "a=2; path=/"], "/x", 0, Some("a=2")),
            (&["a=1; path=/; Expires=Wed, 21 Oct 2015 07:28:10 GMT"], "/x", 9_999, Some("a=1")),
            (&["a=1; path=/; Expires=Wed, 21 Oct 2015 07:28:10 GMT"], "/x", 10_000, None),
            (&["a=1; path=/; Max-Age=5; Expires=Wed, 21 Oct 2035 07:28:10 GMT"], "/x", 5_000, None),
            (&["a=1; path=/", "a=; path=/; Expires=Thu, 01-Jan-1970 00:00:00 GMT"], "/x", 0, None),
            (&["sfdc-stream=!x=y; path=/; SameSite=None; Secure"], "/x", 0, Some("sfdc-stream=!x=y")),
            (
                &[
                    "a=1; path=/; Expires=Wed, 21 Oct 2015 07:28:10 GMT, b=2; path=/,c=3;Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
                ],
                "/x",
                0,
                Some("a=1; b=2"),
            ),
            (&["novalue", "=x", "b\u{7f}=1"], "/x", 0, None),
        ];
        for (headers, path, later_ms, expected) in cases {
            assert_eq!(jar(headers).header(path, OCT_2015_MS + later_ms).as_deref(), *expected, "{headers:?}");
        }
    }

    #[test]
    fn the_jar_is_bounded() {
        let mut cookies = Cookies::default();
        for index in 0..COOKIES_MAX + 5 {
            cookies.set(&format!("c{index}=1; path=/"), "/", 0);
        }
        assert_eq!(cookies.0.len(), COOKIES_MAX);
        let mut cookies = Cookies::default();
        cookies.set(&format!("a={}; path=/", "x".repeat(COOKIE_BYTES_MAX - 1)), "/", 0);
        assert_eq!(cookies.0.len(), 1);
        cookies.set(&format!("b={}; path=/", "x".repeat(COOKIE_BYTES_MAX)), "/", 0);
        assert_eq!(cookies.0.len(), 1);
    }

    #[test]
    fn values_are_not_shown() {
        assert_eq!(format!("{:?}", jar(&["BAYEUX_BROWSER=canary"])), "[\"BAYEUX_BROWSER\"]");
    }
}
