//! Where to go on reading: the replay extension's ids (Streaming API Developer Guide, "Message Durability").

use crate::{config::InitialStart, time::WallMs};

/// The replay id that stands for "new events only".
pub const TIP: i64 = -1;
/// The replay id that stands for "everything retained".
pub const RETAINED: i64 = -2;

/// How far before the first subscription an event's createdDate may lie and still count as after it, in milliseconds:
/// events reach subscribers a second or so after their transaction, and HTTP dates are whole seconds.
const SINCE_MARGIN_MS: i64 = 2_000;

/// The position of a task. It outlives sessions; only an event that was handed to the host moves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    initial: InitialStart,
    after: Option<i64>,
    /// `TIP` or `RETAINED`, stored in place of an id until the first event.
    marker: Option<i64>,
    /// Wall time of the first subscription of an instance that began at the tip. Without it, a session that is lost
    /// before its first event would begin at the tip again and skip what came in between.
    began: Option<WallMs>,
}

impl Position {
    /// From the committed offset, or else from where the configuration says.
    #[must_use]
    pub fn new(initial: InitialStart, committed: Option<i64>) -> Self {
        let (initial, marker) = match committed {
            Some(TIP) => (InitialStart::Latest, committed),
            Some(RETAINED) => (InitialStart::All, committed),
            _ => (initial, None),
        };
        Self { initial, after: committed.filter(|_| marker.is_none()), marker, began: None }
    }

    /// The position is lost: goes on from there.
    pub fn restart(&mut self, initial: InitialStart) {
        let marker = match initial {
            InitialStart::Latest => TIP,
            InitialStart::All => RETAINED,
        };
        *self = Self::new(initial, Some(marker));
    }

    /// What is to be stored: the id after which the task stands, or `TIP` or `RETAINED` before its first event.
    #[must_use]
    pub fn stored(&self) -> Option<i64> {
        self.after.or(self.marker)
    }

    /// The id to subscribe with.
    #[must_use]
    pub fn replay_from(&self) -> i64 {
        match (self.after, self.initial, self.began) {
            (Some(id), _, _) => id,
            (None, InitialStart::All, _) | (None, InitialStart::Latest, Some(_)) => RETAINED,
            (None, InitialStart::Latest, None) => TIP,
        }
    }

    /// A subscription succeeded at this wall time (the server's, where it said so).
    pub fn subscribed(&mut self, at_ms: WallMs) {
        if self.after.is_none() && self.began.is_none() {
            self.began = Some(at_ms);
        }
    }

    /// The id after which the task stands; `None` before the first event of a task without a committed offset.
    #[must_use]
    pub fn after(&self) -> Option<i64> {
        self.after
    }

    /// Whether an event has been handed to the host before, or lies before the start that was asked for.
    #[must_use]
    pub fn is_past(&self, replay_id: i64, created_ms: Option<WallMs>) -> bool {
        if let Some(after) = self.after {
            return replay_id <= after;
        }
        match (self.initial, self.began, created_ms) {
            (InitialStart::Latest, Some(began), Some(created)) => created < began.saturating_sub(SINCE_MARGIN_MS),
            _ => false,
        }
    }

    /// An event was handed to the host.
    pub fn advance(&mut self, replay_id: i64) {
        self.after = Some(self.after.map_or(replay_id, |after| after.max(replay_id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committed_offset_wins_over_the_initial_start() {
        for initial in [InitialStart::Latest, InitialStart::All] {
            let position = Position::new(initial, Some(7));
            assert_eq!(position.replay_from(), 7);
            assert!(position.is_past(7, None) && position.is_past(6, None) && !position.is_past(8, None));
        }
    }

    #[test]
    fn a_session_lost_before_its_first_event_skips_nothing() {
        let mut position = Position::new(InitialStart::Latest, None);
        assert_eq!(position.replay_from(), TIP);
        position.subscribed(1_000_000);
        position.subscribed(9_000_000);
        assert_eq!(position.replay_from(), RETAINED);
        assert!(position.is_past(1, Some(997_999)), "older than the first subscription");
        assert!(!position.is_past(2, Some(998_000)));
        position.advance(2);
        assert_eq!(position.replay_from(), 2);
    }

    #[test]
    fn everything_retained_means_everything() {
        let mut position = Position::new(InitialStart::All, None);
        position.subscribed(1_000_000);
        assert_eq!(position.replay_from(), RETAINED);
        assert!(!position.is_past(1, Some(0)));
    }

    #[test]
    fn a_stored_marker_is_where_to_begin() {
        for (marker, configured) in [(TIP, InitialStart::All), (RETAINED, InitialStart::Latest)] {
            let mut position = Position::new(configured, Some(marker));
            assert_eq!((position.replay_from(), position.stored(), position.after()), (marker, Some(marker), None));
            position.subscribed(1_000_000);
            assert_eq!(position.replay_from(), RETAINED, "a session lost before its first event skips nothing");
            assert_eq!(position.is_past(1, Some(0)), marker == TIP);
            position.advance(4);
            assert_eq!((position.replay_from(), position.stored()), (4, Some(4)));
        }
    }

    #[test]
    fn a_lost_position_begins_anew() {
        let mut position = Position::new(InitialStart::Latest, Some(9));
        position.restart(InitialStart::All);
        assert_eq!((position.replay_from(), position.stored()), (RETAINED, Some(RETAINED)));
        assert!(!position.is_past(3, Some(0)), "replay ids may begin anew");
    }

    #[test]
    fn the_position_never_goes_back() {
        let mut position = Position::new(InitialStart::All, None);
        position.advance(5);
        position.advance(3);
        assert_eq!(position.after(), Some(5));
    }
}
