//! What each format costs, with a real schema registry, into the embedded log: nothing there depends on the format.

use crate::{
    Effort,
    destination::{Destination, Destinations},
    registry::Registry,
    throughput::{Variant, compare},
};

/// The formats by turns.
pub(crate) fn measure(_destinations: &Destinations, effort: &Effort) -> anyhow::Result<String> {
    let title = "### Formats\n\n";
    let Some(registry) = Registry::shared() else {
        return Ok(format!("{title}SKIPPED: there is no schema registry\n"));
    };
    let url = registry.url();
    let settings = |format| [("output.data.format", format), ("value.converter.schema.registry.url", url.as_str())];
    let formats = ["JSON", "AVRO", "JSON_SR", "PROTOBUF"].map(|format| (format, settings(format)));
    let variants = formats.each_ref().map(|(name, settings)| Variant { name, settings, lines: "" });
    Ok(format!("{title}{}", compare(Destination::Embedded, effort, "formats", &variants)?))
}
