//! What to do about each error of the token endpoint, for each grant (Salesforce Help, "OAuth 2.0 Authorization Errors").

use super::GrantKind;

/// A sentence or two that follow Salesforce's own words.
pub(super) fn remedy(kind: GrantKind, code: &str, description: &str) -> &'static str {
    let description = description.to_ascii_lowercase();
    match code {
        "invalid_grant" => invalid_grant(kind, &description),
        "invalid_client_id" | "invalid_client" => match kind {
            GrantKind::JwtBearer => {
                "Check salesforce.consumer.key against the app, and that the app has the JWT bearer flow enabled and its certificate uploaded; a new app takes up to 10 minutes to be known everywhere."
            }
            _ => {
                "Check salesforce.consumer.key and salesforce.consumer.secret against the app; a new app takes up to 10 minutes to be known everywhere."
            }
        },
        "unsupported_grant_type" => {
            "Check that the app has the flow of salesforce.grant.type enabled, and that salesforce.instance is https and the final host: a redirected login loses its form."
        }
        "app_not_found" => {
            "An external client app is known to its own org alone: set salesforce.instance (and salesforce.jwt.audience, if you use it) to the org's My Domain, https://NAME.my.salesforce.com. A new app takes up to 10 minutes to be known."
        }
        "invalid_app_access" | "unauthorized_client" => APPROVE,
        "invalid_scope" => "Give the app the OAuth scope api (\"Manage user data via APIs\").",
        "inactive_user" => "Activate the user (Setup > Users), or log in as another one.",
        "inactive_org" => "The org is locked, closed or suspended: log in at its web page to see why.",
        "rate_limit_exceeded" => {
            "Too many logins; stop other clients that log in with this user, and start again after an hour."
        }
        _ => "See Salesforce Help, \"OAuth 2.0 Authorization Errors\", for this code.",
    }
}

const APPROVE: &str = "Pre-authorise the user for the app: in the app's policies set Permitted Users to \"Admin approved users are pre-authorized\", and select the user's profile or a permission set that the user has.";

fn invalid_grant(kind: GrantKind, description: &str) -> &'static str {
    if description.contains("hasn't approved") || description.contains("not admin approved") {
        return APPROVE;
    }
    if description.contains("not supported on this domain") {
        return "Set salesforce.instance to the org's My Domain, https://NAME.my.salesforce.com.";
    }
    if description.contains("no client credentials user") {
        return "Name the user to run as in the app's policies (OAuth Policies > Client Credentials Flow > Run As).";
    }
    if description.contains("audience") {
        return "Set salesforce.instance to the host that the org logs in at: the org's My Domain, or https://login.salesforce.com, or https://test.salesforce.com for a sandbox. Where the audience must be another one than the host, set salesforce.jwt.audience.";
    }
    match kind {
        GrantKind::Password => {
            "Check salesforce.username, salesforce.password and salesforce.password.token (the token changes with the password), \
             that salesforce.instance is the right host (a sandbox logs in at https://test.salesforce.com), that the user is neither locked nor \
             bound to other IP addresses, and that the org allows the username-password flow (Setup > OAuth and OpenID Connect Settings); \
             Salesforce gives the same answer to all of these. External client apps do not have this flow at all: use JWT_BEARER or CLIENT_CREDENTIALS with them."
        }
        GrantKind::JwtBearer if description.contains("user") => {
            "Check that salesforce.username is a user of this org (a sandbox appends its name: user@example.com.sandbox) who is active and not locked."
        }
        GrantKind::JwtBearer => {
            "Check that the certificate of the keystore's key is the one uploaded to the app (after a new key, upload its certificate), that it has not expired, \
             that salesforce.consumer.key is that app's, that salesforce.username is an active user of this org, and that this machine's clock is right."
        }
        GrantKind::ClientCredentials => {
            "Check that the app has the client credentials flow enabled, that its policies name an active user to run as (Run As), and that salesforce.instance is the org's My Domain."
        }
        GrantKind::RefreshToken => {
            "The refresh token was revoked, has expired by the app's policy, was already exchanged for another one, or belongs to another app. Authorise the app again and put the new token into oauth.refresh.token."
        }
    }
}
