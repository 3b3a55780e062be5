//! The wasmtime engine of the process.

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig, component::Linker};

use super::{
    limits::{
        CORE_INSTANCES_MAX, INSTANCE_MEMORY_BYTES_MAX, INSTANCE_MEMORY_BYTES_MIN, Limits, MEMORIES_MAX,
        TABLE_ELEMENTS_MAX, TABLES_MAX,
    },
    linker,
    state::HostState,
    ticker::Ticker,
};

/// Native stack of one instance's calls, of which the guest may use the smaller part.
const STACK_BYTES: usize = 2 << 20;
const GUEST_STACK_BYTES_MAX: usize = 1 << 20;
/// Metadata of one instance; what wit-component makes needs far less.
const INSTANCE_METADATA_BYTES_MAX: usize = 1 << 20;

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The bound on memory makes no sense.
    #[error(
        "tributary.instance.memory.max.bytes is {0}; it must lie between {INSTANCE_MEMORY_BYTES_MIN} (one page) and \
         {INSTANCE_MEMORY_BYTES_MAX} (what a 32-bit component can address)"
    )]
    Memory(usize),
    /// wasmtime cannot be set up: the machine, or the address space that this process may have.
    #[error(
        "the component runtime cannot start: {0}; each instance reserves 4 GiB of address space (not of memory), so look \
         at `ulimit -v`"
    )]
    Runtime(String),
}

/// The engine; it ticks until it is dropped.
pub struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<HostState>,
    limits: Limits,
    _ticker: Ticker,
}

impl Engine {
    /// Sets up the engine and reserves room for its instances.
    ///
    /// # Errors
    /// See `EngineError`.
    pub fn new(limits: Limits) -> Result<Self, EngineError> {
        if !(INSTANCE_MEMORY_BYTES_MIN..=INSTANCE_MEMORY_BYTES_MAX).contains(&limits.memory_bytes_max) {
            return Err(EngineError::Memory(limits.memory_bytes_max));
        }
        let failed = |error: wasmtime::Error| EngineError::Runtime(format!("{error:#}"));
        let engine = wasmtime::Engine::new(&config(limits)).map_err(failed)?;
        let linker = linker::linker(&engine).map_err(failed)?;
        let ticker = Ticker::start(&engine).map_err(|error| EngineError::Runtime(error.to_string()))?;
        Ok(Self { engine, linker, limits, _ticker: ticker })
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    pub(crate) fn linker(&self) -> &Linker<HostState> {
        &self.linker
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}

fn config(limits: Limits) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits.instances_max)
        .total_core_instances(limits.instances_max.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(limits.instances_max.saturating_mul(MEMORIES_MAX))
        .total_tables(limits.instances_max.saturating_mul(TABLES_MAX))
        .total_stacks(limits.instances_max)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memory_size(limits.memory_bytes_max)
        .max_component_instance_size(INSTANCE_METADATA_BYTES_MAX)
        .max_core_instance_size(INSTANCE_METADATA_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        // A slot gives its pages back when its instance ends: tasks live for weeks, a warm slot saves microseconds.
        .max_unused_warm_slots(0);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .async_stack_size(STACK_BYTES)
        .max_wasm_stack(GUEST_STACK_BYTES_MAX)
        // Not part of what connectors are built with; less to attack.
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_component_model(true);
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_on_memory_that_makes_no_sense_is_refused_by_name() {
        for bytes in [0, INSTANCE_MEMORY_BYTES_MIN - 1, INSTANCE_MEMORY_BYTES_MAX + 1] {
            let error = Engine::new(Limits { instances_max: 1, memory_bytes_max: bytes }).err().map(|e| e.to_string());
            assert!(error.as_deref().is_some_and(|e| e.contains("tributary.instance.memory.max.bytes")), "{error:?}");
        }
        for bytes in [INSTANCE_MEMORY_BYTES_MIN, INSTANCE_MEMORY_BYTES_MAX] {
            assert!(Engine::new(Limits { instances_max: 1, memory_bytes_max: bytes }).is_ok(), "{bytes}");
        }
    }
}
