//! The routes of the contract: from HTTP to an entry of the state and back.

mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use http::request::Parts;
use url::form_urlencoded;

use super::body::{self, SessionEvents};
use super::files;
use super::gate::{Call, admit};
use super::refusal::{Problem, Refusal};
use super::service::Service;
use super::state::{Arrival, State};
use super::stream::follow;
use super::workspace::download;

/// How many events a list holds when no limit is asked for.
///
/// The contract says that there is such a default, not which: a client that leaves the limit
/// out must not take the list to be whole (§1, assumption).
const DEFAULT_EVENT_LIMIT: usize = 100;

/// The id in a path, percent-decoded.
struct Id(String);

/// Returns all routes behind the gate.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/agents/{id}/messages", post(send_agent_message))
        .route("/v1/agents/{id}/sessions", get(agent_sessions).post(create_session))
        .route("/v1/costs/sessions/{id}", get(cost))
        // Its size was limited at the gate.
        .route("/v1/files", post(files::upload).layer(DefaultBodyLimit::disable()))
        .route("/v1/messages/{id}", get(message))
        .route("/v1/session-batches", post(create_batch))
        .route("/v1/session-batches/{id}", get(batch))
        .route("/v1/sessions", get(sessions))
        .route("/v1/sessions/{id}", get(session))
        .route("/v1/sessions/{id}/events", get(events).post(send_session_events))
        .route("/v1/sessions/{id}/messages", get(messages))
        .route("/v1/sessions/{id}/stream", get(stream))
        .route("/v1/sessions/{id}/transcript", get(transcript))
        .route("/v1/sessions/{id}/workspace.zip", get(workspace))
        .merge(webhooks::routes())
        .fallback(async || Refusal::NoRoute)
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .layer(from_fn_with_state(service, admit))
}

async fn send_agent_message(call: Call, Id(agent): Id) -> Result<Response, Refusal> {
    let body = body::agent_message(call.json()?)?;
    let entry = |state: &mut State, visit| state.send_agent_message(visit, &agent, body);
    Ok(call.answer(StatusCode::ACCEPTED, entry))
}

async fn create_session(call: Call, Id(agent): Id) -> Result<Response, Refusal> {
    let body = body::new_session(call.json()?)?;
    let entry = |state: &mut State, visit| state.create_session(visit, &agent, body);
    Ok(call.answer(StatusCode::CREATED, entry))
}

async fn create_batch(call: Call) -> Result<Response, Refusal> {
    let body = body::new_batch(call.json()?)?;
    Ok(call.answer(StatusCode::CREATED, |state, visit| state.create_batch(visit, body)))
}

async fn batch(call: Call, Id(batch): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.batch(visit, &batch))
}

async fn cost(call: Call, Id(session): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.cost(visit, &session))
}

async fn agent_sessions(call: Call, Id(agent): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.agent_sessions(visit, &agent))
}

async fn message(call: Call, Id(message): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.message(visit, &message))
}

async fn sessions(call: Call) -> Response {
    let wanted = query(&call).filter_map(|(name, value)| {
        Some((name.strip_prefix("metadata.")?.to_owned(), value.into_owned()))
    });
    let wanted: Vec<(String, String)> = wanted.collect();
    call.answer(StatusCode::OK, |state, visit| state.sessions(visit, &wanted))
}

async fn session(call: Call, Id(session): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.session(visit, &session))
}

async fn events(call: Call, Id(session): Id) -> Result<Response, Refusal> {
    let limit = limit(&call)?;
    Ok(call.answer(StatusCode::OK, |state, visit| state.events(visit, &session, limit)))
}

async fn send_session_events(call: Call, Id(session): Id) -> Result<Response, Refusal> {
    let body = body::session_events(call.json()?)?;
    let key = call.request.header("idempotency-key").filter(|key| !key.is_empty());
    let key = key.map(str::to_owned);
    let entry = |state: &mut State, visit| match body {
        SessionEvents::Batch(messages) => state.send_batch(visit, &session, messages),
        SessionEvents::Message(message) => {
            state.send_message(visit, &session, Arrival { message, key })
        }
        SessionEvents::ToolAnswer(answer) => state.submit_tool_result(visit, &session, answer),
    };
    Ok(call.answer(StatusCode::ACCEPTED, entry))
}

async fn messages(call: Call, Id(session): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.messages(visit, &session))
}

async fn stream(call: Call, Id(session): Id) -> Result<Response, Refusal> {
    follow(call, session)
}

async fn transcript(call: Call, Id(session): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.transcript(visit, &session))
}

async fn workspace(call: Call, Id(session): Id) -> Result<Response, Refusal> {
    download(&call, &session)
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        // What fails here is an id that is not UTF-8 once decoded: no object has it.
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_odd| Refusal::NoRoute)
    }
}

fn query(call: &Call) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(call.request.query().unwrap_or_default().as_bytes())
}

fn limit(call: &Call) -> Result<usize, Refusal> {
    let Some((_, text)) = query(call).find(|(name, _)| name == "limit") else {
        return Ok(DEFAULT_EVENT_LIMIT);
    };
    let limit = text.parse().ok().filter(|limit| *limit > 0);
    let msg = "must be a whole number from 1";
    limit.ok_or_else(|| Problem::at(&["query", "limit"], "value_invalid", msg).into())
}
