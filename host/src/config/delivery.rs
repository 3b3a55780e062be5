//! How records are delivered: `exactly.once.source.support` of the worker with `exactly.once.support` and
//! `transaction.boundary*` of a connector (KIP-618), and the transaction time-out that follows from them.

use super::{
    findings::Findings,
    producer::ProducerSettings,
    values::{last, number},
};

/// Beyond the time a transaction is meant to stay open, what its records and its commit may take, in milliseconds.
const TRANSACTION_MARGIN_MS: u64 = 60_000;

/// The longest interval between two commits, in milliseconds: brokers allow no transaction of more than 15 minutes
/// (`transaction.max.timeout.ms`) unless they are told to.
const BOUNDARY_INTERVAL_MS_MAX: u64 = 840_000;

/// What the worker allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExactlyOnceSupport {
    /// Records are delivered at least once.
    #[default]
    Disabled,
    /// The first half of a rolling change to `enabled`: as `disabled`, since a worker has no state that the other half
    /// would need to find prepared.
    Preparing,
    /// Connectors are delivered exactly once.
    Enabled,
}

/// Where a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// With each poll that brought records.
    Poll,
    /// With the first poll that ends this many milliseconds after the transaction began.
    IntervalMs(u64),
}

/// What a connector gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Records may come again after a failure.
    #[default]
    AtLeastOnce,
    /// Records and offset in one transaction.
    ExactlyOnce {
        /// `transaction.boundary`.
        boundary: Boundary,
        /// `transaction.timeout.ms`: after this time a broker aborts a transaction whose owner is gone.
        transaction_timeout_ms: u64,
    },
}

impl ExactlyOnceSupport {
    /// Of a worker file's value; what is wrong with it is a finding.
    pub(super) fn read(value: Option<&str>, with_kafka: bool, findings: &mut Findings) -> Self {
        let name = "exactly.once.source.support";
        let Some(value) = value else { return Self::Disabled };
        let support = match value.to_ascii_lowercase().as_str() {
            "disabled" => Self::Disabled,
            "preparing" => Self::Preparing,
            "enabled" => Self::Enabled,
            _ => {
                findings.error(name, Some(value), "is not known", "Write disabled, preparing or enabled.");
                Self::Disabled
            }
        };
        if !with_kafka && support != Self::Disabled {
            findings.ignored(name, "bootstrap.servers is absent, and the embedded log delivers exactly once by itself");
        }
        support
    }
}

/// What the worker allows and what one connector asks for. `kafka` is what the worker allows there, `None` for the
/// embedded log, where records and offset are one transaction in any case.
pub(super) fn read(
    properties: &[(String, String)],
    kafka: Option<ExactlyOnceSupport>,
    offset_flush_interval_ms: u64,
    producer: &ProducerSettings,
    findings: &mut Findings,
) -> Delivery {
    support(properties, kafka, findings);
    let boundary = boundary(properties, offset_flush_interval_ms, findings);
    if kafka != Some(ExactlyOnceSupport::Enabled) {
        return Delivery::AtLeastOnce;
    }
    let open_ms = match boundary {
        Boundary::Poll => 0,
        Boundary::IntervalMs(interval_ms) => interval_ms,
    };
    let transaction_timeout_ms = producer.transaction_timeout_ms.unwrap_or(open_ms + TRANSACTION_MARGIN_MS);
    if transaction_timeout_ms <= open_ms {
        findings.error(
            "producer.override.transaction.timeout.ms",
            Some(&transaction_timeout_ms.to_string()),
            format!("is not above transaction.boundary.interval.ms = {open_ms}, so that brokers would abort every transaction"),
            format!("Leave it out for {}, or write a larger one.", open_ms + TRANSACTION_MARGIN_MS),
        );
    }
    Delivery::ExactlyOnce { boundary, transaction_timeout_ms }
}

fn support(properties: &[(String, String)], kafka: Option<ExactlyOnceSupport>, findings: &mut Findings) {
    let property = "exactly.once.support";
    let Some(value) = last(properties, property) else { return };
    match value.trim().to_ascii_lowercase().as_str() {
        "requested" => {}
        "required" if matches!(kafka, None | Some(ExactlyOnceSupport::Enabled)) => {}
        "required" => findings.error(
            property,
            Some(value),
            "cannot be kept: the worker file does not say exactly.once.source.support=enabled, so records are delivered at \
             least once",
            "Write exactly.once.source.support=enabled there, or requested here if records that repeat after a failure can \
             be borne.",
        ),
        _ => findings.error(property, Some(value), "is neither requested nor required", "Write requested or required."),
    }
}

fn boundary(properties: &[(String, String)], offset_flush_interval_ms: u64, findings: &mut Findings) -> Boundary {
    let (property, interval) = ("transaction.boundary", "transaction.boundary.interval.ms");
    let value = last(properties, property).map(str::trim).unwrap_or("poll");
    let given =
        last(properties, interval).and_then(|value| number(interval, value, 1..=BOUNDARY_INTERVAL_MS_MAX, findings));
    match value.to_ascii_lowercase().as_str() {
        "poll" => {
            if given.is_some() {
                findings.ignored(interval, "transaction.boundary is poll: a transaction ends with each poll");
            }
            Boundary::Poll
        }
        "interval" => {
            let fallback = || offset_flush_interval_ms.min(BOUNDARY_INTERVAL_MS_MAX);
            Boundary::IntervalMs(given.unwrap_or_else(fallback))
        }
        "connector" => {
            let reason = "is not offered: the component does not define transactions of its own";
            findings.error(property, Some(value), reason, "Write poll or interval.");
            Boundary::Poll
        }
        _ => {
            findings.error(property, Some(value), "is not known", "Write poll or interval.");
            Boundary::Poll
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    const ENABLED: Option<ExactlyOnceSupport> = Some(ExactlyOnceSupport::Enabled);

    fn of(pairs: &[(&str, &str)], kafka: Option<ExactlyOnceSupport>) -> (Delivery, Findings) {
        let properties: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut findings = Findings::new();
        let mut producer = ProducerSettings::default();
        for (name, value) in pairs {
            if let Some(setting) = name.strip_prefix("producer.override.") {
                producer.set(setting, name, value, &mut findings);
            }
        }
        (read(&properties, kafka, 10_000, &producer, &mut findings), findings)
    }

    #[test]
    fn what_a_connector_gets() {
        let exactly = |boundary, transaction_timeout_ms| Delivery::ExactlyOnce { boundary, transaction_timeout_ms };
        let poll = exactly(Boundary::Poll, 60_000);
        let cases: &[(Pairs, Option<ExactlyOnceSupport>, Delivery)] = &[
            (&[], None, Delivery::AtLeastOnce),
            (&[("exactly.once.support", "required")], None, Delivery::AtLeastOnce),
            (&[], Some(ExactlyOnceSupport::Disabled), Delivery::AtLeastOnce),
            (&[], Some(ExactlyOnceSupport::Preparing), Delivery::AtLeastOnce),
            (&[], ENABLED, poll),
            (&[("exactly.once.support", "REQUESTED"), ("transaction.boundary", "Poll")], ENABLED, poll),
            (&[("exactly.once.support", "required")], ENABLED, poll),
            (&[("transaction.boundary", "interval")], ENABLED, exactly(Boundary::IntervalMs(10_000), 70_000)),
            (
                &[("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", "840000")],
                ENABLED,
                exactly(Boundary::IntervalMs(840_000), 900_000),
            ),
            (&[("producer.override.transaction.timeout.ms", "30000")], ENABLED, exactly(Boundary::Poll, 30_000)),
        ];
        for (pairs, kafka, expected) in cases {
            let (delivery, findings) = of(pairs, *kafka);
            assert_eq!((delivery, findings.has_errors()), (*expected, false), "{pairs:?}: {findings}");
        }
    }

    #[test]
    fn what_is_refused() {
        let cases: &[(Pairs, Option<ExactlyOnceSupport>, &str)] = &[
            (&[("exactly.once.support", "required")], Some(ExactlyOnceSupport::Disabled), "source.support=enabled"),
            (&[("exactly.once.support", "required")], Some(ExactlyOnceSupport::Preparing), "source.support=enabled"),
            (&[("exactly.once.support", "x")], ENABLED, "neither requested nor required"),
            (&[("transaction.boundary", "connector")], ENABLED, "does not define transactions"),
            (&[("transaction.boundary", "batch")], ENABLED, "poll or interval"),
            (&[("transaction.boundary.interval.ms", "0")], ENABLED, "out of range"),
            (&[("transaction.boundary.interval.ms", "840001")], ENABLED, "out of range"),
            (
                &[("transaction.boundary", "interval"), ("producer.override.transaction.timeout.ms", "10000")],
                ENABLED,
                "would abort every transaction",
            ),
        ];
        for (pairs, kafka, expected) in cases {
            let (_, findings) = of(pairs, *kafka);
            assert!(findings.has_errors() && findings.to_string().contains(expected), "{pairs:?}: {findings}");
        }
    }

    #[test]
    fn what_a_worker_allows() {
        let cases = [
            (None, ExactlyOnceSupport::Disabled, 0),
            (Some("disabled"), ExactlyOnceSupport::Disabled, 0),
            (Some("Preparing"), ExactlyOnceSupport::Preparing, 0),
            (Some("ENABLED"), ExactlyOnceSupport::Enabled, 0),
            (Some("yes"), ExactlyOnceSupport::Disabled, 1),
        ];
        for (value, expected, errors) in cases {
            let mut findings = Findings::new();
            assert_eq!(ExactlyOnceSupport::read(value, true, &mut findings), expected);
            assert_eq!(findings.len(), errors, "{value:?}: {findings}");
        }
        let mut findings = Findings::new();
        ExactlyOnceSupport::read(Some("enabled"), false, &mut findings);
        assert!(findings.len() == 1 && !findings.has_errors(), "the embedded log needs no such setting");
    }
}
