//! The repository's text files, read once for each check.

use std::{fs, path::Path};

/// One text file.
pub(crate) struct Source {
    /// Relative to the repository's root, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.has_extension("rs")
    }

    /// The text in front of the file's test module; nothing of a file that is one.
    pub(crate) fn code(&self) -> &str {
        if self.path.ends_with("/tests.rs") {
            return "";
        }
        let attribute = "\n#[cfg(test)]\n";
        let opens_a_module = |at: &usize| {
            // Behind further attributes, which may take several lines.
            let mut lines = self.text[at + attribute.len()..].lines().take(6);
            lines.find(|line| line.starts_with("mod ")).is_some_and(|line| line.ends_with(['{', '}']))
        };
        let mut starts = self.text.match_indices(attribute).map(|(at, _)| at);
        let end = starts.find(opens_a_module).unwrap_or(self.text.len());
        &self.text[..end]
    }

    /// The text that only tests run: all of it under `tests/`, else the test module.
    pub(crate) fn tests(&self) -> &str {
        let crate_under_test = self.path.starts_with("tests/simulator/");
        if self.path.starts_with("tests/") && !crate_under_test { &self.text } else { &self.text[self.code().len()..] }
    }
}

/// What `str` lacks for paths with `/`.
pub(crate) trait PathText {
    /// Whether the last component ends in `.extension`.
    fn has_extension(&self, extension: &str) -> bool;
}

impl PathText for str {
    fn has_extension(&self, extension: &str) -> bool {
        Path::new(self).extension().is_some_and(|found| found == extension)
    }
}

/// Folders that hold no source.
const SKIPPED: [&str; 4] = [".git", "target", "tributary-data", "node_modules"];

/// Every text file of the repository.
pub(crate) fn repository() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent");
    let mut sources = Vec::new();
    collect(root, root, &mut sources);
    assert!(sources.iter().any(|source| source.path == "Cargo.toml"), "{} is not the repository", root.display());
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a folder that was opened can be read");
        let path = entry.path();
        if SKIPPED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        // A symbolic link is read where it points to, if that is here too.
        let kind = entry.file_type().expect("the kind of a listed file is known");
        if kind.is_dir() {
            collect(root, &path, sources);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(&path)
        {
            let relative = path.strip_prefix(root).expect("it was found below the root");
            sources.push(Source { path: relative.to_string_lossy().replace('\\', "/"), text });
        }
    }
}
