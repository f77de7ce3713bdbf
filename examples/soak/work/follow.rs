//! Streams that are left in the middle and taken up again, as by another process.

use std::time::Duration;

use dari::{Cursor, Event, EventStream, EventType, MessageId, ReconnectPolicy, SessionId};
use fastrand::Rng;

use super::{Done, Worker};
use crate::journal::Through;

/// The emulator sends a heartbeat every 200 ms.
const SILENCE: Duration = Duration::from_secs(2);

/// Where a following ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal<'a> {
    Message(&'a MessageId),
    Idle,
}

impl Goal<'_> {
    fn set(self, events: EventStream) -> EventStream {
        match self {
            Self::Message(id) => events.until(id),
            Self::Idle => events.until_idle(),
        }
    }

    /// Returns whether one may leave here and still see the goal from here on.
    fn lies_behind(self, event: &Event) -> bool {
        matches!(self, Self::Idle) || event.event_type != EventType::MessageStatusChanged
    }
}

impl Worker {
    pub(super) async fn stream(&self, token: &str, random: &mut Rng) -> Done {
        let session = self.open(token).await?;
        let sent = self.say(&session, token, &format!("turn {}", random.u8(..20))).await?;
        let id = &sent.message.id;
        let followed = self.follow((token, &session), Goal::Message(id), random).await?;
        self.note_delivered(&session, followed, Through::Message(id.to_string()));
        Ok(())
    }

    /// Returns the ids of a session's events, from the first one to the goal.
    pub(super) async fn follow(
        &self,
        (token, session): (&str, &SessionId),
        goal: Goal<'_>,
        random: &mut Rng,
    ) -> Done<Vec<String>> {
        let (mut followed, mut stored) = (Vec::new(), None::<String>);
        let policy = ReconnectPolicy::default().max_delay(Duration::from_millis(500));
        loop {
            let events = self.client.sessions().stream(session).idle_timeout(SILENCE);
            let mut events = goal.set(events.reconnect(policy.clone()));
            if let Some(cursor) = &stored {
                events = events.after(cursor.parse::<Cursor>()?);
            }
            let came = followed.len();
            self.at(token, format!("{goal:?} behind {stored:?} of {session}, {came} events came"));
            let mut left = random.usize(1..20);
            while left > 0 {
                let Some(event) = events.try_next().await? else { return Ok(followed) };
                followed.push(event.id.to_string());
                left = if goal.lies_behind(&event) { left - 1 } else { left.max(2) - 1 };
            }
            stored = events.cursor().map(ToString::to_string);
        }
    }
}
