//! The two cookies of a Bayeux session: who the browser is, and which server knows it. Implements section 3.7 of the
//! Salesforce facts page.

use crate::date;

/// Names the client to the Bayeux server.
pub(super) const BROWSER: &str = "BAYEUX_BROWSER";
/// Leads the load balancer to the server that knows the session.
pub(super) const ROUTE: &str = "sfdc-stream";

pub(super) fn browser_cookie(value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{BROWSER}={value}; Path=/{secure}; HttpOnly")
}

/// `SameSite=None` is only valid beside `Secure`, so that both go away on plain http.
pub(super) fn route_cookie(value: &str, expires_ms: u64, secure: bool) -> String {
    let secure = if secure { "; SameSite=None; Secure" } else { "" };
    format!("{ROUTE}={value}; path=/; Expires={}{secure}", date::http_date(expires_ms))
}
