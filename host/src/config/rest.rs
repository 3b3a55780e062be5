//! Where the REST API of a service listens, who may ask and how often: `listeners`, `listeners.https.*`, `tributary.rest.*`,
//! `access.control.*`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{
    security::{self, Tls},
    values::{boolean, last, list, number},
    worker::Reader,
};

/// See the module.
#[derive(Clone, Debug)]
pub struct RestConfig {
    /// The address.
    pub address: SocketAddr,
    /// `rest.advertised.host.name`: by which a status names this worker.
    pub advertised_host: Option<String>,
    /// `rest.advertised.port`.
    pub advertised_port: Option<u16>,
    /// With TLS: certificate and key, and the roots for clients' certificates.
    pub tls: Option<Tls>,
    /// `listeners.https.ssl.client.auth=required`: whoever asks has a certificate of one of these roots.
    pub client_certificates: bool,
    /// `tributary.rest.auth.file`: users and passwords.
    pub auth_file: Option<PathBuf>,
    /// `tributary.rest.auth.tokens.file`: bearer tokens.
    pub tokens_file: Option<PathBuf>,
    /// `tributary.rest.requests.per.second.max`: of one address; 0 for no bound.
    pub requests_per_second_max: u32,
    /// `access.control.allow.origin`: whose pages may ask; `*` for all.
    pub cors_origins: Vec<String>,
    /// `access.control.allow.methods`.
    pub cors_methods: Vec<String>,
    /// `topic.tracking.enable`.
    pub topic_tracking: bool,
    /// `topic.tracking.allow.reset`.
    pub topic_reset: bool,
}

/// Methods that the REST API has.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl RestConfig {
    /// Whether it is known who asks.
    #[must_use]
    pub fn authenticates(&self) -> bool {
        self.auth_file.is_some() || self.tokens_file.is_some() || (self.tls.is_some() && self.client_certificates)
    }
}

impl Reader<'_> {
    pub(super) fn rest(&mut self) -> RestConfig {
        let (address, https) = self.listener();
        let auth_file = self.file("tributary.rest.auth.file");
        let tokens_file = self.file("tributary.rest.auth.tokens.file");
        let cors_origins: Vec<String> = self.get("access.control.allow.origin").map(list).unwrap_or_default();
        let cors_methods = self.get("access.control.allow.methods").map(list).unwrap_or_default();
        self.check_cors(&cors_origins, &cors_methods);
        let (topic_tracking, topic_reset) =
            (self.flag("topic.tracking.enable"), self.flag("topic.tracking.allow.reset"));
        let tls = if https { self.https() } else { None };
        let client_auth = "listeners.https.ssl.client.auth";
        let client_certificates = match self.get(client_auth).map(str::to_ascii_lowercase).as_deref() {
            None | Some("none") => false,
            Some("required") => true,
            Some(_) => {
                let remedy = "Write required or none.";
                self.findings.error(client_auth, self.get(client_auth), "is not known here", remedy);
                false
            }
        };
        if client_certificates && tls.as_ref().is_some_and(|tls| tls.trust.is_none()) {
            let remedy = "Name the roots in listeners.https.ssl.truststore.location, with ...truststore.type=PEM.";
            self.findings.error(client_auth, Some("required"), "needs roots for the clients' certificates", remedy);
        }
        let port = "rest.advertised.port";
        let advertised_port = self.get(port).and_then(|value| number(port, value, 1..=u16::MAX, &mut self.findings));
        RestConfig {
            address,
            advertised_host: self.get("rest.advertised.host.name").map(str::to_owned),
            advertised_port,
            tls,
            client_certificates,
            auth_file,
            tokens_file,
            requests_per_second_max: self.number("tributary.rest.requests.per.second.max", 0..=1_000_000),
            cors_origins,
            cors_methods,
            topic_tracking,
            topic_reset,
        }
    }

    /// True unless it says false.
    fn flag(&mut self, name: &str) -> bool {
        self.get(name).and_then(|value| boolean(name, value, &mut self.findings)).unwrap_or(true)
    }

    fn check_cors(&mut self, origins: &[String], methods: &[String]) {
        let name = "access.control.allow.origin";
        let is_origin = |origin: &str| {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            origin == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ']))
        };
        if let Some(wrong) = origins.iter().find(|origin| !is_origin(origin)) {
            let reason = format!("holds {wrong}, which is no origin");
            self.findings.error(name, self.get(name), reason, "Write https://host or https://host:port, or * for all.");
        }
        let name = "access.control.allow.methods";
        let known = |method: &String| METHODS.iter().any(|known| method.eq_ignore_ascii_case(known));
        if methods.iter().any(|method| !known(method)) {
            let remedy = format!("Write some of {}.", METHODS.join(","));
            self.findings.error(name, self.get(name), "holds a method that the REST API does not have", remedy);
        }
        if origins.is_empty() && !methods.is_empty() {
            let remedy = "Set access.control.allow.origin, or remove it.";
            self.findings.warning(name, self.get(name), "has no effect without access.control.allow.origin", remedy);
        }
    }

    fn https(&mut self) -> Option<Tls> {
        let properties = self.properties;
        let get = move |name: &str| {
            let name = format!("listeners.https.{name}");
            let (key, _) = properties.iter().find(|(key, _)| *key == name)?;
            Some((key.as_str(), last(properties, key)?))
        };
        let tls = security::read_tls(&get, &mut self.findings);
        if tls.identity.is_none() {
            let remedy = "Name a PEM file with key and certificate chain in listeners.https.ssl.keystore.location, with \
                          ...keystore.type=PEM.";
            self.findings.error("listeners", self.get("listeners"), "is https and has no certificate", remedy);
        }
        Some(tls)
    }

    /// The first listener, and whether it is https. Kafka Connect's form, without a host for every address of the machine.
    fn listener(&mut self) -> (SocketAddr, bool) {
        const NAME: &str = "listeners";
        let usual = (SocketAddr::from((Ipv4Addr::LOCALHOST, 8083)), false);
        let Some(given) = self.get(NAME) else { return usual };
        let all = list(given);
        if all.len() > 1 {
            self.findings.warning(NAME, Some(given), "names more than one address, and the first counts", "Keep one.");
        }
        let address = all.first().and_then(|first| {
            let lower = first.to_ascii_lowercase();
            let (rest, https) = match lower.strip_prefix("https://") {
                Some(rest) => (rest, true),
                None => (lower.strip_prefix("http://")?, false),
            };
            let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
            let host = match host.trim_start_matches('[').trim_end_matches(']') {
                "" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
                host => host.parse().ok()?,
            };
            Some((SocketAddr::new(host, port.parse().ok()?), https))
        });
        address.unwrap_or_else(|| {
            let remedy = "Write http://127.0.0.1:8083 or https://0.0.0.0:8083: an IP address and a port.";
            self.findings.error(NAME, Some(given), "is no address that can be listened at", remedy);
            usual
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::WorkerConfig;

    #[test]
    fn listeners() {
        for (given, expected) in [
            ("http://127.0.0.1:8084", Ok("127.0.0.1:8084")),
            ("HTTP://localhost:1/", Ok("127.0.0.1:1")),
            ("http://:8083", Ok("0.0.0.0:8083")),
            ("http://[::1]:8083", Ok("[::1]:8083")),
            ("http://a.example:8083", Err("listeners")),
            ("ftp://127.0.0.1:1", Err("listeners")),
            ("127.0.0.1:1", Err("listeners")),
            ("http://127.0.0.1", Err("listeners")),
            ("https://127.0.0.1:1", Err("certificate")),
        ] {
            let properties = [("listeners".to_owned(), given.to_owned())];
            let (worker, findings) = WorkerConfig::from_properties(&properties);
            match expected {
                Ok(address) => {
                    assert!(!findings.has_errors(), "{given}: {findings}");
                    assert_eq!(worker.rest.address.to_string(), address, "{given}");
                }
                Err(word) => {
                    assert!(findings.has_errors() && findings.to_string().contains(word), "{given}: {findings}")
                }
            }
        }
    }
}
