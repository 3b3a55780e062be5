//! What a task does with a describe: its first one, and those that follow while events stream.

use std::mem;

use super::pipeline::Pipeline;
use super::state::{Phase, Task};
use crate::{
    connector::{Plan, Prepared},
    error::Verdict,
    http::Response,
    salesforce::{gap::Reason, schema::RecordSchemas},
    time::Now,
};

impl Task {
    pub(super) fn begin(&mut self, now: Now, prepared: Prepared, schemas: RecordSchemas) {
        self.pipeline = Some(Pipeline::new(&self.config, &prepared.object, schemas));
        self.phase = Phase::Handshake;
        let is = prepared.push_topic_id.clone();
        self.prepared = Some(prepared);
        if let (Some(from), Some(was)) = (self.position.after(), self.push_topic_id.clone())
            && was != is
        {
            self.lose(now, from, &Reason::Recreated { was, is });
        }
    }

    /// Whether `salesforce.describe.refresh.ms` has passed since the last describe.
    pub(super) fn describe_is_due(&self, now: Now) -> bool {
        let every_ms = self.config.describe_refresh_ms;
        let is_past = |last: Now| now.monotonic_ms.saturating_sub(last.monotonic_ms) >= every_ms;
        every_ms > 0 && self.described.is_some_and(is_past)
    }

    /// Describes the object, then goes on with what was next.
    pub(super) fn describe_again(&mut self) {
        let Some(prepared) = &self.prepared else { return };
        let plan = Plan::refresh(prepared);
        self.resume = Some(Box::new(mem::replace(&mut self.phase, Phase::Prepare(plan))));
    }

    pub(super) fn described_again(&mut self, resume: Phase, prepared: Prepared, schemas: RecordSchemas) {
        self.phase = resume;
        let changed = self.prepared.as_ref().is_none_or(|before| before.describe != prepared.describe);
        if let Some(pipeline) = self.pipeline.as_mut().filter(|_| changed) {
            pipeline.renew(schemas);
        }
        self.prepared = Some(prepared);
    }

    pub(super) fn prepare(&mut self, now: Now, mut plan: Plan, response: &Response) -> Result<(), Verdict> {
        let needed_token = plan.needs_token();
        let result = plan.answered(&self.config, response, &mut self.events);
        self.phase = Phase::Prepare(plan);
        if let Some((prepared, schemas)) = result? {
            self.described = Some(now);
            self.backoff.reset();
            match self.resume.take() {
                Some(resume) => self.described_again(*resume, prepared, schemas),
                None => self.begin(now, prepared, schemas),
            }
        }
        if needed_token {
            self.tokens_refused = 0;
        }
        Ok(())
    }
}
