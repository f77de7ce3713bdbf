//! What happens on the way of an operation or a stream, told once each.

use std::ops::RangeInclusive;
use std::time::Duration;

use tracing::{debug, info, warn};

use crate::error::Error;
use crate::trace::failure::{kind, reason};
use crate::trace::span::integer;

const STREAM: &str = "sessions.stream";

/// An attempt failed like this, and is made again after a delay.
pub(crate) fn repeats(error: &Error, delay: Duration) {
    warn!(
        name: "dari.repeat",
        target: "dari",
        {
            "dari.operation" = error.operation(),
            "dari.attempts" = i64::from(error.attempts()),
            "dari.delay_ms" = integer(delay.as_millis()),
            "dari.reason" = reason(error),
            "error.type" = kind(error),
            "http.response.status_code" = status(error),
            "dari.request_id" = error.request_id(),
        },
        "an attempt failed and is repeated"
    );
}

/// A connection of a stream is over, and the next is due; `last` is the number delivered last.
pub(crate) fn reconnects(why: Result<&'static str, &Error>, delay: Duration, last: Option<u64>) {
    let error = why.err();
    info!(
        name: "dari.reconnect",
        target: "dari",
        {
            "dari.operation" = STREAM,
            "dari.delay_ms" = integer(delay.as_millis()),
            "dari.sequence_number" = last.map(integer),
            "dari.reason" = why.unwrap_or_else(reason),
            "error.type" = error.map(kind),
            "http.response.status_code" = error.and_then(status),
            "dari.request_id" = error.and_then(Error::request_id),
        },
        "a stream connects again"
    );
}

/// A connection goes on behind the event with this number.
pub(crate) fn resumes(after: Option<u64>) {
    debug!(
        name: "dari.resume",
        target: "dari",
        { "dari.operation" = STREAM, "dari.sequence_number" = after.map(integer) },
        "a stream goes on where it stopped"
    );
}

/// So many events of a gap were found; the others are given up.
pub(crate) fn gap(gap: &RangeInclusive<u64>, filled: u64) {
    let missing = (gap.end() - gap.start()).saturating_add(1).saturating_sub(filled);
    if missing == 0 {
        info!(
            name: "dari.gap",
            target: "dari",
            {
                "dari.operation" = STREAM,
                "dari.gap.from" = integer(*gap.start()),
                "dari.gap.to" = integer(*gap.end()),
                "dari.gap.filled" = integer(filled),
                "dari.gap.missing" = 0_i64,
            },
            "a gap was filled"
        );
        return;
    }
    warn!(
        name: "dari.gap",
        target: "dari",
        {
            "dari.operation" = STREAM,
            "dari.gap.from" = integer(*gap.start()),
            "dari.gap.to" = integer(*gap.end()),
            "dari.gap.filled" = integer(filled),
            "dari.gap.missing" = integer(missing),
        },
        "events of a gap are missing"
    );
}

/// The list that could fill a gap could not be had.
pub(crate) fn gap_stays(gap: &RangeInclusive<u64>, error: &Error) {
    warn!(
        name: "dari.gap",
        target: "dari",
        {
            "dari.operation" = STREAM,
            "dari.gap.from" = integer(*gap.start()),
            "dari.gap.to" = integer(*gap.end()),
            "dari.reason" = reason(error),
            "error.type" = kind(error),
            "http.response.status_code" = status(error),
            "dari.request_id" = error.request_id(),
        },
        "a gap could not be filled yet"
    );
}

/// An event came again and was dropped.
pub(crate) fn duplicate(number: Option<u64>) {
    debug!(
        name: "dari.duplicate",
        target: "dari",
        { "dari.operation" = STREAM, "dari.sequence_number" = number.map(integer) },
        "an event came again and was dropped"
    );
}

fn status(error: &Error) -> Option<i64> {
    error.status().map(|status| i64::from(status.as_u16()))
}
