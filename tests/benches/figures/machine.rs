//! On what was measured, in one line.

use std::{fs, thread};

use anyhow::Context as _;

/// Processor, cores, kernel, memory, and how busy the machine was with other things.
pub(crate) fn describe() -> anyhow::Result<String> {
    let line = |path: &str, start: &str| -> anyhow::Result<String> {
        let text = fs::read_to_string(path).with_context(|| path.to_owned())?;
        let line = text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
        Ok(line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
    };
    let load = line("/proc/loadavg", "")?;
    Ok(format!(
        "Machine: {}, {} cores, Linux {}, {} of memory; load average before the run {}",
        line("/proc/cpuinfo", "model name")?,
        thread::available_parallelism()?,
        line("/proc/sys/kernel/osrelease", "")?,
        line("/proc/meminfo", "MemTotal")?,
        load.split(' ').take(3).collect::<Vec<_>>().join(" "),
    ))
}
