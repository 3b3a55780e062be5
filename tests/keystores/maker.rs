//! Runs keytool and openssl in a temporary folder.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::PASSWORD;

/// A folder for what the tools write.
pub(crate) struct Maker {
    folder: TempDir,
}

impl Maker {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs a tool in the folder; false, and a loud line, when it fails.
    pub(crate) fn run(&self, program: &Path, arguments: &[&str]) -> bool {
        let output = Command::new(program).args(arguments).current_dir(self.folder.path()).output();
        match output {
            Ok(output) if output.status.success() => true,
            Ok(output) => {
                let said = [output.stdout, output.stderr].concat();
                panic!("{} {arguments:?}: {}", program.display(), String::from_utf8_lossy(&said));
            }
            Err(error) => panic!("{}: {error}", program.display()),
        }
    }

    /// `keytool -genkeypair` of one entry, with more arguments.
    pub(crate) fn keytool(&self, keytool: &Path, file: &str, alias: &str, arguments: &[&str]) {
        let fixed =
            ["-genkeypair", "-keystore", file, "-alias", alias, "-storepass", PASSWORD, "-dname", "CN=tributary"];
        self.run(keytool, &[&fixed[..], arguments].concat());
    }

    /// A key and its certificate in PEM, `key.pem` and `certificate.pem`.
    pub(crate) fn openssl_pair(&self, openssl: &Path, new_key: &[&str], days: &str) {
        let fixed =
            ["req", "-x509", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=tributary"];
        self.run(openssl, &[&fixed[..], new_key, &["-days", days]].concat());
    }

    /// The pair in PKCS#12, with more arguments.
    pub(crate) fn openssl_p12(&self, openssl: &Path, file: &str, arguments: &[&str]) {
        let password = format!("pass:{PASSWORD}");
        let fixed = ["pkcs12", "-export", "-inkey", "key.pem", "-in", "certificate.pem", "-name", "one", "-out", file];
        self.run(openssl, &[&fixed[..], &["-passout", &password], arguments].concat());
    }
}

/// Every keytool on this machine, with the name of its JDK's folder.
pub(crate) fn keytools() -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    let folders = ["/usr/lib/jvm", "/usr/java", "/opt/java"].iter().filter_map(|folder| fs::read_dir(folder).ok());
    for folder in folders.flatten().flatten() {
        let program = folder.path().join("bin/keytool");
        let Ok(real) = fs::canonicalize(&program) else { continue };
        if found.iter().all(|(_, known)| fs::canonicalize(known).ok().as_ref() != Some(&real)) {
            found.push((folder.file_name().to_string_lossy().into_owned(), program));
        }
    }
    if found.is_empty() && answers("keytool", "-help") {
        found.push(("keytool".into(), "keytool".into()));
    }
    if found.is_empty() {
        skipped("keytool (no JDK)");
    }
    found
}

/// openssl, when it is there.
pub(crate) fn openssl() -> Option<PathBuf> {
    let found = answers("openssl", "version").then(|| "openssl".into());
    if found.is_none() {
        skipped("openssl");
    }
    found
}

fn answers(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: keystore tests with {what}: it is not on this machine");
}
