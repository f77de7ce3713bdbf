//! The life of a turn: one transition at a time, each at its due time.

use std::time::Duration;

use serde_json::Value;

use super::ledger::{Data, Mark};
use super::message::{Message, MessageStatus, Part};
use super::session::{ActiveTurn, Session};
use crate::emulator::script::{ScriptedAgent, Step, TurnInput};

impl Session {
    /// Performs what is due and returns when the next thing is.
    pub(super) fn step(&mut self, at: Duration, agent: &ScriptedAgent) -> Option<Duration> {
        let Some(turn) = &mut self.turn else {
            return self.begin(at, agent);
        };
        let place = turn.message;
        if !turn.open.is_empty() {
            return self.expire(at, place);
        }
        match turn.steps.pop_front() {
            Some(Step::Delay(pause)) => return Some(at.saturating_add(pause)),
            Some(Step::Text(text)) => self.messages.get_mut(place)?.draft.push(Part::Text { text }),
            Some(Step::File(path, contents)) => drop(self.workspace.insert(path, contents)),
            Some(Step::Tool(step)) => self.call_tool(at, place, step)?,
            Some(Step::Cost(amount)) => self.spent.charge(&amount),
            Some(Step::External(calls)) => return self.call_external(at, place, calls),
            Some(Step::Then(script)) => self.go_on(place, &script)?,
            Some(Step::Fail(error)) => return self.fail(at, place, error),
            None => return self.complete(at, place),
        }
        Some(at)
    }

    fn begin(&mut self, at: Duration, agent: &ScriptedAgent) -> Option<Duration> {
        let place = self.waiting.pop_front()?;
        let steps = agent.play(&self.messages.get(place)?.turn_input()).into();
        self.turn = Some(ActiveTurn { message: place, steps, open: Vec::new() });
        let mark = self.change(at, place, MessageStatus::Running)?;
        self.messages.get_mut(place)?.answered = mark;
        Some(at)
    }

    fn fail(&mut self, at: Duration, place: usize, error: Value) -> Option<Duration> {
        let message = self.messages.get_mut(place)?;
        let mut output = std::mem::take(&mut message.draft);
        output.error = Some(error);
        message.output = Some(output);
        let mark = self.change(at, place, MessageStatus::Failed)?;
        self.finish(at, place, mark)
    }

    fn complete(&mut self, at: Duration, place: usize) -> Option<Duration> {
        let message = self.messages.get_mut(place)?;
        let mut output = std::mem::take(&mut message.draft);
        output.parts.get_or_insert_default();
        let data = Data::AssistantMessage { message_id: &message.id, content: &output.texts() };
        let mark = self.ledger.record(at, Some(&message.id), &data);
        message.output = Some(output);
        self.change(at, place, MessageStatus::Completed)?;
        self.finish(at, place, mark)
    }

    /// Ends the turn; the next one starts at once.
    fn finish(&mut self, at: Duration, place: usize, mark: Mark) -> Option<Duration> {
        let message = self.messages.get_mut(place)?;
        message.completed_at = Some(mark.at.clone());
        message.answered = mark;
        self.turn = None;
        self.spent.end_turn(at);
        if self.is_busy() {
            return Some(at);
        }
        self.status_changed(at, "idle");
        self.note_end(at, place)?;
        None
    }

    /// Gives a message another status and records it.
    pub(super) fn change(
        &mut self,
        at: Duration,
        place: usize,
        status: MessageStatus,
    ) -> Option<Mark> {
        let message = self.messages.get_mut(place)?;
        message.status = status;
        let data = Data::MessageStatus { message_id: &message.id, status };
        Some(self.ledger.record(at, Some(&message.id), &data))
    }
}

impl Message {
    fn turn_input(&self) -> TurnInput {
        let read = |raw: &serde_json::value::RawValue| serde_json::from_str(raw.get()).ok();
        TurnInput {
            content: self.parts.iter().filter_map(|part| read(part)).collect(),
            metadata: self.metadata.as_deref().and_then(read),
            session_id: self.session_id.clone(),
            number: self.sequence_number,
        }
    }
}
