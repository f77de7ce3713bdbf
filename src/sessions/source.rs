//! A session as the source of a stream.

use std::task::{Context, Poll};

use bytes::Bytes;

use crate::client::Client;
use crate::error::Error;
use crate::events::Event;
use crate::http::{OpenBody, open};
use crate::ids::SessionId;
use crate::request::Request;
use crate::stream::source::{Chunks, Settled, Source, SourceFuture};

pub(super) struct SessionSource {
    pub(super) client: Client,
    pub(super) session: SessionId,
}

impl Source for SessionSource {
    fn open(&self, last_event_id: Option<&str>) -> SourceFuture<Box<dyn Chunks>> {
        let path = ["sessions", self.session.as_str(), "stream"];
        let request = Request::get("sessions.stream", &path);
        let (client, last) = (self.client.clone(), last_event_id.map(str::to_owned));
        Box::pin(async move {
            let body = open(&client, &request, last.as_deref()).await?;
            Ok(Box::new(BodyChunks(body)) as Box<dyn Chunks>)
        })
    }

    fn list(&self, limit: u64) -> SourceFuture<Vec<Event>> {
        let (client, session) = (self.client.clone(), self.session.clone());
        Box::pin(async move { Ok(client.sessions().events(&session).limit(limit).await?.events) })
    }

    fn settled(&self) -> SourceFuture<Option<Settled>> {
        let (client, session) = (self.client.clone(), self.session.clone());
        Box::pin(async move {
            let session = client.sessions().get(&session).await?;
            let at_work = session.last_message_status.is_some_and(|status| !status.is_terminal());
            Ok((!at_work).then_some(Settled { last_message: session.last_message_id }))
        })
    }

    fn scrub(&self, text: &str) -> String {
        self.client.inner().scrub(text)
    }
}

struct BodyChunks(OpenBody);

impl Chunks for BodyChunks {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        self.0.poll_chunk(context)
    }
}
