//! Runs a handler so that it always ends: with a result, an error, a panic or a timeout.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use crate::error::one_line;
use crate::json::RawJson;
use crate::tools::report::ToolCallOutcome;
use crate::tools::request::ToolRequest;
use crate::tools::set::Handler;

/// Runs a handler for at most `limit`.
pub(super) async fn run(
    handler: Handler,
    request: ToolRequest,
    limit: Duration,
) -> Result<RawJson, ToolCallOutcome> {
    // The call of the handler itself may panic as well, so it is inside.
    let handling = AssertUnwindSafe(async move { handler(request).await }).catch_unwind();
    match timeout(limit, handling).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(ToolCallOutcome::Panicked(text_of(&*panic))),
        Err(_elapsed) => Err(ToolCallOutcome::TimedOut(limit)),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    one_line(text.unwrap_or("the panic has no text"), 512)
}
