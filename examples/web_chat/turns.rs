//! A turn from the browser, sent once however often it comes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use crate::Chat;

#[derive(Deserialize)]
struct NewTurn {
    text: String,
    /// Made by the browser: the same for each try at this turn.
    key: String,
}

pub(crate) async fn take(
    State(chat): State<Arc<Chat>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(session) = chat.visitors.session(&headers) else {
        return (StatusCode::UNAUTHORIZED, "Load the page first.").into_response();
    };
    let Some(turn) = read(&headers, &body) else {
        return (StatusCode::BAD_REQUEST, "A turn is JSON: a text and a key.").into_response();
    };
    let sent = chat.client.messages().send(&session, turn.text).idempotency_key(turn.key).await;
    match sent {
        Ok(sent) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            let body = json!({"message": sent.message.id}).to_string();
            (StatusCode::ACCEPTED, json, body).into_response()
        }
        Err(error) => {
            // What went wrong is for who runs this, not for who looks at it.
            eprintln!("a turn of {session} was not sent: {error}");
            (StatusCode::BAD_GATEWAY, "The turn could not be sent.").into_response()
        }
    }
}

fn read(headers: &HeaderMap, body: &[u8]) -> Option<NewTurn> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if content_type.split(';').next()?.trim() != "application/json" {
        return None;
    }
    let turn: NewTurn = serde_json::from_slice(body).ok()?;
    let plain = turn.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let good = plain && (16..=64).contains(&turn.key.len()) && !turn.text.trim().is_empty();
    good.then_some(turn)
}
