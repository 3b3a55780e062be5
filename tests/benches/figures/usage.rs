//! What a process has used up, from `/proc`: computing time of user and system together, and resident memory.

use std::fs;

use anyhow::Context as _;

/// `USER_HZ`, the unit of times in `/proc/PID/stat`; 100 wherever Linux runs nowadays.
const TICKS_PER_SECOND: f64 = 100.0;
const NANOS_PER_SECOND: f64 = 1e9;
const KIB_PER_MIB: f64 = 1_024.0;

/// Seconds of computing time of a process so far, all its threads together, exact to 10 ms.
pub(crate) fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("the process has ended")?;
    // The second field is the name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// Seconds of computing time of the calling thread so far.
pub(crate) fn thread_cpu_seconds() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().unwrap_or_default().parse::<f64>()?;
    Ok(nanos / NANOS_PER_SECOND)
}

/// Resident memory of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resident {
    pub(crate) now_mib: f64,
    pub(crate) peak_mib: f64,
}

impl Resident {
    /// Of that process.
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).context("the process has ended")?;
        let mib = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
            let kib = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>()?;
            Ok(kib / KIB_PER_MIB)
        };
        Ok(Self { now_mib: mib("VmRSS")?, peak_mib: mib("VmHWM")? })
    }
}
