//! Looks after one call: learns what is called, and runs its handler.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;
use crate::ids::{MessageId, SessionId, ToolCallId};
use crate::json::RawJson;
use crate::tools::guard;
use crate::tools::report::ToolCallOutcome;
use crate::tools::request::ToolRequest;
use crate::tools::service::Service;
use crate::tools::set::ToolSet;

/// A call, as far as its event tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Called {
    pub(super) id: ToolCallId,
    pub(super) name: Option<String>,
    pub(super) arguments: Option<RawJson>,
}

/// How far looking after a call got.
pub(super) enum Attended {
    /// Its handler ran.
    Ran(ToolRequest, Duration, Result<RawJson, ToolCallOutcome>),
    /// It has no handler.
    Foreign(ToolRequest),
    /// It could not be learned which tool is called.
    Unknown(ToolRequest, Error),
}

impl Called {
    /// Returns the call as its handler gets it; what is not known is empty.
    pub(super) fn request(&self, session: &SessionId, message: &MessageId) -> ToolRequest {
        ToolRequest {
            session_id: session.clone(),
            message_id: message.clone(),
            tool_call_id: self.id.clone(),
            tool_name: self.name.clone().unwrap_or_default(),
            arguments: self.arguments.clone().unwrap_or_else(RawJson::empty_object),
        }
    }
}

/// Runs the handler of a call.
pub(super) async fn attend(
    service: Arc<dyn Service>,
    tools: ToolSet,
    (mut called, place): (Called, (SessionId, MessageId)),
) -> Attended {
    let (session, message) = place;
    if let Err(error) = complete(&mut called, &*service, (&session, &message)).await {
        return Attended::Unknown(called.request(&session, &message), error);
    }
    let request = called.request(&session, &message);
    let Some(handler) = tools.handler(&request.tool_name) else {
        return Attended::Foreign(request);
    };
    let started = Instant::now();
    let given = guard::run(handler, request.clone(), tools.timeout).await;
    Attended::Ran(request, started.elapsed(), given)
}

/// Takes from the transcript what an event left out: there the fields are documented.
async fn complete(
    called: &mut Called,
    service: &dyn Service,
    (session, message): (&SessionId, &MessageId),
) -> Result<(), Error> {
    if called.name.is_some() && called.arguments.is_some() {
        return Ok(());
    }
    let item = service.tool_calls(session).await?.into_iter().find(|item| {
        item.tool_call_id.as_ref() == Some(&called.id)
            && item.message_id.as_ref().is_none_or(|id| id == message)
    });
    if let Some(item) = item {
        called.name = called.name.take().or(item.tool_name);
        called.arguments = called.arguments.take().or(item.arguments);
    }
    Ok(())
}
