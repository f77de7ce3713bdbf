//! Follows a session through the death of the process, and writes every event down once.
//!
//! Without arguments it is its own demonstration: it emulates a session and kills the process that
//! follows it, again and again. By hand, with `DARI_API_KEY` and `DARI_API_URL` set:
//!
//!     resume SESSION_ID FILE
//!
//! Kill it at any moment and start it again: the file gets each event once, in order. Each line
//! holds an event and the cursor behind it, so that the two cannot come apart.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{Client, Cursor, SessionId};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [session, file] => follow(&session.parse()?, Path::new(file)).await,
        _ => demonstrate().await,
    }
}

async fn follow(session: &SessionId, file: &Path) -> Outcome<()> {
    let (mut log, cursor) = open_log(file)?;
    let client = Client::from_env()?;
    let mut events = client.sessions().stream(session).until_idle();
    if let Some(cursor) = cursor {
        events = events.after(cursor);
    }
    while let Some(event) = events.try_next().await? {
        if let Some(cursor) = events.cursor() {
            // One write for both: a line is whole, or it does not count.
            log.write_all(format!("{cursor}\t{}\n", event.event_type).as_bytes())?;
        }
    }
    Ok(())
}

/// Opens the log behind its last whole line, and returns the cursor that stands there.
fn open_log(file: &Path) -> Outcome<(File, Option<Cursor>)> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let text = std::str::from_utf8(&bytes[..whole])?;
    let log = OpenOptions::new().create(true).append(true).open(file)?;
    log.set_len(whole as u64)?;
    let cursor =
        text.lines().last().and_then(|line| line.split('\t').next()).map(str::parse).transpose()?;
    Ok((log, cursor))
}

async fn demonstrate() -> Outcome<()> {
    let emulator = Emulator::builder().agent(slow_agent()).start().await?;
    let client = emulator.client()?;
    let sent = client.agents().send_message(&emulator.agent(), "Count to ten.").await?;
    let file = std::env::temp_dir().join(format!("dari-resume-{}.log", std::process::id()));

    for run in 1.. {
        let mut process = Command::new(std::env::current_exe()?)
            .args([sent.session.id.as_str(), &file.to_string_lossy()])
            .env("DARI_API_KEY", emulator.api_key())
            .env("DARI_API_URL", emulator.url())
            .stderr(Stdio::inherit())
            .spawn()?;
        // A little longer each time, for a machine that starts processes slowly.
        tokio::time::sleep(Duration::from_millis(400 + 50 * run)).await;
        let ended = process.try_wait()?;
        process.kill()?;
        process.wait()?;
        let lines = fs::read_to_string(&file).unwrap_or_default().lines().count();
        println!(
            "process {run}: {lines} events written, {}",
            if ended.is_some() { "done" } else { "killed" }
        );
        if ended.is_some() || run == 50 {
            break;
        }
    }

    let text = fs::read_to_string(&file)?;
    println!("\n{text}");
    let ledger = client.sessions().events(&sent.session.id).limit(1000).await?.events;
    let written = text.lines().count();
    println!("{written} lines for {} events in the ledger", ledger.len());
    fs::remove_file(&file)?;
    if written == ledger.len() { Ok(()) } else { Err("an event was lost or written twice".into()) }
}

fn slow_agent() -> ScriptedAgent {
    let turn = (1..=10).fold(Turn::new(), |turn, n| {
        turn.delay(Duration::from_millis(200)).tool_call("count", json!({"to": n}), json!(n))
    });
    ScriptedAgent::named("counting-agent").turns([turn.text("Done.")])
}
