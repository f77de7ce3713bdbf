//! Tool calls: those the agent runs itself, and those that wait for the application (contract §6).

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::ledger::{Data, written};
use super::message::{Message, MessageStatus, Outcome, Part, TextBlock, ToolCall};
use super::schema::misfit;
use super::sends::recorded;
use super::session::Session;
use super::{Answer, State, Visit};
use crate::emulator::body::ToolAnswer;
use crate::emulator::external::{CallResult, CallResults, ExternalCall, Then};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::ToolStep;

/// An external call that has no result yet.
#[derive(Debug)]
pub(super) struct OpenCall {
    /// Its place among the calls of its message.
    place: usize,
    schema: Option<Value>,
    deadline: Option<Duration>,
}

impl State {
    /// Takes the result of an external call (contract §3).
    pub(in crate::emulator) fn submit_tool_result(
        &mut self,
        visit: Visit,
        session_id: &str,
        answer: ToolAnswer,
    ) -> Answer {
        let (place, session) = self.find_session(visit, session_id)?;
        let alarm = session.alarm();
        let json = session.submit(visit.now, answer)?;
        let next = if session.is_waiting() { session.alarm() } else { Some(visit.now) };
        if let Some(alarm) = alarm {
            self.agenda.remove(&(alarm, place));
        }
        self.agenda.extend(next.map(|next| (next, place)));
        self.changes += 1;
        Ok(json)
    }
}

impl Session {
    /// Plays a tool that the agent runs itself.
    pub(super) fn call_tool(&mut self, at: Duration, place: usize, step: ToolStep) -> Option<()> {
        let is_error = step.outcome.is_err();
        let (Ok(result) | Err(result)) = step.outcome;
        let call = self.request(at, place, (step.name, step.arguments))?;
        self.end(at, (place, call), (Some(written(&result)), is_error))
    }

    /// Requests external calls; returns when the first gives up.
    pub(super) fn call_external(
        &mut self,
        at: Duration,
        place: usize,
        calls: Vec<ExternalCall>,
    ) -> Option<Duration> {
        if calls.is_empty() {
            return Some(at);
        }
        for call in calls {
            let deadline = call.timeout.map(|limit| at.saturating_add(limit));
            let index = self.request(at, place, (call.name, call.arguments))?;
            self.note_call(at, (place, index))?;
            let open = OpenCall { place: index, schema: call.schema, deadline };
            self.turn.as_mut()?.open.push(open);
        }
        self.change(at, place, MessageStatus::WaitingForTool)?;
        self.alarm()
    }

    /// Ends the calls whose time is over; returns when to go on.
    pub(super) fn expire(&mut self, at: Duration, place: usize) -> Option<Duration> {
        let is_over = |call: &OpenCall| call.deadline.is_some_and(|deadline| deadline <= at);
        while let Some(call) = self.close(is_over) {
            self.end(at, (place, call.place), (Some(written(&timed_out())), true))?;
        }
        if self.is_waiting() {
            return self.alarm();
        }
        self.change(at, place, MessageStatus::Running)?;
        Some(at)
    }

    /// Puts the steps that follow from the results before those left.
    pub(super) fn go_on(&mut self, place: usize, script: &Then) -> Option<()> {
        let steps = script.steps(&self.messages.get(place)?.call_results());
        let left = &mut self.turn.as_mut()?.steps;
        steps.into_iter().rev().for_each(|step| left.push_front(step));
        Some(())
    }

    fn submit(&mut self, at: Duration, answer: ToolAnswer) -> Answer {
        let (place, call) = self.answered_call(&answer)?;
        let data = Data::ToolAnswered {
            message_id: &answer.message_id,
            tool_call_id: &answer.tool_call_id,
            result: answer.result.as_deref(),
            is_error: answer.is_error,
        };
        let event = self.ledger.record(at, Some(&answer.message_id), &data).event_id;
        self.close(|open| open.place == call);
        self.end(at, (place, call), (answer.result, answer.is_error));
        if !self.is_waiting() {
            self.change(at, place, MessageStatus::Running);
        }
        Ok(recorded(self, self.messages.get(place), &event))
    }

    /// Returns the message and the open call that an answer fits.
    fn answered_call(&self, answer: &ToolAnswer) -> Result<(usize, usize), Refusal> {
        let place = self.messages.iter().position(|message| message.id == answer.message_id);
        let place = place.ok_or(Refusal::NotFound("Message"))?;
        let mut calls = self.messages.iter().skip(place).take(1).flat_map(|message| &message.calls);
        let call = calls.position(|call| call.id == answer.tool_call_id);
        let call = call.ok_or(Refusal::NotFound("Tool call"))?;
        let turn = self.turn.as_ref().filter(|turn| turn.message == place);
        let open = turn.and_then(|turn| turn.open.iter().find(|open| open.place == call));
        open.ok_or(Refusal::Conflict("This tool call already has a result"))?.check(answer)?;
        Ok((place, call))
    }

    /// Records a call and returns its place in the message.
    fn request(
        &mut self,
        at: Duration,
        place: usize,
        (name, arguments): (String, Value),
    ) -> Option<usize> {
        let message = self.messages.get_mut(place)?;
        let index = message.calls.len();
        let id = format!("call_{}_{}", message.id.trim_start_matches("msg_"), index + 1);
        let data = Data::ToolRequested {
            message_id: &message.id,
            tool_call_id: &id,
            tool_name: &name,
            arguments: &arguments,
        };
        let requested = self.ledger.record(at, Some(&message.id), &data);
        let part =
            Part::ToolCall { id: id.clone(), name: name.clone(), arguments: arguments.clone() };
        message.draft.push(part);
        message.calls.push(ToolCall { requested, id, name, arguments, outcome: None });
        Some(index)
    }

    /// Records the end of a call of a message, both given by place.
    fn end(
        &mut self,
        at: Duration,
        (place, call): (usize, usize),
        (result, is_error): (Option<Box<RawValue>>, bool),
    ) -> Option<()> {
        let message = self.messages.get_mut(place)?;
        let call = message.calls.get_mut(call)?;
        let data = Data::ToolFinished {
            tool_call_id: &call.id,
            tool_name: &call.name,
            result: result.as_deref(),
            is_error,
        };
        let at = self.ledger.record(at, Some(&message.id), &data).at;
        message.draft.push(Part::ToolResult {
            tool_call_id: call.id.clone(),
            tool_name: call.name.clone(),
            content: result.iter().map(|raw| TextBlock::new(readable(raw))).collect(),
            is_error,
        });
        call.outcome = Some(Outcome { result, is_error, at });
        Some(())
    }

    /// Takes the first open call of this kind out.
    fn close(&mut self, is_meant: impl Fn(&OpenCall) -> bool) -> Option<OpenCall> {
        let open = &mut self.turn.as_mut()?.open;
        open.iter().position(is_meant).map(|index| open.remove(index))
    }

    fn is_waiting(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| !turn.open.is_empty())
    }

    /// Returns when the first of the open calls gives up.
    fn alarm(&self) -> Option<Duration> {
        self.turn.as_ref()?.open.iter().filter_map(|call| call.deadline).min()
    }
}

impl OpenCall {
    /// Checks a result against the output schema; an error passes.
    fn check(&self, answer: &ToolAnswer) -> Result<(), Refusal> {
        let (Some(schema), false) = (&self.schema, answer.is_error) else {
            return Ok(());
        };
        let result = answer.result.as_deref().map(parsed).unwrap_or_default();
        misfit(schema, &result).map_or(Ok(()), |misfit| Err(misfit.into()))
    }
}

impl Message {
    /// Returns what the agent sees of its calls so far.
    fn call_results(&self) -> CallResults {
        let results = self.calls.iter().filter_map(|call| {
            let outcome = call.outcome.as_ref()?;
            Some(CallResult {
                tool_call_id: call.id.clone(),
                tool_name: call.name.clone(),
                value: outcome.result.as_deref().map(parsed).unwrap_or_default(),
                is_error: outcome.is_error,
            })
        });
        CallResults { results: results.collect() }
    }
}

/// Returns a string bare, other JSON as it was written.
fn readable(raw: &RawValue) -> String {
    serde_json::from_str(raw.get()).unwrap_or_else(|_other_than_text| raw.get().to_owned())
}

fn parsed(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn timed_out() -> Value {
    json!({"type": "tool_timeout", "message": "the tool did not answer in time"})
}
