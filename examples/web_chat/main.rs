//! A page that shows a conversation with an agent live.
//!
//!     web_chat               serves the page, with an agent of an emulator of its own
//!     web_chat AGENT_ID      the same with one of yours, with `DARI_API_KEY` and `DARI_API_URL`
//!     web_chat visit         visits the page itself, cuts the connection, and says what came through
//!
//! The browser sees events of the session as server-sent events, each with the stream's cursor as
//! its id. It sends that id back when it reconnects, and the stream goes on behind it: no event is
//! lost or shown twice. A turn is sent under a key that the browser made for it, so that a double
//! click or a repeat after a lost answer does not send it again.
//!
//! The key of the API stays here. A browser names no session either: it has a random token in a
//! cookie (`HttpOnly`, `SameSite=Strict`), and this program remembers whose session that is until it
//! stops. What a page for the world needs as well is not here: who may use it and how much, TLS
//! (with `Secure` at the cookie, and your own host in `guard.rs`), and a table for the visitors.

mod guard;
mod pages;
mod relay;
mod script;
mod turns;
mod view;
mod visit;
mod visitors;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use dari::emulator::Emulator;
use dari::{AgentId, Client};
use tokio::net::TcpListener;

use crate::visitors::Visitors;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The largest body of a request, in bytes.
const BODY_LIMIT: usize = 32 * 1024;

/// What all requests share.
struct Chat {
    client: Client,
    agent: AgentId,
    visitors: Visitors,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let argument = std::env::args().nth(1);
    if let Some(agent) = argument.as_deref().filter(|argument| *argument != "visit") {
        return serve(listen().await?, Client::from_env()?, agent.parse()?).await;
    }
    let emulator = Emulator::builder().agent(script::agent()).start().await?;
    println!("no agent given, so one is emulated at {}", emulator.url());
    let listener = listen().await?;
    let address = format!("http://{}", listener.local_addr()?);
    let served = serve(listener, emulator.client()?, emulator.agent());
    if argument.is_none() {
        return served.await;
    }
    tokio::select! {
        stopped = served => stopped,
        seen = visit::visit(&address, &emulator) => seen,
    }
}

async fn listen() -> Outcome<TcpListener> {
    // Loopback alone: whoever reaches the page spends what its agent costs.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("the page is at http://{}/", listener.local_addr()?);
    Ok(listener)
}

async fn serve(listener: TcpListener, client: Client, agent: AgentId) -> Outcome<()> {
    let chat = Arc::new(Chat { client, agent, visitors: Visitors::default() });
    let routes = Router::new()
        .route("/", get(pages::page))
        .route("/page.css", get(pages::style))
        .route("/page.js", get(pages::script))
        .route("/events", get(relay::events))
        .route("/turns", post(turns::take))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(guard::guard))
        .with_state(chat);
    Ok(axum::serve(listener, routes).await?)
}
