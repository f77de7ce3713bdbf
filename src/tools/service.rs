//! What a run needs of the service, so that it can be tested without a socket.

use std::future::Future;
use std::pin::Pin;

use crate::client::Client;
use crate::error::Error;
use crate::events::{Event, NewToolResult};
use crate::ids::{MessageId, SessionId};
use crate::messages::Message;
use crate::sessions::SubmittedToolResult;
use crate::stream::EventStream;
use crate::transcript::{ToolCallItem, TranscriptItem};

pub(super) type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// One message of one session, as a run asks about it.
pub(super) trait Service: Send + Sync {
    fn message(&self) -> Answer<Message>;

    /// Lists the first `limit` events of the ledger.
    fn events(&self, session: &SessionId, limit: u64) -> Answer<Vec<Event>>;

    /// Lists the tool calls of the transcript.
    fn tool_calls(&self, session: &SessionId) -> Answer<Vec<ToolCallItem>>;

    fn submit(&self, session: &SessionId, result: NewToolResult) -> Answer<SubmittedToolResult>;

    fn stream(&self, session: &SessionId) -> EventStream;
}

/// The service at the other end of the wire.
pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) message: MessageId,
}

impl Service for Remote {
    #[inline]
    fn message(&self) -> Answer<Message> {
        let (client, id) = (self.client.clone(), self.message.clone());
        Box::pin(async move { client.messages().get(&id).await })
    }

    #[inline]
    fn events(&self, session: &SessionId, limit: u64) -> Answer<Vec<Event>> {
        let (client, session) = (self.client.clone(), session.clone());
        Box::pin(async move { Ok(client.sessions().events(&session).limit(limit).await?.events) })
    }

    #[inline]
    fn tool_calls(&self, session: &SessionId) -> Answer<Vec<ToolCallItem>> {
        let (client, session) = (self.client.clone(), session.clone());
        Box::pin(async move {
            let items = client.transcript().get(&session).await?.timeline.items;
            let call = |item| match item {
                TranscriptItem::ToolCall(call) => Some(call),
                _ => None,
            };
            Ok(items.into_iter().filter_map(call).collect())
        })
    }

    #[inline]
    fn submit(&self, session: &SessionId, result: NewToolResult) -> Answer<SubmittedToolResult> {
        let (client, session) = (self.client.clone(), session.clone());
        Box::pin(async move { client.sessions().submit_tool_result(&session, result).await })
    }

    #[inline]
    fn stream(&self, session: &SessionId) -> EventStream {
        self.client.sessions().stream(session)
    }
}
