//! Writes the transcript of a session as one page that needs nothing else.
//!
//!     transcript_html [FILE]                 a conversation with an emulator of its own
//!     transcript_html SESSION_ID FILE        one of yours, with `DARI_API_KEY` and `DARI_API_URL`
//!
//! Without a file it writes a new one into the directory for temporary files, and says where.
//!
//! The page has no script and loads nothing. What people, models and tools wrote becomes text and
//! never markup, and a policy in the page forbids browsers everything but its own style.

mod conversation;
mod page;
mod text;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use dari::{Client, SessionId};

use crate::page::page;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [session, file] => save(&Client::from_env()?, &session.parse()?, Path::new(file)).await,
        [file] => emulate(Path::new(file)).await,
        _ => emulate(&new_file()?).await,
    }
}

async fn emulate(file: &Path) -> Outcome<()> {
    let (emulator, session) = conversation::held().await?;
    println!("no session given, so one is emulated at {}", emulator.url());
    save(&emulator.client()?, &session, file).await
}

async fn save(client: &Client, session: &SessionId, file: &Path) -> Outcome<()> {
    let transcript = client.transcript().get(session).await?;
    let page = page(&transcript).into_string();
    fs::write(file, &page)?;
    println!("{} items of {session}, {} bytes", transcript.items().len(), page.len());
    println!("written to {}", file.display());
    Ok(())
}

/// Makes an empty file where nobody else can have put one.
fn new_file() -> Outcome<PathBuf> {
    let file = std::env::temp_dir().join(format!("transcript-{}.html", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&file)?.flush()?;
    Ok(file)
}
