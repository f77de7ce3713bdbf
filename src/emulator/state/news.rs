//! What happens in a session that the agent's webhook may want to know (contract §7).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::State;
use super::ledger::{Data, written};
use super::message::MessageStatus;
use super::session::Session;
use super::webhooks::{Post, Subject};

/// The end of a session's work; all of it is an assumption.
#[derive(Serialize)]
struct Ended<'a> {
    message_id: &'a str,
    status: MessageStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Value>,
}

impl State {
    /// Delivers what happened in a session since the last time.
    pub(super) fn post_news(&mut self, place: usize) {
        let Some(session) = self.sessions.get_mut(place) else {
            return;
        };
        let (agent, news) = (session.agent, std::mem::take(&mut session.news));
        news.iter().for_each(|post| self.post(agent, post));
    }
}

impl Session {
    /// Notes an external call of a message, both given by place.
    pub(super) fn note_call(&mut self, at: Duration, (place, call): (usize, usize)) -> Option<()> {
        let message = self.messages.get(place)?;
        let call = message.calls.get(call)?;
        let data = Data::ToolRequested {
            message_id: &message.id,
            tool_call_id: &call.id,
            tool_name: &call.name,
            arguments: &call.arguments,
        };
        let (data, subject) = (written(&data), self.subject(&message.id));
        self.news.push(Post { kind: "tool.call_requested", at, subject, data });
        Some(())
    }

    /// Notes that the session has done its work with this message.
    pub(super) fn note_end(&mut self, at: Duration, place: usize) -> Option<()> {
        let message = self.messages.get(place)?;
        let failed = message.status == MessageStatus::Failed;
        let data = written(&Ended {
            message_id: &message.id,
            status: message.status,
            metadata: self.metadata(),
            error: message.output.as_ref().and_then(|output| output.error.as_ref()),
        });
        let kind = if failed { "session.failed" } else { "session.completed" };
        self.news.push(Post { kind, at, subject: self.subject(&message.id), data });
        Some(())
    }

    fn subject(&self, message_id: &str) -> Subject {
        Subject {
            session_id: Some(self.ledger.session_id.clone()),
            message_id: Some(message_id.to_owned()),
            batch_id: None,
        }
    }
}
