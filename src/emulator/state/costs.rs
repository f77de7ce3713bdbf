//! What sessions cost, once they are at rest for a while.

use serde::Serialize;

use super::ledger::written;
use super::{Answer, State, Visit};
use crate::emulator::cost::Decimal;
use crate::emulator::refusal::Refusal;

#[derive(Serialize)]
struct Cost<'a> {
    scope_kind: &'static str,
    scope_id: &'a str,
    event_count: u64,
    total_cost_usd: &'a Decimal,
}

impl State {
    /// Returns what a session has cost, unless it is at work or was a moment ago.
    pub(in crate::emulator) fn cost(&mut self, visit: Visit, session_id: &str) -> Answer {
        let delay = self.cost_delay;
        let (_, session) = self.find_session(visit, session_id)?;
        let ended = session.spent.ended.filter(|_| !session.is_busy());
        if ended.is_none_or(|ended| visit.now < ended.saturating_add(delay)) {
            return Err(Refusal::NotFound("Cost"));
        }
        Ok(written(&Cost {
            scope_kind: "session",
            scope_id: &session.ledger.session_id,
            event_count: session.spent.charges,
            total_cost_usd: &session.spent.total,
        }))
    }
}
