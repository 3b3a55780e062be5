//! How large the component is, and how many interfaces it imports.

use std::{fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};

use crate::{process, stats::number};

const BYTES_PER_KIB: f64 = 1_024.0;

/// Looks at the component's file.
pub(crate) fn measure() -> anyhow::Result<String> {
    let bytes = fs::read(process::component()?)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes)?;
    let compressed = gzip.finish()?;
    // The integration tests hold this list equal to what the component imports.
    let contract = include_str!("../../it/contract.txt");
    let kib = |bytes: &[u8]| number(bytes.len()) / BYTES_PER_KIB;
    Ok(format!(
        "### Component\n\n{:.0} KiB, {:.0} KiB with gzip; {} imported interfaces.\n",
        kib(&bytes),
        kib(&compressed),
        contract.lines().filter(|line| line.starts_with("import ")).count()
    ))
}
