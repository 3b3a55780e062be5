//! What a component can import, interface by interface, and nothing else: the world of `wit/world.wit`. There is no
//! environment, no file system, no standard stream and no socket to be found here.

use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{
    clocks::{WasiClocks, WasiClocksView},
    p2::bindings::{clocks, io, random},
    random::{WasiRandom, WasiRandomView},
};
use wasmtime_wasi_http::{
    WasiHttp, WasiHttpView,
    p2::bindings::http::{outgoing_handler, types as http_types},
};

use super::state::HostState;
use crate::bindings::{producer, telemetry, types};

/// The imports of the world, without version.
const IMPORTS: [&str; 11] = [
    "tributary:connector/producer",
    "tributary:connector/telemetry",
    "tributary:connector/types",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
];

/// The linker with every import of the world.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    io::error::add_to_linker::<HostState, Table>(l, HostState::table_mut)?;
    io::poll::add_to_linker::<HostState, Table>(l, HostState::table_mut)?;
    io::streams::add_to_linker::<HostState, Table>(l, HostState::table_mut)?;
    clocks::monotonic_clock::add_to_linker::<HostState, WasiClocks>(l, HostState::clocks)?;
    clocks::wall_clock::add_to_linker::<HostState, WasiClocks>(l, HostState::clocks)?;
    random::random::add_to_linker::<HostState, WasiRandom>(l, HostState::random)?;
    let http_options = http_types::LinkOptions::default();
    http_types::add_to_linker::<HostState, WasiHttp>(l, &http_options, HostState::http)?;
    outgoing_handler::add_to_linker::<HostState, WasiHttp>(l, HostState::http)?;
    types::add_to_linker::<HostState, HasSelf<HostState>>(l, |state| state)?;
    producer::add_to_linker::<HostState, HasSelf<HostState>>(l, |state| state)?;
    telemetry::add_to_linker::<HostState, HasSelf<HostState>>(l, |state| state)?;
    Ok(linker)
}

/// Of these imports, those that no host of this contract gives.
pub(crate) fn foreign<'a>(imports: impl Iterator<Item = &'a str>) -> Vec<String> {
    let known = |import: &str| IMPORTS.contains(&import.split('@').next().unwrap_or(import));
    imports.filter(|import| !known(import)).map(str::to_owned).collect()
}

/// The table of host resources, for the interfaces that need nothing but it.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_world_does_not_have_is_foreign() {
        let known = IMPORTS.iter().map(|import| format!("{import}@0.2.1")).collect::<Vec<_>>();
        assert_eq!(foreign(known.iter().map(String::as_str)), Vec::<String>::new());
        for import in [
            "wasi:cli/environment@0.2.1",
            "wasi:filesystem/types@0.2.1",
            "wasi:sockets/tcp@0.2.1",
            "wasi:random/insecure@0.2.1",
            "wasi:http/incoming-handler@0.2.1",
            "wasi:cli/stderr@0.2.1",
            "producer",
        ] {
            assert_eq!(foreign([import].into_iter()), [import]);
        }
    }
}
