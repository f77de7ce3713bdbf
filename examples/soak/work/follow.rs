//! Streams that are left in the middle and taken up again, as by another process.

use std::time::Duration;

use dari::{Cursor, Event, EventStream, MessageId, ReconnectPolicy, SessionId};
use fastrand::Rng;

use super::{Done, Worker};
use crate::journal::Through;

/// The emulator sends a heartbeat every 200 ms.
const SILENCE: Duration = Duration::from_secs(2);

impl Worker {
    pub(super) async fn stream(&self, token: &str, random: &mut Rng) -> Done {
        let session = self.open(token).await?;
        let sent = self.say(&session, token, &format!("turn {}", random.u8(..20))).await?;
        let followed = self.follow_message((token, &session), &sent.message.id, random).await?;
        self.note_delivered(&session, followed, Through::Message(sent.message.id.to_string()));
        Ok(())
    }

    /// Returns the ids of a session's events up to the end of a message.
    pub(super) async fn follow_message(
        &self,
        of: (&str, &SessionId),
        message: &MessageId,
        random: &mut Rng,
    ) -> Done<Vec<String>> {
        // Behind the end of a message, its end is not to be seen: there nobody may leave.
        let may_leave = |event: &Event| event.event_type != "message.status_changed";
        let open = |events: EventStream| events.until(message);
        self.follow((of, random), open, may_leave).await
    }

    /// Returns the ids of all events of a session that is or becomes idle.
    pub(super) async fn follow_to_idle(
        &self,
        of: (&str, &SessionId),
        random: &mut Rng,
    ) -> Done<Vec<String>> {
        self.follow((of, random), EventStream::until_idle, |_| true).await
    }

    async fn follow(
        &self,
        ((token, session), random): ((&str, &SessionId), &mut Rng),
        until: impl Fn(EventStream) -> EventStream + Send,
        may_leave: impl Fn(&Event) -> bool + Send,
    ) -> Done<Vec<String>> {
        let (mut followed, mut stored) = (Vec::new(), None::<String>);
        let policy = ReconnectPolicy::default().max_delay(Duration::from_millis(500));
        loop {
            let events = self.client.sessions().stream(session).idle_timeout(SILENCE);
            let mut events = until(events.reconnect(policy.clone()));
            if let Some(cursor) = &stored {
                events = events.after(cursor.parse::<Cursor>()?);
            }
            let place = format!("behind {stored:?} of {session}, {} events came", followed.len());
            self.at(token, place);
            let mut left = random.usize(1..20);
            while left > 0 {
                let Some(event) = events.try_next().await? else { return Ok(followed) };
                followed.push(event.id.to_string());
                left = if may_leave(&event) { left - 1 } else { left.max(2) - 1 };
            }
            stored = events.cursor().map(ToString::to_string);
        }
    }
}
