//! Looks after one call: learns what is called, and runs its handler.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::ids::{MessageId, SessionId, ToolCallId};
use crate::json::RawJson;
use crate::retry::Delays;
use crate::tools::guard;
use crate::tools::report::ToolCallOutcome;
use crate::tools::request::ToolRequest;
use crate::tools::service::Service;
use crate::tools::set::ToolSet;
use crate::transcript::ToolCallItem;

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
    /// It could not be learned with which arguments it is called.
    Unreadable(ToolRequest, String),
    /// The transcript could not be had.
    Unknown(ToolRequest, Error),
}

/// How often the transcript is looked at again for what an event left out.
const MORE_LOOKS: usize = 5;

impl Called {
    fn fill(&mut self, items: Vec<ToolCallItem>, message: &MessageId) {
        let item = items.into_iter().find(|item| {
            item.tool_call_id.as_ref() == Some(&self.id)
                && item.message_id.as_ref().is_none_or(|id| id == message)
        });
        if let Some(item) = item {
            self.name = self.name.take().or(item.tool_name);
            let listed = item.arguments.unwrap_or_else(RawJson::empty_object);
            self.arguments = self.arguments.take().or(Some(listed));
        }
    }

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
    if called.arguments.is_none() {
        return Attended::Unreadable(request, "the transcript does not list it".to_owned());
    }
    let started = Instant::now();
    let given = guard::run(handler, request.clone(), tools.timeout).await;
    Attended::Ran(request, started.elapsed(), given)
}

/// Takes from the transcript what an event left out: there the fields are documented.
///
/// A call that it does not list yet is looked for again. One that it lists without arguments has none.
async fn complete(
    called: &mut Called,
    service: &dyn Service,
    (session, message): (&SessionId, &MessageId),
) -> Result<(), Error> {
    let mut delays = Delays::default_polling().take(MORE_LOOKS);
    while called.name.is_none() || called.arguments.is_none() {
        let fault = match service.tool_calls(session).await {
            Ok(items) => {
                called.fill(items, message);
                None
            }
            Err(error) if error.is_unauthorized() || error.is_forbidden() => return Err(error),
            Err(error) => Some(error),
        };
        if called.name.is_some() && called.arguments.is_some() {
            break;
        }
        match delays.next() {
            Some(delay) => sleep(delay).await,
            None => return fault.map_or(Ok(()), Err),
        }
    }
    Ok(())
}
