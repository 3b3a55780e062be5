//! Faults on demand: rules that say where, what, and how often.
//!
//! Implements items 11 and 12 of checklist A of the Salesforce facts page (section 6).

mod apply;
mod kinds;

use serde::{Deserialize, Serialize};

pub(crate) use apply::gzip;
pub(crate) use kinds::Stage;
pub use kinds::{ConnectAdvice, Fault, HandshakeReason};

/// Where a rule applies. Every condition that is set has to hold; none at all means every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Where {
    /// The path begins so, for example `/services/oauth2`.
    pub path: Option<String>,
    /// A Bayeux message of the request goes to this channel, for example `/meta/connect`.
    pub channel: Option<String>,
    /// The response carries events. Only for faults that change or damage a response.
    pub carrying_events: bool,
    /// The message is the first connect after a handshake.
    pub first_connect: bool,
}

impl Where {
    /// Everywhere below that path.
    #[must_use]
    pub fn path(prefix: &str) -> Self {
        Self { path: Some(prefix.to_owned()), ..Self::default() }
    }

    /// On that Bayeux channel.
    #[must_use]
    pub fn channel(channel: &str) -> Self {
        Self { channel: Some(channel.to_owned()), ..Self::default() }
    }

    /// On responses that carry events.
    #[must_use]
    pub fn carrying_events() -> Self {
        Self { carrying_events: true, ..Self::default() }
    }
}

fn once() -> Option<u64> {
    Some(1)
}

fn always() -> u16 {
    1_000
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Where it applies.
    #[serde(default)]
    pub at: Where,
    /// What happens there.
    pub fault: Fault,
    /// So many places where it would apply are passed over first.
    #[serde(default)]
    pub after: u64,
    /// How often it applies then; `None` (null) without end.
    #[serde(default = "once")]
    pub times: Option<u64>,
    /// In how many of a thousand cases it applies, by chance from the org's seed.
    #[serde(default = "always")]
    pub per_mille: u16,
}

impl FaultRule {
    /// Applies once, at the first place.
    #[must_use]
    pub fn once(at: Where, fault: Fault) -> Self {
        Self { at, fault, after: 0, times: once(), per_mille: always() }
    }

    /// Applies wherever it can, without end.
    #[must_use]
    pub fn forever(at: Where, fault: Fault) -> Self {
        Self { times: None, ..Self::once(at, fault) }
    }
}

/// What a rule is compared with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) path: String,
    pub(crate) channels: Vec<String>,
    pub(crate) carries_events: bool,
    pub(crate) first_connect: bool,
}

impl Subject {
    fn fits(&self, at: &Where) -> bool {
        at.path.as_ref().is_none_or(|prefix| self.path.starts_with(prefix.as_str()))
            && at.channel.as_ref().is_none_or(|channel| self.channels.contains(channel))
            && (!at.carrying_events || self.carries_events)
            && (!at.first_connect || self.first_connect)
    }
}

/// A rule and what became of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Armed {
    id: u64,
    rule: FaultRule,
    seen: u64,
    fired: u64,
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Armed>,
    last_id: u64,
    fired: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) -> u64 {
        self.last_id += 1;
        self.rules.push(Armed { id: self.last_id, rule, seen: 0, fired: 0 });
        self.last_id
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn rules(&self) -> &[Armed] {
        &self.rules
    }

    pub(crate) fn fired(&self) -> u64 {
        self.fired
    }

    /// The fault that strikes here, if any.
    pub(crate) fn take(&mut self, stage: Stage, subject: &Subject, rng: &mut fastrand::Rng) -> Option<Fault> {
        for armed in &mut self.rules {
            let rule = &armed.rule;
            let spent = rule.times.is_some_and(|times| armed.fired >= times);
            if spent || rule.fault.stage() != stage || !subject.fits(&rule.at) {
                continue;
            }
            armed.seen += 1;
            if armed.seen <= rule.after || (rule.per_mille < 1_000 && rng.u16(..1_000) >= rule.per_mille) {
                continue;
            }
            armed.fired += 1;
            self.fired += 1;
            return Some(rule.fault.clone());
        }
        None
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn rules_fire_where_and_as_often_as_they_say() {
        let subject = |path: &str, channel: &str| Subject {
            path: path.to_owned(),
            channels: vec![channel.to_owned()],
            ..Subject::default()
        };
        let mut rng = fastrand::Rng::with_seed(1);
        let mut faults = Faults::default();
        faults.add(FaultRule { after: 1, times: Some(2), ..FaultRule::once(Where::path("/cometd"), Fault::Reset) });
        let hits: Vec<_> = (0..5)
            .map(|_| faults.take(Stage::Reply, &subject("/cometd/67.0", "/meta/connect"), &mut rng).is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        faults.clear();
        faults.add(FaultRule::forever(Where::channel("/meta/connect"), Fault::Reset));
        for (stage, channel, hit) in [
            (Stage::Reply, "/meta/connect", true),
            (Stage::Reply, "/meta/subscribe", false),
            (Stage::Request, "/meta/connect", false),
        ] {
            assert_eq!(faults.take(stage, &subject("/", channel), &mut rng).is_some(), hit);
        }
        assert_eq!(faults.fired(), 3);
    }

    #[test]
    fn rules_are_readable() {
        let rule =
            r#"{"at":{"channel":"/meta/connect"},"fault":{"name":"unknown_client","advice":"none"},"times":null}"#;
        let rule: FaultRule = serde_json::from_str(rule).unwrap();
        assert_eq!(rule.times, None);
        assert!(matches!(rule.fault, Fault::UnknownClient { advice: ConnectAdvice::None, .. }));
        for bad in [r#"{"fault":{"name":"nope"}}"#, r#"{"fault":{"name":"reset"},"tmies":1}"#, "{}"] {
            assert!(serde_json::from_str::<FaultRule>(bad).is_err(), "{bad}");
        }
    }
}
