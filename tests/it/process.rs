//! The `tributary` program under test: started as a person starts it, watched through its output, ended by signals.
//!
//! Whatever a run prints is searched for planted secrets when its handle is dropped (fault card, F43), so that every
//! scenario is a test of that too.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::org;

/// How long anything may take that normally takes a moment. Generous, because a slow machine is not a defect.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The folder with the programs of this build: two above the test's own file.
pub(crate) fn programs() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a running test knows its file");
    folder.pop();
    folder.pop();
    folder
}

/// The component that the tests load.
pub(crate) fn component() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/salesforce-pushtopic.wasm");
    assert!(path.is_file(), "{} is missing; `make test` builds everything that the tests need", path.display());
    path
}

/// What a program printed on one stream so far.
#[derive(Default)]
struct Printed {
    lines: Vec<String>,
    closed: bool,
}

/// One output stream, read by a thread of its own.
struct Stream {
    printed: Arc<(Mutex<Printed>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(from: impl Read + Send + 'static) -> Self {
        let printed = Arc::new((Mutex::new(Printed::default()), Condvar::new()));
        let shared = Arc::clone(&printed);
        let reader = thread::spawn(move || {
            let (state, changed) = &*shared;
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                line.clear();
                state.lock().unwrap_or_else(PoisonError::into_inner).lines.push(text);
                changed.notify_all();
            }
            state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
            changed.notify_all();
        });
        Self { printed, reader: Some(reader) }
    }

    /// Waits until `found` sees what it looks for among the lines, or the stream ends, or the time is over.
    fn wait_for<T>(&self, within: Duration, mut found: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let (state, changed) = &*self.printed;
        let deadline = Instant::now() + within;
        let mut printed = state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(value) = found(&printed.lines) {
                return Some(value);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if printed.closed || left.is_zero() {
                return None;
            }
            printed = changed.wait_timeout(printed, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn text(&self) -> String {
        self.printed.0.lock().unwrap_or_else(PoisonError::into_inner).lines.join("\n")
    }

    /// Waits for the end of the stream.
    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has printed why.
            let _ = reader.join();
        }
    }
}

/// A finished run.
pub(crate) struct Finished {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Fails unless the program ended with `code`.
    #[track_caller]
    pub(crate) fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "exit code\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Fails unless the program said each of these to the person at the terminal, in any letter case.
    #[track_caller]
    pub(crate) fn expect_said(&self, words: &[&str]) -> &Self {
        let said = self.stderr.to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "{word:?} was not said\nstderr: {}", self.stderr);
        }
        assert!(!said.contains("panicked at"), "a panic\nstderr: {}", self.stderr);
        self
    }
}

/// A running `tributary`.
pub(crate) struct Tributary {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Tributary {
    /// Starts the program with these arguments.
    pub(crate) fn start<A: AsRef<OsStr>>(arguments: &[A]) -> Self {
        Self::begin(arguments, &[], Stdio::null())
    }

    /// The same, with something on its standard input.
    pub(crate) fn start_reading<A: AsRef<OsStr>>(arguments: &[A], input: Stdio) -> Self {
        Self::begin(arguments, &[], input)
    }

    /// Starts the program, which ends or halts itself at a place in its code: `name:n:kill`, `name:n:stop`.
    pub(crate) fn start_labelled<A: AsRef<OsStr>>(arguments: &[A], label: &str) -> Self {
        Self::begin(arguments, &[("TRIBUTARY_LABEL", label)], Stdio::null())
    }

    /// Starts the program with these variables in its environment.
    pub(crate) fn start_with<A: AsRef<OsStr>>(arguments: &[A], variables: &[(&str, &str)]) -> Self {
        Self::begin(arguments, variables, Stdio::null())
    }

    fn begin<A: AsRef<OsStr>>(arguments: &[A], variables: &[(&str, &str)], input: Stdio) -> Self {
        let program = programs().join("tributary");
        assert!(
            program.is_file(),
            "{} is missing; `make test` builds everything that the tests need",
            program.display()
        );
        let mut child = Command::new(&program)
            .args(arguments)
            // One cache of compiled components for all runs, and none of the person's own.
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .env_remove("RUST_LOG")
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .envs(variables.iter().copied())
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let stdout = Stream::read(child.stdout.take().expect("stdout is piped"));
        let stderr = Stream::read(child.stderr.take().expect("stderr is piped"));
        Self { child, stdout, stderr }
    }

    /// Runs the program to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(arguments: &[A]) -> Finished {
        Self::start(arguments).wait(PATIENCE)
    }

    /// Waits for the program to end by itself.
    #[track_caller]
    pub(crate) fn wait(mut self, within: Duration) -> Finished {
        let status = self.wait_status(within);
        self.stdout.finish();
        self.stderr.finish();
        let Some(status) = status else {
            panic!("still running after {within:?}\nstdout: {}\nstderr: {}", self.stdout.text(), self.stderr.text());
        };
        Finished { code: status.code(), stdout: self.stdout.text(), stderr: self.stderr.text() }
    }

    /// Waits for both streams to end, which they do with the process; kills it when that takes too long.
    fn wait_status(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        let closed = [&self.stderr, &self.stdout].into_iter().all(|stream| {
            let left = deadline.saturating_duration_since(Instant::now());
            // Nothing is ever found: what ends the waiting is the stream's end or the deadline.
            stream.wait_for::<()>(left, |_| None);
            stream.printed.0.lock().unwrap_or_else(PoisonError::into_inner).closed
        });
        if !closed {
            let _ = self.child.kill();
        }
        let status = self.child.wait().expect("a child can be waited for");
        closed.then_some(status)
    }

    /// SIGTERM, then the end; returns how long that took.
    #[track_caller]
    pub(crate) fn terminate(self) -> (Finished, Duration) {
        self.signal(Signal::TERM);
        let start = Instant::now();
        let finished = self.wait(PATIENCE);
        (finished, start.elapsed())
    }

    /// Waits until the program has ended itself with SIGKILL.
    #[track_caller]
    pub(crate) fn expect_killed(mut self, within: Duration) {
        let status = self.wait_status(within);
        let signal = status.and_then(|status| status.signal());
        let hint = "was the program built with `--features tributary/labels`? `make test` does so";
        assert_eq!(
            signal,
            Some(Signal::KILL.as_raw()),
            "the place was not reached ({hint})\nstderr: {}",
            self.stderr.text()
        );
    }

    /// Waits until the program has halted itself with SIGSTOP.
    #[track_caller]
    pub(crate) fn expect_halted(&self) {
        let stat = format!("/proc/{}/stat", self.child.id());
        let deadline = Instant::now() + PATIENCE;
        // The state stands behind the name, which is in parentheses. The kernel tells nobody when it changes.
        let halted = || std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T "));
        while !halted() {
            assert!(Instant::now() < deadline, "the place was not reached\nstderr: {}", self.stderr.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGKILL: no chance to save anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small")).expect("and not 0");
        kill_process(pid, signal).expect("the program still runs");
    }

    /// Waits for a line on stderr that contains every one of `words`, in any letter case.
    #[track_caller]
    pub(crate) fn expect_line(&self, words: &[&str]) -> String {
        let mut seen = 0;
        let found = self.stderr.wait_for(PATIENCE, |lines| {
            let new = lines[seen..].iter();
            let line = new.map(|line| (line, line.to_lowercase())).find_map(|(line, lower)| {
                words.iter().all(|word| lower.contains(&word.to_lowercase())).then(|| line.clone())
            });
            seen = lines.len();
            line
        });
        found.unwrap_or_else(|| panic!("no line with {words:?}\nstderr: {}", self.stderr.text()))
    }

    /// Waits for `count` lines on stdout and gives them back.
    #[track_caller]
    pub(crate) fn expect_output(&self, count: usize) -> Vec<String> {
        let lines = self.stdout.wait_for(PATIENCE, |lines| lines.get(..count).map(<[String]>::to_vec));
        lines.unwrap_or_else(|| {
            panic!("fewer than {count} lines\nstdout: {}\nstderr: {}", self.stdout.text(), self.stderr.text())
        })
    }
}

impl Drop for Tributary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.stdout.finish();
        self.stderr.finish();
        if thread::panicking() {
            return;
        }
        for (stream, text) in [("stdout", self.stdout.text()), ("stderr", self.stderr.text())] {
            let leaks: VecDeque<&str> = org::secrets_in(&text);
            assert!(leaks.is_empty(), "{stream} shows {leaks:?}:\n{text}");
        }
    }
}
