//! A real schema registry (Apicurio Registry, which speaks Confluent's API), and consumers that share no code with what is
//! tested: Confluent's deserializers for Python. `make registry` fetches both.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use crate::{
    broker::{Broker, GUARDED, free_port},
    http,
};

/// How long the registry may take to start; it took 4 s on the machine where this was written.
const START: Duration = Duration::from_secs(90);

/// How long it may give no answer at all.
const ANSWER: Duration = Duration::from_secs(10);

/// See the module.
pub(crate) struct Registry {
    port: u16,
    log: PathBuf,
    _running: (Child, ChildStdin),
}

/// The repository's root; the benchmarks, whose package lies deeper, share this file.
pub(crate) fn root() -> PathBuf {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("Cargo.lock").is_file()).expect("a package lies in a repository").to_owned()
}

/// The folder of the one version that was fetched.
fn home() -> Option<PathBuf> {
    let versions = fs::read_dir(root().join("target/registry")).ok()?;
    versions.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.join("java").is_file())
}

fn python() -> PathBuf {
    root().join("target/registry/python/bin/python")
}

/// The Python with the foreign decoders; none where it cannot be had: that is said aloud.
pub(crate) fn python_or_skipped() -> Option<PathBuf> {
    let python = Some(python()).filter(|python| python.is_file());
    if python.is_none() {
        skipped("the foreign decoders are missing; `make registry` fetches them");
    }
    python
}

fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: tests with a schema registry: {reason}");
}

impl Registry {
    /// The registry that scenarios share, or none where it cannot be had: that is said aloud.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Registry>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_on(free_port())).as_ref()
    }

    /// One on that port; none where it cannot be had.
    pub(crate) fn start_on(port: u16) -> Option<Self> {
        let Some(home) = home().filter(|_| python().is_file()) else {
            skipped("it or its consumers are missing; `make registry` fetches them");
            return None;
        };
        let java = fs::read_to_string(home.join("java")).expect("it was a file a moment ago");
        let log = home.join(format!("{port}.log"));
        let output = fs::File::create(&log).expect("the folder is ours");
        let mut child = Command::new("sh")
            .args(["-c", GUARDED, "registry", java.trim()])
            .args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dquarkus.http.host=127.0.0.1"])
            .args([&format!("-Dquarkus.http.port={port}"), &format!("-Dquarkus.management.port={}", free_port())])
            .args(["-Dquarkus.log.level=WARN", "-jar"])
            .arg(home.join("quarkus-run.jar"))
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a file has two names"))
            .stderr(output)
            .spawn()
            .expect("there is a shell");
        let input = child.stdin.take().expect("it is piped");
        let registry = Self { port, log, _running: (child, input) };
        let deadline = Instant::now() + START;
        while !registry.try_ask("GET", "/subjects", "").is_ok_and(|(status, _)| status == 200) {
            assert!(Instant::now() < deadline, "the registry did not start within {START:?}: {}", registry.said());
            thread::sleep(Duration::from_millis(50));
        }
        Some(registry)
    }

    /// `value.converter.schema.registry.url`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.port)
    }

    fn try_ask(&self, method: &str, path: &str, body: &str) -> http::Answer {
        http::ask(self.port, method, &format!("/apis/ccompat/v7{path}"), body)
    }

    /// Asks the registry; fails when it refuses. Rarely it closes a connection without an answer; whatever is asked here can
    /// be asked again.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let deadline = Instant::now() + ANSWER;
        loop {
            match self.try_ask(method, path, body) {
                Ok((200, answer)) => return answer,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
                other => panic!("{method} {path}: {other:?}\n{}", self.said()),
            }
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether a subject has a schema.
    pub(crate) fn has(&self, subject: &str) -> bool {
        self.try_ask("GET", &format!("/subjects/{subject}/versions"), "").is_ok_and(|(status, _)| status == 200)
    }

    /// Everything in a topic of AVRO values, read into Kafka Connect's schemas by a converter that is not ours: the schema's
    /// name and its fields' types, and the records as lines like those of `decoded`.
    #[track_caller]
    pub(crate) fn read_by_connect(&self, broker: &Broker, topic: &str) -> (String, String) {
        let home = home().expect("the registry runs from it");
        let java = fs::read_to_string(home.join("java")).expect("it was a file a moment ago");
        let output = Command::new(java.trim())
            .arg("-cp")
            .arg(home.join("converter/*"))
            .arg(root().join("scripts/registry/ReadAvro.java"))
            .args([&broker.address(), &format!("http://127.0.0.1:{}", self.port), topic])
            .stdin(Stdio::null())
            .output()
            .expect("java starts");
        assert!(output.status.success(), "{topic}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("the records are text");
        let (schema, records) = text.split_once('\n').expect("the schema comes first");
        (schema.to_owned(), records.to_owned())
    }

    /// Everything in a topic, decoded by Confluent's deserializers, in lines as Kafka's console consumer prints JSON.
    #[track_caller]
    pub(crate) fn decoded(&self, broker: &Broker, topic: &str, key: &str, value: &str) -> String {
        let output = Command::new(python())
            .arg(root().join("scripts/registry/decode.py"))
            .args([&broker.address(), &self.url(), topic, key, value])
            .stdin(Stdio::null())
            .output()
            .expect("there is a Python");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{topic} cannot be decoded: {stderr}");
        String::from_utf8(output.stdout).expect("the records are text")
    }
}
