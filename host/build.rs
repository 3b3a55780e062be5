//! Embeds the component of a release build and notes wasmtime's version.
//!
//! `TRIBUTARY_COMPONENT` names the `.wasm`; without it nothing is embedded, and the program says at run time where it
//! looked for a component and how to make one.

use std::{env, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=TRIBUTARY_COMPONENT");
    let code = match env::var_os("TRIBUTARY_COMPONENT").filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = fs::canonicalize(&path)
                .map_err(|error| format!("TRIBUTARY_COMPONENT={}: {error}", PathBuf::from(&path).display()))?;
            println!("cargo::rerun-if-changed={}", path.display());
            format!("Some(include_bytes!({:?}))", path.display().to_string())
        }
        None => "None".to_owned(),
    };
    fs::write(out.join("embedded_component.rs"), code)?;

    let lock = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let version = wasmtime_version(&fs::read_to_string(&lock)?).ok_or("Cargo.lock has no package `wasmtime`")?;
    println!("cargo::rustc-env=TRIBUTARY_WASMTIME_VERSION={version}");
    Ok(())
}

/// The version line after `name = "wasmtime"`.
fn wasmtime_version(lock: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != "name = \"wasmtime\"");
    let version = lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}
