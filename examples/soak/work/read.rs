//! Lists, transcripts, files and workspaces.

use dari::{ContentBlock, FileSource, SessionId, TranscriptItem};
use fastrand::Rng;
use futures_util::TryStreamExt;

use super::{Done, PATIENCE, Worker, check, wrong};
use crate::journal::Through;

/// How often a download is begun again that broke off in the middle.
const DOWNLOADS: usize = 20;

impl Worker {
    /// One turn, read in every way there is.
    pub(super) async fn read(&self, token: &str, random: &mut Rng) -> Done {
        let sent = self.start(token, &format!("turn {}", random.u8(..20))).await?;
        let wait = self.client.messages().wait(&sent.message.id).timeout(PATIENCE);
        check(token, wait.after(&sent.event).await?)?;
        let (id, client) = (&sent.session.id, &self.client);

        let events = client.sessions().events(id).limit(1_000).await?.events;
        let events: Vec<_> = events.into_iter().map(|event| event.id.to_string()).collect();
        if events.len() < 7 {
            return wrong(format!("{id} lists {events:?}"));
        }
        self.note_delivered(id, events, Through::Anywhere);

        let messages = client.messages().list(id).await?.messages;
        let there = messages.len() == 1 && messages.iter().all(|it| it.id == sent.message.id);
        if !there {
            return wrong(format!("{id} lists {messages:?}"));
        }

        let found = client.sessions().list().metadata("soak", token).await?.sessions;
        let there = found.len() == 1 && found.iter().all(|session| session.id == *id);
        if !there {
            return wrong(format!("the sessions of {token} are {found:?}"));
        }
        let session = client.sessions().get(id).await?;
        let last = session.last_message_id.as_ref();
        if last != Some(&sent.message.id) {
            return wrong(format!("{id} is {session:?}"));
        }
        self.read_transcript(id).await
    }

    async fn read_transcript(&self, id: &SessionId) -> Done {
        let transcript = self.client.transcript().get(id).await?;
        let kinds = transcript.items().iter().map(|item| match item {
            TranscriptItem::UserMessage(_) => 'u',
            TranscriptItem::ToolCall(_) => 't',
            TranscriptItem::AssistantMessage(_) => 'a',
            _ => '?',
        });
        let kinds: String = kinds.collect();
        if kinds != "uta" {
            return wrong(format!("the transcript of {id} is {kinds}"));
        }
        Ok(())
    }

    /// A file that goes up with a message, and a workspace that comes down.
    pub(super) async fn files(&self, token: &str, random: &mut Rng) -> Done {
        let bytes = vec![b'x'; random.usize(1..50_000)];
        let size = bytes.len() as u64;
        let file = self.client.files().upload(FileSource::bytes("notes.txt", bytes)).await?;
        if file.size_bytes != Some(size) {
            return wrong(format!("{size} bytes became {file:?}"));
        }
        let session = self.open(token).await?;
        let content = [ContentBlock::text(format!("{token} file 1")), ContentBlock::file(file.id)];
        let sent = self.client.messages().send(&session, content).await;
        self.note_sent(token, &sent);
        let wait = self.client.messages().wait(&sent?.message.id).timeout(PATIENCE);
        check(token, wait.await?)?;
        let archive = self.download(&session).await?;
        let whole = archive.starts_with(b"PK") && archive.len() > 100;
        if !whole {
            return wrong(format!("the workspace of {session} has {} bytes", archive.len()));
        }
        Ok(())
    }

    /// Downloads a workspace; one that breaks off is begun again here, not by the client.
    async fn download(&self, session: &SessionId) -> Done<Vec<u8>> {
        let mut tries = 1;
        loop {
            let pieces = async {
                let download = self.client.workspace().download(session).await?;
                let size = download.size_bytes();
                let pieces: Vec<_> = download.try_collect().await?;
                Ok((size, pieces.concat()))
            };
            match pieces.await {
                Ok((size, bytes)) => {
                    let whole = size.is_none_or(|size| size == bytes.len() as u64);
                    if !whole {
                        return wrong(format!("{} bytes of {size:?}", bytes.len()));
                    }
                    return Ok(bytes);
                }
                Err(error) if dari::Error::is_retryable(&error) && tries < DOWNLOADS => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
