//! OpenTelemetry: the page is sent to a collector every so often, as OTLP over HTTP in JSON. Configured by the environment
//! variables of the OpenTelemetry specification; without an endpoint nothing is sent.

use std::{
    env,
    sync::Weak,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, header::CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{
    collect,
    page::{Family, Kind, Page, Point, Series},
};
use crate::{herder::Herder, telemetry::Event, web_client::WebClient};

/// `OTEL_METRIC_EXPORT_INTERVAL` where it is not set.
const INTERVAL_MS: u64 = 60_000;
/// `OTEL_EXPORTER_OTLP_TIMEOUT` where it is not set.
const TIMEOUT_MS: u64 = 10_000;

/// What the environment says.
pub struct Otlp {
    endpoint: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    interval: Duration,
    timeout: Duration,
    attributes: Vec<(String, String)>,
    client: WebClient,
}

impl Otlp {
    /// Of this process's environment; `None` when it names no endpoint.
    ///
    /// # Errors
    /// A sentence that names the variable; it holds nothing of a header.
    pub fn of_environment() -> Result<Option<Self>, String> {
        Self::of(|name| env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    fn of(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        if get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        for name in ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if get(name).is_some_and(|protocol| protocol.eq_ignore_ascii_case("grpc")) {
                return Err(format!(
                    "{name} is grpc, which is not spoken here; write http/json and the collector's port for HTTP"
                ));
            }
        }
        let own = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
        let shared = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let (name, endpoint) = match (get(own), get(shared)) {
            (Some(endpoint), _) => (own, endpoint),
            (None, Some(base)) => (shared, format!("{}/v1/metrics", base.trim_end_matches('/'))),
            (None, None) => return Ok(None),
        };
        let uri: Option<Uri> = endpoint.parse().ok();
        let uri = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
        let endpoint = uri.ok_or_else(|| format!("{name} is no URL of a collector, as http://127.0.0.1:4318"))?;
        let number = |name: &str, usual: u64| match get(name) {
            None => Ok(usual),
            Some(text) => text.trim().parse().map_err(|_| format!("{name} is no number of milliseconds")),
        };
        let mut headers = Vec::new();
        for name in ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS"] {
            for (key, value) in pairs(get(name)) {
                let header = (key.parse::<HeaderName>().ok(), HeaderValue::from_str(&value).ok());
                let (Some(key), Some(mut value)) = header else {
                    return Err(format!("{name} holds what is no header"));
                };
                value.set_sensitive(true);
                headers.push((key, value));
            }
        }
        let mut attributes = pairs(get("OTEL_RESOURCE_ATTRIBUTES"));
        if let Some(service) = get("OTEL_SERVICE_NAME") {
            attributes.retain(|(name, _)| name != "service.name");
            attributes.push(("service.name".to_owned(), service));
        }
        for (name, value) in [("service.name", "tributary"), ("service.version", env!("CARGO_PKG_VERSION"))] {
            if !attributes.iter().any(|(given, _)| given == name) {
                attributes.push((name.to_owned(), value.to_owned()));
            }
        }
        let roots = get("OTEL_EXPORTER_OTLP_CERTIFICATE");
        let client = WebClient::new(roots.as_deref().map(std::path::Path::new))
            .map_err(|error| format!("OTEL_EXPORTER_OTLP_CERTIFICATE: {error}"))?;
        Ok(Some(Self {
            endpoint,
            headers,
            interval: Duration::from_millis(number("OTEL_METRIC_EXPORT_INTERVAL", INTERVAL_MS)?.max(100)),
            timeout: Duration::from_millis(number("OTEL_EXPORTER_OTLP_TIMEOUT", TIMEOUT_MS)?.max(1)),
            attributes,
            client,
        }))
    }

    /// Sends for as long as the herder is there. What could not be sent is told once, and is in the next message.
    pub async fn run(self, herder: Weak<Herder>) {
        let start_ns = now_ns();
        let mut told = false;
        loop {
            tokio::time::sleep(self.interval).await;
            let Some(herder) = herder.upgrade() else { return };
            let (page, telemetry) = (collect(&herder), herder.telemetry().clone());
            drop(herder);
            match self.send(&page, start_ns).await {
                Ok(()) => told = false,
                Err(reason) => {
                    if !std::mem::replace(&mut told, true) {
                        telemetry.emit("", &Event::MetricsNotSent { endpoint: self.endpoint.to_string(), reason });
                    }
                }
            }
        }
    }

    async fn send(&self, page: &Page, start_ns: u128) -> Result<(), String> {
        let body = message(page, &self.attributes, start_ns, now_ns()).to_string();
        let mut request = Request::post(self.endpoint.clone()).header(CONTENT_TYPE, "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        let (status, _) = self.client.ask(request, self.timeout).await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(()) } else { Err(format!("the collector answers {status}")) }
    }
}

fn now_ns() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// `key1=value1,key2=value2`, percent-encoded.
fn pairs(text: Option<String>) -> Vec<(String, String)> {
    let text = text.unwrap_or_default();
    let decoded = |text: &str| {
        let form = format!("x={}", text.trim().replace('+', "%2B"));
        form_urlencoded::parse(form.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned())
    };
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), decoded(value))).collect()
}

/// `ExportMetricsServiceRequest` in JSON.
fn message(page: &Page, resource: &[(String, String)], start_ns: u128, now_ns: u128) -> Value {
    let metrics: Vec<Value> = page.0.iter().map(|(name, family)| metric(name, family, start_ns, now_ns)).collect();
    let scope = json!({"name": "tributary", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceMetrics": [{
        "resource": {"attributes": attributes(resource)},
        "scopeMetrics": [{"scope": scope, "metrics": metrics}],
    }]})
}

fn attributes(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(name, value)| json!({"key": name, "value": {"stringValue": value}})).collect()
}

fn metric(name: &str, family: &Family, start_ns: u128, now_ns: u128) -> Value {
    const CUMULATIVE: u8 = 2;
    let points: Vec<Value> = family.series.iter().map(|series| point(series, start_ns, now_ns)).collect();
    let data = match family.kind {
        Kind::Gauge => json!({ "gauge": {"dataPoints": points} }),
        Kind::Counter => {
            json!({ "sum": {"dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": true} })
        }
        Kind::Histogram => json!({ "histogram": {"dataPoints": points, "aggregationTemporality": CUMULATIVE} }),
    };
    let mut metric = json!({"name": name, "description": family.help});
    if let (Value::Object(metric), Value::Object(data)) = (&mut metric, data) {
        metric.extend(data);
    }
    metric
}

fn point(series: &Series, start_ns: u128, now_ns: u128) -> Value {
    // Numbers of 64 bits are texts in this form.
    let mut point = json!({
        "attributes": attributes(&series.labels),
        "startTimeUnixNano": start_ns.to_string(),
        "timeUnixNano": now_ns.to_string(),
    });
    match &series.point {
        Point::Number(value) => point["asDouble"] = json!(value),
        Point::Histogram { bounds, counts, sum } => {
            point["count"] = counts.iter().sum::<u64>().to_string().into();
            point["sum"] = json!(sum);
            point["explicitBounds"] = json!(bounds);
            point["bucketCounts"] = counts.iter().map(ToString::to_string).collect();
        }
    }
    point
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Otlp>, String> {
        Otlp::of(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment() {
        assert!(of(&[]).unwrap().is_none());
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");
        assert!(of(&[endpoint, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        let otlp = of(&[
            endpoint,
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b+c, authorization = Basic x"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5000"),
            ("OTEL_SERVICE_NAME", "mine"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=ü"),
        ]);
        let otlp = otlp.unwrap().unwrap();
        assert_eq!(otlp.endpoint.to_string(), "http://127.0.0.1:4318/v1/metrics");
        assert_eq!((otlp.headers[0].1.as_bytes(), otlp.interval.as_millis()), (&b"a b+c"[..], 5_000));
        let named: Vec<String> = otlp.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(named[..2], ["team=ü", "service.name=mine"]);
        let own = of(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://c.example/m"), endpoint]).unwrap().unwrap();
        assert_eq!(own.endpoint.to_string(), "https://c.example/m");
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5s"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=canary"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/none.pem"),
        ] {
            let error = of(&[(name, value), endpoint]).err().unwrap();
            assert!(error.contains(name) && !error.contains("canary"), "{error}");
        }
    }
}
