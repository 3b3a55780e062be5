//! The host's only reader of `wit/`: the one `bindgen!` call. Everything else uses the names below, and outside of
//! `engine/`, `imports/` and `convert.rs` only through plain types (`record.rs`, `engine::instance`).
//!
//! The world `source-connector` is taken without its WASI imports: those are `wasmtime-wasi`'s and
//! `wasmtime-wasi-http`'s own bindings, linked one by one in `engine/linker.rs`. (Mapping them here with `with` would
//! generate a linker function for the whole world, which does not fit the newer 0.2.x interfaces of those crates.)

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package tributary:host;
            world source-connector {
                import tributary:connector/producer@0.1.0;
                import tributary:connector/telemetry@0.1.0;
                export tributary:connector/source@0.1.0;
            }
        ",
        world: "tributary:host/source-connector",
        imports: {
            "tributary:connector/producer": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        require_store_data_send: true,
    });
}

pub(crate) use generated::{
    SourceConnector, SourceConnectorPre,
    exports::tributary::connector::source,
    tributary::connector::{producer, telemetry, types},
};
