//! What is known of a message's tool calls; pure.

use std::collections::HashMap;

use futures_util::future::AbortHandle;

use crate::events::{Event, EventKind, ToolCallRequested};
use crate::ids::{MessageId, ToolCallId};
use crate::status::MessageStatus;
use crate::stream::until::status_of;
use crate::tools::attend::Called;

/// What an event tells of a message's tool calls.
#[derive(Debug, PartialEq)]
pub(super) enum News {
    /// Nothing.
    None,
    /// A tool is called.
    Requested(Called),
    /// A call has its answer, whoever gave it.
    Answered(ToolCallId),
    /// A call has its answer, if it is one of this message.
    AnsweredIfKnown(ToolCallId),
    /// The message moved on.
    Status(MessageStatus),
}

/// Returns what an event tells of this message's tool calls.
///
/// Assumption (contract §5): the data of the events, but for the ids of `tool.call_requested`.
#[inline]
pub(super) fn news(event: &Event, message: &MessageId) -> News {
    let ours = |named: Option<&MessageId>| named.or(event.message_id.as_ref()) == Some(message);
    let answered = |id: Option<ToolCallId>, named: Option<&MessageId>| match id {
        Some(id) if ours(named) => News::Answered(id),
        Some(id) if named.or(event.message_id.as_ref()).is_none() => News::AnsweredIfKnown(id),
        _ => News::None,
    };
    // Other types are told apart before their data is read.
    if !event.event_type.as_str().starts_with("tool.") {
        return status_of(event, message).map_or(News::None, News::Status);
    }
    match event.kind() {
        EventKind::ToolCallRequested(call) if ours(call.message_id.as_ref()) => requested(call),
        EventKind::ToolCallCompleted(call) | EventKind::ToolCallFailed(call) => {
            answered(call.tool_call_id, None)
        }
        EventKind::ToolResultSubmitted(result) => {
            answered(result.tool_call_id, result.message_id.as_ref())
        }
        _ => News::None,
    }
}

fn requested(call: ToolCallRequested) -> News {
    let ToolCallRequested { tool_call_id, tool_name: name, arguments, .. } = call;
    tool_call_id.map_or(News::None, |id| News::Requested(Called { id, name, arguments }))
}

/// Where each call of a message stands.
#[derive(Debug, Default)]
pub(super) struct Book {
    calls: HashMap<ToolCallId, Stand>,
    /// The number of the event that made each call.
    made: HashMap<ToolCallId, u64>,
}

/// Where a call stands.
#[derive(Debug)]
pub(super) enum Stand {
    /// It waits for a free place.
    Waiting,
    /// It is looked after, and no answer is known.
    Running(AbortHandle),
    /// It has no handler, and its message may not wait for it yet.
    Foreign,
    /// Its answer is on the way.
    Answering,
    /// There is nothing more to do.
    Closed,
}

impl Book {
    /// Notes a call and its event's number; returns whether it is a new one.
    pub(super) fn open(&mut self, id: &ToolCallId, number: Option<u64>) -> bool {
        if self.calls.contains_key(id) {
            return false;
        }
        if let Some(number) = number {
            self.made.insert(id.clone(), number);
        }
        self.set(id, Stand::Waiting);
        true
    }

    /// Notes that a call has an answer; one that is under way itself stays.
    pub(super) fn answered(&mut self, id: &ToolCallId) {
        match self.calls.get(id) {
            // Most often this is the very answer, seen before the reply to it.
            Some(Stand::Answering) => {}
            Some(Stand::Running(handle)) => handle.abort(),
            _ => self.set(id, Stand::Closed),
        }
    }

    /// Notes an ending that names no message: one before the call ends another's, of the same id.
    pub(super) fn answered_if_known(&mut self, id: &ToolCallId, number: Option<u64>) {
        let is_older = number.zip(self.made.get(id)).is_some_and(|(ended, made)| ended < *made);
        if self.calls.contains_key(id) && !is_older {
            self.answered(id);
        }
    }

    /// Drops every handler at work.
    pub(super) fn drop_running(&mut self) {
        for stand in self.calls.values() {
            if let Stand::Running(handle) = stand {
                handle.abort();
            }
        }
    }

    pub(super) fn set(&mut self, id: &ToolCallId, stand: Stand) {
        self.calls.insert(id.clone(), stand);
    }

    /// Forgets a call, so that the next history brings it again.
    pub(super) fn forget(&mut self, id: &ToolCallId) {
        self.calls.remove(id);
        self.made.remove(id);
    }

    /// Returns how many calls are known.
    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_waiting(&self, id: &ToolCallId) -> bool {
        matches!(self.calls.get(id), Some(Stand::Waiting))
    }

    pub(super) fn is_foreign(&self, id: &ToolCallId) -> bool {
        matches!(self.calls.get(id), Some(Stand::Foreign))
    }
}
