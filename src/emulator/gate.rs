//! What every request passes: it is read whole, logged and let in by its key.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::fault::Act;
use super::files::limit_of;
use super::line::Cutter;
use super::log::{Exchange, ReceivedRequest};
use super::publishing::archive_limit;
use super::refusal::{Problem, Refusal};
use super::service::Service;
use super::state::{Answer, Organization, State as Memory, Visit};

/// The largest body that is taken, 8 MiB.
const BODY_LIMIT: usize = 8 << 20;
/// How much of a larger one is read and thrown away.
///
/// A sender that is cut off while it writes may never read the answer.
const DRAIN_LIMIT: usize = 64 << 20;

/// A request that was let in.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) service: Arc<Service>,
    pub(super) organization: Organization,
    pub(super) request: ReceivedRequest,
}

/// A request that was read whole, and what goes wrong with it.
struct Arrival {
    parts: Parts,
    request: ReceivedRequest,
    size: usize,
    fault: Option<Act>,
}

/// Lets a request in, or answers it.
pub(super) async fn admit(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let id = format!("req_{}", service.next_request());
    let mut response = match receive(&service, request).await {
        Ok(arrival) => arrival.answer(service, next).await,
        Err(refusal) => refusal.into_response(),
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

impl Call {
    /// Returns the answer of an entry of the state.
    pub(super) fn answer(
        &self,
        status: StatusCode,
        entry: impl FnOnce(&mut Memory, Visit) -> Answer,
    ) -> Response {
        match self.service.visit(self.organization, entry) {
            Ok(json) => as_json(status, json.get().to_owned()),
            Err(refusal) => refusal.into_response(),
        }
    }

    /// Returns the body, if it says that it is JSON or is empty.
    pub(super) fn json(&self) -> Result<&[u8], Refusal> {
        let body = self.request.body();
        let kind = self.request.header("content-type").and_then(|kind| kind.split(';').next());
        let is_json = kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if body.is_empty() || is_json {
            return Ok(body);
        }
        let msg = "a body must be sent as application/json";
        Err(Problem::at(&["header", "content-type"], "value_invalid", msg).into())
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::Unauthorized)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::BAD_REQUEST);
        as_json(status, json!({"detail": self.detail()}).to_string())
    }
}

fn as_json(status: StatusCode, json: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
}

async fn receive(service: &Service, request: Request) -> Result<Arrival, Refusal> {
    let (parts, body) = request.into_parts();
    let (body, size) = read(body, limit_at(parts.uri.path(), service)).await?;
    let fault = service.faults.choose(&parts, &body);
    let request = ReceivedRequest::new(&parts, body, fault.as_ref().map(Act::kind));
    service.log.add(request.clone());
    Ok(Arrival { parts, request, size, fault })
}

impl Arrival {
    async fn answer(mut self, service: Arc<Service>, next: Next) -> Response {
        let exchange = Exchange::new(self.request.clone(), service.listener.clone());
        let line = self.parts.extensions.get::<ConnectInfo<Cutter>>();
        let line = line.map(|ConnectInfo(line)| line.clone()).unwrap_or_default();
        let response = match self.fault.take() {
            Some(fault) => fault.perform(line, self.carry_out(service, next)).await,
            None => self.carry_out(service, next).await,
        };
        exchange.answered(response.status().as_u16());
        response
    }

    async fn carry_out(self, service: Arc<Service>, next: Next) -> Response {
        match self.admitted(service) {
            Ok(request) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        }
    }

    fn admitted(self, service: Arc<Service>) -> Result<Request, Refusal> {
        let path = self.parts.uri.path();
        let organization = match archive_limit(path) {
            // Its address is all it asks for, and its own handler refuses a key.
            Some(_) => Some(Organization::Owner),
            None => service.organization(self.request.header("authorization")),
        };
        let organization = organization.ok_or(Refusal::Unauthorized)?;
        if self.size > limit_at(path, &service) {
            // Without what the form around the file may take.
            let most = service.max_file_bytes;
            let file = limit_of(path, most).map(|_with_form| Refusal::FileTooLarge(most));
            let archive = archive_limit(path).map(Refusal::ArchiveTooLarge);
            return Err(file.or(archive).unwrap_or(Refusal::TooLarge));
        }
        let mut parts = self.parts;
        parts.extensions.insert(Call { service, organization, request: self.request });
        Ok(Request::from_parts(parts, Body::empty()))
    }
}

/// Returns how much the body of a request to this path may hold.
fn limit_at(path: &str, service: &Service) -> usize {
    limit_of(path, service.max_file_bytes).or(archive_limit(path)).unwrap_or(BODY_LIMIT)
}

/// Returns the body up to the limit, and its whole size.
async fn read(body: Body, limit: usize) -> Result<(Bytes, usize), Refusal> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut size) = (BytesMut::new(), 0);
    while let Some(chunk) = poll_fn(|context| Pin::new(&mut chunks).poll_next(context)).await {
        let chunk = chunk.map_err(|_broken| Refusal::CutShort)?;
        size += chunk.len();
        let room = limit - kept.len();
        kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if size > limit.saturating_add(DRAIN_LIMIT) {
            break;
        }
    }
    Ok((kept.freeze(), size))
}
