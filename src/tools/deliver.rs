//! Brings an answer to the service, and says what became of it.

use std::time::Duration;

use http::StatusCode;
use tokio::time::sleep;

use crate::error::Error;
use crate::events::NewToolResult;
use crate::json::RawJson;
use crate::retry::Delays;
use crate::tools::ledger::{has_ended, ledger};
use crate::tools::report::ToolCallOutcome;
use crate::tools::request::ToolRequest;
use crate::tools::service::Service;

/// How long a `Retry-After` is obeyed between two calls; a run has an end of its own.
const MOST_OBEYED: Duration = Duration::from_secs(60);

/// How often a conflict or a missing call is doubted, when the history shows no end of the call.
const MOST_DOUBTS: u32 = 4;

/// What the model is told where the service refuses to take more.
const BARE: &str = "the tool failed";

/// Whose answer a call has.
enum Taken {
    Ours,
    Another,
}

/// Answers a call with its handler's result, or with what the model shall be told instead.
///
/// A result that the service does not take becomes an error, so that the turn goes on; an error
/// that it does not take either becomes a bare one, whose text cannot be too long.
pub(super) async fn answer(
    service: &dyn Service,
    request: &ToolRequest,
    given: Result<RawJson, ToolCallOutcome>,
) -> ToolCallOutcome {
    let (message, call) = (&request.message_id, &request.tool_call_id);
    let error = |outcome: &ToolCallOutcome| NewToolResult::error(message, call, outcome.told());
    let mut outcome = match given {
        Err(outcome) => outcome,
        Ok(result) => {
            match submit(service, request, &NewToolResult::success(message, call, result)).await {
                Ok(Taken::Ours) => return ToolCallOutcome::Succeeded,
                Ok(Taken::Another) => return ToolCallOutcome::AnsweredElsewhere,
                Err(refusal) => match reason(&refusal) {
                    Some(reason) => ToolCallOutcome::Refused(reason),
                    None => return ToolCallOutcome::Undelivered(refusal),
                },
            }
        }
    };
    let mut taken = submit(service, request, &error(&outcome)).await;
    if taken.as_ref().is_err_and(|refusal| reason(refusal).is_some()) {
        let bare = NewToolResult::error(message, call, BARE);
        taken = submit(service, request, &bare).await;
    }
    match taken {
        Ok(Taken::Ours) => {}
        Ok(Taken::Another) => outcome = ToolCallOutcome::AnsweredElsewhere,
        Err(refusal) => outcome = ToolCallOutcome::Undelivered(refusal),
    }
    outcome
}

/// Submits until the service has spoken; a passing fault is not its last word.
async fn submit(
    service: &dyn Service,
    request: &ToolRequest,
    result: &NewToolResult,
) -> Result<Taken, Error> {
    let mut delays = Delays::polling(Duration::from_secs(1), Duration::from_secs(30));
    let (mut lost, mut doubts) = (false, MOST_DOUBTS);
    loop {
        let error = match service.submit(&request.session_id, result.clone()).await {
            Ok(_) => return Ok(Taken::Ours),
            Err(error) => error,
        };
        // What took it and then said something unreadable has it.
        if error.status().is_some_and(|status| status.is_success()) {
            return Ok(Taken::Ours);
        }
        if error.is_conflict() && lost {
            return Ok(Taken::Ours);
        }
        if doubts > 0 && is_early(service, request, &error).await {
            doubts -= 1;
        } else if error.is_conflict() {
            return Ok(Taken::Another);
        } else if !error.is_retryable() {
            return Err(error);
        }
        lost |= error.may_have_arrived();
        let asked = error.retry_after().unwrap_or_default().min(MOST_OBEYED);
        sleep(delays.next().unwrap_or_default().max(asked)).await;
    }
}

/// Returns whether a refusal may only mean that the message does not wait yet.
async fn is_early(service: &dyn Service, request: &ToolRequest, refusal: &Error) -> bool {
    if !refusal.is_conflict() && !refusal.is_not_found() {
        return false;
    }
    let (message, call) = (&request.message_id, &request.tool_call_id);
    let shown = ledger(service, &request.session_id, 0).await;
    shown.is_ok_and(|events| !has_ended(&events, message, call))
}

/// Returns what the service has against a result, if it is the result that it minds.
fn reason(refusal: &Error) -> Option<String> {
    let status = refusal.status()?;
    let about_the_result = matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    );
    match refusal {
        Error::Api(said) if about_the_result => Some(match said.text() {
            "" => format!("status {}", status.as_u16()),
            text => text.to_owned(),
        }),
        _ => None,
    }
}
