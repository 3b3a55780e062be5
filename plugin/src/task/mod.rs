//! A task: the state machine that logs in, prepares, subscribes and turns answers into records. It says what to do next
//! (`Step`) and is told what came of it; `driver` does the doing.

#[cfg(test)]
mod conversion_random;
mod delivery;
mod describing;
mod lane;
mod loss;
mod lost;
#[cfg(test)]
mod lost_story;
mod pipeline;
pub mod preview;
#[cfg(test)]
mod refresh_story;
mod registration;
#[cfg(test)]
mod registration_story;
mod rejected;
#[cfg(test)]
mod rejected_story;
mod repair;
#[cfg(test)]
mod repair_story;
mod silence;
#[cfg(test)]
mod silence_story;
mod state;
mod step;
#[cfg(test)]
mod story;
mod transport;
mod verdicts;

pub use state::Task;
pub use step::{ProducerRecord, Step};
