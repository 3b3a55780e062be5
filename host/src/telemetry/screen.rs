//! The terminal: data on stdout, people on stderr, and the progress line that must not get mixed up with either.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
};

use tracing_subscriber::fmt::MakeWriter;

/// Back to the first column, and erase the line.
const CLEAR: &[u8] = b"\r\x1b[2K";

/// Both streams behind one lock; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    drawn: Arc<Mutex<bool>>,
}

impl Screen {
    /// Whether stderr is a terminal: there is a progress line.
    #[must_use]
    pub fn stderr_is_terminal() -> bool {
        io::stderr().is_terminal()
    }

    /// Whether stdout is a terminal: data is shown for people.
    #[must_use]
    pub fn stdout_is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Whether what is written to stdout has colours: it is a terminal, and the person did not ask for none (`NO_COLOR`).
    #[must_use]
    pub fn stdout_has_colours() -> bool {
        Self::stdout_is_terminal() && !no_colour()
    }

    /// The same of stderr.
    #[must_use]
    pub fn stderr_has_colours() -> bool {
        Self::stderr_is_terminal() && !no_colour()
    }

    /// Writes data.
    ///
    /// # Errors
    /// Of stdout, `BrokenPipe` among them.
    pub fn write_data(&self, data: &[u8]) -> io::Result<()> {
        let mut drawn = self.lock();
        clear(&mut drawn)?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(data)?;
        stdout.flush()
    }

    /// Writes for people, a whole line or several.
    ///
    /// # Errors
    /// Of stderr.
    pub fn write_people(&self, text: &[u8]) -> io::Result<()> {
        let mut drawn = self.lock();
        clear(&mut drawn)?;
        io::stderr().lock().write_all(text)
    }

    /// Draws the progress line in place of the last one; nothing for an empty line.
    pub fn draw(&self, line: &str) {
        let mut drawn = self.lock();
        // A terminal that is gone has nobody in front of it.
        let _ = clear(&mut drawn);
        if !line.is_empty() {
            let mut stderr = io::stderr().lock();
            let _ = stderr.write_all(line.as_bytes()).and_then(|()| stderr.flush());
            *drawn = true;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// <https://no-color.org>: set and not empty.
fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn clear(drawn: &mut bool) -> io::Result<()> {
    if std::mem::take(drawn) { io::stderr().lock().write_all(CLEAR) } else { Ok(()) }
}

/// One log line.
#[derive(Debug)]
pub struct Line {
    screen: Screen,
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.screen.write_people(line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Screen {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { screen: self.clone() }
    }
}
