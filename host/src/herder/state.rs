//! The life of one connector as a pure state machine: what people want of it, what its task does, and what follows. No
//! I/O, no clock. `herder` carries out the actions and reports what became of them.
//!
//! A connector has one task, and the task at most one life at a time: a new one begins only when the last has ended.

use crate::store::TargetState;

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants this from now on: pause, resume or stop.
    Want(TargetState),
    /// There is a new configuration.
    Configure,
    /// Somebody wants a new start of the task.
    Restart,
    /// Nothing is to run for a while, because its offsets are being moved; or that is over.
    Hold(bool),
    /// Somebody wants it gone.
    Delete,
    /// What failed may work now. What works is left alone.
    Retry,
    /// The task's life has ended, as it was asked to.
    Halted,
    /// The task's life has ended by itself.
    Failed(String),
    /// Nothing can be started: what is wrong with the configuration, now.
    Refused(String),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Begin a life of the task. `Halted`, `Failed` or `Refused` will follow, once.
    Start,
    /// Ask the task's life to end.
    Halt,
    /// The connector is gone: nothing of it runs.
    Forget,
}

/// The task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    None,
    Running,
    /// It was asked to end.
    Halting,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Machine {
    target: TargetState,
    life: Life,
    /// Why there is no life although one is wanted.
    failed: Option<Failure>,
    /// There has been a configuration of the task since the connector was last stopped.
    has_task: bool,
    held: bool,
    deleted: bool,
}

/// What failed, in Kafka Connect's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Failure {
    Connector(String),
    Task(String),
}

impl Machine {
    /// A connector of which this is wanted, and the first action.
    #[must_use]
    pub fn new(target: TargetState) -> (Self, Option<Action>) {
        let mut machine = Self { target, life: Life::None, failed: None, has_task: false, held: false, deleted: false };
        let action = machine.follow();
        (machine, action)
    }

    /// What is wanted.
    #[must_use]
    pub fn target(&self) -> TargetState {
        self.target
    }

    /// Something happened.
    pub fn on(&mut self, event: Event) -> Option<Action> {
        match event {
            Event::Want(target) => self.target = target,
            Event::Configure | Event::Restart => {
                self.failed = None;
                if self.life == Life::Running {
                    self.life = Life::Halting;
                    return Some(Action::Halt);
                }
            }
            Event::Retry => self.failed = None,
            Event::Hold(held) => {
                self.held = held;
                if held {
                    self.failed = None;
                }
            }
            Event::Delete => self.deleted = true,
            Event::Halted => self.life = Life::None,
            Event::Failed(trace) => {
                // What a life says that was to end anyway is of no interest to the next one.
                if self.life == Life::Running {
                    self.failed = Some(Failure::Task(trace));
                }
                self.life = Life::None;
            }
            Event::Refused(trace) => {
                if self.life == Life::Running {
                    self.failed = Some(Failure::Connector(trace));
                }
                self.life = Life::None;
            }
        }
        self.follow()
    }

    /// Makes what is agree with what is wanted.
    fn follow(&mut self) -> Option<Action> {
        let wanted = self.target == TargetState::Started && !self.held && !self.deleted;
        if self.target == TargetState::Stopped {
            self.has_task = false;
        }
        if self.target != TargetState::Started {
            self.failed = None;
        }
        match self.life {
            Life::None if self.deleted => Some(Action::Forget),
            Life::None if wanted && self.failed.is_none() => {
                (self.life, self.has_task) = (Life::Running, true);
                Some(Action::Start)
            }
            Life::Running if !wanted => {
                self.life = Life::Halting;
                Some(Action::Halt)
            }
            Life::None | Life::Running | Life::Halting => None,
        }
    }

    /// The connector's state in Kafka Connect's words, and the trace of a failure.
    #[must_use]
    pub fn connector(&self) -> (&'static str, Option<&str>) {
        match (self.target, &self.failed) {
            (TargetState::Started, Some(Failure::Connector(trace))) => ("FAILED", Some(trace)),
            (TargetState::Started, _) => ("RUNNING", None),
            (TargetState::Paused, _) => ("PAUSED", None),
            (TargetState::Stopped, _) => ("STOPPED", None),
        }
    }

    /// The task's state in Kafka Connect's words, and the trace of a failure; `None` when there is no task. `reported` is
    /// what the task says of itself.
    #[must_use]
    pub fn task<'a>(&'a self, reported: &'static str) -> Option<(&'static str, Option<&'a str>)> {
        if !self.has_task {
            return None;
        }
        match (self.target, self.life, &self.failed) {
            (TargetState::Paused, ..) => Some(("PAUSED", None)),
            (TargetState::Stopped, ..) | (_, _, Some(Failure::Connector(_))) => None,
            (_, _, Some(Failure::Task(trace))) => Some(("FAILED", Some(trace))),
            (_, Life::Halting, _) => Some(("RESTARTING", None)),
            (_, Life::None, _) => Some(("UNASSIGNED", None)),
            (_, Life::Running, _) => Some((if reported.is_empty() { "UNASSIGNED" } else { reported }, None)),
        }
    }

    /// Whether nothing of it runs, so that its offsets may be changed.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.life == Life::None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TARGETS: [TargetState; 3] = [TargetState::Started, TargetState::Paused, TargetState::Stopped];

    /// Every event, with a trace that tells it apart.
    fn events() -> Vec<Event> {
        let wants = TARGETS.map(Event::Want);
        let others =
            [Event::Configure, Event::Restart, Event::Retry, Event::Hold(true), Event::Hold(false), Event::Delete];
        let ends = [Event::Halted, Event::Failed("f".to_owned()), Event::Refused("r".to_owned())];
        wants.into_iter().chain(others).chain(ends).collect()
    }

    /// A machine with a life in this stage.
    fn machine(target: TargetState, life: Life) -> Machine {
        Machine { target, life, failed: None, has_task: life != Life::None, held: false, deleted: false }
    }

    #[test]
    fn every_transition() {
        use Action::{Forget, Halt, Start};
        // From a connector that is wanted to run: none, running, halting.
        let expected = [
            ("Want(Started)", [Some(Start), None, None]),
            ("Want(Paused)", [None, Some(Halt), None]),
            ("Want(Stopped)", [None, Some(Halt), None]),
            ("Configure", [Some(Start), Some(Halt), None]),
            ("Restart", [Some(Start), Some(Halt), None]),
            ("Retry", [Some(Start), None, None]),
            ("Hold(true)", [None, Some(Halt), None]),
            ("Hold(false)", [Some(Start), None, None]),
            ("Delete", [Some(Forget), Some(Halt), None]),
            ("Halted", [Some(Start), Some(Start), Some(Start)]),
            ("Failed(\"f\")", [Some(Start), None, Some(Start)]),
            ("Refused(\"r\")", [Some(Start), None, Some(Start)]),
        ];
        for (event, (name, actions)) in events().into_iter().zip(expected) {
            assert_eq!(format!("{event:?}"), name);
            for (life, action) in [Life::None, Life::Running, Life::Halting].into_iter().zip(actions) {
                assert_eq!(machine(TargetState::Started, life).on(event.clone()), action, "{event:?} in {life:?}");
            }
        }
        // From one that is not: nothing is ever started but by `Want(Started)`.
        for target in [TargetState::Paused, TargetState::Stopped] {
            for event in events() {
                for life in [Life::None, Life::Halting] {
                    let action = machine(target, life).on(event.clone());
                    let ended = matches!(event, Event::Halted | Event::Failed(_) | Event::Refused(_));
                    let expected = match event {
                        Event::Want(TargetState::Started) if life == Life::None => Some(Start),
                        Event::Delete if life == Life::None => Some(Forget),
                        _ => None,
                    };
                    assert_eq!(action, expected, "{event:?} in {target:?} {life:?}, ended {ended}");
                }
            }
        }
    }

    #[test]
    fn what_is_shown() {
        let (mut machine, action) = Machine::new(TargetState::Started);
        assert_eq!(action, Some(Action::Start));
        assert_eq!((machine.connector(), machine.task("")), (("RUNNING", None), Some(("UNASSIGNED", None))));
        assert_eq!(machine.task("RUNNING"), Some(("RUNNING", None)));
        assert_eq!(machine.on(Event::Failed("why".to_owned())), None, "it stays failed until somebody acts");
        assert_eq!(machine.connector(), ("RUNNING", None));
        assert_eq!(machine.task("RUNNING"), Some(("FAILED", Some("why"))));
        assert_eq!(machine.clone().on(Event::Retry), Some(Action::Start));
        assert_eq!(machine.on(Event::Restart), Some(Action::Start));
        machine.on(Event::Refused("bad".to_owned()));
        assert_eq!((machine.connector(), machine.task("RUNNING")), (("FAILED", Some("bad")), None));
        assert_eq!(machine.on(Event::Want(TargetState::Paused)), None);
        assert_eq!((machine.connector(), machine.task("")), (("PAUSED", None), Some(("PAUSED", None))));
        assert_eq!(machine.on(Event::Want(TargetState::Stopped)), None);
        assert_eq!((machine.connector(), machine.task("")), (("STOPPED", None), None));
        assert!(machine.is_at_rest());
        // One that begins paused has no task until it is resumed.
        let (machine, action) = Machine::new(TargetState::Paused);
        assert_eq!((action, machine.task("")), (None, None));
    }

    proptest! {
        /// Whatever people do, and whenever lives end: never two lives at once, and when no life is left under way, what is
        /// agrees with what is wanted.
        #[test]
        fn one_life_at_a_time(first in 0_usize..3, steps in proptest::collection::vec(0_usize..11, 0..60)) {
            let (mut machine, action) = Machine::new(TARGETS[first]);
            let (mut lives, mut asked_to_end) = (0_i32, false);
            let perform = |action: Option<Action>, lives: &mut i32, asked: &mut bool| match action {
                Some(Action::Start) => { *lives += 1; *asked = false; }
                Some(Action::Halt) => { assert_eq!(*lives, 1, "nobody is there to be asked"); *asked = true; }
                Some(Action::Forget) | None => {}
            };
            perform(action, &mut lives, &mut asked_to_end);
            let events = events();
            for step in steps {
                let event = events[step].clone();
                if matches!(event, Event::Halted | Event::Failed(_) | Event::Refused(_)) {
                    // Only a life can end, and one that was not asked does not say that it was halted.
                    if lives == 0 || (event == Event::Halted && !asked_to_end) {
                        continue;
                    }
                    lives -= 1;
                }
                let action = machine.on(event);
                perform(action, &mut lives, &mut asked_to_end);
                prop_assert!((0..=1).contains(&lives));
            }
            if lives == 1 && asked_to_end {
                lives -= 1;
                let action = machine.on(Event::Halted);
                perform(action, &mut lives, &mut asked_to_end);
            }
            prop_assert!((0..=1).contains(&lives));
            let wanted = machine.target() == TargetState::Started && !machine.held && !machine.deleted;
            prop_assert!(lives == 0 || wanted, "it runs although nobody wants it");
            prop_assert!(lives == 1 || !wanted || machine.failed.is_some(), "it does not run although it is wanted");
        }
    }
}
