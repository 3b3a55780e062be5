//! A component file: where it comes from, whether it is what it claims to be, and its compiled, linked form.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use wasmtime::component::Component as Compiled;

use super::{
    cache::{self, Cache},
    contract::Description,
    engine::Engine,
    instance::{Instance, InstanceParts, Trapped},
    limits::Limits,
    linker,
    state::HostState,
};
use crate::{
    bindings::SourceConnectorPre,
    telemetry::{Event, Telemetry},
};

/// The interface that a component must export, and the version that this host speaks.
const EXPORT: &str = "tributary:connector/source";
const EXPORT_VERSION: &str = "0.1.0";
/// Size of a component file.
const FILE_BYTES_MAX: u64 = 128 << 20;
/// The first bytes of every WebAssembly file, and what tells a component from a core module.
const MAGIC: &[u8] = b"\0asm";
const COMPONENT_LAYER: [u8; 4] = [0x0d, 0, 1, 0];

/// The component that a release build carries (`build.rs`).
static EMBEDDED: Option<&[u8]> = include!(concat!(env!("OUT_DIR"), "/embedded_component.rs"));

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// It cannot be read.
    #[error("{origin} cannot be read: {reason}; name the component's .wasm file with --component")]
    Unreadable {
        /// The file.
        origin: String,
        /// The system's reason.
        reason: String,
    },
    /// It is something else.
    #[error("{origin} is no WebAssembly component, it is {what}; build one with `make component`")]
    NotAComponent {
        /// The file.
        origin: String,
        /// What it is.
        what: &'static str,
    },
    /// It is damaged, or uses what this host does not offer to anybody.
    #[error("{origin} cannot be used: {reason}")]
    Invalid {
        /// The file.
        origin: String,
        /// wasmtime's reason.
        reason: String,
    },
    /// It is a component of another kind.
    #[error("{origin} is a component, but no connector: it does not export {EXPORT}@{EXPORT_VERSION}")]
    NoConnector {
        /// The file.
        origin: String,
    },
    /// It was built for another version of the contract.
    #[error(
        "{origin} was built for {EXPORT}@{found}, and this tributary runs {EXPORT}@{EXPORT_VERSION}; take the component and \
         the program from the same release"
    )]
    OtherVersion {
        /// The file.
        origin: String,
        /// The version that it exports.
        found: String,
    },
    /// It wants what no component gets.
    #[error("{origin} imports {}, which this host gives to no component; it was built for another kind of host", imports.join(", "))]
    ForeignImport {
        /// The file.
        origin: String,
        /// The imports.
        imports: Vec<String>,
    },
    /// It trapped when it was asked what it is.
    #[error("{origin} does not say what it is: {reason}")]
    Silent {
        /// The file.
        origin: String,
        /// The trap.
        reason: Trapped,
    },
}

/// A component, ready to be instantiated.
#[derive(Clone)]
pub struct Component {
    pre: SourceConnectorPre<HostState>,
    limits: Limits,
    origin: String,
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Component({})", self.origin)
    }
}

impl Component {
    /// Compiles (or takes from the cache), checks and links. Takes seconds the first time; call it off the runtime.
    ///
    /// # Errors
    /// See `ComponentError`.
    pub fn load(
        engine: &Engine,
        source: &Source,
        cache: &Cache,
        telemetry: &Telemetry,
    ) -> Result<Self, ComponentError> {
        let (origin, start) = (source.to_string(), Instant::now());
        let wasm = source.read()?;
        check_layer(&origin, &wasm)?;
        let cached = cache.load(engine.wasmtime(), &wasm);
        let from_cache = cached.is_some();
        let compiled = match cached {
            Some(compiled) => compiled,
            None => Compiled::new(engine.wasmtime(), &wasm)
                .map_err(|error| ComponentError::Invalid { origin: origin.clone(), reason: format!("{error:#}") })?,
        };
        let pre = check_contract(engine, &origin, &compiled)?;
        if !from_cache && let Err(error) = cache.store(engine.wasmtime(), &wasm, &compiled) {
            telemetry.emit("", &Event::CacheNotWritten { reason: error.to_string() });
        }
        let digest = cache::digest(&wasm);
        telemetry
            .emit("", &Event::ComponentLoaded { origin: origin.clone(), digest, from_cache, took: start.elapsed() });
        Ok(Self { pre, limits: engine.limits(), origin })
    }

    /// Where it came from, for messages.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn pre(&self) -> &SourceConnectorPre<HostState> {
        &self.pre
    }

    pub(crate) fn engine(&self) -> &wasmtime::Engine {
        self.pre.engine()
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}

fn check_layer(origin: &str, wasm: &[u8]) -> Result<(), ComponentError> {
    let what = match wasm.strip_prefix(MAGIC).and_then(<[u8]>::first_chunk) {
        Some(&COMPONENT_LAYER) => return Ok(()),
        Some([1, 0, 0, 0]) => "a core WebAssembly module",
        Some(_) => "WebAssembly of a version that is not known here",
        None => "not WebAssembly at all",
    };
    Err(ComponentError::NotAComponent { origin: origin.to_owned(), what })
}

fn check_contract(
    engine: &Engine,
    origin: &str,
    compiled: &Compiled,
) -> Result<SourceConnectorPre<HostState>, ComponentError> {
    let origin = || origin.to_owned();
    let shape = compiled.component_type();
    let exports: Vec<&str> = shape.exports(engine.wasmtime()).map(|(name, _)| name).collect();
    let found = exports.iter().find_map(|name| name.strip_prefix(EXPORT)?.strip_prefix('@'));
    match found {
        None => return Err(ComponentError::NoConnector { origin: origin() }),
        Some(found) if !speaks(found) => {
            return Err(ComponentError::OtherVersion { origin: origin(), found: found.to_owned() });
        }
        Some(_) => {}
    }
    let imports = linker::foreign(shape.imports(engine.wasmtime()).map(|(name, _)| name));
    if !imports.is_empty() {
        return Err(ComponentError::ForeignImport { origin: origin(), imports });
    }
    let invalid = |error: wasmtime::Error| ComponentError::Invalid { origin: origin(), reason: format!("{error:#}") };
    let pre = engine.linker().instantiate_pre(compiled).map_err(invalid)?;
    SourceConnectorPre::new(pre).map_err(invalid)
}

/// Whether a version of the contract is compatible with ours: before 1.0 the minor number is what breaks.
fn speaks(version: &str) -> bool {
    let ours = EXPORT_VERSION.rsplit_once('.').map(|(compatible, _)| compatible);
    let theirs = version.rsplit_once('.').map(|(compatible, _)| compatible);
    ours == theirs
}

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The copy inside this program.
    Embedded,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Embedded => f.write_str("the embedded component"),
        }
    }
}

impl Source {
    fn read(&self) -> Result<Vec<u8>, ComponentError> {
        let Self::File(path) = self else {
            return Ok(EMBEDDED.unwrap_or_default().to_vec());
        };
        let unreadable = |reason: String| ComponentError::Unreadable { origin: path.display().to_string(), reason };
        let size = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if size > FILE_BYTES_MAX {
            return Err(unreadable(format!("it has {size} bytes, and {FILE_BYTES_MAX} are the most")));
        }
        fs::read(path).map_err(|error| unreadable(error.to_string()))
    }

    /// Where to look: the file that the command line names, else each `*.wasm` under `plugin.path`, else the embedded
    /// copy.
    ///
    /// # Errors
    /// When there is none, with what to do; or a `plugin.path` that cannot be read.
    pub fn find(command_line: Option<&Path>, plugin_path: &[PathBuf]) -> Result<Vec<Self>, CatalogueError> {
        if let Some(path) = command_line {
            return Ok(vec![Self::File(path.to_owned())]);
        }
        let mut files = Vec::new();
        for path in plugin_path {
            let unreadable = |reason: io::Error| CatalogueError::PluginPath { path: path.clone(), reason };
            if path.is_dir() {
                for entry in fs::read_dir(path).map_err(unreadable)? {
                    let file = entry.map_err(unreadable)?.path();
                    if file.extension().is_some_and(|extension| extension == "wasm") {
                        files.push(file);
                    }
                }
            } else {
                fs::metadata(path).map_err(unreadable)?;
                files.push(path.clone());
            }
        }
        files.sort();
        match (files.is_empty(), EMBEDDED) {
            (false, _) => Ok(files.into_iter().map(Self::File).collect()),
            (true, Some(_)) => Ok(vec![Self::Embedded]),
            (true, None) => Err(CatalogueError::None { plugin_path: plugin_path.to_vec() }),
        }
    }
}

/// Why no component can be chosen.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// There is none.
    #[error(
        "there is no component: {}, and this program was built without one; build it with `make component` and name it: \
         --component target/component/NAME.wasm",
        looked_in(plugin_path)
    )]
    None {
        /// `plugin.path`.
        plugin_path: Vec<PathBuf>,
    },
    /// `plugin.path` cannot be read.
    #[error("plugin.path: {}: {reason}", path.display())]
    PluginPath {
        /// The entry.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// A component cannot be used.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// No component knows the class.
    #[error("connector.class {class:?} is not known; the components at hand have {}", known.join(", "))]
    UnknownClass {
        /// The value.
        class: String,
        /// The classes that there are.
        known: Vec<String>,
    },
}

fn looked_in(plugin_path: &[PathBuf]) -> String {
    if plugin_path.is_empty() {
        return "plugin.path is not set".to_owned();
    }
    let paths: Vec<String> = plugin_path.iter().map(|path| path.display().to_string()).collect();
    format!("plugin.path ({}) holds no .wasm file", paths.join(", "))
}

/// The components at hand, each with what it says about itself.
#[derive(Debug)]
pub struct Catalogue {
    components: Vec<(Component, Description)>,
}

impl Catalogue {
    /// Loads components and asks each what it is.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub async fn load(
        engine: &Engine,
        sources: &[Source],
        cache: &Cache,
        telemetry: &Telemetry,
    ) -> Result<Self, ComponentError> {
        let mut components = Vec::with_capacity(sources.len());
        for source in sources {
            let component = tokio::task::block_in_place(|| Component::load(engine, source, cache, telemetry))?;
            let description = describe(&component, telemetry)
                .await
                .map_err(|reason| ComponentError::Silent { origin: component.origin.clone(), reason })?;
            components.push((component, description));
        }
        Ok(Self { components })
    }

    /// Every component.
    #[must_use]
    pub fn components(&self) -> &[(Component, Description)] {
        &self.components
    }

    /// The component for a `connector.class`.
    ///
    /// # Errors
    /// When no component knows the class.
    pub fn find(&self, class: &str) -> Result<&(Component, Description), CatalogueError> {
        let knows =
            |(_, description): &&(Component, Description)| description.classes.iter().any(|known| known == class);
        self.components
            .iter()
            .find(knows)
            .ok_or_else(|| CatalogueError::UnknownClass { class: class.to_owned(), known: self.classes() })
    }

    /// Every `connector.class` that a component knows.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        self.components.iter().flat_map(|(_, description)| description.classes.clone()).collect()
    }
}

async fn describe(component: &Component, telemetry: &Telemetry) -> Result<Description, Trapped> {
    let parts = InstanceParts::for_questions(telemetry.clone(), vec![]);
    let mut instance = Instance::new(component, parts).await.map_err(|(trapped, _)| trapped)?;
    instance.describe().await
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compatible_within_a_minor_number() {
        for (version, compatible) in [("0.1.0", true), ("0.1.7", true), ("0.2.0", false), ("1.1.0", false), ("", false)]
        {
            assert_eq!(speaks(version), compatible, "{version}");
        }
    }

    #[test]
    fn components_are_looked_for_in_the_documented_order() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.wasm", "a.wasm", "notes.txt"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let plugin_path = [directory.path().to_owned()];
        let named = Source::File("x.wasm".into());
        assert_eq!(Source::find(Some(Path::new("x.wasm")), &plugin_path).unwrap(), [named]);
        let found = Source::find(None, &plugin_path).unwrap();
        let files = ["a.wasm", "b.wasm"].map(|name| Source::File(directory.path().join(name)));
        assert_eq!(found, files);
        let missing = Source::find(None, &[directory.path().join("missing")]).unwrap_err().to_string();
        assert!(missing.starts_with("plugin.path: "), "{missing}");
        if EMBEDDED.is_none() {
            let none = Source::find(None, &[]).unwrap_err().to_string();
            assert!(none.contains("make component") && none.contains("--component"), "{none}");
        }
    }

    #[test]
    fn a_file_that_is_no_component_says_what_it_is() {
        for (bytes, what) in [
            (&b""[..], "not WebAssembly at all"),
            (b"MZ hello", "not WebAssembly at all"),
            (b"\0asm\x01\0\0\0", "a core WebAssembly module"),
            (b"\0asm\x0c\0\x01\0", "WebAssembly of a version that is not known here"),
        ] {
            let message = check_layer("x.wasm", bytes).unwrap_err().to_string();
            assert!(message.contains(what) && message.contains("make component"), "{message}");
        }
        assert!(check_layer("x.wasm", b"\0asm\x0d\0\x01\0").is_ok());
    }
}
