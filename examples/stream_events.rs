//! Prints a turn as it happens: the agent's tools, what it says, and how it ends.
//!
//! Runs against an emulator of its own. With `DARI_API_KEY` and an agent's id as argument, the same
//! calls go to the address in `DARI_API_URL`.

use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{AgentId, Client, ContentBlock, EventKind};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(agent) = std::env::args().nth(1) {
        return follow(&Client::from_env()?, &agent.parse()?).await;
    }
    let emulator = Emulator::builder().agent(slow_agent()).start().await?;
    println!("no agent given, so one is emulated at {}\n", emulator.url());
    follow(&emulator.client()?, &emulator.agent()).await
}

async fn follow(client: &Client, agent: &AgentId) -> Result<(), Box<dyn std::error::Error>> {
    let sent = client.agents().send_message(agent, "What is in this directory?").await?;
    let stream = client.sessions().stream(&sent.session.id);
    let mut events = stream.until(&sent.message.id);
    while let Some(event) = events.try_next().await? {
        let number = event.sequence_number.unwrap_or_default();
        println!("{number:>3}  {}", describe(&event.kind(), event.event_type.as_str()));
    }
    println!("\nthe stream ended at {:?}", events.cursor().map(ToString::to_string));
    Ok(())
}

fn describe(kind: &EventKind, event_type: &str) -> String {
    let text = |content: &[ContentBlock]| {
        content.iter().filter_map(ContentBlock::as_text).collect::<Vec<_>>().join(" ")
    };
    match kind {
        EventKind::UserMessage(message) => format!("user: {}", text(&message.content)),
        EventKind::AssistantMessageCompleted(said) => format!("agent: {}", text(&said.content)),
        EventKind::ToolCallRequested(call) => {
            let name = call.tool_name.as_deref().unwrap_or("a tool");
            let arguments = call.arguments.as_ref().map_or("", |arguments| arguments.get());
            format!("calls {name} {arguments}")
        }
        EventKind::ToolCallCompleted(call) => {
            format!("{} answered", call.tool_name.as_deref().unwrap_or("a tool"))
        }
        EventKind::MessageStatusChanged(change) => {
            format!("message is {}", change.status.as_ref().map_or("?", |status| status.as_str()))
        }
        EventKind::SessionStatusChanged(change) => {
            format!("session is {}", change.status.as_ref().map_or("?", |status| status.as_str()))
        }
        _ => event_type.to_owned(),
    }
}

fn slow_agent() -> ScriptedAgent {
    let pause = Duration::from_millis(400);
    ScriptedAgent::named("shell-agent").turns([Turn::new()
        .delay(pause)
        .tool_call("bash", json!({"command": "ls -1"}), json!("README.md\nsrc\n"))
        .delay(pause)
        .tool_call("bash", json!({"command": "wc -l README.md"}), json!("120 README.md\n"))
        .delay(pause)
        .text("There is a README of 120 lines, and a directory src.")])
}
