//! The whole ledger of a session, and whether a call has ended in it.

use crate::error::Error;
use crate::events::Event;
use crate::ids::{MessageId, SessionId, ToolCallId};
use crate::tools::book::{News, news};
use crate::tools::service::Service;

/// How many events the first question for the history covers.
const FIRST_LIMIT: u64 = 1_000;
const LARGEST_LIMIT: u64 = 1 << 40;

/// Asks for the whole ledger, with limits that grow until they cover it.
///
/// Assumption (contract §3): the list holds as many events as its limit allows.
pub(super) async fn ledger(
    service: &dyn Service,
    session: &SessionId,
    known: u64,
) -> Result<Vec<Event>, Error> {
    let mut limit = known.saturating_add(FIRST_LIMIT).min(LARGEST_LIMIT);
    loop {
        let events = service.events(session, limit).await?;
        if (events.len() as u64) < limit || limit == LARGEST_LIMIT {
            return Ok(events);
        }
        limit = limit.saturating_mul(8).min(LARGEST_LIMIT);
    }
}

/// Returns whether a call has an answer, or its message an end.
#[inline]
pub(super) fn has_ended(events: &[Event], message: &MessageId, call: &ToolCallId) -> bool {
    let mut ended = false;
    for event in events {
        match news(event, message) {
            // What came before the call ended another's, of the same id.
            News::Requested(called) if called.id == *call => ended = false,
            News::Answered(id) | News::AnsweredIfKnown(id) if id == *call => ended = true,
            News::Status(status) if status.is_terminal() => return true,
            _ => {}
        }
    }
    ended
}
