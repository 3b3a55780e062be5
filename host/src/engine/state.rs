//! What the host keeps for one instance: the data of its store.

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{
    limits::{HEADER_BYTES_MAX, HOST_HANDLES_MAX, Limiter, RANDOM_BYTES_MAX},
    ticker::Meter,
};
use crate::imports::{http::Outgoing, producer::Producer, telemetry::Voice};

/// The data of a store.
pub(crate) struct HostState {
    table: ResourceTable,
    /// Clocks and randomness. What else this type holds is not linked, so no component can reach it.
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    producer: Producer,
    voice: Voice,
    limiter: Limiter,
    meter: Meter,
}

impl HostState {
    pub(crate) fn new(outgoing: Outgoing, producer: Producer, voice: Voice, limiter: Limiter, meter: Meter) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HOST_HANDLES_MAX);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(HEADER_BYTES_MAX);
        let wasi = WasiCtx::builder().max_random_size(RANDOM_BYTES_MAX).build();
        Self { table, wasi, http, outgoing, producer, voice, limiter, meter }
    }

    pub(crate) fn table_mut(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(crate) fn producer_mut(&mut self) -> &mut Producer {
        &mut self.producer
    }

    pub(crate) fn producer(&self) -> &Producer {
        &self.producer
    }

    pub(crate) fn voice_mut(&mut self) -> &mut Voice {
        &mut self.voice
    }

    pub(crate) fn voice(&self) -> &Voice {
        &self.voice
    }

    pub(crate) fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    pub(crate) fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}
