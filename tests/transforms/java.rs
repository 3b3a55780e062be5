//! The JVM with Kafka's own classes: one process, a line of JSON in, a line of JSON out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value as Json;

/// From this version on `Double.toString` gives the shortest text and the copy of a HashMap is as small as it can be, as
/// the component has it.
const JDK_LIKE_OURS: u32 = 19;
/// The harness is compiled as it starts, which needs a JDK of at least this version.
const JDK_MIN: u32 = 17;

/// A running harness.
pub(crate) struct Java {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: u32,
}

impl Java {
    /// Starts it; none where that cannot be, which is said aloud.
    pub(crate) fn start() -> Option<Self> {
        match Self::command() {
            Ok((mut command, version)) => {
                let mut process = command.spawn().expect("java starts");
                let input = process.stdin.take().expect("stdin is piped");
                let output = BufReader::new(process.stdout.take().expect("stdout is piped"));
                Some(Self { process, input, output, version })
            }
            Err(reason) => {
                assert!(std::env::var_os("CI").is_none(), "the transforms cannot be compared with Kafka's: {reason}");
                let _ = writeln!(std::io::stderr(), "SKIPPED: transforms against Kafka's own: {reason}");
                None
            }
        }
    }

    /// Whether the order of a copied HashMap and the texts of floating-point numbers are the component's.
    pub(crate) fn writes_like_ours(&self) -> bool {
        self.version >= JDK_LIKE_OURS
    }

    fn command() -> Result<(Command, u32), String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let libs = libs(&root.join("../target/kafka")).ok_or("Kafka's jars are missing; `make kafka` fetches them")?;
        let (java, version) = jdk().ok_or(format!("there is no JDK {JDK_MIN} or later"))?;
        if version < JDK_LIKE_OURS {
            let _ = writeln!(
                std::io::stderr(),
                "transforms: with JDK {version} the spelling of numbers and the order of maps are not compared"
            );
        }
        let mut command = Command::new(java);
        command
            .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .args(["-Duser.timezone=UTC", "-Duser.language=en", "-Duser.country=US", "-Dfile.encoding=UTF-8", "-cp"])
            .arg(format!("{}/*", libs.display()))
            .arg(format!("-Dlog4j2.configurationFile={}", root.join("../scripts/kafka/log4j2.properties").display()))
            .arg(root.join("transforms/TransformHarness.java"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Ok((command, version))
    }

    /// Asks; answers come in order.
    pub(crate) fn ask(&mut self, request: &Json) -> Json {
        writeln!(self.input, "{request}").expect("the harness reads");
        self.input.flush().expect("the harness reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the harness answers in UTF-8");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?} is no answer to {request}"))
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder with the jars of the one Kafka version that `make kafka` fetched.
fn libs(kafka: &Path) -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir(kafka).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    versions.sort();
    versions.into_iter().map(|version| version.join("libs")).rfind(|libs| libs.is_dir())
}

/// The newest JDK there is, of `JAVA_HOME`, the usual folder, and the path; or that of `TRANSFORMS_JDK`.
fn jdk() -> Option<(PathBuf, u32)> {
    if let Some(home) = std::env::var_os("TRANSFORMS_JDK") {
        let java = PathBuf::from(home).join("bin/java");
        return version(&java).map(|version| (java, version));
    }
    let homes = fs::read_dir("/usr/lib/jvm").into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let homes = homes.chain(std::env::var_os("JAVA_HOME").map(PathBuf::from));
    let mut found: Vec<(u32, PathBuf)> = homes
        .map(|home| home.join("bin"))
        .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()))
        .filter(|bin| bin.join("javac").exists())
        .filter_map(|bin| Some((version(&bin.join("java"))?, bin.join("java"))))
        .filter(|(version, _)| *version >= JDK_MIN)
        .collect();
    found.sort();
    found.pop().map(|(version, java)| (java, version))
}

fn version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, behind) = text.split_once("version \"")?;
    behind.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
