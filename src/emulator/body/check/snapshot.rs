//! Checks the shape of the bodies of publishing.

use super::{At, is_object, is_string, required};
use crate::emulator::refusal::Problem;

/// Checks what is announced of an archive.
pub(in crate::emulator::body) fn reservation(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !is_object(at, problems) {
        return;
    }
    if let Some(format) = required(at, "format", problems) {
        if format.value != "tar.gz" {
            problems.push(format.problem("value_unknown", "must be tar.gz"));
        }
    }
    if let Some(sum) = required(at, "sha256", problems) {
        if !sum.value.as_str().is_some_and(is_sum) {
            problems.push(sum.problem("value_invalid", "must be 64 lower-case hex digits"));
        }
    }
    if let Some(size) = required(at, "size_bytes", problems) {
        if size.value.as_u64().is_none_or(|size| size == 0) {
            problems.push(size.problem("value_invalid", "must be a whole number from 1"));
        }
    }
    if let Some(metadata) = at.field("metadata") {
        is_object(&metadata, problems);
    }
}

/// Checks which snapshot a version is to be made of.
pub(in crate::emulator::body) fn source(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !is_object(at, problems) {
        return;
    }
    if let Some(id) = required(at, "source_snapshot_id", problems) {
        is_string(&id, problems);
    }
}

fn is_sum(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.len() == 64 && text.bytes().all(is_digit)
}
