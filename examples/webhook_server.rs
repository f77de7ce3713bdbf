//! A service that is told of tool calls by webhook: verify, deduplicate, answer the call.
//!
//! Runs against an emulator that delivers everything twice, and tries a forged delivery as well.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use dari::emulator::{DeliveryPolicy, Emulator, ScriptedAgent, Turn};
use dari::webhooks::{WebhookEvent, WebhookEventKind, WebhookSigner, WebhookVerifier};
use dari::{Client, NewToolResult, WebhookEventType, WebhookId};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

struct Service {
    verifier: WebhookVerifier,
    /// In a real service a table with a unique key; see the docs of `dari::webhooks`.
    seen: Mutex<HashSet<WebhookId>>,
    work: mpsc::Sender<WebhookEvent>,
}

/// Takes a delivery, and answers at once: the work is done elsewhere.
async fn receive(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let event = match service.verifier.verify(&headers, &body) {
        Ok(event) => event,
        Err(error) => {
            println!("refused: {error}");
            return error.status();
        }
    };
    let Ok(place) = service.work.try_reserve() else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    if service.seen.lock().unwrap().insert(event.id.clone()) {
        println!("{} is new: {}", event.id, event.event_type);
        place.send(event);
    } else {
        println!("{} is known", event.id);
    }
    StatusCode::NO_CONTENT
}

async fn work(client: Client, mut events: mpsc::Receiver<WebhookEvent>) {
    while let Some(event) = events.recv().await {
        // One event that goes wrong must not hold up the others.
        match answer(&client, &event).await {
            Ok(()) => println!("done with {}", event.id),
            Err(error) => println!("{} went wrong: {error}", event.id),
        }
    }
}

async fn answer(client: &Client, event: &WebhookEvent) -> dari::Result<()> {
    let WebhookEventKind::ToolCallRequested(call) = event.kind() else { return Ok(()) };
    let (Some(session), Some(message), Some(id)) =
        (event.session_id(), call.message_id, call.tool_call_id)
    else {
        return Ok(());
    };
    let result = match call.tool_name.as_deref() {
        Some("lookup_ticket") => {
            let ticket = json!({"priority": "high", "topic": "a wrong invoice"});
            NewToolResult::success(&message, &id, ticket)
        }
        _ => NewToolResult::error(&message, &id, "this service has no such tool"),
    };
    match client.sessions().submit_tool_result(&session, result).await {
        // Answered before, or its time is up: either way nobody waits any more.
        Err(error) if error.is_conflict() => Ok(()),
        other => other.map(drop),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let twice = DeliveryPolicy::default().duplicates(1);
    let emulator = Emulator::builder().agent(support_agent()).deliveries(twice).start().await?;
    let (client, agent) = (emulator.client()?, emulator.agent());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/dari", listener.local_addr()?);

    let types = [WebhookEventType::ToolCallRequested, WebhookEventType::SessionCompleted];
    let config = client.agents().webhook(&agent).set(&url).event_types(types).await?;
    let secret = config.signing_secret.ok_or("the first set returns the secret")?;
    let (sender, events) = mpsc::channel(100);
    let verifier = WebhookVerifier::new(secret)?;
    let service = Service { verifier, seen: Mutex::default(), work: sender };
    let routes = Router::new().route("/dari", post(receive)).with_state(Arc::new(service));
    tokio::spawn(async { axum::serve(listener, routes).await });
    tokio::spawn(work(client.clone(), events));

    let body = r#"{"id": "webhook_0", "type": "session.completed", "data": {}}"#;
    let (name, signature) = WebhookSigner::new("whsec_guessed")?.sign(body.as_bytes());
    let forged = reqwest::Client::builder().no_proxy().build()?.post(&url);
    println!(
        "a forged delivery: {}",
        forged.header(name, signature).body(body).send().await?.status()
    );

    let sent = client.agents().send_message(&agent, "What is T-1042 about?").await?;
    let message = client.messages().wait(&sent.message.id).await?.into_completed()?;
    // The session's end is delivered twice as well.
    for _ in 0..1_000 {
        if emulator.deliveries().len() >= 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
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
