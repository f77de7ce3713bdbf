//! A conversation in the terminal: replies as they come, tool calls, and Ctrl-C to leave a turn.
//!
//!     chat [AGENT] [--session ID [--after CURSOR]]
//!
//! Without arguments it talks with an emulated agent. With `DARI_API_KEY` and an agent's id, or a
//! session's, the same calls go to the address in `DARI_API_URL`. Ctrl-C during a turn gives the
//! prompt back and leaves the turn to itself; at the prompt it ends the program, as Ctrl-D does.

mod conversation;
mod screen;
mod show;
#[path = "../terminal/mod.rs"]
mod terminal;

use std::io::{Stdout, stdin};
use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{AgentId, Client, Cursor, SessionId};
use serde_json::json;
use tokio::sync::mpsc;

use conversation::Conversation;
use screen::Screen;
use terminal::Tone;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Default)]
struct Arguments {
    agent: Option<AgentId>,
    session: Option<SessionId>,
    after: Option<Cursor>,
}

#[tokio::main]
async fn main() -> Outcome {
    let Arguments { agent, session, after } = arguments()?;
    let (screen, interrupts) = (Screen::standard(), interrupts());
    if agent.is_some() || session.is_some() {
        let mut conversation = Conversation::new(Client::from_env()?, screen, interrupts);
        if let Some(agent) = agent {
            conversation = conversation.with_agent(&agent);
        }
        if let Some(session) = session {
            conversation.resume(session, after).await?;
        }
        return talk(conversation).await;
    }
    let emulator = Emulator::builder().agent(support_agent()).start().await?;
    let conversation = Conversation::new(emulator.client()?, screen, interrupts);
    let mut conversation = conversation.with_agent(&emulator.agent());
    let hello = format!(
        "no agent given, so one is emulated at {}, as long as this program runs\n",
        emulator.url()
    );
    conversation.screen.toned(Tone::Aside, &hello)?;
    talk(conversation).await
}

async fn talk(mut conversation: Conversation<Stdout>) -> Outcome {
    let mut lines = lines();
    loop {
        conversation.screen.prompt()?;
        let line = tokio::select! {
            line = lines.recv() => line,
            Some(()) = conversation.interrupts.recv() => None,
        };
        let Some(line) = line else { break };
        conversation.screen.typed(line.trim())?;
        conversation.take(line.trim()).await?;
    }
    conversation.screen.end_prompt()?;
    conversation.farewell()
}

fn arguments() -> Outcome<Arguments> {
    use lexopt::prelude::{Long, Value, ValueExt};
    let mut parser = lexopt::Parser::from_env();
    let mut arguments = Arguments::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("session") => arguments.session = Some(parser.value()?.parse()?),
            Long("after") => arguments.after = Some(parser.value()?.parse()?),
            Value(agent) if arguments.agent.is_none() => arguments.agent = Some(agent.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if arguments.after.is_some() && arguments.session.is_none() {
        return Err("--after needs a --session".into());
    }
    Ok(arguments)
}

/// Reads lines on a thread of its own, for a terminal cannot be read without blocking.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Returns a Ctrl-C each; the program no longer ends by itself.
fn interrupts() -> mpsc::Receiver<()> {
    let (sender, interrupts) = mpsc::channel(1);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            // One that nobody has taken yet says all that a second one would.
            let _waiting = sender.try_send(());
        }
    });
    interrupts
}

fn support_agent() -> ScriptedAgent {
    let pause = Duration::from_millis(700);
    let ticket = json!({"priority": "high", "topic": "a wrong invoice", "customer": "Ada & Sons"});
    ScriptedAgent::named("support-agent").respond(move |input| match input.number() {
        1 => Turn::new()
            .delay(pause)
            .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), ticket.clone())
            .delay(pause)
            .failed_tool_call("read_mail", json!({"from": "Ada & Sons"}), json!("no such mailbox"))
            .delay(pause)
            .text("It is about a wrong invoice, and urgent:\n- the customer is Ada & Sons\n- I could not read their mail"),
        _ => Turn::new().delay(pause * 2).text(format!("You wrote: {}", input.text())),
    })
}
