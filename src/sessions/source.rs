//! A session as the source of a stream.

use std::task::{Context, Poll};

use bytes::Bytes;

use crate::client::Client;
use crate::error::Error;
use crate::events::Event;
use crate::http::{OpenBody, open};
use crate::ids::{MessageId, SessionId};
use crate::request::{Request, route};
use crate::retry::RetryPolicy;
use crate::sessions::Session;
use crate::status::SessionStatus;
use crate::stream::source::{Chunks, Source, SourceFuture};

pub(super) struct SessionSource {
    pub(super) client: Client,
    pub(super) session: SessionId,
}

impl Source for SessionSource {
    #[inline]
    fn open(&self, last_event_id: Option<&str>) -> SourceFuture<Box<dyn Chunks>> {
        let path = route!("/v1/sessions/{session_id}/stream", self.session);
        let request = Request::get("sessions.stream", path);
        let (client, last) = (self.client.clone(), last_event_id.map(str::to_owned));
        Box::pin(async move {
            let body = open(&client, &request, last.as_deref()).await?;
            Ok(Box::new(BodyChunks(body)) as Box<dyn Chunks>)
        })
    }

    #[inline]
    fn list(&self, limit: u64) -> SourceFuture<Vec<Event>> {
        let (client, session) = (self.client.clone(), self.session.clone());
        // The stream itself comes back to a gap, with patience of its own.
        let once = RetryPolicy::none();
        Box::pin(async move {
            Ok(client.sessions().events(&session).limit(limit).retry(once).await?.events)
        })
    }

    #[inline]
    fn is_at_rest(&self, last: Option<u64>, seen: Option<&MessageId>) -> SourceFuture<bool> {
        let (client, id, seen) = (self.client.clone(), self.session.clone(), seen.cloned());
        Box::pin(async move {
            let session = client.sessions().get(&id).await?;
            if !is_quiet(&session) {
                return Ok(false);
            }
            if seen.is_some() && seen == session.last_message_id {
                return Ok(true);
            }
            let Some(last) = last else { return Ok(false) };
            let list = client.sessions().events(&id).limit(last.saturating_add(1)).await?;
            let numbers = || list.events.iter().filter_map(|event| event.sequence_number);
            // A list that was cut before the last event delivered says nothing.
            Ok(numbers().any(|number| number == last) && numbers().all(|number| number <= last))
        })
    }

    fn scrub(&self, text: &str) -> String {
        self.client.inner().scrub(text)
    }
}

fn is_quiet(session: &Session) -> bool {
    match &session.last_message_status {
        Some(status) => status.is_terminal(),
        None => session.status == Some(SessionStatus::Idle),
    }
}

struct BodyChunks(OpenBody);

impl Chunks for BodyChunks {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        self.0.poll_chunk(context)
    }
}
