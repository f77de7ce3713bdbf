//! Agents, versions and sources: from HTTP to an entry of the state and back.

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use http::StatusCode;
use http::request::Parts;
use tokio::task::spawn_blocking;

use super::body;
use super::gate::Call;
use super::refusal::Refusal;
use super::routes::Id;
use super::state::{State, UPLOAD_HEADERS};

/// The largest archive that is taken, 64 MiB.
const ARCHIVE_LIMIT: usize = 64 << 20;

/// Returns how much a body may hold that is not one of the API's, at a place for uploads.
///
/// Such a place is known by whoever was given its address, and asks for no key.
pub(super) fn archive_limit(path: &str) -> Option<usize> {
    path.starts_with("/uploads/").then_some(ARCHIVE_LIMIT)
}

/// The two ids in a path, percent-decoded.
struct Ids(String, String);

/// Returns the routes, to be put behind the gate.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/uploads/{token}", put(upload))
        .route("/v1/agents", get(agents).post(create_agent))
        .route("/v1/agents/{id}", get(agent).delete(delete_agent))
        .route("/v1/agents/{id}/versions", get(versions).post(create_version))
        .route("/v1/agents/{id}/versions/{version}", get(version))
        .route("/v1/source-snapshots", post(reserve))
        .route("/v1/source-snapshots/{id}", delete(delete_snapshot))
        .route("/v1/source-snapshots/{id}/finalize", post(finalize))
        .route("/v1/source-snapshots/{id}/manifest", get(manifest))
}

async fn agents(call: Call) -> Response {
    call.answer(StatusCode::OK, State::agents)
}

async fn agent(call: Call, Id(agent): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.agent(visit, &agent))
}

async fn delete_agent(call: Call, Id(agent): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.delete_agent(visit, &agent))
}

async fn versions(call: Call, Id(agent): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.versions(visit, &agent))
}

async fn version(call: Call, Ids(agent, version): Ids) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.version(visit, &agent, &version))
}

async fn create_agent(call: Call) -> Result<Response, Refusal> {
    let source = body::source(call.json()?)?;
    let entry = |state: &mut State, visit| state.publish_snapshot(visit, None, &source);
    Ok(call.answer(StatusCode::CREATED, entry))
}

async fn create_version(call: Call, Id(agent): Id) -> Result<Response, Refusal> {
    let source = body::source(call.json()?)?;
    let entry = |state: &mut State, visit| state.publish_snapshot(visit, Some(&agent), &source);
    Ok(call.answer(StatusCode::CREATED, entry))
}

async fn reserve(call: Call) -> Result<Response, Refusal> {
    let announced = body::reservation(call.json()?)?;
    let base = upload_address(&call);
    let entry = |state: &mut State, visit| state.reserve(visit, announced, &base);
    Ok(call.answer(StatusCode::CREATED, entry))
}

async fn finalize(call: Call, Id(snapshot): Id) -> Response {
    let unchecked = |state: &mut State, visit| state.unchecked(visit, &snapshot);
    if let Some((announced, archive)) = call.service.visit(call.organization, unchecked) {
        let bytes = archive.clone();
        // Away from the thread that serves, for an archive may grow to 1 GiB.
        if let Ok(found) = spawn_blocking(move || announced.check(&bytes)).await {
            let note = |state: &mut State, visit| state.checked(visit, &snapshot, (archive, found));
            call.service.visit(call.organization, note);
        }
    }
    call.answer(StatusCode::OK, |state, visit| state.finalize(visit, &snapshot))
}

async fn manifest(call: Call, Id(snapshot): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.manifest(visit, &snapshot))
}

async fn delete_snapshot(call: Call, Id(snapshot): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.delete_snapshot(visit, &snapshot))
}

/// Takes an archive, if it comes with the headers it was to have and without a key.
///
/// Stores that take presigned uploads refuse a second kind of credentials; so does this one.
async fn upload(call: Call, Id(token): Id) -> Result<Response, Refusal> {
    if call.request.header("authorization").is_some() {
        return Err(Refusal::BadRequest("An upload must not carry an Authorization header"));
    }
    let has = |(name, value): &(&str, &str)| call.request.header(name) == Some(*value);
    if !UPLOAD_HEADERS.iter().all(has) {
        return Err(Refusal::Locked("The upload headers are not those of the reservation"));
    }
    let archive = call.request.bytes();
    call.service.visit(call.organization, |state, visit| state.upload(visit, &token, archive))?;
    Ok(StatusCode::OK.into_response())
}

/// Returns the address under which whoever sent this request reaches `/uploads/`.
fn upload_address(call: &Call) -> String {
    let host = call.request.header("host").unwrap_or("127.0.0.1");
    format!("http://{host}/uploads/")
}

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        path.map(|Path((first, second))| Self(first, second)).map_err(|_odd| Refusal::NoRoute)
    }
}
