//! Transforms, held against the originals: Apache's own classes run in a JVM (`TransformHarness.java`) on the same records
//! with the same configuration, and must agree on value, schema, topic, timestamp, headers, and on whether they fail.
//!
//! Generated cases print their seed; `TRANSFORMS_SEED=N` runs them again, `TRANSFORMS_CASES=N` sets how many. Without a JDK
//! or Kafka's jars (`make kafka`) this is skipped aloud; in CI it fails then.

#![expect(clippy::print_stdout, reason = "a seed, and what was compared or skipped, is for people")]

mod cases;
mod differential;
mod envelope;
mod generate;
mod java;
mod semantics;
