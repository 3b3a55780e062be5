//! What can be set about the simulated org: who may log in, timers, limits, and the switches for behaviour that
//! Salesforce leaves open. Defaults are those of the Salesforce facts page (timers 3.3, limits 3.8).

use std::fmt;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Someone who may log in.
#[derive(Clone)]
pub struct User {
    /// The login name.
    pub username: String,
    /// The password, without the security token.
    pub password: String,
    /// The security token, which follows the password without a separator.
    pub security_token: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What to do with a CometD version that is retired (below 37.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetiredVersion {
    /// Refuse the handshake with a 400.
    Refuse,
    /// Serve it as the latest version.
    Reroute,
}

/// Everything that can be set about an [`crate::Org`].
#[derive(Clone, Debug)]
pub struct OrgConfig {
    /// Two orgs with the same seed and the same inputs behave alike, byte for byte.
    pub seed: u64,
    /// When the org begins, ms since the epoch: its first records are as old. Its time never goes back behind that.
    pub start_ms: u64,
    /// What the token endpoint gives as `instance_url`, without a trailing slash.
    pub instance_url: String,
    /// When set, only the token endpoint answers under this `Host` value, and only the rest under any other.
    pub login_host: Option<String>,
    /// Marks cookies `Secure`; on for https.
    pub secure_cookies: bool,
    /// Who may log in. The first one owns the data.
    pub users: Vec<User>,
    /// The connected app's consumer key.
    pub consumer_key: String,
    /// The connected app's consumer secret.
    pub consumer_secret: String,
    /// The refresh token that the first user's authorisation left.
    pub refresh_token: String,
    /// Every use of a refresh token gives another one, and the old one is good no more.
    pub rotate_refresh_tokens: bool,
    /// The certificates that were uploaded to the app, in DER.
    pub jwt_certificates: Vec<Vec<u8>>,
    /// The org allows the username-password flow.
    pub password_flow: bool,
    /// The users are pre-authorised for the app.
    pub user_approved: bool,
    /// The app's policies name a user for the client credentials flow.
    pub run_as_user: bool,
    /// The token endpoint is the org's own host and not one that serves every org.
    pub my_domain: bool,
    /// What was given to the client has expired: the refresh token, the app's certificates.
    pub expired: bool,
    /// How far the token endpoint's clock is ahead of the org's, ms.
    pub clock_ahead_ms: i64,
    /// Offers API version 100.0 as well, so that sorting versions as text picks the wrong one.
    pub offer_version_100: bool,
    /// What happens to CometD versions below 37.0.
    pub retired_version: RetiredVersion,
    /// A token that is not used for so long expires, in ms.
    pub token_idle_ms: u64,
    /// How long a connect is held, in ms.
    pub connect_hold_ms: u64,
    /// From any response to the next request: a session that misses it is forgotten, in ms.
    pub session_window_ms: u64,
    /// How long the routing cookie lives, in ms. When it lapses the client reaches a server that does not know it.
    pub routing_cookie_ms: u64,
    /// How long events stay replayable, in ms.
    pub retention_ms: u64,
    /// How long after a change its event is delivered, in ms.
    pub event_latency_ms: u64,
    /// Honours a smaller `advice.timeout` that the client sends with its connect.
    pub honour_client_timeout: bool,
    /// The replay extension works only for a client that asks for it when it shakes hands. Off, because clients that never ask
    /// are known to get their replay.
    pub replay_needs_handshake: bool,
    /// Events stand before the connect reply (as captured) or behind it.
    pub events_first: bool,
    /// Events also ride on subscribe replies.
    pub events_on_subscribe: bool,
    /// Event messages carry the client's id.
    pub event_client_id: bool,
    /// Replay ids are written as strings.
    pub string_replay_ids: bool,
    /// The member names of a geolocation in events begin with a capital, as those of an address do.
    pub capital_location: bool,
    /// At most so many events in one response.
    pub response_events_max: usize,
    /// A response is closed with the event that brings it to so many bytes.
    pub response_bytes_max: usize,
    /// Compresses responses for clients that ask for gzip.
    pub gzip: bool,
    /// Smaller bodies stay uncompressed, bytes.
    pub gzip_bytes_min: usize,
    /// The replay id of a topic's first event.
    pub first_replay_id: u64,
    /// In how many of a thousand cases the next replay id skips some numbers.
    pub replay_gap_per_mille: u16,
    /// Concurrent CometD clients of the org.
    pub clients_max: usize,
    /// Delivered notifications in 24 hours, all clients together.
    pub daily_notifications_max: u64,
    /// Clients subscribed to one topic.
    pub topic_subscribers_max: usize,
    /// Active PushTopics of the org.
    pub push_topics_max: usize,
    /// REST calls in 24 hours.
    pub daily_requests_max: u64,
    /// Rows on one page of a query result.
    pub query_page_rows: usize,
    /// The HTTP status of in-band Bayeux errors.
    pub bayeux_error_status: u16,
    /// The HTTP status that ends the older of two connects of one client.
    pub duplicate_connect_status: u16,
    /// Records of each demo object that exist at the start.
    pub demo_records: usize,
    /// Live records of an object beyond which the generator deletes more than it creates.
    pub demo_records_max: usize,
    /// Text that fills generated events up to about so many bytes; 0 adds none.
    pub event_bytes: usize,
    /// The ledger keeps the newest so many entries.
    pub ledger_entries_max: usize,
    /// The list of deliveries keeps the newest so many entries.
    pub deliveries_max: usize,
}

impl OrgConfig {
    /// Takes over the certificates of a PEM text, as an upload to the app would; how many.
    ///
    /// # Errors
    /// A text when there is none in it, or one that cannot be read.
    pub fn upload_certificates(&mut self, pem: &str) -> Result<usize, String> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let found = found.map_err(|error| format!("the certificate cannot be read: {error:?}"))?;
        if found.is_empty() {
            return Err("there is no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned());
        }
        self.jwt_certificates.extend(found.iter().map(|certificate| certificate.to_vec()));
        Ok(found.len())
    }

    /// What an assertion may be addressed to: the generic hosts, the token endpoint, the instance.
    pub(crate) fn audiences(&self) -> Vec<String> {
        let scheme = self.instance_url.split("://").next().unwrap_or("http");
        let login = self.login_host.as_ref().map(|host| format!("{scheme}://{host}"));
        let generic = ["https://login.salesforce.com", "https://test.salesforce.com"].map(str::to_owned);
        generic.into_iter().chain(login).chain([self.instance_url.clone()]).collect()
    }
}

impl Default for OrgConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            start_ms: 0,
            instance_url: "http://simulator.test".to_owned(),
            login_host: None,
            secure_cookies: false,
            users: vec![User {
                username: "ada@tributary.example".to_owned(),
                password: "correct-horse+battery&staple%".to_owned(),
                security_token: "q7ZtUvE3xR1mKc9WbN5dYs2H".to_owned(),
            }],
            consumer_key: "3MVG9fTLmJ60pJ5KPlaTuH.simulator.consumer.key_Dx4q".to_owned(),
            consumer_secret: "8F0C1E2D3B4A59687766554433221100FFEEDDCCBBAA99887766554433221100".to_owned(),
            refresh_token: "5Aep861KIwKdekr90IDidO4EhfJiYo3fzEvTvsEgM9sfDpGX0qFFeQzHG2mZeUH_.simulator".to_owned(),
            rotate_refresh_tokens: false,
            jwt_certificates: Vec::new(),
            password_flow: true,
            user_approved: true,
            run_as_user: true,
            my_domain: true,
            expired: false,
            clock_ahead_ms: 0,
            offer_version_100: false,
            retired_version: RetiredVersion::Refuse,
            token_idle_ms: 7_200_000,
            connect_hold_ms: 110_000,
            session_window_ms: 40_000,
            routing_cookie_ms: 10_800_000,
            retention_ms: 86_400_000,
            event_latency_ms: 0,
            honour_client_timeout: true,
            replay_needs_handshake: false,
            events_first: true,
            events_on_subscribe: false,
            event_client_id: false,
            string_replay_ids: false,
            capital_location: true,
            response_events_max: 2_000,
            response_bytes_max: 4 << 20,
            gzip: true,
            gzip_bytes_min: 1_024,
            first_replay_id: 1,
            replay_gap_per_mille: 50,
            clients_max: 2_000,
            daily_notifications_max: 1_000_000,
            topic_subscribers_max: usize::MAX,
            push_topics_max: 100,
            daily_requests_max: 100_000,
            query_page_rows: 2_000,
            bayeux_error_status: 200,
            duplicate_connect_status: 500,
            demo_records: 20,
            demo_records_max: 2_000,
            event_bytes: 0,
            ledger_entries_max: 2_000_000,
            deliveries_max: 4_000_000,
        }
    }
}
