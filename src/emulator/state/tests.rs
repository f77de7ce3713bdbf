//! The state without a socket, at times the tests choose.

mod batches;
mod costs;
mod frames;
mod parallel_tools;
mod publishing;
mod reads;
mod schemas;
mod scripts;
mod sends;
mod tools;
mod turns;
mod webhooks;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Arrival, Organization, State, Visit};
use crate::emulator::body::{
    NewSession, SessionEvents, UserMessage, agent_message, session_events,
};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::{ScriptedAgent, Turn};

/// A service with one agent, and the hand that turns its clock.
struct Bench {
    state: State,
    now: Duration,
}

impl Bench {
    fn new(agent: ScriptedAgent) -> Self {
        let epoch = "2026-03-31T18:40:00.9Z".parse().unwrap();
        Self { state: State::new(epoch, vec![agent]), now: Duration::ZERO }
    }

    fn with_turns(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::new(ScriptedAgent::named("support-agent").turns(turns))
    }

    fn visit(&self) -> Visit {
        Visit { organization: Organization::Owner, now: self.now }
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn create(&mut self) -> String {
        let answer = self.state.create_session(self.visit(), "agt_1", NewSession::default());
        value(answer)["id"].as_str().unwrap().to_owned()
    }

    fn start(&mut self, body: &Value) -> Value {
        let body = agent_message(body.to_string().as_bytes()).unwrap();
        value(self.state.send_agent_message(self.visit(), "agt_1", body))
    }

    fn send(&mut self, session: &str, text: &str) -> Value {
        let arrival = Arrival { message: message(text), key: None };
        value(self.state.send_message(self.visit(), session, arrival))
    }

    /// Submits the result of a call of `sess_1`, given as its JSON fields.
    fn submit(&mut self, message: &str, call: &str, fields: &Value) -> Answer {
        let mut body = json!({"type": "tool.result_submitted"});
        body["message_id"] = message.into();
        body["tool_call_id"] = call.into();
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        match session_events(body.to_string().as_bytes())? {
            SessionEvents::ToolAnswer(answer) => {
                self.state.submit_tool_result(self.visit(), "sess_1", answer)
            }
            other => panic!("{other:?}"),
        }
    }

    fn message(&mut self, id: &str) -> Value {
        value(self.state.message(self.visit(), id))
    }

    fn session(&mut self, id: &str) -> Value {
        value(self.state.session(self.visit(), id))
    }

    fn events(&mut self, session: &str) -> Vec<Value> {
        let answer = value(self.state.events(self.visit(), session, usize::MAX));
        answer["events"].as_array().unwrap().clone()
    }

    /// The events in short: type, and what makes it telling.
    fn ledger(&mut self, session: &str) -> Vec<String> {
        let short = |event: Value| {
            let data = &event["data"];
            let detail = data.get("status").or(data.get("tool_name")).or(data.get("message_id"));
            format!("{} {}", event["type"].as_str().unwrap(), detail.unwrap().as_str().unwrap())
        };
        self.events(session).into_iter().map(short).collect()
    }

    fn transcript(&mut self, session: &str) -> Value {
        value(self.state.transcript(self.visit(), session))
    }

    fn items(&mut self, session: &str) -> Vec<Value> {
        self.transcript(session)["timeline"]["items"].as_array().unwrap().clone()
    }
}

fn value(answer: Answer) -> Value {
    serde_json::from_str(answer.unwrap().get()).unwrap()
}

fn body(text: &str) -> Value {
    json!({"type": "user.message", "content": [{"type": "text", "text": text}]})
}

fn message(text: &str) -> UserMessage {
    match session_events(body(text).to_string().as_bytes()).unwrap() {
        SessionEvents::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

fn refused(answer: Answer) -> Refusal {
    answer.unwrap_err()
}
