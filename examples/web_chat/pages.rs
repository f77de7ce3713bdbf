//! The page and its parts. A visitor's first look begins a session.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::Chat;

pub(crate) async fn page(State(chat): State<Arc<Chat>>, headers: HeaderMap) -> Response {
    let page = Html(include_str!("page.html"));
    if chat.visitors.session(&headers).is_some() {
        return page.into_response();
    }
    let session = match chat.client.sessions().create(&chat.agent).await {
        Ok(session) => session,
        Err(error) => {
            eprintln!("no session could be created: {error}");
            return (StatusCode::BAD_GATEWAY, "No conversation can be begun now.").into_response();
        }
    };
    match chat.visitors.welcome(session.id) {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], page).into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason).into_response(),
    }
}

pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page.css"))
}

pub(crate) async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page.js"))
}
