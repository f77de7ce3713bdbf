//! Faults as a behaviour file has them.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;

use crate::emulator::fault::{Fault, Route};

/// A fault of the whole emulator.
#[derive(Deserialize)]
#[serde(try_from = "FaultFields")]
pub(super) struct FaultEntry(pub(super) Fault);

/// Every kind of fault, of which one is given, and what all of them may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected a fault, such as {\"status\": 503}")]
struct FaultFields {
    status: Option<Status>,
    reply: Option<Reply>,
    garbage: Option<Yes>,
    delay_ms: Option<u64>,
    cut_body_after: Option<usize>,
    no_answer: Option<Yes>,
    disconnect: Option<Yes>,
    end_stream_after: Option<usize>,
    stall_stream_after: Option<usize>,
    repeat_events: Option<Places>,
    skip_events: Option<Places>,
    on: Option<RouteName>,
    #[serde(default)]
    after: usize,
    #[serde(default = "once")]
    times: usize,
    retry_after: Option<u64>,
    carried_out: Option<Yes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected an object")]
struct Reply {
    status: Status,
    content_type: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(try_from = "u16")]
struct Status(u16);

/// `true`, which only stands for itself.
#[derive(Deserialize)]
#[serde(try_from = "bool")]
struct Yes;

#[derive(Deserialize)]
#[serde(try_from = "[usize; 2]")]
struct Places(Range<usize>);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct RouteName(Route);

impl FaultFields {
    /// Returns the faults of all kinds that are given.
    fn kinds(&self) -> Vec<Fault> {
        let reply = |it: &Reply| Fault::reply(it.status.0, &*it.content_type, &*it.body);
        let kinds = [
            self.status.as_ref().map(|status| Fault::status(status.0)),
            self.reply.as_ref().map(reply),
            self.garbage.as_ref().map(|Yes| Fault::garbage()),
            self.delay_ms.map(|delay| Fault::delay(Duration::from_millis(delay))),
            self.cut_body_after.map(Fault::cut_body_after),
            self.no_answer.as_ref().map(|Yes| Fault::no_answer()),
            self.disconnect.as_ref().map(|Yes| Fault::disconnect()),
            self.end_stream_after.map(Fault::end_stream_after),
            self.stall_stream_after.map(Fault::stall_stream_after),
            self.repeat_events.as_ref().map(|places| Fault::repeat_events(places.0.clone())),
            self.skip_events.as_ref().map(|places| Fault::skip_events(places.0.clone())),
        ];
        kinds.into_iter().flatten().collect()
    }
}

impl TryFrom<FaultFields> for FaultEntry {
    type Error = &'static str;

    fn try_from(fields: FaultFields) -> Result<Self, Self::Error> {
        let mut kinds = fields.kinds().into_iter();
        let (Some(mut fault), None) = (kinds.next(), kinds.next()) else {
            return Err("a fault is one of `status`, `reply`, `garbage`, `delay_ms`, \
                        `cut_body_after`, `no_answer`, `disconnect`, `end_stream_after`, \
                        `stall_stream_after`, `repeat_events`, `skip_events`");
        };
        fault = fault.after(fields.after).times(fields.times);
        if let Some(RouteName(route)) = fields.on {
            fault = fault.on(route);
        }
        if !fault.can_happen() {
            return Err("this happens to streams only: leave `on` out, or use `stream_events`");
        }
        if let Some(seconds) = fields.retry_after {
            fault = fault.retry_after(seconds);
        }
        if let Some(Yes) = fields.carried_out {
            fault = fault.carried_out();
        }
        Ok(Self(fault))
    }
}

impl TryFrom<u16> for Status {
    type Error = &'static str;

    fn try_from(status: u16) -> Result<Self, Self::Error> {
        (200..600).contains(&status).then_some(Self(status)).ok_or("a status is from 200 to 599")
    }
}

impl TryFrom<bool> for Yes {
    type Error = &'static str;

    fn try_from(yes: bool) -> Result<Self, Self::Error> {
        yes.then_some(Self).ok_or("must be true, or left out")
    }
}

impl TryFrom<[usize; 2]> for Places {
    type Error = &'static str;

    fn try_from([from, to]: [usize; 2]) -> Result<Self, Self::Error> {
        if from < to {
            Ok(Self(from..to))
        } else {
            Err("must be two places, the first before the second")
        }
    }
}

impl TryFrom<String> for RouteName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Route::read(&name).map(Self)
    }
}

fn once() -> usize {
    1
}
