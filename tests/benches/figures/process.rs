//! The programs under measurement: started, watched through what they print, ended.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take that normally takes a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Lets time pass, as measuring at intervals asks for.
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}

/// A program of this build: two folders above the benchmark's own file.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    folder.pop();
    let path = folder.join(name);
    if !path.is_file() {
        bail!("{} is missing; `make figures` builds what is measured", path.display());
    }
    Ok(path)
}

/// The component of this build.
pub(crate) fn component() -> anyhow::Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/component/salesforce-pushtopic.wasm");
    path.canonicalize().with_context(|| format!("{}; `make component` builds it", path.display()))
}

/// A running program; it is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Program {
    /// Starts it with its cache of compiled components in that folder.
    pub(crate) fn start<A: AsRef<OsStr>>(name: &str, arguments: &[A], cache: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program(name)?)
            .args(arguments)
            .env("XDG_CACHE_HOME", cache)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| name.to_owned())?;
        let stdout = lines(child.stdout.take().context("stdout is piped")?);
        let stderr = lines(child.stderr.take().context("stderr is piped")?);
        Ok(Self { child, stdout, stderr })
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line on stdout.
    pub(crate) fn output(&self) -> anyhow::Result<String> {
        self.stdout.recv_timeout(PATIENCE).context("the program printed nothing more")
    }

    /// Waits for a line on stderr that contains that word.
    pub(crate) fn wait_for(&self, word: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut said = String::new();
        while let Ok(line) = self.stderr.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if line.contains(word) {
                return Ok(());
            }
            said.push_str(&line);
            said.push('\n');
        }
        bail!("{word:?} was not said:\n{said}")
    }

    /// What it has said on stderr since it was last listened to.
    pub(crate) fn said(&self) -> Vec<String> {
        self.stderr.try_iter().collect()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Fails when the program has ended, with what it said last.
    pub(crate) fn expect_alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                let said: Vec<String> = self.stderr.try_iter().collect();
                bail!("the program ended with {status}:\n{}", said.join("\n"))
            }
        }
    }

    /// SIGTERM, then the end.
    pub(crate) fn terminate(mut self) -> anyhow::Result<()> {
        let process = Pid::from_raw(self.child.id().try_into()?).context("a process has an id")?;
        kill_process(process, Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the program ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A thread that reads lines, so that the program never waits for its reader.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // Nobody listens any more; the pipe is still emptied.
            let _ = send.send(line);
        }
    });
    receive
}
