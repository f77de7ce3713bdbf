//! The life of a turn: one transition at a time, each at its due time.

use std::time::Duration;

use serde_json::Value;

use super::ledger::{Data, Mark};
use super::message::{Message, MessageStatus, Part, TextBlock, ToolCall, readable};
use super::session::{ActiveTurn, Session};
use crate::emulator::script::{ScriptedAgent, Step, ToolStep, TurnInput};

impl Session {
    /// Performs what is due and returns when the next thing is.
    pub(super) fn step(&mut self, at: Duration, agent: &ScriptedAgent) -> Option<Duration> {
        let Some(turn) = &mut self.turn else {
            return self.begin(at, agent);
        };
        let place = turn.message;
        match turn.steps.pop_front() {
            Some(Step::Delay(pause)) => return Some(at.saturating_add(pause)),
            Some(Step::Text(text)) => self.messages.get_mut(place)?.draft.push(Part::Text { text }),
            Some(Step::File(path, contents)) => drop(self.workspace.insert(path, contents)),
            Some(Step::Tool(step)) => self.call_tool(at, place, step)?,
            Some(Step::Fail(error)) => return self.fail(at, place, error),
            None => return self.complete(at, place),
        }
        Some(at)
    }

    fn begin(&mut self, at: Duration, agent: &ScriptedAgent) -> Option<Duration> {
        let place = self.waiting.pop_front()?;
        let steps = agent.play(&self.messages.get(place)?.turn_input()).into();
        self.turn = Some(ActiveTurn { message: place, steps });
        let mark = self.change(at, place, MessageStatus::Running)?;
        self.messages.get_mut(place)?.answered = mark;
        Some(at)
    }

    /// Plays a tool that the agent runs itself.
    fn call_tool(&mut self, at: Duration, place: usize, step: ToolStep) -> Option<()> {
        let message = self.messages.get_mut(place)?;
        let number = message.calls.len() + 1;
        let id = format!("call_{}_{number}", message.id.trim_start_matches("msg_"));
        let data = Data::ToolRequested {
            message_id: &message.id,
            tool_call_id: &id,
            tool_name: &step.name,
            arguments: &step.arguments,
        };
        let requested = self.ledger.record(at, Some(&message.id), &data);
        let data = step.finished(&id);
        let completed_at = self.ledger.record(at, Some(&message.id), &data).at;
        message.note_call(ToolCall {
            requested,
            id,
            name: step.name,
            arguments: step.arguments,
            outcome: Some((step.outcome, completed_at)),
        });
        Some(())
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
        if self.is_busy() {
            return Some(at);
        }
        self.status_changed(at, "idle");
        None
    }

    fn change(&mut self, at: Duration, place: usize, status: MessageStatus) -> Option<Mark> {
        let message = self.messages.get_mut(place)?;
        message.status = status;
        let data = Data::MessageStatus { message_id: &message.id, status };
        Some(self.ledger.record(at, Some(&message.id), &data))
    }
}

impl ToolStep {
    fn finished<'a>(&'a self, id: &'a str) -> Data<'a> {
        let (Ok(result) | Err(result)) = &self.outcome;
        let is_error = self.outcome.is_err();
        Data::ToolFinished { tool_call_id: id, tool_name: &self.name, result, is_error }
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

    /// Adds a finished call, and the two output parts that show it.
    fn note_call(&mut self, call: ToolCall) {
        self.draft.push(Part::ToolCall {
            id: call.id.clone(),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
        });
        if let Some((outcome, _)) = &call.outcome {
            let (Ok(value) | Err(value)) = outcome;
            self.draft.push(Part::ToolResult {
                tool_call_id: call.id.clone(),
                tool_name: call.name.clone(),
                content: vec![TextBlock::new(readable(value))],
                is_error: outcome.is_err(),
            });
        }
        self.calls.push(call);
    }
}
