//! Compiled components on disk. Compiling takes seconds, loading what was compiled milliseconds.
//!
//! The key is the content of the component, the engine's own compatibility hash and wasmtime's version, so a stale entry
//! cannot be found. The cache can only ever save time: whatever is wrong with it, the component is compiled.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

/// Size of a cache file beyond which it is not ours.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// A directory of compiled components.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: Option<PathBuf>,
}

impl Cache {
    /// The user's cache: `$XDG_CACHE_HOME/tributary`, else `~/.cache/tributary`, else `compiled` under `data_dir`.
    #[must_use]
    pub fn of_user(data_dir: &Path) -> Self {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let directory = absolute("XDG_CACHE_HOME")
            .map(|cache| cache.join("tributary"))
            .or_else(|| absolute("HOME").map(|home| home.join(".cache/tributary")))
            .unwrap_or_else(|| data_dir.join("compiled"));
        Self::in_directory(directory)
    }

    /// A cache in a directory of one's own, which is created when needed.
    #[must_use]
    pub fn in_directory(directory: PathBuf) -> Self {
        Self { directory: Some(directory) }
    }

    /// No cache.
    #[must_use]
    pub fn off() -> Self {
        Self { directory: None }
    }

    /// The compiled form of `wasm`, if it is here and whole.
    pub(crate) fn load(&self, engine: &Engine, wasm: &[u8]) -> Option<Component> {
        let directory = self.directory.as_deref()?;
        let path = directory.join(file_name(engine, wasm));
        if !is_private(directory).unwrap_or(false) || fs::metadata(&path).ok()?.len() > FILE_BYTES_MAX {
            return None;
        }
        let compiled = fs::read(&path).ok()?;
        let recorded = fs::read_to_string(checksum_path(&path)).ok()?;
        if recorded.trim() != hex(&Sha256::digest(&compiled)) {
            return None;
        }
        deserialize(engine, &compiled)
    }

    /// Keeps the compiled form of `wasm`. The error is for a debug line; nothing depends on it.
    pub(crate) fn store(&self, engine: &Engine, wasm: &[u8], component: &Component) -> io::Result<()> {
        let Some(directory) = self.directory.as_deref() else { return Ok(()) };
        create_private(directory)?;
        if !is_private(directory)? {
            return Err(io::Error::other(format!("{} can be written by others", directory.display())));
        }
        let compiled = component.serialize().map_err(io::Error::other)?;
        let path = directory.join(file_name(engine, wasm));
        // The checksum last: a pair that is torn in the middle does not match, and is compiled again.
        write_atomically(&path, &compiled)?;
        write_atomically(&checksum_path(&path), hex(&Sha256::digest(&compiled)).as_bytes())
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot verify machine code; the proof stands here")]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: the bytes must be what `Component::serialize` made. `load` is the only caller. It has seen that the
    // directory belongs to this process's user and that nobody else can write to it, so `store` (or the user, who could as
    // well replace this program) wrote the file; and that these very bytes (not the file, which might change afterwards)
    // have the checksum that was recorded beside them, so they are neither torn nor damaged. The name ties them to this
    // component, this engine configuration and this version of wasmtime, which wasmtime checks once more by itself.
    unsafe { Component::deserialize(engine, compiled) }.ok()
}

fn file_name(engine: &Engine, wasm: &[u8]) -> String {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    WASMTIME_VERSION.hash(&mut compatibility);
    format!("{}-{:016x}.cwasm", hex(&Sha256::digest(wasm)), compatibility.finish())
}

/// The version of wasmtime, as the lock file has it (`build.rs`).
const WASMTIME_VERSION: &str = env!("TRIBUTARY_WASMTIME_VERSION");

fn checksum_path(path: &Path) -> PathBuf {
    path.with_extension("sha256")
}

/// The SHA-256 of a component, as logs show it.
#[must_use]
pub fn digest(wasm: &[u8]) -> String {
    hex(&Sha256::digest(wasm))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What could not be written may not be removable either; the first error is the one that matters.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(unix)]
fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn create_private(_: &Path) -> io::Result<()> {
    Err(io::Error::other("no way to tell who may write to the cache on this system"))
}

/// Whether the directory belongs to the user of this process and nobody else can write to it.
#[cfg(unix)]
fn is_private(directory: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    let metadata = fs::symlink_metadata(directory)?;
    // A file that this process makes belongs to its user; there is no other safe way to ask without another dependency.
    let probe = directory.join(format!(".owner-{}", std::process::id()));
    let owner = fs::write(&probe, b"").and_then(|()| fs::metadata(&probe)).map(|probe| probe.uid());
    let _ = fs::remove_file(&probe);
    Ok(metadata.is_dir() && metadata.mode() & WRITABLE_BY_OTHERS == 0 && metadata.uid() == owner?)
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use super::*;

    const WASM: &[u8] = b"(component)";

    fn engine() -> Engine {
        Engine::default()
    }

    fn filled(directory: &Path) -> (Engine, Cache, PathBuf) {
        let (engine, cache) = (engine(), Cache::in_directory(directory.join("cache")));
        let component = Component::new(&engine, wat::parse_bytes(WASM).unwrap()).unwrap();
        cache.store(&engine, WASM, &component).unwrap();
        let path = directory.join("cache").join(file_name(&engine, WASM));
        (engine, cache, path)
    }

    #[test]
    fn what_was_stored_is_found_by_content_and_engine() {
        let directory = tempfile::tempdir().unwrap();
        let (engine, cache, _) = filled(directory.path());
        assert!(cache.load(&engine, WASM).is_some());
        assert!(cache.load(&engine, b"(component )").is_none());
        let mut other = wasmtime::Config::new();
        other.epoch_interruption(true);
        assert!(cache.load(&Engine::new(&other).unwrap(), WASM).is_none());
        assert!(Cache::off().load(&engine, WASM).is_none());
    }

    /// Damages the cache in one way; it must not be used then.
    fn check(case: &str, damage: impl Fn(&Path)) {
        let directory = tempfile::tempdir().unwrap();
        let (engine, cache, path) = filled(directory.path());
        damage(&path);
        assert!(cache.load(&engine, WASM).is_none(), "{case}");
    }

    #[test]
    fn a_damaged_or_shared_cache_is_not_trusted() {
        check("one byte changed", |path| {
            let mut bytes = fs::read(path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        });
        check("truncated", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        });
        check("no checksum", |path| fs::remove_file(checksum_path(path)).unwrap());
        check("empty, with a matching checksum", |path| {
            fs::write(path, b"").unwrap();
            fs::write(checksum_path(path), hex(&Sha256::digest(b""))).unwrap();
        });
        #[cfg(unix)]
        check("directory open to the group", |path| {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o770)).unwrap();
        });
    }
}
