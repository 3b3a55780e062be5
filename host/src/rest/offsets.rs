//! `/connectors/{name}/offsets` (KIP-875): where a connector stands, and to put it elsewhere.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    app::App,
    body::{JsonBody, NoBody},
    error::RestError,
};
use crate::{
    offsets::connect_format,
    record::{SourceOffset, SourcePartition},
};

/// Kafka Connect's `ConnectorOffsets`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectorOffsets {
    #[serde(default)]
    pub(super) offsets: Option<Vec<ConnectorOffset>>,
}

/// Kafka Connect's `ConnectorOffset`. The texts as they are: a number of 2^63 is not to become another one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectorOffset {
    #[serde(default)]
    partition: Option<Box<RawValue>>,
    #[serde(default)]
    offset: Option<Box<RawValue>>,
}

/// Partitions with the offsets that they are to have, none for those that are to have none.
pub(super) type Changes = Vec<(SourcePartition, Option<SourceOffset>)>;

impl ConnectorOffsets {
    /// What is to be changed. Of a partition that stands there twice the last one counts.
    pub(super) fn changes(self) -> Result<Changes, RestError> {
        let mut changes = Changes::new();
        for ConnectorOffset { partition, offset } in self.offsets.unwrap_or_default() {
            let partition = parse(partition, "partition")?
                .ok_or_else(|| RestError::bad_request("A partition of the offsets is null; this connector's is {}"))?;
            let partition = SourcePartition(partition.0);
            changes.retain(|(other, _)| *other != partition);
            changes.push((partition, parse(offset, "offset")?));
        }
        if changes.is_empty() {
            let text = "Partitions / offsets need to be provided for an alter offsets request";
            return Err(RestError::bad_request(text));
        }
        Ok(changes)
    }
}

fn parse(raw: Option<Box<RawValue>>, what: &str) -> Result<Option<SourceOffset>, RestError> {
    let Some(raw) = raw else { return Ok(None) };
    connect_format::parse_value(Some(raw.get().as_bytes()))
        .map_err(|error| RestError::bad_request(format!("A {what} cannot be used: {error}")))
}

/// `{"partition":{},"offset":{"replayId":3826}}`.
pub(super) fn entries(offsets: &[(SourcePartition, SourceOffset)]) -> Vec<Value> {
    let value = |pairs: &SourceOffset| -> Value {
        // What this format writes is JSON.
        serde_json::from_slice(&connect_format::value(pairs)).unwrap_or_default()
    };
    let entry = |(partition, offset): &(SourcePartition, SourceOffset)| json!({"partition": value(&SourceOffset(partition.0.clone())), "offset": value(offset)});
    offsets.iter().map(entry).collect()
}

/// The same for a change, whose offset may be none.
pub(super) fn change((partition, offset): &(SourcePartition, Option<SourceOffset>)) -> Value {
    let mut shown = entries(&[(partition.clone(), offset.clone().unwrap_or_default())]).pop().unwrap_or_default();
    if offset.is_none() {
        shown["offset"] = Value::Null;
    }
    shown
}

pub(super) async fn get(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, RestError> {
    let offsets = app.herder.offsets(&name).await?;
    Ok(Json(json!({"offsets": entries(&offsets)})))
}

pub(super) async fn patch(
    State(app): State<App>,
    Path(name): Path<String>,
    JsonBody(offsets): JsonBody<ConnectorOffsets>,
) -> Result<Json<Value>, RestError> {
    app.herder.alter_offsets(&name, Some(&offsets.changes()?)).await?;
    Ok(Json(json!({"message": ALTERED})))
}

pub(super) async fn delete(
    State(app): State<App>,
    Path(name): Path<String>,
    _: NoBody,
) -> Result<Json<Value>, RestError> {
    app.herder.alter_offsets(&name, None).await?;
    Ok(Json(json!({"message": RESET})))
}

/// What Kafka Connect says when the connector has agreed.
pub(super) const ALTERED: &str = "The offsets for this connector have been altered successfully";
/// The same for no offsets any more.
pub(super) const RESET: &str = "The offsets for this connector have been reset successfully";
/// What the cloud says, whose connectors do not confirm.
pub(super) const ALTERED_CLOUD: &str = "The Connect framework-managed offsets for this connector have been altered successfully. However, if this connector manages offsets externally, they will need to be manually altered in the system that the connector uses.";
/// The same for no offsets any more.
pub(super) const RESET_CLOUD: &str = "The Connect framework-managed offsets for this connector have been reset successfully. However, if this connector manages offsets externally, they will need to be manually reset in the system that the connector uses.";
