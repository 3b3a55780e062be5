//! What one component instance may hold: its own memory, and what the host keeps on its behalf. Every bound has a name
//! and a unit; a guest that reaches one is stopped or refused, and its neighbours do not notice.

use std::sync::{Arc, atomic::Ordering};

use wasmtime::ResourceLimiter;

use crate::telemetry::TaskMetrics;

/// The default of `tributary.instance.memory.max.bytes`.
pub const INSTANCE_MEMORY_BYTES_MAX_DEFAULT: usize = 64 << 20;
/// The least memory with which a bound makes sense: one page of WebAssembly.
pub const INSTANCE_MEMORY_BYTES_MIN: usize = 64 << 10;
/// The most that a 32-bit component can address.
pub const INSTANCE_MEMORY_BYTES_MAX: usize = 4 << 30;
/// Linear memories of one instance.
pub(crate) const MEMORIES_MAX: u32 = 2;
/// Tables of one instance.
pub(crate) const TABLES_MAX: u32 = 8;
/// Elements of one table: function pointers, some thousands in a large component.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 50_000;
/// Core module instances of one component instance: the module itself and the shims around it.
pub(crate) const CORE_INSTANCES_MAX: u32 = 16;
/// Host resources (streams, pollables, requests, header lists) that one instance may hold at a time.
pub(crate) const HOST_HANDLES_MAX: usize = 1024;
/// Bytes that the host copies out of a guest in one call of an import.
pub(crate) const IMPORT_CALL_BYTES_MAX: usize = 64 << 20;
/// Random bytes in one call.
pub(crate) const RANDOM_BYTES_MAX: u64 = 64 << 10;
/// Size of one header list that a guest builds or receives, as the HTTP library holds it.
pub(crate) const HEADER_BYTES_MAX: usize = 128 << 10;

/// The bounds of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instances that may exist at a time, over all connectors.
    pub instances_max: u32,
    /// `tributary.instance.memory.max.bytes`: linear memory of one instance.
    pub memory_bytes_max: usize,
}

impl Limits {
    /// The bounds for `connectors` tasks: one instance for each, one more while it is being replaced, and some for
    /// descriptions and checks.
    #[must_use]
    pub fn for_connectors(connectors: usize, memory_bytes_max: usize) -> Self {
        const SPARE: u32 = 4;
        let tasks = u32::try_from(connectors).unwrap_or(u32::MAX / 4).min(u32::MAX / 4);
        Self { instances_max: tasks * 2 + SPARE, memory_bytes_max }
    }
}

/// Watches the growth of one instance.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes_max: usize,
    memory_bytes_refused: Option<usize>,
    metrics: Arc<TaskMetrics>,
}

impl Limiter {
    pub(crate) fn new(memory_bytes_max: usize, metrics: Arc<TaskMetrics>) -> Self {
        Self { memory_bytes_max, memory_bytes_refused: None, metrics }
    }

    /// What the instance asked for, where that was more than it may have: the likely reason of a trap that follows.
    pub(crate) fn refused(&self) -> Option<String> {
        self.memory_bytes_refused.map(|bytes| {
            format!(
                "it asked for {bytes} bytes of memory, and tributary.instance.memory.max.bytes is {}",
                self.memory_bytes_max
            )
        })
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.memory_bytes_max && maximum.is_none_or(|maximum| desired <= maximum);
        if allowed {
            self.metrics.memory_bytes.store(desired as u64, Ordering::Relaxed);
        } else {
            self.memory_bytes_refused = Some(desired);
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_refused_beyond_each_bound_and_only_there() {
        let mut limiter = Limiter::new(1 << 20, Arc::default());
        let memory = [
            (1 << 20, None, true),
            ((1 << 20) + 1, None, false),
            (1 << 16, Some(1 << 16), true),
            ((1 << 16) + 1, Some(1 << 16), false),
        ];
        for (desired, maximum, allowed) in memory {
            assert!(
                matches!(limiter.memory_growing(0, desired, maximum), Ok(answer) if answer == allowed),
                "{desired} {maximum:?}"
            );
        }
        let table = [(TABLE_ELEMENTS_MAX, None, true), (TABLE_ELEMENTS_MAX + 1, None, false), (11, Some(10), false)];
        for (desired, maximum, allowed) in table {
            assert!(
                matches!(limiter.table_growing(0, desired, maximum), Ok(answer) if answer == allowed),
                "{desired} {maximum:?}"
            );
        }
        let text = limiter.refused().unwrap_or_default();
        assert!(text.contains("tributary.instance.memory.max.bytes is 1048576"), "{text}");
    }

    #[test]
    fn there_is_room_for_every_task_and_its_successor() {
        assert_eq!(Limits::for_connectors(0, 1).instances_max, 4);
        assert_eq!(Limits::for_connectors(3, 1).instances_max, 10);
        assert!(Limits::for_connectors(usize::MAX, 1).instances_max > 1_000_000);
    }
}
