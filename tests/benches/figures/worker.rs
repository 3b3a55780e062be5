//! `tributary run` on one connector, as a person runs it: the release program with the component inside.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::bail;
use serde_json::{Map, Value, json};

use crate::{
    destination::Outlet,
    process::{PATIENCE, Program, pause},
};

/// Starts it with those settings on that outlet, compiled components in that folder.
pub(crate) fn start(settings: &[(String, String)], outlet: &Outlet<'_>, cache: &Path) -> anyhow::Result<Program> {
    start_with(settings, "", "info", outlet, cache)
}

/// The same with more lines of the worker file, and that much in its log.
pub(crate) fn start_with(
    settings: &[(String, String)],
    lines: &str,
    level: &str,
    outlet: &Outlet<'_>,
    cache: &Path,
) -> anyhow::Result<Program> {
    let (connector, worker) =
        (outlet.folder.path().join("connector.json"), outlet.folder.path().join("worker.properties"));
    let config: Map<String, Value> = settings.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    fs::write(&connector, json!({"name": config["name"], "config": config}).to_string())?;
    fs::write(&worker, format!("tributary.network.allow=http://127.0.0.1:*\n{lines}{}", outlet.worker_lines()))?;
    Program::start(
        "tributary",
        &[
            "run".as_ref(),
            "--log-level".as_ref(),
            level.as_ref(),
            "--worker".as_ref(),
            worker.as_os_str(),
            connector.as_os_str(),
        ],
        cache,
    )
}

/// Waits until a reader sees so many records, looking that often.
pub(crate) fn wait_for(
    records: usize,
    outlet: &mut Outlet<'_>,
    program: &mut Program,
    look: Duration,
) -> anyhow::Result<()> {
    let (mut last, mut grown) = (0, Instant::now());
    loop {
        let count = outlet.count()?;
        if count >= records {
            return Ok(());
        }
        if count > last {
            (last, grown) = (count, Instant::now());
        }
        program.expect_alive()?;
        if grown.elapsed() > PATIENCE {
            bail!("no record came after {count} of {records}");
        }
        pause(look);
    }
}
