//! `componentize MODULE COMPONENT`: turns the core module that Cargo built from `plugin/` into a component of the world
//! in `wit/` (the component model's "canonical ABI" and the `component-type` section that wit-bindgen leaves in a
//! module). `scripts/build-component.sh` calls it; `docs/architecture.md`, section "Building the component".
//!
//! The output is only touched when its bytes change, so that what depends on it is rebuilt only when there is a reason.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use wit_component::{ComponentEncoder, metadata};
use wit_parser::{Resolve, WorldId};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, component] = arguments.as_slice() else {
        return fail("usage: componentize MODULE.wasm COMPONENT.wasm");
    };
    match run(Path::new(module), Path::new(component)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}")),
    }
}

#[expect(clippy::print_stderr, reason = "a build tool talks to the person at the terminal")]
fn fail(message: &str) -> ExitCode {
    eprintln!("componentize: {message}");
    ExitCode::FAILURE
}

/// Reads the module, writes the component when it differs from what is there.
fn run(module: &Path, component: &Path) -> Result<()> {
    let bytes = fs::read(module).with_context(|| format!("cannot read the module {}", module.display()))?;
    let encoded = componentize(&bytes).with_context(|| format!("{} does not become a component", module.display()))?;
    if fs::read(component).is_ok_and(|old| old == encoded) {
        return Ok(());
    }
    // Beside the target and renamed: nobody ever reads half a component.
    let partial = component.with_extension("wasm.partial");
    let write = || -> std::io::Result<()> {
        if let Some(parent) = component.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&partial, &encoded)?;
        fs::rename(&partial, component)
    };
    write().with_context(|| format!("cannot write the component {}", component.display()))
}

/// The component made of a core module, validated.
///
/// # Errors
/// When the module carries no world, imports what the world does not have, or is not valid.
fn componentize(module: &[u8]) -> Result<Vec<u8>> {
    if wasmparser::Parser::is_component(module) {
        bail!("it is a component already");
    }
    if !wasmparser::Parser::is_core_wasm(module) {
        bail!("it is not a WebAssembly module");
    }
    let (_, bindgen) = metadata::decode(module).context("its component-type section cannot be read")?;
    if bindgen.resolve.worlds[bindgen.world].exports.is_empty() {
        bail!(
            "it exports no interface of wit/: the crate must be built for wasm32 with the bindings that \
             wit-bindgen makes (`wit_bindgen::generate!` and `export!`)"
        );
    }
    let stray = stray_imports(module, &bindgen.resolve, bindgen.world)?;
    if !stray.is_empty() {
        bail!(
            "it imports what the contract does not have: {}. Most often a dependency expects a browser \
             (wasm-bindgen, `js` features of getrandom or time) or calls C code; turn that feature off",
            stray.join(", ")
        );
    }
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// Imports of the core module that neither the world nor the canonical ABI provides, as `module::name`.
fn stray_imports(module: &[u8], resolve: &Resolve, world: WorldId) -> Result<Vec<String>> {
    let world = &resolve.worlds[world];
    let interfaces = world.imports.keys().chain(world.exports.keys());
    let known: Vec<String> = interfaces.map(|key| resolve.name_world_key(key)).collect();
    let mut stray = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        let wasmparser::Payload::ImportSection(section) = payload? else { continue };
        for import in section.into_imports() {
            let import = import?;
            // The canonical ABI's own: `$root` for functions of the world itself, `[export]` for the intrinsics of
            // exported resources.
            let interface = import.module.strip_prefix("[export]").unwrap_or(import.module);
            if interface != "$root" && !known.iter().any(|name| name == interface) {
                stray.push(format!("{}::{}", import.module, import.name));
            }
        }
    }
    Ok(stray)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
    use wit_parser::{ManglingAndAbi, Resolve};

    use super::*;

    /// A module that implements the world of `wit/`, every function a trap.
    fn module_of_our_world() -> Vec<u8> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
        let world = resolve.select_world(&[package], Some("source-connector")).unwrap();
        let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(wit_parser::LiftLowerAbi::Sync));
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
        module
    }

    /// The same with one more import, put in front of the imports of the world.
    fn with_stray_import(module: &[u8]) -> Vec<u8> {
        let text = wasmprinter::print_bytes(module).unwrap();
        let stray = "(import \"__wbindgen_placeholder__\" \"now\" (func))";
        wat::parse_str(text.replacen("(module", &format!("(module {stray}"), 1)).unwrap()
    }

    #[test]
    fn a_module_of_our_world_becomes_a_component_and_anything_else_is_refused() {
        let good = module_of_our_world();
        let component = componentize(&good).unwrap();
        assert!(wasmparser::Parser::is_component(&component));

        let refused: [(&str, Vec<u8>, &str); 4] = [
            ("text", b"not wasm".to_vec(), "not a WebAssembly module"),
            ("component", component, "a component already"),
            ("bare module", wat::parse_str("(module)").unwrap(), "exports no interface of wit/"),
            ("stray import", with_stray_import(&good), "__wbindgen_placeholder__::now"),
        ];
        for (name, bytes, expected) in refused {
            let message = format!("{:#}", componentize(&bytes).unwrap_err());
            assert!(message.contains(expected), "{name}: {message}");
        }
    }

    #[test]
    fn an_unchanged_component_keeps_its_modification_time() {
        let folder = tempfile::tempdir().unwrap();
        let (module, component) = (folder.path().join("in.wasm"), folder.path().join("sub/out.wasm"));
        fs::write(&module, module_of_our_world()).unwrap();
        run(&module, &component).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        fs::File::options().write(true).open(&component).unwrap().set_modified(long_ago).unwrap();
        run(&module, &component).unwrap();
        assert_eq!(fs::metadata(&component).unwrap().modified().unwrap(), long_ago);
        fs::write(&component, b"something else").unwrap();
        run(&module, &component).unwrap();
        assert_ne!(fs::metadata(&component).unwrap().modified().unwrap(), long_ago);
    }
}
