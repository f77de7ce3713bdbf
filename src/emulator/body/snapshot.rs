//! The bodies of publishing.

use serde::Deserialize;
use serde_json::Value;

use super::check::{self, At};
use super::{extract, parse, refuse};
use crate::emulator::bundle::Announced;
use crate::emulator::refusal::Refusal;

#[derive(Deserialize)]
struct Reservation {
    sha256: String,
    size_bytes: u64,
}

#[derive(Deserialize)]
struct Source {
    source_snapshot_id: String,
}

/// Reads the body of "reserve a source snapshot".
pub(in crate::emulator) fn reservation(bytes: &[u8]) -> Result<Announced, Refusal> {
    let document = parse(bytes)?;
    let mut problems = Vec::new();
    check::reservation(&At::body(&document), &mut problems);
    refuse(problems)?;
    let Reservation { sha256, size_bytes } = extract(bytes)?;
    Ok(Announced { sha256, size_bytes })
}

/// Reads the id of the snapshot that a version is to be made of.
pub(in crate::emulator) fn source(bytes: &[u8]) -> Result<String, Refusal> {
    let document: Value = parse(bytes)?;
    let mut problems = Vec::new();
    check::source(&At::body(&document), &mut problems);
    refuse(problems)?;
    Ok(extract::<Source>(bytes)?.source_snapshot_id)
}
