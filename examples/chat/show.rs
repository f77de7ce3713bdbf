//! How the events of a conversation look.

use std::io::Write;

use dari::{ContentBlock, Event, EventKind, MessageId, MessageStatus, RawJson, ToolCallEnded};

use crate::Outcome;
use crate::conversation::Conversation;
use crate::terminal::{Tone, one_line, plain};

/// How much of arguments and results is shown.
const MOST: usize = 60;

impl<W: Write + Send> Conversation<W> {
    /// Shows what is of interest to somebody who talks with an agent.
    pub(crate) async fn show(&mut self, event: &Event) -> Outcome {
        let message = event.message_id.as_ref();
        match event.kind() {
            EventKind::UserMessage(said) => {
                let id = said.message_id.or(event.message_id.clone());
                if let Some(id) = id.filter(|id| !self.own.contains(id)) {
                    self.heard.entry(id).or_insert_with(|| text_of(&said.content));
                }
            }
            EventKind::AssistantMessageCompleted(said) => {
                self.begin(message)?;
                self.screen.line(&plain(&text_of(&said.content)))?;
            }
            EventKind::ToolCallRequested(call) => {
                self.begin(message)?;
                let name = one_line(call.tool_name.as_deref().unwrap_or("a tool"), MOST);
                let line = format!("  → {name} {}", brief(call.arguments.as_ref()));
                self.screen.toned(Tone::Good, &line)?;
                self.doing = format!("calling {name}");
            }
            EventKind::ToolCallCompleted(call) => self.ended(&call)?,
            EventKind::ToolCallFailed(call) => self.failed(&call)?,
            EventKind::MessageStatusChanged(change) => {
                let about = change.message_id.as_ref().or(message);
                if let (Some(status), Some(id)) = (&change.status, about) {
                    self.turned(id, status).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Shows what the agent begins to answer, unless its author has it before their eyes.
    fn begin(&mut self, message: Option<&MessageId>) -> Outcome {
        match message.and_then(|id| self.heard.remove(id)) {
            Some(text) => Ok(self.screen.line(&format!("> {}", plain(&text)))?),
            None => Ok(()),
        }
    }

    fn ended(&mut self, call: &ToolCallEnded) -> Outcome {
        if call.is_error == Some(true) {
            return self.failed(call);
        }
        self.doing = "working".to_owned();
        Ok(self.screen.toned(Tone::Aside, &format!("  ✓ {}", brief(call.result.as_ref())))?)
    }

    fn failed(&mut self, call: &ToolCallEnded) -> Outcome {
        self.doing = "working".to_owned();
        Ok(self.screen.toned(Tone::Bad, &format!("  ✗ {}", brief(call.result.as_ref())))?)
    }

    async fn turned(&mut self, id: &MessageId, status: &MessageStatus) -> Outcome {
        match status {
            MessageStatus::Queued => return Ok(()),
            MessageStatus::WaitingForTool => {
                self.doing = "waiting for a tool that another program runs".to_owned();
            }
            MessageStatus::Running => self.doing = "working".to_owned(),
            _ => {}
        }
        self.begin(Some(id))?;
        if *status != MessageStatus::Failed {
            return Ok(());
        }
        // The event does not say why; the message does.
        let reason = match self.client.messages().get(id).await {
            Ok(message) => message.error().map(|error| error.text().into_owned()),
            Err(error) => Some(error.to_string()),
        };
        let reason = one_line(&reason.unwrap_or_default(), 500);
        Ok(self.screen.toned(Tone::Bad, &format!("the turn failed: {reason}"))?)
    }
}

fn text_of(content: &[ContentBlock]) -> String {
    let texts = content.iter().map(|block| block.as_text().unwrap_or("[not text]"));
    texts.collect::<Vec<_>>().join("\n")
}

fn brief(json: Option<&RawJson>) -> String {
    one_line(json.map_or("", RawJson::get), MOST)
}
