//! What happens when a position is lost.

use super::{BASE, LOW};
use crate::config::def::{Key, Validator, Width};

const DELIVERY: &str = "Delivery";

/// The settings, in the order in which tables show them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "salesforce.replay.lost.policy",
        default: Some("fail"),
        validator: Validator::OneOf(&["fail", "earliest", "latest", "repair"]),
        group: DELIVERY,
        width: Width::Short,
        display_name: "When the position is lost",
        documentation: "What to do when Salesforce no longer has the events after the stored position (it keeps them for 24 hours), or the PushTopic was deleted and made anew: `fail` and wait for a person, or go on with the `earliest` event that is retained, or with the `latest`, events from now on. `repair` first reads with SOQL what was changed since the last event and sends it as `created`, `updated` and `deleted` with the header `tributary.repair=true`, at least once, then goes on as `earliest`. Whichever it is, one record tells of the gap in `tributary.gap.topic`.",
        ..BASE
    },
    Key {
        name: "tributary.gap.topic",
        group: DELIVERY,
        display_name: "Topic of gaps",
        documentation: "Where a lost position is told of: JSON with `connector`, `pushTopic`, `fromReplayId`, `lastEventCreatedDate`, `detectedAt`, `reason` and `policy`. Without it, `kafka.topic` with `.gaps` behind it, the object's name in place of `${_ObjectType}` and no other placeholders.",
        ..LOW
    },
    Key {
        name: "name",
        group: DELIVERY,
        display_name: "Name",
        documentation: "The connector's name, for records about gaps.",
        ..LOW
    },
];
