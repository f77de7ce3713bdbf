//! Sends one message, waits for its end and prints the reply.

use dari::{AgentId, Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    let agent: AgentId = "agt_123".parse()?;
    let sent = client.agents().send_message(&agent, "Summarize this ticket.").await?;
    let message = client.messages().wait(&sent.message.id).await?.into_completed()?;
    println!("{}", message.text());
    Ok(())
}
