//! Places in the code where a test ends or stops the process, by name. Without the feature `labels`, which only tests
//! turn on, nothing of it is compiled in.
//!
//! `TRIBUTARY_LABEL=name:n:kill` ends the process with SIGKILL when it comes to that place for the n-th time,
//! `name:n:stop` halts it with SIGSTOP, as a machine that froze.

/// The process is at the place of this name.
#[cfg(not(feature = "labels"))]
#[inline(always)]
pub(crate) fn reach(_: &'static str) {}

#[cfg(feature = "labels")]
pub(crate) use planted::reach;

#[cfg(feature = "labels")]
mod planted {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    use rustix::process::{Signal, getpid, kill_process};

    struct Planted {
        name: String,
        nth: u32,
        signal: Signal,
        seen: AtomicU32,
    }

    fn planted() -> Option<&'static Planted> {
        static PLANTED: OnceLock<Option<Planted>> = OnceLock::new();
        PLANTED.get_or_init(|| parse(&std::env::var("TRIBUTARY_LABEL").ok()?)).as_ref()
    }

    fn parse(text: &str) -> Option<Planted> {
        let mut parts = text.split(':');
        let (name, nth, signal) = (parts.next()?, parts.next()?, parts.next()?);
        let signal = match signal {
            "kill" => Signal::KILL,
            "stop" => Signal::STOP,
            _ => return None,
        };
        Some(Planted { name: name.to_owned(), nth: nth.parse().ok()?, signal, seen: AtomicU32::new(0) })
    }

    /// The process is at the place of this name.
    pub(crate) fn reach(name: &'static str) {
        let Some(planted) = planted().filter(|planted| planted.name == name) else { return };
        if planted.seen.fetch_add(1, Ordering::SeqCst) + 1 == planted.nth {
            // A process can always signal itself.
            let _ = kill_process(getpid(), planted.signal);
        }
    }
}
