//! `Chain`: transforms in order, each with its predicate (Connect's `TransformationChain`). The first that drops a record
//! ends its way; a failure names the transform.

use std::fmt;

use super::{
    error::{Result, TransformError},
    predicates::Predicate,
};
use crate::data::SourceRecord;

/// What a transform may know besides the record.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The wall clock, in milliseconds since the epoch.
    pub now_ms: i64,
    /// What a person should know of, by the transforms that say so; taken away by whoever applies the chain.
    pub notes: Vec<String>,
}

/// Most notes that are kept until they are taken away.
const NOTES_MAX: usize = 20;

impl Context {
    /// Keeps a note, unless it is there already or there are too many.
    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// A transform: takes a record, gives it back changed, or drops it.
pub trait Transform: fmt::Debug + Send + CloneTransform {
    /// Transforms a record; `None` drops it.
    ///
    /// # Errors
    /// `TransformError` when the record is none that this transform can take.
    fn apply(
        &mut self,
        record: SourceRecord,
        context: &mut Context,
    ) -> std::result::Result<Option<SourceRecord>, TransformError>;
}

/// What lets a boxed transform be cloned.
pub trait CloneTransform {
    /// A clone in a box.
    fn boxed(&self) -> Box<dyn Transform>;
}

impl<T: Transform + Clone + 'static> CloneTransform for T {
    fn boxed(&self) -> Box<dyn Transform> {
        Box::new(self.clone())
    }
}

/// One transform and when it applies.
#[derive(Debug)]
pub struct Stage {
    /// Its name in the configuration.
    pub alias: String,
    /// The class, as the configuration has it.
    pub class: String,
    /// The transform.
    pub transform: Box<dyn Transform>,
    /// When it applies: always without a predicate.
    pub predicate: Option<Predicate>,
    /// Whether it applies when the predicate does not.
    pub negate: bool,
}

impl Clone for Stage {
    fn clone(&self) -> Self {
        Self {
            alias: self.alias.clone(),
            class: self.class.clone(),
            transform: self.transform.boxed(),
            predicate: self.predicate.clone(),
            negate: self.negate,
        }
    }
}

/// A record that a transform of the chain cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transform {alias} ({class}): {problem}")]
pub struct ChainError {
    /// The transform's name in the configuration.
    pub alias: String,
    /// Its class.
    pub class: String,
    /// What is the matter.
    pub problem: TransformError,
}

/// Transforms in order.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    stages: Vec<Stage>,
}

impl Chain {
    /// A chain of these.
    #[must_use]
    pub fn new(stages: Vec<Stage>) -> Self {
        Self { stages }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Leads a record through; `None` when it is dropped.
    ///
    /// # Errors
    /// `ChainError` at the first transform that cannot take the record.
    pub fn apply(
        &mut self,
        record: SourceRecord,
        context: &mut Context,
    ) -> std::result::Result<Option<SourceRecord>, ChainError> {
        let mut record = record;
        for stage in &mut self.stages {
            match stage.apply(record, context) {
                Ok(Some(next)) => record = next,
                Ok(None) => return Ok(None),
                Err(problem) => {
                    return Err(ChainError { alias: stage.alias.clone(), class: stage.class.clone(), problem });
                }
            }
        }
        Ok(Some(record))
    }
}

impl Stage {
    fn apply(&mut self, record: SourceRecord, context: &mut Context) -> Result<Option<SourceRecord>> {
        if let Some(predicate) = &self.predicate
            && predicate.test(&record)? == self.negate
        {
            return Ok(Some(record));
        }
        self.transform.apply(record, context)
    }
}
