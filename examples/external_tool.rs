//! An agent that looks up a ticket, with a tool that this program runs.
//!
//! Runs against an emulator of its own. With `DARI_API_KEY` and the id of an agent as argument whose
//! manifest declares `lookup_ticket` external, the same calls go to the address in `DARI_API_URL`.

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{AgentId, Client, ToolSet};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize)]
struct LookupTicket {
    ticket_id: String,
}

#[derive(Serialize)]
struct Ticket {
    priority: &'static str,
    topic: &'static str,
}

async fn lookup_ticket(args: LookupTicket) -> Result<Ticket, String> {
    match args.ticket_id.as_str() {
        "T-1042" => Ok(Ticket { priority: "high", topic: "a wrong invoice" }),
        other => Err(format!("there is no ticket {other}")),
    }
}

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
    let tools = ToolSet::new()
        .on("lookup_ticket", lookup_ticket)
        .observe(|call| println!("{} took {:?}: {}", call.tool_name, call.duration, call.outcome));
    let sent = client.agents().send_message(agent, "What is T-1042 about?").await?;
    let message = client.tools().run(&sent.message.id, &tools).await?.into_completed()?;
    println!("\nthe reply: {}", message.text());
    Ok(())
}

fn support_agent() -> ScriptedAgent {
    let call = json!({"ticket_id": "T-1042"});
    let turn = Turn::new().external_tool("lookup_ticket", call).then(|results| {
        let ticket = results.of("lookup_ticket").map(|result| result.value().clone());
        Turn::reply(format!("It is about {}.", ticket.unwrap_or_default()["topic"]))
    });
    ScriptedAgent::named("support-agent").turns([turn])
}
