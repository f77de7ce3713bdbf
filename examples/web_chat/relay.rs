//! The session's events on their way to the browser.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use dari::{Cursor, Error, EventStream};
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderMap, StatusCode, Uri};

use crate::Chat;
use crate::view::View;

/// How long the relay may be silent: well below the minute after which proxies cut.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) async fn events(
    State(chat): State<Arc<Chat>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Ok(cursor) = cursor(&uri, &headers) else {
        return (StatusCode::BAD_REQUEST, "This is no cursor.").into_response();
    };
    let Some(session) = chat.visitors.session(&headers) else {
        // Not a refusal by status: the page would not get to read why, and try for ever.
        let unknown = end("This conversation is not known any more. Load the page again.");
        return Sse::new(stream::once(ready(Ok::<_, Infallible>(unknown)))).into_response();
    };
    let mut events = chat.client.sessions().stream(&session);
    if let Some(cursor) = cursor {
        events = events.after(cursor);
    }
    // A heartbeat is an event, not a comment, so that the page can tell a silent connection from a
    // dead one. It has no id, and so moves no cursor.
    let heartbeat = Frame::default().event("heartbeat").data("alive");
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).event(heartbeat);
    Sse::new(relay(events)).keep_alive(heartbeat).into_response()
}

/// Returns where the browser wants to go on: the header is newer than the address.
fn cursor(uri: &Uri, headers: &HeaderMap) -> Result<Option<Cursor>, Box<dyn std::error::Error>> {
    if let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) {
        return Ok(Some(std::str::from_utf8(id.as_bytes())?.parse()?));
    }
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let after = query.into_owned().find(|(name, _)| name == "after").map(|(_, after)| after);
    Ok(after.map(|after| after.parse()).transpose()?)
}

/// Turns events into frames. Nothing runs between two of them, and when the browser leaves, all of
/// this is dropped, the connection to the service included.
fn relay(events: EventStream) -> impl Stream<Item = Result<Frame, Infallible>> {
    let hello = Frame::default().retry(RETRY);
    let frames = stream::unfold(Some(events), async |events| {
        let mut events = events?;
        loop {
            match events.try_next().await {
                Ok(Some(event)) => {
                    let frame = Frame::default().data(View::of(&event).to_json());
                    // Ids of the crate have no control characters, which would end a line here.
                    let cursor = events.cursor().map(ToString::to_string);
                    let frame = cursor.into_iter().fold(frame, Frame::id);
                    return Some((frame, Some(events)));
                }
                Ok(None) => return Some((end("This conversation has ended."), None)),
                Err(error) => {
                    eprintln!("the stream of a session: {error}");
                    if matches!(error, Error::Api(_)) {
                        return Some((end("The service does not go on with this."), None));
                    }
                    // All else passes, or is one event alone: the stream goes on when asked again.
                }
            }
        }
    });
    stream::once(ready(hello)).chain(frames).map(Ok)
}

/// Returns the frame after which the page does not connect again.
fn end(reason: &str) -> Frame {
    Frame::default().event("end").data(reason)
}
