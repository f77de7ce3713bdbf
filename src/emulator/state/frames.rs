//! The ledger as frames of an event stream (contract §5).

use std::time::Duration;

use super::{State, Visit};
use crate::emulator::refusal::Refusal;

/// How much is handed out at once, give or take a frame.
const CHUNK_BYTES: usize = 64 << 10;

/// Frames to send, and how to go on.
#[derive(Debug)]
pub(in crate::emulator) struct Frames {
    pub(in crate::emulator) text: String,
    /// The position after them.
    pub(in crate::emulator) next: usize,
    /// When there may be more without another request.
    pub(in crate::emulator) due: Option<Duration>,
}

impl State {
    /// Returns the position after an event, or the start.
    ///
    /// An event that is not in the ledger counts as none.
    pub(in crate::emulator) fn resume(
        &mut self,
        visit: Visit,
        session_id: &str,
        last_event_id: Option<&str>,
    ) -> Result<usize, Refusal> {
        let (_, session) = self.find_session(visit, session_id)?;
        let mut events = session.ledger.events.iter();
        let seen = events.position(|event| Some(event.id.as_str()) == last_event_id);
        Ok(seen.map_or(0, |place| place + 1))
    }

    /// Returns the next frames from a position on.
    pub(in crate::emulator) fn frames(
        &mut self,
        visit: Visit,
        session_id: &str,
        from: usize,
    ) -> Result<Frames, Refusal> {
        let (_, session) = self.find_session(visit, session_id)?;
        let (mut text, mut next) = (String::new(), from);
        for event in session.ledger.events.iter().skip(from) {
            if text.len() >= CHUNK_BYTES {
                break;
            }
            let json = event.json.get();
            text += &format!("id: {}\nevent: {}\ndata: {json}\n\n", event.id, event.kind);
            next += 1;
        }
        Ok(Frames { text, next, due: self.next_due() })
    }
}
