//! Sessions of any length, and the ways to read a whole one.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use dari::{Client, SessionId};

use crate::ledger::{Ledger, Writes};
use crate::{Failure, answers, bodies, server};

/// How many events a message has in the ledger.
pub const EVENTS: usize = 4;
/// The id of the session.
const SESSION: &str = "sess_123";

/// One way to read a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// `messages().list`.
    List,
    /// `transcript().get`.
    Transcript,
    /// `sessions().stream` from the first event to the last.
    Stream,
}

/// Where a session of some length can be read, whichever way.
pub struct Servers {
    list: String,
    transcript: String,
    stream: String,
}

/// Starts servers of a session of this many messages, which run until the process ends.
///
/// # Errors
///
/// Fails when no port can be had.
pub fn start(messages: usize) -> io::Result<Servers> {
    let ledger = Ledger::new((messages * EVENTS) as u64, 300, Writes::Batch);
    let url = |address| format!("http://{address}");
    Ok(Servers {
        list: url(answers::start(&bodies::list_of(messages))?),
        transcript: url(answers::start(&bodies::transcript_of(messages))?),
        stream: url(server::start(Arc::new(HashMap::from([(SESSION, ledger)])))?),
    })
}

impl Read {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::List, Self::Transcript, Self::Stream];

    /// Returns the name as it stands in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Transcript => "transcript",
            Self::Stream => "stream",
        }
    }

    /// Returns a client for this way.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be set up.
    pub fn client(self, servers: &Servers) -> Result<Client, Failure> {
        let url = match self {
            Self::List => &servers.list,
            Self::Transcript => &servers.transcript,
            Self::Stream => &servers.stream,
        };
        Ok(Client::builder("dari_benchmark").base_url(url).build()?)
    }

    /// Reads the whole session, and checks that it is whole.
    ///
    /// # Errors
    ///
    /// Fails when the connection does, or something is missing.
    pub async fn run(self, client: &Client, messages: usize) -> Result<(), Failure> {
        let session: SessionId = SESSION.parse()?;
        let (seen, all) = match self {
            Self::List => (client.messages().list(&session).await?.messages.len(), messages),
            Self::Transcript => {
                let transcript = client.transcript().get(&session).await?;
                (transcript.timeline.items.len(), messages * bodies::ITEMS_OF_A_TURN)
            }
            Self::Stream => {
                let (mut events, all) = (client.sessions().stream(&session), messages * EVENTS);
                let mut seen = 0;
                while seen < all && events.try_next().await?.is_some() {
                    seen += 1;
                }
                (seen, all)
            }
        };
        if seen == all { Ok(()) } else { Err(format!("{seen} of {all} came").into()) }
    }
}
