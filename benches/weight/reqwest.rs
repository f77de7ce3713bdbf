//! Sends one message, asks for it until it is done and prints the reply: no repeats, no limits.

use std::time::Duration;

use serde::Deserialize;

#[derive(Deserialize)]
struct Sent {
    message: Queued,
}

#[derive(Deserialize)]
struct Queued {
    id: String,
}

#[derive(Deserialize)]
struct Message {
    status: String,
    output: Option<Output>,
}

#[derive(Deserialize)]
struct Output {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    #[serde(other)]
    Unknown,
}

const API: &str = "https://api.dari.dev/v1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = std::env::var("DARI_API_KEY")?;
    let client = client()?;
    let content = serde_json::json!({"parts": [{"type": "text", "text": "Summarize this ticket."}]});
    let sent: Sent = client
        .post(format!("{API}/agents/agt_123/messages"))
        .bearer_auth(&key)
        .json(&content)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    loop {
        let message: Message = client
            .get(format!("{API}/messages/{}", sent.message.id))
            .bearer_auth(&key)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        match &*message.status {
            "completed" => return Ok(print(message)),
            "failed" => return Err("the message failed".into()),
            _ => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

fn print(message: Message) {
    for part in message.output.into_iter().flat_map(|output| output.parts) {
        if let Part::Text { text } = part {
            println!("{text}");
        }
    }
}

#[cfg(not(feature = "ring"))]
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().build()
}

#[cfg(feature = "ring")]
fn client() -> reqwest::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().build()
}
