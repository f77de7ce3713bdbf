//! When a stream has seen enough: every assumption about ends, in one place.
//!
//! The type is looked at before the data is read, which costs more than all else done with an event.

use crate::events::{Event, EventKind};
use crate::ids::MessageId;
use crate::status::{EventType, MessageStatus, SessionStatus};

/// What ends a stream besides the session's own end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Until {
    /// Nothing does.
    Forever,
    /// The event that finishes this message.
    Message(MessageId),
    /// A session without a message queued or running.
    Idle,
}

/// What an event means for the end of a stream.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    /// The stream goes on.
    NotYet,
    /// This was the last event.
    Now,
    /// The session says it is idle; ask whether that is still so.
    AskIfIdle,
}

impl Until {
    #[inline]
    pub(super) fn at(&self, event: &Event) -> End {
        if ends_session(event) {
            return End::Now;
        }
        match self {
            Self::Message(id) if finishes(event, id) => End::Now,
            Self::Idle if says_idle(event) => End::AskIfIdle,
            _ => End::NotYet,
        }
    }
}

/// Returns whether an event says that a message is final.
///
/// Assumption (contract §5): `message.status_changed` says so.
#[inline]
pub(crate) fn finishes(event: &Event, message: &MessageId) -> bool {
    status_of(event, message).is_some_and(|status| status.is_terminal())
}

/// Returns the message an event belongs to.
#[inline]
pub(super) fn message_of(event: &Event) -> Option<MessageId> {
    if event.message_id.is_some() {
        return event.message_id.clone();
    }
    if !matches!(event.event_type, EventType::UserMessage | EventType::MessageStatusChanged) {
        return None;
    }
    match event.kind() {
        EventKind::UserMessage(data) => data.message_id,
        EventKind::MessageStatusChanged(data) => data.message_id,
        _ => None,
    }
}

/// Returns the status that an event gives a message.
#[inline]
pub(crate) fn status_of(event: &Event, message: &MessageId) -> Option<MessageStatus> {
    if event.event_type != EventType::MessageStatusChanged {
        return None;
    }
    match event.kind() {
        EventKind::MessageStatusChanged(change) => {
            let about = change.message_id.as_ref().or(event.message_id.as_ref());
            change.status.filter(|_| about == Some(message))
        }
        _ => None,
    }
}

/// Assumption (contract §1): these statuses end a session for good.
#[inline]
fn ends_session(event: &Event) -> bool {
    use SessionStatus::{Completed, Expired, Failed};
    matches!(session_status(event), Some(Completed | Failed | Expired))
}

/// Assumption (contract §5): `session.status_changed` to `idle` follows the last queued message.
#[inline]
fn says_idle(event: &Event) -> bool {
    session_status(event) == Some(SessionStatus::Idle)
}

#[inline]
fn session_status(event: &Event) -> Option<SessionStatus> {
    if event.event_type != EventType::SessionStatusChanged {
        return None;
    }
    match event.kind() {
        EventKind::SessionStatusChanged(change) => change.status,
        _ => None,
    }
}
