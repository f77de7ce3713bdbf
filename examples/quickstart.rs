//! The main job: send a message to an agent, wait for the reply, read it.
//!
//! Runs against an emulator of its own. With `DARI_API_KEY` and an agent's id as argument, the same
//! calls go to the address in `DARI_API_URL`.

use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{AgentId, Client, NewSession};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(agent) = std::env::args().nth(1) {
        return ask(&Client::from_env()?, &agent.parse()?).await;
    }
    let emulator = Emulator::builder().agent(support_agent()).start().await?;
    println!("no agent given, so one is emulated at {}\n", emulator.url());
    ask(&emulator.client()?, &emulator.agent()).await
}

async fn ask(client: &Client, agent: &AgentId) -> Result<(), Box<dyn std::error::Error>> {
    let sent = client
        .agents()
        .send_message(agent, "Summarize ticket T-1042 and draft a reply.")
        .metadata("ticket_id", "T-1042")
        .session(NewSession::new().name("Ticket T-1042"))
        .await?;
    let message = client
        .messages()
        .wait(&sent.message.id)
        .timeout(Duration::from_secs(300))
        .on_status(|message| println!("{} is {}", message.id, message.status))
        .await?
        .into_completed()?;
    println!("\nthe reply:\n{}\n", message.text());

    println!("the transcript of {}:\n", sent.session.id);
    println!("{}", client.transcript().get(&sent.session.id).await?.to_markdown());
    Ok(())
}

fn support_agent() -> ScriptedAgent {
    let ticket = json!({"priority": "high", "customer_tier": "enterprise", "topic": "invoice"});
    ScriptedAgent::named("support-agent").turns([Turn::new()
        .delay(Duration::from_millis(300))
        .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), ticket)
        .delay(Duration::from_millis(300))
        .text(
            "A high-priority enterprise customer asks about an invoice.\n\n\
             Draft: Thank you for writing. We have corrected the invoice.",
        )])
}
